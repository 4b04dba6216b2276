"""lm-evaluation-harness: `results_*.json` and, where they lie beside it, `samples_TASK_*.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelqa.benchmarks.checks import check_count, check_mean, check_size, need
from modelqa.benchmarks.result import Item, Result, ResultSet, complete, number, unit_of
from modelqa.files import canonical_json, read_jsonl, sha256_file, sha256_text

MARKS = frozenset({"results", "configs", "n-shot"})
_GROUP_DEPTH = 8  # groups of groups; deeper ones run in a circle
_UNPARSED = ("[invalid]", "")  # what its answer filters write when they find no answer

Rows = list[dict[str, Any]]


def read(path: Path, content: Mapping[str, Any], samples: Sequence[Path]) -> ResultSet:
    """The results of one run, with the questions of every task whose sample file is given or lies beside it."""
    stamp = path.stem.removeprefix("results_")
    files = list(samples) or sorted(path.parent.glob(f"samples_*_{stamp}.jsonl"))
    check_size(files)
    rows = {_task_of(file, stamp): [row for _, row in read_jsonl(file)] for file in files}
    paths = {_task_of(file, stamp): file for file in files}
    results: list[Result] = []
    for task, values in need(content["results"], dict, path, "results").items():
        need(values, dict, path, f"results.{task}")
        found = rows.get(task, [])
        stated = _stated_count(content, task)
        if found:
            check_count(paths[task], task, len({row.get("doc_id") for row in found}), stated)
        results += _results(path, content, task, values, found, stated)
    source = {
        "tool": "lm_eval",
        "version": str(content.get("lm_eval_version", "")),
        "files": {file.name: sha256_file(file) for file in (path, *files)},
    }
    kept = tuple(
        {"task": task, "id": str(row.get("doc_id")), "row": row} for task, all_ in rows.items() for row in all_
    )
    return ResultSet(source, tuple(results), content, kept)


def _task_of(file: Path, stamp: str) -> str:
    return file.name.removeprefix("samples_").removesuffix(".jsonl").removesuffix(f"_{stamp}")


def _parts(content: Mapping[str, Any], task: str) -> list[str]:
    """The tasks of a group, which has no questions of its own; [] for a task."""
    return list(content.get("group_subtasks", {}).get(task) or [])


def _stated_count(content: Mapping[str, Any], task: str, depth: int = 0) -> int | None:
    """How many questions a task, or all tasks of a group, asked; None when the file does not say."""
    if (parts := _parts(content, task)) and depth < _GROUP_DEPTH:
        found = [_stated_count(content, part, depth + 1) for part in parts]
        known = [count for count in found if count is not None]
        return sum(known) if len(known) == len(found) else None
    counts = content.get("n-samples", {}).get(task, {})
    effective = counts.get("effective") if isinstance(counts, dict) else None
    return effective if isinstance(effective, int) and effective > 0 else None


def _results(
    path: Path, content: Mapping[str, Any], task: str, values: Mapping[str, Any], rows: Rows, stated: int | None
) -> list[Result]:
    config = content["configs"].get(task, {})
    results = []
    for key, value in values.items():
        metric, comma, chosen = key.partition(",")
        if not comma or metric.endswith("_stderr"):
            continue  # "alias", "name", "sample_len" and the standard errors, which go with their metric
        items = _items(metric, [row for row in rows if row.get("filter", chosen) == chosen])
        scores = [item.score for item in items]
        result = Result(
            model=_model(content),
            task=task,
            metric=metric,
            value=number(value),
            unit="score" if _parts(content, task) else unit_of(metric, number(value), scores),
            n=stated,
            stderr=number(values.get(f"{metric}_stderr,{chosen}")),
            higher_is_better=bool(content.get("higher_is_better", {}).get(task, {}).get(metric, True)),
            version=str(content.get("versions", {}).get(task, "")),
            few_shot=content["n-shot"].get(task),
            chat_template=bool(content.get("chat_template")),
            filter="" if chosen == "none" else chosen,
            items_sha256=str(content.get("task_hashes", {}).get(task, "")),
            items=items,
            extra={"config": config},
        )
        known = [score for score in scores if score is not None]
        if known and _aggregation(config, metric) == "mean":
            check_mean(path, f"{task} {key}", sum(known) / len(known), result.value)
        results.append(complete(result))
    return results


def _model(content: Mapping[str, Any]) -> str:
    return str(content.get("model_name") or content.get("config", {}).get("model", ""))


def _aggregation(config: Mapping[str, Any], metric: str) -> str:
    entries = config.get("metric_list") or []
    return next((str(entry.get("aggregation")) for entry in entries if entry.get("metric") == metric), "")


def _items(metric: str, rows: Rows) -> tuple[Item, ...]:
    """One item a row when every row has a score of its own; corpus-level metrics have none."""
    scores = [number(row.get(metric)) for row in rows]
    if not rows or any(score is None for score in scores):
        return ()
    return tuple(_item(row, metric, score) for row, score in zip(rows, scores, strict=True))


def _item(row: Mapping[str, Any], metric: str, score: float | None) -> Item:
    answers = row.get("filtered_resps") or []
    chosen = [number_of(answer) for answer in answers]
    options = None
    answer: str | None = "" if not answers or str(answers[0]) in _UNPARSED else str(answers[0])
    if len(chosen) > 1 and None not in chosen:  # log-probabilities of the options
        options = len(chosen) // 2 if "acc_mutual_info" in row else len(chosen)
        shown = [value for value in chosen[:options] if value is not None]
        answer = str(shown.index(max(shown))) if metric == "acc" else None  # others weigh by length, or otherwise
    question = str(row.get("doc_hash") or sha256_text(canonical_json(row.get("doc"))))
    return Item(str(row.get("doc_id")), score, str(row.get("target", "")), answer, options, question)


def number_of(answer: Any) -> float | None:
    """The log-probability in ["-12.9", "False"]; None for anything else."""
    if not isinstance(answer, list) or len(answer) != 2:
        return None
    try:
        return float(answer[0])
    except (TypeError, ValueError):
        return None
