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

from modelqa.errors import ModelqaError, UsageError
from modelqa.files import write_json, write_text
from modelqa.gates import LADDER
from modelqa.models import Model, Registry, load_registry
from modelqa.mutants.building import is_built
from modelqa.mutants.cards import card_row
from modelqa.mutants.judging import AS_IT_IS, Healthy, Workplace, judge_as_it_is, judge_mutant
from modelqa.mutants.kind import Kind
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.matrix import Cell, Row
from modelqa.mutants.picture import matrix_picture
from modelqa.mutants.sessions import Nursery
from modelqa.mutants.styled import TwinRecipe, Upbringing, read_twin_recipes, upbringing
from modelqa.mutants.zoo import Defect, Zoo, kind_of, read_zoo
from modelqa.mutants.zoo_parts import JUDGED, joined
from modelqa.mutants.zoo_report import accused, report, told, zoo_page
from modelqa.record import Status, Verdict
from modelqa.text import escape

NEW_TOKENS = "48"  # how long replies may get: healthy ones end far earlier, and models that never stop cost less
TWIN_OF = "phase3a2"  # the model whose lossless transforms are the healthy twins


@dataclass
class Keeper:
    """Who runs the zoo: the registry, the suites, and where trials are made. Healthy halves are judged once each.

    twins  healthy models that no registry names: those that `make zoo` trains
    """

    registry: Registry
    suites: Path
    home: Path
    twins: Mapping[str, Model] = field(default_factory=dict)
    cards: Path = Path("fixtures/zoo/cards")
    nursery: Nursery = field(default_factory=Nursery)
    _healthy: dict[str, Healthy] = field(default_factory=dict)

    def place(self, model: str, *, phase: str = "", fault: str = "") -> Workplace:
        """Where siblings of `model` are judged; faults are plugins of pytest."""
        options = ["--modelqa-max-new-tokens", NEW_TOKENS]
        options += ["--modelqa-phase", phase] if phase else []
        options += ["-p", f"tests.faults.{fault}"] if fault else []
        home = self.home / (f"fault-{fault}" if fault else "home")  # a broken path's replies are kept apart
        who = self.twins.get(model) or self.registry.models[model]
        return Workplace(who, self.registry, self.suites, home, options=tuple(options), nursery=self.nursery)

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
        if kind.area == AS_IT_IS:
            return judge_as_it_is(self.place(kind.name), kind)
        return judge_mutant(self.place(TWIN_OF), kind, self.healthy(TWIN_OF), to_the_end=True)


def standing(recipes: Sequence[TwinRecipe]) -> list[Kind]:
    """Healthy models with templates of their own, as kinds to which nothing is done."""
    return [Kind(it.name, AS_IT_IS, it.story, (), (), lambda sibling: sibling.damaged("")) for it in recipes]


def raised(registry: Registry) -> list[Upbringing]:
    """The twins that `make zoo` trained; `UsageError` when one is not built."""
    works = [upbringing(recipe, registry.models) for recipe in read_twin_recipes().values()]
    for work in works:
        if not is_built(work.folder):
            raise UsageError(f"the healthy twin {work.recipe.name} is not built",
                             reason="its recipe, its style or its parent changed, or it never was",
                             remedy=f"make zoo, or python -m modelqa.mutants.styled {work.recipe.name}")  # fmt: skip
    return works


def tested_row(defect: Defect, kind: Kind, home: Path, nursery: Nursery) -> Row:
    """The row of a fault in the project's own code: the test that must fail with it, and passes without.

    The gate is the test, the place the kind of error that it ends with.
    """
    cells = {}
    for fault in ("", defect.fault):
        injected = ["-p", f"tests.faults.{fault}"] if fault else []
        arguments = [defect.test, "-q", "-n", "0", "-p", "no:cacheprovider", *injected]
        ended = nursery.judge(arguments, log=home / "logs" / f"test-{fault or 'healthy'}.txt")
        place = defect.locus if defect.locus in ended.output else ""
        failed = Verdict(Status.FAIL, defect.code, place, ended.output[-200:])
        said = Verdict(Status.PASS) if ended.status == 0 else failed
        cells[fault] = Cell(said, LADDER[-1])
    passes = cells[""].verdict.status is Status.PASS
    cell = Cell(cells[defect.fault].verdict, LADDER[-1], counts=passes)
    return Row(kind, defect.test, defect.locus, kind.expects[0], {defect.by: cell}, difference=(defect.fault,))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the zoo; 0 when every defect is caught for its stated reason."""
    parser = argparse.ArgumentParser(prog="python -m modelqa.mutants.zoo_matrix", description="Every gate bites.")
    parser.add_argument("defects", nargs="*", help="only defects whose name contains one of these words")
    parser.add_argument("--zoo", type=Path, default=Path("fixtures/zoo.toml"))
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--out", type=Path, default=Path(".modelqa/zoo"))
    parser.add_argument("--jobs", type=int, default=1, help="defects judged at a time")
    parser.add_argument("--twins", action="store_true", help="of a choice: judge the healthy twins too")
    parser.add_argument("--pages", type=Path, help="of the whole zoo: write zoo.md and zoo.svg into this folder too")
    parser.add_argument("--parts", type=Path, nargs="+", help="judge nothing: report on the runs in these folders")
    parsed = parser.parse_args(arguments)
    try:
        return run_zoo(parsed)
    except ModelqaError as error:
        sys.stderr.write(f"zoo: {error}\n")
        return error.exit_code


def run_zoo(parsed: argparse.Namespace) -> int:
    """Judge the chosen defects, and without a choice the healthy twins too; or read what was judged in parts."""
    zoo, registry = read_zoo(parsed.zoo), load_registry(parsed.zoo.with_name("models.toml"))
    words = parsed.defects
    chosen = [each for each in zoo.defects if not words or any(word in each.name for word in words)]
    if parsed.parts:
        kinds = [*TWINS, *standing(list(read_twin_recipes().values()))]
        rows, twins = joined(parsed.parts, zoo, registry, kinds)
        there = {*rows, *(row.kind.name for row in twins)}
        every = [*(defect.name for defect in chosen), *(kind.name for kind in kinds)]
        lacking = [name for name in every if name not in there]
        chosen = [each for each in chosen if each.name in rows]
    else:
        lacking = []
        rows, twins = judged(parsed, registry, chosen)
    lines, true = report(zoo, rows, chosen, twins)
    _say("", *(f"not judged  {name}" for name in lacking), *lines)
    _write(parsed, zoo, rows, chosen, twins, zoo_page(zoo, rows, twins, lines[-1], lacking))
    return 0 if true and not lacking else 1


def judged(
    parsed: argparse.Namespace, registry: Registry, chosen: Sequence[Defect]
) -> tuple[dict[str, Row], list[Row]]:
    """({defect: its row}, the twins' rows), told one by one as they are judged."""
    with_twins = parsed.twins or not parsed.defects
    works = raised(registry) if with_twins else []
    kinds = [*TWINS, *standing([work.recipe for work in works])] if with_twins else []
    keeper = Keeper(registry, parsed.suites, parsed.out.absolute(), {work.recipe.name: work.model for work in works})

    def one(defect: Defect) -> Row:
        row = keeper.judge(defect)
        _say(*told(row))
        return row

    def twin(kind: Kind) -> Row:
        row = keeper.twin(kind)
        _say(f"{'accused' if accused([row]) else 'passes':<16}  {kind.name}  ({row.seconds:.1f} s)")
        return row

    with ThreadPoolExecutor(max_workers=parsed.jobs) as pool:
        rows = dict(zip([defect.name for defect in chosen], pool.map(one, chosen), strict=True))
        twins = list(pool.map(twin, kinds))
    keeper.nursery.close()
    shutil.rmtree(keeper.home / "home" / "trials", ignore_errors=True)
    return rows, twins


def _write(
    parsed: argparse.Namespace, zoo: Zoo, rows: Mapping[str, Row], chosen: Sequence[Defect], twins: Sequence[Row],
    page: str,
) -> None:  # fmt: skip
    mine = [rows[defect.name] for defect in chosen]
    held = {"defects": [row.to_json() for row in mine], "twins": [row.to_json() for row in twins]}
    write_json(parsed.out / JUDGED, {"schema": 1, "owed": dict(zoo.owed), **held})
    for folder in (parsed.out, *([parsed.pages] if parsed.pages and not parsed.defects else [])):
        write_text(folder / "zoo.md", page)
        write_text(folder / "zoo.svg", matrix_picture("the zoo", mine))


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(escape(line, "terminal") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
