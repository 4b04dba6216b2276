"""Episodes on disk while they are packed, and the writer that puts them into one file in their new order.

Memory holds a name and a few numbers for each episode, never its tokens.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data import pack
from modelqa.data.arrays import DTYPES, FORMAT, header
from modelqa.files import write_blocks

if TYPE_CHECKING:
    from modelqa.data.arrays import Ints

_TOKEN_BYTES = 5  # of the spool: an id as uint32, its loss mask as uint8
_ALIGNMENT = 8  # bytes: safetensors pads its header, so that 64-bit tensors lie on their boundary


@dataclass
class Spool:
    """Episodes in the order in which they came: written once, then read by number.

    names    the source row of each episode; groups: what it may share a block with, "" for anything
    lengths  in tokens; top: the largest id; content: order-independent sum of the episodes' hashes
    """

    path: Path
    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    lengths: array[int] = field(default_factory=lambda: array("q"))
    top: int = 0
    content: int = 0

    def write(self, episodes: Iterable[tuple[str, str, Ints, Ints]]) -> None:
        """Take (name, group, ids, mask) of every episode; `OutputError` when the disk is full."""
        write_blocks(self.path, (self._block(*episode) for episode in episodes), lasting=False)

    def _block(self, name: str, group: str, ids: Ints, mask: Ints) -> bytes:
        self.names.append(name)
        self.groups.append(group)
        self.lengths.append(len(ids))
        self.top = max(self.top, int(ids.max()))
        self.content += pack.episode_hash(ids, mask)
        return ids.astype("<u4").tobytes() + mask.astype("<u1").tobytes()

    def episode(self, number: int) -> tuple[Ints, Ints]:
        """(ids, mask) of one episode, read from the disk."""
        import numpy as np

        length = self.lengths[number]
        first = int(self._starts[number]) * _TOKEN_BYTES
        data = self._bytes[first:first + length * _TOKEN_BYTES].tobytes()
        return np.frombuffer(data, "<u4", length), np.frombuffer(data, "<u1", length, 4 * length)

    @cached_property
    def _starts(self) -> Ints:
        import numpy as np

        return np.concatenate([[0], np.cumsum(np.array(self.lengths, np.int64))])

    @cached_property
    def _bytes(self) -> Ints:
        import numpy as np

        return np.memmap(self.path, np.uint8, "r")


def store(path: Path, spool: Spool, rows: Sequence[Sequence[int]], *, meta: Mapping[str, str]) -> None:
    """Write the episodes as `rows`, each a list of episode numbers, to `path`: what `data.arrays.load` reads.

    `OutputError` when there is no space; the old file is then left as it was.
    """
    import numpy as np

    order = [number for row in rows for number in row]
    lengths = np.array(spool.lengths, np.int64)[order]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    names = [spool.names[number].encode("utf-8", "surrogatepass") for number in order]
    ids = "U16" if spool.top < 1 << 16 else "U32"
    small = {
        "episode_starts": starts, "name_starts": np.cumsum([0, *map(len, names)]),
        "row_starts": starts[np.cumsum([0, *map(len, rows)])],
    }  # fmt: skip
    shapes = {**{name: ("I64", len(values)) for name, values in small.items()},
              "input_ids": (ids, int(starts[-1])), "loss_mask": ("U8", int(starts[-1])),
              "name_bytes": ("U8", sum(map(len, names)))}  # fmt: skip
    write_blocks(path, _blocks(_header(shapes, meta), [small[name] for name in small], spool, order, ids, names))


def _header(shapes: Mapping[str, tuple[str, int]], meta: Mapping[str, str]) -> bytes:
    """The beginning of a safetensors file: its length, then names, types, shapes and offsets as JSON."""
    entries: dict[str, Any] = {"__metadata__": header({**meta, "format": FORMAT})}
    end = 0
    for name, (dtype, size) in shapes.items():
        begin, end = end, end + size * int(DTYPES[dtype][-1])
        entries[name] = {"dtype": dtype, "shape": [size], "data_offsets": [begin, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _blocks(
    head: bytes, small: Sequence[Ints], spool: Spool, order: Sequence[int], dtype: str, names: Sequence[bytes]
) -> Iterator[bytes]:
    yield head
    for values in small:
        yield values.astype("<i8").tobytes()
    for number in order:
        yield spool.episode(number)[0].astype(DTYPES[dtype]).tobytes()
    for number in order:
        yield spool.episode(number)[1].tobytes()
    yield from names
