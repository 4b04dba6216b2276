"""The rows of a stage: generated sources, mixed by declared shares, with a manifest of where every row is from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelqa.data.grammar import Split
from modelqa.data.items import items_of_row
from modelqa.data.manifest import Manifest, Parent, RowCounts, content_hash, write
from modelqa.data.overlap import overlaps
from modelqa.data.rows import Row, answer_of, prompt_of
from modelqa.errors import DataError
from modelqa.files import sha256_file, write_jsonl
from modelqa.training.recipe import Mix, Recipes, Source

CountTokens = Callable[[str], int]
Generate = Callable[[Source, Split, CountTokens], Sequence[Row]]
SPLITS: tuple[Split, ...] = ("train", "val")
DROPPED = ("duplicate", "contradiction")


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
    """(rows, account): the wanted share of each source, drawn without repetition and shuffled.

    `meta.source` and the row's id say which source it is.

    A row whose prompt is there already is dropped and counted: with the same answer as a duplicate, with another as a
    contradiction. `DataError` when a source has too few rows left.
    """
    rng = random.Random(f"{split} {mix.seed}")
    answers: dict[str, str] = {}
    dropped = dict.fromkeys(DROPPED, 0)
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
        chosen.extend(
            {**row, "id": f"{name}/{row['id']}", "meta": {**row["meta"], "source": name}} for row in taken
        )
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
) -> Manifest:
    """Write train.jsonl.zst, val.jsonl.zst and manifest.json of a mix into `folder`; the manifest."""
    mix = recipes.mixes[name]
    pools = {
        split: {source: list(generate(recipes.sources[source], split, count_tokens)) for source in mix.shares}
        for split in SPLITS
    }
    sizes = {"train": mix.rows, "val": mix.val_rows}
    parts = {split: mixed(mix, pools[split], rows=sizes[split], split=split) for split in SPLITS}
    accounts = [account for _, account in parts.values()]
    train = parts["train"][0]
    val = unseen(train, parts["val"][0])
    seen = len(parts["val"][0]) - len(val)
    return write_data(
        folder,
        {"train": train, "val": val},
        name=name,
        kind="mix",
        rows=RowCounts(
            declared=sum(sizes.values()),
            kept=sum(account["kept"] for account in accounts) - seen,
            read=sum(account["read"] for account in accounts),
            dropped={
                **{reason: sum(account["dropped"][reason] for account in accounts) for reason in DROPPED},
                "seen in training": seen,
            },
        ),
        seed=mix.seed,
        options={"guide": dict(mix.guide), "replay": mix.replay, "tokenizer_sha256": tokenizer_sha256, **sizes},
        parents=tuple(_parent(recipes.sources[source], source, pools) for source in mix.shares),
        shares={"declared": mix.shares, "realised": realised(train)},
        notes=tuple(f"replay of {key}, {item['share']:.0%} of the rows: {item['reason']}"
                    for key, item in mix.replay.items()),
    )


def unseen(train: Sequence[Row], val: Sequence[Row]) -> list[Row]:
    """The validation rows whose prompt, payload, phrasing and word sequences no training row has (`data.overlap`)."""
    items = [item for row in val for item in items_of_row(row, row["id"])]
    seen = {hit.item for hit in overlaps((i for row in train for i in items_of_row(row, row["id"])), items).overlaps}
    return [row for row in val if row["id"] not in seen]


def write_data(
    folder: Path,
    parts: Mapping[str, Sequence[Row]],
    *,
    name: str,
    kind: str,
    rows: RowCounts,
    seed: int,
    options: Mapping[str, Any],
    parents: tuple[Parent, ...] = (),
    shares: Mapping[str, Mapping[str, float]] | None = None,
    notes: tuple[str, ...] = (),
) -> Manifest:
    """Write each part as `PART.jsonl.zst` and the manifest of them all; the manifest."""
    files = {}
    for part, part_rows in parts.items():
        path = folder / f"{part}.jsonl.zst"
        write_jsonl(path, part_rows)
        files[path.name] = sha256_file(path)
    made = Manifest(
        name=name, kind=kind, files=files, rows=rows, seeds={"mix": seed}, options=options, parents=parents,
        content=content_hash(row for part_rows in parts.values() for row in part_rows), shares=shares or {},
        notes=notes,
    )
    write(made, folder / "manifest.json")
    return made


def _parent(source: Source, name: str, pools: Mapping[Split, Mapping[str, Sequence[Row]]]) -> Parent:
    """A generated source: how it was made, and the hash of all its rows."""
    rows = [row for split in SPLITS for row in pools[split][name]]
    return Parent(name=name, sha256=content_hash(rows), manifest=asdict(source))


def realised(rows: Sequence[Row]) -> dict[str, float]:
    """Source -> share of the rows, to four places."""
    found = Counter(row["meta"]["source"] for row in rows)
    return {name: round(count / len(rows), 4) for name, count in sorted(found.items())}
