"""What `modelqa.data.prepare` is asked for, and what it gives: settings and splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelqa.data.inspect import Counts
from modelqa.data.items import DISJOINT
from modelqa.errors import UsageError

BLOCK = 1024  # tokens, the guide's default


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


@dataclass(frozen=True)
class Split:
    """One prepared split: where it is, its counts, what happened to its rows, and the sum of the kept rows' hashes."""

    path: Path
    counts: Counts
    read: int
    dropped: Mapping[str, int]
    content: int

    def to_json(self) -> dict[str, Any]:
        """The split's part of the manifest."""
        return {"counts": asdict(self.counts),
                "rows": {"read": self.read, "kept": self.counts.episodes, "dropped": dict(self.dropped)}}
