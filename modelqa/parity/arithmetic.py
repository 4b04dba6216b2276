"""The same text in two arithmetics: which token each prefers, and when a difference is no more than rounding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.checkpoint import Checkpoint
    from modelqa.generate import LocalEngine

Scored = tuple[Sequence[int], Sequence[int]]  # ids, and 1 where the token is looked at

NOISE = 1e-3  # logits: two float32 passes that sum in another order differ by less (measured: below 1e-4)
ROUNDING = {"bfloat16": 2.0**-8, "float16": 2.0**-11}  # relative step of a number of these types
STEPS = 8  # roundings of the largest logit between two passes: up to 5.4 measured on three models of four layers


_TYPES = {"BF16": "bfloat16", "F16": "float16"}  # as safetensors and as torch name them


def stored_dtype(checkpoint: Checkpoint) -> str:
    """The type that most numbers of the weights are stored in, as `--modelqa-dtype` names it.

    Any type but the two of 16 bits is "float32": wider ones are rounded to it, narrower ones are unpacked.
    """
    sizes: Counter[str] = Counter()
    for tensor in checkpoint.tensors.values():
        sizes[tensor.dtype] += tensor.elements
    return _TYPES.get(max(sorted(sizes), key=lambda name: sizes[name], default=""), "float32")


def noise(dtype: str, largest: float) -> float:
    """How far two logits may move, in logits, because one of two passes is computed in `dtype`.

    `largest` is the largest logit in absolute value: the error of a floating-point number grows with the number.
    """
    return max(NOISE, STEPS * ROUNDING.get(dtype, 0.0) * largest)


def best_tokens(engine: LocalEngine, chat: Chat, episodes: Sequence[Scored]) -> dict[str, Any]:
    """{"best": [[token]], "gap": [[logits]], "largest": logit}: the likeliest token where each mask is 1.

    The text is given, so that one other choice does not change all that follow. `gap` is how far the likeliest is above
    the second; 0 where the logits are no numbers.
    """
    found = engine.best(episodes)
    return {
        "best": [list(row.best) for row in found],
        "gap": [[round(gap, 4) for gap in row.gap] for row in found],
        "largest": round(max((row.largest for row in found), default=0.0), 4),
    }


def flips(sure: Mapping[str, Any], other: Mapping[str, Any], floor: float) -> tuple[int, list[tuple[int, int]]]:
    """(how many tokens were compared, the (episode, place) of those where `other` prefers another token although
    `sure` has a gap of at least `floor`).
    """
    pairs = [
        (episode, place, sure["gap"][episode][place], mine == other["best"][episode][place])
        for episode, row in enumerate(sure["best"])
        for place, mine in enumerate(row)
    ]
    return len(pairs), [(episode, place) for episode, place, gap, same in pairs if not same and gap >= floor]


def dtype_problems(exact: Mapping[str, Any], own: Mapping[str, Any], dtype: str) -> list[Problem]:
    """Code parity.dtype: in the type that it is stored in the model prefers other tokens than in float32, where the
    choice is no toss-up (see `noise`).
    """
    floor = noise(dtype, exact["largest"])
    count, found = flips(exact, own, floor)
    if not found:
        return []
    text = (
        f"in {dtype} the model prefers another token than in float32 at {len(found)} of {count} places where float32 "
        f"is sure by {floor:.2g} logits or more: numbers overflow, or vanish, in {dtype}"
    )
    return [Problem("parity.dtype", f"control {found[0][0]}, token {found[0][1]}", text)]
