"""Numbered sources of which one gives the answer, whose number has to come with it: each place equally often."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from modelqa import Case

from .drawing import question, rounds
from .materials import Drawer, unlike
from .phrasings_reading import CITING


def citation_cases(seed: int) -> Iterator[Case]:
    """Endless cases; meta: source (the number of the right one). `forbid` are the other sources' values."""
    return unlike(_draw(Random(f"citation {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    drawer, frames = Drawer(rng), rounds(rng, list(enumerate(CITING)))
    for number in count():
        made = drawer.material()
        family, frame = next(frames)
        text = "\n".join(f"{sentence} [{place}]" for place, sentence in enumerate(made.sentences, 1))
        cited = str(made.facts.index(made.asked) + 1)
        yield Case(
            id=f"citation/{family}/{number}",
            messages=question(frame.replace("{C}", text).replace("{Q}", made.question)),
            expect=f"{made.asked.value} [{cited}]",
            forbid=made.others,
            payload=text,
            meta={"source": cited},
        )
