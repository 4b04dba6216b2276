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


def some(kind, cases, replies, grammar):
    """(share of the replies of this kind, the first of them)."""
    found = [r for c, r in zip(cases, replies, strict=True) if kind_of(r, c, grammar) == kind]
    return len(found) / len(replies), found[0].raw[:80] if found else ""


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_empty_replies(cases, replies, grammar):
    """The model says something."""
    share, example = some("empty", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies are empty: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_looping_replies(cases, replies, grammar):
    """The model does not say one thing over and over."""
    share, example = some("looping", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies loop: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_garbage_replies(cases, replies, grammar):
    """The model speaks a language."""
    share, example = some("garbage", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies are no language: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_attractor_words(cases, replies):
    """No foreign word stands in replies to everything."""
    word, share = degeneration.attractor(replies, cases)
    assert share <= ATTRACTED, f"{word!r} stands in {share:.0%} of the replies, and in no question or answer"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_role_tags(cases, replies, grammar):
    """The model writes no tags, and no turn of somebody else."""
    share, example = some("role_tags", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies hold tags or another turn: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_unending_replies(cases, replies, grammar):
    """The model does not talk on until it is cut off."""
    share, example = some("unending", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies never end: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_copied_prompts(cases, replies, grammar):
    """The model does not say the question back."""
    share, example = some("copying", cases, replies, grammar)
    assert share <= SOME, f"{share:.0%} of the replies are the question: {example!r}"


@gate(cases=every("behaviour"), allows=ANY_CONTENT)
def test_one_answer(replies):
    """The model does not answer everything alike."""
    answer, share = ask.top_share(replies)
    assert share <= ONE_ANSWER, f"{share:.0%} of the replies are {answer!r}"
