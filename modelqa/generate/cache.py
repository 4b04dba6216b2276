"""The reply cache: one SQLite file, keyed by content. Reading it needs no torch.

A kill at any point leaves whole batches or nothing (one transaction each); several processes may read and write. Each
row carries a checksum. A file that does not hold what was put in is set aside with a `CacheWarning` and begun anew.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from modelqa.errors import GenerationError
from modelqa.files import canonical_json, sha256_text
from modelqa.reply import Prompt, Reply

FILE = "replies-v1.sqlite"  # the version of the tables stands in the name: another one is another file
BUSY_SECONDS = 60  # how long to wait for another process's transaction; one takes milliseconds
_ANSWER = TypeVar("_ANSWER")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}  # SQLITE_ERROR: other tables or columns
_KEYS_AT_ONCE = 500  # SQLite takes 999 parameters in a statement at least
FULL = 64 * 1024  # bytes free, less than which SQLite cannot open its files


class CacheWarning(UserWarning):
    """The cache was damaged: it was set aside, and replies are made again."""


class _DamagedError(Exception):
    """A row does not match its checksum."""


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """{"torch": version, "transformers": version} as installed, without importing either; "" when absent."""
    return {name: _version(name) for name in ("torch", "transformers")}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class Setup:
    """Everything but the prompt that decides a greedy reply; two equal setups give equal replies.

    checkpoint  `Checkpoint.digest`: weights, configs, tokenizer and template by content, wherever the folder lies
    template    sha256 of the chat template in use
    engine      `LocalEngine.name`;  device: its kind ("cpu", "cuda")
    """

    checkpoint: str
    template: str
    stop_ids: tuple[int, ...]
    max_new_tokens: int
    batch_size: int = 32
    engine: str = "local"
    dtype: str = "float32"
    device: str = "cpu"
    versions: Mapping[str, str] = field(default_factory=library_versions)

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return asdict(self)

    def key(self, prompt: Prompt) -> str:
        """Hex sha256 of the setup and the prompt's ids: the name of the reply in the cache."""
        return sha256_text(canonical_json({**self._plain, "prompt": prompt.ids}))


class ReplyCache:
    """Replies and measurements by key, kept in `root`/replies-v1.sqlite. Use it as a context manager, or `close` it.

    `GenerationError` when the folder cannot be written, the disk is full, or another process holds the file too long.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def __enter__(self) -> ReplyCache:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; the next call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get_many(self, keys: Iterable[str]) -> dict[str, Reply]:
        """{key: Reply} of the keys that are there."""
        found = self._ask(lambda connection: _select(connection, "replies", list(keys)))
        return {key: Reply.from_json(value) for key, value in found.items()}

    def put_many(self, replies: Mapping[str, Reply]) -> None:
        """Keep the replies, all in one transaction. One that is there already is replaced."""
        rows = {key: reply.to_json() for key, reply in replies.items()}
        self._ask(lambda connection: _insert(connection, "replies", rows))

    def measurement(self, key: str) -> Any:
        """The JSON value kept under `key` (a loss, a logit gap); None when there is none."""
        return self._ask(lambda connection: _select(connection, "measurements", [key])).get(key)

    def put_measurement(self, key: str, value: Any) -> None:
        """Keep a JSON value under `key`."""
        self._ask(lambda connection: _insert(connection, "measurements", {key: value}))

    def _ask(self, question: Callable[[sqlite3.Connection], _ANSWER]) -> _ANSWER:
        """The answer from the file; once more from a new one when the file is damaged."""
        for attempt in (1, 2):
            try:
                return question(self._open())
            except (sqlite3.DatabaseError, _DamagedError) as error:
                self.close()
                if attempt == 2 or not _is_damage(error):
                    raise self._unusable(error) from error
                self._set_aside(error)
        raise AssertionError("unreachable: the second attempt returns or raises")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            with self._lock():  # SQLite does not wait for another process that is switching the journal mode
                self.path.touch()
                self._inode = self.path.stat().st_ino
                self._connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
                self._connection.execute("PRAGMA journal_mode=WAL")  # readers go on while one writes
                for table in ("replies", "measurements"):
                    columns = "key TEXT PRIMARY KEY, value BLOB, sha TEXT"
                    self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        return self._connection

    @contextmanager
    def _lock(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path.with_suffix(".lock"), timeout=BUSY_SECONDS):
                yield
        except (OSError, Timeout) as error:
            raise self._unusable(error) from error

    def _set_aside(self, error: Exception) -> None:
        with self._lock():
            if self.path.exists() and self.path.stat().st_ino == self._inode:  # else another process was first
                number = len(list(self.path.parent.glob(f"{FILE}.damaged-*"))) + 1
                aside = self.path.with_name(f"{FILE}.damaged-{number}")
                self.path.replace(aside)
                for suffix in ("-wal", "-shm"):  # they belong to the damaged file
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                text = f"the reply cache {self.path} is damaged ({error}): set aside as {aside.name}"
                warnings.warn(f"{text}, replies are made again", CacheWarning, stacklevel=4)

    def _unusable(self, error: Exception) -> GenerationError:
        # SQLite says "disk I/O error" where the file that its processes share cannot grow.
        full = self.path.parent.is_dir() and shutil.disk_usage(self.path.parent).free < FULL
        return GenerationError(
            f"the reply cache {self.path} cannot be used",
            reason=f"{error}: the disk is full" if full else str(error),
            remedy="free some space, make the folder writable, end the process that holds it, or choose another folder",
        )


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, _DamagedError) or (code is not None and code & 0xFF in _DAMAGE)


def _select(connection: sqlite3.Connection, table: str, keys: list[str]) -> dict[str, Any]:
    found = {}
    for first in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[first : first + _KEYS_AT_ONCE]
        marks = ",".join("?" * len(some))
        for key, value, sha in connection.execute(f"SELECT key, value, sha FROM {table} WHERE key IN ({marks})", some):
            text = value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else ""
            if sha != sha256_text(f"{key} {text}"):
                raise _DamagedError(f"the entry {key[:12]} of {table} does not match its checksum")
            found[key] = json.loads(text)
    return found


def _insert(connection: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    texts = {key: canonical_json(value) for key, value in values.items()}
    rows = [(key, text.encode("utf-8", "surrogatepass"), sha256_text(f"{key} {text}")) for key, text in texts.items()]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
