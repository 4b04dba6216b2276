"""Small materials to answer from: facts about invented relations, as sentences with questions that only they answer.

A fact says of a key (a person or a thing) one value, which is a payload of one split: it cannot be known, only read.
A sentence names its key first and the value after it. So a small model can answer with the sentence itself: it says the
key of the question and goes on as the material does, which is copying, the one thing that it does well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from modelqa.data import pools
from modelqa.data.altered import altered
from modelqa.data.pools import Split
from modelqa.family import normalise, payload_split

PEOPLE = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lena", "Max", "Nora")
_THINGS = """
bag balloon barn basket bed bell bench bike boat book bottle bowl box bridge bus cabin cake camera candle car castle
cave chair chest clock coat cup desk door drum engine fence flag flute fountain garage garden gate glass glove
guitar hat horn hotel house kettle kite lamp ladder laptop lock map mirror museum oven palace piano plate puppet
radio raft robot rocket roof room school shelf ship shirt shoe sofa spoon station statue stove table tent tower toy
train trumpet truck tunnel umbrella violin wagon watch wheel whistle window
"""
Value = Literal["word", "number"]


@dataclass(frozen=True)
class Relation:
    """What can be said of a key: `{K}` is the key, `{P}` the value. `held` are the forms that training never uses."""

    name: str
    key: Literal["person", "thing"]
    value: Value
    says: tuple[str, ...]
    asks: tuple[str, ...]
    held_says: tuple[str, ...]
    held_asks: tuple[str, ...]


RELATIONS = (
    Relation("word", "person", "word",
             ("{K} said {P}.", "{K} says {P}.", "{K} has the word {P}.", "{K} often said {P}."),
             ("what did {K} say?", "what is the word of {K}?", "which word did {K} say?", "tell me the word of {K}."),
             ("{K} told us {P}.",), ("what is it that {K} said?",)),
    Relation("name", "thing", "word",
             ("{K} is called {P}.", "{K} has the name {P}.", "{K} goes by the name {P}."),
             ("what is the name of {K}?", "what is {K} called?", "give me the name of {K}.", "how do we call {K}?"),
             ("{K} got the name {P}.",), ("which name does {K} have?",)),
    Relation("code", "thing", "number",
             ("{K} has the code {P}.", "{K} opens with {P}.", "{K} needs the code {P}."),
             ("what is the code of {K}?", "which code has {K}?", "tell me the code of {K}.", "give the code of {K}."),
             ("{K} takes the code {P}.",), ("which code do i need for {K}?",)),
    Relation("price", "thing", "number",
             ("{K} costs {P} coins.", "{K} has the price {P}.", "{K} is yours for {P} coins."),
             ("how much is {K}?", "what is the price of {K}?", "what does {K} cost?", "tell me the price of {K}."),
             ("{K} comes at {P} coins.",), ("how many coins is {K}?",)),
    Relation("age", "person", "number",
             ("{K} is {P} years old.", "{K} has the age {P}.", "{K} is now {P}."),
             ("how old is {K}?", "what is the age of {K}?", "give me the age of {K}."),
             ("{K} lived for {P} years.",), ("tell me how old {K} is.",)),
    Relation("content", "thing", "word",
             ("{K} holds the {P}.", "{K} has the {P} in it.", "{K} is full of {P}."),
             ("what is in {K}?", "what does {K} hold?", "which thing is in {K}?", "say what is in {K}."),
             ("{K} keeps the {P}.",), ("what do we find in {K}?",)),
    Relation("wish", "person", "word",
             ("{K} likes the {P}.", "{K} wants the {P}.", "{K} asks for the {P}."),
             ("what does {K} like?", "which thing does {K} want?", "what is the wish of {K}?", "what does {K} want?"),
             ("{K} loves the {P}.",), ("what is it that {K} likes?",)),
    Relation("friend", "person", "word",
             ("{K} has a friend called {P}.", "{K} is a friend of {P}.", "{K} plays with {P}."),
             ("who is the friend of {K}?", "which friend has {K}?", "name the friend of {K}."),
             ("{K} walks with {P}.",), ("what is the friend of {K} called?",)),
    Relation("sign", "thing", "word",
             ("{K} has the sign {P}.", "{K} shows the word {P}.", "{K} has {P} written on it."),
             ("what does the sign on {K} say?", "what is written on {K}?", "what do we read on {K}?"),
             ("{K} shows {P}.",), ("which word is written on {K}?",)),
    Relation("number", "person", "number",
             ("{K} has the number {P}.", "{K} got the number {P}.", "{K} plays as number {P}."),
             ("what is the number of {K}?", "which number has {K}?", "give me the number of {K}."),
             ("{K} runs as number {P}.",), ("tell me which number {K} has.",)),
    Relation("home", "person", "word",
             ("{K} lives in {P}.", "{K} comes from {P}.", "{K} has a house in {P}."),
             ("where does {K} live?", "what is the home of {K}?", "where is the home of {K}?"),
             ("{K} has a home in {P}.",), ("in which place does {K} live?",)),
)  # fmt: skip
FIELDS = (
    ("{N}: {P}", "\n"), ("{N}: {P}", ", "), ("{N}: {P}", "; "), ("{N}: {P}", ". "), ("{N} = {P}", "\n"),
    ("{N} = {P}", ", "), ("{N} = {P}", "; "), ("- {N}: {P}", "\n"), ("* {N}: {P}", "\n"), ("* {N} = {P}", "\n"),
    ("{N} - {P}", "\n"), ("{N} - {P}", "; "), ("{N} is {P}", "\n"), ("{N} is {P}", ", "), ("the {N} is {P}", ". "),
    ("the {N} is {P}", "\n"), ("{N} {P}", "\n"), ("{N} {P}", ", "), ("[{N}] {P}", "\n"), ("{N}={P}", " "),
    ("({N}) {P}", " "), ("<{N}>{P}</{N}>", "\n"), ("{N} | {P}", "\n"), ("{N}:{P}", "\n"), ("{N}\n{P}", "\n"),
)  # fmt: skip
"""How a record writes a field `{N}` and its value, and what stands between two fields; the name is always first."""
ASKED = (
    "what is the {N}?", "which {N} is it?", "the {N}?", "tell me the {N}.", "what does it say for {N}?", "{N}?",
    "name the {N}.", "what {N} is given?", "i want the {N}.", "give the {N}.", "what stands for {N}?",
    "what do we read for {N}?", "which value has {N}?", "what is in the field {N}?", "{N}, please.", "i ask for {N}.",
    "what is it called, the {N}?", "say the {N}.", "the {N} is what i want.", "how is the {N} given?",
)  # fmt: skip
HELD_ASKED = ("which {N} is written there?",)
"""How the value of a field `{N}` of a record is asked for."""


@dataclass(frozen=True)
class Fact:
    """One fact that a material states: `key` as it stands in a sentence ("Anna", "the lamp")."""

    relation: Relation
    key: str
    value: str


@lru_cache(maxsize=1)
def things() -> tuple[str, ...]:
    """What facts are about besides people: words of the train split, so that no evaluation payload is among them."""
    return tuple(word for word in _THINGS.split() if payload_split(word) == "train")


def draw(rng: Random, count: int, *, split: Split, relations: Sequence[Relation] = RELATIONS) -> list[Fact]:
    """`count` facts with keys, values and relations of their own: a question about one has one answer."""
    used: set[str] = set()
    keys: dict[str, Sequence[str]] = {"person": rng.sample(PEOPLE, count), "thing": rng.sample(things(), count)}
    chosen = rng.sample(relations, count) if count <= len(relations) else rng.choices(relations, k=count)
    return [Fact(relation, _key(relation, keys[relation.key][place]), value(rng, relation.value, split, used))
            for place, relation in enumerate(chosen)]  # fmt: skip


def rival(rng: Random, fact: Fact, *, split: Split, taken: Sequence[Fact]) -> Fact:
    """The same relation of another key with another value: what tells a reader from one who takes any value."""
    names = PEOPLE if fact.relation.key == "person" else things()
    keys = {other.key for other in taken}
    key = rng.choice([key for name in names if (key := _key(fact.relation, name)) not in keys])
    return Fact(fact.relation, key, value(rng, fact.relation.value, split, {normalise(f.value) for f in taken}))


def value(rng: Random, kind: Value, split: Split, used: set[str]) -> str:
    """A value of the split that is not in `used`, to which it is added."""
    while True:
        text = _number(rng, split) if kind == "number" else _word(rng, split)
        if normalise(text) not in used:
            used.add(normalise(text))
            return text


def _number(rng: Random, split: Split) -> str:
    while True:
        text = str(rng.randrange(10, 1_000))
        if payload_split(text) == split:
            return text


def _word(rng: Random, split: Split) -> str:
    return pools.payload(rng, split=split, words=1, kind=rng.choice(("words", "nonce", "nonce")))


def _key(relation: Relation, name: str) -> str:
    return name if relation.key == "person" else f"the {name}"


def statement(rng: Random, fact: Fact, *, held: bool) -> str:
    """A sentence that states the fact."""
    return _filled(rng.choice(fact.relation.held_says if held else fact.relation.says), fact)


def record(rng: Random, facts: Sequence[Fact]) -> str:
    """The values under the names of their relations, whatever the key: what forms and tables hold."""
    field, between = rng.choice(FIELDS)
    upper = rng.random() < 0.3
    return written(facts, field, between, upper=upper)


def written(facts: Sequence[Fact], field: str, between: str, *, upper: bool = False) -> str:
    """A record: each fact as `field` writes its name and value; `upper` gives names a capital."""
    names = [fact.relation.name.capitalize() if upper else fact.relation.name for fact in facts]
    return between.join(
        field.replace("{N}", name).replace("{P}", fact.value) for name, fact in zip(names, facts, strict=True)
    )


def field_question(rng: Random, fact: Fact, *, held: bool) -> str:
    """A question for the value of a field of a record; some words changed in training."""
    text = rng.choice(HELD_ASKED) if held else altered(rng, rng.choice(ASKED))
    return _filled(text.replace("{N}", fact.relation.name), fact)


def question(rng: Random, fact: Fact, *, held: bool) -> str:
    """A question that the fact answers."""
    return _filled(rng.choice(fact.relation.held_asks if held else fact.relation.asks), fact)


def _filled(text: str, fact: Fact) -> str:
    made = text.replace("{K}", fact.key)
    return (made[0].upper() + made[1:]).replace("{P}", fact.value)
