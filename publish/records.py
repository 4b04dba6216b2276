"""A stored run as a publisher takes it: its values checked, and whether this machine's history knows those bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelqa.errors import RecordError
from modelqa.record import NOT_DRAWN, Run, Verdict
from modelqa.records import Row, Stored, history_rows, read_stored

UNKNOWN = "the history of runs does not list these bytes: the record was edited, or its history was left behind"


@dataclass(frozen=True)
class StoredRun:
    """A run record as it lies on disk.

    date       of the first time that these very bytes were recorded, "2026-11-21"; "" when the history has none
    known      whether the history beside it lists these bytes: an edited record is not known
    exercised  whether any run that gave these bytes really asked a model, instead of reading kept replies alone
    """

    run: Run
    path: Path
    date: str = ""
    known: bool = False
    exercised: bool = False
    rows: tuple[Row, ...] = ()


def open_run(path: Path) -> StoredRun:
    """The stored run at `path` (run.json, or its folder); `RecordError` when it or its replies are damaged."""
    return checked(read_stored(path))


def checked(stored: Stored) -> StoredRun:
    """A stored run whose numbers are numbers, with what the history beside it knows; else `RecordError`."""
    sound_run(stored)
    rows = [row for row in history_rows(_home(stored.path)) if row.digest == stored.run.digest]
    return StoredRun(
        run=stored.run,
        path=stored.path,
        date=rows[0].time[:10] if rows else "",
        known=bool(rows),
        exercised=any(row.exercised for row in rows),
        rows=stored.rows,
    )


def _home(file: Path) -> Path:
    """The folder that HOME/runs/NAME/DIGEST/run.json lies under; a record that lies elsewhere has no history."""
    above = file.absolute().parents
    return above[3] if len(above) > 3 else file.parent


def sound_run(stored: Stored) -> Run:
    """The run of a record; `RecordError` when its numbers are none: everything after this reads it as typed."""
    file, run = stored.path, stored.run
    for result in run.gates:
        verdict = result.verdict
        counts = [verdict.passed, verdict.total, verdict.planned, verdict.families, *result.looks]
        counts += result.families.values()
        rates = [verdict.threshold, verdict.lower, verdict.upper, verdict.clustered]
        rates += [*result.nulls.values(), *result.floors.values()]
        pairs = [pair for values in result.groups.values() for pair in values.values()]
        sound = (
            all(_is_count(count) for count in counts)
            and all(rate is None or (_is_number(rate) and 0 <= rate <= 1) for rate in rates)
            and all(len(pair) == 2 and all(_is_count(count) for count in pair) for pair in pairs)
            and verdict.passed <= verdict.total
            and all(found in ("yes", "no", "error", "missing", NOT_DRAWN) for found in result.outcomes.values())
            and all(isinstance(text, str) for text in (result.gate, result.rung, verdict.code, verdict.text))
        )
        if not sound:
            raise _damaged(file, f"the gate {str(result.gate)[:60]!r} holds a value of another kind")
    models = [run.model.get(key) for key in ("name", "digest", "weights_sha256", "template_sha256", "tokenizer_sha256")]
    if not all(isinstance(value, str) for value in models) or not isinstance(run.model.get("fingerprint"), dict):
        raise _damaged(file, "it does not say which files were judged")
    if [result.gate for result in run.gates] != list(run.plan) or not isinstance(run.scorings, int):
        raise _damaged(file, "its results are not those of its plan")
    return run


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _damaged(file: Path, reason: str) -> RecordError:
    return RecordError(
        f"{file} cannot be used", reason=reason, remedy="run the gates again; do not edit what a run has written"
    )


def wording(verdict: Verdict, rung: str) -> tuple[str, str]:
    """(locus, text) of a verdict as far as they may ship: what data gates quote of training rows stays here."""
    return ("", "") if rung == "data" and verdict.code.startswith("data.") else (verdict.locus, verdict.text)
