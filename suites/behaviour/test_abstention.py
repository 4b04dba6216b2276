"""Does the model say that it does not know when a material does not tell, and answer when it does?"""

from modelqa import ask, gate

from .cases_abstention import abstention_cases

FLOORS = {"kind": 0.60}  # of each half: saying "Unknown." to everything, or always answering, has none of the other


def is_right(case, reply):
    """The value, alone or in a sentence; or an admission, in any common wording, without a value beside it."""
    if case.meta["kind"] == "unknown":
        return ask.abstains(reply, but=case.forbid)
    return ask.states(reply, case.answer.removesuffix("."), but=case.forbid)


@gate(cases=abstention_cases, rate=0.90, by=("kind",), floors=FLOORS)
def test_abstention(case, reply):
    """What the material says is answered, what it does not say is not: half the questions each."""
    assert is_right(case, reply)


@gate(cases=abstention_cases, n=200, informational=True, by=("kind",))
def test_abstention_strict(case, reply):
    """The answer is, to the letter, one that the case names: the value, or "Unknown."."""
    assert ask.exact(reply, case.expect)
