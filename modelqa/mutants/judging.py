"""Make mutants of one model and judge each by the suites, the cheap rungs first."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from modelqa.diagnose.ladder import diagnose
from modelqa.errors import UsageError
from modelqa.gates import LADDER
from modelqa.models import Model, Registry
from modelqa.mutants.difference import BEFORE, difference, keep_before
from modelqa.mutants.kind import OPENING, Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.matrix import Cell, Row, cells, expected_of, healthy_gates
from modelqa.mutants.sessions import Nursery
from modelqa.mutants.trial import Session, Trial, declare, hashed_name, run, stage
from modelqa.record import GateResult

AS_IT_IS = "healthy"  # the area of a model that nothing is done to
# The sessions of a mutant: the groups up to the gate that must kill it in one, the others while nothing has killed it.
GROUPS = (("harness", "weights"), ("parity",), ("behaviour",), ("benchmarks",))
BESIDE = ("training",)  # rungs that ask a checkpoint something too, and are asked of a mutant only where it is declared
# Areas whose defects leave the checkpoint unharmed, and the rungs that look at them. Behaviour is asked beside the data
# for its cases, which are compared with the data; its replies are kept ones.
EVIDENCE = {
    "data": ("harness", "weights", "data", "behaviour"),
    "log": ("harness", "weights", "training"),
    "capture": ("harness", "weights", "training", "parity"),
    "results": ("harness", "weights", "benchmarks"),
    "suite": ("weights", "behaviour"),
    "bars": ("harness",),
    "texts": ("harness", "benchmarks"),
}


@dataclass(frozen=True)
class Workplace:
    """Where mutants of one model are made and judged.

    home     trials, records and the cache of replies
    rungs    the rungs that are asked
    options  given on to pytest
    """

    model: Model
    registry: Registry
    suites: Path
    home: Path
    rungs: tuple[str, ...] = LADDER
    options: tuple[str, ...] = ()
    seed: int = 0
    nursery: Nursery = field(default_factory=Nursery)

    @property
    def trials(self) -> Path:
        """The folder of the staged copies."""
        return self.home / "trials"

    @property
    def parent(self) -> Model | None:
        """What the model was trained from."""
        return self.registry.models.get(self.model.parent)

    def sibling(self, name: str) -> Sibling:
        """A private copy of the model under a hashed name."""
        return Sibling(stage(self.trials, name, self.model), self.parent, self.seed, given=self.suites)

    def groups(self, area: str = "", upto: str = "") -> list[tuple[str, ...]]:
        """The sessions of a mutant of this area, each a set of rungs; of one that touches the checkpoint by default.

        The first of them goes up to the rung `upto`, whose gate is declared to kill it.
        """
        there = [rung for rung in self.rungs if (self.suites / rung).is_dir()]
        wanted: Sequence[Sequence[str]] = (EVIDENCE[area],) if area in EVIDENCE else GROUPS
        if area not in EVIDENCE and upto in BESIDE:
            wanted = ((*GROUPS[0], upto), *GROUPS[1:])
        last = next((number for number, group in enumerate(wanted) if upto in group), 0)
        first = [rung for group in wanted[: last + 1] for rung in group]
        found = [tuple(rung for rung in group if rung in there) for group in (first, *wanted[last + 1 :])]
        return [group for group in found if group]

    def session(self, trial: Trial, rungs: Sequence[str]) -> Session:
        """Judge one staged copy by some rungs."""
        return run(trial, rungs, suites=self.suites, home=self.home, nursery=self.nursery, options=self.options)


@dataclass
class Healthy:
    """What the unharmed model passes, judged once for each set of rungs and each ground that mutants share."""

    place: Workplace
    _known: dict[object, dict[str, GateResult]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, kind: Kind) -> dict[str, GateResult]:
        """{gate: its verdict} of the healthy half of this kind's pair; `NotApplicable` when it cannot be made."""
        key = (kind.area if kind.area in EVIDENCE else "", kind.ground)
        with self._lock:
            if key not in self._known:
                self._known[key] = judge_healthy(self.place, kind)
            return self._known[key]


def judge_healthy(place: Workplace, kind: Kind) -> dict[str, GateResult]:
    """The gates that the healthy half of a kind's pair passes, on the rungs that look at its defects.

    `UsageError` when it is not even judged, or passes none; `NotApplicable` when the pair cannot be made.
    """
    name = hashed_name("healthy", place.model.name, kind.area if kind.area in EVIDENCE else "", kind.ground)
    healthy = kind.grounded(place.sibling(name))
    trial = declare(place.trials, healthy.model, place.registry, healthy.others)
    at = place if healthy.suites is None else replace(place, suites=healthy.suites)
    asked = {rung for group in at.groups(kind.area, LADDER[-1]) for rung in group}
    asked |= set() if kind.area in EVIDENCE else {rung for rung in BESIDE if rung in at.rungs}
    rungs = tuple(rung for rung in LADDER if rung in asked)
    session = at.session(trial, rungs)
    if session.record is None:
        raise UsageError(
            f"the unharmed copy of {place.model.name} could not be judged (exit status {session.status})",
            reason=session.output.strip().splitlines()[-1] if session.output.strip() else "there was no output",
            remedy=f"run the suites on it by hand first: pytest {place.suites} --model {place.model.name}",
        )
    shutil.rmtree(trial.folder)
    passed = healthy_gates([session])
    if set(passed) == {OPENING}:
        raise UsageError(f"{place.model.name} passes no gate", reason="a gate that a healthy model fails kills nothing",
                         remedy="choose a model that passes, or other suites with --suites")  # fmt: skip
    return passed


def judge_mutant(place: Workplace, kind: Kind, healthy: Healthy, *, to_the_end: bool = False) -> Row:
    """One row of the matrix; `to_the_end`: every rung is asked, whatever has killed below, and each gate by itself."""
    name = hashed_name(kind.name, place.model.name, place.seed)
    try:
        passed = healthy.of(kind)
        half = kind.grounded(place.sibling(name))
        before = keep_before(place.trials / name)
        damage = kind.make(half)
    except NotApplicable as why:
        _remove(place.trials / name)
        return Row(kind, name, reason=str(why), applicable=False)
    differs = difference(before, place.trials / name, half.model, damage.model)
    expected = expected_of(kind, passed)
    trial = declare(place.trials, damage.model, place.registry, damage.others)
    at = place if damage.suites is None else replace(place, suites=damage.suites)
    upto = LADDER[-1] if to_the_end else _last_rung(expected, passed)
    climb = _climb(at, trial, damage, passed, kind.area, upto, by_itself=to_the_end)
    _remove(place.trials / name)
    return Row(kind, name, damage.locus, expected, climb.said, climb.reason, climb.seconds, difference=differs,
               causes=climb.causes)  # fmt: skip


def judge_as_it_is(place: Workplace, kind: Kind) -> Row:
    """The row of a healthy model to which nothing is done: every gate of every rung counts."""
    name = hashed_name(kind.name, place.model.name, place.seed)
    copy = place.sibling(name).damaged("")
    trial = declare(place.trials, copy.model, place.registry, copy.others)
    session = place.session(trial, tuple(rung for rung in place.rungs if (place.suites / rung).is_dir()))
    _remove(place.trials / name)
    said = cells(session, healthy_gates([session]), copy)
    return Row(kind, name, cells=said, reason=_ended(session), seconds=session.seconds)


def _ended(session: Session) -> str:
    """How a session ended that has neither a record nor one clear error; "" otherwise."""
    if session.record is not None or session.refused:
        return ""
    lines = session.output.strip().splitlines()[-1:] or ["there was no output"]
    return f"exit status {session.status}: {lines[0]}"


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder.with_name(f"{folder.name}-{BEFORE}"), ignore_errors=True)


def _last_rung(expected: Expected | None, healthy: Mapping[str, GateResult]) -> str:
    """The rung up to which a mutant is asked in one session: that of the gate that must kill it."""
    return healthy[expected.gate].rung if expected else ""


@dataclass(frozen=True)
class Climb:
    """What the gates said, how it ended without a record ("" with one), seconds, and the causes of the diagnosis."""

    said: Mapping[str, Cell]
    reason: str
    seconds: float
    causes: tuple[str, ...] | None


def _climb(
    place: Workplace, trial: Trial, damage: Damage, healthy: Mapping[str, GateResult], area: str, upto: str,
    *, by_itself: bool = False,
) -> Climb:
    """The sessions of a mutant, up to the first one in which a gate kills."""
    said: dict[str, Cell] = {}
    sessions: list[Session] = []
    for group in place.groups(area, upto):
        sessions.append(session := place.session(trial, group))
        said |= cells(session, healthy, damage, by_itself=by_itself)
        if session.record is None or any(cell.mark == "kill" for cell in said.values()):
            break
    return Climb(said, _ended(sessions[-1]), sum(session.seconds for session in sessions), _causes(sessions))


def _causes(sessions: Sequence[Session]) -> tuple[str, ...] | None:
    """What the diagnosis says of all that was asked, the first cause first."""
    records = [session.record for session in sessions if session.record is not None]
    if not records:
        return None
    gates = tuple(result for record in records for result in record.gates if result.verdict.code != "deselected")
    return tuple(each.cause for each in diagnose(replace(records[-1], gates=gates)).explanations)


def judge_all(
    place: Workplace, kinds: Sequence[Kind], healthy: Healthy, *, jobs: int = 1,
    to_the_end: bool = False, done: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """The rows of all kinds, in their order; `done` is told of each as it is finished."""

    def one(kind: Kind) -> Row:
        row = judge_mutant(place, kind, healthy, to_the_end=to_the_end)
        done(row)
        return row

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(one, kinds))
