"""Perplexities compare on one text with one tokenizer only; bits per byte compare across tokenizers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

from modelqa.benchmarks.comparison import matched
from modelqa.benchmarks.concern import Concern, proven, unproven
from modelqa.benchmarks.result import Result

PER_TOKEN = ("perplexity", "ppl")  # those by word and by byte do not depend on the tokenizer
CONTRADICTION = 2.0  # times as many nats a token on one English text as on another


def perplexity_concerns(new: Sequence[Result], old: Sequence[Result]) -> Iterator[Concern]:
    """Perplexities of two models that stand side by side and must not: other text, other tokenizer, or unknown."""
    bits = {mine.task for mine, other in matched(new, old) if mine.unit == "bits_per_byte" == other.unit}
    for mine, other in matched(new, old):
        if mine.unit not in ("perplexity", "bits_per_byte"):
            continue
        sides = f"{mine.shown} and {other.model}'s {other.shown}"
        if not mine.items_sha256 or not other.items_sha256:
            yield unproven("perplexity_set", mine.name, f"{sides}: on the same text? its hash is not stated")
        elif mine.items_sha256 != other.items_sha256:
            yield proven("perplexity_set", mine.name, f"{sides} are of different texts: they do not compare")
        elif mine.metric.lower() in PER_TOKEN and mine.task not in bits:
            yield from _tokenizers(mine, other, sides)


def per_token(bits_per_byte: float, *, size: int, tokens: int) -> float:
    """The perplexity of each of `tokens` tokens of a text of `size` bytes: 2 to the bits that fall on one of them."""
    return float(2 ** (bits_per_byte * size / tokens))


def _tokenizers(mine: Result, other: Result, sides: str) -> Iterator[Concern]:
    if not mine.tokenizer or not other.tokenizer:
        yield unproven("perplexity_tokenizer", mine.name, f"{sides}: by which tokenizer? state it, or bits per byte")
    elif mine.tokenizer != other.tokenizer:
        text = f"{sides} are by different tokenizers: compare bits per byte"
        yield proven("perplexity_tokenizer", mine.name, text)


def contradiction_concerns(results: Sequence[Result]) -> Iterator[Concern]:
    """Two perplexities of one model by one tokenizer that cannot both describe how well it knows a language."""
    per_token = [r for r in results if r.metric.lower() in PER_TOKEN and r.value is not None and r.value > 1]
    for one, two in combinations(per_token, 2):
        assert one.value is not None and two.value is not None
        low, high = sorted((one, two), key=lambda result: result.value or 0.0)
        nats = math.log(low.value or math.nan), math.log(high.value or math.nan)
        if one.tokenizer == two.tokenizer and nats[1] > CONTRADICTION * nats[0]:
            text = (
                f"{low.task} {low.shown} but {high.task} {high.shown}: {nats[1] / nats[0]:.1f} times the nats a token"
            )
            yield unproven(
                "contradiction", f"{low.task}, {high.task}", f"{text}; does the first overlap the training data?"
            )
