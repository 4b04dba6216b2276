"""What `make zoo-matrix` says at the end: lines for the terminal, and the page that stands in docs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from modelqa.mutants.judging import AS_IT_IS
from modelqa.mutants.matrix import Outcome, Row, gate_order, table
from modelqa.mutants.zoo import Defect, Zoo
from modelqa.record import Status
from modelqa.text import escape


def accused(rows: Sequence[Row]) -> list[Row]:
    """The healthy twins that a gate says no to, cannot tell any more, or crashes on."""
    return [row for row in rows if row.reason or accusers(row)]


def accusers(row: Row) -> list[str]:
    """The gates that accuse a twin; of a model as it is every gate counts, there is nothing to compare it with."""
    marks = ("kill", "doubt", "crash")
    said = (Status.FAIL, Status.INCONCLUSIVE)
    return [gate for gate, cell in row.cells.items()
            if cell.mark in marks or (row.kind.area == AS_IT_IS and cell.verdict.status in said)]  # fmt: skip


def report(
    zoo: Zoo, rows: Mapping[str, Row], chosen: Sequence[Defect], twins: Sequence[Row]
) -> tuple[list[str], bool]:
    """(lines, whether all is true): catalogue, reproduced, caught for the stated reason, owed, false alarms."""
    hit = [defect for defect in chosen if rows[defect.name].outcome is Outcome.EXPECTED]
    missed = [defect for defect in chosen if defect not in hit]
    caught = {failure for defect in hit for failure in defect.failures}
    caught -= {failure for defect in missed for failure in defect.failures}
    counts = {"catalogue": len(zoo.failures), "reproduced": len(zoo.reproduced),
              "caught for the stated reason": len(caught), "still owed": len(zoo.owed),
              f"false alarms on {len(twins)} healthy twins": len(accused(twins))}  # fmt: skip
    lines = [*(f"owed    {failure}  {why}" for failure, why in sorted(zoo.owed.items())), "",
             *table([rows[defect.name] for defect in missed]), *table(accused(twins)),
             " / ".join(f"{name} {count}" for name, count in counts.items())]  # fmt: skip
    return lines, not missed and not accused(twins)


def told(row: Row) -> list[str]:
    """A line on a defect with its processor seconds, and one on what differs from its healthy half."""
    differs = [f"{'':<16}  differs in {'; '.join(row.difference)}"] if row.difference else []
    return [f"{table([row])[0]}  ({row.seconds:.1f} s)", *differs]


def teeth(rows: Sequence[Row], twins: Sequence[Row]) -> dict[str, tuple[int, int, int]]:
    """{gate: (defects that it killed for their declared reason, twins that it passes, healthy halves that it passes)},
    in ladder order; a gate that is asked of nobody healthy, and killed nothing, is left out.
    """
    kills = Counter(row.expected.gate for row in rows if row.outcome is Outcome.EXPECTED and row.expected)
    passes = Counter(gate for row in twins for gate, cell in row.cells.items() if cell.verdict.status is Status.PASS)
    halves = Counter(gate for row in rows for gate, cell in row.cells.items() if cell.counts)
    known = kills | passes | halves
    return {gate: (kills[gate], passes[gate], halves[gate]) for gate in gate_order([*rows, *twins]) if gate in known}


def zoo_page(
    zoo: Zoo, rows: Mapping[str, Row], twins: Sequence[Row], summary: str, lacking: Sequence[str] = ()
) -> str:
    """The matrix as Markdown: a line a defect, a line a twin, a line a gate; `lacking` were not judged."""
    lines = ["# The zoo", "", "Written by `make zoo-matrix`. Each defect is a minimal pair with its healthy half.", "",
             summary, "", "![Kill matrix: defects and the gates that saw them](zoo.svg)", "",
             "| failures | defect | the healthy half differs in | caught by | code | place | outcome |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for defect in zoo.defects:
        if (row := rows.get(defect.name)) is None:
            continue
        cells = (", ".join(defect.failures), defect.name, "; ".join(row.difference), defect.expected.gate, defect.code,
                 row.locus if defect.expected.locus == "exact" else f"any {defect.locus}", row.outcome)  # fmt: skip
        lines.append(f"| {' | '.join(escape(str(cell), 'markdown') for cell in cells)} |")
    lines += ["", "| healthy twin | what it is | differs in | accused by |", "|---|---|---|---|"]
    for row in twins:
        told_of = (row.kind.name, row.kind.story, "; ".join(row.difference), ", ".join(accusers(row)) or row.reason
                   or "nobody")  # fmt: skip
        lines.append(f"| {' | '.join(escape(cell, 'markdown') for cell in told_of)} |")
    lines += ["", "| gate | kills for its declared reason | healthy twins that pass it | healthy halves that pass it |",
              "|---|---|---|---|"]  # fmt: skip
    for gate, counted in teeth(list(rows.values()), twins).items():
        lines.append(f"| {escape(gate, 'markdown')} | {' | '.join(map(str, counted))} |")
    owed = [f"- {failure}: {why}" for failure, why in sorted(zoo.owed.items())]
    unjudged = [f"- {escape(name, 'markdown')}" for name in lacking]
    return "\n".join([*lines, *(["", "Not judged yet:", "", *unjudged] if unjudged else []),
                      *(["", "Still owed:", "", *owed] if owed else []), ""])  # fmt: skip
