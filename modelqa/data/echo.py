"""The echo dataset: copy what is asked for, and answer questions about a string without copying it.

Three categories: "echo" (repeat the payload), "anti_echo" (a question about a string), "contrast" (pairs: one string
once in an echo frame and once in a question). The ratios of the last two hold in every gibberish mode. The mode is
about what is *copied*; questions about gibberish are asked in every mode, since they are what anti-echo is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Literal

from modelqa.data import phrasings, pools, templates_anti
from modelqa.data.grammar import Language, Split
from modelqa.data.kinds import KINDS
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row
from modelqa.data.templates_anti import QUESTIONS, Question
from modelqa.errors import UsageError
from modelqa.family import payload_split

Gibberish = Literal["include", "exclude", "only"]
IsSafe = Callable[[str], bool]  # whether a gibberish word has few enough tokens

SIZES: dict[Gibberish, int] = {"exclude": 4000, "include": 5000, "only": 2500}  # rows; the guide: 3-5,000 and 2-3,000
MAX_TARGET_TOKENS = 4
ANTI_ECHO_RATIO = 0.2
CONTRAST_RATIO = 0.2
GERMAN_SHARE = 0.15
WORD_SHARES = (0.45, 0.25, 0.18, 0.12)  # echo payloads of one to four words
REAL_SHARE = 0.5  # of anti-echo questions are about real words, so that Yes and No are both common
QUESTION_WEIGHTS = (0.30, 0.12, 0.22, 0.36)  # of QUESTIONS: so that "Unknown." is about as common as "Yes." and "No."
MAX_DRAWS = 1_000  # tries for one more new prompt
_ENDS = (".", "!", "?")
_BARE = re.compile(r"(?<![\"'`<*|])\{P\}(?![\"'`>*|])")


@dataclass(frozen=True)
class Piece:
    """One question and its answer, not yet a row."""

    user: str
    answer: str
    meta: dict[str, Any]


@dataclass(frozen=True)
class Copied:
    """What echo rows copy: the gibberish mode, and shares by number of words, of alike gibberish, of repetitions."""

    gibberish: Gibberish
    word_shares: tuple[float, ...]
    alike_share: float
    repeat_share: float


def rows(
    *,
    seed: int,
    gibberish: Gibberish = "exclude",
    bpe_safe: bool = True,
    count_tokens: Callable[[str], int] | None = None,
    max_target_tokens: int = MAX_TARGET_TOKENS,
    anti_echo_ratio: float = ANTI_ECHO_RATIO,
    contrast_ratio: float = CONTRAST_RATIO,
    word_shares: Sequence[float] = WORD_SHARES,
    alike_share: float = 0.0,
    repeat_share: float = 0.0,
    n_examples: int | None = None,
    max_examples: int | None = None,
    split: Split = "train",
    system: str = DEFAULT_SYSTEM,
) -> Iterator[Row]:
    """The echo rows, streamed in mixed order; no prompt twice.

    n_examples   how many (`SIZES` by mode), capped by max_examples before the ratios are applied
    bpe_safe     gibberish to be copied has at most max_target_tokens tokens a word by `count_tokens`; without it a
                 `UsageError` (mode "exclude" copies no gibberish and needs none)
    word_shares  of echo payloads of one word, two words, and so on
    alike_share  of echo payloads with gibberish are words that begin or end alike; mode "exclude" has none
    repeat_share of echo payloads say something again (`pools.payload`)
    """
    total = size(gibberish, n_examples, max_examples)
    is_safe = _filter(gibberish, bpe_safe, count_tokens, max_target_tokens)
    rng = Random(f"echo {gibberish} {split} {seed}")
    number, seen = 0, set[str]()
    copied = Copied(gibberish, tuple(word_shares), alike_share, repeat_share)
    for category in _plan(rng, total, anti_echo_ratio, contrast_ratio):
        for piece in _new_pieces(rng, category, copied, split, is_safe, seen):
            number += 1
            identity = f"echo-{gibberish}-{split}-{number:06d}"
            yield chat_row(identity, piece.user, piece.answer, system=system, meta=piece.meta)


def size(gibberish: Gibberish, n_examples: int | None, max_examples: int | None) -> int:
    """How many rows that is: as many as asked, or the mode's `SIZES`, at most `max_examples`."""
    total = SIZES[gibberish] if n_examples is None else n_examples
    return total if max_examples is None else min(total, max_examples)


def counts(total: int, anti_echo_ratio: float, contrast_ratio: float) -> dict[str, int]:
    """Rows of each category; each ratio is met within one row, contrast rows are even in number."""
    shares = (anti_echo_ratio, contrast_ratio)
    if total < 1 or not (all(share >= 0 for share in shares) and sum(shares) <= 1):  # NaN is neither
        raise UsageError(
            f"{total} rows cannot be {anti_echo_ratio} anti-echo and {contrast_ratio} contrast",
            reason="both are shares of the output, so neither is negative and their sum is at most 1",
            remedy="for example --anti_echo_ratio 0.2 --contrast_ratio 0.2",
        )
    anti, contrast = round(total * anti_echo_ratio), 2 * round(total * contrast_ratio / 2)
    contrast = min(contrast, (total - anti) // 2 * 2)
    return {"echo": total - anti - contrast, "anti_echo": anti, "contrast": contrast}


def _plan(rng: Random, total: int, anti: float, contrast: float) -> list[str]:
    wanted = counts(total, anti, contrast)
    plan = ["echo"] * wanted["echo"] + ["anti_echo"] * wanted["anti_echo"] + ["contrast"] * (wanted["contrast"] // 2)
    rng.shuffle(plan)
    return plan


def _filter(
    gibberish: Gibberish, bpe_safe: bool, count_tokens: Callable[[str], int] | None, limit: int
) -> IsSafe | None:
    if not bpe_safe or gibberish == "exclude":
        return None
    if count_tokens is None:
        raise UsageError(
            "the BPE-safe filter was asked for, but no tokenizer was given",
            reason="only the model's own tokenizer knows how many tokens a gibberish word has",
            remedy="add --tokenizer PATH (a tokenizer.json or its folder), or --no-bpe_safe",
        )
    counted = lru_cache(maxsize=None)(count_tokens)
    return lambda word: counted(word) <= limit


def _new_pieces(
    rng: Random, category: str, copied: Copied, split: Split, is_safe: IsSafe | None, seen: set[str]
) -> list[Piece]:
    """The rows of one item of the plan (two for a contrast pair), whose prompts are new; they are noted in `seen`."""
    for _ in range(MAX_DRAWS):
        if category == "echo":
            pieces = [_echo(rng, copied, split, is_safe)]
        elif category == "anti_echo":
            pieces = [_anti(rng, split)]
        else:
            pieces = _contrast(rng, copied.gibberish, split, is_safe)
        prompts = {piece.user for piece in pieces}
        if len(prompts) == len(pieces) and not prompts & seen:
            seen |= prompts
            return pieces
    raise UsageError(
        f"after {len(seen)} rows no new {category} prompt was found",
        reason="no prompt may stand twice, and the material of this mode is used up",
        remedy="ask for fewer rows (--n_examples)",
    )


def copy_piece(rng: Random, text: str, *, category: str, split: Split, language: Language) -> Piece:
    """`text` in a phrasing that leaves no doubt about where it ends; the answer is `text` itself."""
    while True:
        template = rng.choice(phrasings.copying(split, language))
        if not text.endswith(_ENDS) or keeps_final_mark(template):
            break
    meta = {"category": category, "payload": text, "language": language, "template": template}
    return Piece(template.replace("{P}", text), text, meta)


def keeps_final_mark(template: str) -> bool:
    """Whether a payload's own full stop is clearly part of it: delimited, or last on its line."""
    found = _BARE.search(template)
    return found is None or template[found.end() :][:1] in ("", "\n")


def question_piece(
    rng: Random, text: str, question: Question, *, real: bool, category: str, split: Split, language: Language
) -> Piece:
    """A question about `text`, answered from whether it is a real word, or from its kind ("An animal.")."""
    template = rng.choice(phrasings.questions(question, split, language))
    answer = templates_anti.answer(question, real=real, language=language)
    if question == "meaning" and real:
        answer = KINDS[text.lower()]
    if text[:1].lower() in "aeiou":
        template = template.replace(" a {P}", " an {P}")
    meta = {"category": category, "payload": text, "language": language, "template": template, "question": question,
            "real": real}  # fmt: skip
    return Piece(template.replace("{P}", text), answer, meta)


def _echo(rng: Random, copied: Copied, split: Split, is_safe: IsSafe | None) -> Piece:
    kind: pools.Kind = "words" if copied.gibberish == "exclude" else "nonce"
    if copied.gibberish == "include":
        kind = rng.choice(("words", "nonce", "mixed"))
    if copied.alike_share and kind != "words" and rng.random() < copied.alike_share:
        kind = "alike"
    language: Language = "de" if rng.random() < GERMAN_SHARE else "en"
    text = _fixed_text(rng, split, language) if kind == "words" and rng.random() < 0.25 else None
    if text is None:
        words = rng.choices(range(1, len(copied.word_shares) + 1), copied.word_shares)[0]
        text = pools.payload(
            rng, split=split, words=words, language=language, kind=kind, punctuation=True,
            repeat_share=copied.repeat_share, is_safe=is_safe,
        )  # fmt: skip
    return copy_piece(rng, text, category="echo", split=split, language=language)


def _fixed_text(rng: Random, split: Split, language: Language) -> str | None:
    """A phrase, a sentence or a number of the split; None when the split has none of the drawn sort."""
    pool = rng.choice(_fixed_pools(split, language))
    return rng.choice(pool) if pool else None


@lru_cache(maxsize=8)
def _fixed_pools(split: Split, language: Language) -> tuple[tuple[str, ...], ...]:
    english = (pools.PHRASES, pools.SENTENCES, pools.NUMBERS)
    german = (pools.GERMAN_PHRASES, pools.GERMAN_SENTENCES, pools.NUMBERS)
    chosen = english if language == "en" else german
    return tuple(tuple(text for text in pool if payload_split(text) == split) for pool in chosen)


def _anti(rng: Random, split: Split) -> Piece:
    language: Language = "de" if rng.random() < GERMAN_SHARE else "en"
    if rng.random() < REAL_SHARE:
        return _about_real(rng, split, language, "anti_echo")
    words = 2 if rng.random() < 0.12 else 1
    text = pools.payload(rng, split=split, words=words, kind="nonce")
    question = _question(rng)
    return question_piece(rng, text, question, real=False, category="anti_echo", split=split, language=language)


def _question(rng: Random) -> Question:
    return rng.choices(QUESTIONS, QUESTION_WEIGHTS)[0]


def _about_real(rng: Random, split: Split, language: Language, category: str) -> Piece:
    question = _question(rng)
    if question == "meaning" and language == "en":
        text = pools.cased(rng, rng.choice(_known_kinds(split)))
    else:
        question = rng.choice(("exists", "known", "known", "invented")) if question == "meaning" else question
        text = pools.payload(rng, split=split, words=1, language=language)
    return question_piece(rng, text, question, real=True, category=category, split=split, language=language)


@lru_cache(maxsize=4)
def _known_kinds(split: Split) -> tuple[str, ...]:
    return tuple(word for word in KINDS if payload_split(word) == split)


def _contrast(rng: Random, gibberish: Gibberish, split: Split, is_safe: IsSafe | None) -> list[Piece]:
    nonce = gibberish == "only" or (gibberish == "include" and rng.random() < 0.5)
    if nonce:
        text = pools.payload(rng, split=split, words=1, kind="nonce", is_safe=is_safe)
        asked = question_piece(
            rng, text, _question(rng), real=False, category="contrast", split=split, language="en"
        )
    else:
        asked = _about_real(rng, split, "en", "contrast")
        text = asked.meta["payload"]
    return [copy_piece(rng, text, category="contrast", split=split, language="en"), asked]
