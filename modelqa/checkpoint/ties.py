"""Are input embedding and output matrix one, as the config says? Judged from the file.

A loader that ties the two in memory before it reads the file hides the defect, and transformers 5 does not tie two
different stored matrices but only warns: either way only the file shows what was saved.
"""

from __future__ import annotations

import numpy as np

from modelqa.checkpoint.header import Stored, TensorInfo
from modelqa.checkpoint.names import find_either, tie_flag
from modelqa.checkpoint.tensors import blocks, lookup
from modelqa.record import Problem

_CODE = "weights.untied"


def tied(checkpoint: Stored, first: str, second: str) -> bool:
    """See `Checkpoint.tied`."""
    stored = [name for name in (first, second) if name in checkpoint.tensors]
    if len(stored) < 2:
        lookup(checkpoint, stored[0] if stored else first)
        return True
    one, two = lookup(checkpoint, first), lookup(checkpoint, second)
    return one.shape == two.shape and difference(checkpoint, one, two)[0] == 0


def tie_problems(checkpoint: Stored) -> list[Problem]:
    """Problems "weights.untied": the config ties the embeddings and the file holds two different ones, or it does not
    and the file lacks the output matrix. Locus = the output matrix. Two equal copies are fine whatever the config says.
    """
    embedding, head = find_either(checkpoint)
    if embedding is not None and head is not None:
        return _both(checkpoint, embedding, head) if tie_flag(checkpoint.config) else []
    if tie_flag(checkpoint.config):
        return []
    stored, missing = (embedding, "lm_head.weight") if embedding else (head, "the input embedding")
    assert stored is not None  # find_either returns at least one
    text = (f"the config does not tie the embeddings (tie_word_embeddings false), and the file holds {stored.name} "
            f"but not {missing}: a loader fills it with random numbers")  # fmt: skip
    return [Problem(_CODE, missing if embedding else stored.name, text)]


def _both(checkpoint: Stored, embedding: TensorInfo, head: TensorInfo) -> list[Problem]:
    says = "the config ties the embeddings (tie_word_embeddings true), and the file holds two:"
    if embedding.shape != head.shape:
        shapes = f"{embedding.name} {list(embedding.shape)}, {head.name} {list(head.shape)}"
        return [Problem(_CODE, head.name, f"{says} {shapes}")]
    rows, largest = difference(checkpoint, embedding, head)
    if rows == 0:
        return []
    text = f"{says} {head.name} differs from {embedding.name} in {rows} of {head.shape[0]} rows, by up to {largest:.6g}"
    return [Problem(_CODE, head.name, text)]


def difference(checkpoint: Stored, one: TensorInfo, two: TensorInfo) -> tuple[int, float]:
    """(rows that differ, largest absolute difference of finite values) of two tensors of one shape; NaN equals NaN."""
    rows, largest = 0, 0.0
    for left, right in zip(blocks(checkpoint, one.name), blocks(checkpoint, two.name), strict=True):
        differs = (left != right) & ~(np.isnan(left) & np.isnan(right))
        rows += int(differs.any(axis=1).sum())
        finite = differs & np.isfinite(left) & np.isfinite(right)
        largest = max(largest, float(np.abs(left - right, where=finite, out=np.zeros_like(left)).max()))
    return rows, largest
