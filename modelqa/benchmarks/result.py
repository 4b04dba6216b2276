"""A benchmark result that somebody else's harness measured: one frozen value, JSON on disk.

What was read stands beside what it was read from: `original` holds the results file as it is, and the rows of the
sample files lie, each whole, in `NAME.rows.jsonl.zst` beside `NAME.json`. Nothing of the input is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from modelqa import stats
from modelqa.errors import DataError
from modelqa.files import canonical_json, read_json, sha256_file, sha256_text, write_json, write_jsonl

SCHEMA = 1  # of the record; a reader refuses a version that it does not know
UNITS = ("rate", "score", "perplexity", "bits_per_byte", "difference")
BITS = ("bits_per_byte",)
PERPLEXITIES = ("perplexity", "word_perplexity", "byte_perplexity", "ppl")
RATES = ("acc", "accuracy", "acc_norm", "exact_match", "em", "pass@1", "prompt_level_strict_acc")  # means of yes and no


@dataclass(frozen=True)
class Item:
    """One question of a benchmark.

    score   1 right, 0 wrong, or between; None when the harness could not score it
    gold    the right answer as the harness writes it (a letter, an index, a text); "" when unknown
    answer  what the model answered, in the same form; "" when nothing could be parsed, None when the file does not say
    options how many answers could be chosen from; None when the question is open
    sha256  hash of the question, the same for every model that is asked it
    """

    id: str
    score: float | None
    gold: str = ""
    answer: str | None = None
    options: int | None = None
    sha256: str = ""


@dataclass(frozen=True)
class Result:
    """What one model scored on one benchmark by one metric. Rates are fractions, whatever the file said.

    value        None when the source does not state it
    n            number of questions; None when the source does not state it: then nothing can be tested
    lower, upper one-sided 95% bounds: Clopper-Pearson for rates, from the standard error for other scores
    chance       what choosing at random scores: computed from the items, else as stated; None when neither is known
    stated       the chance level that the source states
    control      "" for the benchmark itself, "rotated" or "options_only" for a control of it
    items_sha256 hash over the questions: equal for equal question sets
    tokenizer    hash or name of the tokenizer, where the source states one
    extra        what the source says and no field above holds
    """

    model: str
    task: str
    metric: str
    value: float | None
    unit: str = "rate"
    n: int | None = None
    stderr: float | None = None
    lower: float | None = None
    upper: float | None = None
    chance: float | None = None
    stated: float | None = None
    higher_is_better: bool = True
    version: str = ""
    few_shot: int | None = None
    chat_template: bool | None = None
    filter: str = ""
    control: str = ""
    items_sha256: str = ""
    tokenizer: str = ""
    items: tuple[Item, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """ "task metric", with the filter and the control where there is one: what a person calls it."""
        return " ".join(part for part in (self.task, self.metric, self.filter, self.control) if part)

    @property
    def right(self) -> int | None:
        """How many of n were right, a question that was not scored not among them; None when that is not known."""
        if self.unit != "rate" or self.value is None or not self.n:
            return None
        return sum(item.score == 1 for item in self.items) if self.items else round(self.value * self.n)

    @property
    def shown(self) -> str:
        """The value as a person writes it: "36.9%", or "missing"."""
        if self.value is None:
            return "missing"
        return f"{self.value:.1%}" if self.unit == "rate" else f"{self.value:.4g}"


@dataclass(frozen=True)
class ResultSet:
    """Everything that was imported from one run of a harness.

    source    {"tool", "version", "files": {name: sha256}}
    original  the results file, as it was
    rows      the rows of the sample files, each whole: {"task", "id", "row"}
    weights   `Checkpoint.weights_digest` of the model that was scored; "" when the importer did not say
    """

    source: Mapping[str, Any]
    results: tuple[Result, ...]
    original: Any = None
    rows: tuple[Mapping[str, Any], ...] = ()
    weights: str = ""


def complete(result: Result) -> Result:
    """The result with what follows from its items and counts: n, chance, bounds, hash of the question set."""
    items = result.items
    counts = [item.options for item in items if item.options]
    whole = bool(items) and len(counts) == len(items)
    filled = replace(
        result,
        n=len(items) if items else result.n,
        chance=stats.chance_level(counts) if whole else result.stated,
        items_sha256=questions_hash(items) or result.items_sha256,
    )
    lower, upper = _bounds(filled)
    return replace(filled, lower=lower, upper=upper)


def questions_hash(items: Iterable[Item]) -> str:
    """Hex sha256 over the questions, whatever their order; "" when any of them has no hash."""
    hashes = sorted(item.sha256 for item in items)
    return sha256_text(canonical_json(hashes)) if hashes and all(hashes) else ""


def _bounds(result: Result) -> tuple[float | None, float | None]:
    right = result.right
    if right is not None and result.n:
        return stats.cp_lower(right, result.n), stats.cp_upper(right, result.n)
    if result.value is None or result.stderr is None:
        return None, None
    half = 1.6449 * result.stderr  # the 95% quantile of the normal distribution: one-sided bounds
    return result.value - half, result.value + half


def unit_of(metric: str, value: float | None, scores: Sequence[float | None]) -> str:
    """What a metric's number is: by its scores where there are some, else by its name."""
    name = metric.lower()
    if name in PERPLEXITIES:
        return "perplexity"
    if name in BITS:
        return "bits_per_byte"
    known = [score for score in scores if score is not None]
    if known:
        return "rate" if set(known) <= {0.0, 1.0} else "score"
    return "rate" if name in RATES and value is not None and 0 <= value <= 1 else "score"


def plain(value: Any) -> Any:
    """The value with NaN and infinities written as text: JSON has no such numbers, and harnesses write them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def number(value: Any) -> float | None:
    """A finite number, else None: harnesses write "N/A", NaN or nothing for a number that they do not have."""
    real = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if real else None


def results_of(found: ResultSet, model: str) -> tuple[Result, ...]:
    """The results of one model: all of them when the record is of one model alone, else those that name it.

    `DataError` when the record is of several models and none has that name.
    """
    if len({result.model for result in found.results}) == 1:
        return found.results
    own = tuple(result for result in found.results if result.model == model)
    if not own:
        names = ", ".join(sorted({result.model for result in found.results})[:8])
        raise DataError(
            f"the record holds no results of {model!r}",
            reason=f"it holds those of {names or 'no model'}",
            remedy="name the model as the record does, or import its own file with --model NAME",
        )
    return own


# -- on disk -----------------------------------------------------------------------------------------------------------


def write_results(path: Path, found: ResultSet) -> None:
    """Write NAME.json, and NAME.rows.jsonl.zst beside it when there are sample rows."""
    rows = rows_path(path)
    record = {
        "schema": SCHEMA,
        "source": dict(found.source),
        "weights": found.weights,
        "results": [asdict(result) for result in found.results],
        "original": plain(found.original),
    }
    if found.rows:
        write_jsonl(rows, (plain(row) for row in found.rows))
        record["rows_sha256"] = sha256_file(rows)
    write_json(path, plain(record))


def rows_path(path: Path) -> Path:
    """Where the sample rows of a record lie."""
    return path.with_name(f"{path.stem}.rows.jsonl.zst")


def read_results(path: Path) -> ResultSet:
    """The record at `path`, without its sample rows; `DataError` for another version, a missing or a false field."""
    value = read_json(path)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else type(value).__name__
        raise _unreadable(path, f"schema {found!r}, and this modelqa reads {SCHEMA}")
    try:
        results = tuple(_result(entry) for entry in value["results"])
        return ResultSet(value["source"], results, value["original"], weights=value["weights"])
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None


def _result(entry: Mapping[str, Any]) -> Result:
    """The result of one JSON object, its counts and bounds computed anew: a record is not believed."""
    result = Result(**{**entry, "items": tuple(Item(**item) for item in entry["items"])})
    texts = (result.model, result.task, result.metric, result.version, result.filter, result.control)
    if not all(isinstance(text, str) for text in texts) or result.unit not in UNITS:
        raise ValueError("a name is no text, or the unit is unknown")
    numbers = (result.value, result.stderr, result.stated, *(item.score for item in result.items))
    if any(entry is not None and number(entry) is None for entry in numbers):
        raise ValueError("a number is no number")
    if result.n is not None and (not isinstance(result.n, int) or result.n < 1):
        raise ValueError(f"n is {result.n!r}")
    if result.unit == "rate" and result.value is not None and not 0 <= result.value <= 1:
        raise ValueError(f"the rate {result.value} lies outside 0 to 1")
    return complete(result)


def _unreadable(path: Path, fact: str) -> DataError:
    return DataError(
        f"{path} is no record of benchmark results: {fact}",
        reason="gates on benchmarks read what `modelqa import` writes",
        remedy="import the harness's own files again: modelqa import FILES --out NAME.json",
    )
