"""The operator dataset: COPY, WRAP and EXTRACT, contrastive - every payload stands under all three.

Payloads are unique after normalisation and belong to the split; template families of the two splits are disjoint.
Answers: COPY the payload, WRAP the payload in the brackets asked for, EXTRACT what stands between the marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Literal, TypeVar

from modelqa.data import phrasings, pools
from modelqa.data.grammar import Language, Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row, user_of
from modelqa.data.templates_extract import MARK_SHARES, MARKS
from modelqa.data.templates_wrap import BRACKET_SHARES, BRACKETS
from modelqa.errors import DataError, UsageError
from modelqa.family import normalise, overlapping, signature

Operator = Literal["COPY", "WRAP", "EXTRACT"]
Example = tuple[str, str, str]  # (prompt, answer, template)
T = TypeVar("T")

OPERATORS: tuple[Operator, ...] = ("COPY", "WRAP", "EXTRACT")
WORD_DIST = (0.35, 0.30, 0.20, 0.15)  # shares of payloads of one, two, three and four words
MAX_WORDS = 4
MAX_TOKENS = 12
GERMAN_SHARE = 0.15  # of payloads; their prompts are German too
BARE_SHARE = 0.06  # of EXTRACT prompts show the marked payload alone, without a sentence around it
KINDS: tuple[pools.Kind, ...] = ("words", "words", "nonce", "mixed")
MAX_DRAWS = 2_000  # tries for one more unique payload before the pool counts as exhausted


def rows(
    *,
    n: int,
    split: Split,
    seed: int,
    word_dist: Sequence[float] = WORD_DIST,
    max_words: int = MAX_WORDS,
    max_tokens: int = MAX_TOKENS,
    count_tokens: Callable[[str], int] | None = None,
    german: bool = True,
    kinds: Sequence[pools.Kind] = KINDS,
    repeat_share: float = 0.0,
    system: str = DEFAULT_SYSTEM,
) -> Iterator[Row]:
    """`n` examples, rounded up to a multiple of three, streamed; the three of one payload follow each other.

    kinds         what payloads are made of; one of them is drawn for each, so that naming one twice doubles its share
    repeat_share  of payloads say something again (`pools.payload`)
    max_tokens    upper limit of `count_tokens(payload)`; 0 for none. A limit without `count_tokens` is a `UsageError`.
    """
    draw = _payloads(
        Random(f"operators {split} {seed}"), split, list(_lengths(-(-n // 3), word_dist, max_words)), german,
        _limit(max_tokens, count_tokens), kinds, repeat_share,
    )  # fmt: skip
    rng = Random(f"operator prompts {split} {seed}")
    for number, (text, language) in enumerate(draw, 1):
        for operator in OPERATORS:
            user, answer, template = example(rng, operator, text, split=split, language=language)
            meta = {"category": "operator", "operator": operator, "payload": text, "language": language,
                    "template": template, "words": len(text.split())}  # fmt: skip
            yield chat_row(f"operators-{split}-{number:06d}-{operator.lower()}", user, answer, system=system, meta=meta)


def example(rng: Random, operator: Operator, payload: str, *, split: Split, language: Language) -> Example:
    """(prompt, answer, template with `{P}`) of one operator on one payload, in a random phrasing of the split."""
    return {"COPY": _copy, "WRAP": _wrap, "EXTRACT": _extract}[operator](rng, payload, split, language)


def require_disjoint(train: Iterable[Row], val: Iterable[Row]) -> None:
    """Raise `DataError` unless no normalised payload and no template family, computed from the text, stands in both."""
    train, val = list(train), list(val)
    payloads = {normalise(row["meta"]["payload"]) for row in train} & {normalise(row["meta"]["payload"]) for row in val}
    families = overlapping(_signatures(val), _signatures(train))
    if payloads or families:
        shared = [*sorted(payloads)[:3], *(f"{a} ~ {b}" for a, b, _ in families[:3])]
        raise DataError(
            f"train and val share {len(payloads)} payloads and {len(families)} template families: {'; '.join(shared)}",
            reason="a validation score on them would measure memory",
            remedy="this is a defect of modelqa's templates: report it; other seeds may avoid it",
        )


def _signatures(rows: Iterable[Row]) -> list[str]:
    return [signature(user_of(row), payload=row["meta"]["payload"]) for row in rows]


def _copy(rng: Random, payload: str, split: Split, language: Language) -> Example:
    template = rng.choice(phrasings.copying(split, language))
    return template.replace("{P}", payload), payload, template


def _wrap(rng: Random, payload: str, split: Split, language: Language) -> Example:
    bracket = _drawn(rng, BRACKET_SHARES)
    template = rng.choice(phrasings.wrapping(split, language, bracket))
    opening, closing = BRACKETS[bracket]
    return template.replace("{P}", payload), f"{opening}{payload}{closing}", template


def _extract(rng: Random, payload: str, split: Split, language: Language) -> Example:
    mark = _drawn(rng, MARK_SHARES)
    opening, closing = MARKS[mark]
    carrier = "{M}" if rng.random() < BARE_SHARE else rng.choice(phrasings.carriers(split, language))
    carrier = carrier.replace("{M}", f"{opening}{{P}}{closing}")
    template = rng.choice(phrasings.extracting(split, language, mark)).replace("{C}", carrier)
    return template.replace("{P}", payload), payload, template


def _drawn(rng: Random, shares: Sequence[tuple[T, float]]) -> T:
    names, weights = zip(*shares, strict=True)
    chosen: T = rng.choices(names, cum_weights=list(accumulate(weights)))[0]
    return chosen


def _limit(max_tokens: int, count_tokens: Callable[[str], int] | None) -> Callable[[str], bool]:
    if not max_tokens:
        return lambda text: True
    if count_tokens is None:
        raise UsageError(
            f"payloads are limited to {max_tokens} tokens, but no tokenizer was given",
            reason="only the model's own tokenizer can count its tokens",
            remedy="add --tokenizer PATH (a tokenizer.json or its folder), or --max_tokens 0 for no limit",
        )
    counted = lru_cache(maxsize=None)(count_tokens)
    return lambda text: counted(text) <= max_tokens


def _lengths(count: int, word_dist: Sequence[float], max_words: int) -> Iterator[int]:
    """The number of words of each payload: the distribution met as nearly as whole payloads allow, interleaved."""
    shares = list(word_dist)[:max_words]
    if max_words < 1 or not shares or min(shares) < 0 or sum(shares) <= 0:
        raise UsageError(
            f"--word_dist {','.join(map(str, word_dist))} with --max_words {max_words} leaves nothing to draw",
            reason="the distribution needs a positive share for some number of words up to max_words",
            remedy="for example --word_dist 0.35,0.30,0.20,0.15 --max_words 4",
        )
    given = [0] * len(shares)
    for position in range(1, count + 1):
        behind = [share / sum(shares) * position - so_far for share, so_far in zip(shares, given, strict=True)]
        index = behind.index(max(behind))
        given[index] += 1
        yield index + 1


def _payloads(
    rng: Random, split: Split, lengths: list[int], german: bool, fits: Callable[[str], bool],
    kinds: Sequence[pools.Kind], repeat_share: float,
) -> Iterator[tuple[str, Language]]:
    seen: set[str] = set()
    rng.shuffle(lengths)
    for words in lengths:
        language: Language = "de" if german and rng.random() < GERMAN_SHARE else "en"
        for _ in range(MAX_DRAWS):
            text = pools.payload(
                rng, split=split, words=words, language=language, kind=rng.choice(kinds), repeat_share=repeat_share
            )
            if normalise(text) not in seen and fits(text):
                break
        else:
            raise UsageError(
                f"after {len(seen)} payloads no new one of {words} word(s) was found for the {split} split",
                reason="payloads are unique after normalisation, and this length's are used up or over the limit",
                remedy="ask for fewer examples, more words a payload, or a higher --max_tokens",
            )
        seen.add(normalise(text))
        yield text, language
