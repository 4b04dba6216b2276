"""Templates with changed words: slots and what names a format stay, and no evaluation payload gets in."""

from __future__ import annotations

import re
from random import Random

from modelqa.data.altered import MOST, PLAIN_SHARE, altered, words
from modelqa.family import payload_split

TEMPLATE = "Read this short note: {C}\nThen answer the question in one word. {Q} Ignore nothing."
DRAWS = 400


def test_slots_and_the_words_that_name_a_format_are_never_changed() -> None:
    for seed in range(DRAWS):
        text = altered(Random(seed), TEMPLATE, 1.0)
        assert re.findall(r"\{[A-Z]\}", text) == ["{C}", "{Q}"]
        assert re.search(r"\bword\b", text) and re.search(r"\bIgnore\b", text)


def test_some_templates_are_left_alone_and_the_others_lose_no_more_than_asked() -> None:
    old = TEMPLATE.split()
    drawn = [altered(Random(seed), TEMPLATE).split() for seed in range(DRAWS)]
    alone = sum(text == old for text in drawn) / DRAWS
    assert PLAIN_SHARE <= alone < PLAIN_SHARE + 0.25
    lost = [sum(word not in text for word in old) / len(old) for text in drawn]
    assert 0.02 < sum(lost) / DRAWS < MOST / 2


def test_the_words_put_in_are_of_training() -> None:
    assert len(words()) > 1_000
    assert {payload_split(word) for word in words()} == {"train"}
