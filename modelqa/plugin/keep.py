"""What outlives a worker: the session's folder, the run record, the history of scorings.

The worker that judges writes the plan before anything is judged and one file a gate afterwards; the controller alone
puts them together into run.json. A gate without a file was not run, and the record says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from modelqa.errors import RecordError
from modelqa.files import canonical_json, read_object, sha256_file, sha256_text, write_bytes, write_json
from modelqa.record import GateResult, Run, Status, Verdict, gate_from_json
from modelqa.records import HISTORY, REPLIES, Scoring, history_rows


@dataclass(frozen=True)
class SessionFolder:
    """The folder that the processes of one pytest session share."""

    path: Path

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep everything of the record that is known before the first question."""
        self._write("plan.json", canonical_json(plan).encode())

    def plan(self) -> dict[str, Any] | None:
        """What `write_plan` kept; None when the session never got so far."""
        file = self.path / "plan.json"
        return read_object(file, error=RecordError, remedy="run the gates again") if file.is_file() else None

    def mark(self, name: str) -> None:
        """Leave a marker that other workers see."""
        self._write(name, b"")

    def marked(self, name: str) -> bool:
        """Whether a marker was left."""
        return (self.path / name).is_file()

    def write_gate(self, result: GateResult) -> None:
        """Keep one gate's result."""
        self._write(f"gates/{sha256_text(result.gate)[:16]}.json", canonical_json(result.to_json()).encode())

    def _write(self, name: str, data: bytes) -> None:
        """What only the processes of this session read need not outlive the machine."""
        write_bytes(self.path / name, data, lasting=False)

    def gates(self) -> dict[str, GateResult]:
        """The results kept so far, by gate."""
        files = sorted((self.path / "gates").glob("*.json"))
        results = [gate_from_json(read_object(file, error=RecordError, remedy="run the gates again")) for file in files]
        return {result.gate: result for result in results}


def assemble(folder: SessionFolder, scorings: int) -> Run | None:
    """The record of a session; None when it never came to a plan."""
    plan = folder.plan()
    if plan is None:
        return None
    judged, deselected = folder.gates(), set(plan["deselected"])
    gates = tuple(judged.get(entry["gate"]) or _not_run(entry, folder, deselected) for entry in plan["gates"])
    replies = folder.path / REPLIES
    return Run(
        model=plan["model"],
        controls=plan["controls"],
        settings=plan["settings"],
        selection=tuple(entry["node"] for entry in plan["gates"] if entry["node"] not in deselected),
        plan=tuple(entry["gate"] for entry in plan["gates"]),
        gates=gates,
        replies_sha256=sha256_file(replies) if replies.is_file() else "",
        scorings=scorings,
        notes=tuple(plan["notes"]),
        suite=plan["suite"],
        stopping=plan["stopping"],
        thresholds=plan["thresholds"],
    )


def _not_run(entry: Mapping[str, Any], folder: SessionFolder, deselected: set[str]) -> GateResult:
    if entry["node"] in deselected:
        code, text = "deselected", "left out by the selection on the command line"
    elif folder.marked("generating") and not folder.marked("generated"):
        code, text = "died", "the worker died while replies were made"
    else:
        code, text = "not_run", "the session ended before this gate was judged"
    verdict = Verdict(Status.NOT_RUN, code, entry["gate"], text, threshold=entry["threshold"])
    return GateResult(entry["gate"], entry["node"], entry["rung"], verdict)


def count_scorings(home: Path, weights: str, draw: str) -> int:
    """In how many different draws (case seeds, settings) these weights have been scored, this one included.

    `draw` identifies the questions; asking the same ones again is the same scoring.
    """
    draws = {row.draw for row in history_rows(home) if row.weights == weights}
    return len(draws | {draw})


def store(home: Path, folder: SessionFolder, run: Run, meta: Mapping[str, Any], *, draw: str) -> Path:
    """Put run.json, run.meta.json and the replies in place and append to the history; the record's path."""
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in str(run.model["name"]))[:80]
    target = home / "runs" / name / run.digest[:12]
    replies = folder.path / REPLIES
    if replies.is_file():
        write_bytes(target / REPLIES, replies.read_bytes())
    write_json(target / "run.json", run.to_json())
    write_json(target / "run.meta.json", meta)
    row = Scoring(
        weights=str(run.model["weights_sha256"]),
        draw=draw,
        digest=run.digest,
        name=str(run.model["name"]),
        time=str(meta["time"]),
        exercised=bool(meta["exercised"]),
        record=(target / "run.json").relative_to(home).as_posix(),
    )
    with FileLock(home / "history.lock"):
        _append(home / HISTORY, asdict(row))
    return target / "run.json"


def _append(path: Path, row: Mapping[str, Any]) -> None:
    """Add a line; a line that a kill left half written is cut off first."""
    old = path.read_bytes() if path.is_file() else b""
    whole = old[: old.rfind(b"\n") + 1]
    write_bytes(path, whole + canonical_json(row).encode() + b"\n")
