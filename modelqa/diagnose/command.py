"""`modelqa diagnose RUN`: the diagnosis of a stored record; no model is loaded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelqa.diagnose.ladder import diagnose, lines
from modelqa.files import read_object
from modelqa.record import Run

MAX_BYTES = 16 * 1024 * 1024  # of a run.json; the largest one seen has under 1 MB


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
    """The record at `path`, or in it when it is a folder; `DataError` or `RecordError` when there is none."""
    file = path / "run.json" if path.is_dir() else path
    return Run.from_json(read_object(file, limit=MAX_BYTES, remedy="name the run.json that a run printed last"))
