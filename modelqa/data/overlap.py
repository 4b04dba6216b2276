"""Overlap: which evaluation items were in the training data, by text and never by label.

    report = overlaps(training_items, evaluation_items)     # one pass over the training side
    report.counts["payload"]                                # how many evaluation items were hit

Tiers, strict to loose:
  exact     the user text, character for character
  prompt    the user text in `family.normalise` form
  answer    the prompt, and the answer too
  payload   the payload in normal form: declared, quoted, echoed, or a run of two words or more anywhere in the row
  template  the prompt with its payload masked: `family.similarity` of `SAME_FAMILY` or more
  ngram     half of the item's words lie in word 8-grams that one training row holds
            (coverage rule of Tulu 3, Lambert et al. 2024; n = 8 and one document: ConTAM, Singh et al. 2024)

Only wording is compared: a paraphrase with new words is not seen, and items under eight words are not in the n-gram
tier (`Report.too_short` counts them).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from modelqa.data.items import DISJOINT, Item
from modelqa.family import SAME_FAMILY, normalise, overlapping, similarity

NGRAM = 8  # words; measured: 82-100% of verbatim copies found, no false alarm in 117,000 unrelated documents
COVERED = 0.5  # share of an item's words that one row must hold
DISTINCT_WORDS = 4  # in a gram; fewer ("1 1 1 1 ...") match by chance: all measured false alarms were such
TIERS = ("exact", "prompt", "answer", "payload", "template", "ngram")
PART = {"exact": "prompt", "prompt": "prompt", "answer": "prompt", "ngram": "prompt", "payload": "payload",
        "template": "phrasing"}  # tier -> the declaration that it tests

_QUOTED = re.compile("[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u201e\u00ab\u00bb]{1,200})[\"\u201d\u201c\u00bb]")
_SHOWN = 120  # characters of matched text kept in an overlap

Gram = tuple[str, ...]


@dataclass(frozen=True)
class Overlap:
    """One evaluation item found in the training data.

    train     id of the training row: the first, for n-grams the one that covers most
    item      id of the evaluation item
    coverage  1.0 for the exact tiers, template similarity, or the covered share of the item's words
    text      what matched, in normal form
    rows      how many training rows match
    """

    tier: str
    train: str
    item: str
    coverage: float
    text: str
    rows: int


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
    index = _Index(items)
    found = _Found()
    templates: dict[str, tuple[str, int]] = {}
    rows = 0
    for row in train:
        rows += 1
        index.match(row, found)
        if row.template:
            first, count = templates.get(row.template, (row.id, 0))
            templates[row.template] = (first, count + 1)
    _match_templates(items, templates, found)
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


class _Found:
    """The best overlap of each tier and item so far."""

    def __init__(self) -> None:
        self.best: dict[tuple[str, int], Overlap] = {}
        self.template: dict[int, str] = {}  # of the row that covers an item best

    def add(self, tier: str, row: Item, number: int, item: str, text: str, coverage: float = 1.0) -> None:
        """Count one more row for this tier and item; keep the row of the highest coverage, the first among equals."""
        old = self.best.get((tier, number))
        rows = old.rows + 1 if old else 1
        if old is None or coverage > old.coverage:
            self.best[tier, number] = Overlap(tier, row.id, item, coverage, text[:_SHOWN], rows)
            if tier == "ngram":
                self.template[number] = row.template
        else:
            self.best[tier, number] = Overlap(tier, old.train, item, old.coverage, old.text, rows)

    def same_family(self, number: int, item: Item) -> bool:
        """Whether the row that covers the item best has the item's template."""
        return similarity(self.template[number], item.template) >= SAME_FAMILY


class _Index:
    """The evaluation side, indexed by prompt, payload and gram."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.prompts: defaultdict[Gram, list[int]] = defaultdict(list)
        self.payloads: defaultdict[Gram, list[int]] = defaultdict(list)
        self.grams: defaultdict[Gram, list[tuple[int, int]]] = defaultdict(list)
        self.too_short: list[int] = []
        for number, item in enumerate(items):
            if item.words:
                self.prompts[tuple(item.words)].append(number)
            if item.payload_words:
                self.payloads[item.payload_words].append(number)
            self._add_grams(number, item.text)
        self.gram_set = frozenset(self.grams)
        self.starts: defaultdict[str, set[Gram]] = defaultdict(set)
        for payload in self.payloads:
            self.starts[payload[0]].add(payload)
        self.start_set = frozenset(self.starts)

    def _add_grams(self, number: int, words: list[str]) -> None:
        checkable = False
        for place, gram in enumerate(_grams(words)):
            if len(set(gram)) >= DISTINCT_WORDS:
                self.grams[gram].append((number, place))
                checkable = True
        if not checkable:
            self.too_short.append(number)

    def match(self, row: Item, found: _Found) -> None:
        """Add what one training row has in common with the items."""
        self._match_prompt(row, found)
        if not self.start_set.isdisjoint(row.words) or not self.start_set.isdisjoint(row.answer_words):
            for payload in sorted(self._payloads_in(row)):
                for number in self.payloads[payload]:
                    found.add("payload", row, number, self.items[number].id, " ".join(payload))
        words = row.words + row.answer_words
        if not self.gram_set.isdisjoint(_grams(words)):
            self._match_grams(row, words, found)

    def _match_prompt(self, row: Item, found: _Found) -> None:
        for number in self.prompts.get(tuple(row.words), ()):
            item = self.items[number]
            text = " ".join(row.words)
            found.add("prompt", row, number, item.id, text)
            if row.prompt == item.prompt:
                found.add("exact", row, number, item.id, text)
            if item.answer_words and item.answer_words == row.answer_words:
                found.add("answer", row, number, item.id, text)

    def _payloads_in(self, row: Item) -> set[Gram]:
        """Payloads of items that this row trains.

        A declared payload counts whole: another payload inside it is another payload. In the rest of the row an
        item's payload counts where it is quoted, where it is what the answer repeats, and, from two words, anywhere.
        """
        declared = row.payload_words
        found = {declared} & self.payloads.keys()
        if declared and _holds(row.words, declared):
            rest = (_masked(row.words, declared), _masked(row.answer_words, declared))
            return found.union(run for words in rest for run in self._runs(words) if len(run) > 1)
        quoted = (tuple(normalise(text).split()) for text in _QUOTED.findall(row.prompt))
        found.update(payload for payload in quoted if payload in self.payloads)
        found.update(run for run in self._runs(row.words) if _stands_alone(run, row))
        found.update(run for run in self._runs(row.answer_words) if len(run) > 1 and not _holds(row.words, run))
        return found

    def _runs(self, words: list[str]) -> Iterator[Gram]:
        """Each item's payload that stands in `words`."""
        for start, word in enumerate(words):
            for payload in self.starts.get(word, ()):
                if tuple(words[start:start + len(payload)]) == payload:
                    yield payload

    def _match_grams(self, row: Item, words: list[str], found: _Found) -> None:
        covered: defaultdict[int, set[int]] = defaultdict(set)
        for gram in set(_grams(words)) & self.gram_set:
            for number, place in self.grams[gram]:
                covered[number].update(range(place, place + NGRAM))
        for number, places in sorted(covered.items()):
            text = self.items[number].text
            share = len(places) / len(text)
            if share >= COVERED:
                matched = " ".join(text[place] for place in sorted(places))
                found.add("ngram", row, number, self.items[number].id, matched, share)


def _grams(words: list[str]) -> Iterator[Gram]:
    return zip(*(words[start:] for start in range(NGRAM)), strict=False)


def _holds(words: list[str], run: Gram) -> bool:
    return any(words[i] == run[0] and tuple(words[i:i + len(run)]) == run for i in range(len(words) - len(run) + 1))


def _stands_alone(payload: Gram, row: Item) -> bool:
    """Whether a payload in the prompt is a payload of its own, not a common word or part of a longer echoed text."""
    if not _holds(row.answer_words, payload):
        return len(payload) > 1
    if len(payload) == 1:
        return row.answer_words == list(payload)
    return not any(_holds(row.answer_words, longer) for longer in _extended(row.words, payload))


def _extended(words: list[str], run: Gram) -> Iterator[Gram]:
    """The run with the word before it, and with the word after it, wherever it stands."""
    size = len(run)
    for start in range(len(words) - size + 1):
        if tuple(words[start:start + size]) == run:
            if start:
                yield tuple(words[start - 1:start + size])
            if start + size < len(words):
                yield tuple(words[start:start + size + 1])


def _masked(words: list[str], payload: Gram) -> list[str]:
    """The words with each occurrence of the payload replaced by one word that no text holds."""
    if not payload or not _holds(words, payload):
        return words
    kept: list[str] = []
    place = 0
    while place < len(words):
        if tuple(words[place:place + len(payload)]) == payload:
            kept.append("")
            place += len(payload)
        else:
            kept.append(words[place])
            place += 1
    return kept


def _match_templates(items: Sequence[Item], templates: dict[str, tuple[str, int]], found: _Found) -> None:
    pairs = {a: (b, score) for a, b, score in overlapping([i.template for i in items if i.template], list(templates))}
    for number, item in enumerate(items):
        if item.template in pairs:
            text, score = pairs[item.template]
            first, rows = templates[text]
            found.best["template", number] = Overlap("template", first, item.id, score, text[:_SHOWN], rows)
