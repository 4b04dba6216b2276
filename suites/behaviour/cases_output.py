"""Answers that a machine is to read: one word, one number, or a JSON object with the keys that are named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from modelqa import Case
from modelqa.data.contexts import RELATIONS, Fact, value

from .drawing import facts as known_facts
from .drawing import question, rounds
from .materials import Drawer, says, unlike
from .phrasings_reading import AS_JSON, ONE_NUMBER, ONE_WORD

KINDS = ("word", "number", "object of 1", "object of 2")
BARE = {"word": ONE_WORD, "number": ONE_NUMBER}


def output_cases(seed: int) -> Iterator[Case]:
    """Endless cases, the kinds in turn; meta: kind."""
    return unlike(_draw(Random(f"output {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    kinds = rounds(rng, KINDS)
    frames = {kind: rounds(rng, list(enumerate(BARE.get(kind, AS_JSON)))) for kind in KINDS}
    drawers = {kind: Drawer(rng, [r for r in RELATIONS if r.value == kind]) for kind in BARE}
    for number in count():
        kind = next(kinds)
        family, frame = next(frames[kind])
        user, answer, text = _bare(drawers[kind], frame) if kind in BARE else _object(rng, frame, int(kind[-1]))
        yield Case(
            id=f"output/{kind.replace(' ', '-')}-{family}/{number}",
            messages=question(user),
            expect=answer,
            payload=text,
            meta={"kind": kind},
        )


def _bare(drawer: Drawer, frame: str) -> tuple[str, str, str]:
    """(question, answer, material) of one value."""
    made = drawer.material()
    text = " ".join(made.sentences)
    return frame.replace("{C}", text).replace("{Q}", made.question), made.asked.value, text


def _object(rng: Random, frame: str, fields: int) -> tuple[str, str, str]:
    """(question, answer, material) of an object about one key, of which one fact more is stated than is asked for."""
    whose = rng.choice(("person", "thing"))
    own = [relation for relation in RELATIONS if relation.key == whose]
    used = set(known_facts())
    key = Drawer(rng, own).material().asked.key
    stated = [Fact(r, key, value(rng, r.value, "certify", used)) for r in rng.sample(own, fields + 1)]
    asked = rng.sample(stated, fields)
    text = " ".join(says(rng, fact) for fact in stated)
    names = [fact.relation.name for fact in asked]
    user = frame.replace("{C}", text).replace("{K}", key)
    user = user.replace("{F}", " and ".join(f"the {name}" for name in names))
    return user.replace("{N}", " and ".join(f'"{name}"' for name in names)), _json(asked), text


def _json(asked: Sequence[Fact]) -> str:
    said = {fact.relation.name: int(fact.value) if fact.relation.value == "number" else fact.value for fact in asked}
    return json.dumps(said, ensure_ascii=False)
