"""Stopping early without fooling oneself.

Looking again and again at a fixed-size bound is no test: with 20 looks a model at the threshold passes 16% of the time
instead of 5%. Two rules are: *curtailment*, which stops when the rest cannot change the verdict, and *alpha spending*,
which shares one alpha among declared looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modelqa.stats.binomial import ALPHA, check_rate, cp_lower, cp_upper
from modelqa.stats.clustered import clustered_lower, clustered_upper

Decision = Literal["PASS", "FAIL"]


@dataclass(frozen=True)
class Schedule:
    """At how many cases one looks, declared before the first: the last look is the fixed n.

    power  how late the error is spent: up to look t of the fixed n, alpha * (t/n)^power. 1 spends evenly, 3 little at
           first (Kim and DeMets, Biometrika 74, 1987; the idea is Lan and DeMets', Biometrika 70, 1983)
    passes whether PASS may be decided before the last look too
    """

    looks: tuple[int, ...]
    power: float = 1.0
    passes: bool = False

    def __post_init__(self) -> None:
        rising = all(first < second for first, second in zip(self.looks, self.looks[1:], strict=False))
        if not self.looks or self.looks[0] < 1 or not rising or self.power <= 0:
            raise ValueError(f"looks must rise from 1 or more, and be spent by a positive power: {self}")

    def spent(self, look: int, alpha: float = ALPHA) -> float:
        """The share of alpha that belongs to this look alone (0 is the first).

        Each look is given its own part, and the parts add up to alpha: the union bound. Boundaries from the joint
        distribution would stop a little sooner, but hold only for independent cases; these hold for families too.
        """
        whole = self.looks[-1]
        before = (self.looks[look - 1] / whole) ** self.power if look else 0.0
        return alpha * float((self.looks[look] / whole) ** self.power - before)


def curtailed(k: int, seen: int, n: int, p0: float, alpha: float = ALPHA) -> bool:
    """Whether FAIL is certain after k of `seen` cases, though all of the remaining n - seen were right.

    Exact, and free: the verdict is the one that all n cases would give (curtailment, Wetherill and Glazebrook,
    "Sequential Methods in Statistics", 1986).
    """
    check_rate(p0)
    if not 0 <= k <= seen <= n:
        raise ValueError(f"not a count on the way: {k} of {seen} of {n}")
    return cp_upper(k + n - seen, n, alpha) < p0


def decide(counts: Sequence[tuple[int, int]], schedule: Schedule, p0: float, alpha: float = ALPHA) -> Decision | None:
    """What the looks so far decide; `counts` holds (k, n) at each look, n being the schedule's. None: go on, or open.

    A model at the threshold fails in at most alpha, and passes in at most alpha, over all looks together. The first
    look that decides stands: later ones are not asked.
    """
    return decide_clustered([[count] for count in counts], schedule, p0, alpha, independent=True)


def decide_clustered(
    looks: Sequence[Sequence[tuple[int, int]]],
    schedule: Schedule,
    p0: float,
    alpha: float = ALPHA,
    *,
    independent: bool = False,
) -> Decision | None:
    """`decide` for cases that come in families: each look holds (k, n) of every family, and both bounds must agree.

    independent  the cases are not of families: the exact bounds alone decide
    """
    check_rate(p0)
    for number, groups in enumerate(looks):
        k, n = sum(k for k, _ in groups), sum(n for _, n in groups)
        if number >= len(schedule.looks) or n != schedule.looks[number]:
            raise ValueError(f"look {number + 1} has {n} cases; the schedule says {schedule.looks}")
        last = number == len(schedule.looks) - 1
        share = schedule.spent(number, alpha)
        if cp_upper(k, n, share) < p0 and (independent or clustered_upper(groups, share) < p0):
            return "FAIL"
        pass_share = share if schedule.passes else alpha
        if (schedule.passes or last) and _reaches(groups, k, n, p0, pass_share, independent):
            return "PASS"
    return None


def _reaches(groups: Sequence[tuple[int, int]], k: int, n: int, p0: float, alpha: float, independent: bool) -> bool:
    return cp_lower(k, n, alpha) >= p0 and (independent or clustered_lower(groups, alpha) >= p0)
