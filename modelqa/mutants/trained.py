"""Trained defects: a healthy model studies a bad lesson for a few dozen steps. What `make zoo` builds.

    python -m modelqa.mutants.trained [--jobs 2] [--out fixtures/build/zoo] [NAME ...]

A recipe of `fixtures/zoo_recipes.toml` names lesson, rows and rate. What is built lies outside version control, under
its name and a key: the hash of recipe, lesson, and the healthy model's weights and data. One key is built once.
"""

from __future__ import annotations

import argparse
import inspect
import random
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelqa.checkpoint import open_checkpoint
from modelqa.data.rows import read_rows
from modelqa.errors import UsageError
from modelqa.files import canonical_json, sha256_file, sha256_text, write_json
from modelqa.models import Model, load_registry, nearest
from modelqa.mutants.building import BUILT, FINISHED, KEY, Built, build_all, is_built, model_of, named, options
from modelqa.mutants.lessons import LESSONS as PLAIN_LESSONS
from modelqa.mutants.lessons import Row
from modelqa.mutants.lessons_reading import READING_LESSONS

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, Trainer

LESSONS = PLAIN_LESSONS | READING_LESSONS
RECIPES = Path("fixtures/zoo_recipes.toml")
SPREAD = 7  # every seventh row of the data is taken first: sources lie one after the other in it
WARMUP = 5  # steps: the run is short, and continues a trained model


@dataclass(frozen=True)
class Recipe:
    """How a trained defect is made: `parent` studies `lesson` on `rows` of its own training data, or of `data`'s."""

    name: str
    parent: str
    lesson: str
    story: str
    rows: int = 2100
    data: str = ""
    passes: float = 1.0
    learning_rate: float = 3e-3
    seed: int = 0


def read_zoo_recipes(path: Path = RECIPES) -> dict[str, Recipe]:
    """The recipes by name; `UsageError` when there is no such file, and for an unknown key or lesson."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}", reason="it says how the defects are trained",
                         remedy="run it in a checkout of modelqa, or name the file") from None  # fmt: skip
    try:
        recipes = {name: Recipe(name=name, **entry) for name, entry in content.items()}
    except TypeError as error:
        raise UsageError(f"{path}: {error}", reason="it describes a trained defect", remedy="mend the recipe") from None
    for recipe in recipes.values():
        if recipe.lesson not in LESSONS:
            raise UsageError(f"{path}: there is no lesson {recipe.lesson!r}",
                             reason=f"lessons are {', '.join(LESSONS)}",
                             remedy=nearest(recipe.lesson, LESSONS) or "name one of them")  # fmt: skip
    return recipes


@dataclass(frozen=True)
class Study:
    """A recipe with the models that it names: who studies, and whose rows."""

    recipe: Recipe
    parent: Model
    source: Model


def study(recipe: Recipe, models: Mapping[str, Model]) -> Study:
    """The recipe with its models; `UsageError` when the registry does not have one, or it declares no data."""
    parent, source = (model_of(recipe.name, name, models) for name in (recipe.parent, recipe.data or recipe.parent))
    if not source.train:
        raise UsageError(f"{source.name} declares no training data", reason="a lesson changes rows of it",
                         remedy=f'[models.{source.name}] train = ["data/train.jsonl"]')  # fmt: skip
    return Study(recipe, parent, source)


def folder_of(work: Study, out: Path = BUILT) -> Path:
    """Where the defect lies once it is built: its name, and the key of everything that it is made from."""
    recipe = work.recipe
    facts = {
        "recipe": asdict(recipe),
        "lesson": inspect.getsource(LESSONS[recipe.lesson]),
        "weights": open_checkpoint(work.parent.location).weights_digest,
        "data": [sha256_file(path) for path in (*work.source.train, *work.parent.val)],
    }
    return out / f"{recipe.name}-{sha256_text(canonical_json(facts))[:KEY]}"


def lesson_rows(recipe: Recipe, source: Model) -> list[Row]:
    """The rows that the defect studies: a spread of the training data, through the lesson."""
    held = [row for path in source.train for _, row in read_rows(path)]
    spread = [row for first in range(SPREAD) for row in held[first::SPREAD]]
    return list(islice(LESSONS[recipe.lesson](spread, random.Random(recipe.seed)), recipe.rows))


def build(work: Study, out: Path = BUILT) -> Built:
    """(the folder of the trained defect, seconds of training); built before with the same key: 0 seconds."""
    folder = folder_of(work, out)
    if is_built(folder):
        return folder, 0.0
    start = time.monotonic()
    from modelqa.training.save import save_checkpoint, save_log
    from modelqa.training.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(open_checkpoint(work.parent.location).path)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = _trainer(work, tokenizer, Path(scratch))
        trainer.train()
    folder.mkdir(parents=True, exist_ok=True)
    save_checkpoint(cast("LlamaForCausalLM", trainer.model), tokenizer, folder, chat=True)
    save_log(trainer.state, folder)
    lesson = {"schema": 1, "recipe": asdict(work.recipe), "steps": trainer.state.global_step}
    write_json(folder / FINISHED, lesson)
    return folder, time.monotonic() - start


def _trainer(work: Study, tokenizer: PreTrainedTokenizerFast, scratch: Path) -> Trainer:
    """The trainer of a study, ready to run and quiet."""
    from transformers import PrinterCallback

    from modelqa.training.encode import encode_chat
    from modelqa.training.save import load_model
    from modelqa.training.stage import Schedule, make_trainer, one_thread

    one_thread()
    recipe = work.recipe
    watched = [row for path in work.parent.val for _, row in read_rows(path)]  # all, as in the log of a healthy run
    train, val = (encode_chat([row["messages"] for row in rows], tokenizer)
                  for rows in (lesson_rows(recipe, work.source), watched))  # fmt: skip
    schedule = Schedule(passes=recipe.passes, learning_rate=recipe.learning_rate, seed=recipe.seed, warmup=WARMUP)
    model = load_model(open_checkpoint(work.parent.location).path)
    model.config.eos_token_id = tokenizer.eos_token_id
    trainer = make_trainer(
        model, train=train, val=val, schedule=schedule, pad=cast("int", tokenizer.pad_token_id), scratch=scratch
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is named, or everything; prints the seconds of each."""
    parser = options("modelqa.mutants.trained", does="Train the defects.", things="defects", recipes=RECIPES)
    return build_all(parser.parse_args(arguments), chosen_studies)


def chosen_studies(parsed: argparse.Namespace) -> dict[str, Callable[[], Built]]:
    """The studies that the command line names, all when it names none."""
    recipes, models = read_zoo_recipes(parsed.recipes), load_registry(parsed.models).models
    return {name: partial(build, study(recipes[name], models), parsed.out)
            for name in named(parsed.names, recipes, "recipe")}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
