"""lighteval: `results_*.json` and, where pandas can read them, `details_TASK_*.parquet`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelqa.benchmarks.checks import check_count, check_mean, check_size, need, refuse
from modelqa.benchmarks.result import Item, Result, ResultSet, complete, number, unit_of
from modelqa.files import canonical_json, sha256_file, sha256_text

MARKS = frozenset({"config_general", "config_tasks", "results"})
AVERAGES = "_average"  # tasks that average others hold no questions of their own

Rows = list[dict[str, Any]]


def read(path: Path, content: Mapping[str, Any], samples: Sequence[Path]) -> ResultSet:
    """The results of one run; the questions only of tasks whose details file is given."""
    check_size(samples)
    details = [(file, _parquet(file)) for file in samples]
    rows = {_task_of(file, found): found for file, found in details}
    paths = {_task_of(file, found): file for file, found in details}
    results: list[Result] = []
    for key, values in need(content["results"], dict, path, "results").items():
        config = content["config_tasks"].get(key, {})
        if key == "all" or AVERAGES in key:
            continue
        found, stated = rows.get(key, []), config.get("effective_num_docs")
        if found:
            check_count(paths[key], key, len(found), stated)
        results += _results(path, content, key, need(values, dict, path, f"results.{key}"), found)
    general = content["config_general"]
    files = {file.name: sha256_file(file) for file in (path, *samples)}
    source = {"tool": "lighteval", "version": str(general.get("lighteval_sha", "")), "files": files}
    kept = tuple(
        {"task": key, "id": str(number), "row": row} for key, all_ in rows.items() for number, row in enumerate(all_)
    )
    return ResultSet(source, tuple(results), content, kept)


def _task_of(file: Path, rows: Rows) -> str:
    """The task that the rows themselves name: file systems without "|" change the file's name."""
    if not rows:
        refuse(f"{file} holds no question", "details of a task have at least one", "leave the file out")
    return str(rows[0]["doc"]["task_name"])


def _parquet(file: Path) -> Rows:
    import pandas

    try:
        frame = pandas.read_parquet(file)
    except ImportError:
        refuse(
            f"{file} is a parquet file, and no library here reads it",
            "details of lighteval are parquet, which needs pyarrow beside pandas",
            "pip install pyarrow, or import the results file alone",
        )
    except (OSError, ValueError) as error:
        refuse(f"{file} cannot be read: {error}", "it must be a whole parquet file", "take the file again, unedited")
    rows: Rows = json.loads(frame.to_json(orient="records"))
    return rows


def _results(path: Path, content: Mapping[str, Any], key: str, values: Mapping[str, Any], rows: Rows) -> list[Result]:
    config = content["config_tasks"].get(key, {})
    task, _, shots = key.rpartition("|")
    metrics = {entry.get("metric_name"): entry for entry in config.get("metrics", []) if isinstance(entry, dict)}
    results = []
    for metric, value in values.items():
        if metric.endswith("_stderr"):
            continue
        items = tuple(_item(row, metric) for row in rows if number(row.get("metric", {}).get(metric)) is not None)
        scores = [item.score for item in items]
        known = [score for score in scores if score is not None]
        if known and metrics.get(metric, {}).get("corpus_level_fn") == "mean":
            check_mean(path, f"{key} {metric}", sum(known) / len(known), number(value))
        results.append(
            complete(
                Result(
                    model=str(content["config_general"].get("model_name", "")),
                    task=task or key,
                    metric=metric,
                    value=number(value),
                    unit=unit_of(metric, number(value), scores),
                    n=config.get("effective_num_docs"),
                    stderr=number(values.get(f"{metric}_stderr")),
                    higher_is_better=bool(metrics.get(metric, {}).get("higher_is_better", True)),
                    version=str(content.get("versions", {}).get(key, "")),
                    few_shot=int(shots) if shots.isdecimal() else None,
                    items_sha256=str(
                        content.get("summary_tasks", {}).get(key, {}).get("hashes", {}).get("hash_examples", "")
                    ),
                    items=items,
                    extra={"config": config},
                )
            )
        )
    return results


def _item(row: Mapping[str, Any], metric: str) -> Item:
    doc, response = row.get("doc", {}), row.get("model_response", {})
    choices, scores = doc.get("choices") or [], response.get("logprobs") or []
    several = len(choices) > 1
    texts = response.get("text_post_processed") or response.get("text") or []
    answer: str | None = str(next(iter(texts), ""))
    if several and len(scores) == len(choices):
        answer = str(scores.index(max(scores))) if metric == "acc" else None  # others weigh by length, or otherwise
    return Item(
        id=str(doc.get("id", "")),
        score=number(row["metric"][metric]),
        gold=str(doc.get("gold_index", "")),
        answer=answer,
        options=len(choices) if several else None,
        sha256=sha256_text(canonical_json([doc.get("query"), choices])),
    )
