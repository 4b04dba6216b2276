"""Two models on the same cases: what each got right alone, and what may be said of the difference.

The difference is always new minus old: below zero means that something was lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

from modelqa.stats.binomial import ALPHA, binomial_tail, wilson


@dataclass(frozen=True)
class Paired:
    """Counts of cases: `only_new` is right in the new model alone, `only_old` in the old one alone."""

    only_new: int
    only_old: int
    n: int

    def __post_init__(self) -> None:
        if min(self.only_new, self.only_old) < 0 or not self.discordant <= self.n or self.n == 0:
            raise ValueError(f"not paired counts: {self.only_new} and {self.only_old} of {self.n}")

    @property
    def discordant(self) -> int:
        """How many cases the two answer differently."""
        return self.only_new + self.only_old

    @property
    def difference(self) -> float:
        """The new model's rate minus the old one's."""
        return (self.only_new - self.only_old) / self.n


def paired_counts(new: Mapping[str, bool], old: Mapping[str, bool]) -> Paired:
    """The counts of two {case: right}; `ValueError` when they are not of the same cases."""
    if new.keys() != old.keys():
        raise ValueError(f"not the same cases: {len(new.keys() ^ old.keys())} stand on one side only")
    only_new = sum(right and not old[case] for case, right in new.items())
    only_old = sum(right and not new[case] for case, right in old.items())
    return Paired(only_new, only_old, len(new))


def mcnemar(pairs: Paired, *, worse: bool = False) -> float:
    """The p-value of "no difference", exact: the discordant cases fall to either side like coins.

    Two-sided by default; `worse` asks one-sided whether the new model lost. 1.0 when nothing differs.
    McNemar (1947), in the exact form of Fay (2010, R package exact2x2): P(Bin(b+c, 1/2) >= max(b, c)), doubled.
    """
    if worse:
        return binomial_tail(pairs.only_old, pairs.discordant, 0.5)
    return min(1.0, 2 * binomial_tail(max(pairs.only_new, pairs.only_old), pairs.discordant, 0.5))


def tango(pairs: Paired, alpha: float = ALPHA) -> tuple[float, float]:
    """One-sided lower and upper bounds of the difference of paired rates, each at `alpha`: Tango's score interval.

    The differences d at which (b - c - n d) / sqrt(n (2 q + d (1-d))) equals the normal quantile, q being the most
    likely share of "old alone" when the difference is d (Tango, Statistics in Medicine 17, 1998). It stays within
    [-1, 1], holds for n in the tens, and is open where nothing differs: 0 of n discordant is not "no difference".
    """
    z = NormalDist().inv_cdf(1 - alpha)
    lower = _crossing(lambda d: _score(pairs, d) - z, -1.0, pairs.difference)
    upper = _crossing(lambda d: _score(pairs, d) + z, pairs.difference, 1.0)
    return lower, upper


def non_inferior(pairs: Paired, margin: float, alpha: float = ALPHA) -> bool | None:
    """Whether the new model is at most `margin` worse: True or False when shown at level `alpha`, None when open.

    True: the lower bound of the difference lies above -margin. False: the upper bound lies below it.
    """
    lower, upper = tango(pairs, alpha)
    return True if lower > -margin else False if upper < -margin else None


def difference_interval(k_new: int, n_new: int, k_old: int, n_old: int, alpha: float = ALPHA) -> tuple[float, float]:
    """One-sided bounds, each at `alpha`, of the difference of two rates that are *not* paired.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10), from the two Wilson intervals.
    Only for results without the outcomes of single cases: it is wider than the paired interval.
    """
    new, old = k_new / n_new, k_old / n_old
    (new_low, new_high), (old_low, old_high) = wilson(k_new, n_new, 2 * alpha), wilson(k_old, n_old, 2 * alpha)
    lower = new - old - math.hypot(new - new_low, old_high - old)
    upper = new - old + math.hypot(new_high - new, old - old_low)
    return lower, upper


def _score(pairs: Paired, d: float) -> float:
    """Tango's statistic for the difference d; it falls as d grows. Infinite where its variance is zero."""
    n, b, c = pairs.n, pairs.only_new, pairs.only_old
    linear = -b - c + (2 * n - b + c) * d
    root = math.sqrt(max(0.0, linear**2 + 8 * n * c * d * (1 - d)))
    share = (root - linear) / (4 * n)
    variance = n * (2 * share + d * (1 - d))
    distance = b - c - n * d
    if variance <= 1e-15 * n:
        return math.copysign(math.inf, distance) if abs(distance) > 1e-12 * n else 0.0
    return distance / math.sqrt(variance)


def _crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses zero between `low` and `high`: bisection; an end when it does not cross."""
    if function(low) <= 0:
        return low
    if function(high) >= 0:
        return high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) > 0 else (low, middle)
    return (low + high) / 2
