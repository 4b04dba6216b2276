"""What a release is made of: files with sizes and hashes, as plain values. Staging makes them, pushing sends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modelqa.errors import CheckpointError
from modelqa.files import canonical_json, sha256_bytes, sha256_file, sha256_text

README = "README.md"
REPORT = "modelqa/report.json"
MANIFEST = "modelqa/manifest.json"
NUMBERS = "modelqa/numbers.json"  # every number on the card: its text, its path in the report, its format
SIGNATURE = "modelqa/release.sig"  # over report and manifest; made last, so that neither can list it
WORDS = "modelqa/words.md"  # what a person wrote for the card, as it was written: with it the card is rendered again


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release.

    path    in the repository, "/" as separator
    size    bytes; sha256: hex, of the whole content
    source  where the bytes are: a local file, or the bytes themselves when they were rendered
    """

    path: str
    size: int
    sha256: str
    source: Path | bytes

    @classmethod
    def of(cls, path: str, source: Path | bytes) -> ReleaseFile:
        """The file at `path` of a repository that holds `source`, measured now."""
        if isinstance(source, bytes):
            return cls(path, len(source), sha256_bytes(source), source)
        return cls(path, source.stat().st_size, sha256_file(source), source)

    def content(self) -> bytes:
        """The bytes; `CheckpointError` when the local file is no longer the one that was staged."""
        data = self.source if isinstance(self.source, bytes) else self.source.read_bytes()
        if sha256_bytes(data) != self.sha256:
            raise CheckpointError(
                f"{self.path} was changed after it was staged",
                reason="a release is the files that were judged, byte for byte",
                remedy="stage the release again; leave the checkpoint alone meanwhile",
            )
        return data


@dataclass(frozen=True)
class Release:
    """Everything that a repository shall hold after a release, and nothing else; sorted by path.

    name    the model's name in models.toml; record: digest of the run record that the release rests on
    """

    files: tuple[ReleaseFile, ...]
    name: str
    record: str

    @classmethod
    def of(cls, files: Iterable[ReleaseFile], *, name: str, record: str) -> Release:
        """The release of these files; `ValueError` when two have one path."""
        ordered = tuple(sorted(files, key=lambda file: file.path))
        if len({file.path for file in ordered}) != len(ordered):
            raise ValueError("two files of a release have one path")
        return cls(ordered, name, record)

    @cached_property
    def id(self) -> str:
        """Hex sha256 over paths and hashes: the same bytes are the same release, wherever staged, whoever signed."""
        return sha256_text(canonical_json([[f.path, f.sha256] for f in self.files if f.path != SIGNATURE]))

    @property
    def by_path(self) -> Mapping[str, ReleaseFile]:
        """{path: file}."""
        return {file.path: file for file in self.files}
