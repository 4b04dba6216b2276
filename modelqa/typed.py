"""Values of a user's TOML file or command line, typed: each error names the key. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from modelqa.errors import UsageError


def refuse(path: Path, fact: str, reason: str, remedy: str) -> NoReturn:
    """Raise `UsageError` about the file at `path`."""
    raise UsageError(f"{path}: {fact}", reason=reason, remedy=remedy)


def typed(path: Path, key: str, value: Any, kind: type | tuple[type, ...]) -> Any:
    """The value, which is of that type; true and false are no numbers. `UsageError` names the key."""
    if not isinstance(value, kind) or isinstance(value, bool):
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        refuse(path, f"{key} is a {type(value).__name__}", f"a {names} is needed", "correct the value")
    return value


def count(path: Path, key: str, value: Any, remedy: str) -> int | None:
    """A whole number from 1, or None where the file says nothing."""
    if value is not None and typed(path, key, value, int) < 1:
        refuse(path, f"{key} is {value}", "it counts from one", remedy)
    return value if value is None else int(value)


def passes(path: Path, key: str, value: Any) -> float | None:
    """A positive number of passes over data, or None where the file says nothing."""
    if value is not None and not 0 < typed(path, key, value, (int, float)) < 1e6:
        refuse(path, f"{key} is {value}", "it counts passes over the data", "write how often each row was to be seen")
    return value if value is None else float(value)


def whole(name: str, *, least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """What argparse calls for the text of an option: its whole number. `UsageError` for one outside the bounds."""

    def number(text: str) -> int:
        value = int(text)  # argparse tells of a text that is none
        if value < least or (most is not None and value > most):
            bounds = f"from {least}" if most is None else f"from {least} to {most}"
            raise UsageError(f"{name} is {value}", reason=f"it is a whole number {bounds}", remedy="correct the value")
        return value

    return number


def mapping(path: Path, key: str, value: Any, kind: type | tuple[type, ...]) -> dict[str, Any]:
    """A table whose values are all of that type."""
    return {name: typed(path, f"{key}.{name}", entry, kind) for name, entry in typed(path, key, value, dict).items()}


def inside(path: Path, key: str, value: Any) -> Path:
    """The absolute path of a relative one that stays, as written, in the folder of models.toml."""
    text = typed(path, key, value, str)
    root = path.parent.resolve()
    joined = Path(os.path.normpath(root / text))
    if not text or PurePosixPath(text).is_absolute() or Path(text).is_absolute() or not joined.is_relative_to(root):
        refuse(
            path,
            f"{key} = {text!r} leads out of the folder of models.toml",
            "the registry names only what travels with it",
            "move it there, put a link there, or give the checkpoint as a path on the command line",
        )
    return joined
