"""The validation split of one dataset, so that what is declared disjoint is disjoint.

Rows that share a payload, a template family or a prompt go to one side together. A split of single rows, drawn by
chance, leaves most payloads and all templates on both sides, and the validation loss then measures memory.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from modelqa.data.items import Item
from modelqa.data.overlap import overlaps
from modelqa.errors import DataError
from modelqa.family import families

ENOUGH = 0.5  # of the asked share; a validation set half as large as asked is another experiment
FORBIDDEN = ("exact", "prompt", "answer", "payload", "template")  # tiers that no validation row may share
_OVERSHOOT = 1.1  # of the asked share that a group may lead to
_ROUNDS = 20  # of moving back what still overlaps; each round moves at least one row


def validation_rows(
    items: Sequence[Sequence[Item]], *, fraction: float, seed: int, disjoint: frozenset[str]
) -> list[int]:
    """The numbers of the rows to validate on, ascending; `items[i]` are the exchanges of row i.

    Raises `DataError` when no such split comes near `fraction`, with the share of rows that hang together.
    """
    groups = _groups(items, disjoint)
    target = max(1, round(fraction * len(items)))
    random.Random(seed).shuffle(groups)
    chosen: set[int] = set()
    for group in groups:
        if len(chosen) < target and len(chosen) + len(group) <= max(1.0, _OVERSHOOT * target):
            chosen.update(group)
    chosen = _without_overlap(items, chosen, disjoint)
    if len(chosen) < ENOUGH * target:
        raise _inseparable(len(chosen), target, len(items), max(map(len, groups)), disjoint)
    return sorted(chosen)


def _groups(items: Sequence[Sequence[Item]], disjoint: frozenset[str]) -> list[list[int]]:
    """Row numbers that hang together by what must be disjoint; in order of their first rows."""
    leader = list(range(len(items)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first: dict[Hashable, int] = {}
    for number, key in _keys(items, disjoint):
        a, b = find(number), find(first.setdefault(key, number))
        leader[max(a, b)] = min(a, b)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number in range(len(items)):
        members[find(number)].append(number)
    return list(members.values())


def _keys(items: Sequence[Sequence[Item]], disjoint: frozenset[str]) -> Iterator[tuple[int, Hashable]]:
    flat = [(number, item) for number, row in enumerate(items) for item in row]
    family = families([item.template for _, item in flat]) if "phrasing" in disjoint else [0] * len(flat)
    for (number, item), own in zip(flat, family, strict=True):
        if "phrasing" in disjoint and item.template:
            yield number, ("family", own)
        if "payload" in disjoint and item.payload_words:
            yield number, ("payload", item.payload_words)
        if "prompt" in disjoint:
            yield number, ("prompt", tuple(item.words))


def _without_overlap(items: Sequence[Sequence[Item]], chosen: set[int], disjoint: frozenset[str]) -> set[int]:
    """`chosen` less what overlaps the other rows in a way that grouping does not see, such as an undeclared payload."""
    for _ in range(_ROUNDS):
        numbered = {f"{number}": number for number in sorted(chosen)}
        inside = [_named(item, str(number)) for number in sorted(chosen) for item in items[number]]
        rest = (item for number in range(len(items)) if number not in chosen for item in items[number])
        found = overlaps(rest, inside, disjoint=disjoint).overlaps
        hit = {numbered[each.item] for each in found if each.tier in FORBIDDEN}
        if not hit or not chosen:
            break
        chosen = chosen - hit
    return chosen


def _named(item: Item, name: str) -> Item:
    return replace(item, id=name)


def _inseparable(found: int, target: int, rows: int, largest: int, disjoint: Iterable[str]) -> DataError:
    return DataError(
        f"no validation split of {target} rows keeps {', '.join(sorted(disjoint))} apart: {found} rows can be had",
        reason=f"rows that share one of these belong to one side, and {largest} of {rows} rows hang together",
        remedy="generate a validation file with payloads and templates of its own (--val_file), or declare what may be "
        "shared, e.g. --disjoint payload prompt, or train without one (--val_split 0)",
    )
