"""Thresholds against the published report: what became looser stands on the card, and needs a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import NAME, Desk, desk, judged, loopback, project
from modelqa.publish.bars import edited_bars, threshold_changes, unexplained
from publishing import run_gates
from stored_runs import run_of

from modelqa.errors import RecordError
from modelqa.thresholds import stated
from modelqa.thresholds.bars import PHASE_ORDER

__all__ = ["desk", "judged", "loopback", "project"]

NOW = {PHASE_ORDER: ["chat"], "gates/echo": "judged", "echo/chat": 0.7, "gates/copy": "judged", "copy/chat": 0.9,
       "gates/new": "judged", "new/chat": 0.5}  # fmt: skip
BEFORE = {PHASE_ORDER: ["chat"], "gates/echo": "judged", "echo/chat": 0.8, "gates/copy": "judged", "copy/chat": 0.85,
          "gates/gone": "judged", "gone/chat": 0.5}  # fmt: skip
REASON = {"bar": "echo/chat", "before": 0.8, "now": 0.7, "because": "measured 75%"}


def changes(previous: Any, **thresholds: Any) -> dict[str, dict[str, Any]]:
    run = replace(run_of("m"), thresholds={"bars": NOW, "reasons": [], "loosened": [], **thresholds})
    return {row["bar"]: row for row in threshold_changes(run, previous)}


def test_what_the_released_report_demanded_is_compared_bar_by_bar() -> None:
    found = changes({"bars": BEFORE}, reasons=[REASON])
    assert set(found) == {"echo/chat", "copy/chat", "gates/gone", "gone/chat"}  # not what the gate "new" demands
    assert found["echo/chat"] == {"bar": "echo/chat", "before": "0.8", "now": "0.7", "because": "measured 75%",
                                  "loosened": True}  # fmt: skip
    assert not found["copy/chat"]["loosened"]
    assert {problem.locus for problem in unexplained(list(found.values()))} == {"gates/gone", "gone/chat"}
    assert "echo/chat" in {problem.locus for problem in unexplained(list(changes({"bars": BEFORE}).values()))}


def test_a_reason_for_another_value_explains_nothing() -> None:
    found = changes({"bars": BEFORE}, reasons=[{**REASON, "now": 0.6}])
    assert found["echo/chat"]["because"] == ""


def test_without_a_released_report_the_suites_own_note_is_told() -> None:
    assert changes(None) == {} and changes({"gates": []}) == {}
    assert set(changes(None, loosened=[REASON])) == {"echo/chat"}


@pytest.mark.parametrize("bars", [["echo/chat"], {"phases/order": 3, "echo/chat": {"a": []}}, {"x/floors": 1}])
def test_bars_of_another_form_at_the_target_are_one_clear_error_or_changes(bars: Any) -> None:
    try:
        assert changes({"bars": bars})
    except RecordError as refused:
        assert "cannot be compared" in refused.fact


def test_a_record_that_states_other_thresholds_than_its_suites_is_found(project: Path) -> None:
    suites = project / "suites"
    true = replace(run_of("m"), thresholds=stated(suites))
    assert list(edited_bars(true, suites)) == []
    edited = replace(true, thresholds={**true.thresholds, "bars": {**true.thresholds["bars"], "echo/chat": 0.9}})
    assert [problem.code for problem in edited_bars(edited, suites)] == ["release.bars"]


def test_a_lower_threshold_than_the_published_one_needs_a_reason(desk: Desk) -> None:
    desk.publish()
    head = desk.repository.resolve("main")
    phases = desk.root / "suites" / "phases.toml"
    phases.write_text(phases.read_text().replace("chat = 0.70", "chat = 0.60"))
    assert run_gates(desk.root, "--modelqa-release").returncode == 0
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "release.loosened at echo/chat: 0.7 at the last release, 0.6 now" in desk.out
    assert "suites/ledger.toml" in desk.out and desk.repository.resolve("main") == head

    row = '[[loosened]]\nbar = "echo/chat"\nbefore = 0.7\nnow = 0.6\nbecause = "a word of the maintainers"\n'
    (desk.root / "suites" / "ledger.toml").write_text(row)
    assert run_gates(desk.root, "--modelqa-release").returncode == 0
    desk.publish()
    report = json.loads(
        desk.repository.content(desk.repository.tree(desk.repository.resolve("main") or "")["modelqa/report.json"])
    )
    assert report["thresholds"][0]["because"] == "a word of the maintainers"
