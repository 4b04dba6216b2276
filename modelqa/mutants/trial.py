"""A trial: a private copy of a model under a hashed name, judged by the suites in processes of their own.

Nothing in the copy says what was done to it: its name is a hash, and only files that decide what a model does, or that
models.toml declares, are in it. Files are hard links until surgery replaces them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from modelqa.checkpoint import open_checkpoint
from modelqa.checkpoint.folder import WEIGHTS
from modelqa.errors import OutputError, UsageError
from modelqa.files import canonical_json, sha256_text, write_text
from modelqa.gates import LADDER
from modelqa.models import Model, Registry
from modelqa.mutants.kind import Damage
from modelqa.mutants.sessions import Nursery
from modelqa.record import Run
from modelqa.records import read_stored

ORIGIN = "origin"  # in a trial's folder: a link to the folder of the real models.toml


@dataclass(frozen=True)
class Session:
    """One pytest session on a trial: record (None: it ended without one), exit status, output, processor seconds."""

    record: Run | None
    status: int
    output: str
    seconds: float

    @property
    def refused(self) -> bool:
        """Whether it ended with one clear error of ours instead of a record, or of a traceback."""
        said = all(word in self.output for word in ("reason:", "remedy:"))
        return self.record is None and said and "Traceback" not in self.output


@dataclass(frozen=True)
class Trial:
    """A staged copy: its folder, the model with its paths in it, and what `--model` names it by."""

    folder: Path
    model: Model
    argument: str


def hashed_name(*parts: object) -> str:
    """The name of a trial: 16 hexadecimal digits of a hash that say nothing."""
    return f"m{sha256_text(canonical_json([str(part) for part in parts]))[:16]}"


def stage(home: Path, name: str, model: Model) -> Model:
    """Copy a model's checkpoint and its own declared files into `home`/`name`; the same model with the new paths."""
    root = (home / name).resolve()
    if root.exists():
        shutil.rmtree(root)
    checkpoint = open_checkpoint(model.location)
    for file in checkpoint.files:
        _link(checkpoint.path / file, root / name / file)
    placed: dict[str, Any] = {"path": root / name, "hub": "", "name": name, "root": root}
    for field in fields(Model):
        value = getattr(model, field.name)
        if field.name in placed:
            continue
        if isinstance(value, Path) and value.is_dir():
            placed[field.name] = _link_folder(value, root / "declared" / value.name)
        elif isinstance(value, Path):
            placed[field.name] = _link(value, root / "declared" / value.name)
        elif isinstance(value, tuple) and value and isinstance(value[0], Path):
            folder = root / "declared" / field.name
            placed[field.name] = tuple(_link(path, folder / path.name) for path in value)
    return replace(model, **placed)


def copy_over(staged: Model, other: Model, locus: str) -> Damage:
    """Replace a staged copy by another model's checkpoint and evidence, under the staged name and declarations."""
    assert staged.path is not None
    placed = stage(staged.path.parent.parent, staged.name, other)
    kept = {name: getattr(staged, name) for name in ("stage", "phase", "reference", "system", "declared")}
    return Damage(locus, replace(placed, **kept))


def weights_of(staged: Model, folder: Path) -> None:
    """Replace weights and log of a staged copy, and nothing else, by those in `folder`; the weights are one file."""
    assert staged.path is not None
    replaced = {staged.path / WEIGHTS: folder / WEIGHTS}
    if staged.trainer_log is not None:
        replaced[staged.trainer_log] = folder / "trainer_state.json"
    for target, source in replaced.items():
        target.unlink()
        _link(source, target)


def _link(source: Path, target: Path) -> Path:
    """A hard link to the file, or a copy where the disk has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise OutputError(f"{target} cannot be written", reason=error.strerror or str(error),
                              remedy="free some space, or choose another folder with --out") from error  # fmt: skip
    return target


def _link_folder(source: Path, target: Path) -> Path:
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _link(path, target / path.relative_to(source))
    return target


def declare(home: Path, model: Model, registry: Registry, others: Sequence[Model] = ()) -> Trial:
    """Write the models.toml of a staged model: the real one, and the copy under its hashed name.

    A bare folder declares nothing, and its copy neither. `others` stand in the place of the real ones, or beside them.
    """
    folder = home / model.name
    tables = []
    if model.declared:
        model = replace(model, reference=model.reference or registry.controls.get("reference", ""))
        _origin(folder / ORIGIN, registry)
        beside = {**registry.models, **{each.name: each for each in others}}
        tables = [_table(folder, each, registry) for each in (model, *beside.values())]
    write_text(folder / "models.toml", "\n".join(tables))
    return Trial(folder, model, model.name if model.declared else str(model.path))


def _origin(link: Path, registry: Registry) -> None:
    assert registry.path is not None  # a declared model has a registry
    try:
        link.symlink_to(registry.path.parent.resolve(), target_is_directory=True)
    except OSError as error:
        raise OutputError(f"{link} cannot be made", reason=error.strerror or str(error),
                          remedy="allow links to be made (on Windows: developer mode)") from error  # fmt: skip


def _table(folder: Path, model: Model, registry: Registry) -> str:
    """[models.NAME] of one model, its paths relative to the trial's folder."""
    lines = [f"[models.{_text(model.name)}]"]
    tables = []
    for field in fields(Model):
        value = getattr(model, field.name)
        if field.name in ("name", "root", "declared") or value is None or value in ("", ()) or value == {}:
            continue
        if isinstance(value, Mapping):
            tables += [f"[models.{_text(model.name)}.{field.name}]",
                       *(f"{_text(key)} = {_text(entry)}" for key, entry in value.items())]  # fmt: skip
        elif isinstance(value, tuple):
            lines.append(f"{field.name} = [{', '.join(_text(_inside(folder, entry, registry)) for entry in value)}]")
        else:
            lines.append(f"{field.name} = {_text(_inside(folder, value, registry))}")
    return "\n".join([*lines, *tables, ""])


def _inside(folder: Path, value: Any, registry: Registry) -> Any:
    if not isinstance(value, Path):
        return value
    if value.is_relative_to(folder.resolve()):
        return value.relative_to(folder.resolve()).as_posix()
    assert registry.path is not None  # only a registry names files of other models
    return f"{ORIGIN}/{value.relative_to(registry.path.parent.resolve()).as_posix()}"


def _text(value: Any) -> str:
    """A string, number or truth value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def run(
    trial: Trial, rungs: Sequence[str], *, suites: Path, home: Path, nursery: Nursery, options: Sequence[str] = ()
) -> Session:
    """Judge a trial by the named rungs of the suites, in a process of its own; `home` keeps replies and records."""
    records = home / "runs" / trial.model.name
    shutil.rmtree(records, ignore_errors=True)
    arguments = [
        *selected(suites, rungs), "--model", trial.argument, "--modelqa-models", str(trial.folder / "models.toml"),
        "--modelqa-dir", str(home), "-q", "-p", "no:cacheprovider", *options,
    ]  # fmt: skip
    ended = nursery.judge(arguments, log=home / "logs" / f"{trial.model.name}.txt")
    record = next(records.glob("*/run.json"), None)
    run_record = read_stored(record).run if record else None
    return Session(run_record, ended.status, ended.output, ended.seconds)


def selected(suites: Path, rungs: Sequence[str]) -> list[str]:
    """The paths that pytest is given for some rungs; suites outside the rungs' folders count as behaviour."""
    there = [rung for rung in LADDER if (suites / rung).is_dir()]
    if unknown := [rung for rung in rungs if rung not in LADDER]:
        raise UsageError(f"there is no rung {unknown[0]!r}", reason=f"the rungs are {', '.join(LADDER)}",
                         remedy="name some of them")  # fmt: skip
    if "behaviour" in rungs:
        return [str(suites), *(f"--ignore={suites / rung}" for rung in there if rung not in rungs)]
    return [str(suites / rung) for rung in there if rung in rungs]
