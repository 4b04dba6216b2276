"""The random twin: the same architecture with weights that learnt nothing. Whatever it passes, anything passes."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.checkpoint import Checkpoint
from modelqa.generate.engine import LocalEngine
from modelqa.generate.loading import fresh_model


def random_twin(
    checkpoint: Checkpoint,
    seed: int,
    *,
    stop_ids: Sequence[int],
    pad_id: int,
    dtype: str = "float32",
    device: str | None = None,
    threads: int = 1,
) -> LocalEngine:
    """An engine with the checkpoint's config and freshly initialised weights; the same seed gives the same twin.

    The process's random state is left as it was. The weights file is not read.
    """
    model = fresh_model(checkpoint, seed=seed, dtype=dtype, device=device or "cpu", threads=threads)
    name = f"random-twin-{seed}"
    return LocalEngine(model, tuple(stop_ids), pad_id, name=name, dtype=dtype, device=device or "cpu")
