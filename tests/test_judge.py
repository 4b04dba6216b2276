"""The three-valued verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from modelqa import stats
from modelqa.judge import judge, numbered_families, rejudge, tally
from modelqa.record import GateResult, Outcome, Status


def outcomes(yes: int, no: int, *, families: int = 50, result: str = "no", **groups: str) -> list[Outcome]:
    """`yes` right and `no` wrong cases, dealt evenly to the families so that no family is worse than another."""
    right = [Outcome(f"y{i}", "yes", f"f{i % families}", groups) for i in range(yes)]
    wrong = [Outcome(f"n{i}", result, f"f{i * 7 % families}", groups) for i in range(no)]
    return right + wrong


def test_a_rate_whose_bounds_clear_the_threshold_passes() -> None:
    verdict = judge(outcomes(190, 10), gate="echo", threshold=0.80)
    assert verdict.status is Status.PASS
    assert (verdict.passed, verdict.total, verdict.families) == (190, 200, 50)
    assert verdict.lower == pytest.approx(stats.cp_lower(190, 200), abs=1e-6)


def test_a_rate_whose_upper_bound_is_below_the_threshold_fails_with_the_gates_own_code() -> None:
    verdict = judge(outcomes(100, 100), gate="echo", threshold=0.80)
    assert (verdict.status, verdict.code) == (Status.FAIL, "echo.below")
    assert verdict.locus.startswith("n0, n1, n2")


def test_a_rate_between_the_bounds_is_inconclusive_and_says_what_would_settle_it() -> None:
    verdict = judge(outcomes(165, 35), gate="echo", threshold=0.80)
    assert (verdict.status, verdict.code) == (Status.INCONCLUSIVE, "few_cases")
    needed = stats.settle(165, 200, 0.80)
    assert needed is not None and needed > 200
    assert str(needed) in verdict.text


def test_failures_that_sit_in_whole_families_are_not_outvoted_by_many_cases() -> None:
    right = [Outcome(f"y{i}", "yes", f"f{i % 17}") for i in range(170)]
    wrong = [Outcome(f"n{i}", "no", f"f{17 + i % 3}") for i in range(30)]
    verdict = judge(right + wrong, gate="echo", threshold=0.80)
    assert stats.cp_lower(170, 200) >= 0.80, "the naive rule would pass"
    assert (verdict.status, verdict.code) == (Status.INCONCLUSIVE, "clustered")


@pytest.mark.parametrize(
    ("yes", "no", "status", "code"),
    [
        (299, 0, Status.PASS, ""),
        (298, 0, Status.INCONCLUSIVE, "few_cases"),
        (1999, 1, Status.FAIL, "form.below"),
    ],
)
def test_a_threshold_of_one_means_no_failure_in_enough_cases(yes: int, no: int, status: Status, code: str) -> None:
    verdict = judge(outcomes(yes, no), gate="form", threshold=1.0)
    assert (verdict.status, verdict.code) == (status, code)


@pytest.mark.parametrize("threshold", [1.0, 0.80])
def test_replies_that_were_never_made_are_no_fault_of_the_model(threshold: float) -> None:
    """A model that passes every case it was asked does not fail because of those that it was not."""
    verdict = judge(outcomes(200, 200, result="missing"), gate="form", threshold=threshold)
    assert (verdict.status, verdict.code, verdict.passed) == (Status.INCONCLUSIVE, "missing_replies", 200)
    assert verdict.locus.startswith("n0, n1, n2")


def test_a_model_that_fails_the_cases_it_was_asked_fails_whatever_is_missing() -> None:
    asked = outcomes(20, 170)
    missing = [Outcome(f"m{i}", "missing", f"f{i}") for i in range(10)]
    verdict = judge([*asked, *missing], gate="echo", threshold=0.80)
    assert (verdict.status, verdict.code) == (Status.FAIL, "echo.below")


def test_a_missing_reply_stays_in_the_denominator() -> None:
    whole = judge(outcomes(190, 0), gate="echo", threshold=0.80)
    verdict = judge(outcomes(190, 200, result="missing"), gate="echo", threshold=0.80)
    assert whole.status is Status.PASS
    assert verdict.total == 390 and verdict.status is Status.INCONCLUSIVE


def test_a_crash_of_the_gate_makes_pass_impossible_and_is_no_failure_of_the_model() -> None:
    clean = judge(outcomes(400, 0), gate="echo", threshold=0.80)
    crashed = judge(outcomes(400, 1, result="error"), gate="echo", threshold=0.80)
    assert clean.status is Status.PASS
    assert (crashed.status, crashed.code, crashed.locus) == (Status.INCONCLUSIVE, "crashed", "n0")


def test_nothing_judged_is_inconclusive() -> None:
    verdict = judge([], gate="echo", threshold=0.0)
    assert (verdict.status, verdict.code) == (Status.INCONCLUSIVE, "no_cases")


def test_a_subgroup_below_its_floor_fails_a_gate_that_passes_as_a_whole() -> None:
    cases = outcomes(500, 0, words="1") + [Outcome(f"w{i}", "no", f"g{i}", {"words": "4"}) for i in range(40)]
    verdict = judge(cases, gate="operators", threshold=0.75, floors={"words": 0.5})
    assert judge(cases, gate="operators", threshold=0.75).status is Status.PASS
    assert (verdict.status, verdict.code, verdict.locus) == (Status.FAIL, "operators.floor", "words=4")


def test_a_subgroup_too_small_for_its_floor_is_inconclusive() -> None:
    cases = outcomes(500, 0, words="1") + [Outcome(f"w{i}", "yes", f"g{i}", {"words": "4"}) for i in range(3)]
    verdict = judge(cases, gate="operators", threshold=0.75, floors={"words": 0.5})
    assert (verdict.status, verdict.locus) == (Status.INCONCLUSIVE, "words=4")


def test_tally_counts_by_family_or_by_metadata() -> None:
    cases = [Outcome("a", "yes", "f", {"k": "x"}), Outcome("b", "no", "f", {"k": "y"}), Outcome("c", "yes", "g")]
    assert tally(cases) == {"f": (1, 2), "g": (1, 1)}
    assert tally(cases, "k") == {"x": (1, 1), "y": (0, 1)}


def recorded(found: list[Outcome], *, threshold: float, floors: dict[str, float] | None = None) -> GateResult:
    """What a record keeps of a gate, its stated verdict a lie."""
    lie = judge([Outcome("a", "yes", "f")], gate="g", threshold=0.0)
    return GateResult(
        "g", "node", "behaviour", lie,
        groups={key: tally(found, key) for key in floors or {}},
        outcomes={outcome.case: outcome.result for outcome in found},
        families=numbered_families(found),
        floors=floors or {},
    )  # fmt: skip


@pytest.mark.parametrize(("yes", "no"), [(190, 10), (150, 50), (120, 80), (400, 0), (0, 10)])
@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_a_record_judged_again_gives_the_verdict_of_its_outcomes(yes: int, no: int, threshold: float) -> None:
    found = outcomes(yes, no)
    again = rejudge(recorded(found, threshold=threshold), threshold)
    # families have numbers in a record: a locus that names the worst of them is said in numbers
    assert replace(again, locus="") == replace(judge(found, gate="g", threshold=threshold), locus="")


def test_a_record_judged_again_keeps_its_floors() -> None:
    found = outcomes(100, 0, kind="a") + [
        Outcome(f"b{number}", "no", f"family {number}", {"kind": "b"}) for number in range(12)
    ]
    floors = {"kind": 0.5}
    again = rejudge(recorded(found, threshold=0.6, floors=floors), 0.6)
    assert again == judge(found, gate="g", threshold=0.6, floors=floors)
    assert (again.status, again.code) == (Status.FAIL, "g.floor")


@pytest.mark.parametrize(("rate", "allows", "status"), [
    (0.9, {}, Status.INCONCLUSIVE), (0.3, {}, Status.PASS), (0.9, {"parrot": "why"}, Status.PASS),
    (0.9, {"*": "why"}, Status.PASS),
])  # fmt: skip
def test_a_record_judged_again_finds_a_toothless_gate(rate: float, allows: dict[str, str], status: Status) -> None:
    result = replace(recorded(outcomes(195, 5), threshold=0.8), nulls={"parrot": rate}, allows=allows)
    assert rejudge(result, 0.8).status is status
