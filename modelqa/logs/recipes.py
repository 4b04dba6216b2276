"""Two recipes side by side: what differs, and what of it was meant to.

A recipe is any JSON or TOML file that says how a model was trained. What follows from a run (hashes, names, step
counts) is left out by the declared factors like everything else that was meant to change.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from modelqa.errors import DataError, UsageError
from modelqa.files import canonical_json, read_json
from modelqa.record import Problem

MAX_BYTES = 4 * 1024 * 1024  # of a recipe; it is written by a person or holds a trainer's arguments
_SHOWN = 80  # characters of a value


def read_recipe(path: Path) -> Mapping[str, Any]:
    """The object in a .json or .toml file; `DataError` when it is none."""
    if path.suffix == ".toml":
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"larger than {MAX_BYTES} bytes")
            value: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise _refusal(path, str(error)) from None
    else:
        value = read_json(path, limit=MAX_BYTES)
    if not isinstance(value, dict):
        raise _refusal(path, f"a {type(value).__name__}, not an object")
    return value


def _refusal(path: Path, fact: str) -> DataError:
    return DataError(f"{path} cannot be read as a recipe: {fact}", reason="a recipe is one JSON or TOML object",
                     remedy="name the file that holds the training arguments")  # fmt: skip


def recipe_problems(
    own: Mapping[str, Any], other: Mapping[str, Any], *, name: str, factors: Iterable[str],
    code: str = "training.recipe",
) -> list[Problem]:
    """Each setting that differs from that of `name` and is no declared factor, as a problem of this code.

    A factor is a dotted key ("recipe.stage.schedule.learning_rate") and covers everything below it; "*" stands for any
    part of a key ("*sha256"). `UsageError` for a factor that covers every key.
    """
    factors = list(factors)
    for factor in factors:
        _check_factor(factor)
    meant = [pattern for factor in factors for pattern in (factor, f"{factor}.*")]
    mine, theirs = dict(_flat(own)), dict(_flat(other))
    found = []
    for key in sorted(mine.keys() | theirs.keys()):
        if mine.get(key) == theirs.get(key) or any(fnmatchcase(key, pattern) for pattern in meant):
            continue
        text = f"{_shown(mine.get(key))} here, {_shown(theirs.get(key))} in {name}, and it is no declared factor"
        found.append(Problem(code, key, text))
    return found


def _check_factor(factor: str) -> None:
    if not re.sub(r"\[[^]]*\]|[*?.\s]", "", factor):
        raise UsageError(
            f"factors names {factor!r}",
            reason="a pattern without a letter of its own excuses every difference of a recipe",
            remedy="name each setting that was meant to change, as recipe.stage.schedule.learning_rate or *sha256",
        )


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(dotted key, canonical JSON of the value) of every leaf; lists are leaves."""
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from _flat(entry, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, _text(value)


def _text(value: Any) -> str:
    try:
        return canonical_json(value)
    except (TypeError, ValueError):  # a date of TOML, a NaN of JSON
        return str(value)


def _shown(text: str | None) -> str:
    return "absent" if text is None else text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
