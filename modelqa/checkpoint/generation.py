"""Do the settings that a checkpoint ships for `generate()` let the model say what it can?

Evaluation decodes greedily and ignores generation_config.json; everybody who downloads the model gets it. Advice to
sample is fine. A setting that cuts replies, forbids or forces tokens, or punishes repetition hard changes what the
model says, and no reply of an evaluation shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelqa.checkpoint.opening import Checkpoint
from modelqa.record import Problem

SHORTEST = 16  # new tokens: a reply of a sentence needs more
PENALTY = (0.8, 1.3)  # of repetition; published chat models advise 1.0 to 1.2, and beyond these a copy cannot be said
TEMPERATURE = 2.0  # above it the choice of a token hardly depends on the model
FORBIDDING = (
    "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids",
    "forced_bos_token_id", "forced_eos_token_id", "sequence_bias", "min_length", "min_new_tokens",
)  # fmt: skip
"""Settings that are off when they are absent, 0 or empty."""


def generation_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Problems "weights.generation", one for each setting of generation_config.json; the locus is its name."""
    settings = checkpoint.generation_config
    found = [(name, "forbids or forces tokens") for name in FORBIDDING if settings.get(name)]
    if _number(settings, "max_new_tokens", SHORTEST) < SHORTEST:
        found.append(("max_new_tokens", f"ends a reply before {SHORTEST} tokens"))
    if not PENALTY[0] <= _number(settings, "repetition_penalty", 1.0) <= PENALTY[1]:
        found.append(("repetition_penalty", "keeps the model from saying again what it was given"))
    if settings.get("do_sample") and not 0 < _number(settings, "temperature", 1.0) <= TEMPERATURE:
        found.append(("temperature", "leaves the choice of a token to chance"))
    return [Problem("weights.generation", name, f"generation_config.json: {name} = {str(settings[name])[:40]} {what}; "
                    "no reply of an evaluation shows it, and every user of generate() gets it") for name, what in found]


def _number(settings: Mapping[str, Any], name: str, default: float) -> float:
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
