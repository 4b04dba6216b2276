"""A few fixed prompts with the replies of several models beside each other: to be read, not counted.

readings(columns_of(stored.run, stored.rows))     # rows for a card: a model, its baseline, its parent
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from modelqa.gates import BESIDE
from modelqa.record import Run
from modelqa.records import Asked, Row, by_gate

READING = "side_by_side"  # the gate of suites/benchmarks whose prompts are read


@dataclass(frozen=True)
class Reading:
    """One prompt and {who: what it said}, in the order in which they were given; "" for whoever was not asked."""

    case: str
    asked: str
    said: Mapping[str, str]


def readings(columns: Mapping[str, Mapping[str, Asked]]) -> list[Reading]:
    """A row for each prompt that somebody was asked; `columns` is {who: {case id: what was asked and said}}."""
    questions = {case: row.asked for column in columns.values() for case, row in column.items()}
    return [
        Reading(case, asked, {who: column[case].said if case in column else "" for who, column in columns.items()})
        for case, asked in sorted(questions.items())
    ]


def columns_of(run: Run, rows: Iterable[Row]) -> dict[str, Mapping[str, Asked]]:
    """{name: what it was asked and said} for a run's model, and for its baseline and parent if they were asked."""
    names = {"candidate": str(run.model["name"])}
    names |= {role: str(run.controls[role]["name"]) for role in BESIDE if role in run.controls}
    kept = tuple(rows)
    columns = {name: by_gate(kept, role).get(READING, {}) for role, name in names.items()}
    return {name: column for name, column in columns.items() if column}
