"""Defects that only a second way of computing shows: a type that overflows, a config that a merge left wrong."""

from __future__ import annotations

import numpy as np

from modelqa.checkpoint import read
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import layers, set_config
from modelqa.mutants.tensors import rewrite, store

SCALE = 2.0**14  # a hidden unit of size 4 leaves the range of float16; its matrix back stays within 1% of its numbers


def _half_overflow(sibling: Sibling) -> Damage:
    """All weights in float16, the hidden units of a middle MLP many times larger, and its output matrix smaller.

    The hidden units are linear in `up_proj`, so nothing changes for whoever computes in float32.
    """
    checkpoint = sibling.checkpoint
    stack = layers(checkpoint)
    names = stack[sorted(stack)[len(stack) // 2]]
    up, down = (next((n for n in names if n.endswith(f"mlp.{part}_proj.weight")), "") for part in ("up", "down"))
    if not up or not down:
        raise NotApplicable("its layers have other names than Llama's")
    if {tensor.dtype for tensor in checkpoint.tensors.values()} - {"BF16", "F16", "F32"}:
        raise NotApplicable("it is quantised")
    factors = {up: SCALE, down: 1 / SCALE}
    changed = {name: read(checkpoint, name) * np.float32(factors.get(name, 1.0)) for name in checkpoint.tensors}
    rewrite(checkpoint, {name: store(values, "F16") for name, values in changed.items()})
    set_config(sibling, dtype="float16")
    return sibling.damaged("")


PARITIES = (
    Kind("half_overflow", "weights", "the activations of one layer overflow in float16, in which it is stored",
         ("F56",), (Expected("parity.dtype", "control"),), _half_overflow),
)  # fmt: skip
