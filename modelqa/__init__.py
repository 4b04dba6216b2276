"""modelqa: gates for trained language-model checkpoints, as pytest suites.

The names that suites use. They load on first use: importing `modelqa` imports nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelqa import (
        ask,
        benchmarks,
        choice,
        compare,
        content,
        degeneration,
        language,
        parity,
        scaling,
        stats,
        thresholds,
    )
    from modelqa.gates import Case, deny, every, gate, no_evidence, not_asked, unsettled
    from modelqa.preflight import assert_trainable
    from modelqa.record import Problem
    from modelqa.reply import Prompt, Reply

__version__ = "0.1.0"

_HOMES = {
    "Case": "modelqa.gates",
    "Problem": "modelqa.record",
    "Prompt": "modelqa.reply",
    "Reply": "modelqa.reply",
    "assert_trainable": "modelqa.preflight",
    "deny": "modelqa.gates",
    "every": "modelqa.gates",
    "gate": "modelqa.gates",
    "no_evidence": "modelqa.gates",
    "not_asked": "modelqa.gates",
    "unsettled": "modelqa.gates",
}

__all__ = [
    "Case",
    "Problem",
    "Prompt",
    "Reply",
    "ask",
    "assert_trainable",
    "benchmarks",
    "choice",
    "compare",
    "content",
    "degeneration",
    "deny",
    "every",
    "gate",
    "language",
    "no_evidence",
    "noise",
    "not_asked",
    "parity",
    "scaling",
    "stats",
    "thresholds",
    "unsettled",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"modelqa.{name}")
    raise AttributeError(f"module 'modelqa' has no attribute {name!r}")
