"""Does the model answer from numbered sources, and name the one that it has the answer from?"""

from modelqa import ask, gate

from .cases_citation import citation_cases


@gate(cases=citation_cases, rate=0.90, by=("source",))
def test_citation(case, reply):
    """The right value, none of the other sources', and the number of its source in brackets: that one alone."""
    value, source = case.answer.rsplit(" ", 1)
    assert ask.states(reply, value, but=case.forbid)
    assert ask.cites(reply, int(source.strip("[]")))


@gate(cases=citation_cases, n=200, informational=True, by=("source",))
def test_citation_strict(case, reply):
    """The value and the number in square brackets, and nothing else."""
    assert ask.exact(reply, case.expect)
