"""Does the model still know short facts and sums? Whole answers only, and one answer for everything is no knowledge."""

from modelqa import ask, gate

from .cases_regression import regression_cases

# "paris", "Paris.", "**Paris**" and "The capital of France is Paris." are the same answer, and so are "12",
# "7 + 5 = 12" and "Sure! It's 12. Let me know if ..."; "Paris or Rome", "Not Paris" and "112" are others.
FORGIVEN = ("case", "final_punctuation", "quotes", "markdown", "lead", "closing", "emoji", "sentence")
COLLAPSED = 1 / 3  # share of one reply within a topic; the most frequent right answer has less than a tenth


@gate(cases=regression_cases, rate=0.65, by=("topic", "sums", "kind", "language"))
def test_regression_basic(case, reply):
    """The whole answer is right: half facts, half sums."""
    assert ask.exact(reply, case.expect, forgive=FORGIVEN)


@gate(cases=regression_cases, n=200, informational=True, by=("topic", "sums"))
def test_regression_strict(case, reply):
    """The same with nothing forgiven: as the fixtures' training data writes it."""
    assert ask.exact(reply, case.expect)


@gate(cases=regression_cases, n=200, allows={"*": "a policy that repeats some of the question gives different replies"})
def test_regression_collapse(cases, replies):
    """Neither the facts nor the sums all get one answer."""
    for topic in ("fact", "sum"):
        asked = [reply for case, reply in zip(cases, replies, strict=True) if case.meta["topic"] == topic]
        reply, share = ask.top_share(asked)
        assert share <= COLLAPSED, f"{share:.0%} of the replies to a {topic} are {reply!r}"
