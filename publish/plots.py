"""Pictures of a report, as PNG bytes: gate intervals, benchmarks, scaling position, loss curve. Drawn with matplotlib.

matplotlib comes with the extra `card`; without it there are no pictures, and the card shows none.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from modelqa.benchmarks.trend import PREDICTION
from modelqa.plots import short
from modelqa.scaling import known_models
from modelqa.stats import fit_line, prediction_interval

_INK, GOOD, BAD, _LINE = "#24292f", "#1a7f37", "#cf222e", "#8c959f"
UNDECIDED = _LINE
_DPI = 110


def draw(report: Mapping[str, Any]) -> dict[str, bytes]:
    """{kind: PNG} of every picture that the report has numbers for; {} when matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        return {}
    from matplotlib import rc_context

    with rc_context({"text.parse_math": False, "font.size": 9, "axes.edgecolor": _LINE}):  # a name may hold a "$"
        found = {kind: plot(report) for kind, plot in _PLOTS.items()}
    return {kind: data for kind, data in found.items() if data}


def _gates(report: Mapping[str, Any]) -> bytes | None:
    """Rate, one-sided bounds and threshold of every gate that has a threshold."""
    gates = [gate for gate in report["gates"] if gate.get("total") and gate["threshold"] is not None]
    if not gates:
        return None
    figure, axes = _figure(height=0.9 + 0.32 * len(gates))
    for row, gate in enumerate(reversed(gates)):
        colour = {"PASS": GOOD, "FAIL": BAD}.get(gate["status"], _LINE)
        axes.plot([gate["lower"], gate["upper"]], [row, row], color=colour, linewidth=2)
        axes.plot(gate["rate"], row, "o", color=colour, markersize=5)
        axes.plot([gate["threshold"]] * 2, [row - 0.32, row + 0.32], color=_INK, linewidth=1.5)
    axes.set_yticks(range(len(gates)), [gate["gate"] for gate in reversed(gates)])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("share of cases (dot), one-sided bounds (line), threshold (bar)")
    return _png(figure)


def _benchmarks(report: Mapping[str, Any]) -> bytes | None:
    """Score and interval of each benchmark, and the base model's score."""
    rows = [row for row in reversed(report["benchmarks"]) if row["unit"] == "rate"]
    if not rows:
        return None
    figure, axes = _figure(height=0.9 + 0.36 * len(rows))
    for at, row in enumerate(rows):
        colour = colour_beside_chance(row)
        if row.get("lower") is not None and row.get("upper") is not None:
            axes.plot([row["lower"], row["upper"]], [at, at], color=colour, linewidth=2)
        axes.plot(row["value"], at, "o", color=colour, markersize=5)
        if row.get("base") is not None:
            axes.plot(row["base"], at, "D", color=_LINE, markersize=5)
        if row.get("chance") is not None:
            axes.plot([row["chance"]] * 2, [at - 0.3, at + 0.3], color=_INK, linewidth=1.5)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("score (dot) and interval, base model (diamond), chance (bar)")
    return _png(figure)


def colour_beside_chance(row: Mapping[str, Any]) -> str:
    """Green for a score that is shown to be above chance, red for one below it, grey for what shows neither."""
    chance, lower, upper = row.get("chance"), row.get("lower"), row.get("upper")
    if lower is None or upper is None:
        return UNDECIDED
    if chance is None:
        return GOOD
    return BAD if upper < chance else GOOD if lower > chance else UNDECIDED


def _trend(report: Mapping[str, Any]) -> bytes | None:
    """Chat minus base along a family, the line through the other members, and what it predicts for this one."""
    trend = report["trend"]
    known = [point for point in trend.get("points", ()) if point["delta"] is not None]
    if not known:
        return None
    figure, axes = _figure(height=3.2)
    others = [(point["step"], point["delta"]) for point in known if point["model"] != trend["candidate"]]
    for point in known:
        own = point["model"] == trend["candidate"]
        axes.plot(
            point["step"], point["delta"], "o", color=GOOD if own else _LINE, markersize=7 if own else 5, zorder=3
        )
        axes.annotate(point["model"][:40], (point["step"], point["delta"]), xytext=(6, -14), textcoords="offset points")
    if len({step for step, _ in others}) > 1:
        line = fit_line(others)
        ends = [min(point["step"] for point in known), max(point["step"] for point in known)]
        axes.plot(ends, [line.at(step) for step in ends], color=_LINE, linestyle="--")
        if line.df > 0:
            at = next(point["step"] for point in known if point["model"] == trend["candidate"])
            axes.plot([at, at], prediction_interval(line, at, PREDICTION), color=_LINE, linewidth=6, alpha=0.4)
    axes.axhline(0, color=_INK, linewidth=0.8)
    axes.margins(x=0.15, y=0.2)
    axes.set_xticks(sorted({point["step"] for point in known}))
    axes.set_xlabel("place in the family (line and prediction interval: of the others)")
    axes.set_ylabel(f"{trend['task'][:30]}, points")
    return _png(figure)


def _scale(report: Mapping[str, Any]) -> bytes | None:
    """Training tokens against parameters, among known public models, with the line of compute-optimal training."""
    scale = report["scale"]
    if "tokens" not in scale:
        return None
    figure, axes = _figure(height=3.6)
    parameters, tokens = scale["parameters"], scale["tokens"]
    known = known_models()
    sizes = [parameters, *(each.parameters for each in known)]
    span = [min(sizes) / 3, max(sizes) * 3]
    ratio = report["constants"]["tokens_per_parameter"]
    axes.loglog(span, [ratio * value for value in span], color=_LINE, linestyle="--")
    axes.annotate(f"{ratio} tokens a parameter", (span[1], ratio * span[1]), xytext=(-8, 0), textcoords="offset points",
                  horizontalalignment="right")  # fmt: skip  # where no model stands
    for each in known:
        axes.loglog(each.parameters, each.tokens, "o", color=_LINE, markersize=4)
        axes.annotate(each.name, (each.parameters, each.tokens), xytext=(5, -9), textcoords="offset points", fontsize=7)
    axes.loglog(parameters, tokens, "o", color=GOOD)
    axes.annotate(report["model"]["name"][:40], (parameters, tokens), xytext=(8, -12), textcoords="offset points")
    _plain_ticks(axes.xaxis, axes.yaxis)
    axes.set_xlabel("parameters")
    axes.set_ylabel("training tokens")
    return _png(figure)


def _loss(report: Mapping[str, Any]) -> bytes | None:
    """The loss of the last stage over its steps, a logarithmic scale."""
    curves = report["losses"]
    if not curves:
        return None
    figure, axes = _figure(height=3.2)
    for name, points in curves.items():
        steps, values = zip(*points, strict=True)
        style = {"color": GOOD, "marker": "o", "markersize": 3} if name == "validation" else {"color": _LINE}
        axes.plot(steps, values, label=name, linewidth=1.2, **style)
    axes.set_yscale("log")
    _plain_ticks(axes.yaxis)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend(frameon=False)
    return _png(figure)


_PLOTS: Mapping[str, Callable[[Mapping[str, Any]], bytes | None]] = {
    "gates": _gates,
    "benchmarks": _benchmarks,
    "trend": _trend,
    "scale": _scale,
    "loss": _loss,
}


def _plain_ticks(*sides: Any) -> None:
    """Logarithmic axes labelled 0.1, 1, 10, 1M: their own labels are formulas, which are not drawn here."""
    for axis in sides:
        axis.set_major_formatter(lambda value, _: short(value) if value >= 1 else f"{value:.10g}")


def _figure(*, height: float) -> tuple[Any, Any]:
    """A figure of its own, without pyplot: no window, no state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=_LINE, alpha=0.25)
    return figure, axes


def _png(figure: Any) -> bytes:
    """PNG bytes without time or version: the same report drawn by the same matplotlib gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
