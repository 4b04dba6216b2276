"""Questions about words, where saying the word back is no answer.

A third asks what an invented word means (nobody knows), a third whether an invented word is real (no), a third whether
a real one is (yes), the last two in the same phrasings: a constant answer is right in one case of three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from modelqa import Case
from modelqa.data import pools

from .drawing import fresh, question, real_words, rounds, shuffled
from .phrasings_asking import IS_WORD, MEANING

UNKNOWN = ("Unknown.", "I don't know.")


def anti_echo_cases(seed: int) -> Iterator[Case]:
    """Some two thousand cases, kind by kind in turn; meta: kind ("meaning", "invented" or "real")."""
    return fresh(_draw(Random(f"anti-echo {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    invented = pools.nonce_words("certify")
    streams = {
        "meaning": _cases(rng, "meaning", MEANING, invented, UNKNOWN),
        "invented": _cases(rng, "invented", IS_WORD, invented, ("No.",)),
        "real": _cases(rng, "real", IS_WORD, real_words("en"), ("Yes.",)),
    }
    for kind in rounds(rng, list(streams)):
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
