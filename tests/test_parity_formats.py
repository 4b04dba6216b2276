"""Which format was a model trained in? What the comparison of formats says, and when it says nothing."""

from __future__ import annotations

from typing import Any

from modelqa import parity

GUESS = 38.0  # nats of five tokens among two thousand


def fit(*, own: float, other: float, error: float = 0.1, likelier: int = 100) -> dict[str, dict[str, Any]]:
    row = {"likelier": likelier, "of": 200, "own": own, "other": other, "error": error, "guess": GUESS}
    return {"plain_concat": row}


def test_answers_that_are_known_better_in_another_format_name_it() -> None:
    [problem] = parity.template_problems(fit(own=1.5, other=0.7))
    assert (problem.code, problem.locus) == ("parity.template", "plain_concat")


def test_answers_that_are_known_better_under_the_own_template_are_no_problem() -> None:
    found = fit(own=0.7, other=1.5)
    assert parity.template_problems(found) == [] and parity.unproven_formats(found) == []


def test_a_model_that_knows_the_answers_in_no_format_is_not_accused_of_the_least_bad_one_and_not_cleared() -> None:
    """Measured: a model that answers Yes. to everything needs 119 nats, and 111 as a raw prompt."""
    for own, other in ((119.0, 111.0), (28.3, 23.6)):
        found = fit(own=own, other=other)
        assert parity.template_problems(found) == []
        assert parity.unproven_formats(found) == ["plain_concat"]


def test_two_formats_within_the_noise_are_not_told_apart() -> None:
    found = fit(own=1.5, other=1.4, error=0.2)
    assert parity.template_problems(found) == [] and parity.unproven_formats(found) == ["plain_concat"]


def test_what_nearly_all_answers_show_is_not_hidden_by_a_few_that_are_far_off() -> None:
    """Measured on a healthy child in Gemma's format: 149 of 200 answers likelier under its template, means alike."""
    assert parity.unproven_formats(fit(own=1.0, other=1.1, error=0.3, likelier=149)) == []
    assert parity.unproven_formats(fit(own=1.0, other=1.1, error=0.3, likelier=108)) == ["plain_concat"]


def test_most_answers_do_not_excuse_means_that_say_another_format() -> None:
    assert parity.template_problems(fit(own=1.5, other=0.7, likelier=149)) != []
