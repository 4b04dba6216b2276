"""The incomplete beta function, its inverse, and quantiles of Student's t.

They stand here so that a run from the cache does not wait for scipy, against which the tests compare them.
"""

from __future__ import annotations

import math
from functools import lru_cache


@lru_cache(maxsize=1024)
def t_quantile(alpha: float, df: float) -> float:
    """The value that Student's t with `df` degrees of freedom exceeds with probability `alpha` < 0.5.

    From P(T > t) = I_x(df/2, 1/2) / 2 at x = df / (df + t^2) (Abramowitz and Stegun 26.7.1).
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5: {alpha}")
    x = beta_quantile(2 * alpha, df / 2, 0.5)
    return math.sqrt(df * (1 - x) / x)


@lru_cache(maxsize=4096)
def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x at which the distribution function of Beta(a, b) is `probability`: Newton's steps, kept in a bracket."""
    if a <= 0 or b <= 0 or not 0 <= probability <= 1:
        raise ValueError(f"no such quantile: {probability} of Beta({a}, {b})")
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(200):
        gap = beta_cdf(x, a, b) - probability
        low, high = (x, high) if gap < 0 else (low, x)
        density = math.exp(_log_beta_front(x, a, b)) / (x * (1 - x))
        following = x - gap / density if density else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 1e-16 * x or following in (0.0, 1.0):
            return following
        x = following
    return x


def _log_beta_front(x: float, a: float, b: float) -> float:
    """The logarithm of x^a (1-x)^b / B(a, b)."""
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (NIST DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror image converges fast
        return 1.0 - beta_cdf(1 - x, b, a)
    return math.exp(_log_beta_front(x, a, b)) / a * _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """1/(1 + d1/(1 + d2/(1 + ...))) by Lentz's method (as modified by Thompson and Barnett, 1986)."""
    tiny = 1e-300  # stands for a zero divisor
    value, numerator, denominator = 1.0, 1.0 / tiny, 1.0
    for step in range(1, 20_000):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        denominator = 1 / ((1 + term * denominator) or tiny)
        numerator = (1 + term / numerator) or tiny
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < 1e-16:
            break
    return value
