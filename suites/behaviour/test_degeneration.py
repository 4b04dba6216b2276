"""Is a reply an answer at all? One gate for each way of being none, because each has another cause and another cure."""

from modelqa import ask, degeneration, every, gate

SOME = 0.05  # share of replies of one kind: with fewer the other gates lose a point or two, and count them themselves
ATTRACTED = 0.10  # share of replies with one foreign word; a topic that most replies mention is in the questions
ONE_ANSWER = 0.5  # share of one reply among all of the rung's questions, which are all different
ANY_CONTENT = {"*": "only the form of a reply is judged: what it says is judged by the other behaviour gates"}


KINDS = {}  # of each reply to each question: six gates ask


def kind_of(reply, case, grammar):
    """`degeneration.kind`, once for each reply."""
    key = (case.id, case.user, reply.raw, reply.stopped, grammar)
    if key not in KINDS:
        KINDS[key] = degeneration.kind(reply, case, grammar)
    return KINDS[key]


def few(kind, what, cases, replies, grammar):
    """No more than `SOME` of the replies are of this kind; otherwise their share and the first of them are shown."""
    found = [r for c, r in zip(cases, replies, strict=True) if kind_of(r, c, grammar) == kind]
    share = len(found) / len(replies)
    assert share <= SOME, f"{share:.0%} of the replies {what}: {found[0].raw[:80]!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_empty_replies(cases, replies, grammar):
    """The model says something."""
    few("empty", "are empty", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_looping_replies(cases, replies, grammar):
    """The model does not say one thing over and over."""
    few("looping", "loop", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_garbage_replies(cases, replies, grammar):
    """The model speaks a language."""
    few("garbage", "are no language", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_attractor_words(cases, replies):
    """No foreign word stands in replies to everything."""
    word, share = degeneration.attractor(replies, cases)
    assert share <= ATTRACTED, f"{word!r} stands in {share:.0%} of the replies, and in no question or answer"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_role_tags(cases, replies, grammar):
    """The model writes no tags, and no turn of somebody else."""
    few("role_tags", "hold tags or another turn", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_unending_replies(cases, replies, grammar):
    """The model does not talk on until it is cut off."""
    few("unending", "never end", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_copied_prompts(cases, replies, grammar):
    """The model does not say the question back."""
    few("copying", "are the question", cases, replies, grammar)


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_one_answer(replies):
    """The model does not answer everything alike."""
    answer, share = ask.top_share(replies)
    assert share <= ONE_ANSWER, f"{share:.0%} of the replies are {answer!r}"
