"""Defects of the data that models.toml declares: rows lost, changed, leaked or mislabelled; at most 5% of them.

The manifest beside the data is written again with the new hashes, so that only the story's own gate can see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from modelqa.data.rows import read_rows
from modelqa.files import read_json, sha256_file, write_json, write_jsonl
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling

TOUCHED = 0.05  # share of the rows that a defect may touch

Row = dict[str, Any]


def rows_of(paths: tuple[Path, ...], what: str) -> list[Row]:
    """The rows of the first file; `NotApplicable` when none is declared."""
    if not paths:
        raise NotApplicable(f"models.toml declares no {what} data")
    return [row for _, row in read_rows(paths[0])]


def put_rows(sibling: Sibling, path: Path, rows: list[Row]) -> None:
    """Write a data file again, and its hash into the manifest."""
    write_jsonl(path, rows)
    manifest = sibling.model.manifest
    if manifest is not None:
        content = read_json(manifest)
        content["files"] = {name: sha256_file(path) if Path(name).name == path.name else sha
                            for name, sha in content["files"].items()}  # fmt: skip
        write_json(manifest, content)


def _changed(change: Callable[[list[Row]], str], which: str, sibling: Sibling) -> Damage:
    """Change the rows of the first training or validation file in place; `change` gives the locus."""
    paths: tuple[Path, ...] = getattr(sibling.model, which)
    rows = rows_of(paths, which)
    locus = change(rows)
    put_rows(sibling, paths[0], rows)
    return sibling.damaged(locus)


def _last_lost(rows: list[Row]) -> str:
    """The last rows were never loaded."""
    del rows[-max(1, int(len(rows) * TOUCHED)) :]
    return "train.rows"


def same_id(rows: list[Row]) -> str:
    """The second row gets the id of the first."""
    rows[1]["id"] = rows[0]["id"]
    return str(rows[0]["id"])


def _no_category(rows: list[Row]) -> str:
    rows[len(rows) // 2]["meta"].pop("category")
    return str(rows[len(rows) // 2]["id"])


def _foreign_role(rows: list[Row]) -> str:
    """A row of another schema: its roles are "human" and "gpt"."""
    row = rows[len(rows) // 3]
    names = {"user": "human", "assistant": "gpt"}
    row["messages"] = [{**each, "role": names.get(each["role"], each["role"])} for each in row["messages"]]
    return str(row["id"])


def _category_lost(rows: list[Row]) -> str:
    """The rarest category has not one row: what was promised is not in the data."""
    category, count = min(Counter(row["meta"]["category"] for row in rows).items(), key=lambda item: item[1])
    if count > TOUCHED * len(rows):
        raise NotApplicable("its rarest category has more than 5% of the rows")
    kept = [row for row in rows if row["meta"]["category"] != category]
    rows[:] = [*kept, *({**row, "id": f"{row['id']}-again"} for row in kept[: len(rows) - len(kept)])]
    return "train.categories"


def _mix_drifted(rows: list[Row]) -> str:
    """Rows of the largest source stand where rows of another one were meant to."""
    sources = Counter(row["meta"]["source"] for row in rows).most_common()
    if len(sources) < 2:
        raise NotApplicable("its data has one source")
    most, least = sources[0][0], sources[-1][0]
    replaced = [row for row in rows if row["meta"]["source"] == least][: int(TOUCHED * len(rows))]
    for row in replaced:
        row["meta"]["source"] = most
    return "train.mix"


def leaked(question: str, answer: str, sibling: Sibling) -> Damage:
    """One training row asks and answers something that it must not hold."""

    def change(rows: list[Row]) -> str:
        _ask(rows, question, answer)
        return ""

    return _changed(change, "train", sibling)


def val_leaked(question: str, answer: str, sibling: Sibling) -> Damage:
    """One validation row, by which the best step was chosen, asks what certification asks."""

    def change(rows: list[Row]) -> str:
        _ask(rows, question, answer)
        return ""

    return _changed(change, "val", sibling)


def ancestor_leaked(question: str, answer: str, sibling: Sibling) -> Damage:
    """One training row of the parent asks what certification asks; the model's own data is clean."""
    parent = sibling.parent
    if parent is None or not parent.train:
        raise NotApplicable("models.toml declares no parent with training data")
    rows = rows_of(parent.train, "training")
    _ask(rows, question, answer)
    path = sibling.declared / "ancestor.jsonl"
    write_jsonl(path, rows)
    changed = replace(parent, train=(path, *parent.train[1:]), manifest=None)
    return replace(sibling, others=(changed,)).damaged("")


def _ask(rows: list[Row], question: str, answer: str) -> None:
    """Give the middle row this question and answer."""
    row = rows[len(rows) // 2]
    row["messages"] = [*(each for each in row["messages"] if each["role"] == "system"),
                       {"role": "user", "content": question}, {"role": "assistant", "content": answer}]  # fmt: skip


def _refused_answers(rows: list[Row]) -> str:
    """One answer in twenty is one that the grader of its category does not take."""
    asked = [row for row in rows if row["meta"]["category"] in ("say", "echo")][: int(TOUCHED * len(rows))]
    if not asked:
        raise NotApplicable("no row says a text back")
    for row in asked:
        row["messages"][-1] = {"role": "assistant", "content": f"Answer: {row['meta']['payload']}"}
    return str(asked[0]["meta"]["category"])


def _drowned(sibling: Sibling) -> Damage:
    """Most rows of a category that the phase must not go without are rows of other tasks instead."""
    quotas = sibling.model.quotas
    if not quotas:
        raise NotApplicable("models.toml declares no quotas")
    category, floor = next(iter(quotas.items()))

    def change(rows: list[Row]) -> str:
        mine = [number for number, row in enumerate(rows) if row["meta"]["category"] == category]
        others = [row for row in rows if row["meta"]["category"] != category]
        for place, number in enumerate(mine[int(floor * len(rows) / 2) :]):
            rows[number] = {**others[place % len(others)], "id": f"{rows[number]['id']}-instead"}
        return "train.quotas"

    return _changed(change, "train", sibling)


def _val_in_train(sibling: Sibling) -> Damage:
    """A validation row stands among the training rows too, under another id."""
    val = rows_of(sibling.model.val, "validation")
    rows = rows_of(sibling.model.train, "training")
    rows[len(rows) // 2]["messages"] = val[0]["messages"]
    put_rows(sibling, sibling.model.train[0], rows)
    return sibling.damaged(str(val[0]["id"]))


def _manifest_stale(sibling: Sibling) -> Damage:
    """One row changed after the manifest was written."""
    if sibling.model.manifest is None:
        raise NotApplicable("models.toml declares no manifest")
    rows = rows_of(sibling.model.train, "training")
    rows[0]["meta"] = {**rows[0]["meta"], "note": "mended"}
    write_jsonl(sibling.model.train[0], rows)
    return sibling.damaged("")


def _kind(name: str, story: str, failures: tuple[str, ...], code: str, change: Callable[[list[Row]], str],
          locus: str = "exact") -> Kind:  # fmt: skip
    return Kind(name, "data", story, failures, (Expected(code, locus),), partial(_changed, change, "train"))


DATA = (
    _kind("rows_lost", "the last rows of the training data were never loaded", ("F11", "F72"), "data.train.rows",
          _last_lost),
    _kind("same_id", "two rows have one id", ("F68",), "data.train.ids", same_id),
    _kind("no_category", "a row has lost its category", ("F46",), "data.train.no_nulls_category", _no_category),
    _kind("foreign_role", "a row has the roles of another schema", ("F48",), "data.train.roles", _foreign_role),
    _kind("category_lost", "a promised category has no row", ("F46",), "data.train.categories", _category_lost),
    _kind("mix_drifted", "one source has taken rows from another", ("F45",), "data.train.mix", _mix_drifted),
    _kind("answers_refused", "one answer in twenty is of a form that its grader refuses", ("F49",),
          "data.grader_contract", _refused_answers),
    Kind("drowned", "data", "a task that the phase must not go without has half its share of the rows", ("F21",),
         (Expected("data.train.quotas"),), _drowned),
    Kind("val_in_train", "data", "a validation row stands among the training rows", ("F44", "F68"),
         (Expected("data.train_val.prompt", "rows"),), _val_in_train),
    Kind("manifest_stale", "data", "a data file changed after its manifest was written", ("F62", "F70"),
         (Expected("data.files.manifest", "rows"),), _manifest_stale),
)  # fmt: skip
