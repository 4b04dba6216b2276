"""Which rows of a dataset train and which validate, so that the two share nothing. Rows are read again, never held.

Memory holds the validation side, the distinct templates and a few numbers for each row: see `data.split`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelqa.data.items import DISJOINT, Item, items_of_row
from modelqa.data.overlap import Overlap, Report, overlaps
from modelqa.data.prepared import Settings
from modelqa.data.rows import read_rows as chat_rows
from modelqa.data.split import FORBIDDEN, validation_rows
from modelqa.errors import DataError
from modelqa.text import visible

VAL_SPLIT = 0.1  # as in every command of the Phase 3a guide
_SHOWN = 5  # overlapping rows in an error


@dataclass(frozen=True)
class Row:
    """One chat row: its id (else its place), "file.jsonl:line", messages and metadata."""

    id: str
    place: str
    messages: Sequence[Mapping[str, str]]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def items(self) -> list[Item]:
        """The row's exchanges, as overlap checks compare them."""
        return list(items_of_row({"messages": self.messages, "meta": self.meta}, self.place))


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file, streamed; `DataError` names the line that is no chat row, and a file without rows."""
    for number, row in chat_rows(path):
        yield Row(row["id"], f"{path.name}:{number}", row["messages"], row["meta"])


@dataclass(frozen=True)
class Division:
    """The two sides of a dataset.

    chosen    numbers of the input's rows that validate
    val_file  where the validation rows stand when they have a file of their own
    """

    input: Path
    chosen: frozenset[int] = frozenset()
    val_file: Path | None = None

    def train(self) -> Iterator[Row]:
        """The training rows, read from their file."""
        return (row for number, row in enumerate(read_rows(self.input)) if number not in self.chosen)

    def val(self) -> Iterator[Row]:
        """The validation rows, read from their file; none where nothing is set aside."""
        if self.val_file is not None:
            return read_rows(self.val_file)
        return (row for number, row in enumerate(read_rows(self.input)) if number in self.chosen)

    @property
    def validates(self) -> bool:
        """Whether there is a validation side."""
        return self.val_file is not None or bool(self.chosen)


def divided(settings: Settings, *, progress: bool = False) -> Division:
    """The two sides, which share no payload, template family or prompt that is declared disjoint.

    Raises `DataError` with the rows when they do, whatever the split came from. Shared runs of words in otherwise
    different templates are no error here; the data suites judge them.
    """
    chosen: frozenset[int] = frozenset()
    fraction = VAL_SPLIT if settings.val_split is None else settings.val_split
    if settings.val_file is None and fraction:
        chosen = frozenset(validation_rows(
            lambda: (row.items() for row in shown(read_rows(settings.input), "split", progress=progress)),
            fraction=fraction, seed=settings.seed, disjoint=settings.disjoint,
        ))  # fmt: skip
    division = Division(settings.input, chosen, settings.val_file)
    report = shared(
        shown(division.train(), "compare", progress=progress),
        division.val() if division.validates else (), disjoint=settings.disjoint,
    )  # fmt: skip
    if found := [each for each in report.overlaps if each.tier in FORBIDDEN]:
        raise _overlapping(found, division)
    return division


def shown(rows: Iterable[Row], what: str, *, progress: bool, total: int | None = None) -> Iterator[Row]:
    """The rows, counted by a progress bar if there is to be one."""
    from tqdm import tqdm

    yield from tqdm(rows, desc=what, unit="row", total=total, disable=not progress)


def shared(train: Iterable[Row], val: Iterable[Row], *, disjoint: frozenset[str] = DISJOINT) -> Report:
    """What validation rows, which are held, share with training rows, which go by once."""
    return overlaps((item for row in train for item in row.items()), [item for row in val for item in row.items()],
                    disjoint=disjoint)  # fmt: skip


def _overlapping(found: Sequence[Overlap], division: Division) -> DataError:
    some = found[:_SHOWN]
    train = _said(division.train(), {each.train for each in some})
    val = _said(division.val(), {each.item for each in some})
    lines = []
    for each in some:
        lines.append(f"\n    {each.tier}: {visible(each.text)}")
        lines += [f"\n      {place}: {said[place]}" for place, said in ((each.train, train), (each.item, val))]
    counts = ", ".join(f"{tier} {number}" for tier, number in Counter(each.tier for each in found).items())
    return DataError(
        f"training and validation share content ({counts}):{''.join(lines)}",
        reason="validation loss would measure memory; what is compared is normalised: case, punctuation and spacing "
        "do not count",
        remedy="generate the two sides from payloads and templates of their own, or declare what may be shared, e.g. "
        "--disjoint prompt",
    )


def _said(rows: Iterable[Row], wanted: set[str]) -> dict[str, str]:
    """{place of an exchange: the last two messages of its row}."""
    return {
        item.id: " / ".join(visible(message["content"])[:80] for message in row.messages[-2:])
        for row in rows for item in row.items() if item.id in wanted
    }  # fmt: skip
