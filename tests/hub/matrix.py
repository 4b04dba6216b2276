"""All fault schedules, enumerated from a recorded trace, run and counted: `make test-publish`.

python -m hub.matrix [--every N] [--workers N]      with tests/ on the path
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tqdm import tqdm

from hub.faults import Call, Fault
from hub.trial import Outcome, clean_trace, run_schedule

STATUSES = ("401", "403", "404", "408", "409", "412", "429", "500", "503", "507")  # 507: the Hub's disk is full
ANSWERS = ("truncate", "corrupt")  # faults of an answer's body
SPACES = (90, 600)  # bytes a file may have on the publisher's disk: too few for any download, or for the tensors


@dataclass(frozen=True)
class Schedule:
    """One thing that happens to one publisher; `between`: a third party commits just before that call."""

    xet: bool
    fault: Fault | None = None
    between: Call | None = None
    space: int | None = None

    @property
    def kind(self) -> str:
        """The row of the matrix."""
        if self.fault:
            return f"{self.fault.kind} for ever" if self.fault.always else self.fault.kind
        return "third party" if self.between else "disk full here"

    def __str__(self) -> str:
        what = self.fault or (f"a third party before {self.between.name} #{self.between.number}" if self.between
                              else f"files of {self.space} bytes at most")  # fmt: skip
        return f"{'xet' if self.xet else 'lfs'}: {what}"

    def run(self) -> Outcome:
        """What came of it."""
        return run_schedule(self.fault, xet=self.xet, between=self.between, space=self.space)


def schedules(xet: bool) -> list[Schedule]:
    """Every distinct schedule of one storage mode: call x fault x before or after its effect."""
    found = [Schedule(xet, space=space) for space in SPACES]
    for call in clean_trace(xet):
        found += [Schedule(xet, fault) for fault in _faults(call)]
        found.append(Schedule(xet, between=call))
    assert len(set(found)) == len(found)
    return found


def _faults(call: Call) -> Iterator[Fault]:
    for kind in ("drop", "slow", "kill", *STATUSES):
        yield Fault(call, kind)
        if call.writes:
            yield Fault(call, kind, after=True)
    for kind in ANSWERS if not call.name.startswith("HEAD") else ():
        yield Fault(call, kind)
    for kind in ("drop", "503"):
        yield Fault(call, kind, always=True)


def xet_is_possible() -> str:
    """Why the Xet mode cannot be tested here; empty when it can."""
    try:
        clean_trace(xet=True)
    except AssertionError as refusal:
        return f"hf_xet refuses its local store: {refusal}"
    return ""


def main() -> int:
    """Run all schedules, or every Nth; print the matrix, the count and whatever was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    logging.disable()  # what the client says about each of its retries
    refusal = xet_is_possible()
    planned = schedules(xet=False) + ([] if refusal else schedules(xet=True))
    planned = planned[:: options.every]
    start, wrong, cells = time.monotonic(), 0, Counter[tuple[str, str]]()
    with ThreadPoolExecutor(options.workers) as pool:
        outcomes = tqdm(pool.map(Schedule.run, planned), total=len(planned), unit="schedule")
        for schedule, outcome in zip(planned, outcomes, strict=True):
            cells[schedule.kind, outcome.first.how] += 1
            for text in outcome.wrong:
                wrong += 1
                print(f"WRONG {schedule}: {text}", flush=True)
    print(_table(cells))
    if refusal:
        print(f"Xet was left out: {refusal}")
    print(f"{len(planned)} distinct schedules in {(time.monotonic() - start) / 60:.1f} min: {wrong} wrong "
          "(mixed states, lost releases, crashes, faults that never fired)")  # fmt: skip
    return 1 if wrong else 0


def _table(cells: Counter[tuple[str, str]]) -> str:
    columns = ("published", "refused", "killed", "crashed")
    rows = [f"{'fault':16}" + "".join(f"{name:>11}" for name in columns)]
    for kind in dict.fromkeys(kind for kind, _ in cells):
        rows.append(f"{kind:16}" + "".join(f"{cells[kind, column] or '':>11}" for column in columns))
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
