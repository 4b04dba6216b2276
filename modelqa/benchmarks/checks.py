"""What every reader checks, and how it refuses: result files are untrusted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from modelqa.errors import DataError

MAX_FILE_BYTES = 512 * 1024 * 1024  # of one results file or log, and of all sample files of a run together
MAX_ITEMS = 1_000_000  # questions of one benchmark


def need(value: Any, kind: type, path: Path, where: str) -> Any:
    """`value` when it is of `kind`; else `DataError` naming the field."""
    if not isinstance(value, kind):
        refuse(
            f"{path}: {where} is a {type(value).__name__}, not a {kind.__name__}",
            "the file is not what the harness writes",
            "take the file that the harness wrote, unedited; was it cut off?",
        )
    return value


def check_size(paths: Sequence[Path]) -> None:
    """`DataError` when sample files together are larger than what is read into memory, or one does not exist."""
    for path in paths:
        if not path.is_file():
            refuse(f"there is no file {path}", "it was named as a sample file", "check the path")
    total = sum(path.stat().st_size for path in paths)
    if total > MAX_FILE_BYTES:
        refuse(f"{total} bytes of sample files, {paths[0]} among them", f"at most {MAX_FILE_BYTES} are read",
               "import the tasks in groups, or the results file without its samples in another folder")  # fmt: skip


def check_count(path: Path, task: str, found: int, stated: int | None) -> None:
    """`DataError` when the sample rows are not as many as the results file says, or beyond all bounds."""
    if found > MAX_ITEMS:
        refuse(f"{path}: more than {MAX_ITEMS} questions", "no benchmark is so large", "check the file")
    if stated is not None and found != stated:
        refuse(
            f"{path}: {found} questions of {task}, and the results file says {stated}",
            "the sample file is cut off, or of another run",
            "take results and samples of the same run",
        )


def check_mean(path: Path, name: str, mean: float, stated: float | None) -> None:
    """`DataError` when the questions do not add up to the value that the results file states."""
    if stated is not None and abs(mean - stated) > 1e-6:
        refuse(
            f"{path}: the questions of {name} average {mean:.6f}, and the results file says {stated:.6f}",
            "results and samples are not of one run, or one of them was edited",
            "take results and samples of the same run",
        )


def refuse(fact: str, reason: str, remedy: str) -> NoReturn:
    """Raise the `DataError`."""
    raise DataError(fact, reason=reason, remedy=remedy)
