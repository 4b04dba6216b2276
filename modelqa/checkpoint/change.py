"""What training changed: the weights beside those of the parent, group by group. Streamed from both files."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from modelqa.checkpoint.names import EMBEDDINGS, HEADS
from modelqa.checkpoint.opening import Checkpoint
from modelqa.checkpoint.tensors import EXACT, blocks
from modelqa.checkpoint.vocabulary import entries, special_tokens
from modelqa.record import Problem

STILL = 0.01  # of the other groups' relative change: a backbone that moves a hundred times less was not trained
SAME_TOKENIZER = 0.98  # share of the smaller tokenizer's tokens that the other has; with fewer they are two
_BACKBONE = re.compile(r"\.(?:layers|h|blocks|block)\.\d+\.")


def changes(own: Checkpoint, parent: Checkpoint) -> dict[str, float]:
    """{group: relative change} of the tensors that both hold: the Euclidean norm of the difference over that of the
    parent's values. Groups are embedding, head, backbone (matrices of the layers) and rest. Rows that only one of the
    two has (a grown vocabulary) are left out; tensors of other shapes too.
    """
    sums: dict[str, list[float]] = {}
    for name in sorted(own.tensors.keys() & parent.tensors.keys()):
        one, two = own.tensors[name], parent.tensors[name]
        if one.shape[1:] != two.shape[1:] or {one.dtype, two.dtype} & EXACT:
            continue
        total = sums.setdefault(_group(name, len(one.shape)), [0.0, 0.0])
        for mine, theirs in zip(blocks(own, name), blocks(parent, name), strict=False):
            rows = min(len(mine), len(theirs))
            difference = mine[:rows].astype(np.float64) - theirs[:rows]
            total[0] += float(np.square(difference[np.isfinite(difference)]).sum())  # others: the finite gate's finding
            total[1] += float(np.square(theirs[:rows].astype(np.float64)).sum())
    return {group: math.sqrt(moved / held) if held else 0.0 for group, (moved, held) in sorted(sums.items())}


def _group(name: str, dimensions: int) -> str:
    for group, endings in (("embedding", EMBEDDINGS), ("head", HEADS)):
        if any(name == ending or name.endswith(f".{ending}") for ending in endings):
            return group
    return "backbone" if dimensions > 1 and _BACKBONE.search(f".{name}") else "rest"


def change_problems(moved: Mapping[str, float]) -> list[Problem]:
    """Code weights.unchanged: nothing differs from the parent, so the weights of step 0 were saved, or the wrong file.
    Code weights.frozen: the layers stand still while the rest moves (a rate too low for them, or frozen by mistake).
    """
    if not moved:
        return []
    if not any(moved.values()):
        return [Problem("weights.unchanged", "all tensors", "the weights are those of the parent: nothing was trained")]
    others = max((value for group, value in moved.items() if group in ("embedding", "head")), default=0.0)
    backbone = moved.get("backbone")
    if backbone is None or backbone > STILL * others:
        return []
    text = f"the layers moved by {backbone:.2g} of their size, what is around them by {others:.2g}: not trained"
    return [Problem("weights.frozen", "backbone", text)]


def id_map_problems(own: Checkpoint, parent: Checkpoint) -> list[Problem]:
    """Code weights.id_map: tokens that have another id than in the parent's tokenizer, while the embedding rows were
    trained under the old ids; special tokens first. Locus = the token. Not judged where the parent has other tokens.
    """
    mine, theirs = dict(entries(own)), dict(entries(parent))
    shared = mine.keys() & theirs.keys()
    if len(shared) < SAME_TOKENIZER * min(len(mine), len(theirs)):
        return []
    special = special_tokens(own) | special_tokens(parent)
    moved = [token for token in shared if mine[token] != theirs[token]]
    return [
        Problem("weights.id_map", token, f"{token!r} has the id {mine[token]}, and the parent {theirs[token]} for it")
        for token in sorted(moved, key=lambda token: (token not in special, token))
    ]
