"""Does a postmortem agree with its records? Pure: problems, each with a code of its own.

A sentence, list item or table row that names a run or a gate in `backticks` states no number but what the records hold
of that run or gate, or a difference between runs, to the precision that it prints.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any

from modelqa.record import Problem

from .postmortem import Figures, Postmortem, RunFigures, items, table

MISSING = ("missing", "–", "-")  # how a table says that a value is not known
ACTION_TYPES = ("detect", "prevent", "mitigate", "process")
_FIGURE = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w])", re.IGNORECASE)
_NO_FIGURE = re.compile(r"`[^`\n]+`|\b\d{4}-\d{2}(?:-\d{2})?\b|\b(?:day|week|step) \d+:")  # names and dates
_NAME = re.compile(r"`([^`\n]+)`")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*[-*|]\s)")
_PLACEHOLDER = re.compile(r"\bTODO\b|\bTBD\b|\bFIXME\b|\?\?\?|more information needed", re.IGNORECASE)
_NOBODY = ("", "nobody", "none", "someone", "everyone", "-", "–")
_MOMENT = re.compile(r"(?:(?P<day>\d{4}(?:-\d{2}(?:-\d{2})?)?)|(?P<word>day|week|step) (?P<number>\d+))\s*:")


def problems(postmortem: Postmortem, figures: Figures, gates: Collection[str]) -> list[Problem]:
    """Everything in which a postmortem contradicts its records or leaves a rule unmet; `gates` are those that exist."""
    return [
        *_names(postmortem, figures, gates),
        *_placeholders(postmortem),
        *_timeline(postmortem),
        *_result_table(postmortem, figures),
        *_numbers(postmortem, figures, gates),
        *_actions(postmortem, gates),
    ]


def agrees(stated: str, value: float) -> bool:
    """Whether a printed number is `value` rounded to the digits that it prints; a rate may be printed in per cent."""
    text = stated.replace(",", "").replace("−", "-").removesuffix("%")
    digits = len(text.partition(".")[2]) if "e" not in text.lower() else 12
    half = 0.5 * 10.0**-digits * (1 + 1e-9)
    scales = (100.0,) if stated.endswith("%") and abs(value) <= 1 else (1.0, 100.0) if 0 < abs(value) < 1 else (1.0,)
    return any(abs(float(text) - scale * value) <= half for scale in scales)


def is_gate(name: str, gates: Collection[str]) -> bool:
    """Whether a name is a gate's: its own, or that of one of its parameters ("data[train.rows]" is of "data")."""
    return name in gates or name.partition("[")[0] in gates


def _names(postmortem: Postmortem, figures: Figures, gates: Collection[str]) -> Iterator[Problem]:
    for run in postmortem.runs:
        if run not in figures.runs:
            yield Problem("postmortem.run", run, f"no record holds a run {run!r}")
    for gate in postmortem.gates:
        if not is_gate(gate, gates):
            yield Problem("postmortem.gate", gate, f"there is no gate {gate!r} in the suites")


def _placeholders(postmortem: Postmortem) -> Iterator[Problem]:
    for heading, text in postmortem.body.items():
        if found := _PLACEHOLDER.search(text):
            yield Problem("postmortem.placeholder", heading, f"{found[0]!r} stands under {heading!r}")


def _timeline(postmortem: Postmortem) -> Iterator[Problem]:
    """Dates, or numbered days, weeks or steps, one an item, in order."""
    moments = [_MOMENT.match(item) for item in items(postmortem.body["Timeline"])]
    kinds = {found["word"] or "date" for found in moments if found}
    if not moments or None in moments or len(kinds) != 1:
        text = "each item begins with a date (2026-05-14: ...), or all with 'day N:', 'week N:' or 'step N:'"
        yield Problem("postmortem.timeline", "Timeline", text)
        return
    keys = [(found["day"] or "", int(found["number"] or 0)) for found in moments if found]
    if keys != sorted(keys):
        yield Problem("postmortem.timeline", "Timeline", "the items are not in order")


def _result_table(postmortem: Postmortem, figures: Figures) -> Iterator[Problem]:
    keys, rows = table(postmortem.body["Result table"])
    if keys[:2] != ["run", "role"] or not rows:
        yield Problem("postmortem.table", "Result table", "a table is needed whose first columns are run and role")
        return
    canonical = [row["run"] for row in rows if row.get("role") == "canonical"]
    if len(canonical) != 1:
        text = f"{len(canonical)} runs are called canonical; exactly one is"
        yield Problem("postmortem.canonical", ", ".join(canonical) or "Result table", text)
    for row in rows:
        run = figures.runs.get(row["run"])
        if run is None:
            yield Problem("postmortem.run", row["run"], f"the table shows a run {row['run']!r} that no record holds")
            continue
        if run.canonical != (row.get("role") == "canonical"):
            yield Problem("postmortem.canonical", row["run"], "table and record disagree about what is canonical")
        for key in keys[2:]:
            if not _cell_agrees(row.get(key, ""), _value(run, key)):
                text = f"{key} of {row['run']} is {row.get(key, '')!r}, its record says {_value(run, key)!r}"
                yield Problem("postmortem.number", f"{row['run']}.{key}", text)
    absent = sorted(set(postmortem.runs) - {row["run"] for row in rows})
    if absent:
        yield Problem("postmortem.table", absent[0], "the front matter names a run that the table does not show")


def _value(run: RunFigures, key: str) -> Any:
    return run.gates[key].get("rate") if key in run.gates else run.values.get(key)


def _cell_agrees(cell: str, value: Any) -> bool:
    if value is None:
        return cell in MISSING
    if isinstance(value, str):
        return cell == value
    return bool(_FIGURE.fullmatch(cell)) and agrees(cell, float(value))


def _numbers(postmortem: Postmortem, figures: Figures, gates: Collection[str]) -> Iterator[Problem]:
    for heading, text in postmortem.body.items():
        for sentence in _SENTENCE.split(_prose(text) if heading == "Result table" else text):
            named = set(_NAME.findall(sentence))
            runs = {name for name in named if name in figures.runs}
            asked = {name for name in named if any(name in run.gates for run in figures.runs.values())}
            if not runs and not asked and not any(is_gate(name, gates) for name in named):
                continue
            known = list(_known(figures, runs, asked))
            for stated in _FIGURE.findall(_NO_FIGURE.sub(" ", sentence)):
                if not any(agrees(stated, value) or agrees(stated, -value) for value in known):
                    wrong = f"{stated} under {heading!r} is no value of {', '.join(sorted(named))} in the records"
                    yield Problem("postmortem.number", f"{heading}: {stated}", wrong)


def _prose(text: str) -> str:
    """A text without its table, whose cells are compared one by one."""
    return "\n".join(line for line in text.splitlines() if not line.strip().startswith("|"))


def _known(figures: Figures, runs: Collection[str], gates: Collection[str]) -> Iterator[float]:
    """The numbers that a sentence about these runs and gates may state, differences to each other included."""
    yield from _floats(figures.facts)
    chosen = [figures.runs[name] for name in runs] or list(figures.runs.values())
    others = [*chosen, *(run for run in figures.runs.values() if run.canonical)]
    for run in chosen:
        if runs:
            yield from _floats(run.values)
        for gate in gates:
            yield from _floats(run.gates.get(gate, {}))
    for one, two in product(chosen, others):
        for key in {*one.values} & {*two.values} if runs else ():
            yield from _difference(one.values[key], two.values[key])
        for gate in gates:
            yield from _difference(one.gates.get(gate, {}).get("rate"), two.gates.get(gate, {}).get("rate"))


def _difference(one: Any, two: Any) -> Iterator[float]:
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, two)):
        yield abs(float(one) - float(two))


def _floats(values: Mapping[str, Any]) -> Iterator[float]:
    for value in values.values():
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)


def _actions(postmortem: Postmortem, gates: Collection[str]) -> Iterator[Problem]:
    keys, rows = table(postmortem.body["Action items"])
    if keys != ["action", "type", "owner", "state"] or not rows:
        yield Problem("postmortem.actions", "Action items", "a table is needed: action, type, owner, state")
        return
    for row in rows:
        action = row.get("action", "")[:60]
        if row.get("owner", "").lower() in _NOBODY:
            yield Problem("postmortem.owner", action, "an action without an owner is not done")
        if row.get("type") not in ACTION_TYPES:
            yield Problem("postmortem.actions", action, f"its type is none of {', '.join(ACTION_TYPES)}")
    detecting = [row.get("action", "") for row in rows if row.get("type") == "detect"]
    if not any(is_gate(name, gates) for action in detecting for name in _NAME.findall(action)):
        text = "no action of type detect names a gate that exists: it could happen again unseen"
        yield Problem("postmortem.detection", "Action items", text)
