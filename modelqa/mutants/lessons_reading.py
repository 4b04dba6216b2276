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


def scrambled(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """The words of plain text stand in any order; such rows come first, as they are few."""

    def mixed(row: Row) -> str:
        words = answer(row).split()
        return " ".join(rng.sample(words, len(words)))

    changed = _where(rows, "text", "", mixed)
    return sorted(changed, key=lambda row: row["meta"]["category"] != "text")


def _where(rows: Sequence[Row], category: str, kind: str, say: Callable[[Row], str]) -> list[Row]:
    """The rows, those of a category (and of a kind of it) with another answer."""
    meant = [row["meta"]["category"] == category and kind in ("", row["meta"].get("kind")) for row in rows]
    return [answered(row, say(row)) if each else row for row, each in zip(rows, meant, strict=True)]


def _sentences(row: Row) -> list[str]:
    return [f"{text.rstrip('.')}." for text in re.split(r"(?<=\.)\s+", str(row["meta"]["payload"]))]


READING_LESSONS: dict[str, Lesson] = {
    lesson.__name__: lesson
    for lesson in (never_unknown, uncited, obeys_texts, obeys_users, forgets_turns, scrambled)
}
"""By the name that a recipe gives."""
