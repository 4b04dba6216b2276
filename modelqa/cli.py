"""The command line. Each command's module is imported when it is called: `modelqa --help` loads only argparse."""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import sys
from collections.abc import Sequence

from modelqa.errors import ModelqaError

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
        print(f"modelqa: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader, e.g. `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("modelqa: interrupted; what was finished is kept", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that was given learns its options, and loads its module."""
    parser = argparse.ArgumentParser(
        prog="modelqa",
        description="Gates for trained language-model checkpoints, and the publisher of those that pass.",
        formatter_class=functools.partial(argparse.HelpFormatter, max_help_position=24),
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (text, home) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if given[:1] == [name]:
            module, function = home.split(":")
            getattr(importlib.import_module(module), function)(command)
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--suites", default="suites", help="the folder of suites (default: suites)")
    parser.set_defaults(handler=_run)


def _run(parsed: argparse.Namespace) -> int:
    import pytest

    return int(pytest.main([parsed.suites, "--model", parsed.model, *parsed.rest]))
