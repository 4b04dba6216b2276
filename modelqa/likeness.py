"""How alike template signatures are, and which of thousands are alike, without comparing all pairs.

Use it through `modelqa.family`, which makes the signatures.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

PAYLOAD = "{P}"
SAME_FAMILY = 0.8  # token similarity from which two prompts are one template (one word in five may differ)

Bag = frozenset[str]


@lru_cache(maxsize=1 << 16)
def _bag(signature: str) -> Bag:
    """The multiset of a signature's tokens as a set: the second "the" is "the 1"; placeholders left out."""
    seen: Counter[str] = Counter()
    bag = set()
    for token in signature.split():
        if token != PAYLOAD:
            bag.add(sys.intern(f"{token} {seen[token]}"))
            seen[token] += 1
    return frozenset(bag)


def similarity(a: str, b: str) -> float:
    """How alike two signatures are, 0 to 1: twice the shared tokens over all tokens (Dice), the payload ignored.

    Two signatures that are nothing but payload are alike (1.0).
    """
    return _dice(_bag(a), _bag(b))


def _dice(a: Bag, b: Bag) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


class _Index:
    """Bags by their rarest tokens; finds those that may reach a similarity without comparing all.

    Bags of similarity t share at least t/(2-t) of the tokens of each. So when both are sorted rarest first, they
    share a token among those that remain when that many are left off, less one (the prefix filter of Chaudhuri,
    Ganti and Kaushik, ICDE 2006).
    """

    def __init__(self, rarity: Counter[str], threshold: float) -> None:
        self._rarity = rarity
        self._threshold = threshold
        self._bags: list[Bag] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def _prefix(self, bag: Bag) -> list[str]:
        if not bag:
            return [""]  # bags without a token resemble each other, and nothing else
        shared = max(1, math.ceil(len(bag) * self._threshold / (2 - self._threshold) - 1e-9))
        return sorted(bag, key=lambda token: (self._rarity[token], token))[: len(bag) - shared + 1]

    def add(self, bag: Bag) -> None:
        for token in self._prefix(bag):
            self._places[token].append(len(self._bags))
        self._bags.append(bag)

    def matches(self, bag: Bag) -> list[tuple[int, float]]:
        """(number, similarity) of the added bags that reach the threshold, in the order of adding."""
        candidates = {number for token in self._prefix(bag) for number in self._places.get(token, ())}
        scored = ((number, _dice(bag, self._bags[number])) for number in sorted(candidates))
        return [(number, score) for number, score in scored if score >= self._threshold]


def _rarity(signatures: Iterable[str]) -> Counter[str]:
    return Counter(token for signature in signatures for token in _bag(signature))


def families(signatures: Sequence[str]) -> list[int]:
    """A family number for each signature, counted from 0 in order of first appearance.

    A signature joins the earliest family whose first member it resembles by `SAME_FAMILY` or more.
    """
    distinct = list(dict.fromkeys(signatures))
    index = _Index(_rarity(distinct), SAME_FAMILY)
    number: dict[str, int] = {}
    count = 0
    for text in distinct:
        found = index.matches(_bag(text))
        if found:
            number[text] = found[0][0]
        else:
            index.add(_bag(text))
            number[text] = count
            count += 1
    return [number[text] for text in signatures]


def overlapping(
    signatures_a: Sequence[str], signatures_b: Sequence[str], threshold: float = SAME_FAMILY
) -> list[tuple[str, str, float]]:
    """(a, b, similarity) for each distinct signature of `a` that has a partner in `b`: its most similar one.

    In the order of `a`; among equals the first of `b`.
    """
    others = list(dict.fromkeys(signatures_b))
    index = _Index(_rarity(others), threshold)
    for text in others:
        index.add(_bag(text))
    pairs = []
    for text in dict.fromkeys(signatures_a):
        found = index.matches(_bag(text))
        if found:
            best, score = max(found, key=lambda match: (match[1], -match[0]))
            pairs.append((text, others[best], score))
    return pairs
