"""A few fixed prompts with the replies of several models beside each other: to be read, not counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelqa.records import Asked, Stored

GATE = "side_by_side"  # the gate of suites/benchmarks whose prompts are read
ROLES = ("candidate", "baseline", "parent")


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


def readings_of(stored: Stored) -> list[Reading]:
    """The readings in one record: its candidate, and beside it the baseline and the parent that were asked with it."""
    columns = {role: stored.asked(role).get(GATE, {}) for role in ROLES}
    return readings({role: column for role, column in columns.items() if column})
