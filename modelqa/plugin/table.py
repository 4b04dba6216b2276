"""What a person reads in the terminal: a verdict's line, a failing gate's message, the closing table. Pure text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelqa.gates import LADDER
from modelqa.record import GateResult, Run, Status, Verdict
from modelqa.stats import few_families
from modelqa.text import escape

WORST = 3  # transcripts shown with a failing gate
SHOWN = 240  # characters of a transcript's line
GROUPS = 6  # worst values shown of one breakdown
ONE_REASON = ("lower_rung", "no_evidence", "unusable", "died", "not_run", "deselected")  # many gates carry one at once

COLOURS = {Status.PASS: "green", Status.FAIL: "red", Status.INCONCLUSIVE: "yellow", Status.NOT_RUN: "yellow"}


@dataclass(frozen=True)
class Transcript:
    """One case as it was really asked and answered, special tokens visible."""

    case: str
    asked: str
    expected: str
    said: str
    why: str


def rate_text(verdict: Verdict) -> str:
    """ "163/200  81.5% [76.4, 85.8]  >= 80%": k/n, the rate, both one-sided bounds, the threshold."""
    if not verdict.total:
        return ""
    text = f"{verdict.passed}/{verdict.total} {verdict.passed / verdict.total:6.1%}"
    if verdict.lower is not None and verdict.upper is not None:
        text += f" [{verdict.lower:.1%}, {verdict.upper:.1%}]"
    if verdict.threshold is not None:
        text += f" >= {verdict.threshold:.0%}" if verdict.threshold < 1 else " no failure allowed"
    return text


def failure_message(result: GateResult, transcripts: Sequence[Transcript]) -> str:
    """Why a gate did not pass: the verdict, the reason, the breakdown by subgroup, the worst transcripts."""
    verdict = result.verdict
    lines = [
        f"{verdict.status}  {result.gate}  {rate_text(verdict)}".rstrip(),
        f"  {verdict.code}: {_clean(verdict.text)}",
    ]
    if verdict.locus and verdict.locus != result.gate:
        lines.append(f"  at: {_clean(verdict.locus)}")
    if verdict.clustered is not None:
        lines.append(f"  {verdict.families} template families; lower bound clustered by family {verdict.clustered:.1%}")
        lines += [f"  {warning}" for warning in [few_families(verdict.families)] if warning]
    lines += [f"  by {key}: {_breakdown(values)}" for key, values in result.groups.items()]
    if best := best_null(result):
        lines.append(f"  best null policy: {best}")
    for shown in transcripts[:WORST]:
        lines += [
            f"  - {_clean(shown.case)}  {_clean(shown.why)}".rstrip(),
            f"      asked    {_shown(shown.asked)}",
            f"      expected {_shown(shown.expected)}",
            f"      said     {_shown(shown.said)}",
        ]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return "\n    ".join(escape(line, "terminal", limit=SHOWN) for line in text.split("\n"))


def _shown(text: str) -> str:
    return escape(text, "terminal", limit=SHOWN)


def _breakdown(values: Mapping[str, tuple[int, int]]) -> str:
    worst = sorted(values.items(), key=lambda item: (item[1][0] / item[1][1], item[0]))
    shown = ", ".join(f"{escape(value, 'terminal', limit=60)} {yes}/{total}" for value, (yes, total) in worst[:GROUPS])
    return shown + (f", and {len(worst) - GROUPS} more" if len(worst) > GROUPS else "")


def best_null(result: GateResult) -> str:
    """ "last_word 31%": the null policy that scores highest; "" when none was asked."""
    if not result.nulls:
        return ""
    name = max(sorted(result.nulls), key=lambda policy: result.nulls[policy])
    return f"{name} {result.nulls[name]:.0%}"


def closing_rows(run: Run, *, whole: bool = True) -> list[tuple[Status, str]]:
    """(status, line) for each gate in ladder order: the table that closes a run.

    Unless `whole`, gates of one rung that pass without a figure share a line, and so do gates not asked for one reason
    or from one phase on, and those that one broken rung, one missing file or one selection leaves without a verdict.
    """
    alike: dict[tuple[str, ...], list[GateResult]] = {}
    for number, result in enumerate(run.gates):
        verdict = result.verdict
        same = (result.rung, verdict.status, _shared(result))
        plain = same[1:] == (Status.PASS, "")
        folds = plain or verdict.status is Status.NOT_ASKED or verdict.code in ONE_REASON
        alike.setdefault(same if folds and not whole else (str(number),), []).append(result)
    names = [results[0].gate if len(results) == 1 else f"{len(results)} checks" for results in alike.values()]
    width = max(map(len, names), default=0)
    return [
        (
            results[0].verdict.status,
            f"{results[0].rung:<10}  {name:<{width}}  {results[0].verdict.status:<12}  "
            f"{_tail(results[0]) if len(results) == 1 else _shared(results[0])}".rstrip(),
        )
        for name, results in zip(names, alike.values(), strict=True)
    ]


def _shared(result: GateResult) -> str:
    """The tail that gates of one line have in common: of a later phase's gates only the phase, not why each waits."""
    tail = _tail(result)
    return tail.partition(":")[0] if result.verdict.code == "later_phase" else tail


def _tail(result: GateResult) -> str:
    """What stands behind a gate's status in the closing table: its figures, else its reason."""
    verdict = result.verdict
    tail = rate_text(verdict) or _clean(verdict.text).split("\n")[0]
    if verdict.planned:
        tail += f"  stopped after {verdict.total} of {verdict.planned}"
    if verdict.families:
        tail += f"  {verdict.families} families" + (" (few)" if few_families(verdict.families) else "")
        if result.nulls:
            tail += f"  best null {best_null(result)}"
    return tail


def reasons(run: Run) -> list[str]:
    """The reasons in order, most mundane first: the harness, failures up the ladder, then what could not be judged."""
    found = [r for r in run.gates if r.verdict.status not in (Status.PASS, Status.NOT_ASKED)]
    first = sorted(
        (result for result in found if result.verdict.code != "lower_rung"),
        key=lambda result: (result.rung != LADDER[0], result.verdict.status is not Status.FAIL),
    )
    gates: dict[tuple[str, str], list[str]] = {}
    for result in first:
        gates.setdefault((result.verdict.code, result.verdict.text), []).append(result.gate)
    lines = [
        f"{number}. {code}  {_clean(text)}".replace("\n", " ") + (f"  ({len(names)} gates)" if len(names) > 1 else "")
        for number, ((code, text), names) in enumerate(gates.items(), 1)
    ]
    blocked = sum(result.verdict.code == "lower_rung" for result in run.gates)
    return lines + ([f"   {blocked} gates above are not judged: a lower rung has to hold first"] if blocked else [])
