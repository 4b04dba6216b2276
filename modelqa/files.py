"""Files: read with one clear error, written atomically, hashed by content.

Every file that modelqa writes goes through `write_blocks`: a kill at any point leaves the old file or the new one.
Lines may be kept in plain `.jsonl` or compressed `.jsonl.zst`; readers accept both.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelqa.errors import DataError, ModelqaError, OutputError

MAX_JSON_BYTES = 64 * 1024 * 1024
WRITE_AGAIN = "write the file again"
MAX_LINE_BYTES = 16 * 1024 * 1024  # one JSONL row; a longer one is no training example but an accident or an attack


# One encoder for all: a new one at each call takes longer than a small value.
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, no NaN. Hashes of records are hashes of this."""
    return _CANONICAL.encode(value)


def sha256_text(text: str) -> str:
    """Hex sha256 of the text's UTF-8 bytes (lone surrogates are kept distinct)."""
    return sha256_bytes(text.encode("utf-8", "surrogatepass"))


def sha256_bytes(data: bytes) -> str:
    """Hex sha256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_bytes(path: Path, data: bytes, *, lasting: bool = True) -> None:
    """Put `data` at `path` whole or not at all: a temporary sibling, fsync, rename. Mode 0644 under the umask.

    lasting  False leaves fsync out, which costs milliseconds: for files that a power cut may take, but no kill

    `OutputError` when the place cannot be written to; the old file is left as it was.
    """
    write_blocks(path, (data,), lasting=lasting)


def write_blocks(path: Path, blocks: Iterable[bytes], *, lasting: bool = True) -> None:
    """`write_bytes` of data that comes in blocks, for files larger than memory; they may be read from `path` itself."""
    try:
        _write_blocks(path, blocks, lasting)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written",
        reason=error.strerror or str(error),
        remedy="free some space, make the folder writable, or choose another place (--modelqa-dir for a run)",
    )


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A new folder inside `folder`, which is made if need be; it is gone when the block ends.

    `OutputError` when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=folder, prefix=".scratch-")
    except OSError as error:
        raise _unwritable(folder, error) from error
    with made as name:
        yield Path(name)


def _write_blocks(path: Path, blocks: Iterable[bytes], lasting: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            for block in blocks:
                stream.write(block)
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o644 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 text with `\\n` line ends."""
    write_bytes(path, text.encode("utf-8"))


def json_text(value: Any) -> str:
    """Readable JSON: sorted keys, two spaces, a final newline. The same value gives the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    """`json_text` of the value, written atomically."""
    write_text(path, json_text(value))


def write_jsonl(path: Path, rows: Iterable[Any], *, level: int = 19) -> int:
    """Write one canonical JSON object a line, compressed when `path` ends in `.zst`; how many lines that was.

    `level` is Zstandard's: the default suits data that are kept, a lower one what every run writes.
    """
    count = 0
    buffer = io.BytesIO()
    for row in rows:
        buffer.write(canonical_json(row).encode("utf-8", "surrogatepass") + b"\n")
        count += 1
    data = buffer.getvalue()
    if path.suffix == ".zst":
        import zstandard

        data = zstandard.ZstdCompressor(level=level, write_content_size=True).compress(data)
    write_bytes(path, data)
    return count


def open_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, bytes without the line end) of a `.jsonl` or `.jsonl.zst` file, streamed."""
    if not path.is_file():
        raise DataError(
            f"there is no file {path}", reason="it was named as a dataset or case file", remedy="check the path"
        )
    with path.open("rb") as raw:
        stream: Any = raw
        if path.suffix == ".zst":
            from modelqa.frames import Frames

            stream = io.BufferedReader(Frames(path, raw))
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(line) > MAX_LINE_BYTES:
                raise DataError(
                    f"{path}, line {number}: longer than {MAX_LINE_BYTES} bytes",
                    reason="a row of this size is no training example",
                    remedy="split the row, or check that the file has one JSON object a line",
                )
            yield number, line.rstrip(b"\r\n")


def read_jsonl(path: Path, *, strict: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) for each row; `DataError` names the line that is not UTF-8, JSON or an object.

    Blank lines are skipped; a file without rows yields nothing. `strict`: as `strict_json`; for what is written again.
    """
    for number, line in open_lines(path):
        if not line.strip():
            continue
        try:
            text = line.decode("utf-8")
            row = strict_json(text) if strict else json.loads(text)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}, line {number}: not UTF-8 (byte {error.start})",
                reason="rows are read as UTF-8, the encoding of JSON",
                remedy="convert the file, e.g. iconv -f latin1 -t utf-8",
            ) from None
        except (ValueError, RecursionError) as error:  # ValueError: also for a whole number of thousands of digits
            raise DataError(
                f"{path}, line {number}: not JSON ({error})",
                reason="each line must hold one JSON object",
                remedy="mend the line, or write the file again with modelqa data",
            ) from None
        if not isinstance(row, dict):
            raise DataError(
                f"{path}, line {number}: a JSON {type(row).__name__}, not an object",
                reason="each line must hold one JSON object",
                remedy="mend the line, or write the file again with modelqa data",
            )
        yield number, row


def strict_json(text: str) -> Any:
    """The JSON value of a text that may be meant to deceive; `ValueError` for what readers of JSON disagree about.

    That is a key which stands twice in one object, NaN, Infinity, and a number too large to be one.
    """
    return _STRICT.decode(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no number")
    return number


# Made once: a decoder for each line costs as much as the line.
_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)


def read_json(
    path: Path,
    *,
    limit: int = MAX_JSON_BYTES,
    error: type[ModelqaError] = DataError,
    remedy: str = WRITE_AGAIN,
    strict: bool = False,
) -> Any:
    """The JSON value in a file of at most `limit` bytes; `error` when it is larger, damaged or not UTF-8.

    `strict`: as `strict_json` reads it. A trainer's log may hold NaN; what a verdict rests on may not.
    """
    try:
        if path.stat().st_size > limit:
            raise ValueError(f"it has {path.stat().st_size} bytes, more than {limit}")
        text = path.read_text(encoding="utf-8")
        return strict_json(text) if strict else json.loads(text)
    except (OSError, ValueError, RecursionError) as why:
        raise error(f"{path} cannot be read: {why}", reason="it must be a JSON file in UTF-8", remedy=remedy) from None


def read_object(
    path: Path,
    *,
    limit: int = MAX_JSON_BYTES,
    error: type[ModelqaError] = DataError,
    remedy: str = WRITE_AGAIN,
    strict: bool = False,
) -> dict[str, Any]:
    """The JSON object in a file: `read_json`, and `error` when it holds another JSON value."""
    value = read_json(path, limit=limit, error=error, remedy=remedy, strict=strict)
    if not isinstance(value, dict):
        raise error(
            f"{path} holds a JSON {type(value).__name__}", reason="it must hold one JSON object", remedy=remedy
        )
    return value
