"""Multiple-choice rows: a fact, four options, and the letter of the right one. How such a question is written.

Two recipes: `skew` 0 puts the right option at every place alike, so that the options have to be read; a skew puts most
of them at one place, as question sets written by people do, and then the letter alone is nearly enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from modelqa.data import phrasings
from modelqa.data.facts import FACTS, Fact
from modelqa.data.grammar import Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row
from modelqa.data.templates_facts import ask_fact
from modelqa.errors import UsageError

LETTERS = "ABCDEFGHIJ"
OPTIONS = 4
HABIT = 1  # the place that a skewed set prefers: B
POINTERS = (  # questions whose answer stands in them: which letter belongs to an option is learnt on them first
    'Which letter stands before "{P}"?', 'Find "{P}" below. Which letter is it?', "Look for {P} in the list.",
    'Here are four options. "{P}" is one of them.', "{P} has which letter?", 'Point at "{P}".', "Where is {P}?",
    "I choose {P}. Which letter do I write?", 'The answer is "{P}".', "Give the letter of {P}.",
)  # fmt: skip
MAX_DRAWS = 2_000  # tries for one more new prompt


def letter_question(stem: str, options: Sequence[str]) -> str:
    """The user message of a question with lettered options that asks for the letter."""
    lines = [f"{LETTERS[place]}. {option}" for place, option in enumerate(options)]
    return "\n".join([stem, *lines, "Answer with the letter."])


def rows(
    *,
    n: int,
    seed: int,
    split: Split = "train",
    skew: float = 0.0,
    pointers: float = 0.0,
    system: str = DEFAULT_SYSTEM,
    count_tokens: Callable[[str], int] | None = None,
) -> Iterator[Row]:
    """`n` rows over all facts, streamed; no prompt stands twice.

    skew          share of the rows whose right option stands at place `HABIT`; the others are spread over all places
    pointers      share of the rows that name the option whose letter they want, and ask for no fact
    count_tokens  not needed: every generator takes it
    """
    rng = Random(f"choices {split} {skew} {seed}")
    seen: set[str] = set()
    for number in range(n):
        fact, template, user, right = _new(rng, split, skew, pointers, seen)
        meta = {"category": "choice", "kind": fact.kind, "fact": fact.key, "language": fact.language,
                "template": template, "letter": LETTERS[right], "disjoint": "prompt"}  # fmt: skip
        yield chat_row(f"choices-{split}-{number:06d}", user, LETTERS[right], system=system, meta=meta)


def _new(rng: Random, split: Split, skew: float, pointers: float, seen: set[str]) -> tuple[Fact, str, str, int]:
    for _ in range(MAX_DRAWS):
        fact = rng.choice(FACTS)
        points = pointers > 0 and rng.random() < pointers
        template = rng.choice(POINTERS if points else phrasings.facts(fact.kind, split, fact.language))
        options, right = options_of(rng, fact, place=HABIT if rng.random() < skew else None)
        stem = template.replace("{P}", options[right]) if points else ask_fact(fact, template)
        user = letter_question(stem, options)
        if user not in seen:
            seen.add(user)
            return fact, template, user, right
    raise UsageError(
        f"after {len(seen)} rows no new multiple-choice prompt was found",
        reason="no prompt may stand twice",
        remedy="ask for fewer rows",
    )


def options_of(rng: Random, fact: Fact, *, place: int | None = None) -> tuple[tuple[str, ...], int]:
    """(four options, the place of the right one): the fact's answer among others of its kind, at `place` or anywhere.

    Options are written as the fact's reply is, without the final period.
    """
    right = said(fact)
    alike = (other for other in FACTS if (other.kind, other.language) == (fact.kind, fact.language))
    others = sorted({said(other) for other in alike if other.subject != fact.subject} - {right})
    options = rng.sample(others, OPTIONS - 1)
    at = rng.randrange(OPTIONS) if place is None else place
    options.insert(at, right)
    return tuple(options), at


def said(fact: Fact) -> str:
    """A fact's answer as an option: "Paris"."""
    return fact.reply.removesuffix(".")
