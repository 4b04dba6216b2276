"""The manifest of prepared data: what it was made from, how, and what came out, with hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.errors import DataError
from modelqa.files import sha256_file, write_json

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.data.prepare import Settings, Split

SCHEMA = 1


def write_manifest(settings: Settings, splits: Mapping[str, Split], chat: Chat) -> Path:
    """Write manifest.json beside the arrays; its path."""
    rows = [split.to_json()["rows"] for split in splits.values()]
    sources = [settings.input, *([settings.val_file] if settings.val_file else [])]
    manifest = {
        "schema": SCHEMA, "name": settings.output.name, "kind": "prepared",
        "files": {split.path.name: sha256_file(split.path) for split in splits.values()},
        "splits": {name: split.to_json() for name, split in splits.items()},
        "rows": {"declared": None, "read": sum(row["read"] for row in rows), "kept": sum(row["kept"] for row in rows),
                 "dropped": _summed(row["dropped"] for row in rows)},
        "seeds": {"seed": settings.seed}, "options": _options(settings),
        "tokenizer_sha256": chat.tokenizer_sha256, "template_sha256": chat.template_sha256,
        "parents": [parent(path) for path in sources],
    }
    path = settings.output / "manifest.json"
    write_json(path, manifest)
    return path


def _summed(dropped: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in dropped:
        for reason, number in counts.items():
            total[reason] = total.get(reason, 0) + number
    return total


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "val_split": settings.val_split, "enable_packing": settings.packing, "pack_block_size": settings.block,
        "pack_by_field": settings.pack_by, "pack_shuffle": settings.shuffle, "max_length": settings.max_length,
        "on_overlong": settings.on_overlong, "disjoint": sorted(settings.disjoint),
    }


def parent(path: Path) -> dict[str, Any]:
    """A source file by name and hash, with the manifest beside it that lists it, whole, if there is one.

    Raises `DataError` when that manifest hashed another content under this name.
    """
    digest = sha256_file(path)
    own: dict[str, Any] = {"name": path.name, "sha256": digest, "manifest": None}
    beside = path.parent / "manifest.json"
    if not beside.is_file():
        return own
    try:
        manifest = json.loads(beside.read_text(encoding="utf-8"))
        listed = dict(manifest.get("files", {}))
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{beside} cannot be read: {error}", reason="it is the manifest of a source file",
                        remedy="generate the source again, or move it away from this file") from None
    if listed.get(path.name, digest) != digest:
        raise DataError(f"{path.name} is not the file that {beside} describes",
                        reason="its content has another hash: it was changed after it was generated",
                        remedy="generate it again, or remove the manifest if the change is wanted")
    if path.name in listed:
        own |= {"manifest": manifest, "manifest_sha256": sha256_file(beside)}
    return own
