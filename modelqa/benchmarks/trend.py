"""Does the newest member of a family continue its line? A point that misses it is looked at before it is believed.

A trend file (JSON): {"schema": 1, "task": "ifeval", "unit": "points", "candidate": "3b",
"points": [{"model": "1b-90k", "step": 0, "delta": -6.35}, {"model": "1b-160k", "step": 1, "delta": null}, ...]}.
delta is chat minus base; null is a value that the source does not give. An ablation file holds "arms": [{"recipe",
"delta", "same_format": true}]: trained again with the format that is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa import stats
from modelqa.benchmarks.checks import refuse
from modelqa.benchmarks.concern import Concern, proven, unproven
from modelqa.benchmarks.result import number
from modelqa.files import read_json

SCHEMA = 1
OFF_LINE = 3.0  # points: half of what a wrong prompt format was seen to move a benchmark
ENOUGH_DF = 4  # degrees of freedom from which a prediction interval is narrow enough to say anything
PREDICTION = 0.025  # on each side: a 95% prediction interval
ARMS = 2  # one repetition could miss the line by the same accident
_HEURISTIC = "a declared heuristic on few points, not a test"


@dataclass(frozen=True)
class Point:
    """One member of a family: its place on the scale and chat minus base, in points; None when not stated."""

    model: str
    step: float
    delta: float | None


@dataclass(frozen=True)
class Trend:
    """A family on one benchmark, and which member is judged."""

    task: str
    points: tuple[Point, ...]
    candidate: Point

    @property
    def others(self) -> list[tuple[float, float]]:
        """(step, delta) of the members that are not judged and whose value is known."""
        return [(p.step, p.delta) for p in self.points if p != self.candidate and p.delta is not None]


def read_trend(path: Path) -> Trend:
    """The trend in a JSON file; `DataError` names what is missing."""
    content = _content(path, "points")
    points = tuple(_point(path, entry) for entry in content["points"])
    chosen = [point for point in points if point.model == content.get("candidate")]
    if len(chosen) != 1 or chosen[0].delta is None:
        refuse(f"{path}: no single point with a value is the candidate's", "one member is judged", "name it: candidate")
    return Trend(str(content.get("task", "")), points, chosen[0])


def read_ablation(path: Path) -> list[float]:
    """The deltas of an ablation's arms; `DataError` for fewer than two, or one not trained in the evaluated format."""
    arms = _content(path, "arms")["arms"]
    for arm in arms:
        if not isinstance(arm, dict) or number(arm.get("delta")) is None or arm.get("same_format") is not True:
            refuse(
                f"{path}: an arm without a delta, or without same_format: true",
                "the ablation has to rule out that training and evaluation used different formats",
                "train each arm with the evaluated template, check it (modelqa preflight), and state both",
            )
    if len(arms) < ARMS:
        refuse(
            f"{path}: {len(arms)} arm", f"at least {ARMS} are needed", "train it again, e.g. at another learning rate"
        )
    return [float(arm["delta"]) for arm in arms]


def _content(path: Path, key: str) -> Mapping[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or not isinstance(content.get(key), list):
        refuse(f"{path} is no file of schema {SCHEMA} with {key!r}", "see modelqa/benchmarks/trend.py", "mend it")
    return content


def _point(path: Path, entry: Any) -> Point:
    step = number(entry.get("step")) if isinstance(entry, dict) else None
    if step is None or not isinstance(entry.get("model"), str) or not {"delta"} <= entry.keys():
        refuse(f"{path}: a point needs model, step and delta", "delta is null when it is not known", "mend the point")
    return Point(entry["model"], step, number(entry["delta"]))


def trend_concerns(trend: Trend, ablation: Sequence[float] | None = None) -> Iterator[Concern]:
    """A candidate off its family's line, until an ablation is attached; then whether the ablation bears it out."""
    delta = trend.candidate.delta
    assert delta is not None
    why = off_line(trend)
    if not why:
        return
    if ablation is None:
        text = f"{delta:+.2f}: {why}. Train it again with the evaluated format (parity ablation) before believing it"
        yield unproven("trend", trend.candidate.model, text)
    elif missed := [arm for arm in ablation if abs(arm - delta) > OFF_LINE]:
        arms = ", ".join(f"{arm:+.2f}" for arm in missed)
        text = f"{delta:+.2f}: {why}; trained again with the evaluated format it is {arms}: the value does not stand"
        yield proven("trend_not_reproduced", trend.candidate.model, text)


def off_line(trend: Trend) -> str:
    """Why the candidate is off its family's line; "" when it is on it, or when there is no line yet."""
    delta, others = trend.candidate.delta, trend.others
    if delta is None or len({step for step, _ in others}) < 2:
        return ""
    line = stats.fit_line(others)
    expected = line.at(trend.candidate.step)
    if line.df >= ENOUGH_DF:
        lower, upper = stats.prediction_interval(line, trend.candidate.step, PREDICTION)
        outside = not lower <= delta <= upper
        return f"the family's 95% prediction interval is [{lower:+.2f}, {upper:+.2f}]" if outside else ""
    if all(other < 0 < delta for _, other in others) or all(other > 0 > delta for _, other in others):
        return f"all {len(others)} others known have the other sign, the line says {expected:+.2f} ({_HEURISTIC})"
    if abs(delta - expected) > OFF_LINE:
        return f"{abs(delta - expected):.1f} points off the line, which says {expected:+.2f} ({_HEURISTIC})"
    return ""
