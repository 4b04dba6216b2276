"""What the two halves of a minimal pair differ in: files, keys, tensors and rows; for people to read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from modelqa.checkpoint import TensorInfo
from modelqa.checkpoint.header import read_header
from modelqa.data.rows import read_rows
from modelqa.errors import ModelqaError
from modelqa.files import read_json
from modelqa.models import Model

BEFORE = "before"  # beside the copy: the healthy half, in hard links
MANY = 3  # names that are told; more are counted


def keep_before(root: Path) -> Path:
    """The healthy half of a pair as it is now, in hard links: surgery replaces files and never writes into them."""
    target = root.with_name(f"{root.name}-{BEFORE}")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target, copy_function=os.link, symlinks=True)
    return target


def difference(before: Path, after: Path, healthy: Model, mutant: Model) -> tuple[str, ...]:
    """One sentence a file that differs, and one for each declaration of models.toml that does."""
    old, new = _files(before), _files(after)
    said = []
    for name in sorted(old.keys() | new.keys()):
        shown = Path(name).name
        if name not in new:
            said.append(f"{shown} is gone")
        elif name not in old:
            said.append(f"{shown} is new")
        elif not old[name].samefile(new[name]) and old[name].read_bytes() != new[name].read_bytes():
            said.append(f"{shown}: {_changed(old[name], new[name])}")
    return (*said, *_declared(healthy, mutant))


def _files(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and path.name != "models.toml"}  # fmt: skip


def _declared(healthy: Model, mutant: Model) -> Iterator[str]:
    for field in fields(Model):
        one, two = getattr(healthy, field.name), getattr(mutant, field.name)
        if field.name not in ("path", "name", "root") and one != two and not isinstance(two, Path):
            yield f"models.toml: {field.name}"


def _changed(old: Path, new: Path) -> str:
    """What differs inside; "other bytes" where the file can no longer be read."""
    try:
        if new.suffix == ".json":
            keys = _keys(read_json(old), read_json(new))
            return _listed(keys)
        if new.suffix == ".safetensors":
            return _listed(_tensors(old, new))
        if ".jsonl" in new.name:
            return _rows(old, new)
    except (ModelqaError, OSError, ValueError):
        pass
    return "other bytes"


def _keys(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Dotted keys of parsed JSON whose values differ; two lists differ as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        inside = f"{prefix}." if prefix else ""
        return [key for name in names for key in _keys(old.get(name), new.get(name), f"{inside}{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        changed = sum(one != two for one, two in zip(old, new, strict=True))
        return [f"{changed} of {len(new)} entries of {prefix or 'the list'}"]
    return [prefix or "all of it"]


def _tensors(old: Path, new: Path) -> list[str]:
    one, two = read_header(old, old.name), read_header(new, new.name)
    names = sorted(one.keys() | two.keys())
    changed = [name for name in names if _raw(old, one.get(name)) != _raw(new, two.get(name))]
    if not changed:
        return ["its header"]
    return changed if len(changed) <= MANY else [f"{len(changed)} of {len(names)} tensors"]


def _raw(path: Path, tensor: TensorInfo | None) -> tuple[str, tuple[int, ...], bytes] | None:
    if tensor is None:
        return None
    with path.open("rb") as stream:
        stream.seek(tensor.start)
        return tensor.dtype, tensor.shape, stream.read(tensor.stop - tensor.start)


def _rows(old: Path, new: Path) -> str:
    one, two = ([row for _, row in read_rows(path)] for path in (old, new))
    changed = sum(a != b for a, b in zip(one, two, strict=False)) + abs(len(one) - len(two))
    return f"{changed} of {len(one)} rows"


def _listed(names: list[str]) -> str:
    more = len(names) - MANY
    return ", ".join(names[:MANY]) + (f" and {more} more" if more > 0 else "")
