"""Plots: PNG, the same bytes for the same report, none where there is nothing to show or nothing to draw with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from modelqa.publish import plots
from modelqa.publish.report import make_report
from publishing import inputs_of, judged

__all__ = ["judged"]  # a fixture


@pytest.fixture
def report(judged: Path) -> dict[str, Any]:
    inputs = inputs_of(judged)
    return make_report(inputs.stored, inputs.evidence, inputs.settings)


def test_a_report_is_drawn_as_png_and_twice_the_same(report: dict[str, Any]) -> None:
    drawn = plots.draw(report)
    assert set(drawn) == {"gates", "scale", "loss"}
    assert all(data.startswith(b"\x89PNG\r\n") for data in drawn.values())
    assert plots.draw(report) == drawn


def test_names_are_drawn_as_they_stand_and_not_as_formulas(report: dict[str, Any]) -> None:
    report["model"]["name"] = r"$\frac{1}{$ \n{"
    report["gates"][0]["gate"] = r"$\undefined{"
    assert "scale" in plots.draw(report)


def test_what_the_report_does_not_have_is_not_drawn(report: dict[str, Any]) -> None:
    report |= {"losses": {}, "scale": {"parameters": 1}}
    row = {"name": "mcq", "unit": "rate", "value": 0.3, "lower": 0.2, "upper": 0.4, "chance": 0.25, "base": 0.2}
    report["benchmarks"] = [row]
    assert set(plots.draw(report)) == {"gates", "benchmarks"}


def test_a_family_is_drawn_with_its_line_as_soon_as_there_is_one(report: dict[str, Any]) -> None:
    points = [{"model": f"m{step}", "step": step, "delta": delta} for step, delta in enumerate((-6.4, -5.6, None, 2.0))]
    report["trend"] = {"task": "$ifeval", "candidate": "m3", "points": points}
    drawn = plots.draw(report)["trend"]
    assert drawn.startswith(b"\x89PNG")
    report["trend"]["points"] = points[2:]
    assert plots.draw(report)["trend"] != drawn
    report["trend"]["points"] = points[2:3]
    assert "trend" not in plots.draw(report)


def test_without_matplotlib_there_are_none(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert plots.draw(report) == {}


@pytest.mark.parametrize(
    ("lower", "upper", "chance", "told"),
    [(0.3, 0.4, 0.25, "above"), (0.2, 0.3, 0.25, "neither"), (0.1, 0.2, 0.25, "below"), (None, None, 0.25, "neither"),
     (0.1, 0.2, None, "above")],
)  # fmt: skip
def test_a_score_at_chance_does_not_look_like_a_result(
    lower: float | None, upper: float | None, chance: float | None, told: str
) -> None:
    colours = {"above": plots.GOOD, "below": plots.BAD, "neither": plots.UNDECIDED}
    assert len(set(colours.values())) == 3
    assert plots.colour_beside_chance({"lower": lower, "upper": upper, "chance": chance}) == colours[told]
