"""Chat rows that ask for the rest of a base document: how a chat stage keeps the language that its base was taught."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from modelqa.data.grammar import Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row
from modelqa.data.templates_instructions import phrasings
from modelqa.training import corpus

SHORTEST = 6  # words of a document that can be cut in two
STARTS = 0.35  # share of the words that are given at most; the rest counts in the loss


def rows(
    *,
    seed: int,
    n_examples: int,
    split: Split = "train",
    system: str = DEFAULT_SYSTEM,
) -> Iterator[Row]:
    """`n_examples` rows of new documents of the base's kinds."""
    rng = Random(f"continuations {split} {seed}")
    number = 0
    for text in corpus.documents(corpus.training_material(), count=2 * n_examples, seed=rng.randrange(1 << 30)):
        start, rest = _cut(rng, text)
        if not rest:
            continue
        number += 1
        template = rng.choice(phrasings("go_on", split))
        meta = {"category": "text", "language": "en", "template": template}
        identity = f"continuations-{split}-{number:06d}"
        yield chat_row(identity, template.replace("{C}", start), rest, system=system, meta=meta)
        if number == n_examples:
            return


def _cut(rng: Random, text: str) -> tuple[str, str]:
    """The text's first words, and the rest; an empty rest where there is too little to cut."""
    spaces = [place for place, letter in enumerate(text) if letter in " \n"]
    if len(spaces) < SHORTEST:
        return text, ""
    place = spaces[rng.randint(1, max(1, int(STARTS * len(spaces))))]
    return text[:place], text[place:].strip()
