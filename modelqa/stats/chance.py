"""What knowing nothing scores: computed from the items, never from memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def chance_level(options: Sequence[int]) -> float:
    """The expected rate of choosing at random: the mean of 1/options over the items, which may differ in number.

    `ValueError` without items, or when an item has no option.
    """
    if not options or min(options) < 1:
        raise ValueError("a chance level needs items, each with at least one option")
    return math.fsum(1 / count for count in options) / len(options)


def best_constant(labels: Sequence[str]) -> tuple[str, float]:
    """(the most frequent right answer, its share): what always saying it scores. Ties go to the first in order."""
    if not labels:
        raise ValueError("a constant policy needs items with right answers")
    counts = Counter(labels)
    label = min(counts, key=lambda name: (-counts[name], name))
    return label, counts[label] / len(labels)


def label_entropy(labels: Sequence[str]) -> float:
    """The entropy of the right answers in bits (Shannon, 1948): log2 of the number of labels when they are balanced."""
    total = len(labels)
    return -math.fsum(count / total * math.log2(count / total) for count in Counter(labels).values()) + 0.0


def centred(rate: float, chance: float) -> float:
    """A rate on a scale where chance is 0 and everything right is 1: (rate - chance) / (1 - chance).

    Cohen's correction for chance agreement (1960), as in the CORE metric of DCLM (arXiv 2406.11794).
    """
    if not 0 <= chance < 1:
        raise ValueError(f"a chance level lies between 0 and 1: {chance}")
    return (rate - chance) / (1 - chance)
