"""The rows of a stage: generated sources, mixed by declared shares, with a manifest of where every row is from."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelqa.data.grammar import Split
from modelqa.data.rows import Row, answer_of, prompt_of
from modelqa.errors import DataError
from modelqa.files import canonical_json, sha256_file, sha256_text, write_json, write_jsonl
from modelqa.training.recipe import Mix, Recipes, Source

CountTokens = Callable[[str], int]
Generate = Callable[[Source, Split, CountTokens], Sequence[Row]]
SPLITS: tuple[Split, ...] = ("train", "val")


def counts(shares: Mapping[str, float], rows: int) -> dict[str, int]:
    """How many of `rows` rows each source gives: the shares, rounded by largest remainder, `rows` in all."""
    exact = {name: share * rows for name, share in shares.items()}
    whole = {name: int(value) for name, value in exact.items()}
    left = rows - sum(whole.values())
    for name in sorted(exact, key=lambda key: (whole[key] - exact[key], key))[:left]:
        whole[name] += 1
    return whole


def mixed(
    mix: Mix, pools: Mapping[str, Sequence[Row]], *, rows: int, split: Split
) -> tuple[list[Row], dict[str, Any]]:
    """(rows, account): the wanted share of each source, drawn without repetition and shuffled; `meta.source` says it.

    A row whose prompt is there already is dropped and counted: with the same answer as a duplicate, with another as a
    contradiction. `DataError` when a source has too few rows left.
    """
    rng = random.Random(f"{split} {mix.seed}")
    answers: dict[str, str] = {}
    dropped = {"duplicate": 0, "contradiction": 0}
    chosen: list[Row] = []
    for name, wanted in counts(mix.shares, rows).items():
        pool = list(pools[name])
        rng.shuffle(pool)
        taken = _take(pool, wanted, answers, dropped)
        if len(taken) < wanted:
            raise DataError(
                f"source {name!r} has {len(taken)} usable rows of {wanted} ({split})",
                reason="rows are not repeated to fill a share: coverage is a matter of passes",
                remedy="generate more rows for this source, or lower its share or the mix's rows",
            )
        chosen.extend({**row, "meta": {**row["meta"], "source": name}} for row in taken)
    rng.shuffle(chosen)
    return chosen, {"read": sum(map(len, pools.values())), "kept": len(chosen), "dropped": dropped}


def _take(pool: Sequence[Row], wanted: int, answers: dict[str, str], dropped: dict[str, int]) -> list[Row]:
    taken: list[Row] = []
    for row in pool:
        if len(taken) == wanted:
            break
        prompt, answer = prompt_of(row), answer_of(row)
        if prompt in answers:
            dropped["duplicate" if answers[prompt] == answer else "contradiction"] += 1
            continue
        answers[prompt] = answer
        taken.append(row)
    return taken


def build_mix(
    recipes: Recipes, name: str, folder: Path, *, count_tokens: CountTokens, generate: Generate, tokenizer_sha256: str
) -> dict[str, Any]:
    """Write train.jsonl.zst, val.jsonl.zst and manifest.json of a mix into `folder`; the manifest."""
    mix = recipes.mixes[name]
    manifest: dict[str, Any] = {
        "schema": 1, "name": name, "seed": mix.seed, "tokenizer_sha256": tokenizer_sha256, "files": {}, "rows": {},
        "guide": dict(mix.guide), "replay": {key: dict(value) for key, value in mix.replay.items()},
        "sources": {}, "shares": {}, "parents": [],
    }
    for split, size in zip(SPLITS, (mix.rows, mix.val_rows), strict=True):
        pools = {source: list(generate(recipes.sources[source], split, count_tokens)) for source in mix.shares}
        rows, account = mixed(mix, pools, rows=size, split=split)
        path = folder / f"{split}.jsonl.zst"
        write_jsonl(path, rows)
        manifest["files"][path.name] = sha256_file(path)
        manifest["rows"][split] = {"declared": size, **account}
        manifest["shares"][split] = realised(rows)
        for source, pool in pools.items():
            entry = manifest["sources"].setdefault(source, {**recipes.sources[source].__dict__, "content_sha256": {}})
            entry["content_sha256"][split] = sha256_text(canonical_json(pool))
    write_json(folder / "manifest.json", manifest)
    return manifest


def realised(rows: Sequence[Row]) -> dict[str, float]:
    """Source -> share of the rows, to four places."""
    found: dict[str, int] = {}
    for row in rows:
        found[row["meta"]["source"]] = found.get(row["meta"]["source"], 0) + 1
    return {name: round(count / len(rows), 4) for name, count in sorted(found.items())}
