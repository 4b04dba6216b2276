"""A zoo judged in parts: the rows of several runs are one report, and a row of another expectation is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelqa.errors import UsageError
from modelqa.files import write_json
from modelqa.models import load_registry
from modelqa.mutants.kind import Kind
from modelqa.mutants.matrix import Cell, Outcome, Row
from modelqa.mutants.zoo import Defect, Zoo, kind_of
from modelqa.mutants.zoo_parts import JUDGED, joined
from modelqa.mutants.zoo_report import zoo_page
from modelqa.record import Status, Verdict

REGISTRY = load_registry(Path(__file__).parents[1] / "fixtures" / "models.toml")
UNTIED = Defect(("F33",), "weights.untied", "lm_head.weight", "phase3a2", kind="untied_head")
CRASHING = Defect(("F35",), "crashed", "tied", "phase3a1_alpha", kind="crashing_check", by="tied")
ZOO = Zoo({"F33": "a", "F35": "b"}, (UNTIED, CRASHING))
TWIN = Kind("sharded", "twin", "", (), (), lambda it: it.damaged(""))


def row(defect: Defect, verdict: Verdict, **values: bool) -> Row:
    kind = kind_of(defect, REGISTRY)
    return Row(kind, "m1", defect.locus, kind.expects[0], {defect.expected.gate: Cell(verdict, "weights", **values)},
               difference=("a",))  # fmt: skip


def run(folder: Path, rows: list[Row], twins: list[Row]) -> Path:
    write_json(folder / JUDGED, {"schema": 1, "owed": {}, "defects": [each.to_json() for each in rows],
                                 "twins": [each.to_json() for each in twins]})  # fmt: skip
    return folder


KILLED = row(UNTIED, Verdict(Status.FAIL, "weights.untied", "lm_head.weight"))
CRASHED = row(CRASHING, Verdict(Status.INCONCLUSIVE, "crashed", "tied"), of_suite=True)
PASSES = Row(TWIN, "m2", cells={"tied_embeddings": Cell(Verdict(Status.PASS), "weights")})


def test_rows_of_two_runs_are_one_report_and_say_what_they_said(tmp_path: Path) -> None:
    parts = [run(tmp_path / "one", [KILLED], []), run(tmp_path / "two", [CRASHED], [PASSES])]
    rows, twins = joined(parts, ZOO, REGISTRY, [TWIN])
    assert list(rows) == [UNTIED.name, CRASHING.name]
    assert [each.outcome for each in rows.values()] == [Outcome.EXPECTED, Outcome.EXPECTED]
    assert [each.to_json() for each in (*rows.values(), *twins)] == [
        each.to_json() for each in (KILLED, CRASHED, PASSES)
    ]  # fmt: skip


def test_of_a_defect_that_was_judged_twice_the_last_counts(tmp_path: Path) -> None:
    survived = row(UNTIED, Verdict(Status.PASS))
    parts = [run(tmp_path / "one", [KILLED, CRASHED], [PASSES]), run(tmp_path / "two", [survived], [])]
    assert joined(parts, ZOO, REGISTRY, [TWIN])[0][UNTIED.name].outcome is Outcome.SURVIVED


def test_what_was_judged_by_another_expectation_or_not_at_all_has_no_row(tmp_path: Path) -> None:
    other = replace(KILLED, expected=replace(UNTIED.expected, code="weights.shapes"))
    rows, twins = joined([run(tmp_path / "one", [other, CRASHED], [])], ZOO, REGISTRY, [TWIN])
    assert list(rows) == [CRASHING.name] and twins == []
    with pytest.raises(UsageError, match=r"there is no zoo\.json"):
        joined([tmp_path / "nowhere"], ZOO, REGISTRY, [])


def test_the_page_names_what_was_not_judged() -> None:
    page = zoo_page(ZOO, {UNTIED.name: KILLED}, [], "in short", [CRASHING.name])
    assert "Not judged yet:" in page and "- crashing&#95;check/crashed" in page
    assert "Not judged yet:" not in zoo_page(ZOO, {UNTIED.name: KILLED}, [], "in short")
