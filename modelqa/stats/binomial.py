"""Bounds of a rate after k of n: exact (Clopper-Pearson) for verdicts, Wilson's for display."""

from __future__ import annotations

import math
from statistics import NormalDist

from modelqa.stats.beta import beta_cdf, beta_quantile

ALPHA = 0.05  # one-sided error of a bound: a verdict that claims something is wrong at most one time in twenty


def cp_lower(k: int, n: int, alpha: float = ALPHA) -> float:
    """The one-sided lower bound of a rate after k of n: the largest rate that P(X >= k) <= alpha still rules out.

    Clopper and Pearson (1934): the alpha quantile of Beta(k, n-k+1); 0.0 for k = 0.
    """
    check_counts(k, n)
    return cp_lower_of(float(k), float(n), alpha)


def cp_upper(k: int, n: int, alpha: float = ALPHA) -> float:
    """The one-sided upper bound of a rate after k of n, the mirror image of `cp_lower`; 1.0 for k = n."""
    return 1.0 - cp_lower(n - k, n, alpha)


def wilson(k: int, n: int, alpha: float = ALPHA) -> tuple[float, float]:
    """The two-sided score interval of a rate (Wilson, 1927), for display; verdicts use the exact bounds."""
    check_counts(k, n)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    rate, weight = k / n, z * z / n
    middle = rate + weight / 2
    half = z * math.sqrt(rate * (1 - rate) / n + weight / (4 * n))
    return max(0.0, (middle - half) / (1 + weight)), min(1.0, (middle + half) / (1 + weight))


def binomial_pmf(k: int, n: int, p: float) -> float:
    """P(X = k) for a binomial X of n draws."""
    if p >= 1.0 or k > n:
        return float(k == n)
    log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log_choose + k * math.log(p) + (n - k) * math.log1p(-p))


def binomial_tail(k: int, n: int, p: float) -> float:
    """P(X >= k) for a binomial X of n draws: the incomplete beta function I_p(k, n-k+1) (NIST DLMF 8.17.5)."""
    return 1.0 if k <= 0 else 0.0 if k > n else beta_cdf(p, k, n - k + 1)


def check_counts(k: int, n: int) -> None:
    """`ValueError` unless k of n is a count of successes among at least one case."""
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"not a count of successes: {k} of {n}")


def check_rate(p0: float) -> None:
    """`ValueError` unless a threshold lies strictly between 0 and 1."""
    if not 0 < p0 < 1:
        raise ValueError(f"a threshold lies between 0 and 1: {p0}")


def cp_lower_of(k: float, n: float, alpha: float) -> float:
    """`cp_lower` without the check, for counts that need not be whole: effective sample sizes."""
    return 0.0 if k <= 0 else beta_quantile(alpha, k, n - k + 1)
