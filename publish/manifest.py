"""modelqa/manifest.json: path, size and sha256 of every file of a release but itself and README.md, which names it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from modelqa.errors import DataError

from .release_files import MANIFEST, README, ReleaseFile

SCHEMA = 1


def make_manifest(files: Iterable[ReleaseFile]) -> dict[str, Any]:
    """The manifest of a release's files, as JSON values."""
    entries = [
        {"path": file.path, "size": file.size, "sha256": file.sha256}
        for file in sorted(files, key=lambda file: file.path)
        if file.path not in (README, MANIFEST)
    ]
    return {"schema": SCHEMA, "files": entries}


def read_manifest(value: object) -> dict[str, tuple[int, str]]:
    """{path: (size, sha256)} of a manifest's JSON value; `DataError` when it is none."""
    listed = value.get("files") if isinstance(value, Mapping) and value.get("schema") == SCHEMA else None
    try:
        entries = [(str(entry["path"]), int(entry["size"]), str(entry["sha256"])) for entry in listed or ()]
    except (KeyError, TypeError, ValueError):
        entries = []
    if not entries or len({path for path, _, _ in entries}) != len(entries):
        raise DataError(
            f"{MANIFEST} is no manifest",
            reason=f"it must list each file once with path, size and sha256, in schema {SCHEMA}",
            remedy="publish the release again, or roll back to one that has it",
        )
    return {path: (size, sha) for path, size, sha in entries}
