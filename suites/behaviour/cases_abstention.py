"""Questions about a material, half of which it answers: who never answers is wrong in the other half.

Twins: a material is asked one question that it answers, and one of the same kind about somebody whom it does not name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from modelqa import Case

from .drawing import question, rounds
from .materials import Drawer, unlike
from .phrasings_reading import READING

UNKNOWN = ("Unknown.", "The text does not say.")


def abstention_cases(seed: int) -> Iterator[Case]:
    """Endless twins; meta: kind ("known" or "unknown"). `forbid` are values that are no answer."""
    return unlike(_draw(Random(f"abstention {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    drawer, frames = Drawer(rng), rounds(rng, list(enumerate(READING)))
    for number in count():
        made = drawer.material()
        text = "\n".join(made.sentences) if number % 2 else " ".join(made.sentences)
        asked = {"known": made.question, "unknown": drawer.missing(made)}
        for kind, words in asked.items():
            family, frame = next(frames)
            yield Case(
                id=f"abstention/{kind}-{family}/{number}",
                messages=question(frame.replace("{C}", text).replace("{Q}", words)),
                expect=(f"{made.asked.value}.",) if kind == "known" else UNKNOWN,
                forbid=made.others if kind == "known" else (*made.others, made.asked.value),
                payload=text,
                meta={"kind": kind},
            )
