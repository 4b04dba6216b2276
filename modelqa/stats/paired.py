"""Two models on the same cases: what each got right alone, and what may be said of the difference.

The difference is always new minus old: below zero means that something was lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from modelqa.stats.beta import t_quantile
from modelqa.stats.binomial import ALPHA, binomial_tail, wilson

MANY_FAMILIES = 120  # below so many a rare bad one is often missed: alpha shrinks (see `clustered_tango`)


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
    return _tango(pairs.only_new, pairs.only_old, pairs.n, alpha)


def clustered_tango(clusters: Sequence[Sequence[int]], alpha: float = ALPHA) -> tuple[float, float]:
    """`tango` for cases that come in families; each case is 1 (only new right), -1 (only old right) or 0.

    Tango's interval at the effective sample size n / deff * (t_{n-1} / t_{C-1})^2 for C families, as `clustered_lower`
    does for one rate (Korn and Graubard, Survey Methodology 24, 1998). deff is the cluster-robust variance of the mean
    difference, with C/(C-1), over its simple variance, and at least 1. With one family nothing is known: -1 to 1.

    Losses are rare, so that few families may miss the bad one: at alpha itself 40 families let 6 to 9% pass and 20 of
    them 17 to 23%. Below `MANY_FAMILIES` the interval is therefore taken at alpha * C / MANY_FAMILIES, unless each
    family has one case alone.

    Simulated with 200 cases of which 10% are lost, a model that lost exactly the margin is called no worse in 5.8% when
    cases are independent (a score interval errs so much); where in 20%, 30% and 50% of 40 families all cases fall
    alike, in 3.3%, 4.5% and 5.7% (Tango alone: 11.5%, 13.5%, 19.5%); of 20 families in 2.7% at 30% and 7.1% at 50%.
    """
    filled = [cluster for cluster in clusters if cluster]
    n, count = sum(map(len, filled)), len(filled)
    if n == 0:
        raise ValueError("no cases")
    if count < 2:
        return -1.0, 1.0
    values = [value for cluster in filled for value in cluster]
    mean = sum(values) / n
    simple = sum((value - mean) ** 2 for value in values) / (n - 1) * n
    robust = count / (count - 1) * sum((sum(cluster) - len(cluster) * mean) ** 2 for cluster in filled)
    design_effect = max(1.0, robust / simple) if simple > 0 else 1.0
    alpha *= min(1.0, count / MANY_FAMILIES) if count < n else 1.0
    share = (t_quantile(alpha, n - 1) / t_quantile(alpha, count - 1)) ** 2 / design_effect
    return _tango(values.count(1) * share, values.count(-1) * share, n * share, alpha)


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


def _tango(b: float, c: float, n: float, alpha: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1 - alpha)
    lower = _crossing(lambda d: _score(b, c, n, d) - z, -1.0, (b - c) / n)
    upper = _crossing(lambda d: _score(b, c, n, d) + z, (b - c) / n, 1.0)
    return lower, upper


def _score(b: float, c: float, n: float, d: float) -> float:
    """Tango's statistic for the difference d; it falls as d grows. Infinite where its variance is zero."""
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
