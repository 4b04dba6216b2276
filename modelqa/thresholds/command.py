"""`modelqa thresholds`: what is looser than at the last release, and why."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.phases import TABLE
from modelqa.text import escape
from modelqa.thresholds.changes import Change
from modelqa.thresholds.ledger import LEDGER, RELEASED, stated, write_released

UNEXPLAINED = 1  # exit status when a loosening has no reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa thresholds`."""
    parser.add_argument("--suites", type=Path, default=Path("suites"), help="the folder of suites (default: suites)")
    parser.add_argument("--release", metavar="NAME", help="after a release: note what is demanded now as its demands")
    parser.set_defaults(handler=show)


def show(parsed: argparse.Namespace) -> int:
    """Print each loosening with its reason; 1 when one has none."""
    root: Path = parsed.suites
    if not (root / TABLE).is_file():
        raise UsageError(f"{root} is no folder of suites", reason=f"there is no {TABLE} in it",
                         remedy="run it in the checkout, or name the folder with --suites")  # fmt: skip
    standing = stated(root)
    changes = [Change(**row) for row in standing["loosened"]]
    for change in changes:
        print(escape(change.text, "terminal"))
    unexplained = [change for change in changes if not change.because]
    if parsed.release and unexplained:
        raise UsageError(f"{len(unexplained)} of these have no reason",
                         reason="what a release demands is the measure from then on",
                         remedy=f"write a [[loosened]] row for each into {root / LEDGER}")  # fmt: skip
    if parsed.release:
        write_released(root, parsed.release)
        print(f"{root / RELEASED}: {len(standing['bars'])} bars are those of {escape(parsed.release, 'terminal')}")
        return 0
    since = standing["release"] or f"nothing: there is no {root / RELEASED}, which --release NAME writes"
    print(escape(f"{len(changes)} looser than at {since}; {len(unexplained)} without a reason", "terminal"))
    return UNEXPLAINED if unexplained or not standing["release"] else 0
