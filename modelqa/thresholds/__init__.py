"""What a suites folder demands, and the ledger of what became looser since the last release.

Numbers that are lowered quietly make every model better without changing one.

    stated(root)              what a record keeps: the bars in force, what is looser since the release, the reasons
    loosened(before, now)     the comparison, of any two sets of bars; `explained` adds the reasons

`bars` reads a suites folder, `changes` compares, `ledger` holds the two files, `command` is modelqa thresholds.
"""

from modelqa.thresholds.bars import in_force
from modelqa.thresholds.changes import Change, explained, loosened, loosened_along
from modelqa.thresholds.ledger import ledger_problems, read_ledger, released, stated, write_released

__all__ = [
    "Change",
    "explained",
    "in_force",
    "ledger_problems",
    "loosened",
    "loosened_along",
    "read_ledger",
    "released",
    "stated",
    "write_released",
]
