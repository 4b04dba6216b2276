"""Questions about words, where saying the word back is no answer.

A quarter asks what an invented word means (nobody knows), a quarter whether an invented word is real (no), and half
whether a real one is (yes), the last two in the same phrasings. "Yes" to everything is right in half the cases, and so
is "No, that is not a real word", which answers both questions about invented words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from modelqa import Case
from modelqa.data import pools

from .drawing import fresh, question, real_words, rounds, shuffled
from .phrasings_asking import IS_WORD, MEANING

UNKNOWN = ("Unknown.", "I don't know.")
BALANCE = ("meaning", "invented", "real", "real")


def anti_echo_cases(seed: int) -> Iterator[Case]:
    """Some twelve hundred cases in rounds of four; meta: kind ("meaning", "invented" or "real")."""
    return fresh(_draw(Random(f"anti-echo {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    invented = pools.nonce_words("certify")
    streams = {
        "meaning": _cases(rng, "meaning", MEANING, invented, UNKNOWN),
        "invented": _cases(rng, "invented", IS_WORD, invented, ("No.",)),
        "real": _cases(rng, "real", IS_WORD, real_words("en"), ("Yes.",)),
    }
    for kind in rounds(rng, BALANCE):
        case = next(streams[kind], None)
        if case is None:  # the shortest stream has ended; going on would tilt the balance
            return
        yield case


def _cases(
    rng: Random, kind: str, phrasings: Sequence[str], words: Sequence[str], expect: tuple[str, ...]
) -> Iterator[Case]:
    """Each phrasing with each word once: rounds over the phrasings, each with its own order of the words."""
    orders = [shuffled(rng, words) for _ in phrasings]
    for number in range(len(words)):
        for family in rng.sample(range(len(phrasings)), len(phrasings)):
            word = orders[family][number]
            yield Case(
                id=f"anti_echo/{kind}-{family}/{number}",
                messages=question(phrasings[family].replace("{P}", word)),
                expect=expect,
                payload=word,
                meta={"kind": kind},
            )
