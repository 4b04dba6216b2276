"""The end of a session: the record, the exit status, the closing table, the scalars for JUnit."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.diagnose import diagnose, lines
from modelqa.errors import ModelqaError
from modelqa.files import canonical_json, sha256_text
from modelqa.plugin.keep import SessionFolder, assemble, count_scorings, store
from modelqa.plugin.lab import Lab
from modelqa.plugin.table import COLOURS, closing_rows, reasons
from modelqa.record import GateResult, Run, Status
from modelqa.text import escape
from modelqa.thresholds import Change

SHOWN_CHANGES = 5  # loosened thresholds; all of them stand in the record
FAILED, INCONCLUSIVE = 1, 6  # 2 to 5 are pytest's own: interrupted, internal error, usage, nothing collected


@dataclass(frozen=True)
class Record:
    """A record, where it lies, and whether any model was really loaded for it."""

    run: Run
    path: Path
    exercised: bool


def write_record(lab: Lab, folder: SessionFolder, started: float) -> Record | None:
    """Put run.json in place; None when the session never came to a plan."""
    plan = folder.plan()
    if plan is None:
        return None
    home = lab.settings.home
    draw = sha256_text(canonical_json(plan["settings"]))
    run = assemble(folder, count_scorings(home, plan["model"]["weights_sha256"], draw))
    assert run is not None
    meta = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "exercised": folder.marked("exercised"),
    }
    return Record(run, store(home, folder, run, meta, draw=draw), exercised=folder.marked("exercised"))


def exit_status(run: Run, status: int) -> int:
    """0 every gate passed, 1 one failed, 6 something is inconclusive or not run; pytest's own 2 to 5 stay."""
    if status not in (0, FAILED):
        return status
    found = {result.verdict.status for result in run.gates}
    if Status.FAIL in found:
        return FAILED
    if found & {Status.INCONCLUSIVE, Status.NOT_RUN} or Status.PASS not in found:
        return INCONCLUSIVE
    return status


def scalars(result: GateResult, lab: Lab) -> list[tuple[str, object]]:
    """A result's numbers as JUnit properties."""
    verdict = result.verdict
    values = {
        "verdict": verdict.status.value,
        "code": verdict.code,
        "passed": verdict.passed,
        "total": verdict.total,
        "lower": verdict.lower,
        "upper": verdict.upper,
        "threshold": verdict.threshold,
        "weights_sha256": lab.candidate.checkpoint.weights_digest,
    }
    return [(f"modelqa_{key}", value) for key, value in values.items() if value is not None]


def print_summary(reporter: Any, record: Record | None, lab: Lab, problem: ModelqaError | None) -> None:
    """The closing table, the reasons in order, what a reader must know, and the record's path."""
    reporter.section(f"modelqa: {escape(lab.candidate.model.name, 'terminal', limit=80)}", bold=True)
    if record is None:
        if problem:
            reporter.line(str(problem), red=True)
        reporter.line("no record was written", yellow=True)
        return
    whole = reporter.config.option.verbose > 0
    for status, line in closing_rows(record.run, whole=whole):
        colour = COLOURS.get(status)
        reporter.line(line, **({colour: True} if colour else {}))
    if not whole:
        reporter.line("(every gate by name: -v)")
    if why := reasons(record.run):
        reporter.line("")
        reporter.line("look at these first, in this order:", bold=True)
        for line in why:
            reporter.line(line)
    if explained := lines(diagnose(record.run)):
        reporter.line("")
        reporter.line("what it most likely is, the most mundane first:", bold=True)
        for line in explained:
            reporter.line(line)
    reporter.line("")
    for note in record.run.notes:
        reporter.line(f"note: {note}", yellow=True)
    for line in looser_lines(record.run.thresholds):
        reporter.line(line, yellow=True)
    if not record.exercised:
        reporter.line("note: nothing was exercised: all replies and measurements are kept ones", yellow=True)
    reporter.line(f"verdict: {overall(record.run)}, {scored(record.run)}", bold=True)
    reporter.line(f"record:  {record.path}")


def scored(run: Run) -> str:
    """How often these weights were scored, this time included: who draws until it passes is seen to."""
    return f"scored on {run.scorings} {'draw' if run.scorings == 1 else 'draws'} of cases so far"


def looser_lines(standing: Mapping[str, Any]) -> list[str]:
    """What is demanded less than at the last release: the first few, and how to see all."""
    changes = [Change(**row) for row in standing.get("loosened", ())]
    lines = [f"looser than at {standing['release']}: {change.text}" for change in changes[:SHOWN_CHANGES]]
    more = len(changes) - len(lines)
    return [escape(line, "terminal") for line in lines] + ([f"and {more} more: modelqa thresholds"] if more else [])


def overall(run: Run) -> str:
    """One line: PASS, FAIL or INCONCLUSIVE, with how many gates of each."""
    counts = {status: sum(result.verdict.status is status for result in run.gates) for status in Status}
    name = {0: "PASS", FAILED: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}[exit_status(run, 0)]
    parts = [f"{count} {status.value}" for status, count in counts.items() if count]
    return f"{name} ({', '.join(parts)})"
