"""What a rule finds in a table of results: proven by the numbers, or not settled by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelqa.gates import deny, unsettled
from modelqa.record import Problem


@dataclass(frozen=True)
class Concern:
    """A problem, and whether the numbers prove it; when they do not, it asks for evidence and is INCONCLUSIVE."""

    problem: Problem
    proven: bool


def proven(code: str, locus: str, text: str) -> Concern:
    """A concern that the numbers prove."""
    return Concern(Problem(f"benchmarks.{code}", locus, text), True)


def unproven(code: str, locus: str, text: str) -> Concern:
    """A concern that only more evidence can settle."""
    return Concern(Problem(f"benchmarks.{code}", locus, text), False)


def settle(concerns: Iterable[Concern]) -> None:
    """FAIL with the proven concerns, else INCONCLUSIVE with the others; the first gives the verdict code and locus."""
    found = list(concerns)
    deny(concern.problem for concern in found if concern.proven)
    if found:
        first = found[0].problem
        text = "\n".join(f"{concern.problem.locus}: {concern.problem.text}" for concern in found)
        unsettled(text, code=first.code, locus=first.locus)
