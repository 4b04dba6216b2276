"""Trainer logs in one form: trainer_state.json of transformers, JSONL (one object a line) and CSV (one row a step).

A log is untrusted: sizes are bounded, and a number that is none is an error that names its place. Names differ from
trainer to trainer; `NAMES` says which of them mean the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.errors import DataError
from modelqa.files import read_json, read_jsonl

MAX_BYTES = 256 * 1024 * 1024  # of a log; one that notes every step of a long run has some tens of MB
MAX_ENTRIES = 2_000_000  # rows; beyond, what is noted is not a step

NAMES: Mapping[str, tuple[str, ...]] = {
    "step": ("step", "_step", "global_step", "iteration", "iter"),
    "epoch": ("epoch",),
    "loss": ("loss", "train_loss", "training_loss"),
    "eval_loss": ("eval_loss", "val_loss", "valid_loss", "validation_loss"),
    "learning_rate": ("learning_rate", "lr"),
    "grad_norm": ("grad_norm", "gradient_norm"),
    "accuracy": ("accuracy", "train_accuracy", "mean_token_accuracy", "train_mean_token_accuracy"),
    "reward": ("rewards_chosen", "rewards_margins", "reward"),  # only a training on preferences notes one
    "eval_accuracy": ("eval_accuracy", "val_accuracy", "eval_mean_token_accuracy"),
}
_CANONICAL = {alias: name for name, aliases in NAMES.items() for alias in aliases}
_SUMMARY = "train_runtime"  # the Trainer's last entry: its train_loss is the mean of the whole run, no step's loss


@dataclass(frozen=True)
class Entry:
    """What was noted at one step: canonical names (see `NAMES`) and numbers, NaN and infinities among them."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Log:
    """A training run as its trainer noted it.

    entries  in the order of the file, also where steps go back after a resume
    facts    what trainer_state.json says of the whole run: global_step, max_steps, best_global_step, ...
    """

    entries: tuple[Entry, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def kept(self) -> tuple[Entry, ...]:
        """The entries that led to the weights: where the steps go back, what was noted after that step is dropped."""
        kept: list[Entry] = []
        for entry in self.entries:
            while kept and kept[-1].step > entry.step:
                kept.pop()
            kept.append(entry)
        return tuple(kept)

    def series(self, name: str) -> list[tuple[int, float]]:
        """(step, value) of one quantity over the kept entries, steps ascending."""
        return [(entry.step, entry.values[name]) for entry in self.kept if name in entry.values]

    @property
    def last_step(self) -> int:
        """The last step of the run: what the trainer says, else the last one noted."""
        told = self.facts.get("global_step")
        noted = max((entry.step for entry in self.kept), default=0)
        return told if isinstance(told, int) and told >= noted else noted


def read_log(path: Path) -> Log:
    """The log in a trainer_state.json, .jsonl, .jsonl.zst or .csv; `DataError` when it holds no step with a loss."""
    if not path.is_file():
        raise _refusal(path, "there is no such file", "it was named as the log of a training run", "check the path")
    if path.stat().st_size > MAX_BYTES:
        raise _refusal(path, f"larger than {MAX_BYTES} bytes", "a log of steps is smaller", "log every tenth step")
    facts: dict[str, Any] = {}
    if path.suffix == ".csv":
        rows: Iterable[tuple[str, Mapping[str, Any]]] = _csv_rows(path)
    elif path.suffix == ".json":
        state = read_json(path, limit=MAX_BYTES)
        facts, rows = _state(path, state)
    else:
        rows = ((f"line {number}", row) for number, row in read_jsonl(path))
    log = Log(tuple(_entries(path, rows)), facts)
    if not log.series("loss") and not log.series("eval_loss"):
        raise _refusal(path, "no entry holds a step and a loss", f"a loss is called {' or '.join(NAMES['loss'])}",
                       "log it during training: logging_steps in TrainingArguments")  # fmt: skip
    return log


def _state(path: Path, state: Any) -> tuple[dict[str, Any], list[tuple[str, Mapping[str, Any]]]]:
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
        raise _refusal(path, "it has no log_history", "a .json log is a trainer_state.json of transformers",
                       "name the trainer_state.json that save_state() wrote")  # fmt: skip
    facts = {key: value for key, value in state.items() if isinstance(value, int | float | str)}
    return facts, [(f"log_history[{number}]", row) for number, row in enumerate(history)]


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.DictReader(stream), 2):
                yield f"line {number}", {key: value for key, value in row.items() if key and value not in (None, "")}
    except (UnicodeDecodeError, csv.Error) as error:
        fact = f"not CSV in UTF-8: {error}"
        raise _refusal(path, fact, "the first row names the columns", "export it again") from None


def _entries(path: Path, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Entry]:
    for number, (place, row) in enumerate(rows):
        if number >= MAX_ENTRIES:
            raise _refusal(path, f"more than {MAX_ENTRIES} entries", "a log of steps has fewer", "log every tenth step")
        named = {_name(key): value for key, value in row.items() if _name(key)}
        if _SUMMARY in row:
            named.pop("loss", None)
        values = {name: _number(path, place, name, value) for name, value in named.items() if value is not None}
        step = values.pop("step", None)
        if step is None:
            if {"loss", "eval_loss"} & set(values):
                raise _refusal(path, f"{place}: a loss without a step", "a step orders the losses",
                               f"note it as {' or '.join(NAMES['step'])}")  # fmt: skip
            continue
        if not step.is_integer() or step < 0:
            raise _refusal(path, f"{place}: the step is {step}", "steps are whole numbers from 0", "mend the entry")
        yield Entry(int(step), values)


def _name(key: str) -> str:
    """The canonical name of a key: "train/loss" and "Train_Loss" are the loss; "" when it means nothing here."""
    plain = key.lower().replace("/", "_").replace(" ", "_").replace("-", "_")
    return _CANONICAL.get(plain, "")


def _number(path: Path, place: str, name: str, value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, OverflowError):
        fact = f"{place}: {name} is {str(value)[:40]!r}"
        raise _refusal(path, fact, "a number is needed", "mend the entry") from None


def _refusal(path: Path, fact: str, reason: str, remedy: str) -> DataError:
    return DataError(f"{path}: {fact}", reason=reason, remedy=remedy)
