"""Healthy twins with templates of their own: a healthy model learns another chat format from rows like its own.

    python -m modelqa.mutants.styled [--out fixtures/build/zoo] [NAME ...]

A recipe of `fixtures/zoo_twins.toml` names parent, style, rows and rate. A twin is a whole model: checkpoint, data with
its manifest, log, capture and recipe, so that every gate of its phase has what it asks for. What is built lies outside
version control, under its name and a key; one key is built once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modelqa.checkpoint import open_checkpoint
from modelqa.data.manifest import Parent, RowCounts
from modelqa.data.rows import read_rows
from modelqa.errors import UsageError
from modelqa.files import canonical_json, read_json, read_object, sha256_file, sha256_text, write_json
from modelqa.models import Model, load_registry
from modelqa.mutants.building import BUILT, FINISHED, KEY, Built, build_all, is_built, model_of, named, options
from modelqa.mutants.lessons import Row
from modelqa.mutants.styles import Style, grow, retold, style_named
from modelqa.training.mixture import counts, realised, write_data

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from modelqa.training.stage import Schedule

RECIPES = Path("fixtures/zoo_twins.toml")
# What a twin's recipe may differ in from its parent's: the run, its rows, its format, and how fast it learns that.
FACTORS = ("name", "parent", "data", "passes", "steps", "*sha256", "recipe.mix.rows", "recipe.mix.seed", "recipe.stage",
           "recipe.vocabulary.template")  # fmt: skip


@dataclass(frozen=True)
class TwinRecipe:
    """How a twin is made: `parent` learns `style` from `rows` of its own training rows, in the same shares."""

    name: str
    parent: str
    style: str
    story: str
    rows: int
    passes: float
    learning_rate: float
    seed: int
    circles: float = 0.0


def read_twin_recipes(path: Path = RECIPES) -> dict[str, TwinRecipe]:
    """The recipes by name; `UsageError` when there is no such file, and for an unknown key or style."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        recipes = {name: TwinRecipe(name=name, **entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", reason="it says how the healthy twins are trained",
                         remedy="run it in a checkout of modelqa, or mend the recipe") from None  # fmt: skip
    for recipe in recipes.values():
        style_named(recipe.style)
    return recipes


@dataclass(frozen=True)
class Upbringing:
    """A recipe with the model that it names, and where the twin is built."""

    recipe: TwinRecipe
    parent: Model
    folder: Path

    @property
    def style(self) -> Style:
        """Its chat format."""
        return style_named(self.recipe.style)

    @property
    def model(self) -> Model:
        """What models.toml would say of the twin: its parent's declarations, its own files."""
        data = self.folder / "data"
        return replace(
            self.parent, name=self.recipe.name, path=self.folder, parent=self.parent.name, factors=FACTORS,
            train=(data / "train.jsonl.zst",), val=(data / "val.jsonl.zst",), manifest=data / "manifest.json",
            trainer_log=self.folder / "trainer_state.json", capture=self.folder / "capture.safetensors",
            recipe=self.folder / "recipe.json", intended_rows=self.recipe.rows, repo="", experimental_repo="",
        )  # fmt: skip


def upbringing(recipe: TwinRecipe, models: Mapping[str, Model], out: Path = BUILT) -> Upbringing:
    """The recipe with its parent and folder; `UsageError` when the registry does not have the parent."""
    parent = model_of(recipe.name, recipe.parent, models)
    facts = {"recipe": asdict(recipe), "style": asdict(style_named(recipe.style)),
             "weights": open_checkpoint(parent.location).weights_digest,
             "data": [sha256_file(path) for path in (*parent.train, *parent.val)]}  # fmt: skip
    return Upbringing(recipe, parent, out / f"{recipe.name}-{sha256_text(canonical_json(facts))[:KEY]}")


def twin_rows(rows: int, parent: Model) -> list[Row]:
    """The first of the parent's training rows, as many of each source as its declared mix gives."""
    left = counts(parent.mix, rows)
    taken = []
    for row in (row for path in parent.train for _, row in read_rows(path)):
        source = row["meta"]["source"]
        if left.get(source):
            left[source] -= 1
            taken.append(row)
    return taken


def build(work: Upbringing) -> float:
    """Seconds that the twin's building took; 0 where it was built before."""
    if is_built(work.folder):
        return 0.0
    start = time.monotonic()
    from modelqa.training.save import save_checkpoint, save_log
    from modelqa.training.tokenizer import load_tokenizer

    tokenizer = retold(load_tokenizer(open_checkpoint(work.parent.location).path), work.style)
    train, val = _written_rows(work)
    model, state = _trained(work, tokenizer, train, val)
    save_checkpoint(model, tokenizer, work.folder, chat=True)
    declare_ends(work.folder, work.style, tokenizer)
    save_log(state, work.folder)
    write_json(work.folder / "recipe.json", _provenance(work, steps=state.global_step))
    write_json(work.folder / FINISHED, {"schema": 1, "recipe": asdict(work.recipe)})
    return time.monotonic() - start


def _written_rows(work: Upbringing) -> tuple[list[Row], list[Row]]:
    """(training rows, validation rows), written with their manifest beside the checkpoint."""
    parent, recipe = work.parent, work.recipe
    held = twin_rows(recipe.rows, parent)
    val = [row for path in parent.val for _, row in read_rows(path)]
    ancestors = () if parent.manifest is None else (_ancestor(parent.manifest, parent.name),)
    write_data(
        work.folder / "data", {"train": held, "val": val}, name=recipe.name, kind="mix",
        rows=RowCounts(declared=recipe.rows + len(val), kept=len(held) + len(val), read=len(held) + len(val)),
        seed=recipe.seed, options={"train": recipe.rows, "val": len(val)}, parents=ancestors,
        shares={"declared": dict(parent.mix), "realised": realised(held)},
    )  # fmt: skip
    return held, val


def _ancestor(manifest: Path, name: str) -> Parent:
    held = read_object(manifest)
    return Parent(name=name, sha256=held["content"], manifest=held, manifest_sha256=sha256_file(manifest))


def _trained(
    work: Upbringing, tokenizer: PreTrainedTokenizerFast, train: Sequence[Row], val: Sequence[Row]
) -> tuple[LlamaForCausalLM, Any]:
    """(the trained model, the trainer's state); what was fed is captured into the twin's folder."""
    from transformers import PrinterCallback

    from modelqa.training.capture import Capture
    from modelqa.training.encode import encode_chat
    from modelqa.training.save import load_model
    from modelqa.training.stage import make_trainer, one_thread

    one_thread()
    model = load_model(open_checkpoint(work.parent.location).path)
    grow(model, work.style)
    own, watched = (encode_chat([row["messages"] for row in rows], tokenizer) for rows in (train, val))
    with tempfile.TemporaryDirectory() as scratch:
        trainer = make_trainer(
            model, train=own, val=watched, schedule=_schedule(work.recipe), pad=cast("int", tokenizer.pad_token_id),
            scratch=Path(scratch), capture=Capture(work.folder / "capture.safetensors"),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return cast("LlamaForCausalLM", trainer.model), trainer.state


def _schedule(recipe: TwinRecipe) -> Schedule:
    from modelqa.training.stage import Schedule

    return Schedule(
        passes=recipe.passes, learning_rate=recipe.learning_rate, seed=recipe.seed, circles=recipe.circles
    )


def declare_ends(folder: Path, style: Style, tokenizer: PreTrainedTokenizerFast) -> None:
    """Both configs stop at all of the style's ends; the tokenizer's end-of-sequence token is the end of a text."""
    ids = [tokenizer.convert_tokens_to_ids(end) for end in style.ends]
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        write_json(path, {**read_json(path), "eos_token_id": ids if len(ids) > 1 else ids[0]})
    path = folder / "tokenizer_config.json"
    config = {**read_json(path), "eos_token": style.ends[-1]}
    named = {config.get(role) for role in ("bos_token", "eos_token", "pad_token")}
    config["additional_special_tokens"] = [each for each in style.family.special if each not in named]
    write_json(path, config)


def _provenance(work: Upbringing, *, steps: int) -> dict[str, Any]:
    """The parent's recipe with what the twin does otherwise."""
    assert work.parent.recipe is not None  # a fixture declares its recipe
    held = read_object(work.parent.recipe)
    recipe, own = held["recipe"], work.recipe
    stage = {**recipe["stage"], "name": own.name, "parent": own.parent, "data": own.name,
             "schedule": asdict(_schedule(own))}  # fmt: skip
    made = {**recipe, "stage": stage, "mix": {**recipe["mix"], "rows": own.rows, "seed": own.seed},
            "vocabulary": {**recipe["vocabulary"], "template": own.style},
            "parent_recipe_sha256": held["recipe_sha256"]}  # fmt: skip
    parent = {"name": own.parent, "weights_sha256": held["weights_sha256"]}
    return {**held, "name": own.name, "recipe": made, "recipe_sha256": sha256_text(canonical_json(made)),
            "parent": parent, "steps": steps, "passes": own.passes,
            "weights_sha256": sha256_file(work.folder / "model.safetensors"),
            "data": {"data/manifest.json": sha256_file(work.folder / "data" / "manifest.json")}}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the twins that are named, or all; prints the seconds of each."""
    parser = options("modelqa.mutants.styled", does="Train the healthy twins.", things="twins", recipes=RECIPES)
    return build_all(parser.parse_args(arguments), _chosen)


def _chosen(parsed: argparse.Namespace) -> dict[str, Callable[[], Built]]:
    recipes, models = read_twin_recipes(parsed.recipes), load_registry(parsed.models).models
    return {name: partial(_built, upbringing(recipes[name], models, parsed.out))
            for name in named(parsed.names, recipes, "twin")}  # fmt: skip


def _built(work: Upbringing) -> Built:
    return work.folder, build(work)


if __name__ == "__main__":
    raise SystemExit(main())
