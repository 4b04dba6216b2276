"""Answers that a machine is to read: one word, one number, or a JSON object with the keys that are named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from modelqa import Case
from modelqa.data.contexts import PEOPLE, RELATIONS, Fact, things, value

from .drawing import facts as known_facts
from .drawing import question, rounds
from .materials import asks, says, unlike
from .phrasings_reading import AS_JSON, FORMS, ONE_NUMBER, ONE_WORD

KINDS = ("word", "number", "object of 1", "object of 2")
BARE = {"word": ONE_WORD, "number": ONE_NUMBER}


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
    """(question, answer, material): of one key a word and a number are stated, and one of them is asked for."""
    facts = _facts(rng, ("word", "number"))
    asked = next(fact for fact in facts if fact.relation.value == kind)
    text = " ".join(says(rng, fact) for fact in rng.sample(facts, len(facts)))
    return frame.replace("{C}", text).replace("{Q}", asks(asked, rng.randrange(2))), asked.value, text


def _object(rng: Random, frame: str, fields: int) -> tuple[str, str, str]:
    """(question, answer, material) of an object; one value more is given than is asked for."""
    facts = _facts(rng, ("word", "number", "word")[: fields + 1])
    asked = rng.sample(facts, fields)
    text = " ".join(
        rng.choice(FORMS).replace("{N}", fact.relation.name).replace("{P}", fact.value)
        for fact in rng.sample(facts, len(facts))
    )
    names = [fact.relation.name for fact in asked]
    user = frame.replace("{C}", text).replace("{F}", " and ".join(f"the {name}" for name in names))
    return user.replace("{N}", " and ".join(f'"{name}"' for name in names)), _json(asked), text


def _facts(rng: Random, wanted: Sequence[str]) -> list[Fact]:
    """Facts of one key with values of these kinds, each of a relation of its own."""
    whose = rng.choice(("person", "thing"))
    names = PEOPLE if whose == "person" else [f"the {name}" for name in things()]
    key, used, facts = rng.choice(names), set(known_facts()), list[Fact]()
    for kind in wanted:
        free = [r for r in RELATIONS if (r.key, r.value) == (whose, kind) and r not in {f.relation for f in facts}]
        relation = rng.choice(free)
        facts.append(Fact(relation, key, value(rng, relation.value, "certify", used)))
    return facts


def _json(asked: Sequence[Fact]) -> str:
    said = {fact.relation.name: int(fact.value) if fact.relation.value == "number" else fact.value for fact in asked}
    return json.dumps(said, ensure_ascii=False)
