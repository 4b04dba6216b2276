"""Zstandard files as a stream that knows whether the file is whole: a cut one must not pass for a shorter one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from modelqa.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1024  # compressed bytes at a time: no more than 32 MiB can come out of them, whatever a file claims


class Frames(io.RawIOBase):
    """The decompressed bytes of a `.zst` file, one frame after the other; `DataError` when it is damaged or cut."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self._path, self._raw = path, raw
        self._frame: Any = None  # None between two frames
        self._given = self._held = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as one block goes; 0 at the end of the file."""
        view = memoryview(buffer).cast("B")
        while not self._held:
            self._given = self._given or self._raw.read(BLOCK)
            if not self._given:
                if self._frame is not None:
                    raise self._refusal("it ends within a frame")
                return 0
            self._decompress()
        part, self._held = self._held[: len(view)], self._held[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _decompress(self) -> None:
        import zstandard

        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            self._held = self._frame.decompress(self._given)
        except zstandard.ZstdError as error:
            raise self._refusal(str(error)) from None
        self._given = self._frame.unused_data if self._frame.eof else b""
        if self._frame.eof:
            self._frame = None

    def _refusal(self, why: str) -> DataError:
        return DataError(
            f"{self._path} cannot be decompressed: {why}",
            reason="a name that ends in .zst promises a whole file that Zstandard made",
            remedy="copy or write the file again, or name it .jsonl if it is not compressed",
        )
