"""The closing table: columns that line up, and a warning where a bound rests on few families."""

from __future__ import annotations

from dataclasses import replace

from modelqa.gates import LADDER
from modelqa.plugin.table import closing_rows, failure_message
from modelqa.record import GateResult, Run, Status, Verdict

SEEN = Verdict(Status.INCONCLUSIVE, "few_cases", "g", "more", 30, 40, 0.8, 0.6, 0.86, 0.58, families=12)


def result(verdict: Verdict, rung: str = "behaviour") -> GateResult:
    return GateResult("g", "suites/x.py::test_g", rung, verdict)


def lines(*gates: GateResult) -> list[str]:
    return [line for _, line in closing_rows(Run({}, {}, {}, (), (), gates))]


def test_a_bound_on_few_families_is_marked_and_one_on_many_is_not():
    few, many = lines(result(SEEN), result(replace(SEEN, families=20)))
    assert few.endswith("12 families (few)")
    assert many.endswith("20 families")
    assert "only 12 families" in failure_message(result(SEEN), ())
    assert "only" not in failure_message(result(replace(SEEN, families=20)), ())


def test_every_rung_leaves_the_columns_where_they_are():
    columns = {line.index(" g ") for line in lines(*(result(SEEN, rung) for rung in LADDER))}
    assert len(columns) == 1


def test_gates_that_pass_without_a_figure_share_a_line_and_nothing_else_does():
    passed, failed = Verdict(Status.PASS), Verdict(Status.FAIL, "x.failed", "g", "no")
    away = Verdict(Status.NOT_ASKED, "not_asked", "g", "nothing is declared")
    gates = [
        *(result(passed) for _ in range(3)),
        *(result(failed) for _ in range(2)),
        *(result(away) for _ in range(2)),
        result(replace(SEEN, status=Status.PASS)),
        result(passed, "weights"),
    ]
    run = Run({}, {}, {}, (), (), tuple(gates))
    short = [line.split("  ") for _, line in closing_rows(run, whole=False)]
    assert [[cell.strip() for cell in row if cell.strip()][:3] for row in short] == [
        ["behaviour", "3 checks", "PASS"],
        ["behaviour", "g", "FAIL"],
        ["behaviour", "g", "FAIL"],
        ["behaviour", "2 checks", "NOT ASKED"],
        ["behaviour", "g", "PASS"],
        ["weights", "g", "PASS"],
    ]
    assert len(closing_rows(run)) == len(gates)


def test_gates_of_a_later_phase_share_a_line_and_verbosity_tells_why_each_waits():
    waits = [result(Verdict(Status.NOT_ASKED, "later_phase", "g", f"asked from beta on: {why}")) for why in "ab"]
    run = Run({}, {}, {}, (), (), tuple(waits))
    ((_, short),) = closing_rows(run, whole=False)
    assert short.endswith("  asked from beta on") and "2 checks" in short
    assert [line.rpartition(": ")[2] for _, line in closing_rows(run)] == ["a", "b"]


def test_gates_that_one_broken_rung_or_one_file_blocks_share_a_line_of_their_rung():
    blocked = Verdict(Status.INCONCLUSIVE, "lower_rung", "g", "the weights rung failed (change); would be PASS")
    missing = Verdict(Status.INCONCLUSIVE, "unusable", "g", "rows.jsonl cannot be used\n  remedy: make it")
    crashed = Verdict(Status.INCONCLUSIVE, "crashed", "g", "KeyError: 'x'")
    left_out = Verdict(Status.NOT_RUN, "deselected", "g", "left out on the command line")
    other = replace(blocked, text="the weights rung failed (change); would be FAIL")
    kinds = (blocked, other, missing, left_out, crashed)
    run = Run({}, {}, {}, (), (), tuple(result(verdict, "data") for verdict in kinds for _ in range(2)))
    short = [line for _, line in closing_rows(run, whole=False)]
    assert [line.split()[1:3] for line in short] == [["2", "checks"]] * 4 + [["g", "INCONCLUSIVE"]] * 2
    assert short[2].endswith("rows.jsonl cannot be used")
    assert len(closing_rows(run)) == len(run.gates)
