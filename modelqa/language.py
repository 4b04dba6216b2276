"""How much of its base's language a model still has, in bits per byte of a fixed text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelqa.errors import DataError

if TYPE_CHECKING:
    from modelqa.chat import Chat


def guess(chat: Chat, text: str) -> float:
    """Bits per byte of `text` for who takes every token of the vocabulary for equally likely: to know no language."""
    size = len(text.encode("utf-8"))
    if not size:
        raise DataError("the text is empty", reason="bits per byte divide by its bytes", remedy="give some text")
    return math.log2(chat.tokens.size) * len(chat.tokens.encode(text).ids) / size


def kept(*, base: float, candidate: float, guess: float) -> float:
    """The share of what the base knows beyond a guess that the candidate still knows: 1 all of it, 0 nothing.

    Above 1 the candidate knows more, below 0 it is worse than a guess. All three are bits per byte of one text.
    `DataError` when the base itself is no better than a guess: there is nothing to keep.
    """
    if base >= guess:
        raise DataError(
            f"the base needs {base:.2f} bits per byte of this text, a guess {guess:.2f}",
            reason="it does not know the text's language, so nothing can be lost",
            remedy="name the right base as parent, or measure a text in its language",
        )
    return (guess - candidate) / (guess - base)
