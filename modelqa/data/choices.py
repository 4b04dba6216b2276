"""Multiple-choice rows: a fact, four options, and the letter of the right one, or the option. How they are written.

A `skew` puts most right options at one place, as question sets written by people do: where only the letter is taught,
the letter alone is then nearly enough. Without it, and answered in words, the options have to be read.
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
MAX_DRAWS = 2_000  # tries for one more new prompt


def lettered(stem: str, options: Sequence[str], *, words: bool = False) -> str:
    """The user message of a question with lettered options that asks for the letter, or in `words` for the option."""
    lines = [f"{LETTERS[place]}. {option}" for place, option in enumerate(options)]
    return "\n".join([stem, *lines, "Answer with the option." if words else "Answer with the letter."])


def rows(
    *,
    n: int,
    seed: int,
    split: Split = "train",
    skew: float = 0.0,
    words: bool = False,
    system: str = DEFAULT_SYSTEM,
    count_tokens: Callable[[str], int] | None = None,
) -> Iterator[Row]:
    """`n` rows over all facts, streamed; no prompt stands twice.

    skew          share of the rows whose right option stands at place `HABIT`; the others are spread over all places
    words         the option itself is asked for and answered, instead of its letter
    count_tokens  not needed: every generator takes it
    """
    rng = Random(f"choices {split} {skew} {seed}")
    seen: set[str] = set()
    for number in range(n):
        fact, template, user, right = _new(rng, split, skew, words, seen)
        meta = {"category": "choice", "kind": fact.kind, "fact": fact.key, "language": fact.language,
                "template": template, "letter": LETTERS[right], "disjoint": "prompt"}  # fmt: skip
        answer = fact.reply if words else LETTERS[right]
        yield chat_row(f"choices-{split}-{number:06d}", user, answer, system=system, meta=meta)


def _new(rng: Random, split: Split, skew: float, words: bool, seen: set[str]) -> tuple[Fact, str, str, int]:
    for _ in range(MAX_DRAWS):
        fact = rng.choice(FACTS)
        template = rng.choice(phrasings.facts(fact.kind, split, fact.language))
        options, right = options_of(rng, fact, place=HABIT if rng.random() < skew else None)
        user = lettered(ask_fact(fact, template), options, words=words)
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
