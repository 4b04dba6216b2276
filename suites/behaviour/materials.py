"""What the cases about a given material share: facts of the certification split in phrasings of their own.

Values are payloads, so that they can only be read. Every material states the asked relation of two keys: whoever takes
any value, the first or the last, is wrong as often as not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from modelqa import Case
from modelqa.data import contexts
from modelqa.data.contexts import RELATIONS, Fact, Relation
from modelqa.family import normalise

from .drawing import facts as known_facts
from .drawing import rounds
from .phrasings_reading import FACTS

THIRD = 0.5  # of the materials hold a third fact


@dataclass(frozen=True)
class Material:
    """Two or three stated facts; `asked` is the one that `question` asks for, `sentences` stand in the facts' order."""

    facts: tuple[Fact, ...]
    asked: Fact
    sentences: tuple[str, ...]
    question: str

    @property
    def others(self) -> tuple[str, ...]:
        """The values that are no answer to the question."""
        return tuple(fact.value for fact in self.facts if fact is not self.asked)


class Drawer:
    """Materials for ever: relations and forms in even rounds, no value twice in a material."""

    def __init__(self, rng: Random, relations: Sequence[Relation] = RELATIONS) -> None:
        self._rng = rng
        forms = [(relation, form) for relation in relations for form in range(2)]
        self._asked = rounds(rng, forms)
        self._places = rounds(rng, (0, 1, 2))

    def material(self) -> Material:
        """The next one; the asked fact stands first, second or third about equally often where there are three."""
        relation, form = next(self._asked)
        used: set[str] = set(known_facts())
        asked = self._fact(relation, used, ())
        facts = [self._fact(relation, used, (asked,))]
        if self._rng.random() < THIRD:
            other = self._rng.choice([each for each in RELATIONS if each is not relation])
            facts.append(self._fact(other, used, (asked, *facts)))
        facts.insert(min(next(self._places), len(facts)), asked)
        sentences = tuple(says(self._rng, fact) for fact in facts)
        return Material(tuple(facts), asked, sentences, asks(asked, form))

    def missing(self, material: Material) -> str:
        """A question like the material's, about somebody of whom it says nothing."""
        relation = material.asked.relation
        absent = self._fact(relation, {normalise(fact.value) for fact in material.facts}, material.facts)
        return asks(absent, self._rng.randrange(2))

    def word(self, material: Material | None = None) -> str:
        """A word of the certification split that is no value of the material."""
        used = set(known_facts()) | {normalise(fact.value) for fact in (material.facts if material else ())}
        return contexts.value(self._rng, "word", "certify", used)

    def _fact(self, relation: Relation, used: set[str], beside: Sequence[Fact]) -> Fact:
        names = contexts.PEOPLE if relation.key == "person" else contexts.things()
        keys = [name if relation.key == "person" else f"the {name}" for name in names]
        key = self._rng.choice([key for key in keys if key not in {fact.key for fact in beside}])
        return Fact(relation, key, contexts.value(self._rng, relation.value, "certify", used))


def says(rng: Random, fact: Fact) -> str:
    """A sentence that states the fact."""
    return _filled(rng.choice(FACTS[fact.relation.name][0]), fact)


def asks(fact: Fact, form: int) -> str:
    """The question that the fact answers, in one of its two forms."""
    return _filled(FACTS[fact.relation.name][1][form], fact)


def _filled(text: str, fact: Fact) -> str:
    made = text.replace("{K}", fact.key)
    return (made[0].upper() + made[1:]).replace("{P}", fact.value)


def unlike(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases whose whole conversation is not, after normalisation, an earlier one's."""
    asked: set[str] = set()
    for case in cases:
        said = normalise(" ".join(message["content"] for message in case.messages))
        if said not in asked:
            asked.add(said)
            yield case
