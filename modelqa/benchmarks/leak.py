"""Did the training data hold the questions of a benchmark? Asked when a gain is too good to be taken at its word."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from modelqa.benchmarks.checks import MAX_ITEMS
from modelqa.benchmarks.concern import Concern, proven
from modelqa.benchmarks.result import read_results, rows_path
from modelqa.data.items import Item, items_of_row
from modelqa.data.overlap import overlaps
from modelqa.data.rows import read_rows
from modelqa.files import read_jsonl

TIERS = ("exact", "prompt", "ngram")  # of `modelqa.data.overlap`: the same text, not the same kind of text
SHOWN = 3  # questions named


def questions(record: Path, tasks: Collection[str]) -> dict[str, list[Item]]:
    """{task: its questions} from the sample rows beside a record; a task whose rows were not imported is left out."""
    path = rows_path(record)
    if not path.is_file():
        return {}
    tool = str(read_results(record).source["tool"])
    found: dict[str, dict[str, Item]] = {}
    for _, row in islice(read_jsonl(path), MAX_ITEMS):
        task, identity = str(row.get("task")).split("|")[0], str(row.get("id"))
        if task in tasks and (text := _question(tool, row.get("row"))):
            found.setdefault(task, {})[identity] = Item(identity, text)
    return {task: list(items.values()) for task, items in found.items()}


def _question(tool: str, row: Any) -> str:
    """The question as its author wrote it, without a template; "" when it is not text."""
    if not isinstance(row, Mapping):
        return ""
    if tool == "inspect_ai":
        text = row.get("input")
        last = text[-1].get("content") if isinstance(text, list) and text and isinstance(text[-1], dict) else text
        return last if isinstance(last, str) else ""
    doc = row.get("doc")
    texts = [value for value in doc.values() if isinstance(value, str)] if isinstance(doc, Mapping) else []
    return max(texts, key=len, default="")  # lm_eval's documents have fields of any name: the question is the longest


def leak_concerns(
    records: Sequence[Path], train: Sequence[Path], tasks: Collection[str]
) -> tuple[list[Concern], set[str]]:
    """(proven leaks, the tasks that were looked at) of the benchmarks `tasks` of some records.

    A task is looked at when its questions were imported and the training data is declared. `DataError` names a
    training row that cannot be read.
    """
    asked = {task: items for record in records for task, items in questions(record, tasks).items()} if train else {}
    concerns = []
    for task, items in sorted(asked.items()):
        report = overlaps(_training(train), items, disjoint={"prompt"})
        hits = sorted({overlap.item for tier in TIERS for overlap in report.of(tier)})
        if hits:
            named = ", ".join(hits[:SHOWN]) + (f" and {len(hits) - SHOWN} more" if len(hits) > SHOWN else "")
            text = f"{len(hits)} of {len(items)} questions stand in the training data ({named})"
            concerns.append(proven("leaked", task, text))
    return concerns, set(asked)


def _training(train: Sequence[Path]) -> Iterator[Item]:
    for path in train:
        for _, row in read_rows(path):
            yield from items_of_row(row, row["id"])
