"""Short facts with short answers, sums, and which sums a model may see in training.

Facts are asked in training and in certification alike: only the phrasing differs. Sums are of two kinds: "seen" ones
may stand in training data, "unseen" ones never do, so that arithmetic and memory can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from modelqa.family import split_bucket

LARGEST_ADDEND = 20
UNSEEN_BUCKETS = 5  # of 20: 25 % of the unordered pairs
_CASE_MATTERS = frozenset({"symbol", "keyword"})


@dataclass(frozen=True)
class Fact:
    """One thing to know. `answer` is one or two words without the final period that a reply ends with."""

    kind: str
    subject: str
    answer: str
    language: Literal["en", "de"] = "en"

    @property
    def key(self) -> str:
        """What this fact is called in `meta.fact` of a row; two facts never share it."""
        return f"{self.language}:{self.kind}:{self.subject}"

    @property
    def reply(self) -> str:
        """The whole expected reply: capitalised unless its case means something, with a final period ("Cold.")."""
        text = self.answer if self.kind in _CASE_MATTERS else self.answer[:1].upper() + self.answer[1:]
        return f"{text}."


@dataclass(frozen=True)
class Sum:
    """a + b; `key` is the same for b + a."""

    a: int
    b: int

    @property
    def answer(self) -> str:
        """The total in digits."""
        return str(self.a + self.b)

    @property
    def reply(self) -> str:
        """The whole expected reply ("12.")."""
        return f"{self.answer}."

    @property
    def key(self) -> str:
        """The smaller addend first: "3+8"."""
        return f"{min(self.a, self.b)}+{max(self.a, self.b)}"


_CAPITALS = """
France Paris/Germany Berlin/Italy Rome/Spain Madrid/Portugal Lisbon/Austria Vienna/Poland Warsaw/Greece Athens
Norway Oslo/Sweden Stockholm/Finland Helsinki/Denmark Copenhagen/Ireland Dublin/Hungary Budapest/Belgium Brussels
Japan Tokyo/China Beijing/Russia Moscow/Egypt Cairo/Canada Ottawa/Cuba Havana/Peru Lima/Chile Santiago
Turkey Ankara/Iran Tehran/Iraq Baghdad/Kenya Nairobi/Thailand Bangkok/Ukraine Kyiv/Croatia Zagreb/England London
Scotland Edinburgh
"""
_OPPOSITES = """
hot cold/big small/up down/left right/day night/happy sad/fast slow/high low/old young/rich poor/wet dry/hard soft
open closed/full empty/early late/strong weak/light dark/thick thin/loud quiet/clean dirty/near far/good bad
easy difficult/first last/inside outside/true false/buy sell/win lose/push pull/north south/east west/black white
long short/wide narrow/start stop/love hate/safe dangerous/tall short/sharp blunt/deep shallow
"""
_COLOURS = """
snow white/grass green/the sky blue/blood red/coal black/a banana yellow/a carrot orange/chocolate brown
milk white/a lemon yellow/a ripe tomato red/an elephant gray/a flamingo pink/a plum purple/a frog green
a raven black
"""
_NEXT_DAY = """
Monday Tuesday/Tuesday Wednesday/Wednesday Thursday/Thursday Friday/Friday Saturday/Saturday Sunday/Sunday Monday
"""
_NEXT_MONTH = """
January February/February March/March April/April May/May June/June July/July August/August September
September October/October November/November December/December January
"""
_SOUNDS = """
a cow moo/a dog bark/a cat meow/a duck quack/a sheep baa/a lion roar/a snake hiss/a bee buzz/an owl hoot/a pig oink
"""
_YOUNG = """
a dog puppy/a cat kitten/a cow calf/a horse foal/a sheep lamb/a pig piglet/a hen chick/a duck duckling
a goose gosling/a bear cub/a deer fawn/a goat kid/a frog tadpole/a swan cygnet
"""
_PLURALS = """
mouse mice/child children/foot feet/tooth teeth/man men/woman women/goose geese/person people/leaf leaves
knife knives/wolf wolves/city cities/box boxes/baby babies
"""
_PAST = """
go went/eat ate/see saw/run ran/take took/give gave/come came/write wrote/sing sang/drink drank/swim swam/fly flew
buy bought/think thought
"""
_LEGS = "a spider eight/a horse four/a bird two/an ant six/a crab ten/a snake zero"
_SYMBOLS = "water H2O/gold Au/silver Ag/iron Fe/oxygen O/carbon C/helium He/table salt NaCl"
_AMOUNTS = """
seconds|minute 60/hours|day 24/days|week 7/months|year 12/centimeters|meter 100/grams|kilogram 1000
meters|kilometer 1000/minutes|hour 60/years|century 100/years|decade 10/bits|byte 8/sides|triangle 3
sides|square 4/letters|alphabet 26
"""
_KEYWORDS = """
defines a function|def/starts a loop over a list|for/starts a condition|if/prints text|print
returns a value|return/defines a class|class/loads a module|import/gives the length of a list|len
catches an exception|except/leaves a loop|break
"""
_PLANETS = """
closest to the sun|Mercury/the largest|Jupiter/our home|Earth/famous for its rings|Saturn/called the red one|Mars
"""
_GERMAN = """
dog Hund/cat Katze/house Haus/tree Baum/water Wasser/bread Brot/milk Milch/sun Sonne/moon Mond/book Buch
table Tisch/chair Stuhl/bird Vogel/fish Fisch/car Auto/friend Freund/night Nacht/hand Hand/school Schule
green grün
"""
_ENGLISH = """
Apfel apple/Hund dog/Katze cat/Haus house/Baum tree/Wasser water/Brot bread/Milch milk/Buch book/Tisch table
Vogel bird/Schnee snow/Feuer fire/Stadt city/Garten garden/rot red
"""
_CAPITALS_DE = """
Frankreich Paris/Deutschland Berlin/Italien Rom/Spanien Madrid/Portugal Lissabon/Österreich Wien/Polen Warschau
Griechenland Athen/Norwegen Oslo/Schweden Stockholm/Dänemark Kopenhagen/Ungarn Budapest/Japan Tokio
Russland Moskau
"""
_OPPOSITES_DE = """
groß klein/heiß kalt/alt neu/schnell langsam/laut leise/hell dunkel/gut schlecht/lang kurz/hoch tief/voll leer
reich arm/stark schwach
"""
_NEXT_DAY_DE = """
Montag Dienstag/Dienstag Mittwoch/Mittwoch Donnerstag/Donnerstag Freitag/Freitag Samstag/Samstag Sonntag
Sonntag Montag
"""


def _pairs(text: str) -> list[tuple[str, str]]:
    """(subject, answer) of each item; the answer is the last word, or what stands after a final bar."""
    found = []
    for item in text.strip().replace("\n", "/").split("/"):
        subject, _, answer = item.rpartition("|" if item.count("|") == 1 and " " in item.split("|")[0] else " ")
        found.append((subject.strip(), answer.strip()))
    return found


_TABLES: tuple[tuple[str, Literal["en", "de"], str], ...] = (
    ("capital", "en", _CAPITALS),
    ("opposite", "en", _OPPOSITES),
    ("colour", "en", _COLOURS),
    ("next_day", "en", _NEXT_DAY),
    ("next_month", "en", _NEXT_MONTH),
    ("sound", "en", _SOUNDS),
    ("young", "en", _YOUNG),
    ("plural", "en", _PLURALS),
    ("past", "en", _PAST),
    ("legs", "en", _LEGS),
    ("symbol", "en", _SYMBOLS),
    ("amount", "en", _AMOUNTS),
    ("keyword", "en", _KEYWORDS),
    ("planet", "en", _PLANETS),
    ("german", "en", _GERMAN),
    ("english", "en", _ENGLISH),
    ("capital", "de", _CAPITALS_DE),
    ("opposite", "de", _OPPOSITES_DE),
    ("next_day", "de", _NEXT_DAY_DE),
)

FACTS: tuple[Fact, ...] = tuple(
    Fact(kind, subject, answer, language) for kind, language, table in _TABLES for subject, answer in _pairs(table)
) + tuple(Fact("country", city, country) for country, city in _pairs(_CAPITALS))

FACT_KINDS: tuple[tuple[str, Literal["en", "de"]], ...] = tuple(
    dict.fromkeys((fact.kind, fact.language) for fact in FACTS)
)


@lru_cache(maxsize=2)
def sums(split: Literal["seen", "unseen"]) -> tuple[Sum, ...]:
    """Every a + b with both addends from 0 to 20 of one split, in order; an unordered pair has one split.

    About 75 % of the pairs are "seen"; the rule is the sha256 bucket of "a+b" with the smaller addend first.
    """
    unseen = split == "unseen"
    everything = (Sum(a, b) for a in range(LARGEST_ADDEND + 1) for b in range(LARGEST_ADDEND + 1))
    return tuple(item for item in everything if (split_bucket(f"sum {item.key}") < UNSEEN_BUCKETS) == unseen)
