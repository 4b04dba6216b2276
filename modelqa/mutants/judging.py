"""Make mutants of one model and judge each by the suites, the cheap rungs first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.gates import LADDER
from modelqa.models import Model, Registry
from modelqa.mutants.kind import OPENING, Damage, Kind, NotApplicable, Sibling
from modelqa.mutants.matrix import Cell, Row, cells, expected_of, healthy_gates
from modelqa.mutants.trial import Session, Trial, declare, hashed_name, run, stage
from modelqa.record import GateResult

# One session a group: a mutant that a group kills is not asked by the next, which costs ten times as much.
GROUPS = (("harness", "weights"), ("parity",), ("behaviour",), ("benchmarks",))
# Areas whose defects leave the checkpoint unharmed, and the rungs that look at them. Behaviour is asked beside the data
# for its cases, which are compared with the data; its replies are kept ones.
EVIDENCE = {
    "data": ("harness", "weights", "data", "behaviour"),
    "log": ("harness", "weights", "training"),
    "capture": ("harness", "weights", "training", "parity"),
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

    @property
    def trials(self) -> Path:
        """The folder of the staged copies."""
        return self.home / "trials"

    @property
    def parent(self) -> Model | None:
        """What the model was trained from."""
        return self.registry.models.get(self.model.parent)

    def groups(self, area: str = "") -> list[tuple[str, ...]]:
        """The sessions of a mutant of this area, each a set of rungs; of one that touches the checkpoint by default."""
        there = [rung for rung in self.rungs if (self.suites / rung).is_dir()]
        wanted = (EVIDENCE[area],) if area in EVIDENCE else GROUPS
        found = [tuple(rung for rung in group if rung in there) for group in wanted]
        return [group for group in found if group]

    def session(self, trial: Trial, rungs: Sequence[str]) -> Session:
        """Judge one staged copy by some rungs."""
        return run(trial, rungs, suites=self.suites, home=self.home, options=self.options)


def judge_healthy(place: Workplace, areas: Iterable[str] = ()) -> dict[str, GateResult]:
    """The gates that an unharmed copy passes in the sessions that mutants of these areas get, or of the checkpoint.

    `UsageError` when it is not even judged, or passes none.
    """
    name = hashed_name("healthy", place.model.name)
    trial = declare(place.trials, stage(place.trials, name, place.model), place.registry)
    sessions = []
    for group in dict.fromkeys(group for area in areas or ("",) for group in place.groups(area)):
        session = place.session(trial, group)
        if session.record is None:
            raise UsageError(
                f"the unharmed copy of {place.model.name} could not be judged (exit status {session.status})",
                reason=session.output.strip().splitlines()[-1] if session.output.strip() else "there was no output",
                remedy=f"run the suites on it by hand first: pytest {place.suites} --model {place.model.name}",
            )
        sessions.append(session)
    shutil.rmtree(trial.folder)
    passed = healthy_gates(sessions)
    if set(passed) == {OPENING}:
        raise UsageError(f"{place.model.name} passes no gate", reason="a gate that a healthy model fails kills nothing",
                         remedy="choose a model that passes, or other suites with --suites")  # fmt: skip
    return passed


def judge_mutant(place: Workplace, kind: Kind, healthy: dict[str, GateResult], *, to_the_end: bool = False) -> Row:
    """One row of the matrix; `to_the_end`: asks the higher rungs also when a lower one has killed."""
    name = hashed_name(kind.name, place.model.name, place.seed)
    expected = expected_of(kind, healthy)
    model = stage(place.trials, name, place.model)
    try:
        damage = kind.make(Sibling(model, place.parent, place.seed))
    except NotApplicable as why:
        shutil.rmtree(place.trials / name)
        return Row(kind, name, reason=str(why), applicable=False)
    trial = declare(place.trials, damage.model, place.registry)
    said, reason, seconds = _climb(place, trial, damage, healthy, kind.area, to_the_end)
    shutil.rmtree(trial.folder)
    return Row(kind, name, damage.locus, expected, said, reason, seconds)


def _climb(
    place: Workplace, trial: Trial, damage: Damage, healthy: dict[str, GateResult], area: str, to_the_end: bool
) -> tuple[dict[str, Cell], str, float]:
    """(what the gates said, how it ended without a record, seconds), up to the first group that kills."""
    said: dict[str, Cell] = {}
    seconds = 0.0
    for group in place.groups(area):
        session = place.session(trial, group)
        seconds += session.seconds
        said |= cells(session, healthy, damage)
        if session.record is None:
            last = session.output.strip().splitlines()[-1:] or ["there was no output"]
            return said, "" if session.refused else f"exit status {session.status}: {last[0]}", seconds
        if not to_the_end and any(cell.mark == "kill" for cell in said.values()):
            break
    return said, "", seconds


def judge_all(
    place: Workplace, kinds: Sequence[Kind], healthy: dict[str, GateResult], *, jobs: int = 1,
    to_the_end: bool = False, done: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """The rows of all kinds, in their order; `done` is told of each as it is finished."""

    def one(kind: Kind) -> Row:
        row = judge_mutant(place, kind, healthy, to_the_end=to_the_end)
        done(row)
        return row

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(one, kinds))
