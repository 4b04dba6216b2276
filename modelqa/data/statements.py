"""Relations that are drawn, not listed: statements of four to twelve words about a key, and questions for them.

Whoever has read three statements a relation knows those three. Here a relation is a verb, a state or a property out of
some hundred (`modelqa.data.words_statements`), so that what holds for all of them is learnt: the key of the question
stands at the head of one sentence, and that sentence is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

from modelqa.data import pools
from modelqa.data import words_statements as words_of
from modelqa.data.contexts import RELATIONS, Relation, Value

Key = Literal["person", "thing"]
KNOWN = 0.3  # of the relations are those of `contexts.RELATIONS`
INVENTED = 0.4  # of the others are made of invented words, so that nothing can be relied on but where words stand


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """(base, past) of each verb; a hyphen stands for the space within one."""
    split = (item.split() for item in text.split(","))
    return tuple((base.replace("-", " "), past.replace("-", " ")) for base, past in split)


def _items(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(","))


_ACTS: Mapping[Value, tuple[tuple[str, str], ...]] = {
    "word": _pairs(words_of.DEEDS), "number": _pairs(words_of.NUMBERED_DEEDS),
}  # fmt: skip
_BEING: Mapping[Value, tuple[str, ...]] = {
    "word": _items(words_of.STATES), "number": _items(words_of.NUMBERED_STATES),
}  # fmt: skip
_HAVING: Mapping[Value, tuple[str, ...]] = {
    "word": _items(words_of.PROPERTIES), "number": _items(words_of.NUMBERED_PROPERTIES),
}  # fmt: skip
_FORMS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {  # how each kind of relation is told and asked
    "deed": (words_of.DEED, words_of.ASK_DEED), "state": (words_of.STATE, words_of.ASK_STATE),
    "property": (words_of.PROPERTY, words_of.ASK_PROPERTY),
}  # fmt: skip


def draw(rng: Random) -> Relation:
    """A relation for training: one of the fixed ones, or one drawn anew."""
    if rng.random() < KNOWN:
        return rng.choice(RELATIONS)
    keys: tuple[Key, ...] = ("person", "thing")
    values: tuple[Value, ...] = ("word", "word", "number")
    return relation(rng, rng.choice(keys), rng.choice(values))


def fields(rng: Random, values: Sequence[Value], *, known: bool) -> list[Relation]:
    """Relations whose names are the fields of an object, with values of these kinds; no name twice.

    known  only names of the fixed relations; else half of them are other properties
    """
    found: list[Relation] = []
    while len(found) < len(values):
        value = values[len(found)]
        drawn = rng.choice([each for each in RELATIONS if each.value == value])
        if not known and rng.random() < 0.5:
            drawn = Relation(rng.choice(_HAVING[value]), "thing", value, (), (), (), ())
        if drawn.name not in {each.name for each in found}:
            found.append(drawn)
    return found


def relation(rng: Random, key: Key, value: Value) -> Relation:
    """A relation drawn anew: a deed (of a person), a state or a property, with three statements and one question of it.

    Forms are for training alone: the held ones are the same.
    """
    kind = rng.choice(("deed", "state", "property") if key == "person" else ("state", "property"))
    if rng.random() < INVENTED:
        return _invented(rng, kind, key, value)
    told, asked = _FORMS[kind]
    if kind == "deed":
        base, past = rng.choice(_ACTS[value])
        return _relation(rng, f"to {base}", key, value, told, asked, base=base, past=past)
    name = rng.choice((_BEING if kind == "state" else _HAVING)[value])
    return _relation(rng, name, key, value, told, asked, state=name, noun=name)


def _invented(rng: Random, kind: str, key: Key, value: Value) -> Relation:
    """A relation of words that nobody knows: "Anna zelmaded the mip X near the drasab."."""
    word, other = (pools.nonce(rng, split="train") for _ in range(2))
    told, asked = _FORMS[kind]
    name = f"to {word}" if kind == "deed" else word if kind == "property" else f"{word}ed{rng.choice(words_of.AFTER)}"
    words = {"base": word, "past": f"{word}ed", "state": name, "noun": word}
    late = "" if rng.random() < 0.3 else f" {rng.choice(words_of.WHERE)} {rng.choice((other, rng.choice(pools.WORDS)))}"
    return _relation(rng, name, key, value, [text.replace("{late}", late) for text in told], asked, **words)


def _relation(
    rng: Random, name: str, key: Key, value: Value, says: Sequence[str], asks: Sequence[str], **words: str
) -> Relation:
    told = tuple(filled(rng, rng.choice(says), **words) for _ in range(3))
    asked = (filled(rng, rng.choice(asks), **words),)
    return Relation(name, key, value, told, asked, told, asked)


def filled(rng: Random, pattern: str, **words: str) -> str:
    """The pattern with its slots filled; `words` are the relation's own."""
    for slot, text in words.items():
        pattern = pattern.replace(f"{{{slot}}}", text)
    for slot, choices in words_of.SLOTS.items():
        while f"{{{slot}}}" in pattern:
            pattern = pattern.replace(f"{{{slot}}}", rng.choice(choices), 1)
    return pattern


def later(rng: Random, statement: str) -> str:
    """A statement that says a little more: when, where or how, behind its value or before its full stop."""
    return statement.removesuffix(".") + rng.choice(words_of.SLOTS["late"]) + "."
