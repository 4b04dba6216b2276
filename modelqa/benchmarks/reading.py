"""Files of other harnesses -> one `ResultSet`. Which harness wrote a file is told by its content, not by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from modelqa.benchmarks import inspect_log, lighteval, lm_eval, table
from modelqa.benchmarks.checks import MAX_FILE_BYTES, refuse
from modelqa.benchmarks.result import ResultSet
from modelqa.files import read_json

READERS: tuple[tuple[frozenset[str], Callable[..., ResultSet]], ...] = (
    (lm_eval.MARKS, lm_eval.read),
    (lighteval.MARKS, lighteval.read),
    (inspect_log.MARKS, inspect_log.read),
)  # by the keys that only its results files have


def import_files(paths: Sequence[Path], *, model: str = "", weights: str = "") -> ResultSet:
    """The results in the files of one harness run: a results file with its sample files, an inspect log, or a CSV.

    `model` names the model when the files do not, or replaces their name; `weights` binds the results to a
    checkpoint's digest. `DataError` names the file that is missing, cut off, of no known kind, or contradicts another.
    """
    heads = [path for path in paths if not is_samples(path)]
    samples = [path for path in paths if is_samples(path)]
    if len(heads) != 1:
        refuse(
            f"{len(heads)} results files were given: {', '.join(str(path) for path in heads) or 'none'}",
            "one run of a harness has one results file, log or table; its sample files may stand beside it",
            "name one results_*.json, .eval, .json or .csv file, with its samples_*.jsonl or details_*.parquet",
        )
    found = _read(heads[0], samples)
    results = tuple(replace(result, model=model) for result in found.results) if model else found.results
    return ResultSet(found.source, results, found.original, found.rows, weights)


def is_samples(path: Path) -> bool:
    """Whether a file holds the questions of a run rather than its results."""
    return path.suffix in (".parquet", ".jsonl")


def _read(path: Path, samples: Sequence[Path]) -> ResultSet:
    if path.is_dir():
        refuse(f"{path} is a folder", "one run of a harness has one results file", "name the file in it")
    if not path.is_file():
        refuse(f"there is no file {path}", "it was named as a results file", "check the path")
    if path.suffix == ".csv":
        return table.read(path)
    content = inspect_log.unpack(path) if path.suffix == ".eval" else read_json(path, limit=MAX_FILE_BYTES)
    reader = next((read for marks, read in READERS if isinstance(content, dict) and content.keys() >= marks), None)
    if reader is None:
        refuse(
            f"{path} is of no kind that is known",
            "read are results_*.json of lm-evaluation-harness and lighteval, logs of inspect_ai, and CSV tables",
            "name such a file, or write the numbers into a CSV with the columns model,task,metric,value,n",
        )
    try:
        return reader(path, content, samples)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:  # a field of another shape
        refuse(
            f"{path} cannot be read: {type(error).__name__}: {error}",
            "a field is missing or of another shape than the harness writes",
            "take the file that the harness wrote, unedited; was it cut off?",
        )
