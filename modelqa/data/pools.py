"""The word material of every generator: gibberish, and payloads that belong to one split.

A payload is the string that a prompt asks to be copied, wrapped, extracted or talked about. Which split a payload
belongs to is a property of its text alone (`modelqa.family.payload_split`): training, validation and certification
never share one. The lists themselves stand in `modelqa.data.words` and are public names here too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Literal

from modelqa.data.words import (
    EVERYDAY,
    FIRST_SYLLABLES,
    GERMAN_PHRASES,
    GERMAN_SENTENCES,
    GERMAN_WORDS,
    LAST_SYLLABLES,
    MIDDLE_SYLLABLES,
    NUMBERS,
    PHRASES,
    SENTENCES,
    WORDS,
)
from modelqa.errors import UsageError
from modelqa.family import payload_split

Split = Literal["train", "val", "certify"]
Kind = Literal["words", "nonce", "mixed", "alike"]
Language = Literal["en", "de"]

__all__ = [
    "EVERYDAY",
    "GERMAN_PHRASES",
    "GERMAN_SENTENCES",
    "GERMAN_WORDS",
    "NUMBERS",
    "PHRASES",
    "SENTENCES",
    "SPLITS",
    "WORDS",
    "Kind",
    "Language",
    "Split",
    "alike",
    "cased",
    "nonce",
    "nonce_words",
    "payload",
]

SPLITS: tuple[Split, ...] = ("train", "val", "certify")
PUNCTUATED_SHARE = 0.2  # of payloads that may end with a mark do
ALIKE_SHARE = 0.7  # of the words of an "alike" payload after the first begin or end as one before them does
ALIKE_LETTERS = 3  # that many letters at either end are most of a syllable, and mostly one token
RUN_SHARE = 0.5  # of payloads that repeat something end in one or two words said over and over
MAX_STUTTER = 3  # times that the end of a single word is said again
MAX_DRAWS = 20_000  # a split holds 1/20 of all payloads: this many misses in a row mean that it cannot be met

@lru_cache(maxsize=1)
def _gibberish() -> dict[str, tuple[str, ...]]:
    """Every gibberish word by its split; two syllables each, or three (every third such combination is kept)."""
    known = {word.lower() for word in (*WORDS, *GERMAN_WORDS)}
    pairs = [first + last for first in FIRST_SYLLABLES for last in LAST_SYLLABLES]
    triples = [first + middle + last for first in FIRST_SYLLABLES for middle in MIDDLE_SYLLABLES
               for last in LAST_SYLLABLES]
    found: dict[str, list[str]] = {split: [] for split in SPLITS}
    for word in sorted({word for word in (*pairs, *triples[::3]) if 4 <= len(word) <= 9} - known):
        found[payload_split(word)].append(word)
    return {split: tuple(words) for split, words in found.items()}


def nonce_words(split: Split) -> tuple[str, ...]:
    """All gibberish words of one split: pronounceable, 4 to 9 letters, none of them in the word lists; sorted."""
    return _gibberish()[split]


def nonce(rng: Random, *, split: Split, is_safe: Callable[[str], bool] | None = None) -> str:
    """One gibberish word of `split`, for which `is_safe` (a token-length filter, say) holds."""
    words = nonce_words(split)
    for _ in range(MAX_DRAWS):
        word = rng.choice(words)
        if is_safe is None or is_safe(word):
            return word
    raise UsageError(
        f"no gibberish word of the {split} split passes the filter",
        reason=f"{MAX_DRAWS} draws from {len(words)} words were all refused",
        remedy="allow more tokens per word (--max_target_tokens)",
    )


def alike(
    rng: Random, *, split: Split, words: int, is_safe: Callable[[str], bool] | None = None
) -> list[str]:
    """`words` gibberish words of `split`, most of which begin or end as another one does: the hardest thing to copy.

    A copy goes on from the letters that it has just written, and here these stand in more than one place.
    """
    found = [nonce(rng, split=split, is_safe=is_safe)]
    while len(found) < words:
        kin = _kin(split)[rng.choice(_ends(rng.choice(found)))] if rng.random() < ALIKE_SHARE else ()
        choice = [word for word in kin if word not in found and (is_safe is None or is_safe(word))]
        found.append(rng.choice(choice) if choice else nonce(rng, split=split, is_safe=is_safe))
    rng.shuffle(found)
    return found


@lru_cache(maxsize=4)
def _kin(split: Split) -> dict[tuple[str, str], tuple[str, ...]]:
    """The gibberish words of a split by their first letters and by their last."""
    found: dict[tuple[str, str], list[str]] = {}
    for word in nonce_words(split):
        for end in _ends(word):
            found.setdefault(end, []).append(word)
    return {end: tuple(words) for end, words in found.items()}


def _ends(word: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("first", word[:ALIKE_LETTERS]), ("last", word[-ALIKE_LETTERS:])


def cased(rng: Random, text: str) -> str:
    """`text` as it is (60 %), with a capital (32 %) or in capitals (8 %): what a copy has to keep."""
    draw = rng.random()
    return text if draw < 0.60 else text[:1].upper() + text[1:] if draw < 0.92 else text.upper()


def payload(
    rng: Random,
    *,
    split: Split,
    words: int,
    language: Language = "en",
    kind: Kind = "words",
    punctuation: bool = False,
    repeat_share: float = 0.0,
    is_safe: Callable[[str], bool] | None = None,
) -> str:
    """A payload of `words` words that belongs to `split` and differs from every other split's after normalisation.

    kind         "words", "nonce", "mixed" (each word is one or the other, both present when there is room) or "alike"
                 (gibberish words that begin or end alike)
    punctuation  now and then (one in five) a final `.`, `!` or `?`, which is then part of the payload
    repeat_share of payloads say something again: one word twice, a word or two over and over, the end of a word
    is_safe      what each gibberish word must satisfy
    """
    for _ in range(MAX_DRAWS):
        kinds = _kinds(rng, words, kind)
        drawn = (
            alike(rng, split=split, words=words, is_safe=is_safe) if kind == "alike"
            else [_word(rng, split, language, chosen, is_safe) for chosen in kinds]
        )
        text = " ".join(_repeated(rng, drawn, repeat_share, is_safe))
        if payload_split(text) != split:
            continue
        text = cased(rng, text)
        if is_safe and not all(is_safe(word) for word, k in zip(text.split(), kinds, strict=True) if k == "nonce"):
            continue
        return text + (rng.choice((".", ".", "!", "?")) if punctuation and rng.random() < PUNCTUATED_SHARE else "")
    raise UsageError(
        f"no payload of {words} words of the {split} split was found",
        reason=f"{MAX_DRAWS} draws belonged to other splits",
        remedy="ask for more words a payload, or for gibberish",
    )


def _repeated(rng: Random, words: list[str], share: float, is_safe: Callable[[str], bool] | None) -> list[str]:
    """`words`, or with probability `share` the same with something said again: a word elsewhere, the rest of the text
    over and over, the end of a single word. A copy that goes by the last letters alone does not come out of these.
    """
    if not share or rng.random() >= share:
        return words
    if len(words) == 1:
        stuttered = words[0] + words[0][-rng.choice((2, 3)) :] * rng.randint(1, MAX_STUTTER)
        return words if is_safe and not is_safe(stuttered) else [stuttered]
    if rng.random() < RUN_SHARE:
        start = rng.randrange(len(words) - 1)
        unit = words[start : start + (1 if len(words) - start < 3 else rng.choice((1, 2)))]
        return words[:start] + [unit[index % len(unit)] for index in range(len(words) - start)]
    source, place = rng.sample(range(len(words)), 2)
    return [words[source] if index == place else word for index, word in enumerate(words)]


def _kinds(rng: Random, words: int, kind: Kind) -> list[Kind]:
    if kind == "alike":
        return ["nonce"] * words
    if kind != "mixed":
        return [kind] * words
    chosen: list[Kind] = [rng.choice(("words", "nonce")) for _ in range(words)]
    if words > 1 and len(set(chosen)) == 1:
        chosen[rng.randrange(words)] = "nonce" if chosen[0] == "words" else "words"
    return chosen


def _word(rng: Random, split: Split, language: Language, kind: Kind, is_safe: Callable[[str], bool] | None) -> str:
    if kind == "nonce":
        return nonce(rng, split=split, is_safe=is_safe)
    return rng.choice(WORDS if language == "en" else GERMAN_WORDS)
