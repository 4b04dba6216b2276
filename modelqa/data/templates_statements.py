"""What statements about a key and questions for them are made of: verbs, states and properties. Data, and how it is used.

Whoever has read three statements a relation knows those three. Here a relation is drawn: a verb, a state or a property
out of some hundred, in sentences of four to ten words, so that what holds for all of them is learnt: the key of the
question stands at the head of one sentence, and that sentence is the answer. `{K}` is the key, `{P}` the value; names in
small letters are slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

from modelqa.data import pools
from modelqa.data.contexts import RELATIONS, Relation, Value

Key = Literal["person", "thing"]
KNOWN = 0.3  # of the relations are those of `contexts.RELATIONS`
INVENTED = 0.4  # of the others are made of invented words, so that nothing can be relied on but where words stand

# what a person did: the base form and the past
_DEEDS = """
find found, lose lost, buy bought, bring brought, eat ate, cook cooked, bake baked, build built, break broke, mend mended,
wash washed, clean cleaned, keep kept, steal stole, catch caught, chase chased, call called, meet met, see saw, hear heard,
smell smelled, touch touched, push pushed, pull pulled, throw threw, kick kicked, drop dropped, lift lifted, open opened,
close closed, study studied, learn learned, teach taught, sing sang, hum hummed, choose chose, pick picked, cut cut,
burn burned, plant planted, water watered, feed fed, ride rode, drive drove, rent rented, borrow borrowed, lend lent,
send sent, get got, take took, leave left, follow followed, lead led, beat beat, help helped, thank thanked, greet greeted,
hate hated, miss missed, need needed, love loved, praise praised, blame blamed, fear feared, trust trusted, copy copied,
test tested, try tried, use used, wear wore, knit knitted, sew sewed, fold folded, pack packed, wrap wrapped, tie tied,
hang hung, hold held, guard guarded, save saved, free freed, wake woke, scare scared, spell spelled, name named, print printed,
note noted, record recorded, film filmed, order ordered, taste tasted, drink drank, pour poured, mix mixed, count counted,
collect collected, notice noticed, examine examined, repair repaired, admire admired, remember remembered, discuss discussed,
mention mentioned, yell yelled, explain explained, promise promised, offer offered, invite invited, recommend recommended
"""
_NUMBERED = """
count counted, pay paid, win won, score scored, reach reached, collect collected, choose chose, guess guessed, type typed,
dial dialled, note noted, get got, earn earned, save saved, lose lost, need needed, own owned, use used, pick picked,
name named, add added, print printed, remember remembered, hit hit, beat beat, break broke, see saw, find found
"""
# what is so of anybody or anything, between "is" or "was" and the value
_STATES = """
called, named, known as, listed as, labelled, tagged, nicknamed, registered as, covered with, made of, made by, found by,
found in, brought by, owned by, built by, built in, kept in, kept by, sent to, sent by, taken from, taken to, given to,
given by, loved by, made for, bought from, bought by, seen near, seen with, famous for, next to, close to, tied to,
stored under, sorted under, stuck in, left in, left with, lost in, hidden by, stolen by, washed with, ruled by, guarded by,
followed by, led by, chosen by, born in, based in, used by, used for, used in, meant for, paid by, hired by, compared to,
replaced by, fixed by, fixed with, tested by, tested with, linked to, related to, friends with, afraid of, proud of,
fond of, tired of, ready for, good at, bad at, busy with, angry at, happy about, sure of, far from, near, behind, beside,
under, above, inside, packed with, lined with, wrapped in, cooked with, cleaned by, watched by, drawn by, written by
"""
_NUMBERED_STATES = """
listed as, labelled, tagged, registered as, filed under, stored under, sorted under, locked with, opened by, opened with,
worth, valued at, sold at, ranked, placed, known as, called, numbered, marked with, in room, on page, at level, on floor,
in seat, in row, limited to, set to, fixed at, measured at, counted as, rated at
"""
# what anybody or anything has
_PROPERTIES = """
name, nickname, title, label, colour, flavour, owner, maker, driver, guard, helper, leader, partner, neighbour, teacher,
keeper, painter, designer, winner, cousin, brother, sister, captain, hero, enemy, guest, pet, song, tune, dish, drink,
snack, toy, tool, gift, prize, hobby, sport, dance, habit, plan, idea, wish, secret, answer, motto, slogan, password,
keyword, sign, mark, symbol, badge, brand, model, version, language, accent, home, street, district, island, planet,
country, village, station, theme, topic, purpose, material, smell, taste, sound, cover, smile, trick, story, message
"""
_NUMBERED_PROPERTIES = """
number, code, price, age, size, weight, height, length, width, depth, speed, score, rank, total, room, floor, seat, page,
line, level, fee, rent, fine, bill, value, limit, distance, temperature, power, count, record, pin, channel, year, rate,
share, grade, budget, volume, index, position, row, result, mark, target, strength, version, postcode, lucky number
"""
_SLOTS: Mapping[str, Sequence[str]] = {
    "late": ("", "", "", "", " yesterday", " today", " last week", " in the morning", " at night", " on Monday",
             " this year", " long ago", " before lunch", " after work", " for years", " by now", " since then", " again",
             " at last", " as well", " of course", " for a while", " all day", " every day", " in summer", " in March",
             " near the river", " in the old town", " behind the hill", " on the way home", " at the market",
             " in the kitchen", " by the sea", " in the north", " at the lake", " in front of everybody", " with a smile",
             " with great care", " for a friend", " for the family", " together with others", " during the storm",
             " when the sun came up", " after a long walk", " as far as we know", " in the end", " for the first time",
             " in one hour", " by mistake", " on purpose", " for fun", " in a hurry", " out of habit", " at the same time",
             " because of the rain", " while it was snowing", " on the other side", " in the middle of the day"),
    "often": ("", "", "", "", "often ", "always ", "once ", "then ", "still ", "soon ", "just ", "also ", "really ",
              "quickly ", "slowly ", "finally ", "later ", "first ", "usually ", "sometimes ", "gladly ", "suddenly ",
              "quietly ", "probably ", "indeed ", "surely ", "already ", "recently ", "secretly ", "now "),
    "fine": ("", "", "", "", "old ", "new ", "big ", "small ", "little ", "great ", "strange ", "nice ", "famous ",
             "favourite ", "first ", "last ", "real ", "good ", "short ", "long ", "secret ", "best ", "own ", "second ",
             "usual ", "final ", "exact ", "right ", "only ", "special ", "main ", "true ", "official ", "current "),
    "a": ("", "", "", "the ", "a ", "some ", "one ", "the word ", "the thing ", "somebody called ", "something called "),
    "be": ("is", "was", "is", "was", "has been", "had been", "will be", "seems to be", "became", "remains"),
    "have": ("has", "had", "has", "got", "received", "chose", "keeps", "has got", "was given", "needs", "shows", "uses"),
    "know": ("tell me", "i want to know", "can you tell me", "do you know", "please say", "say", "find out", "i wonder",
             "could you say", "show me", "we must know", "let me know", "explain", "state", "it matters to me"),
    "thing": ("word", "thing", "name", "one"),
}  # fmt: skip
_AFTER = ("", " by", " with", " in", " near", " as", " from", " under", " to")
_WHERE = ("in the", "near the", "with a", "without the", "like a", "by", "under some", "for the", "after the", "on that")
_DEED = ("{K} {often}{past} {a}{fine}{P}{late}.", "{K} {often}{past} {a}{P}{late}.", "{K} {past} {P}{late}.",
         "{K} {often}{past} {P}{late}.", "{K} has {often}{past} {P}{late}.")  # fmt: skip
_ASK_DEED = ("what did {K} {base}?", "what was it that {K} {past}?", "{know} what {K} {past}.",
             "{know} what {K} {past}.", "which {thing} did {K} {base}?", "{know} which {thing} {K} {past}.",
             "{K} {past} something. what was it?", "what {K} {past}, that is my question.",
             "who or what did {K} {base}?", "and what did {K} {often}{base}?", "name what {K} {past}.")  # fmt: skip
_STATE = ("{K} {be} {state} {P}{late}.", "{K} {be} {often}{state} {P}{late}.", "{K} {be} {state} {a}{fine}{P}{late}.")
_ASK_STATE = ("what is {K} {state}?", "what was {K} {state}?", "what is {K} {often}{state}?", "{know} what {K} is {state}.",
              "{know} what {K} was {state}.", "{state} what is {K}?",
              "{state} which {thing} was {K}?", "which {thing} was {K} {state}?", "{K} is {state} what?",
              "who or what is {K} {state}?", "{state} whom or what is {K}?")  # fmt: skip
_PROPERTY = ("{K} {have} the {fine}{noun} {P}{late}.", "{K} {often}{have} the {noun} {P}{late}.",
             "{K} {have} {P} as {fine}{noun}{late}.", "{K} {have} {P} for a {noun}{late}.",
             "{K} {have} a {fine}{noun}, {P}{late}.", "{K} {have} the {fine}{noun} of {P}{late}.")  # fmt: skip
_ASK_PROPERTY = ("what is the {noun} of {K}?", "what is the {fine}{noun} of {K}?", "which {noun} has {K}?",
                 "which {noun} does {K} have?", "{know} the {noun} of {K}.", "{know} the {fine}{noun} of {K}.",
                 "{know} which {noun} {K} has.", "what {noun} did {K} get?", "name the {noun} that {K} has.",
                 "the {noun} of {K}?", "{know} what the {noun} of {K} is.", "i need the {noun} of {K}.",
                 "which {noun} belongs to {K}?", "what is {K}'s {noun}?", "what {fine}{noun} does {K} have?",
                 "what can you say about the {noun} of {K}?", "of {K}, i want the {noun}.")  # fmt: skip


def draw(rng: Random, key: Key | None = None, value: Value | None = None) -> Relation:
    """A relation for training, of a kind of key and value: one of the fixed ones, or one drawn anew."""
    if rng.random() < KNOWN:
        return rng.choice([r for r in RELATIONS if key in (None, r.key) and value in (None, r.value)])
    return relation(rng, key or rng.choice(("person", "thing")), value or rng.choice(("word", "word", "number")))


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


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((base, past) for base, past in (item.split() for item in text.split(",")))


def _items(text: str) -> tuple[str, ...]:
    return tuple(" ".join(item.split()) for item in text.split(","))


_ACTS: Mapping[Value, tuple[tuple[str, str], ...]] = {"word": _pairs(_DEEDS), "number": _pairs(_NUMBERED)}
_BEING: Mapping[Value, tuple[str, ...]] = {"word": _items(_STATES), "number": _items(_NUMBERED_STATES)}
_HAVING: Mapping[Value, tuple[str, ...]] = {"word": _items(_PROPERTIES), "number": _items(_NUMBERED_PROPERTIES)}


def relation(rng: Random, key: Key, value: Value) -> Relation:
    """A relation drawn anew: a deed (of a person), a state or a property, with one statement and one question of it.

    Forms are for training: the held ones are the same.
    """
    kind = rng.choice(("deed", "state", "property") if key == "person" else ("state", "property"))
    if rng.random() < INVENTED:
        return _invented(rng, kind, key, value)
    if kind == "deed":
        base, past = rng.choice(_ACTS[value])
        return _relation(rng, f"to {base}", key, value, _DEED, _ASK_DEED, base=base, past=past)
    if kind == "state":
        state = rng.choice(_BEING[value])
        return _relation(rng, state, key, value, _STATE, _ASK_STATE, state=state)
    noun = rng.choice(_HAVING[value])
    return _relation(rng, noun, key, value, _PROPERTY, _ASK_PROPERTY, noun=noun)


def _invented(rng: Random, kind: str, key: Key, value: Value) -> Relation:
    """A relation of words that nobody knows: "Anna zelmaded the mip X near the drasab."."""
    word, other = (pools.nonce(rng, split="train") for _ in range(2))
    if kind == "deed":
        told, asked, name = _DEED, _ASK_DEED, f"to {word}"
    elif kind == "state":
        told, asked, name = _STATE, _ASK_STATE, f"{word}ed{rng.choice(_AFTER)}"
    else:
        told, asked, name = _PROPERTY, _ASK_PROPERTY, word
    words = {"base": word, "past": f"{word}ed", "state": name, "noun": word}
    late = "" if rng.random() < 0.3 else f" {rng.choice(_WHERE)} {rng.choice((other, rng.choice(pools.WORDS)))}"
    return _relation(rng, name, key, value, [text.replace("{late}", late) for text in told], asked, **words)


def _relation(
    rng: Random, name: str, key: Key, value: Value, says: Sequence[str], asks: Sequence[str], **words: str
) -> Relation:
    told = tuple(filled(rng, rng.choice(says), **words) for _ in range(2))
    asked = (filled(rng, rng.choice(asks), **words),)
    return Relation(name, key, value, told, asked, told, asked)


def filled(rng: Random, pattern: str, **words: str) -> str:
    """The pattern with its slots filled; `words` are the relation's own."""
    for slot, text in words.items():
        pattern = pattern.replace(f"{{{slot}}}", text)
    for slot, choices in _SLOTS.items():
        while f"{{{slot}}}" in pattern:
            pattern = pattern.replace(f"{{{slot}}}", rng.choice(choices), 1)
    return pattern


def later(rng: Random, statement: str) -> str:
    """A statement that says a little more: when, where or how, behind its value or before its full stop."""
    return statement.removesuffix(".") + rng.choice(_SLOTS["late"]) + "."
