"""`modelqa postmortem new`: the beginning of a postmortem from two run records, the comparison filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modelqa.record import GateResult, Run, Status
from modelqa.text import escape

from .postmortem import HEADINGS

MOST_COLUMNS = 4  # gates in the result table; the other differences are listed below it
_ASKS = {
    "Summary": "what happened, in three sentences for somebody who knows the project",
    "Impact": "what was released or believed that was wrong, for whom, for how long",
    "Timeline": "one item for each moment: 2026-05-14: ..., or day 1: ...",
    "Root cause": "the mechanism, not the person",
    "Detection": "how it was seen, and what should have seen it earlier",
    "Resolution": "what was changed, and how it was shown to help",
    "What we believed first": "the hypotheses in their order, and what spoke against each",
    "Was the harness ruled out": "how; a known-good model through the same path, with its figures",
    "What we learned": "what to do differently",
    "Decision": "which run is canonical now, and what becomes of the other",
    "Sources": "records, logs, threads",
}


def draft(name: str, one: tuple[str, Run], two: tuple[str, Run], *, day: str) -> tuple[str, dict[str, Any]]:
    """(Markdown, figures) of a new postmortem on two named runs; the first is the canonical one until somebody says no.

    `modelqa postmortem check` refuses it until every section is filled.
    """
    differing = [pair for pair in _pairs(one[1], two[1]) if _shown(pair[0]) != _shown(pair[1])]
    rated = [first.gate for first, second in differing if first.verdict.total and second.verdict.total]
    figures = {"runs": {label: _figures(run, label == one[0]) for label, run in (one, two)}, "facts": {}}
    gates = [first.gate for first, _ in differing]
    lines = [
        "---", f"id: {name}", 'title: ""', f"date: {day}", "status: draft",
        f"models: {_flow([one[0], two[0]])}", f"runs: {_flow([one[0], two[0]])}", f"gates: {_flow(gates)}", "---",
    ]  # fmt: skip
    for heading in HEADINGS:
        lines += ["", f"## {heading}", ""]
        if heading == "Result table":
            lines += [*_table(figures, rated[:MOST_COLUMNS], one[0]), "", *_differences(one, two, differing)]
        elif heading == "Action items":
            lines += ["| action | type | owner | state |", "|---|---|---|---|"]
        else:
            lines.append(f"<!-- {_ASKS[heading]} -->")
    return "\n".join(lines) + "\n", figures


def _pairs(one: Run, two: Run) -> Iterator[tuple[GateResult, GateResult]]:
    others = {result.gate: result for result in two.gates}
    return ((result, others[result.gate]) for result in one.gates if result.gate in others)


def _shown(result: GateResult) -> str:
    verdict = result.verdict
    rate = f" {verdict.passed} of {verdict.total}" if verdict.total else ""
    return f"{verdict.status.value}{rate}"


def _figures(run: Run, canonical: bool) -> dict[str, Any]:
    gates = {
        result.gate: {
            "rate": result.verdict.passed / result.verdict.total,
            "passed": result.verdict.passed,
            "total": result.verdict.total,
        }
        for result in run.gates
        if result.verdict.total
    }
    statuses = [result.verdict.status for result in run.gates]
    values = {"passed": statuses.count(Status.PASS), "failed": statuses.count(Status.FAIL), "planned": len(run.plan)}
    return {"canonical": canonical, "record": run.digest, "values": values, "gates": gates}


def _table(figures: Mapping[str, Any], gates: list[str], canonical: str) -> Iterator[str]:
    columns = ["run", "role", "passed", "failed", *gates]
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    for label, run in figures["runs"].items():
        rates = [f"{run['gates'][gate]['rate']:.1%}" if gate in run["gates"] else "missing" for gate in gates]
        role = "canonical" if label == canonical else "candidate"
        yield f"| {' | '.join([label, role, str(run['values']['passed']), str(run['values']['failed']), *rates])} |"


def _differences(
    one: tuple[str, Run], two: tuple[str, Run], differing: list[tuple[GateResult, GateResult]]
) -> Iterator[str]:
    """Gates whose verdict or counts differ, then everything else that the records say differently."""
    for first, second in differing:
        yield f"- `{first.gate}`: {_shown(first)} in `{one[0]}`, {_shown(second)} in `{two[0]}`"
    for what in ("model", "settings", "controls", "suite"):
        before, after = getattr(one[1], what), getattr(two[1], what)
        keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        if keys:
            yield f"- {what}: {', '.join(escape(key, 'markdown') for key in keys)} differ"


def _flow(names: list[str]) -> str:
    return f"[{', '.join(escape(name, 'yaml') for name in names)}]"
