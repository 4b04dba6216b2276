"""A comparison as a person reads it in the terminal. Pure text."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.compare.chain import Chain, Step
from modelqa.compare.pairing import Comparison, points
from modelqa.compare.reading import Reading
from modelqa.records import Asked, Stored
from modelqa.text import escape

LINE = 240  # characters of a question or reply that are shown
GROUPS = 4  # values shown of one breakdown: those that moved most
MARKS = {"better": "+", "worse": "-", "": " "}


def run_lines(runs: Sequence[Stored]) -> list[str]:
    """One line a run: which record is meant, from when, how often its weights were scored."""
    return [
        f"{chr(ord('A') + number)}  {_clean(stored.name)}  record {stored.digest[:12]}  {stored.time}  "
        f"judged as {stored.run.model['phase']}, scored on {stored.run.scorings} draw(s) of cases".replace("  ,", ",")
        for number, stored in enumerate(runs)
    ]


def step_lines(step: Step, *, groups: bool = True) -> list[str]:
    """The table of one step: a line a gate, with what moved in its subgroups below it, then what was refused."""
    names = [each.gate for each in step.comparisons] + [gate for gate, _ in step.refused]
    width = max(map(len, names))
    lines = [f"{_clean(step.old.name)} -> {_clean(step.new.name)}"]
    for each in step.comparisons:
        lines.append(comparison_line(each, width=width))
        lines += [f"  {'':<{width}}  {line}" for line in (_moved(each) if groups and each.claim else [])]
    lines += [f"  {gate:<{width}}  not compared: {_clean(why)}" for gate, why in step.refused]
    better, worse = step.seesaw
    if better and worse:
        lines.append(f"  one skill for another: better at {', '.join(better)}; worse at {', '.join(worse)}")
    return lines + [f"  note: {_clean(note)}" for note in step.notes]


def comparison_line(each: Comparison, *, width: int = 0) -> str:
    """Counts, difference with its one-sided 95% bounds, discordant cases, McNemar's p after Holm, the claim."""
    text = (
        f"  {each.gate:<{width}}  {each.old}/{each.cases} -> {each.new}/{each.cases}  {points(each)}"
        f"  gained {len(each.gained)} lost {len(each.lost)}  p {each.adjusted:.2g}  {each.claim}"
    )
    return text.rstrip()


def _moved(each: Comparison) -> list[str]:
    """For each key of a breakdown the values that moved most; keys whose values all moved alike are left out."""
    lines = []
    for key, values in each.groups.items():
        moves = {value: (new - old) / total for value, (old, new, total) in values.items()}
        if max(moves.values()) - min(moves.values()) <= 2 * (each.upper - each.lower):
            continue
        order = sorted(moves, key=lambda value: (-abs(moves[value]), value))[:GROUPS]
        shown = ", ".join(f"{_clean(v)} {values[v][0]} -> {values[v][1]} of {values[v][2]}" for v in order)
        lines.append(f"by {_clean(key)}: {shown}")
    return lines


def matrix_lines(chain: Chain) -> list[str]:
    """Gates x runs: the rate in each, "+" or "-" where it is shown to be better or worse than in the run before."""
    tallies = [{r.gate: r.verdict for r in stored.run.gates if r.outcomes} for stored in chain.runs]
    claims = [{each.gate: each.claim for each in step.comparisons} for step in chain.steps]
    width = max(map(len, chain.gates))
    names = [_clean(stored.name)[:16] for stored in chain.runs]
    lines = [f"{'':<{width}}  " + "  ".join(f"{name:>16}" for name in names)]
    for gate in chain.gates:
        cells = []
        for number, verdicts in enumerate(tallies):
            mark = MARKS[claims[number - 1].get(gate, "")] if number else " "
            verdict = verdicts.get(gate)
            text = f"{verdict.passed / verdict.total:6.1%} of {verdict.total:>4}" if verdict else "not asked"
            cells.append(f"{mark}{text:>15}")
        lines.append(f"{gate:<{width}}  " + "  ".join(cells))
    return [*lines, "+ and -: shown to be better or worse than in the run before, on the same cases"]


def transcript_lines(step: Step, *, limit: int) -> list[str]:
    """Cases that only one of two runs answered rightly, replies beside each other: `limit` lost and gained a gate.

    A case of several gates is shown once.
    """
    old, new = step.old.asked(), step.new.asked()
    shown: set[str] = set()
    lines = []
    for each in step.comparisons:
        before, now = old.get(each.gate, {}), new.get(each.gate, {})
        for word, cases in (("lost", each.lost), ("gained", each.gained)):
            chosen = [case for case in cases if case in before and case in now][:limit]
            for case in (case for case in chosen if case not in shown):
                shown.add(case)
                lines += _transcript(f"{each.gate}: {word} {case}", before[case], now[case])
    return lines


def _transcript(title: str, before: Asked, now: Asked) -> list[str]:
    return [
        f"- {_clean(title)}",
        f"    asked     {_clean(now.asked)}",
        f"    expected  {_clean(now.expected)}",
        f"    before    {_clean(before.raw)}",
        f"    now       {_clean(now.raw)}",
    ]


def reading_lines(rows: Sequence[Reading]) -> list[str]:
    """Fixed prompts and what each said, to be read."""
    width = max((len(_clean(who)) for row in rows for who in row.said), default=0)
    lines = []
    for row in rows:
        lines.append(f"> {_clean(row.asked)}")
        lines += [f"    {_clean(who):<{width}}  {_clean(said)}" for who, said in row.said.items()]
    return lines


def _clean(text: str) -> str:
    return escape(text, "terminal", limit=LINE)
