"""What knowing nothing scores, and what a line through few points can say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as reference

from modelqa import stats


def test_chance_is_the_mean_over_items_whose_options_differ_in_number():
    assert stats.chance_level([4, 4, 4, 4]) == 0.25
    assert stats.chance_level([2, 4, 10]) == pytest.approx((0.5 + 0.25 + 0.1) / 3)
    for wrong in ([], [4, 0]):
        with pytest.raises(ValueError, match="at least one option"):
            stats.chance_level(wrong)


def test_always_saying_the_commonest_label_is_the_policy_to_beat():
    assert stats.best_constant(["A", "B", "B", "C"]) == ("B", 0.5)
    assert stats.best_constant(["b", "a"]) == ("a", 0.5)
    with pytest.raises(ValueError, match="right answers"):
        stats.best_constant([])


def test_label_entropy_is_scipys():
    labels = list("AAAABBCD")
    assert stats.label_entropy(labels) == pytest.approx(reference.entropy([4, 2, 1, 1], base=2))
    assert stats.label_entropy(["A"] * 9) == 0.0
    assert stats.label_entropy(list("ABCD")) == pytest.approx(2.0)


def test_a_centred_score_is_zero_at_chance_and_negative_below():
    assert stats.centred(0.25, 0.25) == 0.0
    assert stats.centred(1.0, 0.25) == 1.0
    assert stats.centred(0.19, 0.25) == pytest.approx(-0.08)
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.centred(0.5, 1.0)


POINTS = [(0.0, 1.1), (1.0, 1.9), (2.0, 3.2), (4.0, 4.8), (5.0, 6.3), (7.0, 7.9)]


def test_a_line_is_scipys_least_squares_line():
    line = stats.fit_line(POINTS)
    fitted = reference.linregress(*zip(*POINTS, strict=True))
    assert (line.slope, line.intercept) == pytest.approx((fitted.slope, fitted.intercept))
    assert line.df == 4


def test_two_points_have_a_line_and_no_interval():
    line = stats.fit_line([(0.0, -6.35), (2.0, -4.91)])
    assert line.at(3.0) == pytest.approx(-4.19)
    with pytest.raises(ValueError, match="no degree of freedom"):
        stats.prediction_interval(line, 3.0)
    with pytest.raises(ValueError, match="two different x"):
        stats.fit_line([(1.0, 2.0), (1.0, 3.0)])


@pytest.mark.simulation
def test_a_prediction_interval_holds_the_next_point_as_often_as_it_says():
    draw = np.random.default_rng(4)
    missed, repeats = 0, 4000
    for _ in range(repeats):
        y = 2 - 0.7 * np.arange(7) + draw.normal(0, 1, 7)
        line = stats.fit_line([(float(x), float(value)) for x, value in enumerate(y[:6])])
        lower, upper = stats.prediction_interval(line, 6.0, alpha=0.05)
        missed += not lower <= y[6] <= upper
    print(f"points outside a 90% prediction interval: {missed / repeats:.1%}")
    assert missed / repeats == pytest.approx(0.10, abs=3 * (0.1 * 0.9 / repeats) ** 0.5)
