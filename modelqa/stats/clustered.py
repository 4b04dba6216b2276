"""Bounds of a rate whose cases come in families: cases of one template are not independent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from modelqa.stats.beta import t_quantile
from modelqa.stats.binomial import ALPHA, check_counts, cp_lower_of

FEW_FAMILIES = 20  # below so many the spread between them is known too badly: alpha shrinks (see `clustered_lower`)


def clustered_lower(groups: Sequence[tuple[int, int]], alpha: float = ALPHA) -> float:
    """The one-sided lower bound of a rate whose cases come in families; `groups` holds (k, n) of each family.

    Korn and Graubard (Survey Methodology 24, 1998): the Clopper-Pearson bound at the effective sample size
    n / deff * (t_{n-1} / t_{C-1})^2 for C families. deff is the variance of the rate as a ratio estimator, with
    C/(C-1), over p(1-p)/(n-1). It is taken as 1 at least, so that the effective size never exceeds n, and as 1 when
    all cases agree: such families show no disagreement to measure, and a bound for n of n must not fall below that
    for n-1 of n; the t factor stays. With one case to each of many families the bound is `cp_lower`; with one family it
    is 0.0.

    All this holds for many families: at alpha itself 3 to 15 of them let 6 to 10% pass. Below `FEW_FAMILIES` the bound
    is therefore taken at alpha * C / FEW_FAMILIES.

    Simulated with beta-binomial families of equal size, 200 or 400 cases: a model exactly at the threshold passes in
    at most 5% (+0.5 for noise) up to a threshold of 0.8, with 3 to 40 families, at any intra-class correlation up to
    0.3. Near 1 families show the rare bad one too seldom: with 20 of them at a correlation of 0.3 8% at a threshold of
    0.9 and 12% at 0.95 (without the bound: 27% and 28%). At a correlation of 0.1: 6% and 8%.
    """
    filled = [(k, n) for k, n in groups if n]
    alpha *= min(1.0, len(filled) / FEW_FAMILIES)
    k, n, effective = _effective(filled, alpha)
    return 0.0 if effective == 0.0 else cp_lower_of(k * effective / n, effective, alpha)


def clustered_upper(groups: Sequence[tuple[int, int]], alpha: float = ALPHA) -> float:
    """The one-sided upper bound of a rate whose cases come in families: the mirror image of `clustered_lower`."""
    return 1.0 - clustered_lower([(n - k, n) for k, n in groups], alpha)


def few_families(count: int) -> str:
    """What to know of a bound that rests on fewer than `FEW_FAMILIES` families; "" otherwise."""
    if count >= FEW_FAMILIES:
        return ""
    return f"only {count} families: the spread between them is poorly known, so the bound is stricter than with more"


def _effective(filled: Sequence[tuple[int, int]], alpha: float) -> tuple[int, int, float]:
    """(successes, cases, effective number of cases) of families that hold cases; the last is 0.0 when nothing can be
    said.
    """
    for k, n in filled:
        check_counts(k, n)
    k, n, count = sum(k for k, _ in filled), sum(n for _, n in filled), len(filled)
    if count < 2:
        return k, n, 0.0
    spread = sum((k_c - n_c * k / n) ** 2 for k_c, n_c in filled)
    variance = count / (count - 1) * spread / n**2
    simple = (k / n) * (1 - k / n) / (n - 1)
    design_effect = max(1.0, variance / simple) if 0 < k < n else 1.0
    fewer_degrees = (t_quantile(alpha, n - 1) / t_quantile(alpha, count - 1)) ** 2
    return k, n, n / design_effect * fewer_degrees


def clustered_mean(clusters: Sequence[Sequence[float]], alpha: float = ALPHA) -> tuple[float, float]:
    """One-sided lower and upper bounds, each at `alpha`, of the mean of values that come in clusters.

    mean -+ t_{C-1} * sqrt(C/(C-1) * sum over clusters of (sum of (x - mean))^2) / n: the cluster-robust standard error
    (Liang and Zeger, Biometrika 73, 1986; for evaluations Miller, arXiv 2411.00640) with the small-sample factor and t.
    For paired outcomes the values are -1, 0 and 1. Values that agree within and across clusters leave no width: take
    the wider of this and an interval for independent cases. One cluster says nothing: both bounds are infinite.
    """
    filled = [cluster for cluster in clusters if cluster]
    if not filled:
        raise ValueError("a mean needs values")
    n, count = sum(map(len, filled)), len(filled)
    mean = math.fsum(value for cluster in filled for value in cluster) / n
    if count == 1:
        return -math.inf, math.inf
    spread = math.fsum(math.fsum(value - mean for value in cluster) ** 2 for cluster in filled)
    half = t_quantile(alpha, count - 1) * math.sqrt(count / (count - 1) * spread) / n
    return mean - half, mean + half
