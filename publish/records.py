"""A stored run: its record, its replies, and whether this machine's history knows those bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.errors import RecordError, UsageError
from modelqa.files import read_json, read_jsonl, sha256_file
from modelqa.record import Run, Verdict

REPLIES = "replies.jsonl.zst"
MAX_REPLIES = 1_000_000  # lines; a run asks some thousand questions


@dataclass(frozen=True)
class Row:
    """One kept reply: who was asked, what, what came back, and the gates that asked it ({gate: its case})."""

    role: str
    key: str
    prompt: str
    raw: str
    text: str
    ids: tuple[int, ...]
    stopped: bool
    cases: Mapping[str, Mapping[str, str]]


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


def newest_record(home: Path, name: str) -> Path:
    """The path of the newest record of a model by this name; `UsageError` when it was never judged here."""
    rows = [row for row in _history(home) if row.get("name") == name]
    if not rows:
        raise UsageError(
            f"there is no run record of {name!r} under {home}",
            reason="a card is derived from a run of the gates",
            remedy=f"run the gates first: pytest suites/ --model {name}; or name a record with --run",
        )
    return home / str(rows[-1].get("record", ""))


def open_run(path: Path) -> StoredRun:
    """The stored run at `path` (run.json, or its folder); `RecordError` when it or its replies are damaged."""
    file = path / "run.json" if path.is_dir() else path
    value = read_json(file)
    if not isinstance(value, dict):
        raise _damaged(file, "it is no JSON object")
    run = Run.from_json(value)
    _check_types(file, run)
    home = file.absolute().parents[3] if len(file.absolute().parents) > 3 else file.parent
    rows = [row for row in _history(home) if row.get("digest") == run.digest]
    return StoredRun(
        run=run,
        path=file,
        date=str(rows[0].get("time", ""))[:10] if rows else "",
        known=bool(rows),
        exercised=any(row.get("exercised") is True for row in rows),
        rows=tuple(_replies(file, run)),
    )


def _replies(file: Path, run: Run) -> Iterator[Row]:
    replies = file.parent / REPLIES
    if not run.replies_sha256:
        return
    if not replies.is_file() or sha256_file(replies) != run.replies_sha256:
        raise _damaged(file, f"{REPLIES} beside it is missing, or is not the one that it names by hash")
    for number, row in read_jsonl(replies):
        if number > MAX_REPLIES:
            raise _damaged(file, f"{REPLIES} has more than {MAX_REPLIES} lines")
        try:
            reply = row["reply"]
            cases = {
                gate: {key: str(case[key]) for key in ("id", "asked", "expect")} for gate, case in row["cases"].items()
            }
            yield Row(
                str(row["model"]), str(row["key"]), str(row["prompt"]["text"]), str(reply["raw"]), str(reply["text"]),
                tuple(int(one) for one in reply["ids"]), bool(reply["stopped"]), cases,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _damaged(file, f"{REPLIES}, line {number}, is no reply") from None


def _check_types(file: Path, run: Run) -> None:
    """`RecordError` for a record whose numbers are none: everything after this reads it as typed."""
    for result in run.gates:
        verdict = result.verdict
        counts = [verdict.passed, verdict.total, verdict.families, *result.families.values()]
        rates = [verdict.threshold, verdict.lower, verdict.upper, verdict.clustered]
        rates += [*result.nulls.values(), *result.floors.values()]
        pairs = [pair for values in result.groups.values() for pair in values.values()]
        sound = (
            all(_is_count(count) for count in counts)
            and all(rate is None or (_is_number(rate) and 0 <= rate <= 1) for rate in rates)
            and all(len(pair) == 2 and all(_is_count(count) for count in pair) for pair in pairs)
            and verdict.passed <= verdict.total
            and all(found in ("yes", "no", "error", "missing") for found in result.outcomes.values())
            and all(isinstance(text, str) for text in (result.gate, result.rung, verdict.code, verdict.text))
        )
        if not sound:
            raise _damaged(file, f"the gate {str(result.gate)[:60]!r} holds a value of another kind")
    models = [run.model.get(key) for key in ("name", "digest", "weights_sha256", "template_sha256", "tokenizer_sha256")]
    if not all(isinstance(value, str) for value in models) or not isinstance(run.model.get("fingerprint"), dict):
        raise _damaged(file, "it does not say which files were judged")
    if [result.gate for result in run.gates] != list(run.plan) or not isinstance(run.scorings, int):
        raise _damaged(file, "its results are not those of its plan")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _damaged(file: Path, reason: str) -> RecordError:
    return RecordError(
        f"{file} cannot be used", reason=reason, remedy="run the gates again; do not edit what a run has written"
    )


def _history(home: Path) -> list[dict[str, Any]]:
    path = home / "history.jsonl"
    return [row for _, row in read_jsonl(path)] if path.is_file() else []


def wording(verdict: Verdict, rung: str) -> tuple[str, str]:
    """(locus, text) of a verdict as far as they may ship: what data gates quote of training rows stays here."""
    return ("", "") if rung == "data" and verdict.code.startswith("data.") else (verdict.locus, verdict.text)
