"""Is the model asked what it was trained on, and does the path to its replies change them?

Each measurement takes the engine and gives plain numbers, so that they can be kept; a `..._problems` function says what
is wrong with them. Nothing here imports torch.

`formats`     in which format was it trained?
`measured`    what training fed; mode, repetition, batch and cache, from the weights alone
`packing`     an episode inside its pack against the same episode alone
`arithmetic`  the same text in another type of numbers, and how far two passes may differ for no reason
`adapter`     merged weights against base and adapter
"""

from modelqa.parity.adapter import adapted_tokens, adapter_problems
from modelqa.parity.arithmetic import best_tokens, dtype_problems, noise, stored_dtype
from modelqa.parity.formats import answer_losses, template_fit, template_problems, unproven_formats
from modelqa.parity.measured import (
    bits_per_byte,
    captured_problems,
    dropout,
    engine_problems,
    mode_gap,
    mode_problems,
    path_problems,
    reply_differences,
    reply_paths,
)
from modelqa.parity.packing import packed_rows, packing_gaps, packing_problems

__all__ = [
    "adapted_tokens",
    "adapter_problems",
    "answer_losses",
    "best_tokens",
    "bits_per_byte",
    "captured_problems",
    "dropout",
    "dtype_problems",
    "engine_problems",
    "mode_gap",
    "mode_problems",
    "noise",
    "packed_rows",
    "packing_gaps",
    "packing_problems",
    "path_problems",
    "reply_differences",
    "reply_paths",
    "stored_dtype",
    "template_fit",
    "template_problems",
    "unproven_formats",
]
