"""The zoo: every failure of the catalogue, reproduced by a defect and caught for that reason. `make zoo-matrix`.

`fixtures/zoo.toml` holds the defects and what is owed, `fixtures/failures.toml` the failures. Run it as
`python -m modelqa.mutants.zoo [--jobs 2] [--out DIR] [DEFECT ...]`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from modelqa.errors import ModelqaError, UsageError
from modelqa.files import write_json
from modelqa.models import Registry, load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.datasets import leaked
from modelqa.mutants.judging import EVIDENCE, Workplace, judge_healthy, judge_mutant
from modelqa.mutants.kind import LOCI, Damage, Expected, Kind, Sibling
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.matrix import Outcome, Row, table
from modelqa.mutants.trial import copy_over
from modelqa.record import GateResult
from modelqa.text import escape

NEW_TOKENS = "48"  # how long replies may get: healthy ones end far earlier, and models that never stop cost less
TWIN_OF = "phase3a2"  # the model whose lossless transforms are the healthy twins
LEAK = "leak"  # the kind whose question and answer stand in the defect
_KEYS = {"failures", "kind", "shipped", "fault", "model", "phase", "code", "locus", "question", "answer"}


@dataclass(frozen=True)
class Defect:
    """One row of zoo.toml: `kind`, `shipped` or `fault` says how it is made from the healthy `model`."""

    failures: tuple[str, ...]
    model: str
    code: str
    locus: str
    kind: str = ""
    shipped: str = ""
    fault: str = ""
    phase: str = ""
    question: str = ""
    answer: str = ""

    @property
    def name(self) -> str:
        """What it is called in the matrix."""
        return f"{self.kind or self.shipped or self.fault}/{self.code.rpartition('.')[2]}"


@dataclass(frozen=True)
class Zoo:
    """The catalogue {id: failure}, the defects, and {failure: why it is still owed}."""

    failures: Mapping[str, str]
    defects: tuple[Defect, ...]
    owed: Mapping[str, str] = field(default_factory=dict)

    @property
    def reproduced(self) -> set[str]:
        """The failures that have a defect."""
        return {failure for defect in self.defects for failure in defect.failures}


def read_zoo(path: Path) -> Zoo:
    """zoo.toml and the failures.toml beside it; `UsageError` for a defect that is malformed, and for a failure that has
    neither a defect nor a reason why not, or both.
    """
    failures, content = _toml(path.with_name("failures.toml")), _toml(path)
    defects = []
    for number, entry in enumerate(content.get("defect", []), 1):
        made = [key for key in ("kind", "shipped", "fault") if key in entry]
        if set(entry) - _KEYS or len(made) != 1 or not {"failures", "model", "code", "locus"} <= set(entry):
            needed = "it needs failures, model, code, locus, and one of kind, shipped and fault"
            raise _wrong(path, f"defect {number} is malformed", needed)
        defects.append(Defect(**{**entry, "failures": tuple(entry["failures"])}))
    zoo = Zoo(failures, tuple(defects), content.get("owed", {}))
    if unknown := sorted((zoo.reproduced | set(zoo.owed)) - set(failures)):
        raise _wrong(path, f"{unknown[0]} is no failure", "failures.toml lists them")
    if both := sorted(zoo.reproduced & set(zoo.owed)):
        raise _wrong(path, f"{both[0]} has a defect and is owed", "a failure that is reproduced is not owed")
    if neither := sorted(set(failures) - zoo.reproduced - set(zoo.owed)):
        raise _wrong(path, f"{neither[0]} has no defect and is not owed", "every failure has one or the other")
    return zoo


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, str(error), "it must be TOML in UTF-8") from None


def _wrong(path: Path, fact: str, reason: str) -> UsageError:
    return UsageError(f"{path.name}: {fact}", reason=reason, remedy=f"mend {path}")


@dataclass(frozen=True)
class Keeper:
    """Who runs the zoo: the registry, the suites, and where trials are made. Healthy models are judged once each."""

    registry: Registry
    suites: Path
    home: Path

    def place(self, model: str, *, phase: str = "", fault: str = "") -> Workplace:
        """Where siblings of `model` are judged; faults are plugins of pytest."""
        options = ["--modelqa-max-new-tokens", NEW_TOKENS]
        options += ["--modelqa-phase", phase] if phase else []
        options += ["-p", f"tests.faults.{fault}"] if fault else []
        home = self.home / (f"fault-{fault}" if fault else "home")  # a broken path's replies are kept apart
        return Workplace(self.registry.models[model], self.registry, self.suites, home, options=tuple(options))

    @cached_property
    def _healthy(self) -> dict[tuple[str, str], dict[str, GateResult]]:
        return {}

    def healthy(self, model: str, area: str) -> dict[str, GateResult]:
        """The gates that the unharmed model passes where a defect of this area is judged."""
        if (model, area) not in self._healthy:
            self._healthy[model, area] = judge_healthy(self.place(model), (area,))
        return self._healthy[model, area]

    def judge(self, defect: Defect) -> Row:
        """The row of one defect: what the gates said, and whether that is what zoo.toml states."""
        kind = kind_of(defect, self.registry)
        place = self.place(defect.model, phase=defect.phase, fault=defect.fault)
        return judge_mutant(place, kind, self.healthy(defect.model, area_of(kind)))

    def twin(self, kind: Kind) -> Row:
        """The row of a healthy twin: a lossless transform of the shipped model."""
        row = judge_mutant(self.place(TWIN_OF), kind, self.healthy(TWIN_OF, ""), to_the_end=True)
        _say(f"{'accused' if accused([row]) else 'passes':<16}  {kind.name}")
        return row


def area_of(kind: Kind) -> str:
    """The area of the evidence that a kind touches, "" for the checkpoint: such defects share a healthy verdict."""
    return kind.area if kind.area in EVIDENCE else ""


def kind_of(defect: Defect, registry: Registry) -> Kind:
    """How a defect is made, with the verdict that zoo.toml states; the surgery's own word for the place must agree."""
    exact = defect.locus not in LOCI
    expected = (Expected(defect.code, "exact" if exact else defect.locus),)
    if defect.fault:
        return Kind(defect.name, "path", defect.fault, defect.failures, expected, lambda it: it.damaged(defect.locus))
    if defect.shipped:
        other = registry.models[defect.shipped]
        return Kind(defect.name, "trained", defect.shipped, defect.failures, expected,
                    lambda sibling: copy_over(sibling.model, other, defect.locus))  # fmt: skip
    if defect.kind == LEAK:
        make = partial(leaked, defect.question, defect.answer)
        return Kind(defect.name, "data", LEAK, defect.failures, expected, partial(_placed, make, defect.locus))
    found = next((kind for kind in KINDS if kind.name == defect.kind), None)
    if found is None:
        raise UsageError(f"zoo.toml: there is no kind {defect.kind!r}",
                         reason="kinds are those of modelqa mutants --list", remedy="name one of them")  # fmt: skip
    make_it = partial(_placed, found.make, defect.locus if exact else "")
    return replace(found, name=defect.name, failures=defect.failures, expects=expected, make=make_it)


def _placed(make: Any, locus: str, sibling: Sibling) -> Damage:
    """The damage, at the place that zoo.toml states."""
    damage: Damage = make(sibling)
    return replace(damage, locus=locus or damage.locus)


def accused(rows: Sequence[Row]) -> list[Row]:
    """The healthy twins that a gate says no to, cannot tell any more, or crashes on."""
    marks = ("kill", "doubt", "crash")
    return [row for row in rows if row.reason or any(cell.mark in marks for cell in row.cells.values())]


def report(
    zoo: Zoo, rows: Mapping[str, Row], chosen: Sequence[Defect], twins: Sequence[Row]
) -> tuple[list[str], bool]:
    """(lines, whether all is true): catalogue, reproduced, caught for the stated reason, owed, false alarms."""
    hit = [defect for defect in chosen if rows[defect.name].outcome is Outcome.EXPECTED]
    missed = [defect for defect in chosen if defect not in hit]
    caught = {failure for defect in hit for failure in defect.failures}
    counts = {"catalogue": len(zoo.failures), "reproduced": len(zoo.reproduced),
              "caught for the stated reason": len(caught), "still owed": len(zoo.owed),
              f"false alarms on {len(twins)} healthy twins": len(accused(twins))}  # fmt: skip
    lines = [*(f"owed    {failure}  {why}" for failure, why in sorted(zoo.owed.items())), "",
             *table([rows[defect.name] for defect in missed]), *table(accused(twins)),
             " / ".join(f"{name} {count}" for name, count in counts.items())]  # fmt: skip
    return lines, not missed and not accused(twins)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the zoo; 0 when every defect is caught for its stated reason."""
    parser = argparse.ArgumentParser(prog="python -m modelqa.mutants.zoo", description="Every gate bites.")
    parser.add_argument("defects", nargs="*", help="only defects whose name contains one of these words")
    parser.add_argument("--zoo", type=Path, default=Path("fixtures/zoo.toml"))
    parser.add_argument("--suites", type=Path, default=Path("suites"))
    parser.add_argument("--out", type=Path, default=Path(".modelqa/zoo"))
    parser.add_argument("--jobs", type=int, default=1, help="defects judged at a time")
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
    chosen = [defect for defect in zoo.defects if not words or any(word in defect.name for word in words)]
    keeper = Keeper(load_registry(parsed.zoo.with_name("models.toml")), parsed.suites, parsed.out.absolute())
    for pair in dict.fromkeys((each.model, area_of(kind_of(each, keeper.registry))) for each in chosen):
        _say(f"healthy {pair[0]} {pair[1]}: passes {len(keeper.healthy(*pair)) - 1} gates")

    def one(defect: Defect) -> Row:
        row = keeper.judge(defect)
        _say(table([row])[0])
        return row

    with ThreadPoolExecutor(max_workers=parsed.jobs) as pool:
        rows = dict(zip([defect.name for defect in chosen], pool.map(one, chosen), strict=True))
        twins = list(pool.map(keeper.twin, [] if words else TWINS))
    shutil.rmtree(keeper.home / "home" / "trials", ignore_errors=True)
    lines, true = report(zoo, rows, chosen, twins)
    _say("", *lines)
    judged = {"defects": [rows[defect.name].to_json() for defect in chosen], "twins": [row.to_json() for row in twins]}
    write_json(keeper.home / "zoo.json", {"schema": 1, "owed": dict(zoo.owed), **judged})
    return 0 if true else 1


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(escape(line, "terminal") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
