"""Overlap: which evaluation items were in the training data, by text and never by label.

    report = overlaps(training_items, evaluation_items)     # one pass over the training side
    report.counts["payload"]                                # how many evaluation items were hit

Tiers, strict to loose:
  exact     the user text, character for character
  prompt    the user text in `family.normalise` form
  answer    the prompt, and the answer too
  payload   the payload in normal form: declared, quoted, echoed, or embedded (see `overlap_index.Payloads`)
  template  the prompt with its payload masked: `family.similarity` of `SAME_FAMILY` or more
  ngram     half of the item's words lie in word 8-grams that one training row holds
            (coverage rule of Tulu 3, Lambert et al. 2024; n = 8 and one document: ConTAM, Singh et al. 2024)

Only wording is compared: a paraphrase with new words is not seen, and items under eight words are not in the n-gram
tier (`Report.too_short` counts them).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from modelqa.data.items import DISJOINT, Item
from modelqa.data.overlap_index import COVERED, DISTINCT_WORDS, NGRAM, Found, Index, Overlap, Templates

__all__ = ["COVERED", "DISTINCT_WORDS", "NGRAM", "TIERS", "Item", "Overlap", "Report", "overlaps"]

TIERS = ("exact", "prompt", "answer", "payload", "template", "ngram")
PART = {"exact": "prompt", "prompt": "prompt", "answer": "prompt", "ngram": "prompt", "payload": "payload",
        "template": "phrasing"}  # tier -> the declaration that it tests


@dataclass(frozen=True)
class Report:
    """What one comparison found: at most one overlap per tier and item, and what was compared.

    rows       training rows read; items: evaluation items compared
    too_short  ids of items that the n-gram tier could not check
    """

    overlaps: tuple[Overlap, ...]
    rows: int
    items: int
    too_short: tuple[str, ...] = ()
    disjoint: frozenset[str] = DISJOINT
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, tier: str) -> tuple[Overlap, ...]:
        """The overlaps of one tier, in the order of the evaluation items."""
        return tuple(overlap for overlap in self.overlaps if overlap.tier == tier)

    def to_json(self, *, examples: int = 5) -> dict[str, Any]:
        """Counts of each tier and its first `examples` overlaps."""
        return {
            "rows": self.rows,
            "items": self.items,
            "too_short": len(self.too_short),
            "disjoint": sorted(self.disjoint),
            "counts": self.counts,
            "examples": {tier: [asdict(overlap) for overlap in self.of(tier)[:examples]] for tier in TIERS},
        }


def overlaps(train: Iterable[Item], items: Sequence[Item], *, disjoint: Iterable[str] = DISJOINT) -> Report:
    """Which `items` occur in `train`, which is read once as a stream; only what is declared disjoint is reported.

    An item is held to what both `disjoint` and its own declaration name. Where phrasing may be shared, n-gram
    matches between rows of one template family are the template's and are not reported.
    """
    wanted = frozenset(disjoint)
    index = Index(items)
    found = Found()
    templates = Templates(items)
    rows = 0
    for row in train:
        rows += 1
        index.match(row, found)
        templates.note(row)
    templates.match(found)
    kept = tuple(
        hit for number, item in enumerate(items) for tier in TIERS
        if PART[tier] in wanted & item.disjoint and (hit := found.best.get((tier, number)))
        and not (tier == "ngram" and "phrasing" not in wanted & item.disjoint and found.same_family(number, item))
    )
    counts = Counter(overlap.tier for overlap in kept)
    return Report(
        overlaps=kept, rows=rows, items=len(items), disjoint=wanted, counts={tier: counts[tier] for tier in TIERS},
        too_short=tuple(items[number].id for number in index.too_short),
    )
