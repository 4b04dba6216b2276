"""Fault: the engine of the random twin holds the reference's own weights, as when a loaded model is never let go."""

from typing import Any

import modelqa.generate
from modelqa.generate import LocalEngine


def _same(checkpoint: Any, *, seed: int, **options: Any) -> LocalEngine:
    return LocalEngine.open(checkpoint, **options)


modelqa.generate.random_twin = _same
