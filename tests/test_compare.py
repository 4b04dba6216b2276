"""Stored runs beside each other: what is claimed, what is refused, and what a reader sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from stored_runs import SETTINGS, gate_result, run_of, stored, write_run

from modelqa import stats
from modelqa.cli import main
from modelqa.compare import columns_of, compare_outcomes, compare_runs, readings, regression_problems
from modelqa.compare.chain import asked_differently, what_differs
from modelqa.compare.show import matrix_lines, step_lines
from modelqa.errors import ModelqaError, RecordError, UsageError
from modelqa.files import sha256_file, write_json, write_jsonl
from modelqa.gates import Case, cases_sha256
from modelqa.record import GateResult, Status, Verdict
from modelqa.records import Asked, case_row, find_stored, read_stored, reply_row
from modelqa.reply import Prompt, Reply

# -- one gate ----------------------------------------------------------------------------------------------------------


def test_a_loss_on_the_same_cases_is_claimed_and_named() -> None:
    old = {f"c{number}": "yes" for number in range(200)}
    new = {case: "no" if number < 14 else "yes" for number, case in enumerate(old)}
    found = compare_outcomes("echo", old=old, new=new)
    assert (found.old, found.new, found.claim) == (200, 186, "worse")
    assert set(found.lost) == {f"c{number}" for number in range(14)} and not found.gained
    assert found.p == pytest.approx(2 * 0.5**14)
    problem = regression_problems(found, baseline="parent")[0]
    assert (problem.code, problem.locus) == ("behaviour.regressed", "echo")


def test_what_two_models_only_swap_is_no_claim() -> None:
    old = {f"c{number}": "yes" if number % 2 else "no" for number in range(40)}
    new = {case: "no" if result == "yes" else "yes" for case, result in old.items()}
    found = compare_outcomes("echo", old=old, new=new)
    assert (found.claim, found.p, len(found.lost), len(found.gained)) == ("", 1.0, 20, 20)
    assert regression_problems(found, baseline="parent") == []


def test_a_loss_that_sits_in_one_family_is_not_claimed_of_the_skill() -> None:
    old = {f"c{number}": "yes" for number in range(200)}
    new = {case: "no" if number < 14 else "yes" for number, case in enumerate(old)}
    one = {case: "lost" if number < 14 else f"f{number % 12}" for number, case in enumerate(old)}
    assert compare_outcomes("echo", old=old, new=new, families=one).claim == ""
    spread = {case: f"f{number}" for number, case in enumerate(old)}
    assert compare_outcomes("echo", old=old, new=new, families=spread).claim == "worse"


def test_a_missing_reply_is_not_right_and_a_crash_of_the_gate_is_no_comparison() -> None:
    found = compare_outcomes("echo", old={"a": "yes", "b": "yes"}, new={"a": "missing", "b": "yes"})
    assert found.lost == ("a",)
    with pytest.raises(ValueError, match="code failed"):
        compare_outcomes("echo", old={"a": "yes"}, new={"a": "error"})
    with pytest.raises(ValueError):
        compare_outcomes("echo", old={"a": "yes"}, new={"b": "yes"})


def test_the_clustered_mean_is_the_t_interval_of_single_values_and_wider_for_families_that_agree() -> None:
    rng = Random(3)
    values = [rng.choice((-1.0, 0.0, 0.0, 1.0)) for _ in range(60)]
    lower, upper = stats.clustered_mean([[value] for value in values])
    mean = sum(values) / 60
    error = (sum((value - mean) ** 2 for value in values) / 59 / 60) ** 0.5
    assert (lower, upper) == pytest.approx(
        (mean - stats.t_quantile(0.05, 59) * error, mean + stats.t_quantile(0.05, 59) * error)
    )
    twice = stats.clustered_mean([[value, value] for value in values])
    assert twice == pytest.approx((lower, upper)), "a copy of each value is no further evidence"
    assert stats.clustered_mean([values]) == (float("-inf"), float("inf"))


def simulated(rng: Random, *, loss: float, families: int, alike: float) -> tuple[dict[str, str], dict[str, str]]:
    """({case: what the new model says}, {case: family}) of 200 cases that the old model all answers rightly.

    The new model loses each with probability `loss`; with probability `alike` a whole family falls the same way.
    """
    new, family = {}, {}
    for group in range(families):
        together = rng.random() < alike
        fate = rng.random() < loss
        for number in range(200 // families):
            lost = fate if together else rng.random() < loss
            new[f"{group}/{number}"] = "no" if lost else "yes"
            family[f"{group}/{number}"] = f"f{group}"
    return new, family


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("families", "alike", "stated"), [(200, 0.0, 0.06), (40, 0.2, 0.05), (40, 0.3, 0.05), (20, 0.3, 0.05)]
)
def test_a_model_that_lost_exactly_the_margin_passes_no_more_often_than_stated(
    families: int, alike: float, stated: float
) -> None:
    rng = Random(7)
    passed = naive = 0
    for _ in range(400):
        new, family = simulated(rng, loss=0.10, families=families, alike=alike)
        old = dict.fromkeys(new, "yes")
        passed += compare_outcomes("g", old=old, new=new, families=family).lower > -0.10
        naive += compare_outcomes("g", old=old, new=new).lower > -0.10
    print(f"{families} families, {alike:.0%} alike: {passed} of 400 pass falsely; without families {naive}")
    assert passed <= stated * 400 + 3 * (400 * stated * (1 - stated)) ** 0.5
    assert alike == 0.0 or naive > passed, "the bound by family is what keeps it honest"


# -- runs --------------------------------------------------------------------------------------------------------------


def test_one_skill_for_another_is_seen_in_a_chain() -> None:
    low, high = "n" * 60 + "y" * 40, "y" * 95 + "n" * 5
    chain = compare_runs(
        [
            stored("alpha", gate_result("copy", low), gate_result("facts", high)),
            stored("beta", gate_result("copy", high), gate_result("facts", low)),
            stored("gamma", gate_result("copy", high), gate_result("facts", high)),
        ]
    )
    assert [step.seesaw for step in chain.steps] == [(["copy"], ["facts"]), (["facts"], [])]
    matrix = "\n".join(matrix_lines(chain))
    assert "+  95.0% of  100" in matrix and "-  40.0% of  100" in matrix
    assert any("one skill for another" in line for line in step_lines(chain.steps[0]))
    assert not any("one skill for another" in line for line in step_lines(chain.steps[1]))


def test_claims_are_corrected_for_everything_that_is_looked_at() -> None:
    old, new = "y" * 100, "n" * 7 + "y" * 93  # p = 2/128: a claim alone, none among ten
    few = compare_runs([stored("a", gate_result("g0", old)), stored("b", gate_result("g0", new))])
    many = compare_runs(
        [
            stored("a", *(gate_result(f"g{number}", old) for number in range(10))),
            stored("b", gate_result("g0", new), *(gate_result(f"g{number}", old) for number in range(1, 10))),
        ]
    )
    assert few.steps[0].comparisons[0].claim == "worse"
    assert many.steps[0].comparisons[0].claim == ""
    assert many.steps[0].comparisons[0].adjusted == pytest.approx(10 * few.steps[0].comparisons[0].p)


def asked_again(differ: float) -> GateResult:
    """What a session measured of one checkpoint asked twice."""
    return GateResult("noise_floor", "t", "parity", Verdict(Status.PASS), measured={"floor": differ})


def test_no_difference_below_the_noise_floor_of_either_run_is_claimed() -> None:
    old, new = gate_result("g", "y" * 200), gate_result("g", "n" * 14 + "y" * 186)  # 7 points lost
    for floors, claim in (((0.0, 0.0), "worse"), ((0.0, 0.05), "worse"), ((0.08, 0.0), ""), ((0.0, 0.08), "")):
        before, after = (asked_again(floor) for floor in floors)
        step = compare_runs([stored("a", old, before), stored("b", new, after)]).steps[0]
        assert step.comparisons[0].claim == claim, floors
        assert any("change when it is asked again" in note for note in step.notes) is any(floors)
    unknown = compare_runs([stored("a", old), stored("b", new, asked_again(0.0))]).steps[0]
    assert "the noise floor was not measured in the run of a" in unknown.notes


def test_a_gate_with_other_cases_is_refused_and_what_differs_is_said() -> None:
    a = stored("a", gate_result("echo", "yyyy"), gate_result("form", "yyyy"))
    b = stored("b", gate_result("echo", "yyyy"), gate_result("form", "yyyyyy"))
    step = compare_runs([a, b]).steps[0]
    assert [each.gate for each in step.comparisons] == ["echo"]
    assert step.refused == (("form", "other cases: 2 only in the second (form/4, form/5)"),)
    other = gate_result("echo", "yyyy", sha="other")
    assert "ask or expect something else" in what_differs(gate_result("echo", "yyyy"), other)
    with pytest.raises(UsageError, match="no gate with the same cases"):
        compare_runs([stored("a", gate_result("echo", "yyyy")), stored("b", other)])


def test_runs_that_were_asked_in_different_ways_are_refused() -> None:
    short = {**SETTINGS, "max_new_tokens": 8}
    assert asked_differently(SETTINGS, short) == "max_new_tokens 64 and 8"
    with pytest.raises(UsageError, match="asked in different ways: max_new_tokens 64 and 8"):
        compare_runs([stored("a", gate_result("g", "yy")), stored("b", gate_result("g", "yy"), settings=short)])
    half = {**SETTINGS, "dtype": "bfloat16"}
    step = compare_runs(
        [stored("a", gate_result("g", "yy")), stored("b", gate_result("g", "yy"), settings=half)]
    ).steps[0]
    assert "dtype differs between a and b" in step.notes


def test_a_run_whose_harness_failed_is_compared_with_nothing() -> None:
    broken = GateResult("floor", "t", "harness", Verdict(Status.INCONCLUSIVE, "floor.below"))
    with pytest.raises(UsageError, match="harness failed in the run of b"):
        compare_runs([stored("a", gate_result("g", "yy")), stored("b", gate_result("g", "yy"), broken)])


def test_the_hash_of_cases_sees_every_part_but_not_their_order() -> None:
    one = Case("a", ({"role": "user", "content": "Say x"},), expect="x", meta={"kind": "word"})
    two = replace(one, id="b")
    assert cases_sha256([one, two]) == cases_sha256([two, one])
    changed = [
        replace(one, messages=({"role": "user", "content": "Say y"},)),
        replace(one, expect="y"),
        replace(one, expect=("x",)),
        replace(one, forbid=("x",)),
        replace(one, payload="x"),
        replace(one, meta={}),
    ]
    assert len({cases_sha256([case, two]) for case in [one, *changed]}) == 1 + len(changed)


# -- on disk -----------------------------------------------------------------------------------------------------------


def test_compare_prints_both_replies_and_its_status_says_whether_something_was_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "parent", "y" * 20)
    write_run(tmp_path, "child", "n" * 12 + "y" * 8)
    assert main(["compare", "parent", "child", "--dir", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "20/20 -> 8/20" in out and "worse" in out
    assert "asked     Say word0" in out and "before    word<end>" in out
    assert "\x1b" not in out and "\u202e" not in out and "now       \\x1b[31m::error::" in out
    assert main(["compare", "child", "parent", "--dir", str(tmp_path)]) == 0
    assert main(["compare", "parent", "parent", "--dir", str(tmp_path)]) == 0
    assert "have the same weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "fact"),
    [
        (lambda path: path.write_text("{"), "cannot be read"),
        (lambda path: path.write_text("[]"), "holds a JSON list"),
        (lambda path: path.write_text('{"schema": 99}'), "schema 99"),
        (lambda path: path.with_name("replies.jsonl.zst").write_bytes(b"x"), "is not the file of this record"),
        (lambda path: path.with_name("replies.jsonl.zst").unlink(), "is not the file of this record"),
    ],
)
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, damage: Any, fact: str) -> None:
    path = write_run(tmp_path, "one", "yy")
    damage(path)
    with pytest.raises(RecordError, match=fact):
        read_stored(path).asked()


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"name": "one"}', '{"name": 1, "record": "x"}', b"\xff"],
    ids=["cut", "list", "few", "kind", "bytes"],
)
def test_a_damaged_history_is_one_clear_error(tmp_path: Path, line: str | bytes) -> None:
    write_run(tmp_path, "one", "yy")
    with (tmp_path / "history.jsonl").open("ab") as stream:
        stream.write(line if isinstance(line, bytes) else line.encode())
    with pytest.raises(RecordError, match="line 2"):
        find_stored(tmp_path, "one")


def test_a_model_without_a_record_gets_the_nearest_names(tmp_path: Path) -> None:
    write_run(tmp_path, "phase_one", "yy")
    with pytest.raises(ModelqaError) as caught:
        find_stored(tmp_path, "phase_on")
    assert "nearest: phase_one" in str(caught.value)
    assert find_stored(tmp_path, "phase_one").name == "phase_one"
    assert find_stored(tmp_path, str(tmp_path / "runs/phase_one/0")).name == "phase_one"


def test_readings_stand_beside_each_other_and_whoever_was_not_asked_is_empty() -> None:
    def said(text: str) -> Asked:
        return Asked("p1", "Why?", "", text, text)

    rows = readings(
        {"old": {"p1": said("Because.")}, "new": {"p1": said("So."), "p2": replace(said("x"), asked="How?")}}
    )
    assert [(row.asked, dict(row.said)) for row in rows] == [
        ("Why?", {"old": "Because.", "new": "So."}),
        ("How?", {"old": "", "new": "x"}),
    ]


def test_a_record_gives_the_columns_of_everyone_who_was_asked_with_it(tmp_path: Path) -> None:
    said = {"candidate": "yes", "baseline": "no"}
    rows = []
    for role, text in said.items():
        case = Case("p1", ({"role": "user", "content": "Why?"},))
        row = reply_row(role, Prompt((1,), "Why?"), Reply((1,), text, text, True))
        row["cases"]["side_by_side"] = case_row(case)
        rows.append(row)
    write_jsonl(tmp_path / "replies.jsonl.zst", rows)
    controls = {"baseline": {"name": "old"}, "parent": {"name": "mute"}}
    sha = sha256_file(tmp_path / "replies.jsonl.zst")
    write_json(tmp_path / "run.json", replace(run_of("new"), controls=controls, replies_sha256=sha).to_json())
    stored = read_stored(tmp_path)
    assert [dict(row.said) for row in readings(columns_of(stored.run, stored.rows))] == [{"new": "yes", "old": "no"}]
