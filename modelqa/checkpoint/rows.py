"""The rows of the input embedding: zero, twice the same, far too large, or never trained. Streamed, in two passes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelqa.checkpoint.names import find_either
from modelqa.checkpoint.opening import Checkpoint
from modelqa.checkpoint.tensors import blocks
from modelqa.record import Problem

TOLERATED = 0.01  # share of ordinary rows that may be zero or equal: large vocabularies hold tokens nobody trains
OUTLIER = 10.0  # times the median norm of all rows; trained rows stay within about three times
RANGE = 2.0  # a special row's norm may leave the range of ordinary rows by this factor
TAILS = (0.5, 99.5)  # percentiles that are called the range: a few odd rows do not stretch it
AT_THE_MEAN = 0.99  # cosine: a row that was set to the mean of all rows and then never moved
_HASH = 16  # bytes; 2^64 rows would be needed to meet by chance


@dataclass(frozen=True)
class Rows:
    """What is known of each row of the embedding: its norm, its cosine with the mean row, and the first row it equals.

    first  the row's own number when it is the first of its kind
    """

    name: str
    norms: NDArray[np.float64]
    cosines: NDArray[np.float64]
    first: NDArray[np.int64]


def embedding_rows(checkpoint: Checkpoint) -> Rows:
    """Measure the input embedding (the output matrix where only that is stored); memory for one block and three numbers
    a row.
    """
    embedding, head = find_either(checkpoint)
    tensor = embedding or head
    assert tensor is not None  # find_either returns at least one
    norms, first = np.zeros(tensor.shape[0]), np.zeros(tensor.shape[0], np.int64)
    total = np.zeros(tensor.shape[1])
    seen: dict[bytes, int] = {}
    at = 0
    for block in blocks(checkpoint, tensor.name):
        norms[at : at + len(block)] = np.linalg.norm(block.astype(np.float64), axis=1)
        total += block.sum(axis=0, dtype=np.float64)
        for number, row in enumerate(block, at):
            first[number] = seen.setdefault(hashlib.blake2b(row.tobytes(), digest_size=_HASH).digest(), number)
        at += len(block)
    mean = total / max(1, at)
    parts = [block.astype(np.float64) @ mean for block in blocks(checkpoint, tensor.name)]
    products = np.concatenate(parts) if parts else np.zeros(0)
    scale = norms * np.linalg.norm(mean)
    return Rows(tensor.name, norms, np.divide(products, scale, out=np.zeros_like(scale), where=scale > 0), first)


def row_problems(rows: Rows, ids: Collection[int], idle: Collection[int] = ()) -> list[Problem]:
    """Codes weights.zero_rows, weights.duplicate_rows, weights.outlier_row over the rows of the tokenizer's `ids`: more
    than 1% of them zero, or equal to another, or one with ten times the usual norm. Locus = the first such row.

    idle  ids that may never have been trained: all of their rows end at the same place, and that is no finding
    """
    known = np.array(sorted(number for number in ids if 0 <= number < len(rows.norms)), dtype=np.int64)
    if not len(known):
        return []
    norms = rows.norms[known]
    busy = ~np.isin(known, np.fromiter(idle, dtype=np.int64))
    zero = known[busy & (norms == 0)]
    twice = known[busy & (rows.first[known] != known) & (norms > 0)]
    median = float(np.median(norms))
    large = known[norms > OUTLIER * median] if median > 0 else known[:0]
    found = []
    for code, which, what in (
        ("weights.zero_rows", zero, "are all zero"),
        ("weights.duplicate_rows", twice, "equal another row"),
    ):
        if len(which) > TOLERATED * len(known):
            found.append(Problem(code, f"row {which[0]}", f"{len(which)} of {len(known)} rows of {rows.name} {what}"))
    if len(large):
        text = f"{rows.name} row {large[0]} has the norm {rows.norms[large[0]]:.3g}; the usual one is {median:.3g}"
        found.append(Problem("weights.outlier_row", f"row {large[0]}", text))
    return found


def special_row_problems(rows: Rows, used: Mapping[str, int]) -> list[Problem]:
    """Codes weights.special_norm and weights.untrained_row over the tokens {text: id} that the template writes: a norm
    outside the range of ordinary rows (bad initialisation, spikes), or a row that still is the mean of all rows, zero,
    or the same as another one of them (the model cannot tell them apart).
    """
    low, high = np.percentile(rows.norms[rows.norms > 0], TAILS) if (rows.norms > 0).any() else (0.0, 0.0)
    found: list[Problem] = []
    first_of: dict[int, str] = {}
    for token, number in sorted(used.items(), key=lambda item: item[1]):
        if not 0 <= number < len(rows.norms):
            continue  # no row at all: the vocabulary gate's finding
        norm, cosine = float(rows.norms[number]), float(rows.cosines[number])
        twin = first_of.setdefault(int(rows.first[number]), token)
        if norm == 0 or cosine > AT_THE_MEAN or twin != token:
            same = f"equals that of {twin!r}" if twin != token else "is the mean of all rows"
            what = "is zero" if norm == 0 else same
            found.append(Problem("weights.untrained_row", token, f"the row of {token!r} {what}: it was never trained"))
        elif not low / RANGE <= norm <= high * RANGE:
            text = f"the row of {token!r} has the norm {norm:.3g}; ordinary rows have {low:.3g} to {high:.3g}"
            found.append(Problem("weights.special_norm", token, text))
    return found
