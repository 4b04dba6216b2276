"""An SQLite database of all stored runs, brought up to date from the records each time it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelqa.errors import ModelqaError, OutputError
from modelqa.record import Status
from modelqa.records import Stored, read_stored

FILE = "history.sqlite"
LAYOUT = 1  # of the tables; a database of another layout is made anew
TABLES = """
CREATE TABLE runs (
  path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, name TEXT, time TEXT, digest TEXT, phase TEXT, weights TEXT,
  scorings INTEGER
);
CREATE TABLE gates (
  path TEXT REFERENCES runs ON DELETE CASCADE, place INTEGER, gate TEXT, rung TEXT, status TEXT, code TEXT,
  passed INTEGER, total INTEGER, lower REAL, upper REAL, threshold REAL, PRIMARY KEY (path, gate)
);
"""


@dataclass(frozen=True)
class Scored:
    """One gate in one run; `lower` and `upper` are its one-sided 95% bounds, None for a check without a rate."""

    gate: str
    rung: str
    status: Status
    code: str
    passed: int
    total: int
    lower: float | None
    upper: float | None
    threshold: float | None


@dataclass(frozen=True)
class PastRun:
    """One stored run. `scorings`: on how many draws of cases its weights had been scored, this run included."""

    name: str
    time: str
    digest: str
    phase: str
    weights: str
    scorings: int
    gates: dict[str, Scored]


@dataclass(frozen=True)
class Unread:
    """A record that is not in the history, and why."""

    path: Path
    reason: str


@contextmanager
def open_history(home: Path) -> Iterator[tuple[sqlite3.Connection, list[Unread]]]:
    """The database of the records under `home`, up to date, and the records that could not be read.

    `OutputError` when it cannot be written; a damaged database is made anew from the records.
    """
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        _drop_other_layout(path)
        with closing(sqlite3.connect(path, timeout=60)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            with database:
                unread = _refresh(database, home)
            yield database, unread
    except (sqlite3.OperationalError, OSError) as error:
        raise OutputError(
            f"{path} cannot be used: {error}",
            reason="the history is kept in a database beside the records",
            remedy="make the folder writable, or name another with --dir",
        ) from None


def _drop_other_layout(path: Path) -> None:
    if not path.is_file():
        return
    with closing(sqlite3.connect(path, timeout=60)) as database:
        try:
            layout = database.execute("PRAGMA user_version").fetchone()[0]
            sound = layout == LAYOUT and database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            sound = False
    if not sound:
        path.unlink()


def _refresh(database: sqlite3.Connection, home: Path) -> list[Unread]:
    """Take in records that are new or changed, drop those that are gone."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone():
        for statement in TABLES.strip().split(";\n"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {LAYOUT}")
    known = {path: (size, changed) for path, size, changed in database.execute("SELECT path, size, changed FROM runs")}
    found = {str(path.relative_to(home)): path for path in sorted((home / "runs").glob("*/*/run.json"))}
    for name in known.keys() - found.keys():
        database.execute("DELETE FROM runs WHERE path = ?", (name,))
    unread = []
    for name, path in found.items():
        stamp = (path.stat().st_size, path.stat().st_mtime_ns)
        if known.get(name) == stamp:
            continue
        database.execute("DELETE FROM runs WHERE path = ?", (name,))
        try:
            _insert(database, name, stamp, _whole(read_stored(path)))
        except ModelqaError as error:
            unread.append(Unread(path, error.fact))
    return unread


def _whole(stored: Stored) -> Stored:
    """The record, if it is as a run wrote it: its folder is named by its digest."""
    if not stored.digest.startswith(stored.path.parent.name):
        raise ModelqaError(
            "it was changed after the run wrote it",
            reason="the folder of a record is named by its digest",
            remedy="run the gates again; do not edit a record",
        )
    return stored


def _insert(database: sqlite3.Connection, path: str, stamp: tuple[int, int], stored: Stored) -> None:
    run = stored.run
    about = (stored.name, stored.time, stored.digest, run.model["phase"], run.model["weights_sha256"], run.scorings)
    database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (path, *stamp, *about))
    for place, result in enumerate(run.gates):
        verdict = result.verdict
        numbers = (verdict.passed, verdict.total, verdict.lower, verdict.upper, verdict.threshold)
        row = (path, place, result.gate, result.rung, verdict.status.value, verdict.code, *numbers)
        database.execute("INSERT INTO gates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def past_runs(database: sqlite3.Connection, name: str) -> list[PastRun]:
    """The runs of one model, oldest first."""
    columns = "path, name, time, digest, phase, weights, scorings"
    rows = database.execute(f"SELECT {columns} FROM runs WHERE name = ? ORDER BY time, changed", (name,)).fetchall()
    return [
        PastRun(name, time, digest, phase, weights, scorings, _gates(database, path))
        for path, name, time, digest, phase, weights, scorings in rows
    ]


def model_names(database: sqlite3.Connection) -> list[str]:
    """Every model that has a run, in the order of its last one."""
    return [row[0] for row in database.execute("SELECT name FROM runs GROUP BY name ORDER BY max(time), name")]


def _gates(database: sqlite3.Connection, path: str) -> dict[str, Scored]:
    columns = "gate, rung, status, code, passed, total, lower, upper, threshold"
    rows = database.execute(f"SELECT {columns} FROM gates WHERE path = ? ORDER BY place", (path,))
    return {row[0]: Scored(row[0], row[1], Status(row[2]), *row[3:]) for row in rows}
