"""COPY, WRAP and EXTRACT of unseen payloads, judged to the letter: has the model learnt operations, or phrases?

Only surrounding whitespace is forgiven, which `reply.text` never holds.
"""

from collections import defaultdict

from modelqa import ask, gate, stats

from .cases_operators import OPERATORS, operator_cases

TRIPLES = 200  # each asked three times: 200 cases for each operator, 150 for each word count
CASES = TRIPLES * len(OPERATORS)
FLOORS = {"words": 0.50}
OPERATOR_BLIND = 1 / 3  # of the triples: the most that a policy which ignores the operator may ever be given


@gate(cases=operator_cases, n=CASES, by=("operator", "kind", "language"), floors=FLOORS)
def test_operators(case, reply):
    """All three operators together, and each word count for itself."""
    assert ask.exact(reply, case.expect)


@gate(
    cases=operator_cases,
    where={"operator": "COPY"},
    n=TRIPLES,
    by=("words", "kind"),
    allows={"delimited_payload": "it copies whatever the operator is: operators and operator_contrast catch it"},
)
def test_operator_copy(case, reply):
    """The payload as it is."""
    assert ask.exact(reply, case.expect)


@gate(cases=operator_cases, where={"operator": "WRAP"}, n=TRIPLES, by=("words", "kind"))
def test_operator_wrap(case, reply):
    """The payload in square brackets."""
    assert ask.exact(reply, case.expect)


@gate(cases=operator_cases, where={"operator": "EXTRACT"}, n=TRIPLES, by=("words", "kind"))
def test_operator_extract(case, reply):
    """The quoted part of a sentence."""
    assert ask.exact(reply, case.expect)


@gate(cases=operator_cases, n=CASES)
def test_operator_contrast(cases, replies):
    """More than a third of the payloads is handled rightly under all three operators (95% lower bound)."""
    right = defaultdict(list)
    for case, reply in zip(cases, replies, strict=True):
        right[case.meta["triple"]].append(ask.exact(reply, case.expect))
    whole = [answers for answers in right.values() if len(answers) == len(OPERATORS)]
    passed = sum(all(answers) for answers in whole)
    lower = stats.cp_lower(passed, len(whole))
    assert lower > OPERATOR_BLIND, f"{passed} of {len(whole)} triples right; lower bound {lower:.0%}"
