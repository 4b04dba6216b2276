"""Recipes: which stages there are, what each is trained on and how. Read from one TOML file; plain values.

    [stages.phase3a2]
    kind = "chat"; parent = "phase3a1_gamma"; data = "phase3a2"; passes = 2.5; ...
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from modelqa.errors import UsageError
from modelqa.files import canonical_json, sha256_text
from modelqa.training.stage import Schedule, Shape

Kind = Literal["document", "chat", "plain"]


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer: template family, size, and how many base documents and instruction rows it is learnt from."""

    template: str
    size: int
    documents: int
    seed: int


@dataclass(frozen=True)
class Source:
    """A generated set of chat rows: the generator's name and its options, seeds among them."""

    generator: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mix:
    """What a stage is trained on: shares of the rows by source.

    guide   source -> weight, as the Phase 3a guide gives them; they sum to 1 among themselves
    replay  source -> {share, reason}: shares of the whole that the guide does not have
    rows    training rows in all; validation rows are drawn in the same shares
    """

    guide: Mapping[str, float]
    rows: int
    val_rows: int
    seed: int
    replay: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Source -> share of the whole; the guide's weights divide what the replay leaves."""
        left = 1 - sum(float(item["share"]) for item in self.replay.values())
        total: dict[str, float] = {name: float(item["share"]) for name, item in self.replay.items()}
        for name, weight in self.guide.items():
            total[name] = total.get(name, 0.0) + weight * left
        return total


@dataclass(frozen=True)
class Stage:
    """One training run. `data` names a mix, or for a base the number of documents; no parent: random weights."""

    name: str
    kind: Kind
    vocabulary: str
    data: str
    schedule: Schedule
    parent: str | None = None
    init_seed: int = 0

    @property
    def folder(self) -> str:
        """The name of its data folder: that of its mix, or for a base its own."""
        return self.name if self.kind == "document" else self.data


@dataclass(frozen=True)
class Recipes:
    """Everything that `fixtures/recipes.toml` says; stages `apart` are built when they are named, not with the rest."""

    shape: Shape
    vocabularies: Mapping[str, Vocabulary]
    documents: Mapping[str, Mapping[str, int]]
    sources: Mapping[str, Source]
    mixes: Mapping[str, Mix]
    stages: Mapping[str, Stage]
    apart: tuple[str, ...] = ()

    def recipe_of(self, name: str) -> dict[str, Any]:
        """The whole recipe of one stage as JSON: itself, its data and tokenizer, and the recipe hash of its parent."""
        stage = self.stages[name]
        made: dict[str, Any] = {
            "stage": _stated(stage),
            "shape": asdict(self.shape),
            "vocabulary": asdict(self.vocabularies[stage.vocabulary]),
        }
        if stage.kind == "document":
            made["documents"] = dict(self.documents[stage.data])
        else:
            mix = self.mixes[stage.data]
            made["mix"] = asdict(mix)
            made["sources"] = {source: asdict(self.sources[source]) for source in mix.shares}
        if stage.parent:
            made["parent_recipe_sha256"] = self.sha256_of(stage.parent)
        return made

    def sha256_of(self, name: str) -> str:
        """Hex sha256 of a stage's recipe."""
        return sha256_text(canonical_json(self.recipe_of(name)))

    def lineage(self, name: str) -> list[str]:
        """The stage and its ancestors, the oldest first."""
        stage = self.stages[name]
        return [*(self.lineage(stage.parent) if stage.parent else []), name]


def _stated(stage: Stage) -> dict[str, Any]:
    """A stage as JSON, without circles where it has none: recipes from before there were any keep their hash."""
    made = asdict(stage)
    if not stage.schedule.circles:
        del made["schedule"]["circles"]
    return made


def read_recipes(path: Path) -> Recipes:
    """The recipes of a TOML file; `UsageError` names the table with a missing, unknown or dangling entry."""
    with path.open("rb") as stream:
        table = tomllib.load(stream)
    recipes = Recipes(
        shape=_make(Shape, table.get("shape", {}), "shape"),
        vocabularies={name: _make(Vocabulary, item, name) for name, item in table["vocabularies"].items()},
        documents=table["documents"],
        sources={name: _make(Source, item, name) for name, item in table["sources"].items()},
        mixes={name: _make(Mix, item, name) for name, item in table["mixes"].items()},
        stages={name: _stage(name, item) for name, item in table["stages"].items()},
        apart=tuple(table.get("apart", ())),
    )
    _check(recipes)
    return recipes


def _stage(name: str, table: Mapping[str, Any]) -> Stage:
    known = {item.name for item in fields(Schedule)}
    schedule = _make(Schedule, {key: value for key, value in table.items() if key in known}, name)
    own = {key: value for key, value in table.items() if key not in known}
    stage: Stage = _make(Stage, {"name": name, "schedule": schedule, **own}, name)
    return stage


def _make(kind: Any, table: Mapping[str, Any], name: str) -> Any:
    try:
        return kind(**table)
    except TypeError as error:
        raise UsageError(
            f"recipe {name!r}: {error}", reason=f"it describes a {kind.__name__}", remedy="correct the recipe file"
        ) from None


def _check(recipes: Recipes) -> None:
    """Every name that a recipe mentions exists."""
    _exist("apart", recipes.apart, recipes.stages)
    for name, mix in recipes.mixes.items():
        _exist(f"mix {name!r}", mix.shares, recipes.sources)
    for name, stage in recipes.stages.items():
        where = f"stage {name!r}"
        _exist(where, [stage.vocabulary], recipes.vocabularies)
        _exist(where, [stage.data], recipes.documents if stage.kind == "document" else recipes.mixes)
        _exist(where, [stage.parent] if stage.parent else [], recipes.stages)


def _exist(where: str, wanted: Any, known: Mapping[str, Any]) -> None:
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"{where} names {name!r}, which the recipe file does not have",
                reason="known are " + ", ".join(known), remedy="correct the name or add the table",
            )
