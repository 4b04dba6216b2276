"""Every failure of the catalogue, reproduced by a defect and caught for that reason. What `make zoo-matrix` runs.

    python -m modelqa.mutants.zoo_matrix [--jobs 2] [--out DIR] [DEFECT ...]

Each defect is judged under a hashed name, by its healthy half's rungs up to the gate that must catch it; the healthy
twins by every rung. It fails unless all that is not owed is caught and no twin is accused.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from modelqa.errors import ModelqaError
from modelqa.files import write_json, write_text
from modelqa.gates import LADDER
from modelqa.models import Registry, load_registry
from modelqa.mutants.cards import card_row
from modelqa.mutants.judging import Healthy, Workplace, judge_mutant
from modelqa.mutants.kind import Kind
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.matrix import Cell, Outcome, Row, table
from modelqa.mutants.picture import matrix_picture
from modelqa.mutants.sessions import Nursery
from modelqa.mutants.zoo import Defect, Zoo, kind_of, read_zoo
from modelqa.record import Status, Verdict
from modelqa.text import escape

NEW_TOKENS = "48"  # how long replies may get: healthy ones end far earlier, and models that never stop cost less
TWIN_OF = "phase3a2"  # the model whose lossless transforms are the healthy twins
# Really trained with a template, tokenizer, base and data of its own; a gate that knows only the chain would accuse it.
AS_IT_IS = Kind("reference", "twin", "a healthy model of another family", (), (), lambda it: it.damaged(""))


@dataclass
class Keeper:
    """Who runs the zoo: the registry, the suites, and where trials are made. Healthy halves are judged once each."""

    registry: Registry
    suites: Path
    home: Path
    cards: Path = Path("fixtures/zoo/cards")
    nursery: Nursery = field(default_factory=Nursery)
    _healthy: dict[str, Healthy] = field(default_factory=dict)

    def place(self, model: str, *, phase: str = "", fault: str = "") -> Workplace:
        """Where siblings of `model` are judged; faults are plugins of pytest."""
        options = ["--modelqa-max-new-tokens", NEW_TOKENS]
        options += ["--modelqa-phase", phase] if phase else []
        options += ["-p", f"tests.faults.{fault}"] if fault else []
        home = self.home / (f"fault-{fault}" if fault else "home")  # a broken path's replies are kept apart
        return Workplace(self.registry.models[model], self.registry, self.suites, home, options=tuple(options),
                         nursery=self.nursery)  # fmt: skip

    def healthy(self, model: str) -> Healthy:
        """What the unharmed model passes; it is asked in the right way also where a defect is a fault of the path."""
        return self._healthy.setdefault(model, Healthy(self.place(model)))

    def judge(self, defect: Defect) -> Row:
        """The row of one defect: what the gates said, and whether that is what zoo.toml states."""
        kind = kind_of(defect, self.registry)
        if defect.card:
            return card_row(self.cards, defect.card, kind, defect.locus)
        if defect.test:
            return tested_row(defect, kind, self.home, self.nursery)
        place = self.place(defect.model, phase=defect.phase, fault=defect.fault)
        return judge_mutant(place, kind, self.healthy(defect.model))

    def twin(self, kind: Kind) -> Row:
        """The row of a healthy twin: a lossless transform of the shipped model, or a healthy model as it is."""
        model = kind.name if kind is AS_IT_IS else TWIN_OF
        return judge_mutant(self.place(model), kind, self.healthy(model), to_the_end=True)


def tested_row(defect: Defect, kind: Kind, home: Path, nursery: Nursery) -> Row:
    """The row of a fault in the project's own code: the test that must fail with it, and passes without.

    The gate is the test, the place the kind of error that it ends with.
    """
    cells = {}
    for fault in ("", defect.fault):
        injected = ["-p", f"tests.faults.{fault}"] if fault else []
        arguments = [defect.test, "-q", "-n", "0", "-p", "no:cacheprovider", *injected]
        status, output = nursery.judge(arguments, log=home / "logs" / f"test-{fault or 'healthy'}.txt")
        failed = Verdict(Status.FAIL, defect.code, defect.locus if defect.locus in output else "", output[-200:])
        said = Verdict(Status.PASS) if status == 0 else failed
        cells[fault] = Cell(said, LADDER[-1])
    passes = cells[""].verdict.status is Status.PASS
    cell = Cell(cells[defect.fault].verdict, LADDER[-1], counts=passes)
    return Row(kind, defect.test, defect.locus, kind.expects[0], {defect.by: cell}, difference=(defect.fault,))


def accused(rows: Sequence[Row]) -> list[Row]:
    """The healthy twins that a gate says no to, cannot tell any more, or crashes on."""
    return [row for row in rows if row.reason or accusers(row)]


def accusers(row: Row) -> list[str]:
    """The gates that accuse a twin; of a model as it is every gate counts, there is nothing to compare it with."""
    marks = ("kill", "doubt", "crash")
    said = (Status.FAIL, Status.INCONCLUSIVE)
    return [gate for gate, cell in row.cells.items()
            if cell.mark in marks or (row.kind is AS_IT_IS and cell.verdict.status in said)]  # fmt: skip


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
    """A line on a defect, and one on what differs from its healthy half."""
    return [table([row])[0], *([f"{'':<16}  differs in {'; '.join(row.difference)}"] if row.difference else [])]


def zoo_page(zoo: Zoo, rows: Mapping[str, Row], twins: Sequence[Row], summary: str) -> str:
    """The matrix as Markdown: a line a defect, a line a twin."""
    lines = ["# The zoo", "", "Written by `make zoo-matrix`. Each defect is a minimal pair with its healthy half.", "",
             summary, "", "| failures | defect | the healthy half differs in | caught by | code | place | outcome |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for defect in zoo.defects:
        if (row := rows.get(defect.name)) is None:
            continue
        cells = (", ".join(defect.failures), defect.name, "; ".join(row.difference), defect.expected.gate, defect.code,
                 row.locus if defect.expected.locus == "exact" else f"any {defect.locus}", row.outcome)  # fmt: skip
        lines.append(f"| {' | '.join(escape(str(cell), 'markdown') for cell in cells)} |")
    lines += ["", "| healthy twin | differs in | accused by |", "|---|---|---|"]
    for row in twins:
        told_of = (row.kind.name, "; ".join(row.difference), ", ".join(accusers(row)) or row.reason or "nobody")
        lines.append(f"| {' | '.join(escape(cell, 'markdown') for cell in told_of)} |")
    owed = [f"- {failure}: {why}" for failure, why in sorted(zoo.owed.items())]
    return "\n".join([*lines, *(["", "Still owed:", "", *owed] if owed else []), ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the zoo; 0 when every defect is caught for its stated reason."""
    parser = argparse.ArgumentParser(prog="python -m modelqa.mutants.zoo_matrix", description="Every gate bites.")
    parser.add_argument("defects", nargs="*", help="only defects whose name contains one of these words")
    parser.add_argument("--zoo", type=Path, default=Path("fixtures/zoo.toml"))
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--out", type=Path, default=Path(".modelqa/zoo"))
    parser.add_argument("--jobs", type=int, default=1, help="defects judged at a time")
    parser.add_argument("--twins", action="store_true", help="of a choice: judge the healthy twins too")
    parsed = parser.parse_args(arguments)
    try:
        return run_zoo(parsed)
    except ModelqaError as error:
        sys.stderr.write(f"zoo: {error}\n")
        return error.exit_code


def run_zoo(parsed: argparse.Namespace) -> int:
    """Judge the chosen defects, and without a choice the healthy twins too."""
    zoo = read_zoo(parsed.zoo)
    words = parsed.defects
    chosen = [each for each in zoo.defects if not words or any(word in each.name for word in words)]
    keeper = Keeper(load_registry(parsed.zoo.with_name("models.toml")), parsed.suites, parsed.out.absolute())

    def one(defect: Defect) -> Row:
        row = keeper.judge(defect)
        _say(*told(row))
        return row

    def twin(kind: Kind) -> Row:
        row = keeper.twin(kind)
        _say(f"{'accused' if accused([row]) else 'passes':<16}  {kind.name}")
        return row

    with ThreadPoolExecutor(max_workers=parsed.jobs) as pool:
        rows = dict(zip([defect.name for defect in chosen], pool.map(one, chosen), strict=True))
        twins = list(pool.map(twin, (*TWINS, AS_IT_IS) if parsed.twins or not words else []))
    keeper.nursery.close()
    shutil.rmtree(keeper.home / "home" / "trials", ignore_errors=True)
    lines, true = report(zoo, rows, chosen, twins)
    _say("", *lines)
    judged = {"defects": [rows[defect.name].to_json() for defect in chosen], "twins": [row.to_json() for row in twins]}
    write_json(keeper.home / "zoo.json", {"schema": 1, "owed": dict(zoo.owed), **judged})
    write_text(keeper.home / "zoo.md", zoo_page(zoo, rows, twins, lines[-1]))
    write_text(keeper.home / "zoo.svg", matrix_picture("the zoo", [rows[defect.name] for defect in chosen]))
    return 0 if true else 1


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(escape(line, "terminal") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
