"""The kill matrix: what every gate said of every mutant, and whether it was what the kind had declared.

A gate counts only where the healthy model passes it. A mutant is killed when such a gate says no; for the expected
reason when gate, code and locus are the declared ones. A crash is never a kill, and neither is an inconclusive verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from modelqa.gates import LADDER
from modelqa.mutants.kind import OPENING, REFUSED, WARNED, Damage, Expected, Kind
from modelqa.mutants.trial import Session
from modelqa.reasons import SHARED, alone
from modelqa.record import GateResult, Status, Verdict

CRASHES = frozenset({"crashed", "died", "not_run"})


class Outcome(StrEnum):
    """What became of a mutant."""

    EXPECTED = "killed"  # by the declared gate, for the declared reason, at the declared place
    OTHER = "killed otherwise"
    SURVIVED = "survived"
    CRASHED = "crashed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Cell:
    """What one gate said of one mutant: its verdict, and whether the healthy model passes that gate.

    of_suite  the suite itself is the mutant: a gate that can give no verdict is then the right answer
    """

    verdict: Verdict
    rung: str
    counts: bool = True
    of_suite: bool = False

    @property
    def no(self) -> bool:
        """Whether it accuses the model."""
        verdict = self.verdict
        if self.of_suite:
            return verdict.status in (Status.FAIL, Status.INCONCLUSIVE, Status.NOT_RUN)
        # A harness fault, and a number that does not bear what is said of it, are INCONCLUSIVE with a code of their
        # own; the shared codes say nothing about the model. So does a gate that passes with a warning.
        own = self.rung in (LADDER[0], LADDER[-1]) and verdict.status is Status.INCONCLUSIVE
        warns = verdict.code == WARNED
        return verdict.status is Status.FAIL or warns or (own and verdict.code not in SHARED)

    @property
    def mark(self) -> str:
        """One of kill, pass, crash, doubt (inconclusive), idle (not asked, or the healthy model does not pass it)."""
        if not self.counts or self.verdict.status is Status.NOT_ASKED:
            return "idle"
        if self.no:
            return "kill"
        if self.verdict.status is Status.PASS:
            return "pass"
        return "crash" if self.verdict.code in CRASHES else "doubt"


@dataclass(frozen=True)
class Row:
    """One mutant: its kind, what was declared, what the gates said, what that comes to.

    name      the hashed name that it was judged under
    locus     where the surgery was made
    expected  the declared verdict that applies to this model; None when the healthy model passes none of their gates
    reason    why it is not applicable, or how a session ended without a record
    difference  what the two halves of the pair differ in
    seconds   of the processor, all its sessions together
    causes    what the diagnosis says, the first cause first; None without a record
    """

    kind: Kind
    name: str
    locus: str = ""
    expected: Expected | None = None
    cells: Mapping[str, Cell] = field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0
    applicable: bool = True
    difference: tuple[str, ...] = ()
    causes: tuple[str, ...] | None = None

    @property
    def killers(self) -> dict[str, Cell]:
        """The gates that say no, and that the healthy model passes."""
        return {gate: cell for gate, cell in self.cells.items() if cell.mark == "kill"}

    @property
    def doubts(self) -> list[str]:
        """The gates that cannot tell."""
        return [gate for gate, cell in self.cells.items() if cell.mark == "doubt"]

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        if not self.applicable:
            return Outcome.NOT_APPLICABLE
        if self.expected and (cell := self.killers.get(self.expected.gate)):
            result = GateResult(self.expected.gate, "", cell.rung, cell.verdict)
            if self.expected.meets(result, self.locus):
                return Outcome.EXPECTED
        if self.killers:
            return Outcome.OTHER
        crashed = self.reason or any(cell.mark == "crash" for cell in self.cells.values())
        return Outcome.CRASHED if crashed else Outcome.SURVIVED

    def to_json(self) -> dict[str, Any]:
        """The JSON object that stands in matrix.json."""
        gates = {
            gate: {"mark": cell.mark, "rung": cell.rung, "status": cell.verdict.status, "code": cell.verdict.code,
                   "locus": cell.verdict.locus, "passed": cell.verdict.passed, "total": cell.verdict.total}
            for gate, cell in self.cells.items()
        }  # fmt: skip
        kind = {key: getattr(self.kind, key) for key in ("name", "area", "story", "failures", "strength")}
        expected = asdict(self.expected) if self.expected else None
        return {**kind, "judged_as": self.name, "locus": self.locus, "expected": expected, "gates": gates,
                "outcome": self.outcome, "reason": self.reason, "difference": self.difference,
                "diagnosis": self.causes,  "seconds": round(self.seconds, 1)}  # fmt: skip


def healthy_gates(sessions: Iterable[Session]) -> dict[str, GateResult]:
    """The gates that the unharmed model passes without a warning; opening it is one of them."""
    passed = {result.gate: result for session in sessions if session.record for result in session.record.gates
              if result.verdict.status is Status.PASS and _warned(result, result.verdict).code != WARNED}  # fmt: skip
    return {OPENING: GateResult(OPENING, "", LADDER[0], Verdict(Status.PASS)), **passed}


def cells(
    session: Session, healthy: Mapping[str, GateResult], damage: Damage, *, by_itself: bool = False
) -> dict[str, Cell]:
    """What the gates of one session said; a session that refused the checkpoint is the gate "open".

    by_itself  each gate counts with what it says whatever stands on the rungs below it
    """
    if session.record is not None:
        of_suite = damage.suites is not None
        said = {result.gate: Cell(_warned(result, alone(result) if by_itself else result.verdict), result.rung,
                                  result.gate in healthy, of_suite)
                for result in session.record.gates if result.verdict.code != "deselected"}  # fmt: skip
        return {OPENING: Cell(Verdict(Status.PASS), LADDER[0]), **said}
    if not session.refused:
        return {}
    fact = session.output[: session.output.rindex("reason:")]
    locus = damage.locus if damage.locus and damage.locus in fact else ""
    verdict = Verdict(Status.INCONCLUSIVE, REFUSED, locus, fact.strip().splitlines()[-1] if fact.strip() else "")
    return {OPENING: Cell(verdict, LADDER[0])}


def _warned(result: GateResult, verdict: Verdict) -> Verdict:
    """The verdict, with a code when the gate passes and warns (`measured["warning"]`)."""
    warning = result.measured.get("warning")
    if verdict.status is not Status.PASS or not warning:
        return verdict
    return replace(verdict, code=WARNED, locus=result.gate, text=str(warning))


def expected_of(kind: Kind, healthy: Mapping[str, GateResult]) -> Expected | None:
    """The declared verdict that applies: the first whose gate the healthy model passes."""
    return next((each for each in kind.expects if each.gate in healthy), None)


def gate_order(rows: Sequence[Row]) -> list[str]:
    """Every gate of the matrix, in ladder order."""
    rungs = {gate: cell.rung for row in rows for gate, cell in row.cells.items()}
    names = list(dict.fromkeys(gate for row in rows for gate in row.cells))
    return sorted(names, key=lambda gate: (LADDER.index(rungs[gate]), gate != OPENING))


def summary(rows: Sequence[Row]) -> str:
    """ "38 mutants: 33 killed, 2 killed otherwise, 3 survived"."""
    made = [row for row in rows if row.outcome is not Outcome.NOT_APPLICABLE]
    counts = Counter(row.outcome for row in rows)
    parts = [f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]]
    return f"{len(made)} mutants: {', '.join(parts)}"


def table(rows: Sequence[Row]) -> list[str]:
    """A line a mutant: its outcome, kind, and who killed it with which reason, or what was expected."""
    width = max((len(row.kind.name) for row in rows), default=0)
    return [f"{row.outcome:<16}  {row.kind.name:<{width}}  {_told(row)}".rstrip() for row in rows]


def _told(row: Row) -> str:
    if row.outcome is Outcome.NOT_APPLICABLE:
        return row.reason
    wanted = f"expected {row.expected.gate}: {row.expected.code}" if row.expected else "no gate of its own is asked"
    if row.outcome is Outcome.EXPECTED and row.expected:
        verdict = row.killers[row.expected.gate].verdict
        others = len(row.killers) - 1
        return f"{row.expected.gate}: {verdict.code} at {verdict.locus}" + (f"  (+{others} gates)" if others else "")
    killed = [f"{gate}: {cell.verdict.code} at {cell.verdict.locus}" for gate, cell in row.killers.items()]
    crashed = [gate for gate, cell in row.cells.items() if cell.mark == "crash"]
    parts = [*killed[:3], *([f"crashed: {', '.join(crashed)}"] if crashed else []),
             *([f"undecided: {', '.join(row.doubts[:3])}"] if row.doubts else []), row.reason, wanted]  # fmt: skip
    return "; ".join(part for part in parts if part)
