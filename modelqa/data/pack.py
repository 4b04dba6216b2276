"""Packing: whole episodes into blocks of a fixed size, and the proof that none was lost, changed or doubled.

Best-fit decreasing over the whole set (Johnson 1974): episodes by falling length, each into the fullest block that
still has room. On measured chat data it needs at most 0.6% more blocks than the lower bound. Row and token counts
cannot show that a packer repeated one part of the data and dropped another; `content_hash` can.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from modelqa.errors import DataError

if TYPE_CHECKING:
    from modelqa.data.arrays import Ints

_HASH_BYTES = 16  # of one episode: 128 bits, so that two different sets have one sum only by construction
_HASH_MODULUS = 1 << (8 * _HASH_BYTES)


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Blocks of episode numbers; the lengths in each add up to at most `capacity`. No episode is cut.

    Raises `DataError` when an episode is longer than a block. Among equal lengths the earlier episode goes first.
    """
    blocks: list[list[int]] = []
    free: dict[int, list[int]] = {}  # room left -> blocks with exactly that room
    rooms = 0  # bit r is set when free[r] is not empty: the smallest room >= n is one shift away
    for number in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        length = lengths[number]
        if not 0 < length <= capacity:
            raise _unpackable(number, length, capacity)
        fitting = rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            block = free[room].pop()
            if not free[room]:
                rooms &= ~(1 << room)
        else:
            room, block = capacity, len(blocks)
            blocks.append([])
        blocks[block].append(number)
        free.setdefault(room - length, []).append(block)
        rooms |= 1 << (room - length)
    return blocks


def lower_bound(lengths: Iterable[int], capacity: int) -> int:
    """The fewest blocks that any packing needs: the bound L2 of Martello and Toth (1990), at least ceil(sum/capacity).

    For each small size a: episodes longer than capacity-a stand alone, those over half a block pairwise apart, and what
    of the rest (a or longer) does not fit beside the latter needs blocks of its own.
    """
    import numpy as np

    count = np.bincount(np.fromiter(lengths, np.int64), minlength=capacity + 1)
    if not count.any():
        return 0
    upto = np.concatenate([[0], np.cumsum(count)])  # upto[n]: how many are shorter than n
    total = np.concatenate([[0], np.cumsum(count * np.arange(len(count)))])
    small = np.arange(capacity // 2 + 1)
    half = capacity // 2 + 1  # the shortest length over half a block
    alone = upto[capacity + 1] - upto[capacity - small + 1]
    apart = upto[capacity - small + 1] - upto[half]
    room = apart * capacity - (total[capacity - small + 1] - total[half])
    rest = total[half] - total[small]
    return int((alone + apart + np.maximum(0, -((room - rest) // capacity))).max())


def packed(
    lengths: Sequence[int], capacity: int, *, groups: Sequence[Hashable] | None = None, shuffle_seed: int | None = None
) -> list[list[int]]:
    """Blocks of episode numbers; each group is packed for itself.

    With a seed, episodes are shuffled before packing, inside their blocks, and blocks among each other; without one,
    a block keeps the order of the source, and blocks stand in the order of their first episodes.
    """
    members: dict[Hashable, list[int]] = {}
    for number in range(len(lengths)):
        members.setdefault(groups[number] if groups is not None else None, []).append(number)
    chance = random.Random(shuffle_seed)
    blocks: list[list[int]] = []
    for numbers in members.values():
        if shuffle_seed is not None:
            chance.shuffle(numbers)
        chosen = [lengths[number] for number in numbers]
        blocks += [[numbers[at] for at in block] for block in best_fit_decreasing(chosen, capacity)]
    for block in blocks:
        block.sort()
        if shuffle_seed is not None:
            chance.shuffle(block)
    blocks.sort(key=min)
    if shuffle_seed is not None:
        chance.shuffle(blocks)
    return blocks


def content_hash(episodes: Iterable[tuple[Ints, Ints]]) -> str:
    """Hex sum of the episodes' hashes modulo 2**128: the same for the same episodes in any order, each counted.

    An episode's hash is BLAKE2b over its ids (uint32) and its loss mask (uint8), so a changed mask shows too.
    """
    return hash_of_sum(sum(episode_hash(ids, mask) for ids, mask in episodes))


def episode_hash(ids: Ints, mask: Ints) -> int:
    """What one episode adds to the sum."""
    import numpy as np

    data = len(ids).to_bytes(8, "little") + ids.astype(np.uint32).tobytes() + mask.astype(np.uint8).tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=_HASH_BYTES).digest(), "little")


def hash_of_sum(total: int) -> str:
    """The `content_hash` of episodes whose hashes add up to `total`."""
    return f"{total % _HASH_MODULUS:0{2 * _HASH_BYTES}x}"


def require_conserved(before: str, after: str) -> None:
    """Raise `DataError` unless the episodes read back are the episodes that went in."""
    if before != after:
        raise DataError(
            "packing changed the data: the episodes read back are not the episodes that went in",
            reason=f"the sum of their hashes is {after}, it was {before}; some are lost, doubled or altered",
            remedy="this is a defect of modelqa: please report it with the options used; do not train on the output",
        )


def _unpackable(number: int, length: int, capacity: int) -> DataError:
    return DataError(
        f"episode {number} has {length} tokens and does not fit into a block of {capacity}",
        reason="episodes are never cut: one that loses its end never learns to stop, one that loses its head has no "
        "question",
        remedy="raise --pack_block_size, or drop such rows by name with --on-overlong drop",
    )
