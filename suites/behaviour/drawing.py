"""What the seeded case streams share: even shuffles, no question twice, payloads that no training row holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from random import Random
from typing import Literal, TypeVar

from modelqa import Case
from modelqa.data import pools
from modelqa.data.facts import FACTS
from modelqa.data.phrasings import carriers
from modelqa.family import normalise, payload_split

Item = TypeVar("Item")

LANGUAGES: tuple[Literal["en", "de"], ...] = ("en", "de")
TRIES = 100  # draws of a payload that is not used yet before its kind counts as used up


def rounds(rng: Random, items: Sequence[Item]) -> Iterator[Item]:
    """The items for ever, each once a round in a new order: every prefix holds them about equally often."""
    while True:
        yield from rng.sample(items, len(items))


def shuffled(rng: Random, items: Iterable[Item]) -> list[Item]:
    """The items in a random order."""
    drawn = list(items)
    rng.shuffle(drawn)
    return drawn


def fresh(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases whose question is not, after normalisation, an earlier one's."""
    asked: set[str] = set()
    for case in cases:
        question = normalise(case.user)
        if question not in asked:
            asked.add(question)
            yield case


def question(text: str) -> tuple[dict[str, str], ...]:
    """The messages of a one-turn case."""
    return ({"role": "user", "content": text},)


@dataclass(frozen=True)
class Shape:
    """What kind of payload to draw: `kind` is "words", "nonce", "mixed" or "number"."""

    kind: Literal["words", "nonce", "mixed", "number"]
    words: int = 1
    language: Literal["en", "de"] = "en"
    punctuation: bool = False


@dataclass(frozen=True)
class Payload:
    """A drawn payload and the shape that it really has."""

    text: str
    shape: Shape

    @property
    def meta(self) -> dict[str, str]:
        """What results are broken down by."""
        return {"kind": self.shape.kind, "words": str(self.shape.words), "language": self.shape.language}


def payload(rng: Random, shape: Shape, used: set[str]) -> Payload:
    """A certification payload that is not in `used`, to which it is added.

    Subjects and answers of the facts are left out, and what sentences of the training data say around their payloads:
    training names them, whatever their split. A kind that is used up (there are few single German words) is replaced by
    an invented word of the same length.
    """
    for attempt in (shape, Shape("nonce", shape.words)):
        for text in islice(_texts(rng, attempt), TRIES):
            said = normalise(text)
            if not any(said in taken for taken in (used, facts(), carried())):
                used.add(said)
                return Payload(text, attempt)
    raise RuntimeError(f"all certification payloads of {shape.words} words are used up after {len(used)}")


def _texts(rng: Random, shape: Shape) -> Iterator[str]:
    """Payloads of one shape, all of the certification split; the single words end once each was given."""
    if shape.kind == "number":
        numbers = (str(rng.randrange(10, 10_000)) for _ in count())
        yield from (number for number in numbers if payload_split(number) == "certify")
    elif shape.kind == "words" and shape.words == 1:
        yield from (pools.cased(rng, word) for word in shuffled(rng, real_words(shape.language)))
    else:
        while True:
            yield pools.payload(
                rng,
                split="certify",
                words=shape.words,
                language=shape.language,
                kind=shape.kind,
                punctuation=shape.punctuation,
            )


@lru_cache(maxsize=1)
def facts() -> frozenset[str]:
    """What the facts are about and what they say, in normal form."""
    return frozenset(normalise(text) for fact in FACTS for text in (fact.subject, fact.answer))


@lru_cache(maxsize=1)
def carried() -> frozenset[str]:
    """Runs of two to four words in the sentences that carry a payload of training ("made a child laugh")."""
    told = [normalise(text).split() for language in LANGUAGES for text in carriers("train", language)]
    return frozenset(" ".join(words[at : at + length])
                     for words in told for length in (2, 3, 4) for at in range(len(words) - length + 1))  # fmt: skip


@lru_cache(maxsize=2)
def real_words(language: Literal["en", "de"]) -> tuple[str, ...]:
    """The single words of the certification split, sorted; without those of the facts, which training may list."""
    words = pools.WORDS if language == "en" else pools.GERMAN_WORDS
    return tuple(sorted(word for word in words if payload_split(word) == "certify" and normalise(word) not in facts()))
