"""The Xet storage mode on `local://`, the store that hf_xet keeps for its own tests: chunks and shards in a folder.

The client tells the Hub only the sha256 of a file, the store knows it by its Xet hash. Both stand in the shards that
the client leaves in the store; they are read here. Layout: xet-core's shard format, version 2 (48-byte records).
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORD = 48
HAS_VERIFICATION, HAS_METADATA = 1 << 31, 1 << 30


@dataclass
class XetStore:
    """The files that were sent in Xet mode."""

    folder: Path

    @property
    def url(self) -> str:
        """What the client is told as the address of the store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return f"local://{self.folder}"

    def files(self) -> dict[str, tuple[str, int]]:
        """{sha256: (Xet hash, size)} of all files that shards describe."""
        return {
            sha256: (xet_hash, size)
            for shard in sorted(self.folder.rglob("*.mdb"))
            for xet_hash, sha256, size in _described(shard.read_bytes())
        }

    def hash_of(self, sha256: str) -> str | None:
        """The Xet hash of a file; None when it was not sent in this mode."""
        return self.files().get(sha256, (None, 0))[0] if self.folder.exists() else None

    def content(self, sha256: str) -> bytes:
        """The bytes of a file, put together by hf_xet itself."""
        import hf_xet

        xet_hash, size = self.files()[sha256]
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "file"
            with hf_xet.XetSession().new_file_download_group(endpoint=self.url) as group:
                group.start_download_file(hf_xet.XetFileInfo(xet_hash, size), str(target))
            return target.read_bytes()


def _described(shard: bytes) -> Iterator[tuple[str, str, int]]:
    """(Xet hash, sha256, size) of each file in a shard that carries its sha256."""
    position = RECORD  # behind the header
    while position + RECORD <= len(shard):
        file_hash, flags, count = shard[position : position + 32], *struct.unpack_from("<II", shard, position + 32)
        if file_hash == b"\xff" * 32:
            return
        segments = position + RECORD
        size = sum(struct.unpack_from("<I", shard, segments + RECORD * index + 36)[0] for index in range(count))
        position = segments + RECORD * count * (2 if flags & HAS_VERIFICATION else 1)
        if flags & HAS_METADATA:
            yield _hex(file_hash), _hex(shard[position : position + 32]), size
            position += RECORD


def _hex(digest: bytes) -> str:
    """A hash as xet-core writes it: four little-endian words of 64 bits."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", digest))
