"""Values of tensors, streamed from safetensors files as float32 with numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelqa.checkpoint.header import Stored, TensorInfo
from modelqa.errors import CheckpointError

Array = NDArray[np.float32]

BLOCK_ELEMENTS = 1 << 22  # 16 MiB of float32 at a time, whatever the size of the model
_PLAIN = {"BOOL": "|u1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
          "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}  # fmt: skip
EXACT = frozenset(name for name in _PLAIN if not name.startswith("F"))  # integers: cannot hold NaN or infinity


@dataclass(frozen=True)
class Statistics:
    """What a tensor holds. Minimum and maximum are over the finite values (0.0 when there is none).

    zero_rows  how many slices along the first axis are all zero; 0 for vectors and scalars
    """

    nan: int = 0
    infinite: int = 0
    minimum: float = 0.0
    maximum: float = 0.0
    zero_rows: int = 0


def lookup(checkpoint: Stored, name: str) -> TensorInfo:
    """The tensor called `name`; `CheckpointError` with the nearest names when there is none."""
    if name in checkpoint.tensors:
        return checkpoint.tensors[name]
    import difflib

    near = ", ".join(difflib.get_close_matches(name, checkpoint.tensors, n=3, cutoff=0.4)) or "none is near"
    raise CheckpointError(
        f"{checkpoint.path} holds no tensor {name!r}",
        reason="no weights file of the checkpoint stores it",
        remedy=f"nearest names: {near}",
    )


def read(checkpoint: Stored, name: str) -> Array:
    """The whole tensor as float32 in its own shape; float64 and large integers are rounded."""
    tensor = lookup(checkpoint, name)
    parts = list(blocks(checkpoint, name))
    whole = np.concatenate(parts) if parts else np.empty(0, np.float32)
    return whole.reshape(tensor.shape)


def blocks(checkpoint: Stored, name: str) -> Iterator[Array]:
    """The tensor's rows in order, float32 arrays of shape (some rows, elements of a row).

    A row is a slice along the first axis; a vector has rows of one element. `CheckpointError` when the file ends early.
    """
    tensor = lookup(checkpoint, name)
    rows = tensor.shape[0] if tensor.shape else 1
    width = tensor.elements // rows if rows else 0
    if tensor.elements == 0:
        return
    at_once = max(1, BLOCK_ELEMENTS // width)
    stored, decode = _decoder(tensor)
    with (checkpoint.path / tensor.file).open("rb") as stream:
        stream.seek(tensor.start)
        for first in range(0, rows, at_once):
            count = min(at_once, rows - first) * width
            raw = np.fromfile(stream, dtype=stored, count=count)
            if raw.size != count:
                raise CheckpointError(
                    f"{checkpoint.path / tensor.file} ends inside {name!r}",
                    reason="the file changed after it was opened",
                    remedy="do not write to a checkpoint while it is judged; run again",
                )
            yield decode(raw).reshape(-1, width)


def statistics(checkpoint: Stored, name: str) -> Statistics:
    """`Statistics` of one tensor, in one pass over the file and in memory for one block."""
    total = Statistics()
    seen = False
    for block in blocks(checkpoint, name):
        finite = block[np.isfinite(block)]
        nan = int(np.isnan(block).sum())
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (total.minimum, total.maximum)
        total = replace(
            total,
            nan=total.nan + nan,
            infinite=total.infinite + block.size - finite.size - nan,
            minimum=min(low, total.minimum) if seen else low,
            maximum=max(high, total.maximum) if seen else high,
            zero_rows=total.zero_rows + int((~block.any(axis=1)).sum()),
        )
        seen = seen or finite.size > 0
    return total if len(lookup(checkpoint, name).shape) > 1 else replace(total, zero_rows=0)


def _decoder(tensor: TensorInfo) -> tuple[np.dtype[np.generic], Callable[[NDArray[np.generic]], Array]]:
    """How the tensor is stored, and the function from stored numbers to float32."""
    if tensor.dtype == "BF16":
        return np.dtype("<u2"), lambda raw: (raw.astype(np.uint32) << 16).view(np.float32)
    if tensor.dtype in _EIGHT_BITS:
        table = _EIGHT_BITS[tensor.dtype]()
        return np.dtype("|u1"), lambda raw: table[raw.astype(np.intp)]
    if tensor.dtype in _PLAIN:
        return np.dtype(_PLAIN[tensor.dtype]), _to_float32
    raise CheckpointError(
        f"{tensor.name!r} is stored as {tensor.dtype}",
        reason="values of this type are not read",
        remedy="judge the checkpoint that it was quantised from, or save it in bfloat16",
    )


def _to_float32(raw: NDArray[np.generic]) -> Array:
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported as that
        return raw.astype(np.float32)


def _e5m2() -> Array:
    return (np.arange(256, dtype=np.uint16) << 8).view(np.float16).astype(np.float32)


def _e4m3() -> Array:
    """The 256 values of F8_E4M3 (OCP 8-bit floating point: bias 7, no infinities, 0x7f and 0xff are NaN)."""
    code = np.arange(256)
    exponent, mantissa = (code >> 3) & 15, code & 7
    size = np.where(exponent == 0, mantissa * 2.0**-9, (8 + mantissa) * 2.0 ** (exponent - 10))
    values = np.where(code & 128, -size, size).astype(np.float32)
    values[[0x7F, 0xFF]] = np.nan
    return values


_EIGHT_BITS: dict[str, Callable[[], Array]] = {"F8_E5M2": _e5m2, "F8_E4M3": _e4m3}
