"""How many cases a question needs, and what a given number of cases can show."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from modelqa.stats.beta import beta_quantile
from modelqa.stats.binomial import ALPHA, binomial_pmf, binomial_tail, check_counts, check_rate

POWER = 0.9  # chance that a model as good as declared passes; the tenth run is INCONCLUSIVE
TOO_CLOSE = 20_000  # cases beyond which nobody settles a question by asking more
MOST_CASES = 200_000  # the largest sample size that is searched for


def all_pass_cases(p0: float, alpha: float = ALPHA) -> int:
    """How many cases without one failure prove a rate of `p0`: the smallest n with p0^n <= alpha."""
    check_rate(p0)
    return max(1, math.ceil(math.log(alpha) / math.log(p0) - 1e-12))


@lru_cache(maxsize=256)
def cases_needed(p0: float, p1: float, *, power: float = POWER, alpha: float = ALPHA) -> int:
    """The smallest n at which a model of true rate `p1` passes the threshold `p0` with probability `power`.

    Passing is `cp_lower(k, n, alpha) >= p0`; the probability is the exact binomial one. Families that disagree need
    more. `ValueError` when p1 is not above p0, or when more than `MOST_CASES` would be needed.
    """
    check_rate(p0)
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
    check_counts(k, n)
    check_rate(p0)
    rate = k / n
    if rate == p0:
        return None
    low, high = (p0, rate) if rate > p0 else (1 - p0, 1 - rate)
    return _smallest_sample(low, high, power, alpha, TOO_CLOSE)


def visible_rate(n: int, p0: float, *, power: float = POWER, alpha: float = ALPHA) -> float | None:
    """The smallest true rate that n cases show to be at or above `p0` with probability `power`: what a gate can see.

    It solves P(X >= k | rate) = power for the least count k that passes at n: the quantile `power` of
    Beta(k, n-k+1). None when not even n of n would pass.
    """
    check_rate(p0)
    k = next((k for k in range(n + 1) if binomial_tail(k, n, p0) <= alpha), None)
    return None if k is None else beta_quantile(power, k, n - k + 1)


def paired_cases_needed(delta: float, discordance: float, *, power: float = POWER, alpha: float = ALPHA) -> int:
    """How many cases, asked of both models, show a difference of rates `delta` at a one-sided level `alpha`.

    n = (z_alpha + z_power)^2 (discordance - delta^2) / delta^2, the variance of a paired difference of yes and no
    (Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 5). discordance: the share of cases on which the
    two differ. `ValueError` when it is smaller than the difference.
    """
    if not 0 < abs(delta) <= discordance <= 1:
        raise ValueError(f"a difference of {delta} needs at least that share of cases that differ, not {discordance}")
    return max(1, math.ceil(_z_squared(power, alpha) * (discordance - delta**2) / delta**2 - 1e-9))


def visible_difference(n: int, discordance: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """The smallest difference of rates that n paired cases show; `paired_cases_needed` solved for the difference."""
    z_squared = _z_squared(power, alpha)
    return min(discordance, math.sqrt(z_squared * discordance / (n + z_squared)))


def _z_squared(power: float, alpha: float) -> float:
    return (NormalDist().inv_cdf(1 - alpha) + NormalDist().inv_cdf(power)) ** 2


def _smallest_sample(p0: float, p1: float, power: float, alpha: float, limit: int) -> int | None:
    """The smallest n <= limit at which P(X >= k | p1) reaches `power`, k being the least count that passes at n.

    One pass over n with P(X_{n+1} >= k) = P(X_n >= k) + p P(X_n = k-1): no tail is summed twice.
    """
    k, tail0, tail1 = 1, 0.0, 0.0  # at n = 0
    for n in range(1, limit + 1):
        tail0 += p0 * binomial_pmf(k - 1, n - 1, p0)
        tail1 += p1 * binomial_pmf(k - 1, n - 1, p1)
        while tail0 > alpha and k <= n:
            tail0 -= binomial_pmf(k, n, p0)
            tail1 -= binomial_pmf(k, n, p1)
            k += 1
        if k <= n and tail1 >= power:
            return n
    return None
