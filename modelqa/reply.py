"""Prompt and Reply: what a model was really asked, and what it really said. Plain values; no torch.

A `Prompt` is made by `modelqa.chat`, a `Reply` by `modelqa.generate`; gates read both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelqa.files import canonical_json, sha256_text


@dataclass(frozen=True)
class Prompt:
    """The exact token ids that a model is asked, and their text with special tokens visible."""

    ids: tuple[int, ...]
    text: str

    @cached_property
    def key(self) -> str:
        """Hex sha256 of the ids: two prompts with one key are one question."""
        return sha256_text(canonical_json(list(self.ids)))


@dataclass(frozen=True)
class Reply:
    """What came back for one prompt, nothing removed.

    ids     generated token ids, the stop token included when there was one
    raw     the ids decoded with special tokens kept
    text    the answer: `raw` before the stop token, surrounding whitespace removed, other special tokens kept
    stopped whether generation ended on one of the model's own stop tokens
    margin  the smallest gap between the best and the second-best logit over the reply; None when not measured
    """

    ids: tuple[int, ...]
    raw: str
    text: str
    stopped: bool
    margin: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        return {
            "ids": list(self.ids),
            "raw": self.raw,
            "text": self.text,
            "stopped": self.stopped,
            "margin": self.margin,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Reply:
        """The reply that `to_json` wrote."""
        return cls(tuple(value["ids"]), value["raw"], value["text"], value["stopped"], value["margin"])
