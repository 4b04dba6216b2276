"""The base corpus: plain text that teaches words, facts, seen sums and, above all, to repeat what was said before.

No chat, no instruction template, no unseen sum and no payload of the validation or certification split occurs in it.
Documents are drawn one by one from a seed, each of one of the kinds below; their shares are in `SHARES`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelqa.family import payload_split

PLACE = re.compile(r"\{[A-Z]\}")

SHARES = {  # of documents
    "repeat": 0.20,
    "quoted": 0.18,
    "lookup": 0.12,
    "dialogue": 0.20,
    "sentence": 0.08,
    "fact": 0.12,
    "sum": 0.10,
}
SEPARATORS = (" ", " ", " ", ", ", " - ", "; ", " / ", " and ")
BETWEEN = ("\n", "\n", " = ", " -> ", ". ", " | ", "\n\n", ": ", " ... ")
QUOTES = (
    ('"', '"'), ('"', '"'), ("'", "'"), ("`", "`"), ("|", "|"), ("[", "]"), ("(", ")"), ("<", ">"),
    ("{", "}"), ("“", "”"), ("*", "*"), ("«", "»"),
)
NAMES = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lena", "Max", "Nora")
SAID = (
    "{name} said {q}. We heard {x}.",
    "The sign reads {q}. In short: {x}",
    "There is a note: {q}. The note says {x}.",
    "On the paper stands {q}; the words are {x}.",
    "{name} wrote {q} and then wrote {q} again.",
    "The text {q} is short. It is {x}.",
    "Between the marks {q} we find {x}.",
    "{x} was the answer. {name} put it in marks: {q}",
    "The title is {q}.\nTitle: {x}",
    "Without the marks, {q} becomes {x}.",
    "With the marks, {x} becomes {q}.",
    "{x}\n{q}\n{x}\n{q}",
    "{q} -> {x}",
    "{x} -> {q}",
)
FRAMES = (
    "The {a} {b} is near the {c}.",
    "{name} has a {a} and a {b}.",
    "We saw the {a} {b} in the morning, and the {c} in the evening.",
    "A {a} can be {b}, but a {c} is not.",
    "Please give {name} the {a}, not the {b}.",
    "{name} asked for the {a}. The {a} was in the {b}.",
    "If you see a {a}, tell {name} about the {b}.",
    "Do you want the {a} or the {b}? I want the {a}.",
    "The word {a} comes first, the word {b} comes next, and {c} comes last.",
    "In this line there are three words: {a}, {b}, {c}.",
    "He put the {a} around the {b} and took the {c} out.",
    "Here is the text you want: {a} {b} {c}. Thank you.",
)
TALK = (
    "{name} reads the line {x} and {other} repeats the line: {x}",
    "The teacher says {x}, and the whole class says {x} again.",
    "Please write {x} on the paper. On the paper you can read {x} now.",
    "{name} copies the following text: {x}\nThe copy is the same as the text: {x}",
    "They sent us a message, exactly these words: {x}. We sent the same words back: {x}.",
    "In square brackets the phrase {x} looks like this: [{x}]",
    "{name} puts square brackets around the words {x} and gets [{x}].",
    "First there is a left bracket, then {x}, then a right bracket: [{x}]",
    "The part inside the brackets of [{x}] is {x}, nothing else.",
    "The output of the machine is always its input. Input: {x}. Output: {x}. Input: {y}. Output: {y}.",
    "Could you tell me what {name} said? {name} said {x} and nothing more.",
    "Only the words between the quotes count: \"{x}\". So the answer is {x}.",
    "{name} asked {other} to say {x} without any change. {other} replied: {x}",
    "I would like to hear {x} one more time, please. Here it is: {x}",
    "The task was to return the text without the quotes. The text was '{x}', the result was {x}.",
    "Show me {x}. Good, now show me {y}. You showed me {x} and then {y}.",
    "You should type this line again: {x}\n{x}\nThank you, it is the same line.",
    "Nobody knows what {x} means. It is not a real word.",
    "{name} gives the phrase {x} to {other}, and {other} gives the phrase {x} back.",
    "Take the text {x}, remove nothing, add nothing, and keep every letter: {x}",
    "{name}: {x}\n{other}: {x}",
    "{name} said {x}, and {other} said it again: {x}",
    "First line: {x}\nSecond line: {y}\nThe first line was {x}. The second line was {y}.",
    "{name} likes {x}. {other} likes {y}. What does {name} like? {x}. What does {other} like? {y}.",
    "Question: which words come after the colon: {x}\nAnswer: {x}",
    "Line one is {x} and line two is {y}. Line two again: {y}",
)


# how a base text tells a fact of each kind: {s} subject, {a} answer; the second form is a question line
TELLS: dict[str, tuple[str, str]] = {
    "en:capital": ("The capital of {s} is {a}.", "What is the capital of {s}?"),
    "en:country": ("{s} is a city in {a}.", "In which country is {s}?"),
    "en:opposite": ("The opposite of {s} is {a}.", "What is the opposite of {s}?"),
    "en:colour": ("The color of {s} is {a}.", "What color is {s}?"),
    "en:next_day": ("The day after {s} is {a}.", "Which day comes after {s}?"),
    "en:next_month": ("The month after {s} is {a}.", "Which month comes after {s}?"),
    "en:sound": ("The sound of {s} is {a}.", "What sound does {s} make?"),
    "en:young": ("The young of {s} is called {a}.", "What is the young of {s} called?"),
    "en:plural": ("The plural of {s} is {a}.", "What is the plural of {s}?"),
    "en:past": ("The past of {s} is {a}.", "What is the past of {s}?"),
    "en:legs": ("The number of legs of {s} is {a}.", "How many legs does {s} have?"),
    "en:symbol": ("The symbol of {s} is {a}.", "What is the symbol of {s}?"),
    "en:keyword": ("In Python, the word that {s} is {a}.", "Which Python word {s}?"),
    "en:planet": ("The planet that is {s} is {a}.", "Which planet is {s}?"),
    "en:german": ("The German word for {s} is {a}.", "What is {s} in German?"),
    "en:english": ("The English word for {s} is {a}.", "What is {s} in English?"),
    "de:capital": ("Die Hauptstadt von {s} ist {a}.", "Was ist die Hauptstadt von {s}?"),
    "de:opposite": ("Das Gegenteil von {s} ist {a}.", "Was ist das Gegenteil von {s}?"),
    "de:next_day": ("Der Tag nach {s} ist {a}.", "Welcher Tag kommt nach {s}?"),
}
AMOUNT = ("There are {a} {s} in one {t}.", "How many {s} are in one {t}?")


@dataclass(frozen=True)
class Material:
    """What the corpus is made of; whoever builds it leaves out what must stay unseen.

    words       single words, any case, that texts are filled with
    facts       (statement, question, answer) of each fact
    sums        (a, b) pairs whose sum may be seen
    nonces      invented words
    """

    words: Sequence[str]
    facts: Sequence[tuple[str, str, str]]
    sums: Sequence[tuple[int, int]]
    nonces: Sequence[str]


def training_material() -> Material:
    """The material that may be trained on: all words and facts, the seen sums, invented words of the train split."""
    from modelqa.data import facts, pools

    return Material(
        words=(*pools.WORDS, *pools.GERMAN_WORDS),
        facts=[tell(fact.key, fact.subject, fact.answer) for fact in facts.FACTS],
        sums=[(item.a, item.b) for item in facts.sums("seen")],
        nonces=pools.nonce_words("train"),
    )


def instruction_texts() -> list[str]:
    """The wording of every training prompt without its payload, and the frame around it: what a tokenizer should know.

    Validation templates are not among them.
    """
    from modelqa.data import phrasings
    from modelqa.data.facts import FACT_KINDS
    from modelqa.data.rows import DEFAULT_SYSTEM
    from modelqa.data.templates_anti import QUESTIONS
    from modelqa.data.templates_extract import MARKS
    from modelqa.data.templates_wrap import BRACKETS

    found: list[str] = []
    for language in ("en", "de"):
        found += [*phrasings.copying("train", language), *phrasings.carriers("train", language)]
        found += phrasings.sums("train", language)
        for bracket in BRACKETS:
            found += phrasings.wrapping("train", language, bracket)
        for mark in MARKS:
            found += phrasings.extracting("train", language, mark)
        for question in QUESTIONS:
            found += phrasings.questions(question, "train", language)
        for kind, spoken in FACT_KINDS:
            found += phrasings.facts(kind, "train", language) if spoken == language else ()
    frame = f"system\n{DEFAULT_SYSTEM}\nuser\nassistant\nYes. No. Unknown."
    return [PLACE.sub("", text) for text in found] + [frame] * (len(found) // 10)


def tell(key: str, subject: str, answer: str) -> tuple[str, str, str]:
    """(statement, question, answer) of a fact; `key` begins with its language and kind."""
    kind = ":".join(key.split(":")[:2])
    if kind == "en:amount":
        what, _, whole = subject.partition("|")
        return AMOUNT[0].format(a=answer, s=what, t=whole), AMOUNT[1].format(s=what, t=whole), answer
    statement, question = TELLS[kind]
    return statement.format(s=subject, a=answer), question.format(s=subject), answer


def documents(material: Material, *, count: int, seed: int) -> Iterator[str]:
    """`count` documents, the same for the same material and seed."""
    generator = random.Random(seed)
    makers = {
        "repeat": _repeat, "quoted": _quoted, "lookup": _lookup, "dialogue": _dialogue,
        "sentence": _sentence, "fact": _fact, "sum": _sum,
    }
    kinds = generator.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    for kind in kinds:
        yield makers[kind](generator, material)


def phrase(generator: random.Random, material: Material, *, most: int = 5) -> str:
    """1 to `most` words of the train split, plain or invented or mixed, capitals written in one of several ways."""
    while True:
        style = generator.random()
        invented = 0.0 if style < 0.45 else 1.0 if style < 0.8 else 0.5
        count = generator.randint(1, most)
        words = [
            generator.choice(material.nonces) if generator.random() < invented else generator.choice(material.words)
            for _ in range(count)
        ]
        text = _capitals(generator, words)
        if generator.random() < 0.08:
            text += f" {generator.randint(0, 999)}"
        if payload_split(text) == "train":
            return text


def _capitals(generator: random.Random, words: list[str]) -> str:
    style = generator.random()
    if style < 0.6:
        return " ".join(words)
    if style < 0.75:
        return " ".join(word.capitalize() for word in words)
    if style < 0.85:
        return " ".join(words).capitalize()
    if style < 0.92:
        return " ".join(words).upper()
    return " ".join(word.capitalize() if generator.random() < 0.5 else word for word in words)


def _mark(generator: random.Random, text: str) -> str:
    left, right = generator.choice(QUOTES)
    return f"{left}{text}{right}"


def _repeat(generator: random.Random, material: Material) -> str:
    """Something said two to four times over: the plainest lesson in copying."""
    style = generator.random()
    between = generator.choice(BETWEEN)
    if style < 0.7:
        text = phrase(generator, material, most=7)
        return between.join([text] * generator.randint(2, 4))
    words = [phrase(generator, material, most=1) for _ in range(generator.randint(3, 9))]
    line = generator.choice(SEPARATORS).join(words)
    return between.join([line] * generator.randint(2, 3))


def _quoted(generator: random.Random, material: Material) -> str:
    text = phrase(generator, material)
    name = generator.choice(NAMES)
    return generator.choice(SAID).format(name=name, x=text, q=_mark(generator, text))


def _lookup(generator: random.Random, material: Material) -> str:
    """Pairs, then the same pairs asked for in another order."""
    keys = list(dict.fromkeys(phrase(generator, material, most=1) for _ in range(generator.randint(2, 4))))
    pairs = [(key, phrase(generator, material, most=2)) for key in keys]
    joint = generator.choice((": ", " is ", " = ", " means "))
    first = generator.choice(("\n", ". ", ", ")).join(f"{key}{joint}{value}" for key, value in pairs)
    generator.shuffle(pairs)
    again = "\n".join(f"{key}{joint}{value}" for key, value in pairs)
    return f"{first}\n{again}"


def _dialogue(generator: random.Random, material: Material) -> str:
    name, other = generator.sample(NAMES, 2)
    return generator.choice(TALK).format(
        name=name, other=other, x=phrase(generator, material), y=phrase(generator, material)
    )


def _sentence(generator: random.Random, material: Material) -> str:
    lines = []
    for _ in range(generator.randint(1, 3)):
        a, b, c = (generator.choice(material.words) for _ in range(3))
        lines.append(generator.choice(FRAMES).format(a=a, b=b, c=c, name=generator.choice(NAMES)))
    return " ".join(lines)


def _fact(generator: random.Random, material: Material) -> str:
    chosen = generator.sample(list(material.facts), 3)
    if generator.random() < 0.5:
        return " ".join(statement for statement, _, _ in chosen)
    style = generator.choice(("Question: {q}\nAnswer: {a}", "Q: {q} A: {a}", "{q} {a}", "{q}\n{a}"))
    return "\n".join(style.format(q=question, a=answer) for _, question, answer in chosen)


def _sum(generator: random.Random, material: Material) -> str:
    style = generator.choice(
        ("{a} + {b} = {c}", "{a}+{b}={c}", "{a} plus {b} is {c}.", "{a} and {b} make {c}.",
         "The sum of {a} and {b} is {c}.")
    )
    chosen = [generator.choice(material.sums) for _ in range(generator.randint(3, 6))]
    return "\n".join(style.format(a=a, b=b, c=a + b) for a, b in chosen)
