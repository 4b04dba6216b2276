"""Contrast triples: one payload under COPY, WRAP and EXTRACT. Whoever ignores the operator is wrong somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random

from modelqa import Case

from .drawing import Shape, payload, question, rounds
from .phrasings_copying import COPY, EXTRACT, WRAP

OPERATORS = {"COPY": COPY, "WRAP": WRAP, "EXTRACT": EXTRACT}
SHAPES = tuple(
    shape
    for words in (1, 2, 3, 4)
    for shape in (
        Shape("words", words),
        Shape("words", words),
        Shape("nonce", words),
        Shape("mixed", words),
        Shape("words", words, "de"),
    )
)


def operator_cases(seed: int) -> Iterator[Case]:
    """Endless triples, the three cases of a triple one after the other.

    meta: operator, triple (its number), kind, words (1 to 4, evenly), language (of the payload).
    """
    rng = Random(f"operators {seed}")
    families = {operator: rounds(rng, list(enumerate(phrasings))) for operator, phrasings in OPERATORS.items()}
    shapes = rounds(rng, SHAPES)
    used: set[str] = set()
    for triple in count():
        drawn = payload(rng, next(shapes), used)
        for operator in OPERATORS:
            family, phrasing = next(families[operator])
            yield Case(
                id=f"operators/{operator.lower()}-{family}/{triple}",
                messages=question(phrasing.replace("{P}", drawn.text)),
                expect=f"[{drawn.text}]" if operator == "WRAP" else drawn.text,
                payload=drawn.text,
                meta={**drawn.meta, "operator": operator, "triple": str(triple)},
            )
