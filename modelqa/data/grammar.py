"""A small phrase grammar, and the split of what it produces into training and validation templates.

A template is a text with `{P}` where the payload goes (also `{S}`, `{A}`, `{B}`, `{X}`, `{C}`, `{M}`); lower-case names
in braces are slots, replaced by one of their choices. The two splits share no template family, computed from the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Literal

from modelqa.family import overlapping, signature

Split = Literal["train", "val"]
Language = Literal["en", "de"]

_SLOT = re.compile(r"\{([a-z_]+)\}")
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] )|(?<=\n))[a-zäöü]")
_MARKER = "qzxv"  # stands for the payload while a signature is computed; no template holds it
_ADDEND = re.compile(r"\{[AB]\}")
_PLACE = re.compile(r"\{[A-Z]\}")
CAPITAL_SHARE = 0.85  # of templates begin with a capital letter, as most people write
TRIES_PER_TEMPLATE = 6  # a grammar smaller than asked gives all that this many tries find


def sample(rng: Random, patterns: Sequence[str], slots: Mapping[str, Sequence[str]]) -> str:
    """One text of the grammar: a pattern with every slot replaced, single-spaced, mostly with a capital."""
    text = rng.choice(patterns)
    while found := _SLOT.search(text):
        text = text[: found.start()] + rng.choice(slots[found[1]]) + text[found.end() :]
    text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text)).strip(" ")
    text = re.sub(r" ([.,?!:])(?=\s|$)", r"\1", text)
    return _SENTENCE_START.sub(lambda start: start[0].upper(), text) if rng.random() < CAPITAL_SHARE else text


@lru_cache(maxsize=1 << 16)
def template_signature(template: str) -> str:
    """The family signature of a template, whatever its payload and its numbers."""
    numbered = _ADDEND.sub("7", template)
    return signature(_PLACE.sub(_MARKER, numbered), payload=_MARKER)


def templates(
    name: str,
    patterns: Sequence[str],
    slots: Mapping[str, Sequence[str]],
    *,
    split: Split,
    train: int,
    val: int,
    avoid: Sequence[str] = (),
) -> tuple[str, ...]:
    """At most `train` or `val` distinct templates of a split, the same in every program.

    Validation templates are drawn first; training then leaves out whatever is of a validation template's family, or of
    the family of one in `avoid` (the validation templates of other grammars).
    """
    held = _draw(Random(f"{name} val"), patterns, slots, val)
    if split == "val":
        return held
    drawn = _draw(Random(f"{name} train"), patterns, slots, train + train // 4)
    marks = {text: template_signature(text) for text in drawn}
    held_signatures = [template_signature(text) for text in (*held, *avoid)]
    taken = {text for text, _, _ in overlapping(list(marks.values()), held_signatures)}
    return tuple(text for text in drawn if marks[text] not in taken)[:train]


def _draw(rng: Random, patterns: Sequence[str], slots: Mapping[str, Sequence[str]], count: int) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for _ in range(count * TRIES_PER_TEMPLATE):
        found.setdefault(sample(rng, patterns, slots))
        if len(found) == count:
            break
    return tuple(found)
