"""Pictures as SVG text: no library, no time stamp, the same values give the same bytes. Labels are untrusted text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelqa.text import escape

WIDTH, HEIGHT, MARGIN = 760, 480, 64
LABEL = 40  # characters shown of a name
LETTER, LINE = 7.5, 14  # about how wide and high a character of 12 pixels is
INK, GREY, MARK = "#1b1f24", "#8a8f98", "#c2410c"


@dataclass(frozen=True)
class Mark:
    """A named point; `own` is the model that the picture is about."""

    label: str
    x: float
    y: float
    own: bool = False


def log_log(marks: Sequence[Mark], *, ratio: float, title: str, x: str, y: str, line: str) -> str:
    """An SVG of points on two logarithmic axes, with the line y = ratio * x. `ValueError` without positive points."""
    if not marks or min(min(mark.x, mark.y) for mark in marks) <= 0:
        raise ValueError("logarithmic axes need positive values")
    across, up = _decades(mark.x for mark in marks), _decades(mark.y for mark in marks)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif">',
        f"<title>{_text(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _words(WIDTH / 2, 26, title, size=15, anchor="middle"),
        _words(WIDTH / 2, HEIGHT - 14, x, anchor="middle"),
        _words(14, 44, y),
        *_grid(across, up),
        _diagonal(ratio, line, across, up),
    ]
    places = {mark: _place(mark.x, mark.y, across, up) for mark in marks}
    for mark in sorted(marks, key=lambda mark: mark.own):  # the model's own mark on top
        at_x, at_y = places[mark]
        colour, radius = (MARK, 7) if mark.own else (INK, 4)
        parts.append(f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{radius}" fill="{colour}"/>')
        late = at_x > WIDTH * 0.75 or _crowded(mark, places)
        parts.append(
            _words(at_x + (-10 if late else 10), at_y + 4, mark.label, anchor="end" if late else "start", colour=colour)
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _crowded(mark: Mark, places: Mapping[Mark, tuple[float, float]]) -> bool:
    """Whether another mark lies where this one's name would be written, to the right of it."""
    at_x, at_y = places[mark]
    end = 16 + LETTER * len(mark.label)
    return any(0 < x - at_x < end and abs(y - at_y) < LINE for other, (x, y) in places.items() if other != mark)


def _decades(values: Iterator[float]) -> tuple[int, int]:
    """The powers of ten that hold all values."""
    logs = [math.log10(value) for value in values]
    low = math.floor(min(logs))
    return low, max(low + 1, math.ceil(max(logs)))


def _place(x: float, y: float, across: tuple[int, int], up: tuple[int, int]) -> tuple[float, float]:
    share_x = (math.log10(x) - across[0]) / (across[1] - across[0])
    share_y = (math.log10(y) - up[0]) / (up[1] - up[0])
    return MARGIN + share_x * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - share_y * (HEIGHT - 2 * MARGIN)


def _grid(across: tuple[int, int], up: tuple[int, int]) -> Iterator[str]:
    for power in range(across[0], across[1] + 1):
        x, _ = _place(10.0**power, 10.0 ** up[0], across, up)
        yield f'<path d="M{x:.1f} {MARGIN}V{HEIGHT - MARGIN}" stroke="#e5e7eb"/>'
        yield _words(x, HEIGHT - MARGIN + 18, short(10.0**power), anchor="middle")
    for power in range(up[0], up[1] + 1):
        _, y = _place(10.0 ** across[0], 10.0**power, across, up)
        yield f'<path d="M{MARGIN} {y:.1f}H{WIDTH - MARGIN}" stroke="#e5e7eb"/>'
        yield _words(MARGIN - 8, y + 4, short(10.0**power), anchor="end")


def _diagonal(ratio: float, label: str, across: tuple[int, int], up: tuple[int, int]) -> str:
    """The part of y = ratio * x that lies inside; "" when none does."""
    low = max(10.0 ** across[0], 10.0 ** up[0] / ratio)
    high = min(10.0 ** across[1], 10.0 ** up[1] / ratio)
    if low >= high:
        return ""
    (x1, y1), (x2, y2) = _place(low, ratio * low, across, up), _place(high, ratio * high, across, up)
    middle = math.sqrt(low * high)
    at_x, at_y = _place(middle, ratio * middle, across, up)
    path = f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{GREY}" stroke-dasharray="6 4"/>'
    return path + "\n" + _words(at_x + 8, at_y + 14, label, colour=GREY)


def short(value: float) -> str:
    """ "1.1M", "300B", "15T": a count as people write it."""
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _words(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = INK) -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{_text(text)}</text>'


def _text(text: str) -> str:
    return escape(text, "xml", limit=2 * LABEL)
