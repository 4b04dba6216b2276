"""Stored runs: the rows of what was asked and said, and how to find and read a record again. No torch.

A record is a folder: run.json, run.meta.json, replies.jsonl.zst. `history.jsonl` lists every scoring in order: it is
the count of scorings and says which record of a model is the newest. Records are the truth about everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.errors import DataError, RecordError, UsageError
from modelqa.files import canonical_json, read_json, read_jsonl, read_object, sha256_file, sha256_text
from modelqa.gates import Case
from modelqa.models import nearest
from modelqa.record import Run
from modelqa.reply import Prompt, Reply

REPLIES = "replies.jsonl.zst"
HISTORY = "history.jsonl"
HOME = ".modelqa"  # where a session puts its records, under the folder it was started in
MAX_RECORD_BYTES = 64 * 1024 * 1024  # of a run.json; the shipped suites make a quarter of a megabyte
MAX_ROWS = 1_000_000  # replies of one record; a file that goes on longer is not one of ours


def reply_row(role: str, prompt: Prompt, reply: Reply) -> dict[str, Any]:
    """The line of replies.jsonl.zst for one question to one model; `cases` is filled with {gate: `case_row`}."""
    asked = {"ids": list(prompt.ids), "text": prompt.text}
    return {"model": role, "key": prompt.key, "prompt": asked, "reply": reply.to_json(), "cases": {}}


def case_row(case: Case) -> dict[str, Any]:
    """Which case of a gate a question was, so that another record of the same cases can be laid beside it."""
    return {"id": case.id, "asked": case.user, "expect": case.answer, "meta": dict(case.meta)}


@dataclass(frozen=True)
class Asked:
    """One case as it was asked and answered.

    asked     the last user message; expected: the right answer, "" when none is stated
    said      the reply's text before its stop token, special tokens visible; raw: the whole reply
    meta      what results are broken down by
    """

    case: str
    asked: str
    expected: str
    said: str
    raw: str
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One kept reply: who was asked (candidate, reference, ...), what, what came back, and {gate: the case it was}.

    key     hash of the prompt's token ids; prompt: its text
    """

    role: str
    key: str
    prompt: str
    reply: Reply
    cases: Mapping[str, Asked]


@dataclass(frozen=True)
class Scoring:
    """A line of the history: these weights were asked these questions.

    draw       identifies the questions (case seed, settings); digest: of the record that came out
    exercised  whether a model was really asked, instead of reading kept replies alone
    record     where the record lies, relative to the folder of the history
    """

    weights: str
    draw: str
    digest: str
    name: str
    time: str
    exercised: bool
    record: str


@dataclass(frozen=True)
class Stored:
    """A run as it lies on disk; `digest` is that of the file's content, which the folder is named by."""

    run: Run
    path: Path
    digest: str

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.run.model["name"])

    @property
    def identity(self) -> dict[str, str]:
        """What another record says of this one."""
        return {"name": self.name, "checkpoint": str(self.run.model["digest"]), "record": self.digest}

    @cached_property
    def time(self) -> str:
        """When it was made, "" when that was not kept."""
        meta = self.path.with_name("run.meta.json")
        return str(read_json(meta).get("time", "")) if meta.is_file() else ""

    def asked(self, role: str = "candidate") -> dict[str, dict[str, Asked]]:
        """{gate: {case id: what was asked and said}}; `RecordError` when the replies are not those of this record."""
        return by_gate(self.rows, role)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every kept reply; `RecordError` when the file is not the one that the record names by its hash."""
        if not self.run.replies_sha256:
            return ()
        path = self.path.with_name(REPLIES)
        if not path.is_file() or sha256_file(path) != self.run.replies_sha256:
            raise RecordError(
                f"{path} is not the file of this record",
                reason="run.json holds the hash of the replies that its verdicts rest on",
                remedy="run the gates again, or put the whole folder of the record back",
            )
        rows = []
        for number, row in read_jsonl(path):
            if number > MAX_ROWS:
                raise _unreadable(path, f"more than {MAX_ROWS} lines")
            try:
                rows.append(_row(row))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _unreadable(path, f"line {number}: {error!r}") from None
        return tuple(rows)


def by_gate(rows: Iterable[Row], role: str) -> dict[str, dict[str, Asked]]:
    """{gate: {case id: what one model was asked and said}}."""
    found: dict[str, dict[str, Asked]] = {}
    for row in rows:
        if row.role == role:
            for gate, case in row.cases.items():
                found.setdefault(gate, {})[case.case] = case
    return found


def _row(value: Mapping[str, Any]) -> Row:
    said = value["reply"]
    ids = tuple(int(one) for one in said["ids"])
    reply = Reply(ids, str(said["raw"]), str(said["text"]), bool(said["stopped"]), said.get("margin"))
    cases = {str(gate): _asked(case, reply) for gate, case in value["cases"].items()}
    return Row(str(value["model"]), str(value["key"]), str(value["prompt"]["text"]), reply, cases)


def _asked(case: Mapping[str, Any], reply: Reply) -> Asked:
    return Asked(
        case=str(case["id"]),
        asked=str(case["asked"]),
        expected=str(case["expect"]),
        said=reply.text,
        raw=reply.raw,
        meta={str(key): str(value) for key, value in case["meta"].items()},
    )


def _unreadable(path: Path, fact: str) -> RecordError:
    return RecordError(
        f"{path} cannot be read: {fact}", reason="it is not as a run writes it", remedy="run the gates again"
    )


def read_stored(path: Path) -> Stored:
    """The run in a run.json, or in a folder that holds one; `RecordError` when it is damaged or of another version."""
    file = path / "run.json" if path.is_dir() else path
    value = read_object(file, limit=MAX_RECORD_BYTES, error=RecordError, remedy="run the gates again", strict=True)
    return Stored(Run.from_json(value), file, sha256_text(canonical_json(value)))


def is_record(name: str) -> bool:
    """Whether a command-line word names a stored record: a run.json, or a folder that holds one."""
    path = Path(name)
    return (path.name == "run.json" and path.is_file()) or (path / "run.json").is_file()


def find_stored(home: Path, name: str) -> Stored:
    """The record that `name` means: a run.json or its folder, else the newest record of the model of that name.

    `UsageError` when there is none.
    """
    if is_record(name):
        return read_stored(Path(name))
    rows = history_rows(home)
    for row in reversed(rows):
        if row.name in (name, Path(name).name) and (home / row.record).is_file():
            return read_stored(home / row.record)
    known = list(dict.fromkeys(row.name for row in rows))
    raise UsageError(
        f"there is no record of {name!r} under {home}",
        reason=f"records there are of {', '.join(known)}" if known else "no run has been stored there",
        remedy=nearest(name, known) or f"pytest suites/ --model {name}, or name a run.json",
    )


def history_rows(home: Path) -> list[Scoring]:
    """The scorings under a folder, in their order; `RecordError` for a damaged history."""
    path = home / HISTORY
    if not path.is_file():
        return []
    try:
        return [_scoring(path, number, row) for number, row in read_jsonl(path)]
    except DataError as error:
        raise _damaged(error.fact) from None


def _scoring(path: Path, number: int, row: Mapping[str, Any]) -> Scoring:
    kinds = {each.name: bool if each.name == "exercised" else str for each in fields(Scoring)}
    if row.keys() != kinds.keys() or not all(isinstance(row[name], kind) for name, kind in kinds.items()):
        raise _damaged(f"{path}, line {number}: not one text each for {', '.join(kinds)}")
    return Scoring(**row)


def _damaged(fact: str) -> RecordError:
    return RecordError(
        fact,
        reason="the history counts how often a checkpoint was scored, and a count that lost lines would be too low",
        remedy="mend the line, or move the file away and say so on the card",
    )
