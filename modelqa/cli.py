"""The command line. Each command's module is imported when it is called: `modelqa --help` loads only argparse.

modelqa run MODEL            the gates, as `pytest suites/ --model MODEL`
modelqa data ...             make, mix, prepare and inspect datasets
modelqa preflight MODEL      data, template, mask, stop and count gates before money is spent on training
modelqa capture FILE         what a trainer really fed, as a person reads it
modelqa generate --model M   ask a model by hand
modelqa mutants --model M    make defective siblings and see which gates kill them
modelqa loads MODEL --with V does it load, and say the same, under another transformers
modelqa diagnose RUN         what a failed run most likely means, from its record
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from modelqa.errors import ModelqaError

INTERRUPTED = 130  # what shells use for a process that Ctrl-C ended


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
    parser = argparse.ArgumentParser(prog="modelqa", description="Gates for trained language-model checkpoints.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="judge a checkpoint; further options go to pytest", add_help=True)
    run.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    run.add_argument("--suites", default="suites", help="the folder of suites (default: suites)")
    run.set_defaults(handler=_run)
    data = commands.add_parser("data", help="make, mix, prepare and inspect datasets")
    commands_of_data = data.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    if given[:1] == ["data"]:
        from modelqa.data.commands import add_parsers

        add_parsers(commands_of_data)
    preflight = commands.add_parser("preflight", help="check data, template, mask and stop token before training")
    if given[:1] == ["preflight"]:
        from modelqa.preflight import add_arguments

        add_arguments(preflight)
    capture = commands.add_parser("capture", help="show what a trainer really fed")
    if given[:1] == ["capture"]:
        from modelqa.training.capture import add_arguments as add_capture_arguments

        add_capture_arguments(capture)
    loads = commands.add_parser("loads", help="load a checkpoint under another version of transformers")
    if given[:1] == ["loads"]:
        from modelqa.loads import add_arguments as add_loads_arguments

        add_loads_arguments(loads)
    diagnose = commands.add_parser("diagnose", help="explain a stored record")
    if given[:1] == ["diagnose"]:
        from modelqa.diagnose.command import add_arguments as add_diagnose_arguments

        add_diagnose_arguments(diagnose)
    generate = commands.add_parser("generate", help="ask a model by hand")
    if given[:1] == ["generate"]:
        from modelqa.by_hand import add_arguments as add_generate_arguments

        add_generate_arguments(generate)
    mutants = commands.add_parser("mutants", help="make defective siblings and see which gates kill them")
    if given[:1] == ["mutants"]:
        from modelqa.mutants.command import add_arguments as add_mutants_arguments

        add_mutants_arguments(mutants)
    return parser


def _run(parsed: argparse.Namespace) -> int:
    import pytest

    return int(pytest.main([parsed.suites, "--model", parsed.model, *parsed.rest]))
