"""Change tensors of a safetensors checkpoint without torch: read as float32, changed, stored again in their own dtype.

Shards without a changed tensor are left alone; the others are streamed from the old file into a new one, so that a
mutant of a large model costs the memory of the tensors that change.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelqa.checkpoint import Checkpoint, TensorInfo, read
from modelqa.checkpoint.folder import INDEX, WEIGHTS
from modelqa.checkpoint.header import BITS
from modelqa.errors import CheckpointError
from modelqa.files import read_json, write_blocks, write_json

Array = NDArray[np.float32]
BLOCK_BYTES = 16 << 20  # copied from file to file at a time
_PLAIN: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"),
                                    "I8": np.dtype("|i1")}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A tensor as a safetensors file holds it: the format's dtype name, shape and little-endian bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def store(values: Array, dtype: str) -> Stored:
    """`values` in the safetensors dtype; bfloat16 rounds to nearest even. `CheckpointError` for quantised types."""
    if dtype == "BF16":
        return Stored(dtype, values.shape, _bfloat16(values).tobytes())
    if dtype not in _PLAIN:
        raise CheckpointError(
            f"values cannot be stored as {dtype}",
            reason="mutants are made in floating-point types of 16 bits and more",
            remedy="make mutants of the checkpoint that this one was quantised from",
        )
    with np.errstate(invalid="ignore", over="ignore"):
        return Stored(dtype, values.shape, values.astype(_PLAIN[dtype]).tobytes())


def _bfloat16(values: Array) -> NDArray[np.uint16]:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)


def put(checkpoint: Checkpoint, changes: Mapping[str, Array]) -> None:
    """Give tensors new values, and new shapes where they differ; each keeps its dtype, a new one gets the embedding's.

    The checkpoint's folder is written to: open it again afterwards.
    """
    usual = next(iter(sorted(checkpoint.tensors.values(), key=lambda tensor: -tensor.elements))).dtype
    dtypes = {name: checkpoint.tensors[name].dtype if name in checkpoint.tensors else usual for name in changes}
    rewrite(checkpoint, {name: store(values, dtypes[name]) for name, values in changes.items()})


def edit(checkpoint: Checkpoint, name: str, change: Any) -> None:
    """Replace one tensor by `change(values)`, a function from a float32 array to one."""
    put(checkpoint, {name: change(read(checkpoint, name).copy())})


def rewrite(checkpoint: Checkpoint, changes: Mapping[str, Stored | None]) -> None:
    """Replace, add (into the last shard) or remove (None) tensors; the index of a sharded checkpoint follows."""
    shards: dict[str, dict[str, TensorInfo]] = {}
    for name, tensor in checkpoint.tensors.items():
        shards.setdefault(tensor.file, {})[name] = tensor
    last = max(shards)
    placed = {name: checkpoint.tensors[name].file if name in checkpoint.tensors else last for name in changes}
    for file, old in shards.items():
        mine = {name: change for name, change in changes.items() if placed[name] == file}
        if mine:
            kept: dict[str, TensorInfo | Stored | None] = {**old, **mine}
            write_shard(checkpoint.path / file, {name: part for name, part in kept.items() if part is not None},
                        source=checkpoint.path / file)  # fmt: skip
    if len(shards) > 1 or (checkpoint.path / INDEX).is_file():
        index = read_json(checkpoint.path / INDEX)
        stays = {name: file for name, file in index["weight_map"].items() if changes.get(name, True) is not None}
        added = {name: placed[name] for name, change in changes.items() if change is not None}
        write_json(checkpoint.path / INDEX, {**index, "weight_map": {**stays, **added}})


def write_shard(path: Path, parts: Mapping[str, TensorInfo | Stored], *, source: Path | None = None) -> None:
    """Write a safetensors file of new tensors and of ones copied from `source`, which may be `path`.

    Wide dtypes come first, so that every tensor is aligned, as the safetensors library writes them.
    """
    ordered = sorted(parts.items(), key=lambda part: (-BITS[part[1].dtype], part[0]))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, part in ordered:
        begin, end = end, end + _size(part)
        header[name] = {"dtype": part.dtype, "shape": list(part.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    write_blocks(path, _blocks(struct.pack("<Q", len(text)) + text, [part for _, part in ordered], source))


def _size(part: TensorInfo | Stored) -> int:
    return len(part.data) if isinstance(part, Stored) else part.stop - part.start


def _blocks(head: bytes, parts: list[TensorInfo | Stored], source: Path | None) -> Iterator[bytes]:
    yield head
    with source.open("rb") if source else BytesIO() as stream:
        for part in parts:
            if isinstance(part, Stored):
                yield part.data
                continue
            stream.seek(part.start)
            for at in range(part.start, part.stop, BLOCK_BYTES):
                yield stream.read(min(BLOCK_BYTES, part.stop - at))


def raw(checkpoint: Checkpoint, name: str) -> Stored:
    """One tensor as it is stored, byte for byte."""
    tensor = checkpoint.tensors[name]
    with (checkpoint.path / tensor.file).open("rb") as stream:
        stream.seek(tensor.start)
        return Stored(tensor.dtype, tensor.shape, stream.read(tensor.stop - tensor.start))


def shard(checkpoint: Checkpoint) -> tuple[str, str]:
    """Store a single-file checkpoint as two shards with an index; the names of the two. Values stay as they are."""
    names = sorted(checkpoint.tensors)
    middle = len(names) // 2
    parts = {f"model-0000{number}-of-00002.safetensors": part
             for number, part in ((1, names[:middle]), (2, names[middle:]))}  # fmt: skip
    for file, part in parts.items():
        write_shard(checkpoint.path / file, {name: checkpoint.tensors[name] for name in part},
                    source=checkpoint.path / WEIGHTS)  # fmt: skip
    (checkpoint.path / WEIGHTS).unlink()
    size = sum(tensor.stop - tensor.start for tensor in checkpoint.tensors.values())
    mapping = {name: file for file, part in parts.items() for name in part}
    write_json(checkpoint.path / INDEX, {"metadata": {"total_size": size}, "weight_map": mapping})
    first, second = parts
    return first, second


def reshaped(stored: Stored, shape: tuple[int, ...]) -> Stored:
    """The same bytes under another shape of as many elements."""
    return replace(stored, shape=shape)
