"""Sessions of pytest, each in a process of its own that is forked after the heavy imports: those cost four seconds.

`python -m modelqa.mutants.sessions` is such a nursery: it imports, then forks a session for each line of its input.
Where processes cannot be forked, each session imports for itself.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO

SESSION_SECONDS = 1800  # a session that takes longer hangs: the suites take about a minute on a small model
# Nothing of modelqa's plugin or of the suites is imported before the fork: a session starts as on a command line.
IMPORTED = ("torch", "transformers.models.llama.modeling_llama", "transformers.generation.utils", "pandas",
            "great_expectations", "pytest")  # fmt: skip
QUIET = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")  # the nursery is a module of modelqa
HUNG = -1  # the status of a session that was ended
CANNOT_FORK = not hasattr(os, "fork")


@dataclass(frozen=True)
class Ended:
    """A session that ended: its exit status (by a signal: the negative number of it), output, and processor seconds."""

    status: int
    output: str
    seconds: float


@dataclass
class Nursery:
    """Processes that have done the imports, each for one session at a time; started when they are needed."""

    _idle: list[subprocess.Popen[str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, arguments: Sequence[str], *, log: Path, seconds: float = SESSION_SECONDS) -> Ended:
        """How `pytest ARGUMENTS` ended in a process of its own, run in this working directory.

        log  where the output stands while it runs
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            process = self._idle.pop() if self._idle else _start()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps([[*QUIET, *arguments], str(log)]) + "\n")
        process.stdin.flush()
        answered, _, _ = select.select([process.stdout], [], [], seconds)
        line = process.stdout.readline() if answered else ""
        output = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        log.unlink(missing_ok=True)
        if not line:
            process.kill()
            process.wait()
            return Ended(HUNG, output or f"no end within {seconds:.0f} seconds", seconds)
        with self._lock:
            self._idle.append(process)
        status, cost = line.split()
        return Ended(int(status), output, float(cost))

    def close(self) -> None:
        """End the processes; one that is needed again is started anew."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                process.communicate()


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )


def main(requests: IO[str], answers: IO[str]) -> None:
    """Fork a session for each request, a line [arguments, log]; its exit status is the answer."""
    if not CANNOT_FORK:
        for name in IMPORTED:
            with suppress(ImportError):  # a session that needs it says so itself
                import_module(name)
    for line in requests:
        arguments, log = json.loads(line)
        before = _spent()
        status = _alone(arguments, log) if CANNOT_FORK else _forked(arguments, log)
        answers.write(f"{status} {_spent() - before:.2f}\n")
        answers.flush()


def _spent() -> float:
    """Processor seconds of all processes that this one has started and that have ended; 0 where nobody counts them."""
    times = os.times()
    return times.children_user + times.children_system


def _alone(arguments: list[str], log: str) -> int:
    with Path(log).open("wb") as stream:
        done = subprocess.run([sys.executable, "-m", "pytest", *arguments], stdout=stream, stderr=stream, check=False)
    return done.returncode


def _forked(arguments: list[str], log: str) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        status = _session(arguments, log)
    finally:
        os._exit(status)  # nothing of the nursery's may be cleaned up twice


def _session(arguments: list[str], log: str) -> int:
    """In the child: everything that is said goes to `log`; the exit status of pytest."""
    with Path(log).open("wb") as stream, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    import pytest

    status = int(pytest.main(arguments))
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
