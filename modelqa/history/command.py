"""`modelqa history [MODEL ...]`: every stored run, in the terminal or as an HTML page."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.files import write_text
from modelqa.history.database import PastRun, model_names, open_history, past_runs
from modelqa.history.page import history_page
from modelqa.history.show import LEGEND, gate_names, history_lines
from modelqa.models import nearest
from modelqa.records import HOME
from modelqa.text import escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa history`."""
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names of models (default: all that were run)")
    parser.add_argument("--gate", action="append", default=[], help="show this gate (may be given again)")
    parser.add_argument("--dir", type=Path, default=Path(HOME), help=f"where the records are (default: {HOME})")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with a picture for each gate")
    parser.set_defaults(handler=history)


def _check_gates(asked: Sequence[str], models: Iterable[Sequence[PastRun]]) -> None:
    known = sorted({gate for runs in models for gate in gate_names(runs)})
    if wrong := [gate for gate in asked if gate not in known]:
        named = ", ".join(escape(gate, "terminal") for gate in known)
        raise UsageError(
            f"no run has the gate {wrong[0]!r}",
            reason=f"there are {named}" if known else "no run has been stored there",
            remedy=nearest(wrong[0], known) or "name one of these, or leave --gate out",
        )


def history(parsed: argparse.Namespace) -> int:
    """Print each gate of each model over time; records that cannot be read are named."""
    with open_history(parsed.dir) as (database, unread):
        known = model_names(database)
        if wrong := [name for name in parsed.models if name not in known]:
            raise UsageError(
                f"there is no run of {wrong[0]!r} under {parsed.dir}",
                reason=f"there are runs of {', '.join(known)}" if known else "no run has been stored there",
                remedy=nearest(wrong[0], known) or f"pytest suites/ --model {wrong[0]}",
            )
        models = {name: past_runs(database, name) for name in parsed.models or known}
    _check_gates(parsed.gate, models.values())
    for runs in models.values():
        print("\n".join(history_lines(runs, gates=parsed.gate)) + "\n")
    print(LEGEND if models else f"no run has been stored under {parsed.dir}")
    for record in unread:
        print(f"note: {escape(str(record.path), 'terminal')} is left out: {escape(record.reason, 'terminal')}")
    if parsed.html:
        write_text(parsed.html, history_page(models))
        print(f"page: {parsed.html}")
    return 0
