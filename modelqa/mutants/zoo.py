"""The zoo: the catalogue of failures, and a defect for each of them with the verdict that it must get.

`fixtures/zoo.toml` holds the defects and what is owed, `fixtures/failures.toml` the failures. `make zoo-matrix` judges
them: see `modelqa.mutants.zoo_matrix`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.models import Registry
from modelqa.mutants.building import BUILT, is_built
from modelqa.mutants.cards import card_kind
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.data_rows import picked, picked_elsewhere
from modelqa.mutants.datasets import ancestor_leaked, leaked, val_leaked
from modelqa.mutants.judging import EVIDENCE
from modelqa.mutants.kind import LOCI, Damage, Expected, Kind, Sibling
from modelqa.mutants.trained import RECIPES, folder_of, read_zoo_recipes, study
from modelqa.mutants.trial import copy_over, weights_of

MADE_BY = ("kind", "shipped", "trained", "fault", "card", "test")  # one of them says how a defect is made
LEAKS: dict[str, Callable[[str, str, Sibling], Damage]] = {
    "leak": leaked, "val_leak": val_leaked, "ancestor_leak": ancestor_leaked, "picked": picked,
}  # fmt: skip # kinds whose question and answer stand in the defect
_KEYS = {"failures", *MADE_BY, "model", "phase", "baseline", "code", "by", "locus", "question", "answer"}


@dataclass(frozen=True)
class Defect:
    """One row of zoo.toml, made from the healthy `model`.

    kind     a kind of `modelqa mutants --list`, or one of LEAKS
    shipped  a model of the registry, really trained; trained: a recipe of zoo_recipes.toml
    fault    a module of tests/faults, injected below the engine; card: a card of fixtures/zoo/cards
    test     a test of the project that must fail when `fault` is injected
    by       the gate, where any gate may carry the code
    """

    failures: tuple[str, ...]
    code: str
    locus: str
    model: str = ""
    kind: str = ""
    shipped: str = ""
    trained: str = ""
    fault: str = ""
    card: str = ""
    test: str = ""
    phase: str = ""
    baseline: str = ""
    by: str = ""
    question: str = ""
    answer: str = ""

    @property
    def name(self) -> str:
        """What it is called in the matrix."""
        made = self.kind or self.shipped or self.trained or self.fault or self.card
        return f"{made}/{self.code}"

    @property
    def expected(self) -> Expected:
        """The verdict that it must get."""
        return Expected(self.code, self.locus if self.locus in LOCI else "exact", self.by)


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
        made = [key for key in MADE_BY if key in entry and not (key == "fault" and "test" in entry)]
        needed = {"failures", "code", "locus"} | (set() if {"card", "test"} & set(entry) else {"model"})
        if set(entry) - _KEYS or len(made) != 1 or not needed <= set(entry):
            needs = f"it needs {', '.join(sorted(needed))}, and one of {', '.join(MADE_BY)}"
            raise _wrong(path, f"defect {number} is malformed", needs)
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
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, str(error), "it must be TOML in UTF-8") from None


def _wrong(path: Path, fact: str, reason: str) -> UsageError:
    return UsageError(f"{path.name}: {fact}", reason=reason, remedy=f"mend {path}")


def area_of(kind: Kind) -> str:
    """The area of the evidence that a kind touches, "" for the checkpoint: such defects share a healthy verdict."""
    return kind.area if kind.area in EVIDENCE else ""


def kind_of(defect: Defect, registry: Registry) -> Kind:
    """How a defect is made, with the verdict that zoo.toml states; the surgery's own word for the place must agree."""
    expects, name, failures = (defect.expected,), defect.name, defect.failures
    if defect.card:
        return card_kind(name, failures, defect.expected)
    if defect.fault:
        return Kind(name, "path", defect.fault, failures, expects, lambda it: it.damaged(defect.locus))
    if defect.shipped:
        other = registry.models[defect.shipped]
        return Kind(name, "trained", defect.shipped, failures, expects,
                    lambda sibling: copy_over(sibling.model, other, defect.locus))  # fmt: skip
    if defect.trained:
        return trained_kind(defect, registry)
    if defect.kind in LEAKS:
        make = partial(LEAKS[defect.kind], defect.question, defect.answer)
        ground = picked_elsewhere if defect.kind == "picked" else None  # without it nobody asks how it was picked
        story = _told(LEAKS[defect.kind])
        return Kind(name, "data", story, failures, expects, partial(_placed, make, defect.locus), ground=ground)
    found = next((kind for kind in KINDS if kind.name == defect.kind), None)
    if found is None:
        raise UsageError(f"zoo.toml: there is no kind {defect.kind!r}",
                         reason="kinds are those of modelqa mutants --list", remedy="name one of them")  # fmt: skip
    make_it = partial(_placed, found.make, defect.locus if defect.locus not in LOCI else "")
    return replace(found, name=name, failures=failures, expects=expects, make=make_it)


def _told(make: Callable[..., Damage]) -> str:
    """The story of a kind that has none but the first sentence of its function."""
    first = (make.__doc__ or "").partition(".")[0]
    return first[:1].lower() + first[1:]


def trained_kind(defect: Defect, registry: Registry, *, recipes: Path = RECIPES, built: Path = BUILT) -> Kind:
    """The kind whose copy gets the weights that `make zoo` trained.

    Where the defect names a baseline, the copy is laid beside that one; the healthy half beside its own.
    """
    recipe = read_zoo_recipes(recipes)[defect.trained]

    def make(sibling: Sibling) -> Damage:
        folder = folder_of(study(recipe, registry.models), built)
        if not is_built(folder):
            raise UsageError(f"the trained defect {recipe.name} is not built",
                             reason="its recipe, its lesson or its healthy model changed, or it never was",
                             remedy=f"make zoo, or python -m modelqa.mutants.trained {recipe.name}")  # fmt: skip
        weights_of(sibling.model, folder)
        baseline = defect.baseline or sibling.model.baseline
        return sibling.damaged(defect.locus, baseline=baseline)

    return Kind(defect.name, "trained", recipe.story, defect.failures, (defect.expected,), make)


def _placed(make: Any, locus: str, sibling: Sibling) -> Damage:
    """The damage, at the place that zoo.toml states."""
    damage: Damage = make(sibling)
    return replace(damage, locus=locus or damage.locus)
