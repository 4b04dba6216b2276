"""Whom the candidate is laid beside: its baseline - a model, or a stored record of one - on the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modelqa.compare import Comparison, adjusted, compare_outcomes
from modelqa.compare.chain import asked_differently, refuse_faulty, what_differs
from modelqa.gates import Case, not_asked, unsettled
from modelqa.models import Model, Registry, resolve
from modelqa.plugin.body import Body, ask_each
from modelqa.plugin.subject import LabSettings, Subject
from modelqa.record import GateResult, Outcome
from modelqa.records import Stored, is_record, read_stored
from modelqa.reply import Reply

Replies = Sequence[Reply | None]
NONE = "none"  # --modelqa-baseline none: lay the candidate beside nothing, whatever models.toml declares


def find_baseline(settings: LabSettings, registry: Registry, candidate: Model) -> Model | Stored | None:
    """The baseline that the command line names - a record, or a model - or else models.toml; None when neither does.

    `UsageError` or `RecordError` when it cannot be found or read.
    """
    name = settings.baseline or candidate.baseline
    if not name or name == NONE:
        return None
    if settings.baseline and is_record(name):
        stored = read_stored(Path(name))
        refuse_faulty(stored)
        return stored
    return resolve(registry, name)


def find_beside(baseline: Model | Stored | None, parent: Model | None) -> dict[str, Model]:
    """{"baseline", "parent": model} as far as there are models; one that is both stands as the baseline."""
    found = {"baseline": baseline, "parent": parent}
    models = {role: each for role, each in found.items() if isinstance(each, Model)}
    if len({model.location for model in models.values()}) < len(models):
        del models["parent"]
    return models


def baseline_note(settings: LabSettings, candidate: Model) -> list[str]:
    """What the record says when the command line took another baseline than models.toml declares."""
    if not settings.baseline or settings.baseline == candidate.baseline or not candidate.baseline:
        return []
    other = "no baseline" if settings.baseline == NONE else "another baseline"
    but = "blocks a release" if settings.baseline == NONE else "a release takes it for what it replaces alone"
    return [f"compared with {other}, not with {candidate.baseline!r} as models.toml declares: {but}"]


@dataclass
class Versus:
    """How the candidate and its baseline did on the same cases, gate by gate: the fixture `baseline` of suites.

    weights   the hash of the baseline's weights, "" without one
    excused   {gate, or "" for all: why there is nothing to compare}; open: {gate: why it cannot be compared}
    cut       {gate: why not all of its cases were drawn}
    new, old  {gate: {case: result}} of the candidate and of the baseline
    """

    found: Model | Stored | None
    weights: str
    settings: Mapping[str, Any]
    excused: dict[str, str] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)
    families: dict[str, dict[str, str]] = field(default_factory=dict)
    new: dict[str, Mapping[str, str]] = field(default_factory=dict)
    old: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Who the baseline is; NOT ASKED when there is none."""
        if self.found is None:
            not_asked('no baseline is declared: add baseline = "NAME" in models.toml, or give --modelqa-baseline')
        return self.found.name

    def add(self, result: GateResult, outcomes: Sequence[Outcome]) -> None:
        """Take the candidate's outcomes on a gate; a stored baseline's are looked up beside them."""
        self.new[result.gate] = result.outcomes
        self.families[result.gate] = {outcome.case: outcome.family for outcome in outcomes}
        if isinstance(self.found, Stored):
            self._read(self.found, result)

    def ask(self, gate: str, body: Body, subject: Subject, cases: Sequence[Case], replies: Replies) -> None:
        """Judge the baseline's replies by the same body; what it asks of the model is asked of the baseline."""
        own = {
            "chat": subject.chat,
            "checkpoint": subject.checkpoint,
            "grammar": subject.grammar,
            "model": subject.model,
        }
        fixtures = {name: own.get(name, value) for name, value in body.fixtures.items()}
        answers = ask_each(replace(body, fixtures=fixtures), cases, replies)
        self.old[gate] = {case.id: answer.result for case, answer in zip(cases, answers, strict=True)}

    def _read(self, stored: Stored, result: GateResult) -> None:
        known = next((each for each in stored.run.gates if each.gate == result.gate and each.outcomes), None)
        if difference := asked_differently(stored.run.settings, self.settings):
            self.open[result.gate] = f"the record of {stored.name} was made with other settings: {difference}"
        elif known is None:
            self.open[result.gate] = f"the record of {stored.name} holds no outcomes of {result.gate}"
        elif difference := what_differs(known, result):
            self.open[result.gate] = f"the record of {stored.name} and this run: {difference}"
        else:
            self.old[result.gate] = known.outcomes

    def compare(self, gate: str) -> Comparison:
        """The comparison on one gate, its p-value corrected for all gates of this session that are compared.

        NOT ASKED or INCONCLUSIVE, with the reason, when there is none.
        """
        name = self.name
        if excuse := self.excused.get("") or self.excused.get(gate):
            not_asked(excuse)
        if gate in self.cut:
            unsettled(self.cut[gate], code="not_drawn")
        if gate in self.open:
            unsettled(self.open[gate])
        if gate not in self.new or gate not in self.old:
            unsettled(f"{gate} was not judged against {name} in this session")
        if "error" in {*self.new[gate].values(), *self.old[gate].values()}:
            unsettled(f"the code of {gate} failed on a case")
        return next(each for each in self._all() if each.gate == gate)

    def _all(self) -> list[Comparison]:
        """Every gate that both were asked; pure, so that each gate's item sees the same family of claims."""
        sound = [g for g in self.new if g in self.old and "error" not in {*self.new[g].values(), *self.old[g].values()}]
        return adjusted(
            [compare_outcomes(g, old=self.old[g], new=self.new[g], families=self.families[g]) for g in sound]
        )
