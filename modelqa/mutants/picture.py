"""The kill matrix and the sensitivity curve as SVG: plain text and shapes, no library, nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from modelqa.mutants.matrix import Outcome, Row, gate_order, summary
from modelqa.text import escape

CELL = 18  # pixels, of a square of the matrix
LETTER = 6.4  # pixels, about, of a letter of a name
RISE = 0.82  # sine of the angle at which the names of gates rise
INK, FAINT, PAPER = "#1f2933", "#9aa5b1", "#ffffff"
# (fill, sign) of a cell: signs too, because colours alone are not told apart by everybody or on paper
MARKS = {
    "expected": ("#1b7f4d", "✓"),
    "kill": ("#e0a030", "○"),
    "pass": ("#e8ecef", ""),
    "doubt": ("#f3e6b3", "?"),
    "crash": ("#c0392b", "×"),
    "idle": (PAPER, ""),
    "unreached": ("#f6f7f9", ""),
}
QUIET = ("pass", "idle", "unreached")  # drawn without words, one shape for all: the picture of a zoo was megabytes
LEGEND = (("expected", "kills, as declared"), ("kill", "kills, not as declared"), ("pass", "passes"),
          ("doubt", "cannot tell"), ("crash", "crashed"), ("unreached", "not asked: killed before"))  # fmt: skip
OUTCOME_COLOURS = {Outcome.EXPECTED: "#1b7f4d", Outcome.OTHER: "#b7791f", Outcome.SURVIVED: "#c0392b",
                   Outcome.CRASHED: "#c0392b", Outcome.NOT_APPLICABLE: FAINT}  # fmt: skip
LINES = ("#1f77b4", "#d95f02", "#1b9e77", "#7b3294", "#a6761d", "#c51b7d", "#4d4d4d", "#008b8b", "#b2182b", "#5e8c31")
PLOT_WIDTH, PLOT_HEIGHT = 520, 320  # pixels, of the curve's field
LABEL = 14  # pixels between two labels, at least


def text(x: float, y: float, words: str, *, size: int = 11, colour: str = INK, extra: str = "") -> str:
    """One line of text at its baseline."""
    return (f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}"{" " + extra if extra else ""}>'
            f'{escape(words, "xml")}</text>')  # fmt: skip


def _page(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" font-family="system-ui, sans-serif" role="img">')  # fmt: skip
    back = f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>'
    return "\n".join([head, f"<title>{escape(title, 'xml')}</title>", back, *parts, "</svg>", ""])


def matrix_picture(model: str, rows: Sequence[Row]) -> str:
    """The kill matrix: a row a mutant, a column a gate in ladder order."""
    shown = [row for row in rows if row.outcome is not Outcome.NOT_APPLICABLE]
    gates = gate_order(shown)
    left = _width(row.kind.name for row in shown) + 20
    top = round(RISE * _width(gates)) + 70
    bottom = top + len(shown) * CELL + 26
    title = f"Kill matrix of {model}"
    parts = [text(16, 26, title, size=16), text(16, 46, summary(rows), colour=FAINT)]
    for column, gate in enumerate(gates):
        x = left + column * CELL + CELL * 0.7
        parts.append(text(x, top - 8, gate, extra=f'transform="rotate(-55 {x:g} {top - 8})"'))
    for number, row in enumerate(shown):
        parts.append(text(left - 10, top + number * CELL + 13, row.kind.name, colour=OUTCOME_COLOURS[row.outcome],
                          extra='text-anchor="end"'))  # fmt: skip
    parts += [*_cells(shown, gates, left, top), *_legend(bottom)]
    return _page(max(left + len(gates) * CELL + 150, left + 660), bottom + 24, title, parts)


def _width(names: Iterable[str]) -> int:
    """Pixels, about, of the longest name."""
    return round(LETTER * max(map(len, names), default=0))


def _cells(rows: Sequence[Row], gates: Sequence[str], left: int, top: int) -> list[str]:
    parts: list[str] = []
    quiet: dict[str, list[str]] = {mark: [] for mark in QUIET}
    for number, row in enumerate(rows):
        for column, gate in enumerate(gates):
            x, y, mark = left + column * CELL, top + number * CELL, _mark(row, gate)
            if mark in QUIET:
                quiet[mark].append(f"M{x + 1} {y + 1}h{CELL - 2}v{CELL - 2}h{2 - CELL}z")
            else:
                parts.append(_cell(row, gate, mark, x, y))
    return [*(f'<path fill="{MARKS[mark][0]}" d="{"".join(d)}"/>' for mark, d in quiet.items() if d), *parts]


def _mark(row: Row, gate: str) -> str:
    """One of `MARKS`: what a gate said of a mutant, and whether that was what was declared."""
    cell = row.cells.get(gate)
    mark = "unreached" if cell is None else cell.mark
    declared = row.outcome is Outcome.EXPECTED and row.expected and row.expected.gate == gate
    return "expected" if mark == "kill" and declared else mark


def _cell(row: Row, gate: str, mark: str, x: float, y: float) -> str:
    """A square that says on hovering what the gate said."""
    cell = row.cells[gate]
    told = f"{row.kind.name}, {gate}: {mark}, {cell.verdict.code} {cell.verdict.locus}"
    return f"<g><title>{escape(told, 'xml', limit=200)}</title>{_square(mark, x, y)}</g>"


def _square(mark: str, x: float, y: float) -> str:
    fill, sign = MARKS[mark]
    colour = PAPER if mark in ("expected", "crash") else INK
    square = f'<rect x="{x + 1:g}" y="{y + 1:g}" width="{CELL - 2}" height="{CELL - 2}" rx="2" fill="{fill}"/>'
    return square + (text(x + CELL / 2, y + 13, sign, colour=colour, extra='text-anchor="middle"') if sign else "")


def _legend(y: float) -> list[str]:
    parts, x = [], 16.0
    for mark, words in LEGEND:
        parts += [_square(mark, x, y - 13), text(x + CELL + 5, y, words)]
        x += CELL + 22 + 6.2 * len(words)
    return parts


def curve_picture(model: str, curves: Mapping[str, Sequence[tuple[float, float, str]]]) -> str:
    """Pass rate by strength of the damage, a line a gate: (strength, rate, mark) points in order of strength.

    Strengths are drawn at equal distances. A full circle is where the gate says no, an open one where it cannot tell.
    """
    strengths = sorted({strength for points in curves.values() for strength, _, _ in points})
    left, top = 60.0, 70.0
    step = PLOT_WIDTH / max(1, len(strengths) - 1)
    parts = [text(16, 26, f"Sensitivity of the gates of {model}", size=16),
             text(16, 46, "noise on every matrix of the layers, as a share of its standard deviation; "
                          "● says no, ○ cannot tell", colour=FAINT)]  # fmt: skip
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + PLOT_HEIGHT * (1 - share)
        parts += [f'<line x1="{left}" y1="{y:g}" x2="{left + PLOT_WIDTH}" y2="{y:g}" stroke="#e8ecef"/>',
                  text(left - 8, y + 4, f"{share:.0%}", colour=FAINT, extra='text-anchor="end"')]  # fmt: skip
    parts += [text(left + number * step, top + PLOT_HEIGHT + 20, f"{strength:g}", extra='text-anchor="middle"')
              for number, strength in enumerate(strengths)]  # fmt: skip
    ends = []
    for number, (gate, points) in enumerate(curves.items()):
        colour = LINES[number % len(LINES)]
        places = [(left + strengths.index(strength) * step, top + PLOT_HEIGHT * (1 - rate), mark)
                  for strength, rate, mark in points]  # fmt: skip
        path = " ".join(f"{x:g},{y:g}" for x, y, _ in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [_point(x, y, mark, colour) for x, y, mark in places]
        ends.append((places[-1][1], gate, colour))
    parts += _labels(left + PLOT_WIDTH + 14, sorted(ends))
    return _page(left + PLOT_WIDTH + 190, top + PLOT_HEIGHT + 40, f"Sensitivity of the gates of {model}", parts)


def _point(x: float, y: float, mark: str, colour: str) -> str:
    if mark not in ("kill", "doubt"):
        return ""
    fill = colour if mark == "kill" else PAPER
    return f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def _labels(x: float, ends: Sequence[tuple[float, str, str]]) -> list[str]:
    """Names beside the ends of their lines, moved up so far that no two overlap."""
    places: list[float] = []
    for y, _, _ in reversed(ends):
        places.append(min(y, places[-1] - LABEL) if places else y)
    return [text(x, y + 4, gate, colour=colour)
            for y, (_, gate, colour) in zip(reversed(places), ends, strict=True)]  # fmt: skip
