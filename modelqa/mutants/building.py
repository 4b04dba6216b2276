"""What the zoo trains, its defects and its healthy twins: built once, side by side, outside version control."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from modelqa.errors import ModelqaError, UsageError
from modelqa.models import Model, nearest

BUILT = Path("fixtures/build/zoo")
KEY = 12  # hexadecimal digits of a key in a folder's name
FINISHED = "lesson.json"  # written last
Built = tuple[Path, float]
"""(the folder, seconds that its building took; 0 where it was built before)."""


def is_built(folder: Path) -> bool:
    """Whether a build there was finished: its last file is there."""
    return (folder / FINISHED).is_file()


def model_of(recipe: str, name: str, models: Mapping[str, Model]) -> Model:
    """The model that a recipe names; `UsageError` when the registry does not have it."""
    if name not in models:
        raise UsageError(f"recipe {recipe!r} names {name!r}, which is no model of the registry",
                         reason="what the zoo trains begins as a healthy model",
                         remedy=nearest(name, models) or "mend the recipe")  # fmt: skip
    return models[name]


def options(module: str, *, does: str, things: str, recipes: Path) -> argparse.ArgumentParser:
    """The options of a command that trains `things` from `recipes`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=does)
    parser.add_argument("names", nargs="*", help=f"only these {things} (default: all)")
    parser.add_argument("--recipes", type=Path, default=recipes)
    parser.add_argument("--models", type=Path, default=Path("fixtures/models.toml"))
    parser.add_argument("--out", type=Path, default=BUILT)
    parser.add_argument("--jobs", type=int, default=1, help=f"{things} trained at a time")
    return parser


def named(names: Sequence[str], known: Collection[str], thing: str) -> list[str]:
    """The names of the command line, all that are known when it has none; `UsageError` for another."""
    for name in names:
        if name not in known:
            raise UsageError(f"there is no {thing} {name!r}", reason=f"{thing}s are {', '.join(known)}",
                             remedy=nearest(name, known) or "name one of them")  # fmt: skip
    return [*(names or known)]


def build_all(
    parsed: argparse.Namespace, works: Callable[[argparse.Namespace], Mapping[str, Callable[[], Built]]]
) -> int:
    """Build what `works` makes of the options, by name; prints the seconds of each. An error is told in one line."""
    try:
        chosen = works(parsed)
        with ProcessPoolExecutor(parsed.jobs, mp_context=get_context("spawn")) as pool:
            for name, (folder, seconds) in zip(chosen, pool.map(_called, chosen.values()), strict=True):
                sys.stdout.write(f"{name:<18}  {f'{seconds:.0f} s' if seconds else 'kept'}  {folder}\n")
                sys.stdout.flush()
    except ModelqaError as error:
        sys.stderr.write(f"zoo: {error}\n")
        return error.exit_code
    return 0


def built_apart(build: Callable[[], Built]) -> Built:
    """What `build` makes, made in a process of its own.

    Seeds, thread counts and torch's default device belong to a process: two threads that train would share them.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(build).result()


def _called(build: Callable[[], Built]) -> Built:
    return build()
