"""The validation split of one dataset, so that what is declared disjoint is disjoint.

Rows that share a payload, a template family or a prompt go to one side together. A split of single rows, drawn by
chance, leaves most payloads and all templates on both sides, and the validation loss then measures memory.
"""

from __future__ import annotations

import hashlib
import random
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from modelqa.data.items import Item
from modelqa.data.overlap import overlaps
from modelqa.errors import DataError
from modelqa.family import families

ENOUGH = 0.5  # of the asked share; a validation set half as large as asked is another experiment
FORBIDDEN = ("exact", "prompt", "answer", "payload", "template")  # tiers that no validation row may share
_OVERSHOOT = 1.1  # of the asked share that a group may lead to
_ROUNDS = 20  # of moving back what still overlaps; each round moves at least one row
_KEY_BYTES = 16  # of what rows may share: two of 2^40 keys meet by chance once in 2^48 datasets

Rows = Callable[[], Iterable[Sequence[Item]]]  # reads the rows anew each time: the exchanges of each


def validation_rows(rows: Rows, *, fraction: float, seed: int, disjoint: frozenset[str]) -> list[int]:
    """The numbers of the rows to validate on, ascending. `rows` is read two or more times.

    What is held in memory: distinct templates, two numbers and three short hashes for each exchange, and the
    validation side. Raises `DataError` when no such split comes near `fraction`, with the share of rows that hang
    together.
    """
    keys = _Keys()
    for number, items in enumerate(rows()):
        keys.add(number, items, disjoint)
    groups = keys.groups()
    target = max(1, round(fraction * keys.rows))
    random.Random(seed).shuffle(groups)
    chosen: set[int] = set()
    for group in groups:
        if len(chosen) < target and len(chosen) + len(group) <= max(1.0, _OVERSHOOT * target):
            chosen.update(group)
    chosen = _without_overlap(rows, chosen, disjoint)
    if len(chosen) < ENOUGH * target:
        raise _inseparable(len(chosen), target, keys.rows, max(map(len, groups), default=0), disjoint)
    return sorted(chosen)


@dataclass
class _Keys:
    """Rows by what they may not share with the other side: payload and prompt as hashes, and the template's family."""

    rows: int = 0
    templates: dict[str, int] = field(default_factory=dict)
    families: array[int] = field(default_factory=lambda: array("q"))  # pairs: row, number of its template
    leader: array[int] = field(default_factory=lambda: array("q"))
    first: dict[bytes, int] = field(default_factory=dict)

    def add(self, number: int, items: Iterable[Item], disjoint: frozenset[str]) -> None:
        """Take the exchanges of the next row."""
        self.rows = number + 1
        self.leader.append(number)
        for item in items:
            if "phrasing" in disjoint and item.template:
                self.families.extend((number, self.templates.setdefault(item.template, len(self.templates))))
            if "payload" in disjoint and item.payload_words:
                self._join(number, "payload", item.payload_words)
            if "prompt" in disjoint:
                self._join(number, "prompt", item.words)

    def groups(self) -> list[list[int]]:
        """Row numbers that hang together; in order of their first rows."""
        family = families(list(self.templates))
        for number, template in zip(self.families[::2], self.families[1::2], strict=True):
            self._join(number, "family", (str(family[template]),))
        members: defaultdict[int, list[int]] = defaultdict(list)
        for number in range(self.rows):
            members[self._find(number)].append(number)
        return list(members.values())

    def _find(self, number: int) -> int:
        leader = self.leader
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    def _join(self, number: int, kind: str, words: Iterable[str]) -> None:
        text = "\n".join([kind, *words]).encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(text, digest_size=_KEY_BYTES).digest()
        a, b = self._find(number), self._find(self.first.setdefault(key, number))
        self.leader[max(a, b)] = min(a, b)


def _without_overlap(rows: Rows, chosen: set[int], disjoint: frozenset[str]) -> set[int]:
    """`chosen` less what overlaps the other rows in a way that grouping does not see, such as an undeclared payload."""
    held = {number: items for number, items in enumerate(rows()) if number in chosen}
    for _ in range(_ROUNDS):
        inside = [_named(item, str(number)) for number in sorted(chosen) for item in held[number]]
        rest = (item for number, items in enumerate(rows()) if number not in chosen for item in items)
        found = overlaps(rest, inside, disjoint=disjoint).overlaps
        hit = {int(each.item) for each in found if each.tier in FORBIDDEN}
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
