"""Items with options, and every way in which they are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from modelqa.data.choices import LETTERS, lettered
from modelqa.errors import DataError
from modelqa.files import read_jsonl
from modelqa.wording import forms

MIN_OPTIONS = 2
NO_STEM = "Choose one."  # stands where the question stood when the options are shown alone

Kind = Literal["asked", "options_only", "swapped"]


@dataclass(frozen=True)
class Item:
    """A question with its options; `answer` is the place of the right one, from 0."""

    id: str
    stem: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Shown:
    """An item as it is put before a model.

    item      its number on the sheet; kind: with its own question, without one, or under another item's
    options   in the order shown; right: the place of the right one in that order
    rotation  by how many places the options moved; 0: as the item was written
    """

    item: int
    kind: Kind
    rotation: int
    stem: str
    options: tuple[str, ...]
    right: int


def read_items(path: Path) -> list[Item]:
    """The items of a JSONL file: `{"id", "stem", "options": [...], "answer": place from 0}` a line.

    `DataError` names the line that is no item.
    """
    items = [_item(path, number, row) for number, row in read_jsonl(path, strict=True)]
    if not items:
        raise DataError(f"{path} holds no item", reason="there is nothing to choose from", remedy="add items")
    return items


def _item(path: Path, number: int, row: dict[str, Any]) -> Item:
    options, answer = row.get("options"), row.get("answer")
    sound = (
        isinstance(row.get("id"), str)
        and isinstance(row.get("stem"), str)
        and isinstance(options, list)
        and MIN_OPTIONS <= len(options) <= len(LETTERS)
        and all(isinstance(option, str) and option.strip() for option in options)
        and len({option.strip().casefold() for option in options}) == len(options)
        and isinstance(answer, int)
        and not isinstance(answer, bool)
        and 0 <= answer < len(options)
    )
    if not sound or not isinstance(options, list):
        raise DataError(
            f"{path}, line {number}: not an item",
            reason=f'an item has "id", "stem", {MIN_OPTIONS} to {len(LETTERS)} different "options", and "answer", the '
            "place of the right option from 0",
            remedy="mend the line",
        )
    return Item(row["id"], row["stem"], tuple(options), int(row["answer"]))


def sheet(items: Sequence[Item], *, rotate: bool = True) -> list[Shown]:
    """Everything that is shown, in one fixed order: each item in each of the three ways, in every rotation.

    `rotate` False shows each once, for forms in which the options have no place. `DataError` when an item finds no
    question to be shown under: all other items have its answer.
    """
    shown = []
    for number, item in enumerate(items):
        stems: dict[Kind, str] = {"asked": item.stem, "options_only": NO_STEM, "swapped": _foreign(items, number).stem}
        for kind, stem in stems.items():
            for rotation in range(len(item.options) if rotate else 1):
                options = item.options[rotation:] + item.options[:rotation]
                right = (item.answer - rotation) % len(item.options)
                shown.append(Shown(number, kind, rotation, stem, options, right))
    return shown


def _foreign(items: Sequence[Item], number: int) -> Item:
    """The next item whose right answer is not among this one's options, or at least is not its right answer."""
    own = items[number]
    others = [items[(number + step) % len(items)] for step in range(1, len(items))]
    outside = (other for other in others if other.options[other.answer] not in own.options)
    different = (other for other in others if other.options[other.answer] != own.options[own.answer])
    found = next(outside, None) or next(different, None)
    if found is None:
        raise DataError(
            f"item {own.id!r} has the right answer of every other item",
            reason="it is shown under another item's question, where its own right answer must be wrong",
            remedy="add items with other answers",
        )
    return found


def lettered_prompt(shown: Shown, *, words: bool = False) -> str:
    """The user message that shows the options, and asks for the letter or in `words` for the option itself."""
    return lettered(shown.stem, shown.options, words=words)


_FORGIVEN = ("final_punctuation", "quotes", "markdown", "lead", "closing", "emoji")
_LETTER = re.compile(
    r"(?:the )?(?:(?:correct |right |best )?(?:answer|option|choice)(?: is)?:? )?\(?([a-j])\)?[.:]?", re.I
)
_LEADING = re.compile(r"\(?([a-j])[).:] +", re.I)


def parse_letter(reply: str, shown: Shown) -> int | None:
    """The place that a reply chooses: a letter ("B", "(b)", "The answer is **B**."), an option written out, or both
    ("B. Rome"); None for anything else, for a letter that is not there, and for more than one choice.
    """
    places: set[int] = set()
    for form in forms(reply.strip(), _FORGIVEN):
        if match := _LETTER.fullmatch(form):
            places.add(LETTERS.index(match[1].upper()))
        places |= {place for place, option in enumerate(shown.options) if _same(form, option)}
        if match := _LEADING.match(form):
            place = LETTERS.index(match[1].upper())
            there = place < len(shown.options) and _same(form[match.end() :], shown.options[place])
            places |= {place} if there else set()
    chosen = places.pop() if len(places) == 1 else None
    return chosen if chosen is not None and chosen < len(shown.options) else None


def _same(text: str, option: str) -> bool:
    return text.strip().rstrip(".").casefold() == option.strip().rstrip(".").casefold()
