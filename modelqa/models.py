"""What is known about a model: models.toml, and the names that a command line may give. Standard library only.

    [models.my-sft]
    path = "checkpoints/my-sft"     # relative to models.toml, inside its folder; or hub = "org/name"
    stage = "sft"                   # base, sft or preference: decides which gates apply
    parent = "my-base"

A folder or Hub id that models.toml does not name is a model too: it declares nothing.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from modelqa.errors import UsageError
from modelqa.typed import count, inside, mapping, passes, refuse, typed

Stage = Literal["base", "sft", "preference"]
STAGES = ("base", "sft", "preference")

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?:@[\w./-]+)?", re.ASCII)  # behind @: a revision
_STRINGS = ("hub", "phase", "parent", "sibling", "reference", "baseline", "system", "repo", "experimental_repo")
_PATHS = ("path", "manifest", "trainer_log", "capture", "recipe", "adapter", "trend", "ablation")
_PATH_LISTS = ("train", "val", "selected_on", "benchmarks")
_STRING_LISTS = ("categories", "languages", "factors", "cheaper", "skills")
_COUNTS = {
    "intended_rows": "write how many rows training was meant to use",
    "step": "write the training step whose weights these are",
    "training_tokens": "write how many tokens training used",
}
_KNOWN = (*_STRINGS, *_PATHS, *_PATH_LISTS, "stage", *_STRING_LISTS, *_COUNTS, "passes", "mix", "quotas", "waivers")
_MODEL_NAMES = ("parent", "sibling", "reference", "baseline")


@dataclass(frozen=True)
class Model:
    """What is known about one model. Everything but `name` and one of `path` and `hub` may be unknown (None or empty).

    root           folder of models.toml; paths are absolute, already joined to it
    declared       whether models.toml names it; a bare folder or Hub id declares nothing and cannot be released
    parent         the model it was trained from; reference: its known-good control; baseline: what it is compared with
    system         the system message that evaluation sends, as training rendered it
    intended_rows  how many training rows were meant to be used; selected_on: questions by which it was picked
    trainer_log    trainer_state.json, .jsonl or .csv; capture: ids that the trainer really fed
    step           the training step whose weights these are; None: the last one of the log
    passes         how often the data was meant to be seen; None: 2 to 5 times
    recipe         JSON or TOML that says how it was trained; compared with that of `sibling`, else of the parent
    adapter        folder of the LoRA adapter that was merged into the parent; sibling: a model trained almost alike
    categories     the values that meta.category may have in the training rows; languages: those of meta.language
    mix            {meta.source: declared share of the training rows}
    quotas         {meta.category: least share of the training rows}: what a phase must not go without
    waivers        {gate: reason}, printed on the card; factors: what was meant to differ, as dotted keys of the recipe,
                   or "config." and a key of config.json
    benchmarks     records of `modelqa import`; cheaper: shipped models that cost less and must not be better
    trend          the family's line on a benchmark; ablation: the evidence for a point off it
    training_tokens how many tokens the weights saw, all stages together; skills: what is asked beyond its phase
    """

    name: str
    path: Path | None = None
    hub: str = ""
    root: Path = field(default_factory=Path)
    declared: bool = False
    stage: Stage | None = None
    phase: str = ""
    parent: str = ""
    reference: str = ""
    baseline: str = ""
    system: str | None = None
    train: tuple[Path, ...] = ()
    val: tuple[Path, ...] = ()
    selected_on: tuple[Path, ...] = ()
    manifest: Path | None = None
    intended_rows: int | None = None
    trainer_log: Path | None = None
    step: int | None = None
    passes: float | None = None
    capture: Path | None = None
    recipe: Path | None = None
    sibling: str = ""
    factors: tuple[str, ...] = ()
    repo: str = ""
    experimental_repo: str = ""
    adapter: Path | None = None
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    quotas: Mapping[str, float] = field(default_factory=dict)
    waivers: Mapping[str, str] = field(default_factory=dict)
    benchmarks: tuple[Path, ...] = ()
    cheaper: tuple[str, ...] = ()
    trend: Path | None = None
    ablation: Path | None = None
    training_tokens: int | None = None
    skills: tuple[str, ...] = ()

    @property
    def location(self) -> Path | str:
        """What `open_checkpoint` takes: the folder, or the Hub id."""
        return self.path if self.path is not None else self.hub


@dataclass(frozen=True)
class Registry:
    """The models of one models.toml, by name, and its [controls] ({"reference": name}); empty when there is no file."""

    models: Mapping[str, Model] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None


def find_registry(root: Path, explicit: Path | None = None) -> Path | None:
    """The models.toml to read: `explicit`, else of `root`, else of `root`/fixtures; None when there is none.

    `UsageError` when the explicit one does not exist.
    """
    if explicit is not None:
        if not explicit.is_file():
            raise UsageError(f"there is no file {explicit}", reason="it was named as the model registry",
                             remedy="check the path, or leave the option out")  # fmt: skip
        return explicit
    return next((path for path in (root / "models.toml", root / "fixtures" / "models.toml") if path.is_file()), None)


def load_registry(path: Path | None) -> Registry:
    """The registry in a models.toml, an empty one for None; `UsageError` names the key that cannot be used."""
    if path is None:
        return Registry()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        refuse(path, f"cannot be read: {error}", "it must be TOML in UTF-8", "mend the line that is named")
    for key in content:
        _known(path, key, ("models", "controls"), "")
    tables, controls = content.get("models", {}), content.get("controls", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        refuse(
            path,
            "models is no table of tables",
            "each model is a table [models.NAME]",
            "write [models.NAME] above its keys",
        )
    models = {name: _model(path, name, table) for name, table in tables.items()}
    for key, value in mapping(path, "controls", controls, str).items():
        _known(path, key, ("reference",), "controls.")
        _named(path, f"controls.{key}", value, models)
    for model in models.values():
        for key in _MODEL_NAMES:
            if getattr(model, key):
                _named(path, f"models.{model.name}.{key}", getattr(model, key), models)
        for name in model.cheaper:
            _named(path, f"models.{model.name}.cheaper", name, models)
    registry = Registry(models, controls, path)
    for model in models.values():
        ancestors(registry, model)
    return registry


def resolve(registry: Registry, name: str) -> Model:
    """The model that `name` means: a name of the registry, else an existing folder, else a Hub id.

    A Hub id is "org/name" or, with a branch, tag or commit, "org/name@revision".
    A folder that the registry lists is the registered model; any other is bare. `UsageError` gives the nearest names.
    """
    if name in registry.models:
        return registry.models[name]
    folder = Path(name)
    if folder.is_dir():
        return _bare_folder(registry, folder)
    if _HUB_ID.fullmatch(name) and ".." not in name and not Path(name.split("/")[0]).is_dir():
        return Model(name=name, hub=name)
    siblings = (
        [f"{folder.parent}/{path.name}" for path in folder.parent.iterdir()]
        if folder.parent.is_dir() and "/" in name
        else []
    )
    near = nearest(name, [*registry.models, *siblings])
    where = (
        f"{registry.path} names {', '.join(registry.models) or 'no model'}"
        if registry.path
        else "there is no models.toml"
    )
    raise UsageError(
        f"there is no model named {name!r}",
        reason=f"{where}; and no folder of that name exists",
        remedy=near or "give a name of models.toml, the folder of a checkpoint, or a Hub id like org/name",
    )


def _bare_folder(registry: Registry, folder: Path) -> Model:
    path = folder.resolve()
    for model in registry.models.values():
        if model.path is not None and model.path.resolve() == path:
            return model
    if not (path / "config.json").is_file():
        raise UsageError(f"{folder} is no checkpoint", reason="there is no config.json in it",
                         remedy="name the folder that holds config.json and model.safetensors")  # fmt: skip
    return Model(name=path.name, path=path, root=path.parent)


def ancestors(registry: Registry, model: Model) -> list[Model]:
    """The model's parent, its parent's parent, ... ; `UsageError` when the chain runs in a circle."""
    chain: list[Model] = []
    names = [model.name]
    while model.parent:
        if model.parent in names:
            refuse(
                registry.path or Path("models.toml"),
                f"models.{names[0]}.parent runs in a circle: {' -> '.join([*names, model.parent])}",
                "a model cannot be trained from itself",
                "correct one parent of the circle",
            )
        model = registry.models[model.parent]
        chain.append(model)
        names.append(model.name)
    return chain


def relatives(registry: Registry, one: Model, two: Model) -> bool:
    """Whether two models share an ancestor, or are one line, or one model: then neither is an independent control."""
    families = [{member.location for member in (model, *ancestors(registry, model))} for model in (one, two)]
    return bool(families[0] & families[1])


def nearest(name: str, candidates: Iterable[str]) -> str:
    """ "nearest: a, b" of the candidates most like `name`, at most three; empty when none is alike."""
    close = difflib.get_close_matches(name, list(candidates), n=3, cutoff=0.5)
    return f"nearest: {', '.join(close)}" if close else ""


def _model(path: Path, name: str, table: Mapping[str, Any]) -> Model:
    where = f"models.{name}."
    for key in table:
        _known(path, key, _KNOWN, where)
    if ("path" in table) == ("hub" in table):
        refuse(
            path,
            f"models.{name} needs one of path and hub",
            "one of them says where the checkpoint is",
            "write one of the two",
        )
    stage = table.get("stage")
    if stage is not None and stage not in STAGES:
        refuse(
            path,
            f"{where}stage is {stage!r}",
            f"a stage is one of {', '.join(STAGES)}",
            nearest(str(stage), STAGES) or "name one of them",
        )
    values: dict[str, Any] = {
        "stage": stage,
        "passes": passes(path, f"{where}passes", table.get("passes")),
    }
    values |= {key: count(path, where + key, table.get(key), remedy) for key, remedy in _COUNTS.items()}
    values |= {key: typed(path, where + key, table[key], str) for key in _STRINGS if key in table}
    values |= {key: inside(path, where + key, table[key]) for key in _PATHS if key in table}
    for key in _PATH_LISTS:
        entries = typed(path, where + key, table.get(key, []), list)
        values[key] = tuple(inside(path, where + key, entry) for entry in entries)
    for key in _STRING_LISTS:
        entries = typed(path, where + key, table.get(key, []), list)
        values[key] = tuple(typed(path, where + key, entry, str) for entry in entries)
    for name_of in ("mix", "quotas"):
        shares = mapping(path, f"{where}{name_of}", table.get(name_of, {}), (int, float))
        values[name_of] = {key: float(share) for key, share in shares.items()}
    waivers = mapping(path, f"{where}waivers", table.get("waivers", {}), str)
    return Model(name=name, root=path.parent.resolve(), declared=True, waivers=waivers, **values)


def _known(path: Path, key: str, known: Iterable[str], where: str) -> None:
    names = list(known)
    if key not in names:
        refuse(path, f"unknown key {where}{key}", f"known are {', '.join(names)}", nearest(key, names) or "remove it")


def _named(path: Path, key: str, value: str, models: Mapping[str, Model]) -> None:
    if value not in models:
        refuse(
            path,
            f"{key} names {value!r}, which is no model of this file",
            "it must be the name of a [models.NAME] table",
            nearest(value, models) or f"add [models.{value}], or correct the name",
        )
