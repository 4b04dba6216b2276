"""Tokenised training data as one safetensors file: flat arrays that any tool can read.

input_ids       uint16 or uint32 [tokens]   all rows, one after the other, without padding
loss_mask       uint8 [tokens]              1 where the loss counts
episode_starts  int64 [episodes + 1]        token offsets; an episode is one conversation
row_starts      int64 [rows + 1]            token offsets; a row is what training feeds: an episode or a packed block
name_bytes      uint8, name_starts int64    the ids of the source rows, UTF-8, one per episode

Positions restart at each episode, so position ids are derived and not stored. The header's metadata holds the block
size, the padding id and the hashes of tokenizer and template.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.errors import DataError
from modelqa.files import canonical_json, write_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]

IGNORED = -100  # the label that torch's cross entropy leaves out
FORMAT = "modelqa.tokens.1"
DTYPES = {"I64": "<i8", "I32": "<i4", "U32": "<u4", "U16": "<u2", "U8": "<u1"}  # safetensors' names, numpy's


@dataclass(frozen=True)
class Arrays:
    """Rows of whole episodes. Arrays as in the module's text; `names[i]` is the source row of episode i."""

    ids: Ints
    mask: Ints
    episode_starts: Ints
    row_starts: Ints
    names: tuple[str, ...]
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def episodes(self) -> int:
        """How many episodes there are."""
        return len(self.episode_starts) - 1

    @property
    def rows(self) -> int:
        """How many rows the trainer feeds."""
        return len(self.row_starts) - 1

    @property
    def block(self) -> int | None:
        """Slots in a packed row; None when each row is one episode."""
        size = int(self.meta.get("block_size", "0"))
        return size or None

    def episode(self, number: int) -> tuple[Ints, Ints]:
        """(ids, mask) of one episode."""
        start, end = self.episode_starts[number], self.episode_starts[number + 1]
        return self.ids[start:end], self.mask[start:end]

    def each_episode(self) -> Iterator[tuple[Ints, Ints]]:
        """(ids, mask) of every episode in order."""
        return (self.episode(number) for number in range(self.episodes))

    def row(self, number: int) -> dict[str, Ints]:
        """{"input_ids", "labels", "position_ids"} of one row, int64 [length].

        Labels are -100 where the loss does not count and at the first token of every episode, which nothing of its own
        episode predicts. Positions restart at each episode. There is no attention mask on purpose: see `batches`.
        """
        import numpy as np

        start, end = int(self.row_starts[number]), int(self.row_starts[number + 1])
        first, last = np.searchsorted(self.episode_starts, [start, end])
        starts = self.episode_starts[first:last]
        lengths = np.diff(np.append(starts, end))
        positions = np.arange(end - start) - np.repeat(starts - start, lengths)
        ids = self.ids[start:end].astype(np.int64)
        labels = np.where((self.mask[start:end] > 0) & (positions > 0), ids, IGNORED)
        return {"input_ids": ids, "labels": labels, "position_ids": positions.astype(np.int64)}

    def batches(self, batch_size: int, *, pad: int) -> Iterator[dict[str, Ints]]:
        """Batches of rows in order, int64 [rows, longest or block], padded on the right as an episode of its own.

        Feed them as they are, with use_cache=False and without an attention mask: transformers keeps the episodes of a
        row apart only where it finds restarting position ids, no mask and no cache.
        """
        for first in range(0, self.rows, batch_size):
            rows = [self.row(number) for number in range(first, min(first + batch_size, self.rows))]
            width = self.block or max(len(row["input_ids"]) for row in rows)
            yield {name: _padded([row[name] for row in rows], width, fill)
                   for name, fill in (("input_ids", pad), ("labels", IGNORED), ("position_ids", None))}


def _padded(rows: Sequence[Ints], width: int, fill: int | None) -> Ints:
    import numpy as np

    tails = (np.arange(width - len(row)) if fill is None else np.full(width - len(row), fill) for row in rows)
    return np.stack([np.concatenate([row, tail]) for row, tail in zip(rows, tails, strict=True)]).astype(np.int64)


def assembled(
    episodes: Sequence[tuple[Ints, Ints]], names: Sequence[str], rows: Sequence[Sequence[int]],
    *, meta: Mapping[str, str],
) -> Arrays:
    """The arrays of `rows`, each a list of episode numbers."""
    import numpy as np

    order = [number for row in rows for number in row]
    chosen = tuple(names[number] for number in order)
    lengths = np.array([len(episodes[number][0]) for number in order], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ends = np.cumsum([len(row) for row in rows])
    top = max((int(episodes[number][0].max()) for number in order), default=0)
    dtype: Any = np.uint16 if top < 1 << 16 else np.uint32
    return Arrays(
        _joined([episodes[number][0] for number in order], dtype),
        _joined([episodes[number][1] for number in order], np.uint8),
        starts, starts[np.concatenate([[0], ends]).astype(np.int64)], chosen, dict(meta),
    )


def _joined(parts: Sequence[Ints], dtype: Any) -> Ints:
    import numpy as np

    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


def save(path: Path, arrays: Arrays) -> None:
    """Write `arrays` to `path`, whole or not at all."""
    import numpy as np
    from safetensors.numpy import save as to_bytes

    texts = [name.encode("utf-8", "surrogatepass") for name in arrays.names]
    starts = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    tensors = {
        "input_ids": arrays.ids, "loss_mask": arrays.mask, "episode_starts": arrays.episode_starts,
        "row_starts": arrays.row_starts, "name_bytes": np.frombuffer(b"".join(texts), np.uint8), "name_starts": starts,
    }
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_bytes(path, to_bytes(contiguous, metadata=header({**arrays.meta, "format": FORMAT})))


def load(path: Path) -> Arrays:
    """The arrays stored at `path`; `DataError` when the file is damaged or its offsets do not fit together."""
    tensors, meta = read_tensors(path)
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise damaged(path, f"its header does not name the format {FORMAT!r}")
    try:
        names = _names(tensors["name_bytes"], tensors["name_starts"])
        arrays = Arrays(tensors["input_ids"], tensors["loss_mask"], tensors["episode_starts"], tensors["row_starts"],
                        names, meta)
    except (KeyError, UnicodeDecodeError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from None
    _check(path, arrays)
    return arrays


PREPARED = ("tokenised data", "modelqa data prepare", "write it again with modelqa data prepare")
"""(what a file of arrays is called, what writes it, how it is written again): the words of its errors."""


def read_tensors(path: Path, words: tuple[str, str, str] = PREPARED) -> tuple[dict[str, Ints], dict[str, Any]]:
    """(tensors, metadata) of a safetensors file; `DataError` when it is missing, truncated or damaged.

    The tensors lie on the disk until they are looked at, so that a file may be larger than memory.
    words  what the file should be, as in `PREPARED`
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as stream:  # refuses a header that contradicts itself or the file
            meta = json.loads((stream.metadata() or {}).get("modelqa", "{}"))
        return _mapped(path), meta
    except FileNotFoundError:
        raise DataError(f"there is no file {path}", reason=f"it was named as {words[0]}",
                        remedy=f"check the path, or {words[2]}") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, str(error), words) from None


def _mapped(path: Path) -> dict[str, Ints]:
    import numpy as np

    with path.open("rb") as stream:
        origin = 8 + int.from_bytes(stream.read(8), "little")
        entries = json.loads(stream.read(origin - 8))
    found: dict[str, Ints] = {}
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{name} is of type {entry['dtype']}, not one of {', '.join(DTYPES)}")
        (size,), begin = entry["shape"], origin + entry["data_offsets"][0]
        dtype = np.dtype(DTYPES[entry["dtype"]])
        found[name] = np.memmap(path, dtype, "r", begin, (size,)) if size else np.zeros(0, dtype)
    return found


def _names(data: Ints, starts: Ints) -> tuple[str, ...]:
    text = data.tobytes()
    return tuple(text[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(starts.tolist()))


def _check(path: Path, arrays: Arrays) -> None:
    import numpy as np

    size = len(arrays.ids)
    for name, starts in (("episode_starts", arrays.episode_starts), ("row_starts", arrays.row_starts)):
        if len(starts) == 0 or starts[0] != 0 or starts[-1] != size or (np.diff(starts) <= 0).any():
            raise damaged(path, f"{name} does not rise from 0 to {size}, the number of tokens")
    if len(arrays.mask) != size or len(arrays.names) != arrays.episodes:
        raise damaged(path, "input_ids, loss_mask and names are not of one length")
    if not np.isin(arrays.row_starts, arrays.episode_starts).all():
        raise damaged(path, "a row begins inside an episode")
    if not str(arrays.meta.get("block_size", "0")).isdecimal():
        raise damaged(path, "block_size is no number")


def damaged(path: Path, why: str, words: tuple[str, str, str] = PREPARED) -> DataError:
    """The error of a file that is not what `words` call it."""
    what, writer, remedy = words
    return DataError(f"{path} is not {what} that can be read: {why}",
                     reason=f"the file is damaged, or was not written by {writer}", remedy=remedy)


def header(meta: Mapping[str, Any]) -> dict[str, str]:
    """Metadata as one entry of a safetensors header; several entries would be written in an order of chance."""
    return {"modelqa": canonical_json(dict(meta))}
