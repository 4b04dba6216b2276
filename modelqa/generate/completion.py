"""What a server answers to one prompt, read from JSON that nobody vouches for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelqa.errors import GenerationError


@dataclass(frozen=True)
class Completion:
    """What a server answers to one prompt.

    finish         "stop": the model ended by itself; "length": cut off
    prompt_tokens  its own count of the prompt, new_tokens of the reply with the stop token; None when it tells none
    ids            the reply's token ids, None when it does not tell them
    margin         the smallest gap between the two likeliest tokens, in logits; None when it tells no probabilities
    """

    text: str
    finish: str
    prompt_tokens: int | None
    new_tokens: int | None
    ids: tuple[int, ...] | None
    margin: float | None


def read_completion(value: Mapping[str, Any]) -> Completion:
    """The one choice of an answer; `GenerationError` when there is none with a text and an ending."""
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    text = choice.get("text") if isinstance(choice, dict) else None
    finish = choice.get("finish_reason") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(text, str) or finish not in ("stop", "length"):
        raise GenerationError(
            "the server's answer holds no completion",
            reason="one choice with a text and a finish_reason of stop or length is needed",
            remedy="use a server with the OpenAI completions API (vLLM, SGLang, transformers serve)",
        )
    usage = value.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Completion(
        text,
        finish,
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        _ids(choice.get("token_ids")),
        _margin(choice.get("logprobs")),
    )


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _ids(value: Any) -> tuple[int, ...] | None:
    whole = isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)
    return tuple(value) if whole else None


def _margin(value: Any) -> float | None:
    """The smallest gap between the two likeliest tokens: a difference of log-probabilities is one of logits."""
    steps = value.get("top_logprobs") if isinstance(value, dict) else None
    if not isinstance(steps, list) or not steps:
        return None
    gaps = [_gap(step) for step in steps]
    known = [gap for gap in gaps if gap is not None]
    return min(known) if len(known) == len(gaps) else None


def _gap(step: Any) -> float | None:
    """How far the likeliest token is above the second; None when two tokens of one text share a key."""
    values = step.values() if isinstance(step, dict) else ()
    numbers = sorted((n for n in values if isinstance(n, int | float) and math.isfinite(n)), reverse=True)
    return float(numbers[0] - numbers[1]) if len(numbers) > 1 else None
