"""The accounts of a dataset: do its files hold the rows that the manifest kept, and are they those it describes?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelqa.data.manifest import RowCounts
from modelqa.errors import DataError
from modelqa.files import read_object

NO_ACCOUNTS: dict[str, Any] = {"accounted": None, "kept_share": None}


def accounts(manifest: Path | None, held: int, *, whole: bool) -> dict[str, Any]:
    """Whether declared, read, dropped, kept and held rows fit together; generators read none.

    whole  whether the model names all files of the manifest
    """
    counts = _counts(manifest) if manifest is not None else None
    if counts is None:
        return NO_ACCOUNTS
    dropped = sum(counts.dropped.values())
    fits = (counts.kept == held if whole else held <= counts.kept)
    fits = fits and (not counts.read or counts.kept + dropped <= counts.read)
    return {"accounted": fits, "kept_share": counts.kept / counts.declared if counts.declared else None}


def has_counts(manifest: Path) -> bool:
    """Whether a manifest counts rows; one that cannot be read is the frame's to complain of."""
    try:
        return _counts(manifest) is not None
    except DataError:
        return True


def _counts(manifest: Path) -> RowCounts | None:
    """What a manifest says of its rows; None when it counts none, `DataError` when it cannot be read."""
    rows = read_object(manifest).get("rows")
    if rows is None:
        return None
    try:
        counts = RowCounts(**rows)
        numbers = [counts.kept, counts.read, counts.declared or 0, *counts.dropped.values()]
        wrong = any(type(number) is not int for number in numbers)
    except (TypeError, AttributeError):
        wrong = True
    if wrong:
        raise DataError(f"{manifest}: its rows are {str(rows)[:80]}", reason="they are counts by name",
                        remedy='write {"declared": N, "read": N, "kept": N, "dropped": {}}')
    return counts


def listed(manifest: Path) -> dict[str, str]:
    """{file name: sha256} that a manifest lists; `DataError` when it lists none."""
    files = read_object(manifest, remedy="write the dataset again with modelqa data").get("files")
    if not isinstance(files, dict):
        raise DataError(f'{manifest} lists no "files"', reason="a manifest names each file with its hash",
                        remedy="write the dataset again with modelqa data")
    return {Path(name).name: str(sha256) for name, sha256 in files.items()}
