"""The order in which a stage sees its rows: batches of one length class, shuffled, for a stated number of passes.

Pure functions of lengths and a seed; no torch. Padding is what mixed lengths cost: here under 5% of the slots.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

SHUFFLE_WINDOW = 40  # batches sorted together: short enough to mix rows anew in each pass, long enough to sort well


def plan_batches(lengths: Sequence[int], *, passes: float, tokens: int, seed: int) -> list[list[int]]:
    """Batches of row numbers that go through all rows `passes` times; each holds at most `tokens` padded tokens.

    `lengths` are in tokens. A fractional pass takes a random share of the rows. A row longer than `tokens` has a
    batch of its own. Within a pass no row is repeated.
    """
    generator = random.Random(seed)
    batches: list[list[int]] = []
    remaining = passes
    while remaining > 1e-9:
        rows = list(range(len(lengths)))
        generator.shuffle(rows)
        rows = rows[: round(len(rows) * min(1.0, remaining))]
        once = _one_pass(rows, lengths, tokens)
        generator.shuffle(once)
        batches.extend(once)
        remaining -= 1
    return batches


def _one_pass(rows: list[int], lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Cut shuffled `rows` into windows, sort each by length, fill batches up to the padded-token budget."""
    mean = max(1.0, sum(lengths[row] for row in rows) / max(1, len(rows)))
    window = max(1, round(SHUFFLE_WINDOW * tokens / mean))
    batches: list[list[int]] = []
    for start in range(0, len(rows), window):
        batch: list[int] = []
        for row in sorted(rows[start : start + window], key=lambda index: lengths[index]):
            if batch and (len(batch) + 1) * lengths[row] > tokens:
                batches.append(batch)
                batch = []
            batch.append(row)
        if batch:
            batches.append(batch)
    return batches


class PlannedBatches:
    """A batch sampler that walks through a plan once, a pass at a time: `Trainer` then counts passes as epochs."""

    def __init__(self, plan: Sequence[Sequence[int]], *, passes: float) -> None:
        self._plan = plan
        self._in_a_pass = max(1, round(len(plan) / passes))
        self._next = 0

    def __len__(self) -> int:
        return self._in_a_pass

    def __iter__(self) -> Iterator[list[int]]:
        start, self._next = self._next, self._next + self._in_a_pass
        for batch in self._plan[start : self._next]:
            yield list(batch)
