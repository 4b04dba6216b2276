"""`modelqa diagnose RUN`: the diagnosis of a stored record; no model is loaded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelqa.diagnose.ladder import diagnose, lines
from modelqa.record import Run
from modelqa.records import read_stored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa diagnose`."""
    parser.add_argument("record", type=Path, help="a run.json, or the folder that holds it")
    parser.set_defaults(handler=run)


def run(options: argparse.Namespace) -> int:
    """Print the diagnosis; 0 also when there is much to explain."""
    found = lines(diagnose(read_run(options.record)))
    sys.stdout.write("\n".join(found or ["nothing to explain: no gate failed"]) + "\n")
    return 0


def read_run(path: Path) -> Run:
    """The record at `path`, or in it when it is a folder; `RecordError` when there is none."""
    return read_stored(path).run
