"""The manifest of a dataset: what it holds, how it was made, and from what - its ancestors whole, by hash.

A manifest stands beside the files that it describes: `NAME.manifest.json` for one file, `manifest.json` for a folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import modelqa
from modelqa.data.rows import Row, row_hash
from modelqa.errors import DataError
from modelqa.files import canonical_json, read_object, sha256_file, sha256_text, write_json

SCHEMA = 1
_MODULUS = 1 << 256
_ENDINGS = (".jsonl.zst", ".jsonl")


@dataclass(frozen=True)
class RowCounts:
    """How many rows were asked for, read, kept, and dropped for which reason. Generators read none."""

    declared: int | None
    kept: int
    read: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    """A source by name and content; `manifest` is its own manifest as JSON, None when it has none."""

    name: str
    sha256: str
    manifest: Mapping[str, Any] | None = None
    manifest_sha256: str | None = None


@dataclass(frozen=True)
class Manifest:
    """One dataset. The same data made the same way gives the same manifest: no times, hosts or absolute paths.

    files    {file name: sha256 of its bytes}
    content  `content_hash` of all rows: equal for equal rows in any order
    shares   {"declared": {source: share}, "realised": {...}} of a mix
    notes    what a reader has to know, such as a declared deviation from the guide
    """

    name: str
    kind: str
    files: Mapping[str, str]
    rows: RowCounts
    content: str
    seeds: Mapping[str, int]
    options: Mapping[str, Any]
    parents: tuple[Parent, ...] = ()
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tool: str = f"modelqa {modelqa.__version__}"
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """The JSON object that stands in the file."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Hex sha256 of the canonical JSON."""
        return sha256_text(canonical_json(self.to_json()))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Manifest:
        """The manifest that `to_json` wrote; `DataError` for another schema or a missing field."""
        try:
            if value["schema"] != SCHEMA:
                raise ValueError(f"it has schema {value['schema']!r}, this modelqa reads {SCHEMA}")
            parents = tuple(Parent(**parent) for parent in value["parents"])
            rows, notes = RowCounts(**value["rows"]), tuple(value["notes"])
            return cls(**{**value, "parents": parents, "rows": rows, "notes": notes})
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"the manifest cannot be read: {error}",
                reason="it is of another version, was edited, or is of another kind",
                remedy="make the dataset again with this version",
            ) from None


def content_hash(rows: Iterable[Row]) -> str:
    """Hex sum modulo 2**256 of the rows' hashes: the same for the same messages in any order, each row counted."""
    return hash_of_sum(sum(int(row_hash(row), 16) for row in rows))


def hash_of_sum(total: int) -> str:
    """The `content_hash` of rows whose hashes, as numbers, add up to `total`."""
    return f"{total % _MODULUS:064x}"


def path_beside(file: Path) -> Path:
    """Where the manifest of a single output file is written: mixed.jsonl -> mixed.manifest.json."""
    return file.with_name(f"{_stem(file)}.manifest.json")


def write(manifest: Manifest, path: Path) -> Path:
    """Write the manifest as readable JSON; its path."""
    write_json(path, manifest.to_json())
    return path


def read(path: Path) -> Manifest:
    """The manifest in a file; `DataError` when it is none."""
    return Manifest.from_json(read_object(path))


def parent(path: Path) -> Parent:
    """A source file by name and hash, with the manifest that lists it, if one stands beside it.

    Raises `DataError` when that manifest hashed another content under this name: the source was changed since.
    """
    digest = sha256_file(path)
    for candidate in (path_beside(path), path.with_name("manifest.json")):
        listed = read_object(candidate) if candidate.is_file() else {}
        files = listed.get("files")
        if not isinstance(files, dict) or path.name not in files:
            continue
        if files[path.name] != digest:
            raise DataError(
                f"{path.name} is not the file that {candidate} describes",
                reason="its content has another hash: it was changed after it was made",
                remedy="make it again, or remove the manifest if the change is wanted",
            )
        return Parent(path.name, digest, listed, sha256_file(candidate))
    return Parent(path.name, digest)


def _stem(file: Path) -> str:
    for ending in _ENDINGS:
        if file.name.endswith(ending):
            return file.name.removesuffix(ending)
    return file.stem
