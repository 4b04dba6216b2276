"""The local ledger: one line for each release that this folder has published, appended and never changed.

The Hub's own history says what stands there; the ledger says what was meant to stand there, so that a tag which
somebody moved is noticed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from modelqa.errors import RecordError
from modelqa.files import canonical_json, read_jsonl, write_bytes

from .release_files import MANIFEST, REPORT, Release

LEDGER = "releases.jsonl"


@dataclass(frozen=True)
class Entry:
    """One release: which bytes (`release`, `manifest`, `report`: sha256), on which evidence (`record`), and where.

    parent, pull_request   the head that it replaced and what staged it; None when a run found it standing already
    """

    repository: str
    release: str
    record: str
    manifest: str
    report: str
    parent: str | None
    commit: str
    tag: str
    pull_request: int | None

    @classmethod
    def of(cls, repository: str, release: Release, *, commit: str, parent: str | None, tag: str,
           pull_request: int | None) -> Entry:  # fmt: skip
        """The entry of a release that stands at `commit`."""
        digests = {path: file.sha256 for path, file in release.by_path.items()}
        return cls(repository, release.id, release.record, digests.get(MANIFEST, ""), digests.get(REPORT, ""),
                   parent, commit, tag, pull_request)  # fmt: skip

    def message(self) -> str:
        """The tag's message."""
        return "\n".join(f"{name}: {value}" for name, value in asdict(self).items() if value)


def append(home: Path, entry: Entry) -> bool:
    """Add an entry to the ledger in `home`; False when its commit stands there already."""
    path = home / LEDGER
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{LEDGER}.lock"):
        if any(old.repository == entry.repository and old.commit == entry.commit for old in read(home)):
            return False
        old_bytes = path.read_bytes() if path.is_file() else b""
        write_bytes(path, old_bytes + canonical_json(asdict(entry)).encode() + b"\n")
        return True


def read(home: Path) -> list[Entry]:
    """All entries of the ledger in `home`, the oldest first; `RecordError` when one is damaged."""
    path = home / LEDGER
    if not path.is_file():
        return []
    try:
        return [Entry(**row) for _, row in read_jsonl(path)]
    except TypeError as error:
        raise RecordError(
            f"{path} is damaged: {error}",
            reason="each line must be an entry as modelqa wrote it",
            remedy="mend the line; the Hub's tags carry the same values",
        ) from None
