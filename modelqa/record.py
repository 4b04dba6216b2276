"""The run record: what was asked of a checkpoint, what came out, and why. The only seam between testing and publishing.

Plain frozen values, JSON in and out. `modelqa.plugin` fills them, reports, cards and `publish` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from modelqa.errors import RecordError
from modelqa.files import canonical_json, sha256_text

SCHEMA = 1  # of run.json; a reader refuses a version that it does not know


BY_ITSELF = "by_itself"  # in `measured` of a gate that a lower rung blocks: the code it would have had
NOT_DRAWN = "not drawn"  # of a case: its gate had been decided before it; it is not missing, and in no denominator


class Status(StrEnum):
    """The three verdicts, and the two ways of having none."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_RUN = "NOT RUN"  # planned, but deselected, crashed with its worker, or never reached: blocks a release
    NOT_ASKED = "NOT ASKED"  # does not apply, or models.toml declares no evidence for it; says which line to add


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its code (see `modelqa.reasons`), where it is, and a sentence for a person.

    locus   a tensor, a row id, a token index, a log step or case ids: short, exact, comparable
    """

    code: str
    locus: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What became of one case: "yes", "no", "error" (the gate's code crashed), "missing" (no reply) or NOT_DRAWN."""

    case: str
    result: str
    family: str
    groups: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """A verdict on one gate. Every status but PASS carries a reason code and a locus.

    passed, total  cases that said yes, cases in the denominator (0 of 0 for a check on files)
    lower, upper   one-sided 95% bounds of the pass rate (Clopper-Pearson); clustered: lower bound by family
    planned        how many cases there were to be, when fewer were drawn: it stopped early; 0: all were drawn
    """

    status: Status
    code: str = ""
    locus: str = ""
    text: str = ""
    passed: int = 0
    total: int = 0
    threshold: float | None = None
    lower: float | None = None
    upper: float | None = None
    clustered: float | None = None
    families: int = 0
    planned: int = 0


@dataclass(frozen=True)
class GateResult:
    """One gate of the plan: its verdict, the worst subgroup counts and what the null policies scored.

    gate     name of the phase-table row or of the test; unique in a run
    node     pytest node id, relative to the root, "/" as separator
    rung     harness, weights, data, training, parity, behaviour or benchmarks
    model    candidate, reference, random or baseline: whose replies were judged
    groups   {metadata key: {value: [passed, total]}}
    nulls    {null policy: rate}; the best of them stands beside the model's rate
    measured scalars that a check wants to keep (an observed value, a gap in logits)
    outcomes {case id: result}, only for reply gates; families: {case id: number of its template family}
    floors   {metadata key: lower bound that each of its values must reach}
    allows   {null policy, or "*": why the gate may let it pass}
    cases_sha256  hash of what was asked (see `modelqa.gates.cases_sha256`): equal hashes are the same cases
    looks    numbers of cases at which it was declared to be looked at; () for all cases, once
    """

    gate: str
    node: str
    rung: str
    verdict: Verdict
    model: str = "candidate"
    groups: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    nulls: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, int] = field(default_factory=dict)
    floors: Mapping[str, float] = field(default_factory=dict)
    allows: Mapping[str, str] = field(default_factory=dict)
    cases_sha256: str = ""
    looks: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `gate_from_json` reads; its mappings are the result's own."""
        return {**vars(self), "verdict": dict(vars(self.verdict))}


@dataclass(frozen=True)
class Run:
    """Everything that a reader of run.json needs; byte-identical for any number of workers.

    model      {name, stage, phase, fingerprint: {file: sha256}, template_sha256, tokenizer_sha256, ...}
    controls   {role: {name, fingerprint}} of the reference, the random twin and the baseline
    settings   decoding, engine, dtype, device kind, library versions, case seed
    plan       gate names in order, written before anything was judged
    suite      {file: sha256} of the suites' folder, the phase table among them: what asked
    stopping   {"first": cases of the first look, "decides": "FAIL", "alpha": shared among the looks}; {} for no looks
    thresholds what that folder demands, and what of it became looser since its last release: `thresholds.stated`
    """

    model: Mapping[str, Any]
    controls: Mapping[str, Any]
    settings: Mapping[str, Any]
    selection: tuple[str, ...]
    plan: tuple[str, ...]
    gates: tuple[GateResult, ...]
    replies_sha256: str = ""
    scorings: int = 0
    notes: tuple[str, ...] = ()
    suite: Mapping[str, str] = field(default_factory=dict)
    stopping: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the record's canonical JSON."""
        return sha256_text(canonical_json(self.to_json()))

    def to_json(self) -> dict[str, Any]:
        """The JSON object that stands in run.json; its mappings are the run's own."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "gates": [gate.to_json() for gate in self.gates]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        """The run that `to_json` wrote; `RecordError` when it is of another version or lacks a field."""
        if value.get("schema") != SCHEMA:
            raise RecordError(
                f"the record has schema {value.get('schema')!r}",
                reason=f"this modelqa reads schema {SCHEMA}",
                remedy="run the gates again with this version",
            )
        try:
            gates = tuple(gate_from_json(gate) for gate in value["gates"])
            return cls(
                **{
                    **value,
                    "gates": gates,
                    "plan": tuple(value["plan"]),
                    "notes": tuple(value["notes"]),
                    "selection": tuple(value["selection"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(
                f"the record cannot be read: {error}",
                reason="a field is missing or of another type",
                remedy="run the gates again; do not edit a record",
            ) from None


def gate_from_json(value: Mapping[str, Any]) -> GateResult:
    """The result that `GateResult.to_json` wrote."""
    verdict, looks = value["verdict"], tuple(value.get("looks", ()))
    status = Status(verdict["status"])
    return GateResult(**{**value, "looks": looks, "verdict": Verdict(**{**verdict, "status": status})})
