"""Answers that a machine is to read: one word, one number, or a JSON object with the keys that are named.

What is to be given stands in a record, under its name: reading sentences is asked by other gates, form alone by this.
Two values of a record are of one kind, so that nobody finds the right one by its kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from modelqa import Case
from modelqa.data.contexts import RELATIONS, Fact, Value, value, written

from .drawing import facts as known_facts
from .drawing import question, rounds
from .materials import unlike
from .phrasings_reading import AS_JSON, FIELD_ASKED, FIELDS, ONE_NUMBER, ONE_WORD

KINDS = ("word", "number", "object of 1", "object of 2")
BARE = {"word": ONE_WORD, "number": ONE_NUMBER}
VALUES: dict[str, tuple[Value, ...]] = {"word": ("word", "word", "number"), "number": ("word", "number", "number")}


def output_cases(seed: int) -> Iterator[Case]:
    """Endless cases, the kinds in turn; meta: kind."""
    return unlike(_draw(Random(f"output {seed}")))


def _draw(rng: Random) -> Iterator[Case]:
    kinds = rounds(rng, KINDS)
    frames = {kind: rounds(rng, list(enumerate(BARE.get(kind, AS_JSON)))) for kind in KINDS}
    for number in count():
        kind = next(kinds)
        family, frame = next(frames[kind])
        user, answer, text = _bare(rng, frame, kind) if kind in BARE else _object(rng, frame, int(kind[-1]))
        yield Case(
            id=f"output/{kind.replace(' ', '-')}-{family}/{number}",
            messages=question(user),
            expect=answer,
            payload=text,
            meta={"kind": kind},
        )


def _bare(rng: Random, frame: str, kind: str) -> tuple[str, str, str]:
    """(question, answer, record): the record holds two values of this kind, and one of them is asked for."""
    facts, text = _record(rng, VALUES[kind])
    asked = rng.choice([fact for fact in facts if fact.relation.value == kind])
    words = rng.choice(FIELD_ASKED).replace("{N}", asked.relation.name)
    return frame.replace("{C}", text).replace("{Q}", words), asked.value, text


def _object(rng: Random, frame: str, fields: int) -> tuple[str, str, str]:
    """(question, answer, record) of an object; the record has more fields than are asked for."""
    facts, text = _record(rng, rng.choice(tuple(VALUES.values())))
    asked = rng.sample(facts, fields)
    names = [fact.relation.name for fact in asked]
    user = frame.replace("{C}", text).replace("{F}", " and ".join(f"the {name}" for name in names))
    return user.replace("{N}", " and ".join(f'"{name}"' for name in names)), _json(asked), text


def _record(rng: Random, values: Sequence[Value]) -> tuple[list[Fact], str]:
    """Facts with values of these kinds, each of a relation of its own, and the record that holds them."""
    used, facts = set(known_facts()), list[Fact]()
    for kind in values:
        free = [r for r in RELATIONS if r.value == kind and r not in {fact.relation for fact in facts}]
        facts.append(Fact(rng.choice(free), "", value(rng, kind, "certify", used)))
    rng.shuffle(facts)
    return facts, written(facts, *rng.choice(FIELDS))


def _json(asked: Sequence[Fact]) -> str:
    said = {fact.relation.name: int(fact.value) if fact.relation.value == "number" else fact.value for fact in asked}
    return json.dumps(said, ensure_ascii=False)
