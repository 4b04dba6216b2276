"""`modelqa data prepare` and `modelqa data inspect`: options, names and defaults of the Phase 3a guide."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from modelqa.typed import whole

DISJOINT = ("payload", "phrasing", "prompt")


def add_prepare_parsers(subparsers: Any) -> None:
    """Add the sub-commands `prepare` and `inspect`; each sets `handler` to a function from options to an exit code."""
    _add_prepare(subparsers)
    _add_inspect(subparsers)


def _option(parser: Any, name: str, **settings: Any) -> None:
    """An option in both spellings, --val_file and --val-file."""
    spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
    parser.add_argument(*spellings, **{"dest": name, **settings})


def _add_prepare(subparsers: Any) -> None:
    parser = subparsers.add_parser("prepare", help="tokenise chat rows, pack them, and prove that nothing was lost")
    _option(parser, "input", type=Path, required=True, help="training rows, JSONL or JSONL.zst")
    _option(parser, "output_dir", type=Path, required=True, help="where the arrays and the manifest go")
    _option(parser, "tokenizer", type=Path, required=True, help="the model's folder: tokenizer, chat template")
    _option(parser, "val_file", type=Path, help="validation rows; excludes --val_split")
    _option(parser, "val_split", type=float,
            help="share of the rows set aside for validation, what is disjoint kept apart "
            "(default 0.1; 0: none)")
    _option(parser, "disjoint", nargs="+", choices=DISJOINT, default=list(DISJOINT),
            help="what training and validation may not share (default: all three)")
    _option(parser, "enable_packing", action="store_true", help="put several whole episodes into one row")
    _option(parser, "pack_block_size", type=int, default=1024, metavar="TOKENS", help="default 1024")
    _option(parser, "pack_by_field", metavar="FIELD", help="pack each value of a field alone: meta.operator")
    shuffle = parser.add_mutually_exclusive_group()
    _option(shuffle, "pack_shuffle", action="store_true", default=True, help="shuffle before packing (default)")
    _option(shuffle, "no_pack_shuffle", dest="pack_shuffle", action="store_false", help="keep the source's order")
    _option(parser, "max_length", type=int, metavar="TOKENS", help="the longest row allowed")
    _option(parser, "on_overlong", choices=("error", "drop"), default="error",
            help="what to do with a longer row; dropped rows are counted (default error)")
    _option(parser, "seed", type=int, default=42, help="of the split and of shuffling (default 42)")
    parser.set_defaults(handler=run_prepare)


def _add_inspect(subparsers: Any) -> None:
    parser = subparsers.add_parser("inspect", help="recount prepared arrays, recommend steps, show decoded samples")
    _option(parser, "dataset_dir", type=Path, required=True, help="a folder that prepare wrote")
    _option(parser, "tokenizer", type=Path, help="folder of the model; needed for samples")
    _option(parser, "show_samples", type=whole("--show_samples"), default=0, metavar="N",
            help="decode N rows of each split")
    _option(parser, "batch_size", type=whole("--batch_size", least=1), default=16,
            help="rows a step, for recommended steps (default 16)")
    _option(parser, "color", action=argparse.BooleanOptionalAction, default=None,
            help="show the loss mask in colour (default: on a terminal)")
    parser.set_defaults(handler=run_inspect)


def run_prepare(options: argparse.Namespace) -> int:
    """Prepare, and print what was made."""
    from modelqa.data.inspect import summary
    from modelqa.data.prepare import prepare
    from modelqa.data.prepared import Settings

    settings = Settings(
        options.input, options.output_dir, options.tokenizer, val_file=options.val_file, val_split=options.val_split,
        packing=options.enable_packing, block=options.pack_block_size, pack_by=options.pack_by_field,
        shuffle=options.pack_shuffle, max_length=options.max_length, on_overlong=options.on_overlong, seed=options.seed,
        disjoint=frozenset(options.disjoint),
    )
    for name, split in prepare(settings, progress=sys.stderr.isatty()).items():
        for line in summary(name, split.counts, packed=settings.packing):
            _say(line)
        for reason, number in split.dropped.items():
            _say(f"  {number} of {split.read} rows dropped: {reason}")
    _say(f"written to {options.output_dir}")
    return 0


def run_inspect(options: argparse.Namespace) -> int:
    """Print the recount; 1 when it contradicts the manifest or an episode has nothing supervised."""
    from modelqa.data.inspect import contradictions, count, load_folder, sample, summary, unsupervised
    from modelqa.record import Problem

    found = load_folder(options.dataset_dir)
    problems = contradictions(options.dataset_dir, found)
    tokens = _tokens(options.tokenizer) if options.show_samples else None
    color = sys.stdout.isatty() if options.color is None else options.color
    for name, arrays in found.items():
        for line in summary(name, count(arrays), packed=arrays.block is not None, batch_size=options.batch_size):
            _say(line)
        problems += [Problem("data.mask", row, "nothing in this episode is supervised") for row in unsupervised(arrays)]
        if tokens is not None:
            for row in range(min(options.show_samples, arrays.rows)):
                _say(sample(arrays, tokens, row, color=color))
    for problem in problems:
        _say(f"{problem.code} {problem.locus}: {problem.text}")
    return 1 if problems else 0


def _tokens(folder: Path | None) -> Any:
    from modelqa.chat import open_chat
    from modelqa.errors import UsageError

    if folder is None:
        raise UsageError("--show_samples needs --tokenizer", reason="the arrays hold ids; the tokenizer has their text",
                         remedy="name the folder of the model that the data was prepared for")
    return open_chat(folder).tokens


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
