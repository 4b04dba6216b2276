"""Stopping early: what curtailment and alpha spending cost, and what they save. Rates are printed, from simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as reference

from modelqa import stats
from modelqa.stats import Schedule

LOOKS = Schedule((25, 50, 100, 200), power=0.5)
BOTH_SIDES = Schedule((25, 50, 100, 200), passes=True)
REPEATS = 2000
NOISE = 3 * math.sqrt(0.05 * 0.95 / REPEATS)


def test_the_looks_share_one_alpha():
    for schedule in (LOOKS, BOTH_SIDES, Schedule((7, 9, 200), power=3)):
        assert math.fsum(schedule.spent(look) for look in range(len(schedule.looks))) == pytest.approx(0.05)
    assert BOTH_SIDES.spent(0) == pytest.approx(0.05 * 25 / 200)


@pytest.mark.parametrize("looks", [(), (0, 5), (5, 5), (10, 4)])
def test_looks_that_do_not_rise_are_refused(looks):
    with pytest.raises(ValueError, match="looks must rise"):
        Schedule(looks)


def test_a_look_that_was_not_declared_is_refused():
    with pytest.raises(ValueError, match="look 1 has 30 cases"):
        stats.decide([(3, 30)], LOOKS, 0.8)


def test_curtailment_never_contradicts_the_fixed_verdict():
    n, p0 = 120, 0.8
    draw = np.random.default_rng(1)
    stopped = []
    for rate in (0.2, 0.6, 0.7, 0.75, 0.8, 0.9):
        for row in draw.random((200, n)) < rate:
            running = np.cumsum(row)
            at = next((seen for seen in range(1, n + 1) if stats.curtailed(int(running[seen - 1]), seen, n, p0)), None)
            assert (at is not None) == (stats.cp_upper(int(running[-1]), n) < p0)
            stopped += [at] if at else []
    assert min(stopped) < n / 2


def test_curtailment_stops_at_the_first_case_that_settles_it():
    n, p0 = 200, 0.8
    most = next(k for k in range(n, -1, -1) if stats.cp_upper(k, n) < p0)
    failures = n - most
    assert stats.curtailed(0, failures, n, p0)
    assert not stats.curtailed(0, failures - 1, n, p0)
    with pytest.raises(ValueError, match="not a count on the way"):
        stats.curtailed(5, 4, n, p0)


def _families(draw: np.random.Generator, rate: float, icc: float, count: int = 40) -> np.ndarray:
    """(REPEATS, 200) outcomes of 40 families dealt in turn, with the given intra-class correlation."""
    strength = 1 / icc - 1 if icc else 0.0
    rates = (
        draw.beta(rate * strength, (1 - rate) * strength, (REPEATS, count)) if icc else np.full((REPEATS, count), rate)
    )
    return draw.random((REPEATS, 200)) < rates[:, np.arange(200) % count]


def _groups(row: np.ndarray, seen: int, count: int = 40) -> list[tuple[int, int]]:
    return [(int(row[family:seen:count].sum()), len(row[family:seen:count])) for family in range(count)]


def _fixed(row: np.ndarray, p0: float) -> str | None:
    k = int(row.sum())
    groups = _groups(row, 200)
    if stats.cp_lower(k, 200) >= p0 and stats.clustered_lower(groups) >= p0:
        return "PASS"
    return "FAIL" if stats.cp_upper(k, 200) < p0 and stats.clustered_upper(groups) < p0 else None


def _sequential(row: np.ndarray, schedule: Schedule, p0: float) -> tuple[str | None, int]:
    """(decision, cases asked)."""
    looks: list[list[tuple[int, int]]] = []
    for seen in schedule.looks:
        looks.append(_groups(row, seen))
        decision = stats.decide_clustered(looks, schedule, p0)
        if decision:
            return decision, seen
    return None, schedule.looks[-1]


@pytest.mark.simulation
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.3])
def test_gates_at_nominal_five_percent_err_at_most_so_often(icc):
    """A model exactly at the threshold: PASS and FAIL are both wrong."""
    rows = _families(np.random.default_rng(17), 0.8, icc)
    k = rows.sum(axis=1)
    naive_pass = np.mean([stats.cp_lower(int(each), 200) >= 0.8 for each in k])
    naive_fail = np.mean([stats.cp_upper(int(each), 200) < 0.8 for each in k])
    rates = {"one look, cases taken as independent": (naive_pass, naive_fail)}
    fixed = [_fixed(row, 0.8) for row in rows]
    rates["one look, with families"] = (fixed.count("PASS") / REPEATS, fixed.count("FAIL") / REPEATS)
    for name, schedule in (("4 looks, early FAIL", LOOKS), ("4 looks, early PASS and FAIL", BOTH_SIDES)):
        found = [_sequential(row, schedule, 0.8)[0] for row in rows]
        rates[name] = (found.count("PASS") / REPEATS, found.count("FAIL") / REPEATS)
    for name, (passed, failed) in rates.items():
        print(f"correlation {icc}  {name:<36} false PASS {passed:.1%}  false FAIL {failed:.1%}")
    for name, both in rates.items():
        if "independent" not in name:
            assert max(both) <= 0.05 + NOISE, name
    if icc == 0.3:
        assert naive_pass > 0.1  # what taking the cases as independent would do


@pytest.mark.simulation
def test_a_clear_failure_is_seen_early_and_a_healthy_model_passes_as_often_as_without_looking():
    draw = np.random.default_rng(23)
    for rate in (0.0, 0.3, 0.5, 0.6):
        rows = _families(draw, rate, 0.1 if rate else 0.0)[:300]
        asked = float(np.mean([_sequential(row, LOOKS, 0.8)[1] for row in rows]))
        print(f"true rate {rate:.0%} against 80%: {asked:.0f} of 200 cases asked, {1 - asked / 200:.0%} saved")
        assert asked < (30 if rate <= 0.3 else 110)
    healthy = _families(draw, 0.93, 0.1)[:500]
    fixed = sum(_fixed(row, 0.8) == "PASS" for row in healthy)
    early = sum(_sequential(row, LOOKS, 0.8)[0] == "PASS" for row in healthy)
    assert early >= 0.99 * fixed > 400


@pytest.mark.simulation
def test_looking_at_a_fixed_bound_again_and_again_is_no_test():
    rows = np.random.default_rng(2).random((REPEATS, 200)) < 0.8
    looks = range(10, 201, 10)
    least = {n: next(k for k in range(n + 2) if k > n or stats.cp_lower(k, n) >= 0.8) for n in looks}
    counts = np.cumsum(rows, axis=1)
    fooled = np.mean([any(row[n - 1] >= least[n] for n in looks) for row in counts])
    schedule = Schedule(tuple(looks), passes=True)
    spent = {n: next((k for k in range(n + 1) if stats.cp_lower(k, n, schedule.spent(i)) >= 0.8), n + 1)
             for i, n in enumerate(looks)}  # fmt: skip
    held = np.mean([any(row[n - 1] >= spent[n] for n in looks) for row in counts])
    print(f"20 looks: at the fixed bound {fooled:.1%} false PASS, with alpha spent {held:.1%}")
    assert fooled > 0.12
    assert held <= 0.05 + NOISE


# ---- planning


def test_what_a_gate_can_see_is_what_it_was_planned_for():
    n = stats.cases_needed(0.8, 0.88)
    assert stats.visible_rate(n, 0.8) == pytest.approx(0.88, abs=0.003)
    assert stats.visible_rate(n, 0.8) <= 0.88
    assert stats.visible_rate(5, 0.8) is None  # 5 of 5 does not prove 80%


@pytest.mark.parametrize("n", [40, 200, 1000])
def test_a_visible_rate_passes_with_the_declared_power(n):
    rate = stats.visible_rate(n, 0.8)
    least = next(k for k in range(n + 1) if stats.cp_lower(k, n) >= 0.8)
    assert reference.binom.sf(least - 1, n, rate) == pytest.approx(stats.POWER, abs=1e-9)


@pytest.mark.parametrize(("delta", "published"), [(0.05, 620), (0.10, 149), (0.02, 3917)])
def test_paired_sample_sizes_are_the_published_ones(delta, published):
    """Two-sided 5%, power 80%, a fifth of the cases discordant."""
    needed = stats.paired_cases_needed(delta, 0.2, power=0.8, alpha=0.025)
    assert needed == pytest.approx(published, abs=1.5)
    assert stats.visible_difference(needed, 0.2, power=0.8, alpha=0.025) == pytest.approx(delta, abs=1e-3)


def test_a_difference_cannot_exceed_the_cases_that_differ():
    with pytest.raises(ValueError, match="share of cases that differ"):
        stats.paired_cases_needed(0.3, 0.2)
    assert stats.visible_difference(3, 0.2) == 0.2


def test_few_families_are_warned_of():
    assert "only 10 families" in stats.few_families(10)
    assert stats.few_families(stats.FEW_FAMILIES) == ""


@pytest.mark.parametrize(("k", "n", "p"), [(0, 10, 0.3), (4, 10, 0.3), (10, 10, 0.3), (11, 10, 0.3), (150, 200, 0.8)])
def test_tails_are_scipys(k, n, p):
    assert stats.binomial_tail(k, n, p) == pytest.approx(reference.binom.sf(k - 1, n, p), abs=1e-12)
