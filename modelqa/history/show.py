"""The history of one model as a person reads it in the terminal. Pure text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelqa.history.database import PastRun, Scored
from modelqa.record import Status
from modelqa.text import escape

BARS = "▁▂▃▄▅▆▇█"  # a rate from 0 to 1
LETTERS = {
    Status.PASS: "P",
    Status.FAIL: "F",
    Status.INCONCLUSIVE: "?",
    Status.NOT_RUN: ".",
    Status.NOT_ASKED: "-",
}
ABSENT = " "  # the run's suites had no such gate
LEGEND = "P pass, F fail, ? inconclusive, . not run, - not asked; bars: the rate, from 0% to 100%; oldest run first"


def history_lines(runs: Sequence[PastRun], *, gates: Sequence[str] = ()) -> list[str]:
    """A line a run, then a line a gate over all runs; `gates` limits which.

    Without it: the gates that have a rate, and those that did not always pass.
    """
    shown = [gate for gate in gate_names(runs) if (gate in gates if gates else is_telling(runs, gate))]
    width = max((len(gate) for gate in shown), default=0)
    scored = runs[-1].scorings
    lines = [
        f"{_clean(runs[-1].name)}: {len(runs)} run(s); its newest weights were scored on {scored} draw(s) of cases"
    ]
    lines += [run_line(number, run) for number, run in enumerate(runs, 1)]
    for gate in shown:
        over_time = [run.gates.get(gate) for run in runs]
        letters = "".join(LETTERS[each.status] if each else ABSENT for each in over_time)
        bars = "".join(bar(each) for each in over_time)
        last = next((rate(each) for each in reversed(over_time) if each and each.total), "")
        lines.append(f"  {_clean(gate):<{width}}  {letters}  {bars}  {last}".rstrip())
    return lines


def gate_names(runs: Sequence[PastRun]) -> list[str]:
    """Every gate of any run, in the order of the newest run that has it."""
    return list(dict.fromkeys(gate for run in reversed(runs) for gate in run.gates))


def is_telling(runs: Sequence[PastRun], gate: str) -> bool:
    """Whether a gate has a rate, or did not always pass."""
    found = [run.gates[gate] for run in runs if gate in run.gates]
    quiet = (Status.PASS, Status.NOT_ASKED, Status.NOT_RUN)
    return any(each.total for each in found) or any(each.status not in quiet for each in found)


def run_line(number: int, run: PastRun) -> str:
    """Which record, when, of which weights, judged as which phase, with how many verdicts of each kind."""
    counts = Counter(each.status for each in run.gates.values())
    verdicts = ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])
    return (
        f"  {number}  {run.time or 'time unknown'}  record {run.digest[:12]}  weights {run.weights[:8]}  "
        f"as {_clean(run.phase)}  {verdicts}"
    )


def bar(scored: Scored | None) -> str:
    """One character for a rate, a blank without one."""
    if scored is None or not scored.total:
        return " "
    return BARS[min(len(BARS) - 1, int(scored.passed / scored.total * len(BARS)))]


def rate(scored: Scored) -> str:
    """ "188/200  94.0% [90.5%, 96.5%] >= 80%": the rate, its one-sided bounds, its threshold; "" without a rate."""
    if not scored.total:
        return ""
    text = f"{scored.passed}/{scored.total}  {scored.passed / scored.total:.1%}"
    if scored.lower is not None and scored.upper is not None:
        text += f" [{scored.lower:.1%}, {scored.upper:.1%}]"
    return text + (f" >= {scored.threshold:.0%}" if scored.threshold is not None else "")


def _clean(text: str) -> str:
    return escape(text, "terminal", limit=80)
