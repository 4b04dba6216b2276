"""Half facts, half sums; of the sums half may have been in training data ("seen") and half never ("unseen").

Facts have to be known: only their phrasing is kept apart from training. No answer is expected in more than one case
of ten, so that a collapsed model cannot score.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Literal

from modelqa import Case
from modelqa.data import facts

from .drawing import fresh, question, rounds, shuffled
from .phrasings_asking import ALSO_RIGHT, FACTS, SUMS

KNOWN = "phrasing prompt"  # what must not be in training: how it is asked; the content must be there


def regression_cases(seed: int) -> Iterator[Case]:
    """Some thousand cases, fact and sum in turn; meta: topic, kind of fact, sums ("seen" or "unseen"), language."""
    rng = Random(f"regression {seed}")
    return fresh(chain.from_iterable(zip(_facts(rng), _sums(rng), strict=False)))


def _facts(rng: Random) -> Iterator[Case]:
    """Rounds over the phrasings, each with its own order of the subjects, until every phrasing has had them all."""
    families = [(kind, language, text) for (kind, language), texts in FACTS.items() for text in texts]
    queues = {
        number: shuffled(rng, (fact for fact in facts.FACTS if (fact.kind, fact.language) == (kind, language)))
        for number, (kind, language, _) in enumerate(families)
    }
    while queues:
        for number in rng.sample(sorted(queues), len(queues)):
            fact = queues[number].pop()
            yield _fact(fact, families[number][2], f"regression/fact-{number}/{len(queues[number])}")
        queues = {number: queue for number, queue in queues.items() if queue}


def _fact(fact: facts.Fact, phrasing: str, name: str) -> Case:
    right = (fact.answer, *ALSO_RIGHT.get((fact.kind, fact.language, fact.subject), ()))
    return Case(
        id=name,
        messages=question(phrasing.replace("{P}", fact.subject)),
        expect=(fact.reply, *right),
        payload=fact.subject,
        meta={"topic": "fact", "kind": fact.kind, "language": fact.language, "disjoint": KNOWN},
    )


def _sums(rng: Random) -> Iterator[Case]:
    families = rounds(rng, list(enumerate(SUMS)))
    sources = {"seen": rounds(rng, facts.sums("seen")), "unseen": rounds(rng, facts.sums("unseen"))}
    splits: tuple[Literal["seen", "unseen"], ...] = ("seen", "unseen")
    for number, split in enumerate(rounds(rng, splits)):
        family, phrasing = next(families)
        total = next(sources[split])
        apart = {"disjoint": KNOWN} if split == "seen" else {}
        yield Case(
            id=f"regression/sum-{family}/{number}",
            messages=question(phrasing.replace("{A}", str(total.a)).replace("{B}", str(total.b))),
            expect=(total.reply, total.answer),
            meta={"topic": "sum", "sums": split, "language": "en", **apart},
        )
