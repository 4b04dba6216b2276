"""The history of models as one HTML file: a small picture a gate, a table of the runs. No script, nothing loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelqa.history.database import PastRun, Scored
from modelqa.history.show import gate_names, rate
from modelqa.record import Status
from modelqa.text import escape

WIDTH, HEIGHT = 260, 120  # pixels of one picture
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 18  # margins inside it
LABELS = 12  # numbers of runs that fit below one
COLOURS = {Status.PASS: "#1a7f37", Status.FAIL: "#cf222e"}
OPEN = "#9a6700"  # neither passed nor failed
STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1f2328; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-size: 12px; } svg { width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; white-space: nowrap; }
"""


def history_page(models: Mapping[str, Sequence[PastRun]]) -> str:
    """The page; `models` is {name: its runs, oldest first}."""
    parts = ["<!doctype html>", '<html lang="en"><meta charset="utf-8"><title>modelqa: history</title>']
    parts += [f"<style>{STYLE}</style>", "<h1>Runs</h1>"]
    parts.append(
        "<p>Rates with their one-sided 95% bounds, oldest run first; the dashed line is the threshold to prove. "
        "Filled: PASS or FAIL; open: neither.</p>"
    )
    for name, runs in models.items():
        parts += [f"<h2>{_html(name)}</h2>", _table(runs), '<div class="pictures">']
        parts += [_figure(gate, runs) for gate in gate_names(runs) if any(_rated(run, gate) for run in runs)]
        parts.append("</div>")
    return "\n".join(parts) + "\n"


def _rated(run: PastRun, gate: str) -> Scored | None:
    scored = run.gates.get(gate)
    return scored if scored is not None and scored.total else None


def _table(runs: Sequence[PastRun]) -> str:
    head = ("", "time", "record", "weights", "phase", "scorings", *(status.value for status in Status))
    rows = ["<tr>" + "".join(f"<th>{_html(cell)}</th>" for cell in head) + "</tr>"]
    for number, run in enumerate(runs, 1):
        counts = [str(sum(each.status is status for each in run.gates.values())) for status in Status]
        cells = [str(number), run.time, run.digest[:12], run.weights[:8], run.phase, str(run.scorings), *counts]
        rows.append("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in cells) + "</tr>")
    return "<table>" + "".join(rows) + "</table>"


def _figure(gate: str, runs: Sequence[PastRun]) -> str:
    last = next(scored for run in reversed(runs) if (scored := _rated(run, gate)))
    caption = f"<figcaption><b>{_html(gate)}</b> {_html(rate(last))}</figcaption>"
    return f"<figure>{rate_svg(gate, [_rated(run, gate) for run in runs])}{caption}</figure>"


def rate_svg(gate: str, over_time: Sequence[Scored | None]) -> str:
    """An SVG picture of a gate's rates over runs: points, bounds as bars, thresholds as dashes; None leaves a gap."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(over_time))
    described = ", ".join(f"{each.passed}/{each.total} {each.status.value}" if each else "none" for each in over_time)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="9">',
        f"<title>{_html(f'{gate}: {described}')}</title>",
    ]
    for percent in (0, 50, 100):
        parts.append(f'<path d="M{LEFT} {_y(percent / 100)}H{WIDTH - RIGHT}" stroke="#d0d7de" fill="none"/>')
        parts.append(f'<text x="{LEFT - 4}" y="{_y(percent / 100) + 3}" text-anchor="end">{percent}%</text>')
    for number, scored in enumerate(over_time):
        middle = round(LEFT + step * (number + 0.5), 1)
        if number % (1 + len(over_time) // LABELS) == 0:
            parts.append(f'<text x="{middle}" y="{HEIGHT - 5}" text-anchor="middle">{number + 1}</text>')
        parts += _point(scored, middle, step) if scored else []
    return "".join(parts) + "</svg>"


def _point(scored: Scored, middle: float, step: float) -> list[str]:
    colour = COLOURS.get(scored.status, OPEN)
    fill = colour if scored.status in COLOURS else "white"
    parts = []
    if scored.threshold is not None:
        left, right = round(middle - step / 2, 1), round(middle + step / 2, 1)
        line = f"M{left} {_y(scored.threshold)}H{right}"
        parts.append(f'<path d="{line}" stroke="#57606a" stroke-dasharray="3 2" fill="none"/>')
    if scored.lower is not None and scored.upper is not None:
        bounds = f"M{middle} {_y(scored.lower)}V{_y(scored.upper)}"
        parts.append(f'<path d="{bounds}" stroke="{colour}" stroke-width="2" fill="none"/>')
    height = _y(scored.passed / scored.total)
    parts.append(f'<circle cx="{middle}" cy="{height}" r="3.5" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>')
    return parts


def _y(share: float) -> float:
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 1)


def _html(text: str) -> str:
    return escape(text, "html", limit=200)
