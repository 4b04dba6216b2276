"""Runs laid side by side: the same cases, paired. No torch.

`pairing` one gate in two runs, `chain` runs in a row, `reading` fixed prompts to be read, `show` and `command` print.
"""

from modelqa.compare.chain import Chain, Step, compare_runs
from modelqa.compare.pairing import (
    Comparison,
    adjusted,
    compare_outcomes,
    numbers,
    regression_problems,
    unchanged_problems,
)
from modelqa.compare.reading import READING, Reading, columns_of, readings

__all__ = [
    "READING",
    "Chain",
    "Comparison",
    "Reading",
    "Step",
    "adjusted",
    "columns_of",
    "compare_outcomes",
    "compare_runs",
    "numbers",
    "readings",
    "regression_problems",
    "unchanged_problems",
]
