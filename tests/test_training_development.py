"""The development set: enough prompts, payloads of its own split, and a fair account of right and wrong replies."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from modelqa.data import pools
from modelqa.family import payload_split
from modelqa.training.development import PHRASINGS, Question, is_right, questions, score

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    return questions(tomllib.loads((ROOT / PHRASINGS).read_text(encoding="utf-8")), seed=1)


def test_one_unfinished_reply_in_a_thousand_would_be_seen(asked: list[Question]) -> None:
    assert len(asked) >= 6000
    assert (1 - 0.001) ** len(asked) < 0.01


def test_long_questions_hold_four_invented_words_half_of_them_alike(asked: list[Question]) -> None:
    long = [question for question in asked if question.behaviour.startswith("long")]
    assert set(Counter(question.group for question in long)) == {"nonce", "alike"}
    for question in long:
        words = question.accept[0].strip("[].").lower().split()
        assert len(words) == 4 and set(words) <= set(pools.nonce_words("val"))


def test_repeated_questions_say_a_word_twice(asked: list[Question]) -> None:
    twice = [question for question in asked if question.behaviour.startswith("twice")]
    assert len(twice) > 1000
    for question in twice:
        words = question.accept[0].strip("[].").lower().split()
        assert len(set(words)) < len(words)


def test_payloads_are_of_the_validation_split(asked: list[Question]) -> None:
    texts = [question.accept[0].strip("[].") for question in asked if question.behaviour in ("copy", "wrap", "extract")]
    assert {payload_split(text) for text in texts} == {"val"}


def test_everyday_words_are_asked_for(asked: list[Question]) -> None:
    said = [question.accept[0].lower() for question in asked if question.behaviour == "everyday echo"]
    assert set(said) == set(pools.EVERYDAY)


@pytest.mark.parametrize(
    ("behaviour", "text", "right"),
    [("copy", "green river", True), ("copy", "Green river", False), ("long wrap", "green river.", False),
     ("facts", "GREEN river", True)],
)
def test_payloads_are_exact_and_facts_are_normalised(behaviour: str, text: str, right: bool) -> None:
    assert is_right(Question(behaviour, "family", "user", ("green river",)), text) is right


def test_a_right_text_that_never_stopped_is_wrong_and_counted() -> None:
    asked = [Question("copy", "a", "Say x", ("x",), "1 words"), Question("copy", "b", "Say y", ("y",), "1 words")]
    (found,) = score(asked, [("x", True), ("y", False)])
    assert (found.right, found.total, found.stopped) == (1, 2, 1)
    assert found.families[0] == (0.0, "b", "'Say y' -> 'y'")
    assert found.groups == {"1 words": (1, 2)}
