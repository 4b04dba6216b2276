"""What `modelqa data format-lock | echo | operators | instructions | mix` do once their options are read."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from modelqa.data import echo, format_lock, instructions, mix, operators
from modelqa.data import manifest as manifests
from modelqa.data.rows import Row, duplicates
from modelqa.errors import UsageError
from modelqa.files import sha256_file, write_jsonl
from modelqa.record import Problem
from modelqa.text import escape

PROGRESS_ROWS = 20_000  # from which a bar is worth showing: some seconds
SHOWN_PROBLEMS = 5  # with their rows; all are counted


def make_format_lock(options: argparse.Namespace) -> int:
    """Write format_lock.jsonl and manifest.json."""
    chosen = _chosen(options, "mode", "math", "n_examples", "split", "system")
    total = sum(format_lock.counts(options.mode, options.math, options.n_examples).values())
    rows = _listed(format_lock.rows(seed=options.seed, **chosen), total)
    return _finish(options, "format-lock", {"format_lock.jsonl": rows}, total, {"seed": options.seed}, chosen)


def make_echo(options: argparse.Namespace) -> int:
    """Write echo.jsonl and manifest.json."""
    chosen = _chosen(
        options, "gibberish", "bpe_safe", "max_target_tokens", "anti_echo_ratio", "contrast_ratio", "n_examples",
        "max_examples", "split", "system",
    )  # fmt: skip
    count_tokens, used = _token_counter(options.tokenizer)
    total = echo.size(options.gibberish, options.n_examples, options.max_examples)
    rows = _listed(echo.rows(seed=options.seed, count_tokens=count_tokens, **chosen), total)
    return _finish(options, "echo", {"echo.jsonl": rows}, total, {"seed": options.seed}, {**chosen, **used})


def make_operators(options: argparse.Namespace) -> int:
    """Write operator_train.jsonl, operator_val.jsonl and manifest.json, once they are shown to be disjoint."""
    if options.seed_train == options.seed_val:
        raise UsageError(
            f"both seeds are {options.seed_val}",
            reason="validation must not repeat training's draws",
            remedy="choose another --seed_val",
        )
    count_tokens, used = _token_counter(options.tokenizer)
    chosen = {**_chosen(options, "word_dist", "max_words", "max_tokens", "system"), "german": not options.no_german}
    make = partial(operators.rows, count_tokens=count_tokens, **chosen)
    train = _listed(make(n=options.n_train, split="train", seed=options.seed_train), options.n_train)
    val = _listed(make(n=options.n_val, split="val", seed=options.seed_val), options.n_val)
    operators.require_disjoint(train, val)
    _say("payloads and template families that train and val share: none")
    files = {"operator_train.jsonl": train, "operator_val.jsonl": val}
    asked = {**_chosen(options, "n_train", "n_val"), **chosen, **used}
    seeds = _chosen(options, "seed_train", "seed_val")
    return _finish(options, "operators", files, options.n_train + options.n_val, seeds, asked)


def make_instructions(options: argparse.Namespace) -> int:
    """Write instructions.jsonl and manifest.json."""
    chosen = _chosen(options, "n_examples", "split", "system")
    total = instructions.SIZE if options.n_examples is None else options.n_examples
    rows = _listed(instructions.rows(seed=options.seed, **chosen), total)
    return _finish(options, "instructions", {"instructions.jsonl": rows}, total, {"seed": options.seed}, chosen)


def make_mix(options: argparse.Namespace) -> int:
    """Mix, and print declared against realised shares."""
    if len(options.inputs) != len(options.weights):
        raise UsageError(
            f"{len(options.inputs)} inputs, {len(options.weights)} weights",
            reason="each input has one share of the output",
            remedy="give one weight for each input",
        )
    sources = [mix.Source(*_named(text), share) for text, share in zip(options.inputs, options.weights, strict=True)]
    sources += [mix.Source(*_replayed(text), replay=True) for text in options.replay]
    settings = _chosen(options, "output", "size", "shuffle", "seed", "allow_shortfall", "replay_reason")
    mixed = mix.mix(sources, **settings)
    shares = mixed.manifest.shares
    _say(f"{'source':24} {'declared':>8} {'realised':>8} {'rows':>7}  of")
    for part in mixed.parts:
        declared, realised = shares["declared"][part.source.name], shares["realised"][part.source.name]
        short = f"  short by {part.wanted - part.taken}" if part.taken < part.wanted else ""
        _say(f"{part.source.name:24} {declared:8.2%} {realised:8.2%} {part.taken:7}  {part.available}{short}")
    for note in mixed.manifest.notes:
        _say(note)
    _show_problems(mixed.problems)
    _say(f"{mixed.manifest.rows.kept} rows written to {options.output}")
    return 0


def _chosen(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names}


def _finish(
    options: argparse.Namespace,
    kind: str,
    files: Mapping[str, Sequence[Row]],
    declared: int,
    seeds: Mapping[str, int],
    asked: Mapping[str, Any],
) -> int:
    """Write the files and the manifest of a generator, and print what they hold."""
    folder: Path = options.output_dir
    every = [row for rows in files.values() for row in rows]
    for name, rows in files.items():
        write_jsonl(folder / name, rows)
        labels = Counter(row["meta"].get("operator", row["meta"]["category"]) for row in rows)
        _say(f"{folder / name}: {len(rows)} rows ({', '.join(f'{label} {n}' for label, n in sorted(labels.items()))})")
    manifest = manifests.Manifest(
        name=folder.name,
        kind=kind,
        files={name: sha256_file(folder / name) for name in files},
        rows=manifests.RowCounts(declared=declared, kept=len(every)),
        content=manifests.content_hash(every),
        seeds=seeds,
        options=asked,
    )
    _say(f"manifest: {manifests.write(manifest, folder / 'manifest.json')}")
    _show_problems(duplicates(every))
    return 0


def _show_problems(problems: Sequence[Problem]) -> None:
    for code, number in sorted(Counter(problem.code for problem in problems).items()):
        _say(f"{code}: {number}")
    for problem in problems[:SHOWN_PROBLEMS]:
        _say(escape(f"  {problem.locus}: {problem.text}", "terminal", limit=160))


def _token_counter(path: Path | None) -> tuple[Callable[[str], int] | None, dict[str, str]]:
    """(tokens of a text by the model's own tokenizer, its hash for the manifest); (None, {}) without a path."""
    if path is None:
        return None, {}
    from tokenizers import Tokenizer

    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception for every kind of bad file
        raise UsageError(
            f"{file} is no tokenizer: {error}",
            reason="token limits need the model's own tokenizer",
            remedy="name its tokenizer.json, or the folder that holds it",
        ) from None

    def count_tokens(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count_tokens, {"tokenizer_sha256": sha256_file(file)}


def _listed(rows: Iterable[Row], total: int) -> list[Row]:
    """The rows, with a progress bar on stderr while many are made and somebody watches."""
    if total < PROGRESS_ROWS or not sys.stderr.isatty():
        return list(rows)
    from tqdm import tqdm

    return list(tqdm(rows, total=total, unit="row", file=sys.stderr))


def _named(text: str) -> tuple[str, Path]:
    """NAME=PATH, or a path that is named after its folder: data/alpha/format_lock.jsonl is alpha."""
    name, separator, path = text.partition("=")
    if separator:
        return name, Path(path)
    return Path(text).parent.name or Path(text).stem, Path(text)


def _replayed(text: str) -> tuple[str, Path, float]:
    named, _, share = text.rpartition(":")
    try:
        return (*_named(named), float(share))
    except ValueError:
        raise UsageError(
            f"--replay {text} names no share",
            reason="a replay source is NAME=PATH:SHARE",
            remedy="for example --replay alpha=data/alpha/format_lock.jsonl:0.1",
        ) from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
