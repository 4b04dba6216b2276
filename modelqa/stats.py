"""Exact intervals and sample sizes for "k of n said yes": pure functions, each with the source of its formula.

Nothing heavy is imported: the incomplete beta function and its inverse stand here, so that a run from the cache does
not wait for scipy (against which the tests compare them).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

ALPHA = 0.05  # one-sided error of a bound: a verdict that claims something is wrong at most one time in twenty
POWER = 0.9  # chance that a model as good as declared passes; the tenth run is INCONCLUSIVE
TOO_CLOSE = 20_000  # cases beyond which nobody settles a question by asking more
MOST_CASES = 200_000  # the largest sample size that is searched for


def cp_lower(k: int, n: int, alpha: float = ALPHA) -> float:
    """The one-sided lower bound of a rate after k of n: the largest rate that P(X >= k) <= alpha still rules out.

    Clopper and Pearson (1934): the alpha quantile of Beta(k, n-k+1); 0.0 for k = 0.
    """
    _check_counts(k, n)
    return _lower(float(k), float(n), alpha)


def cp_upper(k: int, n: int, alpha: float = ALPHA) -> float:
    """The one-sided upper bound of a rate after k of n, the mirror image of `cp_lower`; 1.0 for k = n."""
    return 1.0 - cp_lower(n - k, n, alpha)


def wilson(k: int, n: int, alpha: float = ALPHA) -> tuple[float, float]:
    """The two-sided score interval of a rate (Wilson, 1927), for display; verdicts use the exact bounds."""
    _check_counts(k, n)
    z = NormalDist().inv_cdf(1 - alpha / 2)
    rate, weight = k / n, z * z / n
    middle = rate + weight / 2
    half = z * math.sqrt(rate * (1 - rate) / n + weight / (4 * n))
    return max(0.0, (middle - half) / (1 + weight)), min(1.0, (middle + half) / (1 + weight))


def clustered_lower(groups: Sequence[tuple[int, int]], alpha: float = ALPHA) -> float:
    """The one-sided lower bound of a rate whose cases come in families; `groups` holds (k, n) of each family.

    Korn and Graubard (Survey Methodology 24, 1998): the Clopper-Pearson bound at the effective sample size
    n / deff * (t_{n-1} / t_{C-1})^2 for C families. deff is the variance of the rate as a ratio estimator, with
    C/(C-1), over p(1-p)/(n-1). It is taken as 1 at least, so that the effective size never exceeds n, and as 1 when
    all cases agree: such families show no disagreement to measure, and a bound for n of n must not fall below that
    for n-1 of n; the t factor stays. With one case to a family the bound is `cp_lower`; with one family it is 0.0.

    Simulated with beta-binomial families of equal size, 200 or 400 cases: a model exactly at the threshold passes in
    at most 5% (+0.5 for noise) up to a threshold of 0.8 with 20 families or more, at any intra-class correlation up
    to 0.3; in 6.5% with 10 families at 0.8 and 0.3. Near 1 few families show the rare bad one: at 0.3 and 20 families
    8% at a threshold of 0.9 and 12% at 0.95 (without the bound: 27% and 28%). At a correlation of 0.1: 6% and 8%.
    """
    k, n, effective = _effective(groups, alpha)
    return 0.0 if effective == 0.0 else _lower(k * effective / n, effective, alpha)


def clustered_upper(groups: Sequence[tuple[int, int]], alpha: float = ALPHA) -> float:
    """The one-sided upper bound of a rate whose cases come in families: the mirror image of `clustered_lower`."""
    return 1.0 - clustered_lower([(n - k, n) for k, n in groups], alpha)


def all_pass_cases(p0: float, alpha: float = ALPHA) -> int:
    """How many cases without one failure prove a rate of `p0`: the smallest n with p0^n <= alpha."""
    _check_rate(p0)
    return max(1, math.ceil(math.log(alpha) / math.log(p0) - 1e-12))


@lru_cache(maxsize=256)
def cases_needed(p0: float, p1: float, *, power: float = POWER, alpha: float = ALPHA) -> int:
    """The smallest n at which a model of true rate `p1` passes the threshold `p0` with probability `power`.

    Passing is `cp_lower(k, n, alpha) >= p0`; the probability is the exact binomial one. Families that disagree need
    more. `ValueError` when p1 is not above p0, or when more than `MOST_CASES` would be needed.
    """
    _check_rate(p0)
    if not p0 < p1 <= 1:
        raise ValueError(f"a rate that passes must lie above the threshold: {p1} is not above {p0}")
    found = _smallest_sample(p0, p1, power, alpha, MOST_CASES)
    if found is None:
        raise ValueError(f"{p1} is too close to {p0}: more than {MOST_CASES} cases")
    return found


def settle(k: int, n: int, p0: float, *, power: float = POWER, alpha: float = ALPHA) -> int | None:
    """How many cases would settle, at the observed rate k/n, on which side of `p0` a model is.

    They suffice with probability `power`. None when the rate is so close that more than `TOO_CLOSE` are needed.
    """
    _check_counts(k, n)
    _check_rate(p0)
    rate = k / n
    if rate == p0:
        return None
    low, high = (p0, rate) if rate > p0 else (1 - p0, 1 - rate)
    return _smallest_sample(low, high, power, alpha, TOO_CLOSE)


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


def _check_counts(k: int, n: int) -> None:
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"not a count of successes: {k} of {n}")


def _check_rate(p0: float) -> None:
    if not 0 < p0 < 1:
        raise ValueError(f"a threshold lies between 0 and 1: {p0}")


def _lower(k: float, n: float, alpha: float) -> float:
    return 0.0 if k <= 0 else beta_quantile(alpha, k, n - k + 1)


def _effective(groups: Sequence[tuple[int, int]], alpha: float) -> tuple[int, int, float]:
    """(successes, cases, effective number of cases) of all families; the last is 0.0 when nothing can be said."""
    filled = [(k, n) for k, n in groups if n]
    for k, n in filled:
        _check_counts(k, n)
    k, n, count = sum(k for k, _ in filled), sum(n for _, n in filled), len(filled)
    if count < 2:
        return k, n, 0.0
    spread = sum((k_c - n_c * k / n) ** 2 for k_c, n_c in filled)
    variance = count / (count - 1) * spread / n**2
    simple = (k / n) * (1 - k / n) / (n - 1)
    design_effect = max(1.0, variance / simple) if 0 < k < n else 1.0
    fewer_degrees = (t_quantile(alpha, n - 1) / t_quantile(alpha, count - 1)) ** 2
    return k, n, n / design_effect * fewer_degrees


def _smallest_sample(p0: float, p1: float, power: float, alpha: float, limit: int) -> int | None:
    """The smallest n <= limit at which P(X >= k | p1) reaches `power`, k being the least count that passes at n.

    One pass over n with P(X_{n+1} >= k) = P(X_n >= k) + p P(X_n = k-1): no tail is summed twice.
    """
    k, tail0, tail1 = 1, 0.0, 0.0  # at n = 0
    for n in range(1, limit + 1):
        tail0 += p0 * _pmf(k - 1, n - 1, p0)
        tail1 += p1 * _pmf(k - 1, n - 1, p1)
        while tail0 > alpha and k <= n:
            tail0 -= _pmf(k, n, p0)
            tail1 -= _pmf(k, n, p1)
            k += 1
        if k <= n and tail1 >= power:
            return n
    return None


def _pmf(k: int, n: int, p: float) -> float:
    """P(X = k) for a binomial X of n draws."""
    if p >= 1.0 or k > n:
        return float(k == n)
    log_choose = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(log_choose + k * math.log(p) + (n - k) * math.log1p(-p))
