"""A plain CSV of results: for numbers that stand in a paper, a card or a spreadsheet.

    model,task,metric,value,n,few_shot,unit
    chat-v3,ctibench_mcq,acc,36.9,,0,percent

Needed are model, task, metric and value. An empty cell is a value that the source does not give: it stays missing.
Columns of other names are kept.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelqa.benchmarks.checks import MAX_ITEMS, refuse
from modelqa.benchmarks.result import UNITS, Result, ResultSet, complete, unit_of
from modelqa.files import sha256_file

MAX_TABLE_BYTES = 64 * 1024 * 1024
NEEDED = ("model", "task", "metric", "value")
_NUMBERS = ("value", "n", "stderr", "chance", "few_shot", "options")
_TEXTS = ("version", "filter", "control", "tokenizer", "items_sha256")
_KNOWN = {*NEEDED, *_NUMBERS, *_TEXTS, "unit", "chat_template", "higher_is_better"}
_TRUTH = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read(path: Path) -> ResultSet:
    """The results of a CSV file in UTF-8; `DataError` names the line and column that cannot be read."""
    if path.stat().st_size > MAX_TABLE_BYTES:
        refuse(f"{path} is larger than {MAX_TABLE_BYTES} bytes", "a table of results is small", "check the file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            columns = [str(name).strip() for name in reader.fieldnames or ()]
            rows = [(reader.line_num, row) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        refuse(f"{path} cannot be read: {error}", "it must be a CSV file in UTF-8 with a line of names", "mend it")
    if missing := [name for name in NEEDED if name not in columns]:
        refuse(f"{path} has no column {missing[0]!r}", f"needed are {', '.join(NEEDED)}", "add the column")
    if not rows or len(rows) > MAX_ITEMS:
        refuse(f"{path} holds {len(rows)} results", "a table states at least one", "check the file")
    results = tuple(_result(path, line, row) for line, row in rows)
    source = {"tool": "csv", "version": "", "files": {path.name: sha256_file(path)}}
    return ResultSet(source, results, [dict(row) for _, row in rows])


def _result(path: Path, line: int, row: Mapping[str | None, Any]) -> Result:
    if None in row or None in row.values():
        refuse(f"{path}, line {line}: not as many cells as names", "a cell is missing or too many", "mend the line")
    cells = {str(key).strip(): str(value).strip() for key, value in row.items()}
    numbers = {name: _number(path, line, name, cells.get(name, "")) for name in _NUMBERS}
    percent = cells.get("unit") == "percent"
    value = numbers["value"]
    scale = 100.0 if percent else 1.0
    unit = "rate" if percent else cells.get("unit") or unit_of(cells["metric"], value, ())
    if unit not in UNITS:
        refuse(f"{path}, line {line}: the unit {unit!r}", f"a unit is percent or one of {', '.join(UNITS)}", "name one")
    if unit == "rate" and value is not None and not 0 <= value / scale <= 1:
        refuse(
            f"{path}, line {line}: the rate {value}", "a rate lies between 0 and 1", "write unit percent, if it is one"
        )
    options, stated = numbers["options"], numbers["chance"]
    n = _whole(path, line, "n", numbers["n"])
    return complete(
        Result(
            model=cells["model"],
            task=cells["task"],
            metric=cells["metric"],
            value=None if value is None else value / scale,
            unit=unit,
            n=n,
            stderr=None if numbers["stderr"] is None else numbers["stderr"] / scale,
            stated=stated / scale if stated is not None else 1 / options if options else None,
            higher_is_better=_flag(path, line, cells, "higher_is_better") is not False,
            few_shot=_whole(path, line, "few_shot", numbers["few_shot"]),
            chat_template=_flag(path, line, cells, "chat_template"),
            version=cells.get("version", ""),
            filter=cells.get("filter", ""),
            control=cells.get("control", ""),
            tokenizer=cells.get("tokenizer", ""),
            items_sha256=cells.get("items_sha256", ""),
            extra={name: cell for name, cell in cells.items() if name not in _KNOWN},
        )
    )


def _number(path: Path, line: int, name: str, cell: str) -> float | None:
    if not cell:
        return None
    try:
        found = float(cell)
        if not math.isfinite(found) or (name in ("n", "options") and found < 1):
            raise ValueError(cell)
    except ValueError:
        refuse(
            f"{path}, line {line}: {name} is {cell!r}", "a number is needed, or nothing when it is unknown", "mend it"
        )
    return found


def _whole(path: Path, line: int, name: str, value: float | None) -> int | None:
    if value is not None and value != int(value):
        refuse(f"{path}, line {line}: {name} is {value}", "a whole number is needed", "mend the cell")
    return None if value is None else int(value)


def _flag(path: Path, line: int, cells: Mapping[str, str], name: str) -> bool | None:
    cell = cells.get(name, "").lower()
    if cell not in _TRUTH:
        refuse(f"{path}, line {line}: {name} is {cell!r}", "true, false or nothing is needed", "mend the cell")
    return _TRUTH[cell]
