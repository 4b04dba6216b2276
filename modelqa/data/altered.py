"""Templates with some of their words changed: what a model has to read past, because nobody can list every phrasing.

Templates drawn from a grammar teach its words. A model of a million parameters then takes the first word that it does
not know ("people", "permitted") for the key or the payload. Words that stand in no template, put in at random, teach
that an unknown word is mostly nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random

from modelqa.data.words_common import COMMON
from modelqa.family import payload_split

PLAIN_SHARE = 0.4  # of templates are left as they are
MOST = 0.4  # a word of a template is changed with a probability of up to so much
_WORD = re.compile(r"(?<![{<\w'])[A-Za-z]{2,}(?![}>\w'])")
# What tells a format from another is left: without it no answer would be right.
_KEPT = frozenset(
    """word words number numbers digit digits figure figures numeral integer letters json object key keys field fields
    not no never none nobody ignore forget unknown""".split()  # noqa: SIM905 (a table of words)
)


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """The words that may stand in for others: none of them is a payload of validation or certification."""
    return tuple(sorted(word for word in set(COMMON.split()) - _KEPT if payload_split(word) == "train"))


def altered(rng: Random, template: str, most: float = MOST) -> str:
    """The template with words replaced, or joined by a new one; slots stay as they are.

    A share of the templates stays as it is; in each of the others words change with one probability of up to `most`.
    """
    if rng.random() < PLAIN_SHARE:
        return template
    share = rng.uniform(0.0, most)

    def change(found: re.Match[str]) -> str:
        old = found[0]
        if old.casefold() in _KEPT or rng.random() >= share:
            return old
        new = rng.choice(words())
        new = new.capitalize() if old[0].isupper() else new
        return rng.choices((new, f"{old} {new}", f"{new} {old.lower()}"), weights=(6, 2, 2))[0]

    return _WORD.sub(change, template)
