"""Postmortems: Markdown with front matter and fixed headings; the runs that they speak of, as data beside them.

---
id: letter-shortcut          # the file's name
title: ...
date: 2026-05-03
status: final                # or draft: not released
models: [chat-v3]
runs: [chat-v3, chat-v5]     # names in records/ID.json
gates: [letter_prior]
---
## Summary
...
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from modelqa.errors import UsageError
from modelqa.files import read_json, sha256_file

from .settings import front_matter, sections

HEADINGS = (
    "Summary",
    "Impact",
    "Timeline",
    "Root cause",
    "Detection",
    "Resolution",
    "What we believed first",
    "Was the harness ruled out",
    "Result table",
    "What we learned",
    "Decision",
    "Action items",
    "Sources",
)
FOLDER = "modelqa/postmortems"  # in a release
STATUSES = ("draft", "final")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_KEYS = ("id", "title", "date", "status", "models", "runs", "gates")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class RunFigures:
    """What is known of one run: `values` {key: number or text, None when it is missing}, `gates` {gate: {rate, ...}}.

    canonical  whether it is the model that stays
    record     digest of a run record; "" when the figures come from an account
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    canonical: bool = False
    record: str = ""


@dataclass(frozen=True)
class Figures:
    """The runs of a postmortem by name."""

    runs: Mapping[str, RunFigures]


@dataclass(frozen=True)
class Postmortem:
    """One postmortem as it was written. `body` is {heading: Markdown}; comments are left out."""

    path: Path
    id: str
    title: str
    date: str
    status: str
    models: tuple[str, ...]
    runs: tuple[str, ...]
    gates: tuple[str, ...]
    body: Mapping[str, str]

    @property
    def report_entry(self) -> dict[str, str]:
        """What a report says of it."""
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "summary": " ".join(self.body["Summary"].split()),
            "path": f"{FOLDER}/{self.id}.md",
            "sha256": sha256_file(self.path),
        }


def read_postmortem(path: Path) -> Postmortem:
    """The postmortem in a file; `UsageError` names the heading that is missing or empty, or the key that is wrong."""
    front, text = front_matter(path)
    body = sections(path, _COMMENT.sub("", text), HEADINGS)
    if missing := [heading for heading in HEADINGS if heading not in body]:
        _refuse(path, f"has no section {missing[0]!r}", "a reader needs all of them", f"add '## {missing[0]}'")
    if wrong := sorted({*front} ^ {*_KEYS}):
        word = "lacks" if wrong[0] in _KEYS else "has the unknown key"
        _refuse(path, f"{word} {wrong[0]!r} in its front matter", f"the keys are {', '.join(_KEYS)}", "mend it")
    check_id(path.stem)
    if front["id"] != path.stem:
        _refuse(path, f"has the id {front['id']!r}", "the id is the file's name", "make them the same")
    if front["status"] not in STATUSES:
        _refuse(path, f"has the status {front['status']!r}", f"a status is one of {', '.join(STATUSES)}", "correct it")
    lists = {key: _names(path, key, front[key]) for key in ("models", "runs", "gates")}
    return Postmortem(
        path, front["id"], _line(path, "title", front["title"]), _day(path, front["date"]), front["status"],
        lists["models"], lists["runs"], lists["gates"], body,
    )  # fmt: skip


def check_id(name: str) -> None:
    """`UsageError` for a name that is no postmortem's: it becomes a file's name, and a link on the card."""
    if not _ID.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a postmortem",
            reason="it becomes a file's name and a link",
            remedy="use small letters, digits and dashes",
        )


def figures_path(path: Path) -> Path:
    """Where the figures of the postmortem at `path` lie."""
    return path.parent / "records" / f"{path.stem}.json"


def read_figures(path: Path) -> Figures:
    """The figures in records/ID.json; `UsageError` when it has another form."""
    if not path.is_file():
        _refuse(path, "is missing", "a postmortem's numbers are compared with it", "write it: {runs: {NAME: {values}}}")
    value = read_json(path, strict=True)
    try:
        runs = {
            str(name): RunFigures(
                dict(run.get("values", {})),
                {gate: dict(numbers) for gate, numbers in run.get("gates", {}).items()},
                run.get("canonical", False) is True,
                str(run.get("record", "")),
            )
            for name, run in value["runs"].items()
        }
        return Figures(runs)
    except (KeyError, TypeError, ValueError, AttributeError):
        _refuse(path, "holds no figures", 'it is {"runs": {NAME: {"values": {KEY: NUMBER}}}}', "mend it")


def table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """(keys of the columns, rows) of the first Markdown table in a text; ([], []) when there is none.

    A column's key is its heading in small letters with underscores; bold and code marks of a cell are dropped.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    if len(lines) < 2 or not re.fullmatch(r"\|(?:\s*:?-+:?\s*\|)+", lines[1]):
        return [], []
    cells = [[_bare(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    keys = [heading.lower().replace(" ", "_") for heading in cells[0]]
    return keys, [dict(zip(keys, row, strict=False)) for row in cells[2:]]


def _bare(cell: str) -> str:
    """A cell without the marks around all of it: `chat-v3`, **bold**."""
    found = re.fullmatch(r"\*{0,2}`?([^`*]*)`?\*{0,2}", cell)
    return found[1].strip() if found else cell


def items(text: str) -> list[str]:
    """The items of the lists in a text, continuation lines joined."""
    found: list[str] = []
    for line in text.splitlines():
        if re.match(r"\s*(?:[-*]|\d+\.)\s+", line):
            found.append(re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "", line))
        elif found and line.startswith(" "):
            found[-1] += " " + line.strip()
    return found


def _refuse(path: Path, fact: str, reason: str, remedy: str) -> NoReturn:
    raise UsageError(f"{path} {fact}", reason=reason, remedy=remedy)


def _names(path: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
        _refuse(path, f"has {key} that are no list of names", "each is a text", f"write {key}: [NAME, ...]")
    return tuple(value)


def _line(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        _refuse(path, f"has a {key} that is no line of text", "it stands on the card", "write it in quotes")
    return value


def _day(path: Path, value: Any) -> str:
    try:
        return (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()
    except ValueError:
        _refuse(path, f"has the date {value!r}", "a date is YEAR-MONTH-DAY", "write it so")
