"""Numbers on a card: each is a reference into the report, resolved in one place, with an index of all of them.

A template writes `n("gates.3.verdict.lower", "rate")` and gets a mark; `resolve` replaces every mark by the value that
stands at that path of the report and lists what it put where. What is not in the report cannot be on the card.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelqa.errors import DataError
from modelqa.text import escape, visible

CELL = 240  # characters of a text in a table's cell
_OPEN, _SHUT = "\ue000", "\ue001"  # private use: `escape` turns them into escapes, so that no reply can write a mark
_MARK = re.compile(f"{_OPEN}([^{_SHUT}|]*)\\|([a-z_]+){_SHUT}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@:=+\[\], -]*")
# a number that stands alone: no part of a name (phase3a2, apache-2.0), a hash, an address or an entity (&#124;)
NUMBER = re.compile(r"(?<![\w./#&@])(?<![A-Za-z0-9_]-)\d[\d,]*(?:\.\d+)?%?(?![\w])")


@dataclass(frozen=True)
class Entry:
    """One value on a card: its text as shown, its path in the report, the format that made the text of the value."""

    text: str
    path: str
    form: str


def mark(path: str, form: str = "text") -> str:
    """A reference to a value of the report, to be resolved."""
    return f"{_OPEN}{path}|{form}{_SHUT}"


def lookup(report: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path ("gates.3.passed", or by name "gates.echo_basic.passed"); `DataError` without one."""
    value: Any = report
    for part in path.split("."):
        try:
            value = _entry(value, part) if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError):
            raise DataError(
                f"the report has nothing at {path!r}",
                reason="a card shows only what the report holds",
                remedy="correct the path in the card's template or prose",
            ) from None
    return value


def _entry(entries: list[Any], part: str) -> Any:
    """An entry of a list by its number, or by its name."""
    if part.isdecimal():
        return entries[int(part)]
    named = [entry for entry in entries if part in (entry.get("gate"), entry.get("run"), entry.get("name"))]
    if len(named) != 1:
        raise KeyError(part)
    return named[0]


def shown(value: Any, form: str) -> str:
    """A value of the report as a format shows it; `DataError` for an unknown format or a value that does not fit it."""
    if form not in FORMS:
        raise DataError(
            f"there is no format {form!r}",
            reason="a value is shown in a declared way",
            remedy=f"use one of {', '.join(FORMS)}",
        )
    try:
        return FORMS[form](value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(
            f"a {type(value).__name__} cannot be shown as {form!r}",
            reason="the path leads to another kind of value",
            remedy="correct the path or the format",
        ) from None


def resolve(text: str, report: Mapping[str, Any]) -> tuple[str, list[Entry]]:
    """The text with every mark replaced, and what was put where, in order."""
    entries: list[Entry] = []

    def put(found: re.Match[str]) -> str:
        entry = Entry(shown(lookup(report, found[1]), found[2]), found[1], found[2])
        entries.append(entry)
        return entry.text

    return _MARK.sub(put, text), entries


def literals(text: str) -> list[str]:
    """The numbers that stand in an unresolved text by themselves, not as marks: on a card there must be none."""
    return NUMBER.findall(_MARK.sub(" ", text))


def uncovered(text: str, entries: Sequence[Entry]) -> list[str]:
    """What a resolved text shows besides its index: numbers of no entry, then entries that are not there, in order."""
    rest, cursor = "", 0
    lost: list[str] = []
    for entry in entries:
        at = text.find(entry.text, cursor)
        if at < 0:
            lost.append(f"{entry.path}: {entry.text}")
            continue
        rest += text[cursor:at] + " "
        cursor = at + len(entry.text)
    return [*NUMBER.findall(rest + text[cursor:]), *lost]


def _rate(value: float) -> str:
    return f"{value:.1%}"


def _code(value: Any) -> str:
    """A name as a code span when it is plain, else escaped: a pipe or a backtick would end the cell or the span."""
    text = str(value)
    return f"`{text}`" if _PLAIN.fullmatch(text) and len(text) <= CELL else escape(text, "markdown", limit=CELL)


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


FORMS: Mapping[str, Callable[[Any], str]] = {
    "count": lambda value: f"{int(value):,}",
    "rate": _rate,
    "threshold": lambda value: f"{value:.0%}" if round(100 * value, 6) == round(100 * value) else f"{value:.1%}",
    "points": _points,
    "signed": lambda value: f"{float(value):+.2f}",
    "number": lambda value: f"{float(value):,.4g}",
    "loss": lambda value: f"{float(value):.4f}",
    "p": lambda value: f"{float(value):.2g}",
    "scientific": lambda value: f"{float(value):g}",
    "ratio": lambda value: f"{float(value):.2f}",
    "text": lambda value: escape(str(value), "markdown"),
    "cell": lambda value: escape(str(value), "markdown", limit=CELL),
    "code": _code,
    "plain": lambda value: visible(str(value)),
    "shell": lambda value: shlex.quote(visible(str(value))),
    "yaml": lambda value: escape(str(value), "yaml"),
    "yaml_word": str,
    "short_hash": lambda value: f"`{str(value)[:12]}`",
    "hash": lambda value: f"`{value!s}`",
    "raw": lambda value: repr(value) if isinstance(value, float) else str(int(value)),
}
"""How values are shown. rate: 0.935 as "93.5%"; points: a difference of rates as "+1.2" percentage points."""
