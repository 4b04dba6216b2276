"""Cases that ask for a text to be said back: words, phrases, numbers and invented words, English and German."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from modelqa import Case

from .drawing import Shape, fresh, payload, question, rounds
from .phrasings_copying import ECHO, ECHO_GERMAN, NEW_VERBS

# Half of the phrasings put the payload where no mark shows it: copying what stands in marks or after a colon is right
# in about 65% of the cases, clearly less than the gate asks for, on every draw.
# five in eight payloads have several words, so that the last word, or any one word, is no answer
SHAPES = (
    Shape("words", 1),
    Shape("words", 2, punctuation=True),
    Shape("words", 3),
    Shape("words", 4, punctuation=True),
    Shape("mixed", 3),
    Shape("words", 2, "de"),
    Shape("number"),
    Shape("nonce", 1),
)
GERMAN_SHAPES = (Shape("words", 1, "de"), Shape("words", 2, "de"), Shape("words", 3, "de"))


def echo_cases(seed: int) -> Iterator[Case]:
    """Endless echo cases; meta: kind, words, language (of the payload), phrasing (its language)."""
    return fresh(_draw(Random(f"echo {seed}"), "echo", ECHO, ECHO_GERMAN))


def new_word_cases(seed: int) -> Iterator[Case]:
    """Endless echo cases whose verbs ("regurgitate") are in no training row."""
    return fresh(_draw(Random(f"new words {seed}"), "new_words", NEW_VERBS, ()))


def _draw(rng: Random, name: str, english: tuple[str, ...], german: tuple[str, ...]) -> Iterator[Case]:
    families = rounds(rng, list(enumerate(english + german)))
    shapes, german_shapes = rounds(rng, SHAPES), rounds(rng, GERMAN_SHAPES)
    for number in count():
        family, phrasing = next(families)
        in_german = family >= len(english)
        drawn = payload(rng, next(german_shapes if in_german else shapes), set())
        yield Case(
            id=f"{name}/{family}/{number}",
            messages=question(phrasing.replace("{P}", drawn.text)),
            expect=drawn.text,
            payload=drawn.text,
            meta={**drawn.meta, "phrasing": "de" if in_german else "en"},
        )
