"""Are the stored numbers numbers? NaN and infinities, tensor by tensor."""

from __future__ import annotations

from modelqa.checkpoint.opening import Checkpoint
from modelqa.checkpoint.tensors import EXACT, statistics
from modelqa.record import Problem


def finite_problems(checkpoint: Checkpoint) -> list[Problem]:
    """One problem "weights.nonfinite" for each tensor that stores NaN or an infinity; locus = the tensor's name."""
    found = []
    for name, tensor in sorted(checkpoint.tensors.items()):
        if tensor.dtype in EXACT:
            continue
        held = statistics(checkpoint, name)
        if held.nan or held.infinite:
            text = (
                f"{name} holds {held.nan} NaN and {held.infinite} infinite of {tensor.elements} values ({tensor.file})"
            )
            found.append(Problem("weights.nonfinite", name, text))
    return found
