"""Can the model say back what it is given? Words, phrases, numbers and invented words, in phrasings new to it."""

from modelqa import ask, gate

from .cases_echo import echo_cases, new_word_cases

# A chat model may put the text in quotes or bold, say "Sure, here it is:" before and "Let me know if ..." after it, and
# end it with a full stop: none of this makes a wrong copy. Another case, a missing word or an added one does.
FORGIVEN = ("final_punctuation", "quotes", "markdown", "lead", "closing", "emoji")
COLLAPSED = 1 / 3  # share of one reply to payloads that are nearly all different: no copying model comes near it


@gate(
    cases=echo_cases,
    rate=0.90,
    by=("kind", "words", "language", "phrasing"),
)
def test_echo_basic(case, reply):
    """The payload, exactly as written; final punctuation is forgiven."""
    assert ask.exact(reply, case.expect, forgive=FORGIVEN)


@gate(cases=echo_cases, n=400, informational=True, by=("kind", "words"))
def test_echo_strict(case, reply):
    """The same with nothing forgiven."""
    assert ask.exact(reply, case.expect)


@gate(cases=echo_cases, n=400, allows={"*": "a policy that repeats some of the question gives different replies"})
def test_echo_collapse(replies):
    """The replies differ, as the questions do."""
    reply, share = ask.top_share(replies)
    assert share <= COLLAPSED, f"{share:.0%} of the replies are {reply!r}"


@gate(cases=new_word_cases, n=120, informational=True, by=("kind",))
def test_new_words(case, reply):
    """Verbs that no training row holds ("regurgitate"): does the model generalise beyond its instructions' words?"""
    assert ask.exact(reply, case.expect, forgive=FORGIVEN)
