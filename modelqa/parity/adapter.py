"""Merged weights against base and adapter: the same text, the same preferences.

`modelqa.checkpoint.merge_problems` compares the tensors, each number within the rounding of its stored type. Roundings
that all lean the same way pass it: a small update that is merged in 16 bits can vanish from every number. Here the
outputs are compared, with the adapter beside the base as training had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.parity.arithmetic import Scored, best_tokens, flips, noise
from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate import LocalEngine


def adapted_tokens(
    engine: LocalEngine, chat: Chat, episodes: Sequence[Scored], folder: str, digest: str
) -> dict[str, Any]:
    """`best_tokens` of a base model with the LoRA adapter of `folder` beside its weights, nothing merged.

    `digest` is the hash of the adapter: it makes a measurement of another adapter another measurement.
    """
    from modelqa.checkpoint import open_adapter

    with engine.adapted(open_adapter(Path(folder))):
        return best_tokens(engine, chat, episodes)


def adapter_problems(apart: Mapping[str, Any], merged: Mapping[str, Any], dtype: str) -> list[Problem]:
    """Code parity.adapter: the merged model prefers other tokens than base and adapter, where those are sure.

    `dtype` is the type that the merged weights are stored in: its rounding is forgiven.
    """
    floor = noise(dtype, apart["largest"])
    count, found = flips(apart, merged, floor)
    if not found:
        return []
    text = (
        f"the merged model prefers another token than base and adapter at {len(found)} of {count} places where those "
        f"are sure by {floor:.2g} logits or more: merge in float32, then store"
    )
    return [Problem("parity.adapter", f"control {found[0][0]}, token {found[0][1]}", text)]
