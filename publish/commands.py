"""`modelqa card`, `modelqa postmortem`: the publisher's commands that touch no network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .card import render
from .inputs import open_inputs
from .report import make_report


def add_card_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa card`."""
    parser.add_argument("model", help="a name in models.toml")
    add_source_arguments(parser)
    parser.set_defaults(handler=print_card)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Where record, registry and words are: the same for every command that makes a card."""
    parser.add_argument("--run", type=Path, metavar="RECORD", help="run.json (default: the model's newest record)")
    parser.add_argument("--cards", type=Path, default=Path("cards"), help="folder of cards (default: cards)")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--modelqa-dir", type=Path, default=Path(".modelqa"), help="where records are kept")


def print_card(parsed: argparse.Namespace) -> int:
    """Print the card of a run; nothing is written, nobody is asked."""
    inputs = open_inputs(
        parsed.model, run=parsed.run, cards=parsed.cards, registry=parsed.models, home=parsed.modelqa_dir
    )
    report = make_report(
        inputs.stored,
        inputs.evidence,
        inputs.settings,
        waivers=inputs.model.waivers,
        postmortems=inputs.postmortem_entries,
    )
    sys.stdout.write(render(report, inputs.settings.prose).text)
    return 0
