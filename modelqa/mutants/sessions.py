"""Sessions of pytest, each in a process of its own that is forked after the heavy imports: those cost four seconds.

Where processes cannot be forked, each imports for itself.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Sequence
from multiprocessing.context import BaseContext
from pathlib import Path

SESSION_SECONDS = 1800  # a session that takes longer hangs: the suites take about a minute on a small model
# Nothing of modelqa or pytest is imported before the fork: a session starts as it does on a command line.
IMPORTED = ("torch", "transformers.models.llama.modeling_llama", "transformers.generation.utils", "pandas",
            "great_expectations")  # fmt: skip
QUIET = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")  # by the line that starts the child
HUNG = -1  # the status of a session that was ended


def judge(arguments: Sequence[str], *, log: Path, seconds: float = SESSION_SECONDS) -> tuple[int, str]:
    """(exit status, output) of `pytest ARGUMENTS` in a process of its own, run in this working directory.

    log  where the output stands while it runs; a session that ends by a signal has the negative number of it
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    child = _context().Process(target=_session, args=([*QUIET, *arguments], str(log)))  # type: ignore[attr-defined]
    child.start()
    child.join(seconds)
    if child.is_alive():
        child.kill()
        child.join()
        return HUNG, f"no end within {seconds:.0f} seconds"
    output = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    log.unlink(missing_ok=True)
    return child.exitcode or 0, output


def _context() -> BaseContext:
    """Processes forked from a server that has done the imports, or started anew where there is no fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *IMPORTED])
    return context


def _session(arguments: list[str], log: str) -> None:
    """In the child: everything that is said goes to `log`, and the exit status is pytest's."""
    with Path(log).open("wb") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    sys.path.insert(0, str(Path.cwd()))  # as `python -m pytest` does: injected faults are modules of the project
    import pytest

    raise SystemExit(int(pytest.main(arguments)))
