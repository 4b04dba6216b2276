"""Build the fixtures: tokenizers, data, stages, in the order of the recipes. What `make fixtures` runs.

    python -m modelqa.training.build [--only STAGE ...] [--recipes FILE] [--out FOLDER] [--keep] [--jobs N]

Writes OUT/data/<mix>/ and OUT/checkpoints/<stage>/; `--keep` leaves what is already built from the same recipe.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from modelqa.data import choices, echo, format_lock, instructions, operators
from modelqa.data.grammar import Split
from modelqa.data.manifest import RowCounts
from modelqa.data.rows import Row
from modelqa.errors import UsageError
from modelqa.files import read_jsonl, sha256_file
from modelqa.training import continuations, corpus, encode
from modelqa.training.lanes import Step, run_side_by_side, steps
from modelqa.training.mixture import CountTokens, build_mix, write_data
from modelqa.training.recipe import Recipes, Source, Stage, Vocabulary, read_recipes
from modelqa.training.save import WEIGHTS, load_model, save_checkpoint, save_log, save_provenance
from modelqa.training.stage import make_trainer, new_model, one_thread, prime_special_tokens
from modelqa.training.tokenizer import family_named, load_tokenizer, save_tokenizer, train_tokenizer

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, Trainer

RECIPES = Path("fixtures/recipes.toml")
OUT = Path("fixtures")
TOKENIZER = "tokenizer.json"
BLOCK = 128  # tokens in a row of the base corpus
GENERATORS: dict[str, Callable[..., Iterator[Row]]] = {
    "format_lock": format_lock.rows, "echo": echo.rows, "operators": operators.rows, "choices": choices.rows,
    "instructions": instructions.rows, "continuations": continuations.rows,
}
COUNTING = ("echo", "operators")  # generators that limit the tokens of what is copied
VAL_SEED = 5000  # added to a source's seed for its validation rows
VAL_ROWS = 600  # validation rows of each source; a mix takes its share of them


def generate(source: Source, split: Split, count_tokens: CountTokens) -> list[Row]:
    """All rows of a source in one split; its validation rows are as many as its smallest use could want."""
    if source.generator not in GENERATORS:
        raise UsageError(
            f"there is no generator {source.generator!r}", reason="known are " + ", ".join(GENERATORS),
            remedy="correct the recipe",
        )
    options = dict(source.options)
    if split == "val":
        options["seed"] += VAL_SEED
        size = "n" if "n" in options else "n_examples"
        options[size] = VAL_ROWS
    if source.generator in COUNTING:
        options["count_tokens"] = count_tokens
    return list(GENERATORS[source.generator](split=split, **options))


class Build:
    """One run of the build: `recipes` in, files under `out`. Steps that several stages share are made once.

    keep   stages that are built from the same recipe and the same parent are left as they are
    again  but for these
    write  False for a repeated leg: data and tokenizers are read as they were built, and no file is written
    done   steps that another process has made
    """

    def __init__(
        self, recipes: Recipes, out: Path, *, keep: bool = False, again: Iterable[str] = (), write: bool = True,
        done: Iterable[Step] = (),
    ) -> None:
        self._recipes, self._out, self._keep, self._write = recipes, out, keep, write
        self._again, self._done = frozenset(again), set(done)

    def checkpoint(self, stage: str) -> Path:
        """Where a stage's checkpoint is, built or not."""
        return self._out / "checkpoints" / stage

    def stage(self, name: str) -> None:
        """Train a stage, and first what it needs; at most once in a build."""
        stage = self._recipes.stages[name]
        if stage.parent:
            self.stage(stage.parent)
        if ("stage", name) in self._done:
            return
        self._done.add(("stage", name))
        if self.is_kept(name):
            _say(f"{name}: kept")
            return
        started = time.monotonic()
        self._train(stage)
        _say(f"{name}: {time.monotonic() - started:.0f} s")

    def make(self, step: Step) -> None:
        """Make one step whose needs are among `done`."""
        kind, name = step
        if kind == "tokenizer":
            self._tokenizer(name)
        elif kind == "data":
            self._data(next(stage for stage in self._recipes.stages.values() if stage.folder == name))
        else:
            self._train(self._recipes.stages[name])

    def is_kept(self, name: str) -> bool:
        """Whether the stage is left as it is."""
        return self._keep and name not in self._again and self.is_built(name)

    def is_built(self, name: str) -> bool:
        """Whether the stage's checkpoint is there and was made from this very recipe and the parent that is there."""
        path, parent = self.checkpoint(name) / "recipe.json", self._recipes.stages[name].parent
        if not path.is_file():
            return False
        made = json.loads(path.read_text(encoding="utf-8"))
        if made["recipe_sha256"] != self._recipes.sha256_of(name):
            return False
        weights = self.checkpoint(parent) / WEIGHTS if parent else None
        return weights is None or (
            weights.is_file() and made["parent"] == {"name": parent, "weights_sha256": sha256_file(weights)}
        )

    def prepared(self, name: str) -> tuple[PreTrainedTokenizerFast, list[encode.Encoded], list[encode.Encoded]]:
        """(tokenizer, training rows, validation rows) of a stage, its data files written."""
        stage = self._recipes.stages[name]
        tokenizer = self._tokenizer(stage.vocabulary) if self._write else load_tokenizer(self.checkpoint(name))
        folder = self._data(stage)
        train, val = ([row for _, row in read_jsonl(folder / f"{split}.jsonl.zst")] for split in ("train", "val"))
        return tokenizer, encoded(stage, train, tokenizer), encoded(stage, val, tokenizer)

    def trainer(
        self, name: str, *, scratch: Path, max_steps: int | None = None, capture: Path | None = None
    ) -> Trainer:
        """The Trainer of a stage, ready to run; `max_steps` for a short leg of it."""
        from modelqa.training.capture import Capture

        one_thread()
        stage = self._recipes.stages[name]
        tokenizer, train, val = self.prepared(name)
        if stage.parent:
            self._require_one_tokenizer(stage)
        model = load_model(self.checkpoint(stage.parent)) if stage.parent else new_model(
            self._recipes.shape, tokenizer, seed=stage.init_seed
        )
        if stage.kind == "chat" and stage.parent and self._recipes.stages[stage.parent].kind == "document":
            prime_special_tokens(model, tokenizer)
        model.config.eos_token_id = tokenizer.eos_token_id
        return make_trainer(
            model, train=train, val=val, schedule=stage.schedule, pad=tokenizer.pad_token_id, scratch=scratch,
            max_steps=max_steps, capture=Capture(capture) if capture else None,
        )

    def _require_one_tokenizer(self, stage: Stage) -> None:
        """A child that numbers its tokens otherwise than its parent would address rows trained as something else."""
        own = self._out / "build" / "tokenizers" / stage.vocabulary / TOKENIZER
        parent = self.checkpoint(str(stage.parent)) / TOKENIZER
        if self._write and sha256_file(own) != sha256_file(parent):
            raise UsageError(
                f"{stage.name} and its parent {stage.parent} have different tokenizers",
                reason="the tokenizer was learnt anew since the parent was trained, from other texts",
                remedy=f"build {stage.parent} again, without --keep",
            )

    def _train(self, stage: Stage) -> None:
        folder = self.checkpoint(stage.name)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            trainer = self.trainer(stage.name, scratch=Path(scratch), capture=folder / "capture.safetensors")
            trainer.train()
        tokenizer = self._tokenizer(stage.vocabulary)
        save_checkpoint(cast("LlamaForCausalLM", trainer.model), tokenizer, folder, chat=stage.kind != "document")
        save_log(trainer.state, folder)
        facts = {"steps": trainer.state.global_step, "passes": stage.schedule.passes, **self._ancestry(stage)}
        save_provenance(folder, name=stage.name, recipe=self._recipes.recipe_of(stage.name), facts=facts)

    def _ancestry(self, stage: Stage) -> dict[str, Any]:
        data = f"data/{stage.folder}/manifest.json"
        parent = stage.parent and {
            "name": stage.parent, "weights_sha256": sha256_file(self.checkpoint(stage.parent) / WEIGHTS)
        }
        return {"data": {data: sha256_file(self._out / data)}, "parent": parent or None}

    def _tokenizer(self, name: str) -> PreTrainedTokenizerFast:
        folder = self._out / "build" / "tokenizers" / name
        if self._write and ("tokenizer", name) not in self._done:
            self._done.add(("tokenizer", name))
            save_tokenizer(learnt(self._recipes.vocabularies[name]), folder)
        return load_tokenizer(folder)

    def _data(self, stage: Stage) -> Path:
        """The folder of a stage's data, written if this build has not yet."""
        folder = self._out / "data" / stage.folder
        if not self._write or ("data", stage.folder) in self._done:
            return folder
        self._done.add(("data", stage.folder))
        if stage.kind == "document":
            _write_documents(folder, stage.name, **self._recipes.documents[stage.data])
            return folder
        tokenizer = self._tokenizer(stage.vocabulary)
        count = lru_cache(maxsize=None)(lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"]))
        file = self._out / "build" / "tokenizers" / stage.vocabulary / TOKENIZER
        build_mix(
            self._recipes, stage.data, folder, count_tokens=count, generate=generate, tokenizer_sha256=sha256_file(file)
        )
        return folder


def learnt(vocabulary: Vocabulary) -> PreTrainedTokenizerFast:
    """The tokenizer of a recipe, learnt from base documents and from the wording of the training prompts."""
    texts = corpus.documents(corpus.training_material(), count=vocabulary.documents, seed=vocabulary.seed)
    words = corpus.instruction_texts()
    return train_tokenizer(chain(texts, words), family_named(vocabulary.template), vocab_size=vocabulary.size)


def encoded(stage: Stage, rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast) -> list[encode.Encoded]:
    """Rows in the rendering of the stage's kind."""
    conversations = [row["messages"] for row in rows]
    if stage.kind == "document":
        return encode.encode_documents((messages[-1]["content"] for messages in conversations), tokenizer, block=BLOCK)
    return {"chat": encode.encode_chat, "plain": encode.encode_plain}[stage.kind](conversations, tokenizer)


def _write_documents(folder: Path, name: str, *, train: int, val: int, seed: int) -> None:
    """The base corpus as rows of one assistant message, the validation documents last in the sequence."""
    texts = list(corpus.documents(corpus.training_material(), count=train + val, seed=seed))
    rows = [
        {"id": f"{name}-{number:06d}", "messages": [{"role": "assistant", "content": text}],
         "meta": {"category": "text", "source": "documents", "disjoint": "payload"}}
        for number, text in enumerate(texts)
    ]
    write_data(
        folder, {"train": rows[:train], "val": rows[train:]}, name=name, kind="documents",
        rows=RowCounts(declared=train + val, kept=len(rows)), seed=seed, options={"train": train, "val": val},
        shares={"declared": {"documents": 1.0}, "realised": {"documents": 1.0}},
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is named, or everything that does not stand apart; prints the seconds of each stage."""
    parser = argparse.ArgumentParser(prog="python -m modelqa.training.build", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="STAGE", help="build this stage and its ancestors")
    parser.add_argument("--recipes", type=Path, default=RECIPES)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", action="store_true", help="leave what is built, but for the stages of --only")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="steps at a time, one thread each (default 1)")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    recipes = read_recipes(options.recipes)
    for name in options.only or ():
        if name not in recipes.stages:
            raise UsageError(
                f"there is no stage {name!r}", reason="known are " + ", ".join(recipes.stages), remedy="correct --only"
            )
    build = Build(recipes, options.out, keep=options.keep, again=options.only or ())
    names = options.only or [name for name in recipes.stages if name not in recipes.apart]
    if options.jobs == 1:
        for name in names:
            build.stage(name)
    else:
        wanted = {ancestor for name in names for ancestor in recipes.lineage(name)}
        _build_side_by_side(options, recipes, [
            name for name in recipes.stages if name in wanted and not build.is_kept(name)
        ])  # fmt: skip
    return 0


def _build_side_by_side(options: argparse.Namespace, recipes: Recipes, stages: Sequence[str]) -> None:
    needs = steps(recipes, stages)
    run_side_by_side(
        needs, partial(_make_step, recipes=options.recipes, out=options.out, needs=needs), jobs=options.jobs,
        done=lambda step, seconds: _say(f"{' '.join(step)}: {seconds:.0f} s"),
    )


def _make_step(step: Step, *, recipes: Path, out: Path, needs: Mapping[Step, frozenset[Step]]) -> float:
    """Seconds that one step took, in a process of its own."""
    started = time.monotonic()
    Build(read_recipes(recipes), out, done=needs[step]).make(step)
    return time.monotonic() - started


if __name__ == "__main__":
    raise SystemExit(main())
