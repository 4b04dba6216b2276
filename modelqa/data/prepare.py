"""Prepare: chat rows -> tokenised, packed arrays for training, a manifest, and the proof that they hold the rows.

Rows are rendered by `modelqa.chat`, the renderer that evaluation uses. Labels are assistant text and its end of turn.
The source goes by as a stream: `data.division` says which row validates, `data.spool` holds tokens on the disk.
Output: train.safetensors, val.safetensors (see `modelqa.data.arrays`) and manifest.json in one folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from modelqa.data import arrays as stored
from modelqa.data import pack
from modelqa.data.division import Row, divided, shown
from modelqa.data.inspect import count
from modelqa.data.manifest import hash_of_sum
from modelqa.data.prepared import Settings, Split
from modelqa.data.prepared_manifest import write_manifest
from modelqa.data.rows import row_hash
from modelqa.data.spool import Spool, store
from modelqa.errors import DataError
from modelqa.files import scratch

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.data.arrays import Ints


def prepare(settings: Settings, *, progress: bool = False) -> dict[str, Split]:
    """Write the arrays and the manifest of `settings`; {"train": ..., "val": ...}, the latter if there is any.

    The source is read several times and never held: memory grows with the number of rows, not with their length.
    Raises `DataError` for rows that are malformed, overlong, without a supervised token, or shared between the
    splits, and when the arrays read back are not what went in; `OutputError` when they cannot be written.
    """
    from modelqa.chat import open_chat

    chat = open_chat(settings.tokenizer)
    division = divided(settings, progress=progress)
    sides = {"train": division.train, **({"val": division.val} if division.validates else {})}
    splits = {name: write_split(chat, name, shown(rows(), f"tokenise {name}", progress=progress), settings)
              for name, rows in sides.items()}
    content = hash_of_sum(sum(split.content for split in splits.values()))
    write_manifest(settings, splits, chat, content=content)
    return splits


def write_split(chat: Chat, name: str, rows: Iterable[Row], settings: Settings) -> Split:
    """Tokenise, pack and store one split; read it back and prove that it holds the same episodes."""
    path = settings.output / f"{name}.safetensors"
    tally: Counter[str] = Counter()
    with scratch(settings.output) as folder:
        spool = Spool(folder / "episodes")
        spool.write(_encoded(chat, rows, settings, tally))
        if not spool.names:
            raise DataError(f"no row of the {name} split is left", reason="all were dropped as too long",
                            remedy="raise --max_length or --pack_block_size")
        meta = {
            "block_size": str(settings.block) if settings.packing else "0", "split": name,
            "tokenizer_sha256": chat.tokenizer_sha256, "template_sha256": chat.template_sha256,
            "pad_id": str(chat.pad_id if chat.pad_id is not None else chat.turn_end_id or 0),
        }
        store(path, spool, _blocks(spool, settings), meta=meta)
    again = stored.load(path)
    pack.require_conserved(pack.hash_of_sum(spool.content), pack.content_hash(again.each_episode()))
    dropped = {"overlong": tally["overlong"]} if tally["overlong"] else {}
    return Split(path, count(again), tally["read"], dropped, tally["content"])


def _encoded(
    chat: Chat, rows: Iterable[Row], settings: Settings, tally: Counter[str]
) -> Iterator[tuple[str, str, Ints, Ints]]:
    """(name, group, ids, mask) of each row that is kept; `tally` counts rows and sums the hashes of those kept."""
    import numpy as np

    for row in rows:
        tally["read"] += 1
        episode = chat.episode(row.messages)
        if not episode.supervised:
            raise DataError(f"{row.place} has no supervised token", reason="nothing would be learned from it",
                            remedy="mark assistant text with {% generation %} in the template, or mend the row")
        if settings.limit is not None and len(episode.ids) > settings.limit:
            if settings.on_overlong != "drop":
                raise _overlong(row, len(episode.ids), settings.limit)
            tally["overlong"] += 1
            continue
        tally["content"] += int(row_hash({"messages": row.messages}), 16)
        group = _field(row, settings.pack_by) if settings.packing and settings.pack_by else ""
        yield row.id, group, np.array(episode.ids, np.uint32), np.array(episode.mask, np.uint8)


def _blocks(spool: Spool, settings: Settings) -> list[list[int]]:
    if not settings.packing:
        return [[number] for number in range(len(spool.lengths))]
    seed = settings.seed if settings.shuffle else None
    return pack.packed(spool.lengths, settings.block, groups=spool.groups, shuffle_seed=seed)


def _field(row: Row, name: str) -> str:
    """The value of "meta.operator" (also written "_meta.operator", or "operator"); `DataError` when it has none."""
    key = name.removeprefix("_").removeprefix("meta.")
    if key not in row.meta:
        raise DataError(f"{row.place} has no meta.{key}", reason=f"--pack_by_field {name} groups rows by it",
                        remedy="name a field that every row has")
    return str(row.meta[key])


def _overlong(row: Row, length: int, limit: int) -> DataError:
    return DataError(
        f"{row.place} has {length} tokens, more than {limit}",
        reason="rows are never cut: one that loses its end never learns to stop, one without its head has no question",
        remedy="raise --max_length or --pack_block_size, or leave such rows out by name with --on-overlong drop",
    )
