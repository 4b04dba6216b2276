"""`modelqa data format-lock | echo | operators | instructions | mix | prepare | inspect`.

Options, names and defaults are those of the Phase 3a guide. Names are written with underscores, as there, or with
hyphens.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from modelqa.typed import whole

MAX_ROWS = 5_000_000  # of one generated file: they are made in memory, and the guide's largest set has 11,000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of `modelqa data`; each sets `handler` to a function from options to an exit code."""
    from modelqa.data.prepare_command import add_prepare_parsers

    subparsers = parser.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    _add_format_lock(subparsers)
    _add_echo(subparsers)
    _add_operators(subparsers)
    _add_instructions(subparsers)
    _add_mix(subparsers)
    add_prepare_parsers(subparsers)


def _option(parser: argparse.ArgumentParser, name: str, **settings: Any) -> None:
    """An option in both spellings, --max_words and --max-words."""
    spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
    parser.add_argument(*spellings, dest=name, **settings)


def _add_common(parser: argparse.ArgumentParser, output: str) -> None:
    _option(parser, "output_dir", type=Path, default=Path(output), help=f"output folder (default {output})")
    _option(parser, "system", default="Be brief and exact.", help="system message of every row; empty for none")


def _add_format_lock(subparsers: Any) -> None:
    parser = subparsers.add_parser("format-lock", help="short questions and answers that teach the shape of a chat")
    _add_common(parser, "data/sft_format_lock")
    _option(parser, "mode", choices=("full", "minimal"), default="full", help="11,000 or 1,000 rows (default full)")
    _option(parser, "math", choices=("include", "exclude", "only", "minimal"), default="include",
            help="sums among them (default include)")  # fmt: skip
    _add_size(parser)
    parser.set_defaults(handler=run_format_lock)


def _add_echo(subparsers: Any) -> None:
    parser = subparsers.add_parser("echo", help="copy a text, and questions about a text that are not answered by it")
    _add_common(parser, "data/sft_echo")
    _option(parser, "gibberish", choices=("include", "exclude", "only"), default="exclude",
            help="gibberish among what is copied (default exclude)")  # fmt: skip
    _option(parser, "bpe_safe", action=argparse.BooleanOptionalAction, default=True,
            help="copy only gibberish of few tokens a word; needs --tokenizer (default on)")  # fmt: skip
    _option(parser, "tokenizer", type=Path, help="the model's tokenizer.json, or the folder that holds it")
    _option(parser, "max_target_tokens", type=int, default=4, help="tokens a gibberish word may have (default 4)")
    _option(parser, "anti_echo_ratio", type=float, default=0.2, help="share of questions (default 0.2)")
    _option(parser, "contrast_ratio", type=float, default=0.2, help="share of rows in contrast pairs (default 0.2)")
    _option(parser, "max_examples", type=whole("--max_examples", least=1), help="cap on the number of rows")
    _add_size(parser)
    parser.set_defaults(handler=run_echo)


def _add_size(parser: argparse.ArgumentParser) -> None:
    _option(parser, "n_examples", type=whole("--n_examples", least=1, most=MAX_ROWS),
            help="number of rows (default: the guide's for this mode)")
    _option(parser, "seed", type=int, default=42, help="default 42")
    _option(parser, "split", choices=("train", "val"), default="train",
            help="whose payloads and phrasings (default train)")


def _add_operators(subparsers: Any) -> None:
    parser = subparsers.add_parser("operators", help="COPY, WRAP and EXTRACT, every payload under all three")
    _add_common(parser, "data/sft_operator")
    _option(parser, "n_train", type=whole("--n_train", least=1, most=MAX_ROWS), default=5000,
            help="training examples, rounded up to a multiple of 3 (default 5000)")
    _option(parser, "n_val", type=whole("--n_val", least=1, most=MAX_ROWS), default=500,
            help="validation examples, rounded up to a multiple of 3 (default 500)")
    _option(parser, "max_words", type=int, default=4, choices=(1, 2, 3, 4),
            help="words a payload may have (default 4)")
    _option(parser, "max_tokens", type=int, default=12, help="tokens a payload may have; 0 for no limit (default 12)")
    _option(parser, "tokenizer", type=Path, help="the model's tokenizer.json, or the folder that holds it")
    _option(parser, "word_dist", type=_shares, default=(0.35, 0.30, 0.20, 0.15), metavar="A,B,C,D",
            help="shares of payloads of 1, 2, 3 and 4 words (default 0.35,0.30,0.20,0.15)")  # fmt: skip
    _option(parser, "seed_train", type=int, default=42, help="default 42")
    _option(parser, "seed_val", type=int, default=12345, help="must differ from the training seed (default 12345)")
    _option(parser, "no_german", action="store_true", help="leave German payloads and prompts out")
    parser.set_defaults(handler=run_operators)


def _add_instructions(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "instructions", help="answer from a material or say it is not there, cite, keep a format, obey who may order"
    )
    _add_common(parser, "data/sft_instructions")
    _add_size(parser)
    parser.set_defaults(handler=run_instructions)


def _add_mix(subparsers: Any) -> None:
    parser = subparsers.add_parser("mix", help="mix datasets by shares of the output")
    _option(parser, "inputs", nargs="+", required=True, metavar="[NAME=]PATH",
            help="datasets; NAME becomes meta.source")
    _option(parser, "weights", nargs="+", type=float, required=True, help="share of the output of each input; sum 1")
    _option(parser, "output", type=Path, required=True, help="the mixed file, .jsonl or .jsonl.zst")
    _option(parser, "size", type=whole("--size", least=1),
            help="rows of the output (default: the most without repeating a row)")
    _option(parser, "shuffle", action="store_true", help="shuffle the output")
    _option(parser, "seed", type=int, default=42, help="of drawing and shuffling (default 42)")
    _option(parser, "allow_shortfall", nargs="+", default=[], metavar="NAME",
            help="inputs that may fall short of their share")
    _option(parser, "replay", nargs="+", default=[], metavar="NAME=PATH:SHARE",
            help="further inputs, added to a recipe's ratios")
    _option(parser, "replay_reason", default="", help="why replay is added; required with --replay")
    parser.set_defaults(handler=run_mix)


def run_format_lock(options: argparse.Namespace) -> int:
    """See `modelqa.data.making.make_format_lock`."""
    from modelqa.data import making

    return making.make_format_lock(options)


def run_echo(options: argparse.Namespace) -> int:
    """See `modelqa.data.making.make_echo`."""
    from modelqa.data import making

    return making.make_echo(options)


def run_operators(options: argparse.Namespace) -> int:
    """See `modelqa.data.making.make_operators`."""
    from modelqa.data import making

    return making.make_operators(options)


def run_instructions(options: argparse.Namespace) -> int:
    """See `modelqa.data.making.make_instructions`."""
    from modelqa.data import making

    return making.make_instructions(options)


def run_mix(options: argparse.Namespace) -> int:
    """See `modelqa.data.making.make_mix`."""
    from modelqa.data import making

    return making.make_mix(options)


def _shares(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))
