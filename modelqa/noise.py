"""The noise floor: by how much a rate moves though nothing changed - the same checkpoint again, in other batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelqa.record import Run

GATE = "noise_floor"  # of suites/parity: what measures it in a session
AGAIN = ("repeat", "batch")  # of `parity.reply_paths`: the same prompts once more, and one by one instead of batched


def floor(paths: Mapping[str, Mapping[str, Any]]) -> float:
    """The largest share of replies that differ when the same prompts are asked again or in other batches.

    Replies that differ only where two tokens are all but equally likely count here, though no gate blames them: a rate
    may move by as much between two runs of one checkpoint, and a smaller difference of two checkpoints means nothing.
    """
    return max(float(paths[name]["differ"]) / float(paths[name]["of"]) for name in AGAIN)


def counts(paths: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """{"repeat", "batch": "0 of 24"}: replies that differ, for the record."""
    return {name: f"{paths[name]['differ']} of {paths[name]['of']}" for name in AGAIN}


def recorded(run: Run) -> float | None:
    """The noise floor that a run measured; None when it measured none."""
    found = next((result.measured.get("floor") for result in run.gates if result.gate == GATE), None)
    return float(found) if isinstance(found, int | float) else None


def below(margins: Mapping[str, float], noise: float) -> list[str]:
    """The gates whose margin is no larger than the noise floor, the smallest first; none where nothing moves."""
    return sorted((gate for gate in margins if 0 < noise >= margins[gate]), key=lambda gate: (margins[gate], gate))
