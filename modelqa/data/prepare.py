"""Prepare: chat rows -> tokenised, packed arrays for training, a manifest, and the proof that they hold the rows.

Rows are rendered by `modelqa.chat`, the renderer that evaluation uses. Labels are assistant text and its end of turn.
Output: train.safetensors, val.safetensors (see `modelqa.data.arrays`) and manifest.json in one folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data import arrays as stored
from modelqa.data import pack
from modelqa.data.inspect import Counts, count
from modelqa.data.items import DISJOINT, Item, items_of_row
from modelqa.data.manifest import content_hash
from modelqa.data.overlap import Overlap, Report, overlaps
from modelqa.data.rows import read_rows as chat_rows
from modelqa.data.split import FORBIDDEN, validation_rows
from modelqa.errors import DataError, UsageError
from modelqa.text import visible

if TYPE_CHECKING:
    from modelqa.chat import Chat

VAL_SPLIT = 0.1  # as in every command of the Phase 3a guide
BLOCK = 1024  # tokens, the guide's default
_SHOWN = 5  # overlapping rows in an error


@dataclass(frozen=True)
class Row:
    """One chat row: its id (else its place), "file.jsonl:line", messages and metadata."""

    id: str
    place: str
    messages: Sequence[Mapping[str, str]]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def items(self) -> list[Item]:
        """The row's exchanges, as overlap checks compare them."""
        return list(items_of_row({"messages": self.messages, "meta": self.meta}, self.place))


@dataclass(frozen=True)
class Settings:
    """What to prepare, and how. Names and defaults are the guide's.

    tokenizer   folder of the model: tokenizer and chat template
    val_file    excludes val_split; without either a tenth of the rows is set aside
    pack_by     metadata field whose values do not share a block, such as "meta.operator"
    max_length  tokens of the longest row allowed; a packed block is a limit too
    on_overlong "error", or "drop": counted in the manifest
    disjoint    what training and validation may not share: payload, phrasing, prompt
    """

    input: Path
    output: Path
    tokenizer: Path
    val_file: Path | None = None
    val_split: float | None = None
    packing: bool = False
    block: int = BLOCK
    pack_by: str | None = None
    shuffle: bool = True
    max_length: int | None = None
    on_overlong: str = "error"
    seed: int = 42
    disjoint: frozenset[str] = DISJOINT

    def __post_init__(self) -> None:
        if self.val_file is not None and self.val_split is not None:
            raise UsageError("--val_file and --val_split are both given",
                             reason="the validation rows come from a file or from a split, not from both",
                             remedy="leave one of them out")
        if self.val_split is not None and not 0 <= self.val_split < 1:
            raise UsageError(f"--val_split is {self.val_split}", reason="it is a share of the rows",
                             remedy="give a number from 0 to below 1, such as 0.1")
        if self.block < 2:
            raise UsageError(f"--pack_block_size is {self.block}", reason="a block holds at least two tokens",
                             remedy="give the model's context length, such as 1024")

    @property
    def limit(self) -> int | None:
        """The most tokens that a row may have; None when nothing limits it."""
        limits = [self.max_length or None, self.block if self.packing else None]
        return min((limit for limit in limits if limit), default=None)


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSONL file; `DataError` names the line that is no chat row, and a file without rows."""
    found = chat_rows(path)
    return [Row(row["id"], f"{path.name}:{number}", row["messages"], row["meta"]) for number, row in found]


def divided(settings: Settings) -> tuple[list[Row], list[Row]]:
    """(training rows, validation rows), which share no payload, template family or prompt that is declared disjoint.

    Raises `DataError` with the rows when they do, whatever the split came from. Shared runs of words in otherwise
    different templates are no error here; the data suites judge them.
    """
    rows = read_rows(settings.input)
    if settings.val_file is not None:
        train, val = rows, read_rows(settings.val_file)
    else:
        fraction = VAL_SPLIT if settings.val_split is None else settings.val_split
        chosen = set(validation_rows([row.items() for row in rows], fraction=fraction, seed=settings.seed,
                                     disjoint=settings.disjoint)) if fraction else set()
        train = [row for number, row in enumerate(rows) if number not in chosen]
        val = [row for number, row in enumerate(rows) if number in chosen]
    found = [each for each in shared(train, val, disjoint=settings.disjoint).overlaps if each.tier in FORBIDDEN]
    if found:
        raise _overlapping(found, {row.place: row for row in train}, {row.place: row for row in val})
    return train, val


def shared(train: Sequence[Row], val: Sequence[Row], *, disjoint: frozenset[str] = DISJOINT) -> Report:
    """What validation rows share with training rows."""
    return overlaps((item for row in train for item in row.items()), [item for row in val for item in row.items()],
                    disjoint=disjoint)


def _overlapping(shared: Sequence[Overlap], train: Mapping[str, Row], val: Mapping[str, Row]) -> DataError:
    lines = []
    for found in shared[:_SHOWN]:
        lines.append(f"\n    {found.tier}: {visible(found.text)}")
        for row in (train[found.train], val[found.item]):
            said = " / ".join(visible(message["content"])[:80] for message in row.messages[-2:])
            lines.append(f"\n      {row.place}: {said}")
    counts = ", ".join(f"{tier} {number}" for tier, number in Counter(each.tier for each in shared).items())
    return DataError(
        f"training and validation share content ({counts}):{''.join(lines)}",
        reason="validation loss would measure memory; what is compared is normalised: case, punctuation and spacing "
        "do not count",
        remedy="generate the two sides from payloads and templates of their own, or declare what may be shared, e.g. "
        "--disjoint prompt",
    )


@dataclass(frozen=True)
class Split:
    """One prepared split: where it is, its counts, and what happened to its rows."""

    path: Path
    counts: Counts
    read: int
    dropped: Mapping[str, int]
    kept: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """The split's part of the manifest."""
        return {"counts": asdict(self.counts),
                "rows": {"read": self.read, "kept": self.counts.episodes, "dropped": dict(self.dropped)}}


def prepare(settings: Settings, *, progress: bool = False) -> dict[str, Split]:
    """Write the arrays and the manifest of `settings`; {"train": ..., "val": ...}, the latter if there is any.

    Raises `DataError` for rows that are malformed, overlong, without a supervised token, or shared between the
    splits, and when the arrays read back are not what went in.
    """
    from modelqa.chat import open_chat
    from modelqa.data.prepared_manifest import write_manifest

    chat = open_chat(settings.tokenizer)
    train, val = divided(settings)
    splits = {name: write_split(chat, name, rows, settings, progress=progress)
              for name, rows in (("train", train), ("val", val)) if rows}
    content = content_hash({"messages": row.messages} for split in splits.values() for row in split.kept)
    write_manifest(settings, splits, chat, content=content)
    return splits


def write_split(chat: Chat, name: str, rows: Sequence[Row], settings: Settings, *, progress: bool = False) -> Split:
    """Tokenise, pack and store one split; read it back and prove that it holds the same episodes."""
    kept, episodes = [], []
    for row, episode in _encoded(chat, rows, settings, progress=progress):
        kept.append(row)
        episodes.append(episode)
    if not kept:
        raise DataError(f"no row of the {name} split is left", reason="all were dropped as too long",
                        remedy="raise --max_length or --pack_block_size")
    before = pack.content_hash(episodes)
    blocks = _blocks([len(ids) for ids, _ in episodes], kept, settings)
    meta = {
        "block_size": str(settings.block) if settings.packing else "0", "split": name,
        "tokenizer_sha256": chat.tokenizer_sha256, "template_sha256": chat.template_sha256,
        "pad_id": str(chat.pad_id if chat.pad_id is not None else chat.turn_end_id or 0),
    }
    path = settings.output / f"{name}.safetensors"
    stored.save(path, stored.assembled(episodes, [row.id for row in kept], blocks, meta=meta))
    again = stored.load(path)
    pack.require_conserved(before, pack.content_hash(again.each_episode()))
    dropped = {"overlong": len(rows) - len(kept)} if len(kept) < len(rows) else {}
    return Split(path, count(again), len(rows), dropped, tuple(kept))


def _encoded(
    chat: Chat, rows: Sequence[Row], settings: Settings, *, progress: bool
) -> Iterator[tuple[Row, tuple[Any, Any]]]:
    import numpy as np
    from tqdm import tqdm

    for row in tqdm(rows, desc="tokenise", unit="row", disable=not progress):
        episode = chat.episode(row.messages)
        if not episode.supervised:
            raise DataError(f"{row.place} has no supervised token", reason="nothing would be learned from it",
                            remedy="mark assistant text with {% generation %} in the template, or mend the row")
        if settings.limit is not None and len(episode.ids) > settings.limit:
            if settings.on_overlong != "drop":
                raise _overlong(row, len(episode.ids), settings.limit)
            continue
        yield row, (np.array(episode.ids, np.uint32), np.array(episode.mask, np.uint8))


def _blocks(lengths: Sequence[int], rows: Sequence[Row], settings: Settings) -> list[list[int]]:
    if not settings.packing:
        return [[number] for number in range(len(lengths))]
    groups = [_field(row, settings.pack_by) for row in rows] if settings.pack_by else None
    return pack.packed(lengths, settings.block, groups=groups, shuffle_seed=settings.seed if settings.shuffle else None)


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
