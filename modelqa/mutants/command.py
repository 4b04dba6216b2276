"""`modelqa mutants --model M`: how sharp are these suites on this model?

Defective siblings are made by surgery, judged by the suites, and the kill matrix is printed and stored. Nothing is
written into the model's folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import UsageError
from modelqa.files import write_json, write_text
from modelqa.gates import LADDER
from modelqa.models import find_registry, load_registry, resolve
from modelqa.mutants.catalogue import chosen
from modelqa.mutants.judging import Healthy, Workplace, judge_all
from modelqa.mutants.kind import OPENING
from modelqa.mutants.matrix import Outcome, Row, gate_order, summary, table
from modelqa.mutants.picture import curve_picture, matrix_picture
from modelqa.mutants.planted import doubles, figure, lessons
from modelqa.mutants.weights import GRADED
from modelqa.text import escape

DULL = 1  # exit status when a mutant was not killed for its declared reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa mutants`."""
    parser.add_argument("--model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--kind", action="append", default=[], help="a kind or an area (default: all)")
    parser.add_argument("--rung", action="append", default=[], choices=LADDER, help="ask only these rungs")
    parser.add_argument("--suites", type=Path, default=Path("suites"), help="the folder of suites (default: suites)")
    parser.add_argument("--out", type=Path, help="where the matrix goes (default: .modelqa/mutants/MODEL)")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--jobs", type=int, default=1, help="mutants judged at a time (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of every random choice (default: 0)")
    parser.add_argument("--max-new-tokens", help="how long replies may get (default: as in a run of the suites)")
    parser.add_argument("--sensitivity", action="store_true", help="instead: noise of growing strength, as a curve")
    parser.add_argument("--diagnosis", action="store_true",
                        help="add pairs of kinds and trained siblings: is the planted cause named first?")
    parser.add_argument("--list", action="store_true", help="only list the kinds and what they expect")
    parser.set_defaults(handler=mutants)


def mutants(parsed: argparse.Namespace) -> int:
    """Make, judge, print and store; 0 when every mutant that could be made was killed for its declared reason."""
    kinds = chosen(parsed.kind)
    if parsed.list:
        for kind in kinds:
            _say(f"{kind.area:<9}  {kind.name:<22}  {kind.expects[0].code:<22}  {kind.story}")
        return 0
    place = _workplace(parsed)
    kinds = list(GRADED) if parsed.sensitivity else kinds
    if parsed.diagnosis:
        kinds = [*kinds, *doubles(), *lessons(place.model, place.registry.models, seed=place.seed)]
    healthy = Healthy(place)
    _say(f"the healthy {place.model.name} passes {len(healthy.of(kinds[0])) - 1} gates: only these can kill")
    rows = judge_all(place, kinds, healthy, jobs=parsed.jobs, to_the_end=parsed.sensitivity,
                     done=lambda row: _say(table([row])[0]))  # fmt: skip
    place.nursery.close()
    if parsed.sensitivity:
        return _keep_curve(place, rows)
    _say("", f"{place.model.name}: {summary(rows)}", *_toothless(rows), figure(rows).text)
    write_json(place.home / "matrix.json", matrix_json(place, rows))
    write_text(place.home / "matrix.svg", matrix_picture(place.model.name, rows))
    _say(f"matrix:  {place.home / 'matrix.json'}", f"picture: {place.home / 'matrix.svg'}")
    return 0 if all(row.outcome in (Outcome.EXPECTED, Outcome.NOT_APPLICABLE) for row in rows) else DULL


def _workplace(parsed: argparse.Namespace) -> Workplace:
    if parsed.model is None:
        raise UsageError("no model is named", reason="mutants are siblings of a model",
                         remedy="modelqa mutants --model NAME_OR_FOLDER, or --list")  # fmt: skip
    if not parsed.suites.is_dir():
        raise UsageError(f"there is no folder {parsed.suites}", reason="mutants are judged by suites",
                         remedy="name the folder of suites with --suites")  # fmt: skip
    if parsed.jobs < 1:
        raise UsageError(f"--jobs is {parsed.jobs}", reason="one mutant at a time is the least",
                         remedy="give a whole number from 1 on")  # fmt: skip
    registry = load_registry(find_registry(Path.cwd(), parsed.models))
    model = resolve(registry, parsed.model)
    if model.path is None:
        model = replace(model, path=open_checkpoint(model.location).path)
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in model.name)[:80]
    home = (parsed.out or Path(".modelqa") / "mutants" / name).absolute()
    rungs = tuple(rung for rung in LADDER if rung in parsed.rung) or LADDER
    options = ("--modelqa-max-new-tokens", parsed.max_new_tokens) if parsed.max_new_tokens else ()
    return Workplace(model, registry, parsed.suites, home, rungs=rungs, options=options, seed=parsed.seed)


def _toothless(rows: Sequence[Row]) -> list[str]:
    """The gates that were asked of a mutant, that the healthy model passes, and that killed none."""
    killers = {gate for row in rows for gate in row.killers}
    asked = {gate for row in rows for gate, cell in row.cells.items() if cell.mark != "idle" and gate != OPENING}
    idle = [gate for gate in gate_order(rows) if gate in asked - killers]
    return [f"killed nothing: {', '.join(idle)}"] if idle else []


def matrix_json(place: Workplace, rows: Sequence[Row]) -> dict[str, Any]:
    """What stands in matrix.json."""
    passes = {gate for row in rows for gate, cell in row.cells.items() if cell.counts}
    return {"schema": 1, "model": place.model.name, "seed": place.seed, "rungs": list(place.rungs),
            "healthy_passes": sorted(passes), "mutants": [row.to_json() for row in rows]}  # fmt: skip


Curves = dict[str, list[tuple[float, float, str]]]


def curves(rows: Sequence[Row]) -> Curves:
    """{gate over replies: [(strength, pass rate, mark)]}, weakest damage first."""
    found: Curves = {}
    for row in sorted(rows, key=lambda row: row.kind.strength):
        for gate, cell in row.cells.items():
            if cell.verdict.total and cell.mark != "idle":
                found.setdefault(gate, []).append(
                    (row.kind.strength, cell.verdict.passed / cell.verdict.total, cell.mark))  # fmt: skip
    return found


def first_seen(rows: Sequence[Row]) -> dict[str, float]:
    """{gate: the weakest damage that it says no to}."""
    seen: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: row.kind.strength):
        for gate in row.killers:
            seen.setdefault(gate, row.kind.strength)
    return seen


def _keep_curve(place: Workplace, rows: Sequence[Row]) -> int:
    seen = first_seen(rows)
    judged = {gate for row in rows for gate, cell in row.cells.items() if cell.mark != "idle"}
    asked = [gate for gate in gate_order(rows) if gate in judged]
    _say("", *(f"{gate:<20}  " + (f"sees noise from {seen[gate]:g} on" if gate in seen else "never sees it")
               for gate in asked))  # fmt: skip
    found = curves(rows)
    write_json(place.home / "sensitivity.json",
               {"schema": 1, "model": place.model.name, "seed": place.seed, "first_seen": seen, "curves": found,
                "mutants": [row.to_json() for row in rows]})  # fmt: skip
    write_text(place.home / "sensitivity.svg", curve_picture(place.model.name, found))
    _say(f"curve:   {place.home / 'sensitivity.svg'}")
    return 0


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(escape(line, "terminal") + "\n")
    sys.stdout.flush()
