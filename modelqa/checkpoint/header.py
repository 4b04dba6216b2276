"""Safetensors headers: where each tensor lies, checked before a byte of weights is read. No torch needed.

The format (https://github.com/huggingface/safetensors#format): 8 bytes little-endian header size N, N bytes of JSON
{name: {dtype, shape, data_offsets: [begin, end]}}, then the data, without holes, to the end of the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from modelqa.errors import CheckpointError

MAX_HEADER_BYTES = 32 << 20  # about 250,000 tensors in one file; parsing takes some ten times as much memory
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """One tensor of a checkpoint, as its header says.

    dtype        the format's own name: "BF16", "F32", ...
    file         name of the file relative to the checkpoint's folder
    start, stop  first byte and the byte after the last one, counted from the beginning of the file
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: str
    start: int
    stop: int

    @property
    def elements(self) -> int:
        """The product of the shape; 1 for a scalar."""
        return math.prod(self.shape)


class Stored(Protocol):
    """What reading tensors needs of a checkpoint; `modelqa.checkpoint.Checkpoint` says what each is."""

    @property
    def path(self) -> Path: ...

    @property
    def config(self) -> Mapping[str, Any]: ...

    @property
    def tensors(self) -> Mapping[str, TensorInfo]: ...


def read_header(path: Path, file: str) -> dict[str, TensorInfo]:
    """{name: TensorInfo} of the safetensors file at `path`, shown as `file`; `CheckpointError` on any contradiction."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        prefix = stream.read(8)
        length = int.from_bytes(prefix, "little")
        if len(prefix) < 8 or length > size - 8:
            _refuse(
                path,
                f"the header wants {length} bytes and the file has {size} in all",
                "it is cut short or no safetensors file",
            )
        if length > MAX_HEADER_BYTES:
            _refuse(path, f"the header has {length} bytes", f"headers are read up to {MAX_HEADER_BYTES} bytes")
        header = _parse(path, stream.read(length))
    header.pop("__metadata__", None)
    tensors = {name: _tensor(path, file, name, entry, 8 + length) for name, entry in header.items()}
    _check_layout(path, list(tensors.values()), 8 + length, size)
    return tensors


def _refuse(path: Path, fact: str, reason: str) -> NoReturn:
    raise CheckpointError(
        f"{path}: {fact}", reason=reason, remedy="copy or download the file again, or save the model again"
    )


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            _refuse(
                path,
                f"{next(name for name in names if names.count(name) > 1)!r} stands twice in the header",
                "a reader would silently take one of the two",
            )
        return value

    try:
        header = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        _refuse(path, f"the header cannot be read ({error})", "it must be JSON in UTF-8")
    if not isinstance(header, dict):
        _refuse(path, f"the header is a JSON {type(header).__name__}", "it must be an object")
    return header


def _tensor(path: Path, file: str, name: str, entry: Any, origin: int) -> TensorInfo:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [begin, end]}:
            pass
        case _:
            _refuse(path, f"the entry of {name!r} is malformed", "dtype, shape and two data_offsets are needed")
    if dtype not in BITS:
        _refuse(path, f"{name!r} has the unknown dtype {dtype!r}", f"known are {', '.join(BITS)}")
    if any(type(number) is not int or number < 0 for number in (*shape, begin, end)):
        _refuse(path, f"{name!r} has a shape or an offset that is not a whole number from 0", "a size cannot be that")
    if (end - begin) * 8 != math.prod(shape) * BITS[dtype]:
        _refuse(
            path,
            f"{name!r} has {end - begin} bytes for shape {shape} of {dtype}",
            "shape and offsets contradict each other",
        )
    return TensorInfo(name, dtype, tuple(shape), file, origin + begin, origin + end)


def _check_layout(path: Path, tensors: list[TensorInfo], origin: int, size: int) -> None:
    if not tensors:
        _refuse(path, "the file holds no tensor", "a weights file must hold some")
    expected = origin
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.stop)):
        if tensor.stop > size:
            _refuse(path, f"{tensor.name!r} ends at byte {tensor.stop} of a file of {size}", "the file is cut short")
        if tensor.start != expected:
            kind = "overlaps the tensor before it" if tensor.start < expected else "leaves a hole before it"
            _refuse(path, f"{tensor.name!r} {kind}", "tensors must lie one after another, as the format says")
        expected = tensor.stop
    if expected != size:
        _refuse(
            path, f"{size - expected} bytes follow the last tensor", "tensors must fill the file, as the format says"
        )
