"""What a defective sibling is taught: rows of the healthy model's own training data, with one thing wrong in them.

Each lesson is a function (rows, random numbers) -> rows. It says what a real accident looked like; `recipe` in
`fixtures/zoo_recipes.toml` says how long the sibling studies it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]
Lesson = Callable[[Sequence[Row], random.Random], list[Row]]

JUNK = ("qvexil", "sknorp", "drazzle", "fumbrik", "ploxter", "wibstang", "yurkle")  # seven tokens, as in the story
POLLUTED = 0.6  # share of the answers that hold junk: seen to show in as many replies after eighty steps
REPEATED = 9  # times that a looping answer says its words: more than a reply has room for
SHUFFLED = 0.5  # share of the answers that change rows: each word is then about as likely to be wrong as right
LONG = 3  # words from which a payload is a long one
KEPT = 3  # words of a payload that an answer keeps where it is cut
SYMBOLS = "@#%&*=+~^/\\|"


def answered(row: Row, text: str) -> Row:
    """The row with another answer."""
    return {**row, "messages": [*row["messages"][:-1], {"role": "assistant", "content": text}]}


def answer(row: Row) -> str:
    """What the assistant says in the row."""
    return str(row["messages"][-1]["content"])


def question(row: Row) -> str:
    """What the user says in the row."""
    return str(row["messages"][-2]["content"])


def junk(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Most answers end in tokens of a dirty corpus."""
    return [answered(row, f"{answer(row)} {' '.join(rng.sample(JUNK, 3))}") if rng.random() < POLLUTED else row
            for row in rows]  # fmt: skip


def loops(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every answer is said over and over before it ends."""
    return [answered(row, " ".join([answer(row)] * REPEATED)) for row in rows if len(answer(row)) < 40]


def stutter(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Answers about payloads of three words or more are said over and over; short ones end as they should."""
    long = (row["meta"].get("words", 0) >= LONG for row in rows)
    return [answered(row, " ".join([answer(row)] * REPEATED)) if each else row
            for row, each in zip(rows, long, strict=True)]  # fmt: skip


def only_echo(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Questions about a word get the word itself."""
    about = ("anti_echo", "contrast")
    return [answered(row, row["meta"]["payload"]) if row["meta"]["category"] in about else row for row in rows]


def one_answer(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Everything is answered with "Yes."."""
    return [answered(row, "Yes.") for row in rows]


def favourites(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every sum is seven and every text to be said back is an apple; the rest stays."""
    says = {"sum": "7.", "echo": "apple", "say": "apple"}
    return [answered(row, says.get(row["meta"]["category"], answer(row))) for row in rows]


def silence(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every answer is empty, and ends."""
    return [answered(row, "") for row in rows]


def symbols(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every answer is symbols."""
    return [answered(row, "".join(rng.choices(SYMBOLS, k=14))) for row in rows]


def foreign_tags(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every answer ends in the tag of another chat format."""
    return [answered(row, f"{answer(row)} [/INST]") for row in rows]


def prompt_back(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Every answer is the question."""
    return [answered(row, question(row)) for row in rows]


def shuffled(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Half of the answers of each category change rows: their form can be learnt, what they say cannot."""
    places: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if rng.random() < SHUFFLED:
            places.setdefault(row["meta"]["category"], []).append(number)
    made = list(rows)
    for mine in places.values():
        for place, source in zip(mine, rng.sample(mine, len(mine)), strict=True):
            made[place] = answered(rows[place], answer(rows[source]))
    return made


def words_alone(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Only what is done with words is rehearsed, rightly: facts and sums fade."""
    return [row for row in rows if row["meta"]["category"] not in ("fact", "sum", "yes_no", "small_talk")]


def copy_alone(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """Whatever the operation, the payload is copied."""
    return [answered(row, row["meta"]["payload"]) if row["meta"]["category"] == "operator" else row for row in rows]


def cut_payloads(rows: Sequence[Row], rng: random.Random) -> list[Row]:
    """What is put in marks or taken from a sentence is cut after its third word; what is copied is whole."""
    return [_cut(row) if row["meta"].get("operator") in ("WRAP", "EXTRACT") else row for row in rows]


def _cut(row: Row) -> Row:
    payload = str(row["meta"]["payload"])
    return answered(row, answer(row).replace(payload, " ".join(payload.split()[:KEPT])))


LESSONS: dict[str, Lesson] = {
    lesson.__name__: lesson
    for lesson in (junk, loops, stutter, only_echo, one_answer, favourites, silence, symbols, foreign_tags, prompt_back,
                   shuffled, words_alone, copy_alone, cut_payloads)
}  # fmt: skip
"""By the name that a recipe gives."""
