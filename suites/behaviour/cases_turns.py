"""Conversations of several turns: what an earlier one said is asked for, or something that no earlier one said.

Two or three facts are told, one a turn. A third of the last turns wants something else, so that whoever always goes
back to an earlier turn is wrong there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from modelqa import Case

from .drawing import rounds
from .materials import Drawer, Material, unlike
from .phrasings_reading import HEARD, RECALL, TOLD, WISHES

KINDS = ("recall", "recall", "other")


def turns_cases(seed: int) -> Iterator[Case]:
    """Endless cases; meta: kind ("recall" or "other"), back (how many user turns ago it was said; 0: just now)."""
    return unlike(_draw(Random(f"turns {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    drawer, kinds = Drawer(rng), rounds(rng, KINDS)
    recalls, wishes = rounds(rng, list(enumerate(RECALL))), rounds(rng, list(enumerate(WISHES)))
    for number in count():
        kind, made = next(kinds), drawer.material()
        values = [fact.value for fact in made.facts]
        if kind == "recall":
            family, last = next(recalls)
            user, answer, back = last.replace("{Q}", made.question), f"{made.asked.value}.", _back(made)
        else:
            family, last = next(wishes)
            answer, back = drawer.word(made), 0
            user = last.replace("{X}", answer)
        yield Case(
            id=f"turns/{kind}-{family}/{number}",
            messages=(*_told(rng, made), {"role": "user", "content": user}),
            expect=answer,
            forbid=made.others if kind == "recall" else tuple(values),
            payload=made.asked.value if kind == "recall" else answer,
            meta={"kind": kind, "back": str(back)},
        )


def _back(material: Material) -> int:
    return len(material.facts) - material.facts.index(material.asked)


def _told(rng: Random, material: Material) -> list[dict[str, str]]:
    """One fact a turn, each with the assistant's short reply."""
    said = []
    for sentence, note in zip(material.sentences, rng.sample(TOLD, len(material.sentences)), strict=True):
        said += [{"role": "user", "content": note.replace("{C}", sentence)},
                 {"role": "assistant", "content": rng.choice(HEARD)}]  # fmt: skip
    return said
