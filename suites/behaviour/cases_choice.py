"""Facts as questions of four options, in the phrasings of certification: seeded, the right one at every place alike."""

from __future__ import annotations

from random import Random

from modelqa.choice import Item
from modelqa.data import choices, facts

from .drawing import rounds, shuffled
from .phrasings_asking import FACTS


def choice_items(seed: int, count: int) -> list[Item]:
    """`count` items on different facts, as many of each kind as its phrasings allow."""
    rng = Random(f"choice {seed}")
    known = {
        kind: shuffled(rng, (fact for fact in facts.FACTS if (fact.kind, fact.language) == kind)) for kind in FACTS
    }
    items: dict[str, Item] = {}
    for kind in rounds(rng, sorted(FACTS)):
        if len(items) == count or not any(known.values()):
            return list(items.values())
        if known[kind]:
            fact = known[kind].pop()
            options, right = choices.options_of(rng, fact)
            stem = rng.choice(FACTS[kind]).replace("{P}", fact.subject)
            items.setdefault(stem, Item(f"choice/{fact.key}", stem, options, right))
    raise AssertionError("rounds never end")
