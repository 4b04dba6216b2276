"""May this run be released? Judged anew from its outcomes and the threshold table; what the record claims is compared.

Pure but for reading the suites folder. Each refusal is a problem with a code of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from modelqa.judge import rejudge
from modelqa.models import Model
from modelqa.phases import TABLE, Later, Phases, read_phases, suite_files
from modelqa.record import GateResult, Problem, Status

from .bars import edited_bars
from .records import UNKNOWN, StoredRun
from .suite import case_gates, tests_of

EXCUSED = ("later_phase", "not_asked", "informational")  # why a gate of a declared model may stay without a verdict
_NUMBERS = ("passed", "total", "lower", "upper", "clustered", "families")


def refusals(stored: StoredRun, model: Model, *, suites: Path, beside: Collection[str] = ()) -> list[Problem]:
    """Why a run cannot be released; [] when it can. `suites` is the folder whose gates and thresholds count.

    beside   digests of what a release would replace or stand beside: with these a model may be compared, too
    """
    phases = read_phases(suites / TABLE) if (suites / TABLE).is_file() else Phases()
    return [
        *_origin(stored, model),
        *_baseline(stored, model, beside),
        *_suite(stored, suites),
        *edited_bars(stored.run, suites),
        *_completeness(stored),
        *(problem for result in stored.run.gates for problem in _gate(result, phases, model)),
        *_asked(stored, suites),
    ]


def _origin(stored: StoredRun, model: Model) -> Iterator[Problem]:
    run, name = stored.run, model.name
    if not stored.known:
        yield Problem("release.unknown_record", str(stored.path.name), UNKNOWN)
    elif not stored.exercised:
        text = "every reply and measurement was a kept one: run it again with --modelqa-release"
        yield Problem("release.cached", name, text)
    if not model.declared or not run.model.get("declared"):
        yield Problem(
            "release.undeclared", name, "models.toml does not name this model, so nothing is known of its data"
        )
    if run.model.get("phase") != model.phase:
        text = f"judged by the row of phase {run.model.get('phase')!r}; models.toml declares {model.phase!r}"
        yield Problem("release.phase", name, text)
    if not run.replies_sha256:
        yield Problem("release.replies", name, "no reply was kept, so nothing was asked of the model")


def _baseline(stored: StoredRun, model: Model, beside: Collection[str]) -> Iterator[Problem]:
    """A weaker baseline would let a worse model pass: only the declared one counts, or what is published."""
    found = stored.run.controls.get("baseline")
    given = found if isinstance(found, Mapping) else {"name": "nothing"}
    if model.baseline and given.get("name") != model.baseline and given.get("checkpoint") not in {*beside} - {""}:
        text = f"laid beside {given.get('name')}; models.toml declares {model.baseline}"
        yield Problem("release.baseline", model.name, text)


def _suite(stored: StoredRun, suites: Path) -> Iterator[Problem]:
    asked, now = stored.run.suite, suite_files(suites)
    for file in sorted({*asked, *now}):
        if asked.get(file) != now.get(file):
            text = "this file of the suites is not the one that the run was asked with"
            yield Problem("release.suite", file, text)


def _completeness(stored: StoredRun) -> Iterator[Problem]:
    run = stored.run
    for result in run.gates:
        if result.node not in run.selection:
            yield Problem("release.deselected", result.gate, "planned, but left out by the selection")


def _asked(stored: StoredRun, suites: Path) -> Iterator[Problem]:
    """Outcomes against the kept replies: a case that was asked and has no outcome was left out afterwards."""
    answered: dict[tuple[str, str], set[str]] = {}
    for row in stored.rows:
        for gate, case in row.cases.items():
            answered.setdefault((row.role, gate), set()).add(case.case)
    singular = case_gates(suites)
    for result in stored.run.gates:
        replied = answered.get((result.model, result.gate), set())
        if result.gate not in singular or result.verdict.status is not Status.PASS:
            continue
        if not result.outcomes:
            yield Problem("release.outcomes", result.gate, "it is asked once a case, and no outcome is in the record")
        elif lost := sorted(replied - {*result.outcomes}):
            yield Problem("release.cases", result.gate, f"{lost[0]} was asked and answered, and has no outcome")
        elif made := sorted(case for case, found in result.outcomes.items() if found == "yes" and case not in replied):
            yield Problem("release.cases", result.gate, f"{made[0]} has the outcome yes, and no reply was kept")


def missing_tests(stored: StoredRun, suites: Path) -> list[Problem]:
    """The tests of the suites folder that the run did not even plan: a run of one file looks complete by itself."""
    planned = [(result.node.partition("::")[0], result.gate.partition("[")[0]) for result in stored.run.gates]
    return [
        Problem("release.not_planned", f"{file}::test_{name}", "a gate of the suites that this run never planned")
        for file, names in tests_of(suites).items()
        for name in names
        if not any(path.endswith(file) and gate == name for path, gate in planned)
    ]


def _gate(result: GateResult, phases: Phases, model: Model) -> Iterator[Problem]:
    verdict, name = result.verdict, result.gate
    entry = phases.entry(name, model.phase)
    if verdict.status is Status.NOT_ASKED:
        if verdict.code not in EXCUSED or (verdict.code == "later_phase") != isinstance(entry, Later):
            yield Problem("release.gate", name, f"not asked ({verdict.code}), though the phase table asks it")
        elif verdict.code == "informational" and isinstance(entry, float):
            yield Problem("release.gate", name, "printed only, though the phase table holds a rate for it")
        return
    if verdict.status is Status.INCONCLUSIVE and verdict.code == "no_evidence" and model.waivers.get(name, "").strip():
        return
    if result.outcomes:
        yield from _rate(result, entry if isinstance(entry, float) else verdict.threshold)
    elif verdict.total or (isinstance(entry, float) and entry < 1.0):
        yield Problem("release.outcomes", name, "a rate is claimed, and no outcome of any case is in the record")
    elif verdict.status is not Status.PASS:
        yield Problem("release.gate", name, f"{verdict.status.value} ({verdict.code})")


def _rate(result: GateResult, threshold: float | None) -> Iterator[Problem]:
    """A rate gate, from its outcomes: it must pass, and the record must say what they say."""
    name, stated = result.gate, result.verdict
    if threshold is None:
        yield Problem("release.gate", name, "the phase table holds no rate for it")
        return
    if stated.threshold != threshold:
        text = f"judged at {stated.threshold}; the phase table asks for {threshold}"
        yield Problem("release.threshold", name, text)
    again = rejudge(result, threshold)
    if again.status is not Status.PASS:
        yield Problem("release.gate", name, f"{again.status.value} ({again.code}): {again.text}")
    differing = [key for key in _NUMBERS if getattr(stated, key) != getattr(again, key)]
    if stated.status is not again.status or differing:
        what = ", ".join(["verdict"] * (stated.status is not again.status) + differing)
        yield Problem("release.verdict", name, f"the record's {what} is not what its outcomes give")
