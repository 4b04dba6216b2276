"""Defects that only a second way of computing shows: packs that leak, a type that overflows, a merge misconfigured."""

from __future__ import annotations

from functools import partial

import numpy as np

from modelqa.checkpoint import read
from modelqa.data.captured import FedRow, read_capture, write_capture
from modelqa.files import read_json
from modelqa.mutants.adapters import with_adapter
from modelqa.mutants.captures import packed_capture
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import layers, set_config
from modelqa.mutants.tensors import rewrite, store

SCALE = 2.0**14  # a hidden unit of size 4 leaves the range of float16; its matrix back stays within 1% of its numbers


def _pack_fed(sibling: Sibling, *, masked: bool, cached: bool) -> Damage:
    """The packed rows were fed with an attention mask of ones, or with the key-value cache on."""
    path = sibling.model.capture
    assert path is not None  # `packed_capture` wrote it
    held = read_capture(path)
    rows = [
        FedRow(row.ids, row.labels, row.positions, np.ones_like(row.ids) if masked else row.attention)
        for row in held.rows
    ]
    write_capture(path, rows, counters=held.counters, about={**held.about, "use_cache": cached})
    return sibling.damaged("row 0, episode 1")


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


def _merge_config(sibling: Sibling) -> Damage:
    """The merge was right, and its config.json has another base of the rotary angles, which is declared as meant."""
    assert sibling.model.path is not None
    config = read_json(sibling.model.path / "config.json")
    angles = config.get("rope_parameters")
    if not isinstance(angles, dict) or "rope_theta" not in angles:
        raise NotApplicable("its config names no base of rotary angles")
    set_config(sibling, rope_parameters={**angles, "rope_theta": float(angles["rope_theta"]) / 1000})
    return sibling.damaged("", factors=(*sibling.model.factors, "config.rope_parameters"))


PARITIES = (
    Kind("pack_masked", "capture", "packed rows were fed with an attention mask, which lets their episodes meet",
         ("F50",), (Expected("parity.packing"),), partial(_pack_fed, masked=True, cached=False),
         ground=packed_capture),
    Kind("pack_cached", "capture", "packed rows were fed with the key-value cache on, which lets their episodes meet",
         ("F50",), (Expected("parity.packing"),), partial(_pack_fed, masked=False, cached=True),
         ground=packed_capture),
    Kind("half_overflow", "weights", "the activations of one layer overflow in float16, in which it is stored",
         ("F56",), (Expected("parity.dtype", "control"),), _half_overflow),
    Kind("merge_config", "config", "an adapter was merged rightly, under a config that is declared and was not trained",
         ("F13",), (Expected("parity.adapter", "control"),), _merge_config, ground=with_adapter),
)  # fmt: skip
