"""`.eval_results/*.yaml`: a benchmark's result in the form that the Hub shows on that benchmark's leaderboard.

Only for datasets that the Hub registers as benchmarks (registered.txt): a gate of ours has no place there. The card's
source names a row of the benchmark table, and what it is a result of:

    eval_results:
    - benchmark: gsm8k exact_match        # a row of the benchmark table
      dataset: openai/gsm8k
      task: gsm8k                         # as in the dataset's eval.yaml
      per_cent: true                      # optional: as this leaderboard counts
      notes: 5-shot, greedy               # optional; revision: the dataset's commit
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NoReturn

from modelqa.errors import UsageError
from modelqa.models import nearest

FOLDER = ".eval_results"
KEYS = ("benchmark", "dataset", "task", "per_cent", "revision", "notes")
_NEEDED = ("benchmark", "dataset", "task")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@lru_cache(maxsize=1)
def registered() -> frozenset[str]:
    """The Hub ids of datasets that are known to be registered as benchmarks."""
    lines = (files(__package__) / "registered.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def result_entries(
    wanted: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], *, date: str
) -> list[dict[str, Any]]:
    """What the report says of each result that is sent to a leaderboard: path, benchmark, dataset, task, value, ...

    wanted   of the card's source; rows: the benchmark table. `UsageError` for a row, dataset or key that is none.
    """
    found = [_entry(each, {row["name"]: row for row in rows}, date) for each in wanted]
    paths = [entry["path"] for entry in found]
    if twice := [path for path in paths if paths.count(path) > 1]:
        _refuse(f"two results are for {twice[0]}", "a leaderboard takes one for each task", "name one of them")
    return found


def result_files(report: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the YAML files that a report's results make."""
    import yaml

    for entry in report["eval_results"]:
        yield entry["path"], yaml.safe_dump([result_of(entry)], sort_keys=False, allow_unicode=True).encode()


def result_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A report's entry as the Hub reads it."""
    dataset = {"id": entry["dataset"], "task_id": entry["task"]}
    dataset |= {"revision": entry["revision"]} if "revision" in entry else {}
    rest = {key: entry[key] for key in ("date", "notes") if key in entry}
    return {"dataset": dataset, "value": entry["value"], **rest}


def _entry(wanted: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], date: str) -> dict[str, Any]:
    unknown, missing = sorted({*wanted} - {*KEYS}), [key for key in _NEEDED if not wanted.get(key)]
    if unknown or missing:
        _refuse(
            f"a result has the unknown key {unknown[0]!r}" if unknown else f"a result lacks {missing[0]!r}",
            f"the keys are {', '.join(KEYS)}",
            "correct it",
        )
    if wanted["dataset"] not in registered():
        _refuse(
            f"{wanted['dataset']!r} is not known as a registered benchmark",
            "the Hub takes results of datasets with the tag Benchmark alone",
            nearest(str(wanted["dataset"]), registered()) or "leave it to the card's table",
        )
    row = rows.get(str(wanted["benchmark"]))
    if row is None or row["unit"] not in ("rate", "score"):
        _refuse(
            f"the benchmark table has no score named {wanted['benchmark']!r}",
            f"its rows are {', '.join(rows) or 'none'}",
            nearest(str(wanted["benchmark"]), rows)
            or "import the result, and name it in models.toml: benchmarks = [...]",
        )
    name = _NOT_IN_A_NAME.sub("-", f"{wanted['dataset']}-{wanted['task']}".lower())
    texts = {key: str(wanted[key]) for key in ("benchmark", "dataset", "task", "revision", "notes") if key in wanted}
    value = 100 * row["value"] if wanted.get("per_cent") is True else row["value"]
    return {"path": f"{FOLDER}/{name}.yaml", **texts, "value": value, **({"date": date} if date else {})}


def _refuse(fact: str, reason: str, remedy: str) -> NoReturn:
    raise UsageError(f"eval_results of the card: {fact}", reason=reason, remedy=remedy)
