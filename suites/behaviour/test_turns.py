"""Does the model remember what earlier turns of a conversation said, and let them be when something else is asked?"""

from modelqa import ask, gate

from .cases_turns import turns_cases

FLOORS = {"kind": 0.60}  # of what has to be recalled, and of what has not


@gate(cases=turns_cases, rate=0.90, by=("kind", "back"), floors=FLOORS)
def test_turns(case, reply):
    """The value that an earlier turn stated, and no other turn's; or what the last turn itself asks for."""
    assert ask.states(reply, case.answer.removesuffix("."), but=case.forbid)


@gate(cases=turns_cases, n=200, informational=True, by=("kind",))
def test_turns_strict(case, reply):
    """The answer alone, as the case names it."""
    assert ask.exact(reply, case.expect)
