"""Runs in a row - parent, child, grandchild - on the same cases: what each step gained and lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from modelqa import noise
from modelqa.compare.pairing import Comparison, adjusted, compare_outcomes
from modelqa.compare.reading import READING
from modelqa.errors import UsageError
from modelqa.record import NOT_DRAWN, GateResult, Run, Status
from modelqa.records import Asked, Stored

DECISIVE = ("engine", "decoding", "max_new_tokens", "case_seed")  # settings without which two runs are no comparison
RELEVANT = ("dtype", "device", "versions")  # settings that may move a reply: said, not refused
SHOWN = 3  # case ids named when cases differ


@dataclass(frozen=True)
class Step:
    """From one run to the next: the gates compared, and {gate: why it is not}."""

    old: Stored
    new: Stored
    comparisons: tuple[Comparison, ...]
    refused: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def seesaw(self) -> tuple[list[str], list[str]]:
        """(gates that are shown to be better, gates that are shown to be worse); both filled: one skill for another."""
        better = [each.gate for each in self.comparisons if each.claim == "better"]
        worse = [each.gate for each in self.comparisons if each.claim == "worse"]
        return better, worse


@dataclass(frozen=True)
class Chain:
    """Runs in a row and the steps between them."""

    runs: tuple[Stored, ...]
    steps: tuple[Step, ...]

    @property
    def gates(self) -> list[str]:
        """Every gate that was judged case by case in any of the runs, in the order of the runs' plans."""
        return list(dict.fromkeys(gate for stored in self.runs for gate in _judged(stored.run)))


def compare_runs(runs: Sequence[Stored]) -> Chain:
    """Each run with the one before it, gate by gate; claims are corrected for all gates of all steps (Holm).

    A gate whose cases differ is refused, and what differs is said. `UsageError` when the runs were asked in different
    ways, when the harness of one had failed, or when they share no gate at all.
    """
    if len(runs) < 2:
        raise UsageError("one run is no comparison", reason="two are laid side by side", remedy="name another run")
    for stored in runs:
        refuse_faulty(stored)
    steps = [_step(old, new) for old, new in pairwise(runs)]
    corrected = iter(adjusted([each for step in steps for each in step.comparisons]))
    return Chain(
        tuple(runs), tuple(replace(s, comparisons=tuple(next(corrected) for _ in s.comparisons)) for s in steps)
    )


def _step(old: Stored, new: Stored) -> Step:
    if different := asked_differently(old.run.settings, new.run.settings):
        raise UsageError(
            f"{old.name} and {new.name} were asked in different ways: {different}",
            reason="a difference in the replies would not be a difference of the models",
            remedy="run both with the same options",
        )
    asked, floor = new.asked(), max(noise.recorded(run.run) or 0.0 for run in (old, new))
    comparisons, refused = [], []
    before, after = _judged(old.run), _judged(new.run)
    for gate in (name for name in after if name in before):
        if difference := what_differs(before[gate], after[gate]):
            refused.append((gate, difference))
        else:
            comparisons.append(_compare(before[gate], after[gate], asked.get(gate, {}), floor))
    if not comparisons:
        raise UsageError(
            f"{old.name} and {new.name} share no gate with the same cases",
            reason="; ".join(f"{gate}: {why}" for gate, why in refused[:SHOWN]) or "no gate was judged in both",
            remedy="run both with the same suites, --modelqa-case-seed and --modelqa-phase",
        )
    return Step(old, new, tuple(comparisons), tuple(refused), tuple(_notes(old, new)))


def _judged(run: Run) -> dict[str, GateResult]:
    """The gates of the candidate that were judged case by case; fixed prompts to be read are not."""
    found = [result for result in run.gates if result.outcomes and result.model == "candidate"]
    return {result.gate: result for result in found if result.gate != READING}


def _compare(old: GateResult, new: GateResult, asked: dict[str, Asked], floor: float) -> Comparison:
    known = asked if asked.keys() == new.outcomes.keys() else {}  # without replies there is nothing to break down by
    return compare_outcomes(
        new.gate,
        old=old.outcomes,
        new=new.outcomes,
        families=new.families or None,
        meta={case: {key: row.meta[key] for key in new.groups if key in row.meta} for case, row in known.items()},
        floor=floor,
    )


def what_differs(old: GateResult, new: GateResult) -> str:
    """Why two results of a gate are no comparison, "" when they are of the same cases."""
    only_old, only_new = sorted(old.outcomes.keys() - new.outcomes), sorted(new.outcomes.keys() - old.outcomes)
    if only_old or only_new:
        sides = [(len(only_old), "first", only_old), (len(only_new), "second", only_new)]
        parts = [f"{count} only in the {where} ({', '.join(ids[:SHOWN])})" for count, where, ids in sides if count]
        return f"other cases: {'; '.join(parts)}"
    if "" in (old.cases_sha256, new.cases_sha256):
        return "a record does not say what its cases asked"
    if old.cases_sha256 != new.cases_sha256:
        return "the cases have the same ids, but ask or expect something else"
    found = {*old.outcomes.values(), *new.outcomes.values()}
    if "error" in found:
        return "the gate's own code failed on a case"
    return "one of the two stopped early: not all of its cases were drawn" if NOT_DRAWN in found else ""


def refuse_faulty(stored: Stored) -> None:
    """`UsageError` when the harness had failed in this run: its numbers say nothing about the model."""
    faulty = [r.gate for r in stored.run.gates if r.rung == "harness" and r.verdict.status is Status.INCONCLUSIVE]
    if faulty:
        raise UsageError(
            f"the harness failed in the run of {stored.name} ({', '.join(faulty)})",
            reason="its numbers say nothing about the model",
            remedy="mend the harness and run the gates again",
        )


def asked_differently(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Which settings of two runs make their replies incomparable, "" when none do."""
    return "; ".join(f"{key} {old.get(key)} and {new.get(key)}" for key in DECISIVE if old.get(key) != new.get(key))


def _notes(old: Stored, new: Stored) -> list[str]:
    notes = [f"{key} differs between {old.name} and {new.name}" for key in RELEVANT
             if old.run.settings.get(key) != new.run.settings.get(key)]  # fmt: skip
    for stored in (old, new):
        statuses = {r.verdict.status for r in stored.run.gates if r.rung == "harness"}
        if not statuses or Status.NOT_RUN in statuses:
            notes.append(f"the harness was not checked in the run of {stored.name}")
        if (floor := noise.recorded(stored.run)) is None:
            notes.append(f"the noise floor was not measured in the run of {stored.name}")
        elif floor:
            notes.append(f"{floor:.1%} of {stored.name}'s replies change when it is asked again: nothing less counts")
    if old.run.model["weights_sha256"] == new.run.model["weights_sha256"]:
        notes.append(f"{old.name} and {new.name} have the same weights: any difference is the harness's")
    return notes
