"""The kernels of the overlap check: the evaluation side indexed by prompt, payload, gram and template.

Training rows go by once. Each kernel first rules a row out by set operations on its words; only what is left is
looked at closely.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from modelqa.data.items import Item
from modelqa.family import NUMBER, PAYLOAD, SAME_FAMILY, begins_with_tag, normalise, overlapping, similarity

NGRAM = 8  # words; measured: 82-100% of verbatim copies found, no false alarm in 117,000 unrelated documents
COVERED = 0.5  # share of an item's words that one row must hold
DISTINCT_WORDS = 4  # in a gram; fewer ("1 1 1 1 ...") match by chance: all measured false alarms were such

_QUOTED = re.compile("[\"\u201c\u201e\u00ab]([^\"\u201c\u201d\u201e\u00ab\u00bb]{1,200})[\"\u201d\u201c\u00bb]")
_PUNCTUATION = re.compile(r"[^\w\s'\u2019]+|\n")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")  # what `family.signature` masks as a number
_STARTS = tuple(slice(start, None) for start in range(NGRAM))
REMEMBERED = 100_000  # sets of tokens, of rows that one template made over and over: tens of megabytes at most
_SHOWN = 120  # characters of matched text kept in an overlap

Words = Sequence[str]
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


class Found:
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


class Index:
    """The evaluation side, indexed by prompt, payload and gram."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.prompts: defaultdict[Gram, list[int]] = defaultdict(list)
        self.payloads = Payloads(items)
        self.grams: defaultdict[Gram, list[tuple[int, int]]] = defaultdict(list)
        self.too_short: list[int] = []
        for number, item in enumerate(items):
            if item.words:
                self.prompts[tuple(item.words)].append(number)
            self._add_grams(number, item.text)
        self.gram_set = frozenset(self.grams)

    def _add_grams(self, number: int, words: Words) -> None:
        checkable = False
        for place, gram in enumerate(_grams(words)):
            if len(set(gram)) >= DISTINCT_WORDS:
                self.grams[gram].append((number, place))
                checkable = True
        if not checkable:
            self.too_short.append(number)

    def match(self, row: Item, found: Found) -> None:
        """Add what one training row has in common with the items."""
        self._match_prompt(row, found)
        for payload in sorted(self.payloads.held_by(row)):
            for number in self.payloads.items[payload]:
                found.add("payload", row, number, self.items[number].id, " ".join(payload))
        words = row.words + row.answer_words
        if len(words) >= NGRAM and not self.gram_set.isdisjoint(_grams(words)):
            self._match_grams(row, words, found)

    def _match_prompt(self, row: Item, found: Found) -> None:
        for number in self.prompts.get(tuple(row.words), ()):
            item = self.items[number]
            text = " ".join(row.words)
            found.add("prompt", row, number, item.id, text)
            if row.prompt == item.prompt:
                found.add("exact", row, number, item.id, text)
            if item.answer_words and item.answer_words == row.answer_words:
                found.add("answer", row, number, item.id, text)

    def _match_grams(self, row: Item, words: Words, found: Found) -> None:
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


class Payloads:
    """The payloads of the evaluation side."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items: defaultdict[Gram, list[int]] = defaultdict(list)
        for number, item in enumerate(items):
            if item.payload_words:
                self.items[item.payload_words].append(number)
        self.starts: defaultdict[Gram, set[Gram]] = defaultdict(set)  # first two words: payloads of two words or more
        for payload in self.items:
            if len(payload) > 1:
                self.starts[payload[:2]].add(payload)
        self.start_set = frozenset(self.starts)

    def held_by(self, row: Item) -> set[Gram]:
        """Payloads of items that a row trains.

        A declared payload counts whole: another payload inside it is another payload. In the rest of the row an
        item's payload counts where it is quoted, where it is what the answer repeats, and, from two words, anywhere.
        Plain text without a prompt holds any two words sooner or later: there it counts between punctuation marks,
        and, from three words, anywhere.
        """
        if not row.words:
            return self._in_plain_text(row)
        declared = row.payload_words
        found = {declared} & self.items.keys()
        if declared and _holds(row.words, declared):
            for words in (row.words, row.answer_words):
                if not self.start_set.isdisjoint(itertools.pairwise(words)):  # masking takes longer than looking
                    found.update(self._runs(_masked(words, declared)))
            return found
        quoted = (tuple(normalise(text).split()) for text in _QUOTED.findall(row.prompt))
        found.update(payload for payload in quoted if payload in self.items)
        if len(row.answer_words) == 1 and row.answer_words[0] in row.words:
            found.update({tuple(row.answer_words)} & self.items.keys())
        found.update(run for run in self._runs(row.words) if _stands_alone(run, row))
        found.update(run for run in self._runs(row.answer_words) if not _holds(row.words, run))
        return found

    def _in_plain_text(self, row: Item) -> set[Gram]:
        runs = set(self._runs(row.answer_words))
        if not runs:
            return runs
        delimited = {tuple(normalise(text).split()) for text in _PUNCTUATION.split(row.answer)}
        return {run for run in runs if len(run) > 2 or run in delimited}

    def _runs(self, words: Words) -> Iterator[Gram]:
        """Each payload of two words or more that stands in `words`."""
        if self.start_set.isdisjoint(itertools.pairwise(words)):
            return
        for start, pair in enumerate(itertools.pairwise(words)):
            for payload in self.starts.get(pair, ()):
                if tuple(words[start:start + len(payload)]) == payload:
                    yield payload


class Templates:
    """The templates of the evaluation side, and those of training rows that may be of their families.

    Signatures of similarity s share at least s/(2-s) of the tokens of either, and one that shares n tokens with one of
    a tokens has at most 2n/s - a of its own: so most rows are ruled out by their words alone, before their signature
    is made.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.rows: dict[str, tuple[str, int]] = {}  # signature: first row, number of rows
        # of an item: its tokens as bits, how many of them a row must hold, how many there are, how many of them twice
        self.wanted: list[tuple[int, float, int, int]] = []
        self.by_token: defaultdict[int, list[int]] = defaultdict(list)
        bags = [Counter(bag) for bag in dict.fromkeys(_tokens(item.template) for item in items if item.template)]
        self.bare = any(not bag for bag in bags)  # some item is nothing but payload
        spread = Counter(token for bag in bags for token in bag)
        self.bits = {token: 1 << place for place, token in enumerate(spread)}
        self.vocabulary = frozenset(self.bits)
        self.room: dict[frozenset[str], float] = {}  # {tokens that a row holds: how many its template may have}
        for bag in filter(None, bags):
            size = bag.total()
            needed = size * SAME_FAMILY / (2 - SAME_FAMILY) - 1e-9
            for token in _rarest(bag, spread, size - needed):
                self.by_token[self.bits[token]].append(len(self.wanted))
            repeated = size - len(bag)
            self.wanted.append((sum(self.bits[token] for token in bag), needed - repeated, size, repeated))

    def note(self, row: Item) -> None:
        """Keep the row's signature if it may be of an item's family."""
        if row.prompt and self._may_match(row) and row.template:
            first, count = self.rows.get(row.template, (row.id, 0))
            self.rows[row.template] = (first, count + 1)

    def _may_match(self, row: Item) -> bool:
        words = _numbered(row.words)
        if self.bare and words <= _numbered([*row.payload_words, *row.answer_words]):
            return True
        known = self.vocabulary & words
        if known not in self.room:
            if len(self.room) >= REMEMBERED:
                self.room.clear()
            self.room[known] = self._most([self.bits[word] for word in known])
        return _least(row, words) <= self.room[known]

    def _most(self, bits: Sequence[int]) -> float:
        """How many tokens a template made of these and of others may have to be of an item's family; -1: it is of none.

        A row that holds a token may hold it as often as the item does.
        """
        held = sum(bits)
        candidates = {number for bit in bits for number in self.by_token.get(bit, ())}
        most = -1.0
        for tokens, needed, size, repeated in map(self.wanted.__getitem__, candidates):
            shared = (tokens & held).bit_count()
            if shared >= needed:
                most = max(most, 2 * (shared + repeated) / SAME_FAMILY - size + 1e-9)
        return most

    def match(self, found: Found) -> None:
        """Add each item's most similar template among the rows'."""
        own = [item.template for item in self.items if item.template]
        best = {a: (b, score) for a, b, score in overlapping(own, list(self.rows))}
        for number, item in enumerate(self.items):
            if item.template in best:
                text, score = best[item.template]
                first, rows = self.rows[text]
                found.best["template", number] = Overlap("template", first, item.id, score, text[:_SHOWN], rows)


def _least(row: Item, words: set[str]) -> int:
    """How many tokens the row's template has at least: its words of letters that are in no payload and no tag."""
    if begins_with_tag(row.prompt):
        return 0
    payload = row.answer_words if row.payload is None else row.payload_words
    return sum(map(str.isalpha, words.difference(payload)))


def _numbered(words: Words) -> set[str]:
    return set(map(_without_digits, words))


@lru_cache(maxsize=1 << 16)
def _without_digits(word: str) -> str:
    return _DIGITS.sub(NUMBER, word)


def _tokens(template: str) -> tuple[str, ...]:
    return tuple(token for token in template.split() if token != PAYLOAD)


def _rarest(bag: Counter[str], spread: Counter[str], spare: float) -> Iterator[str]:
    """Tokens of which a partner holds one at least, since it may lack no more than `spare` of the bag."""
    left = spare
    for token in sorted(bag, key=lambda token: (spread[token], token)):
        yield token
        left -= bag[token]
        if left < 0:
            return


def _grams(words: Words) -> Iterator[Gram]:
    return zip(*map(words.__getitem__, _STARTS), strict=False)


def _holds(words: Words, run: Gram) -> bool:
    return any(words[i] == run[0] and tuple(words[i:i + len(run)]) == run for i in range(len(words) - len(run) + 1))


def _stands_alone(payload: Gram, row: Item) -> bool:
    """Whether a payload in the prompt is a payload of its own, not part of a longer text that the answer repeats."""
    if not _holds(row.answer_words, payload):
        return True
    return not any(_holds(row.answer_words, longer) for longer in _extended(row.words, payload))


def _extended(words: Words, run: Gram) -> Iterator[Gram]:
    """The run with the word before it, and with the word after it, wherever it stands."""
    size = len(run)
    for start in range(len(words) - size + 1):
        if tuple(words[start:start + size]) == run:
            if start:
                yield tuple(words[start - 1:start + size])
            if start + size < len(words):
                yield tuple(words[start:start + size + 1])


def _masked(words: Words, payload: Gram) -> Words:
    """The words with each occurrence of the payload replaced by one word that no text holds."""
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
