"""modelqa.stats against scipy, against published numbers, and against simulated models that stand at the threshold."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest
from scipy import special
from scipy import stats as reference

from modelqa import stats

COUNTS = [(0, 1), (1, 1), (0, 30), (30, 30), (1, 30), (29, 30), (80, 100), (167, 200), (3, 2000), (1997, 2000)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_clopper_pearson_bounds_equal_scipys(k, n, alpha):
    exact = reference.binomtest(k, n)
    low = exact.proportion_ci(1 - 2 * alpha, method="exact").low
    high = exact.proportion_ci(1 - 2 * alpha, method="exact").high
    assert stats.cp_lower(k, n, alpha) == pytest.approx(low, abs=1e-9)
    assert stats.cp_upper(k, n, alpha) == pytest.approx(high, abs=1e-9)


def test_a_bound_is_the_rate_at_which_the_tail_is_alpha():
    bound = stats.cp_lower(14, 20)
    assert reference.binom.sf(13, 20, bound) == pytest.approx(stats.ALPHA, abs=1e-9)


def test_nothing_and_everything_have_open_bounds():
    assert stats.cp_lower(0, 7) == 0.0
    assert stats.cp_upper(7, 7) == 1.0
    assert stats.cp_lower(7, 7) == pytest.approx(0.05 ** (1 / 7), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (0, 0)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ValueError, match="not a count"):
        stats.cp_lower(k, n)


def test_the_incomplete_beta_function_and_its_inverse_equal_scipys():
    draw = random.Random(11)
    for _ in range(400):
        a, b, x = 10 ** draw.uniform(-1, 3.7), 10 ** draw.uniform(-1, 3.7), draw.random()
        assert stats.beta_cdf(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-11)
        assert stats.beta_quantile(x, a, b) == pytest.approx(special.betaincinv(a, b, x), abs=1e-9)


@pytest.mark.parametrize("df", [1, 2, 9, 19, 39, 199, 5000])
def test_t_quantiles_equal_scipys(df):
    for alpha in (0.01, 0.05, 0.2):
        assert stats.t_quantile(alpha, df) == pytest.approx(reference.t.ppf(1 - alpha, df), abs=1e-9)


def test_wilson_gives_the_published_intervals():
    published = {(20, 20): (0.84, 1.0), (4, 5): (0.38, 0.96), (80, 100): (0.71, 0.87)}
    for (k, n), interval in published.items():
        assert stats.wilson(k, n) == pytest.approx(interval, abs=0.005)
        exact = reference.binomtest(k, n).proportion_ci(0.95, method="wilson")
        assert stats.wilson(k, n) == pytest.approx((exact.low, exact.high), abs=1e-9)


@pytest.mark.parametrize(("p0", "n"), [(0.8, 14), (0.9, 29), (0.95, 59), (0.99, 299)])
def test_clean_cases_prove_a_rate_exactly_from_the_known_number_on(p0, n):
    assert stats.all_pass_cases(p0) == n
    assert stats.cp_lower(n, n) >= p0 > stats.cp_lower(n - 1, n - 1)


def _power(n: int, p0: float, p1: float) -> float:
    """The chance of passing, from scipy alone."""
    counts = np.arange(n + 1)
    passing = counts[reference.binom.sf(counts - 1, n, p0) <= stats.ALPHA]
    return float(reference.binom.sf(passing[0] - 1, n, p1)) if passing.size else 0.0


@pytest.mark.parametrize(("p0", "p1"), [(0.8, 0.88), (0.5, 0.7), (0.75, 0.9), (0.9, 1.0), (0.95, 0.99)])
def test_the_cases_needed_are_the_fewest_that_reach_the_power(p0, p1):
    needed = stats.cases_needed(p0, p1)
    powers = [_power(n, p0, p1) for n in range(1, needed + 1)]
    assert powers[-1] >= stats.POWER > max(powers[:-1])


def test_more_cases_are_needed_the_closer_the_rates():
    assert 150 < stats.cases_needed(0.80, 0.88) < 250
    assert 1000 < stats.cases_needed(0.80, 0.83, power=0.8) < 1100
    assert stats.cases_needed(0.80, 0.83) > stats.cases_needed(0.80, 0.84)


def test_a_rate_that_is_not_above_its_threshold_is_refused():
    with pytest.raises(ValueError, match="not above"):
        stats.cases_needed(0.8, 0.8)
    with pytest.raises(ValueError, match="too close"):
        stats.cases_needed(0.8, 0.8001)


def test_what_would_settle_a_question_depends_on_the_distance_and_not_on_the_side():
    assert stats.settle(88, 100, 0.8) == stats.cases_needed(0.8, 0.88)
    assert stats.settle(12, 100, 0.2) == stats.settle(88, 100, 0.8)
    assert stats.settle(80, 100, 0.8) is None
    assert stats.settle(801, 1000, 0.8) is None


# ---- families


def test_single_case_families_change_nothing():
    groups = [(int(index % 7 != 0), 1) for index in range(60)]
    k = sum(passed for passed, _ in groups)
    assert stats.clustered_lower(groups) == pytest.approx(stats.cp_lower(k, 60), abs=1e-12)
    assert stats.clustered_upper(groups) == pytest.approx(stats.cp_upper(k, 60), abs=1e-12)


def test_families_that_disagree_widen_the_bounds_and_families_that_agree_hardly_do():
    torn = stats.clustered_lower([(10, 10)] * 16 + [(0, 10)] * 4)
    even = stats.clustered_lower([(8, 10)] * 20)
    assert torn < 0.65 < even < stats.cp_lower(160, 200)
    assert stats.clustered_upper([(10, 10)] * 16 + [(0, 10)] * 4) > stats.cp_upper(160, 200)


def test_wholly_torn_families_count_as_one_case_each():
    groups = [(10, 10)] * 15 + [(0, 10)] * 5
    assert stats.clustered_lower(groups) == pytest.approx(stats.cp_lower(15, 20), abs=0.02)


def test_one_family_proves_nothing():
    assert stats.clustered_lower([(200, 200)]) == 0.0
    assert stats.clustered_upper([(0, 200)]) == 1.0
    assert stats.clustered_lower([]) == 0.0


def test_all_right_is_never_worse_than_all_but_one_right():
    for count in (2, 5, 20):
        for size in (1, 3, 10):
            clean = [(size, size)] * count
            assert stats.clustered_lower(clean) >= stats.clustered_lower([*clean[:-1], (size - 1, size)])
            assert stats.clustered_lower(clean) <= stats.cp_lower(count * size, count * size)


def test_the_upper_bound_mirrors_the_lower_one():
    groups = [(3, 10), (9, 10), (7, 12), (2, 4)]
    mirrored = [(n - k, n) for k, n in groups]
    assert stats.clustered_upper(groups) == pytest.approx(1 - stats.clustered_lower(mirrored), abs=1e-12)


REPEATS = 3000
NOISE = 3 * (0.05 * 0.95 / REPEATS) ** 0.5  # three standard errors of a 5% share


def _false_passes(count: int, icc: float, p0: float) -> tuple[float, float]:
    """(share by the naive rule, share by both bounds) of models exactly at the threshold that pass, 200 cases each."""
    draw = np.random.default_rng(int(1000 * icc) + count)
    size, total = 200 // count, 200
    strength = 1 / icc - 1 if icc else 0
    rates = draw.beta(p0 * strength, (1 - p0) * strength, (REPEATS, count)) if icc else np.full((REPEATS, count), p0)
    passed = draw.binomial(size, rates)
    least = next(k for k in range(total + 1) if stats.cp_lower(k, total) >= p0)
    naive = passed[passed.sum(axis=1) >= least]
    both = sum(stats.clustered_lower([(int(k), size) for k in row]) >= p0 for row in naive)
    return len(naive) / REPEATS, both / REPEATS


@pytest.mark.simulation
@pytest.mark.parametrize("p0", [0.5, 0.8])
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("count", [20, 40])
def test_a_model_at_the_threshold_rarely_passes_with_twenty_families(count, icc, p0):
    naive, both = _false_passes(count, icc, p0)
    print(f"{count} families, correlation {icc}, threshold {p0}: naive {naive:.1%}, with families {both:.1%}")
    assert both <= 0.05 + NOISE
    assert both <= naive


@pytest.mark.simulation
@pytest.mark.parametrize("p0", [0.5, 0.8])
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("count", [4, 10])
def test_with_few_families_the_naive_rule_fails_and_the_clustered_one_holds(count, icc, p0):
    naive, both = _false_passes(count, icc, p0)
    print(f"{count} families, correlation {icc}, threshold {p0}: naive {naive:.1%}, with families {both:.1%}")
    assert both <= 0.05 + NOISE
    if icc == 0.3:
        assert naive > 0.2


def test_few_families_are_judged_at_a_smaller_error_rate():
    groups = [(19, 20), (17, 20), (20, 20), (12, 20)] * 2
    k, n, count, alpha = 136, 160, 8, 0.05 * 8 / 20
    variance = count / (count - 1) * sum((got - size * k / n) ** 2 for got, size in groups) / n**2
    effective = n / (variance / (k / n * (1 - k / n) / (n - 1)))
    effective *= (reference.t.isf(alpha, n - 1) / reference.t.isf(alpha, count - 1)) ** 2
    passed = k * effective / n
    assert stats.clustered_lower(groups) == pytest.approx(reference.beta.ppf(alpha, passed, effective - passed + 1))


def test_importing_stats_imports_nothing_heavy():
    code = "import sys, modelqa.stats; print([m for m in ('numpy', 'scipy', 'torch', 'pandas') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
