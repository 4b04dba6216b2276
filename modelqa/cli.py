"""The command line. Each command's module is imported when it is called: `modelqa --help` loads only argparse."""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from modelqa.errors import ModelqaError, of_system

EXAMPLES = {  # one command line each, shown by --help
    "run": "modelqa run phase3a2 -k echo",
    "diagnose": "modelqa diagnose .modelqa/runs/phase3a2/a5680430d9a3",
    "compare": "modelqa compare phase3a1_gamma phase3a2",
    "history": "modelqa history phase3a2 --html history.html",
    "generate": 'modelqa generate --model phase3a2 --prompt "Say: Hello"',
    "data": "modelqa data operators --output_dir data/operators",
    "preflight": "modelqa preflight my-base --train data/train.jsonl --intended-rows 12000",
    "capture": "modelqa capture checkpoints/my-sft/capture.safetensors --tokenizer checkpoints/my-sft",
    "mutants": "modelqa mutants --model phase3a2 --kind weights --rung weights",
    "loads": "modelqa loads phase3a2 --with 4.57",
    "import": "modelqa import results_2026.json --model my-sft --out results/my-sft.json",
    "lm-eval": "modelqa lm-eval my-sft --task my_task --include tasks --out results",
    "scaling": "modelqa scaling phase3a2 --out scaling.svg",
    "gates": "modelqa gates echo_basic",
    "thresholds": "modelqa thresholds",
    "card": "modelqa card phase3a2 > README.md",
    "postmortem": "modelqa postmortem new RUN_A/run.json RUN_B/run.json --id lost-operators",
    "publish": "modelqa publish phase3a2 --to ORG/NAME --dry-run",
    "verify": "modelqa verify ORG/NAME --replay 20",
    "rollback": "modelqa rollback ORG/NAME --to v3 --dry-run",
}
INTERRUPTED = 130  # what shells use for a process that Ctrl-C ended
COMMANDS = {  # name: (help, module:function that adds its options and sets `handler`)
    "run": ("judge a checkpoint; further options go to pytest", "modelqa.cli:_add_run_arguments"),
    "diagnose": ("what a failed run most likely means, from its record", "modelqa.diagnose.command:add_arguments"),
    "compare": ("stored runs side by side, on the same cases", "modelqa.compare.command:add_arguments"),
    "history": ("each gate of each model over time", "modelqa.history.command:add_arguments"),
    "generate": ("ask a model by hand", "modelqa.by_hand:add_arguments"),
    "data": ("make, mix, prepare and inspect datasets", "modelqa.data.commands:add_arguments"),
    "preflight": ("check data, template, mask and stop token before training", "modelqa.preflight:add_arguments"),
    "capture": ("show what a trainer really fed", "modelqa.training.capture:add_arguments"),
    "mutants": ("make defective siblings and see which gates kill them", "modelqa.mutants.command:add_arguments"),
    "loads": ("load a checkpoint under another version of transformers", "modelqa.loads:add_arguments"),
    "import": ("read results of lm_eval, lighteval, inspect_ai or a CSV", "modelqa.benchmarks.command:add_arguments"),
    "lm-eval": ("run tasks of lm-evaluation-harness through our engine", "modelqa.tasks.command:add_arguments"),
    "scaling": ("parameters and training tokens, beside known models", "modelqa.scaling:add_arguments"),
    "gates": ("the page of each gate: what it asks, and how it fails", "modelqa.handbook.command:add_arguments"),
    "thresholds": ("what is demanded less than at the last release", "modelqa.thresholds.command:add_arguments"),
    "card": ("print the card of a run", "modelqa.publish.commands:add_card_arguments"),
    "postmortem": ("begin a postmortem, or check them", "modelqa.publish.commands:add_postmortem_arguments"),
    "publish": ("publish a judged model with its card", "modelqa.publish.hub_commands:add_publish_arguments"),
    "verify": ("compare a release with what it says of itself", "modelqa.publish.hub_commands:add_verify_arguments"),
    "rollback": ("an earlier release's files again", "modelqa.publish.hub_commands:add_rollback_arguments"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. A user's mistake prints three lines and no traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed, rest = _parser(given).parse_known_args(given)
        if rest and parsed.command != "run":
            _parser(given).error(f"unrecognized arguments: {' '.join(rest)}")
        if parsed.command == "run":
            parsed.rest = rest
        status: int = parsed.handler(parsed)
    except ModelqaError as error:
        return _told(error)
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a path that may not be read or searched, or is too long
        return _told(of_system(error))
    except KeyboardInterrupt:
        print("modelqa: interrupted; what was finished is kept", file=sys.stderr)
        return INTERRUPTED
    return status


def _told(error: ModelqaError) -> int:
    """Print the three lines; the exit status that goes with them."""
    print(f"modelqa: {error}", file=sys.stderr)
    return error.exit_code


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of one command, with its options."""
    parser = argparse.ArgumentParser(prog=f"modelqa {name}", **_described(name))
    _add_options(name, parser)
    return parser


def _described(name: str) -> dict[str, Any]:
    """What --help says around the options: the command's one line, and an example."""
    text = COMMANDS[name][0]
    example = f"example: {EXAMPLES[name]}"
    return {"description": f"{text[:1].upper()}{text[1:]}.", "epilog": example}


def _add_options(name: str, parser: argparse.ArgumentParser) -> None:
    module, function = COMMANDS[name][1].split(":")
    getattr(importlib.import_module(module), function)(parser)


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that was given learns its options, and loads its module."""
    parser = argparse.ArgumentParser(
        prog="modelqa",
        description="Gates for trained language-model checkpoints, and the publisher of those that pass.",
        formatter_class=functools.partial(argparse.HelpFormatter, max_help_position=24),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, _) in COMMANDS.items():
        command = commands.add_parser(name, help=text, **_described(name))
        if given[:1] == [name]:
            _add_options(name, command)
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--suites", default="suites", help="the folder of suites (default: suites)")
    parser.add_argument("--engine", help="a server that makes the replies: http://HOST:PORT/v1 (OpenAI-compatible)")
    parser.add_argument("--served", help="the name that the server knows the model by")
    parser.set_defaults(handler=_run)


def _run(parsed: argparse.Namespace) -> int:
    import pytest

    named = {"--modelqa-engine": parsed.engine, "--modelqa-served": parsed.served}
    options = [part for name, value in named.items() if value is not None for part in (name, value)]
    return int(pytest.main([parsed.suites, "--model", parsed.model, *options, *parsed.rest]))
