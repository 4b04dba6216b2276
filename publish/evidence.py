"""What a card says beyond the gates, measured from files: size, training tokens, rows, the chain of runs, the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modelqa.benchmarks import read_trend
from modelqa.checkpoint import Checkpoint
from modelqa.errors import DataError
from modelqa.files import read_object, sha256_file
from modelqa.loads import kept_loads
from modelqa.models import Model, Registry, ancestors
from modelqa.scaling import position, whole_counters

from .benchmarks import benchmark_rows

MOST_POINTS = 400  # of a loss curve; a longer log is thinned evenly


@dataclass(frozen=True)
class Evidence:
    """Plain values that the report takes over.

    files      [{path, size, sha256}] of the checkpoint
    parameters counted from the tensors' shapes, a stored copy of a tied matrix once
    tokens     what training saw in all stages, None when not known; tokens_how: "declared", or "counted" from captures
    chain      a mapping for each training stage, the oldest first; what is not known is left out
    data       intended, loaded, seen, supervised_share, manifest_sha256: of the model's own stage
    losses     {"train" | "validation": [[step, loss]]} of the model's own trainer log
    benchmarks see `benchmarks.benchmark_rows`
    trend      {task, candidate, points: [{model, step, delta}]} of the family, {} without one
    loads      other versions of transformers that the checkpoint was loaded with: library, version, problem
    """

    files: tuple[Mapping[str, Any], ...]
    parameters: int
    tokens: int | None = None
    tokens_how: str = ""
    chain: tuple[Mapping[str, Any], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    losses: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    benchmarks: tuple[Mapping[str, Any], ...] = ()
    trend: Mapping[str, Any] = field(default_factory=dict)
    loads: tuple[Mapping[str, Any], ...] = ()


def gather(checkpoint: Checkpoint, model: Model, registry: Registry, *, home: Path) -> Evidence:
    """What the files of a model and of its ancestors say; `DataError` names one that is damaged.

    `home` is where sessions keep what they found.
    """
    files = tuple(
        {"path": name, "size": (checkpoint.path / name).stat().st_size, "sha256": sha256}
        for name, sha256 in checkpoint.fingerprint.items()
    )
    size = position(checkpoint, model, registry)
    line = [*reversed(ancestors(registry, model)), model]
    return Evidence(
        files=files,
        parameters=size.parameters,
        tokens=size.tokens,
        tokens_how=size.how,
        chain=tuple(stage_row(each) for each in line),
        data=_data(model),
        losses=_losses(model.trainer_log) if model.trainer_log else {},
        benchmarks=benchmark_rows(model, registry, weights=checkpoint.weights_digest),
        trend=_trend(model.trend) if model.trend else {},
        loads=tuple(_load_row(found) for found in kept_loads(home, checkpoint.digest)),
    )


def _trend(path: Path) -> dict[str, Any]:
    found = read_trend(path)
    return {"task": found.task, "candidate": found.candidate.model, "points": [asdict(each) for each in found.points]}


def _load_row(found: Mapping[str, Any]) -> dict[str, Any]:
    """What was found under one version; the other library's own words, which may name paths, are left out."""
    version, problem = str(found["versions"]["transformers"]), str(found["problem"])
    return {"library": "transformers", "version": version, "problem": problem.partition(": ")[0]}


def stage_row(model: Model) -> dict[str, Any]:
    """One training stage as its log and capture tell it: run, steps, learning_rate, loss, validation, tokens, rows."""
    row: dict[str, Any] = {"run": model.name, "stage": model.stage or "unknown"}
    if model.trainer_log:
        row |= _from_log(model.trainer_log)
    if model.capture:
        counters = whole_counters(model.capture)
        row |= {
            key: counters[name]
            for key, name in (("rows", "dataset_rows"), ("tokens", "tokens_seen"))
            if name in counters
        }
    return row


def _from_log(path: Path) -> dict[str, Any]:
    history = _log_history(path)
    found: dict[str, Any] = {"steps": max((entry["step"] for entry in history), default=0)}
    rates = [entry["learning_rate"] for entry in history if "learning_rate" in entry]
    if rates:
        found["learning_rate"] = max(rates)
    for key, name in (("loss", "loss"), ("validation", "eval_loss")):
        values = [entry[name] for entry in history if name in entry]
        if values:
            found[key] = values[-1]
    return found


def _losses(path: Path) -> dict[str, list[list[float]]]:
    history = _log_history(path)
    curves = {
        name: [[entry["step"], entry[key]] for entry in history if key in entry]
        for name, key in (("train", "loss"), ("validation", "eval_loss"))
    }
    return {name: _thinned(points) for name, points in curves.items() if points}


def _thinned(points: list[list[float]]) -> list[list[float]]:
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    return points[::step] if (len(points) - 1) % step == 0 else [*points[::step], points[-1]]


def _log_history(path: Path) -> list[dict[str, float]]:
    """The trainer's log entries, their finite numbers alone; `DataError` when the file is no trainer log."""
    history = read_object(path).get("log_history")
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise DataError(
            f"{path} is no trainer log", reason="it has no log_history", remedy="name the trainer_state.json of the run"
        )
    entries = [
        {key: number for key, number in entry.items() if isinstance(number, int | float) and math.isfinite(number)}
        for entry in history
    ]
    return [entry for entry in entries if "step" in entry]


def _data(model: Model) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if model.intended_rows is not None:
        found["intended"] = model.intended_rows
    if model.capture:
        counters = whole_counters(model.capture)
        pairs = (("loaded", "dataset_rows"), ("seen", "distinct_episodes"), ("rows_fed", "rows_seen"))
        found |= {key: counters[name] for key, name in pairs if name in counters}
        if counters.get("tokens_seen"):
            found["supervised_share"] = counters.get("supervised_tokens", 0) / counters["tokens_seen"]
    if model.manifest and model.manifest.is_file():
        found["manifest_sha256"] = sha256_file(model.manifest)
    return found
