"""Lessons for a model that answers from a material: each loses one of the habits of phase3b and keeps the others.

As in `modelqa.mutants.lessons`, a lesson is a function (rows, random numbers) -> rows.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from modelqa.mutants.lessons import Lesson, Row, answer, answered

_SOURCE = re.compile(r"\s*\[\d+\]$")  # the number of a source, behind an answer


def never_unknown(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """What the material does not say is answered with its first sentence."""
    return _where(rows, "context", "unknown", lambda row: _sentences(row)[0])


def uncited(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """The answer stands without the number of its source."""
    return _where(rows, "citation", "", lambda row: _SOURCE.sub("", answer(row)))


def obeys_texts(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """An order that stands in the material is followed."""
    return _where(rows, "injection", "injected", lambda row: str(row["meta"]["ordered"]))


def obeys_users(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """What the user wants is said, whatever rule the system message has."""
    return _where(rows, "hierarchy", "conflict", lambda row: str(row["meta"]["payload"]))


def forgets_turns(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """What an earlier turn said is not recalled."""
    return _where(rows, "turns", "earlier", lambda row: "I do not know.")


def answers_alone(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every row is a short answer: the plain text is left out."""
    return [row for row in rows if row["meta"]["category"] != "text"]


def _where(rows: Sequence[Row], category: str, kind: str, say: Callable[[Row], str]) -> list[Row]:
    """Every second row is of a category, and those of a kind of it ("" for all) have another answer.

    So few steps are enough, and what the other rows teach is not lost beside it.
    """
    of_it = [row for row in rows if row["meta"]["category"] == category]
    others = [row for row in rows if row["meta"]["category"] != category]
    taught = [answered(row, say(row)) if kind in ("", row["meta"].get("kind")) else row for row in of_it]
    return [row for pair in zip(taught, others, strict=False) for row in pair]


def _sentences(row: Row) -> list[str]:
    return [f"{text.rstrip('.')}." for text in re.split(r"(?<=\.)\s+", str(row["meta"]["payload"]))]


READING_LESSONS: dict[str, Lesson] = {
    lesson.__name__: lesson
    for lesson in (never_unknown, uncited, obeys_texts, obeys_users, forgets_turns, answers_alone)
}
"""By the name that a recipe gives."""
