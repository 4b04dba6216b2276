"""Defects of a LoRA adapter that was merged. The healthy half declares base, adapter and the merged model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from modelqa.checkpoint import open_checkpoint, read
from modelqa.checkpoint.merge import ADAPTER
from modelqa.files import write_bytes, write_json
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import layers
from modelqa.mutants.tensors import Array, put, store, write_shard

SIZE = 0.05  # of a matrix's spread: how much a rank of the adapter changes each number
TARGETS = "mlp.down_proj.weight"  # the matrices that the adapter reaches, one a layer


def with_adapter(sibling: Sibling) -> Damage:
    """The healthy half: the model as it is, an adapter of rank one, and as its parent the model without the adapter."""
    parent = sibling.parent
    if parent is None:
        raise NotApplicable("it has no parent that an adapter could change")
    changes = _changes(sibling)
    base = _base(sibling, {name: -up @ down for name, (down, up) in changes.items()})
    adapter = sibling.declared / "adapter"
    write_json(adapter / "adapter_config.json", {"peft_type": "LORA", "r": 1, "lora_alpha": 1.0})
    _write_adapter(adapter / ADAPTER, changes)
    others = (replace(parent, path=base, hub=""),)
    return replace(sibling, others=others).damaged("", adapter=adapter)


def _changes(sibling: Sibling) -> dict[str, tuple[Array, Array]]:
    """{matrix: (A [1, in], B [out, 1])}, drawn from the sibling's seed."""
    checkpoint, rng = sibling.checkpoint, np.random.default_rng(sibling.seed)
    names = [name for stack in layers(checkpoint).values() for name in stack if name.endswith(TARGETS)]
    if not names:
        raise NotApplicable("its layers have other names than Llama's")
    made = {}
    for name in sorted(names):
        rows, columns = checkpoint.tensors[name].shape
        down, up = rng.normal(0.0, 1.0, (1, columns)), rng.normal(0.0, SIZE * read(checkpoint, name).std(), (rows, 1))
        made[name] = (down.astype(np.float32), up.astype(np.float32))
    return made


def _base(sibling: Sibling, differences: dict[str, Array]) -> Path:
    """A copy of the checkpoint with these differences added to its matrices."""
    source = sibling.checkpoint
    folder = sibling.declared / "base"
    for file in source.files:
        write_bytes(folder / file, (source.path / file).read_bytes())
    base = open_checkpoint(folder)
    put(base, {name: read(base, name) + change for name, change in differences.items()})
    return folder


def _write_adapter(path: Path, changes: dict[str, tuple[Array, Array]]) -> None:
    parts = {}
    for name, (down, up) in changes.items():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        parts[f"{stem}.lora_A.weight"], parts[f"{stem}.lora_B.weight"] = store(down, "F32"), store(up, "F32")
    write_shard(path, parts)


def _merged_again(sibling: Sibling) -> Damage:
    """The adapter is added to a model that holds it already."""
    changes = _changes(sibling)
    put(sibling.checkpoint, {name: read(sibling.checkpoint, name) + up @ down for name, (down, up) in changes.items()})
    return sibling.damaged(min(changes))


ADAPTERS = (
    Kind("adapter_twice", "weights", "the adapter was merged into weights that held it already", ("F13",),
         (Expected("weights.merge"),), _merged_again, ground=with_adapter),
)  # fmt: skip
