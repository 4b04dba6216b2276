"""Apply the ladder to a record: which causes the reason codes show, in what order, and what the passes rule out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import takewhile

from modelqa.diagnose.cause import Cause
from modelqa.diagnose.causes import CAUSES, LEADS_TO, MODEL
from modelqa.diagnose.restart import Restart, restart
from modelqa.reasons import SHARED, alone
from modelqa.record import GateResult, Run, Status
from modelqa.text import escape

MOST = 3  # explanations; a longer list is no diagnosis
SHOWN = 3  # pieces of evidence of one explanation
LENGTH = 100  # characters of a locus
_UNJUDGED = (Status.NOT_ASKED, Status.NOT_RUN)
_ON_FILES = ("harness", "weights", "data", "training")  # rungs whose checks do not ask the candidate
_ON_REPLIES = ("training.mirage",)  # codes of these rungs that do
_OPEN = ("few_cases", "not_drawn", "clustered", "no_threshold", "toothless", "unsettled", "no_evidence", "lower_rung",
         "not_run", "deselected")  # fmt: skip # codes that say why nothing is known, not what is wrong


@dataclass(frozen=True)
class Evidence:
    """One gate that speaks for an explanation: its code and locus; `hint` when others would lead to it too."""

    gate: str
    code: str
    locus: str
    hint: bool = False


@dataclass(frozen=True)
class Explanation:
    """One thing that may be wrong. `rules_out` names the more mundane causes that the gates which passed exclude."""

    cause: str
    text: str
    then: str
    evidence: tuple[Evidence, ...]
    rules_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What a record says about why its run did not pass.

    explanations  at most three, the most mundane first
    unexplained   codes that no cause knows: nobody can say what they mean
    restart       the guide's red lines
    """

    explanations: tuple[Explanation, ...] = ()
    unexplained: tuple[Evidence, ...] = ()
    restart: Restart = field(default_factory=Restart)

    @property
    def knows(self) -> bool:
        """Whether there is any explanation."""
        return bool(self.explanations)


def diagnose(run: Run) -> Diagnosis:
    """The diagnosis of a run, from codes, loci and counts alone; empty for a run that passed.

    Causes that a code names come first, in the ladder's order; then mundane ones that a blocked gate names (it says
    what it would have said by itself; of what a model says nothing follows while a lower rung is broken). Where only
    "the model" is left, the causes that most hints agree on go before it, unless gates rule them out.
    """
    found = _evidence(run.gates)
    shown = [e for e in found if not e.hint]
    causes = _possible(shown, run.gates)
    explanations = _named(causes, shown, found, run.gates)
    if not explanations:
        explanations = _guessed(causes, found, run.gates)
    blocked = [e for e in found if e.hint and not _explained(e, explanations)]
    explanations += _named([cause for cause in causes if cause.mundane], blocked, found, run.gates)
    open_codes = [e for e in shown if not _explained(e, explanations)]
    model = [e for e in open_codes if _names(MODEL, e)]
    if model:
        explanations.append(_explain(MODEL, model, found, run.gates))
    unknown = tuple(e for e in open_codes if e not in model)
    return Diagnosis(tuple(explanations[:MOST]), unknown, restart(run, mundane=_mundane(explanations)))


def _possible(shown: Sequence[Evidence], gates: Sequence[GateResult]) -> list[Cause]:
    """The causes that no gate rules out, and those that alone could lead to a code which is there all the same."""
    left = [cause for cause in CAUSES if not _cleared(cause, gates)]
    orphans = [each for each in shown if not any(_names(cause, each) for cause in left)]
    return [cause for cause in CAUSES if cause in left or any(_names(cause, each) for each in orphans)]


def _evidence(gates: Sequence[GateResult]) -> list[Evidence]:
    """What every gate says. Files and logs are what they are, whatever a lower rung says; replies are not.

    What follows from another code that is there (`LEADS_TO`) is a hint.
    """
    found = []
    for result in gates:
        own = alone(result)
        if own.status not in (Status.FAIL, Status.INCONCLUSIVE) or not own.code or own.code in _OPEN:
            continue
        blocked = result.verdict.code == "lower_rung"
        hint = blocked and (result.rung not in _ON_FILES or own.code in _ON_REPLIES)
        found.append(Evidence(result.gate, own.code, own.locus, hint=hint))
    follow = {code for each in found if not each.hint for code in LEADS_TO.get(each.code, ())}
    return [replace(each, hint=each.hint or each.code in follow) for each in found]


def _names(cause: Cause, evidence: Evidence) -> bool:
    return any(fnmatchcase(evidence.code, pattern) for pattern in cause.shown)


def _hints(cause: Cause, evidence: Evidence) -> bool:
    return any(fnmatchcase(evidence.code, pattern) for pattern in cause.hinted)


def _named(
    causes: Sequence[Cause], evidence: Sequence[Evidence], found: Sequence[Evidence], gates: Sequence[GateResult]
) -> list[Explanation]:
    """The causes that codes name, in the ladder's order; each code speaks for the first cause that claims it.

    What an earlier cause of the list leads to is no second explanation.
    """
    taken: set[Evidence] = set()
    explanations: list[Explanation] = []
    for cause in causes:
        claimed = [each for each in evidence if _names(cause, each) and each not in taken]
        if claimed and not all(_explained(each, explanations) for each in claimed):
            taken |= set(claimed)
            explanations.append(_explain(cause, claimed, found, gates))
    return explanations


def _guessed(causes: Sequence[Cause], found: Sequence[Evidence], gates: Sequence[GateResult]) -> list[Explanation]:
    """The causes that hints alone point at; a code speaks for one of them only.

    Those come first that most codes of gates which are not blocked lead to, then those with most hints.
    """
    left = set(found)
    guesses = []

    def weight(cause: Cause) -> tuple[int, int]:
        hints = [each for each in left if _hints(cause, each)]
        return sum(not each.hint for each in hints), len(hints)

    while best := max(causes, key=weight, default=None):
        hints = [each for each in found if each in left and _hints(best, each)]
        if not hints:
            break
        guesses.append(_explain(best, (), hints, gates))
        left -= set(hints)
    return guesses


def _explained(evidence: Evidence, explanations: Sequence[Explanation]) -> bool:
    return any(evidence.code == each.code for explanation in explanations for each in explanation.evidence)


def _explain(
    cause: Cause, named: Sequence[Evidence], found: Sequence[Evidence], gates: Sequence[GateResult]
) -> Explanation:
    hints = [Evidence(e.gate, e.code, e.locus, hint=True) for e in found if e not in named and _hints(cause, e)]
    above = tuple(takewhile(lambda other: other is not cause, CAUSES))
    return Explanation(
        cause.name, cause.text, cause.then, (*named, *hints), tuple(c.name for c in above if _cleared(c, gates))
    )


def _cleared(cause: Cause, gates: Sequence[GateResult]) -> bool:
    """Whether gates rule a cause out (see `Cause.cleared`)."""
    judged = {_dotted(g.gate): g.verdict.status for g in gates if g.verdict.status not in _UNJUDGED}
    of = {pattern: [judged[gate] for gate in judged if fnmatchcase(gate, pattern)] for pattern in cause.cleared}
    return bool(of) and bool(of[cause.cleared[0]]) and all(s is Status.PASS for found in of.values() for s in found)


def _dotted(gate: str) -> str:
    return gate.replace("[", ".").removesuffix("]")


def _mundane(explanations: Sequence[Explanation]) -> bool:
    """Whether something more mundane than the training itself explains the failure."""
    certain = {each.cause for each in explanations if not all(e.hint for e in each.evidence)}
    return any(cause.mundane for cause in CAUSES if cause.name in certain)


def lines(diagnosis: Diagnosis) -> list[str]:
    """What a person reads, one line an entry, safe for a terminal; empty when there is nothing to explain."""
    shown: list[str] = []
    for number, each in enumerate(diagnosis.explanations, 1):
        shown += [f"{number}. {each.text}", f"   evidence:  {_listed(each.evidence)}"]
        if each.rules_out:
            shown.append(f"   ruled out: {', '.join(each.rules_out)}")
        shown.append(f"   next:      {each.then}")
    if diagnosis.unexplained:
        shown.append(f"not explained: {_listed(diagnosis.unexplained)}")
    if shown and not diagnosis.knows:
        shown.insert(0, "I do not know: no mundane cause is known for these codes.")
    return shown + diagnosis.restart.lines()


def _listed(evidence: Sequence[Evidence]) -> str:
    texts = [f"{'hint ' if e.hint else ''}{escape(e.code, 'terminal', limit=LENGTH)}{_place(e)}"
             for e in evidence[:SHOWN]]  # fmt: skip
    more = len(evidence) - SHOWN
    return "; ".join(texts) + (f"; and {more} more" if more > 0 else "")


def _place(evidence: Evidence) -> str:
    """Where it was seen; the gate itself where the code does not say which one gave it."""
    place = evidence.locus if evidence.locus != evidence.gate or evidence.code in SHARED else ""
    return f" at {escape(place, 'terminal', limit=LENGTH)}" if place else ""
