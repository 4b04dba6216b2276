"""The manifest of prepared data: what it was made from, how, and what came out.

It is a `modelqa.data.manifest.Manifest` with one more key, `splits`: {"train": {"counts": ..., "rows": ...}, ...}, the
numbers that `modelqa data inspect` recounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data.manifest import Manifest, RowCounts, parent
from modelqa.data.prepared import Settings, Split
from modelqa.files import sha256_file, write_json

if TYPE_CHECKING:
    from modelqa.chat import Chat


def write_manifest(settings: Settings, splits: Mapping[str, Split], chat: Chat, *, content: str) -> Path:
    """Write manifest.json beside the arrays; its path. `content` is the hash of all source rows that were kept."""
    sources = [settings.input, *([settings.val_file] if settings.val_file else [])]
    manifest = Manifest(
        settings.output.name, "prepared", {split.path.name: sha256_file(split.path) for split in splits.values()},
        _rows(splits), content, {"seed": settings.seed}, _options(settings, chat),
        parents=tuple(parent(path) for path in sources),
    )
    path = settings.output / "manifest.json"
    write_json(path, {**manifest.to_json(), "splits": {name: split.to_json() for name, split in splits.items()}})
    return path


def _rows(splits: Mapping[str, Split]) -> RowCounts:
    dropped: dict[str, int] = {}
    for split in splits.values():
        for reason, number in split.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + number
    kept = sum(split.counts.episodes for split in splits.values())
    return RowCounts(None, kept, sum(split.read for split in splits.values()), dropped)


def _options(settings: Settings, chat: Chat) -> dict[str, Any]:
    return {
        "val_split": settings.val_split, "enable_packing": settings.packing, "pack_block_size": settings.block,
        "pack_by_field": settings.pack_by, "pack_shuffle": settings.shuffle, "max_length": settings.max_length,
        "on_overlong": settings.on_overlong, "disjoint": sorted(settings.disjoint),
        "tokenizer_sha256": chat.tokenizer_sha256, "template_sha256": chat.template_sha256,
    }
