"""How likely a model finds what follows a text: for multiple choice as lm_eval asks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate.engine import LocalEngine


def continuation_scores(
    engine: LocalEngine, chat: Chat, pairs: Sequence[Sequence[Sequence[int]]]
) -> list[tuple[float, bool]]:
    """(nats, whether greedy decoding would say just that) of the second ids after the first, pair by pair.

    Unbatched, so that a score does not depend on what stands beside it. `GenerationError` for a pair that is too long.
    """
    return [_score(engine, *pair) for pair in pairs]


def _score(engine: LocalEngine, context: Sequence[int], continuation: Sequence[int]) -> tuple[float, bool]:
    if not continuation:
        return 0.0, True
    rows = engine.logits([*context, *continuation])[len(context) - 1 : -1].astype(np.float64)
    top = rows.max(axis=-1, keepdims=True)
    logs = rows - top - np.log(np.exp(rows - top).sum(axis=-1, keepdims=True))
    picked = logs[np.arange(len(continuation)), list(continuation)]
    return float(picked.sum()), bool((rows.argmax(axis=-1) == list(continuation)).all())
