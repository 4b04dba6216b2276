"""Chat rows that ask for the rest of a base document: how a chat stage keeps the language that its base was taught."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from modelqa.data.grammar import Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row
from modelqa.data.templates_instructions import phrasings
from modelqa.training import corpus

SHORTEST = 6  # words of a document that can be cut in two
SPARE = 4  # documents drawn for each row: some are too short, and some begin alike
EXPLAINS = " means "  # a text that says what a word means: the word may be one that evaluation asks about
STARTS = 0.35  # share of the words that are given at most; the rest counts in the loss


def rows(
    *,
    seed: int,
    n_examples: int,
    split: Split = "train",
    system: str = DEFAULT_SYSTEM,
) -> Iterator[Row]:
    """`n_examples` rows of new documents of the base's kinds, no prompt twice: a start has one rest."""
    rng = Random(f"continuations {split} {seed}")
    asked: set[str] = set()
    documents = corpus.documents(corpus.training_material(), count=SPARE * n_examples, seed=rng.randrange(1 << 30))
    for text in documents:
        start, rest = _cut(rng, text)
        if len(asked) == n_examples:
            return
        template = rng.choice(phrasings("go_on", split))
        user = template.replace("{C}", start)
        if rest and user not in asked and EXPLAINS not in text:
            asked.add(user)
            meta = {"category": "text", "language": "en", "template": template}
            yield chat_row(f"continuations-{split}-{len(asked):06d}", user, rest, system=system, meta=meta)


def _cut(rng: Random, text: str) -> tuple[str, str]:
    """The text's first words, and the rest; an empty rest where there is too little to cut."""
    spaces = [place for place, letter in enumerate(text) if letter in " \n"]
    if len(spaces) < SHORTEST:
        return text, ""
    place = spaces[rng.randint(1, max(1, int(STARTS * len(spaces))))]
    return text[:place], text[place:].strip()
