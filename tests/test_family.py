"""modelqa.family: prompts of one template are one family whatever their payload, label, case or punctuation."""

from __future__ import annotations

import hashlib
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelqa.family import (
    SAME_FAMILY,
    families,
    normalise,
    overlapping,
    payload_split,
    signature,
    similarity,
    split_bucket,
)


def test_one_normal_form_for_one_question():
    assert normalise("  Say:  “Straße”, PLEASE! ") == normalise("say strasse please") == "say strasse please"
    assert normalise("don’t") == normalise("don't") == "dont"
    assert normalise("ｆｕｌｌ ｗｉｄｔｈ\u200b") == "full width"
    assert normalise("ice-cream") == normalise("ice cream")


def test_arithmetic_and_emoji_are_content():
    assert normalise("What is 5 + 3?") != normalise("What is 5 - 3?")
    assert normalise("5-3") == normalise("5 - 3")
    assert normalise("Say 🎉") != normalise("Say 😀")


@pytest.mark.parametrize(
    ("user", "payload", "expected"),
    [
        ("Say 'hello'.", "hello", "say {P}"),
        ("SAY: hello!", "hello", "say {P}"),
        ("[P26_AE] Say `hello`", "hello", "say {P}"),
        ("<task> Say hello", "hello", "say {P}"),
        ("case_7: Say hello", "hello", "say {P}"),
        ("[hello] - repeat that", "hello", "{P} repeat that"),
        ("Wrap green river in brackets.", "green river", "wrap {P} in brackets"),
        ("Write Green-River, 3 times", "green river", "write {P} {N} times"),
        ("Unhappy people say happy", "happy", "unhappy people say {P}"),
        ("请重复你好", "你好", "请 重 复 {P}"),
        ("Nothing here", "hello", "nothing here"),
        ("Say it", "!!!", "say it"),
    ],
)
def test_the_payload_is_masked_and_tags_and_delimiters_go(user, payload, expected):
    assert signature(user, payload=payload) == expected


@pytest.mark.parametrize(
    ("user", "payload", "expected"),
    [
        ('Say the word "word" now', "word", "say the word {P} now"),
        ("Repeat: repeat", "repeat", "repeat {P}"),
        ("Say say", "say", "say {P}"),
        ("Only `only`, nothing else", "only", "only {P} nothing else"),
        ("Copy the text |text| exactly", "text", "copy the text {P} exactly"),
    ],
)
def test_a_payload_that_is_a_word_of_the_template_does_not_corrupt_it(user, payload, expected):
    assert signature(user, payload=payload) == expected


def test_a_template_that_says_its_payload_twice_is_one_family():
    texts = {signature(f"Say '{word}', only {word}.", payload=word) for word in ("Zug", "river", "blicket")}
    assert texts == {"say {P} only {P}"}


@pytest.mark.parametrize(
    ("user", "answer", "expected"),
    [
        ("Say hello", "Hello.", "say {P}"),
        ("Wrap green river in brackets", "[green river]", "wrap {P} in brackets"),
        ("What is the capital of France?", "Paris", "what is the capital of france"),
        ("What is 1,000.50 - 2?", "998.5", "what is {N} - {N}"),
        ("Answer yes or no: is ice cold?", "Yes.", "answer yes or no is ice cold"),
        ("Copy: the end", "the end", "copy {P}"),
    ],
)
def test_without_a_payload_the_longest_run_shared_with_the_answer_is_masked(user, answer, expected):
    assert signature(user, answer=answer) == expected


def test_numbers_are_masked_wherever_they_stand():
    assert signature("What is 7 + 5?") == signature("what is 12+135") == "what is {N} + {N}"
    assert signature("hello123 now") == "hello{N} now"


def test_similarity_is_dice_on_words_without_the_payload():
    assert similarity("say {P} now", "say {P} now") == 1.0
    assert similarity("say {P}", "say {P} {P}") == 1.0
    assert similarity("a b c d e", "a b c d f") == 0.8
    assert similarity("a a b", "a b b") == pytest.approx(2 / 3)
    assert similarity("say {P}", "") == 0.0
    assert similarity("{P}", "") == 1.0
    assert similarity("b a", "a b") == 1.0


def test_families_are_numbered_in_order_of_first_appearance():
    texts = ["say {P}", "what is {N} + {N}", "say {P}", "please repeat the word {P} now", "now repeat the word {P}"]
    assert families(texts) == [0, 1, 0, 2, 2]
    assert families([]) == []


def test_a_family_is_joined_by_likeness_to_its_first_member_only():
    first, second, third = "a b c d e", "a b c d f", "a b c g f"
    assert similarity(second, third) >= SAME_FAMILY > similarity(first, third)
    assert families([first, second, third]) == [0, 0, 1]


def _families_by_comparing_all(texts: list[str]) -> list[int]:
    heads: list[str] = []
    numbers = []
    for text in texts:
        found = next((i for i, head in enumerate(heads) if similarity(head, text) >= SAME_FAMILY), None)
        if found is None:
            heads.append(text)
        numbers.append(len(heads) - 1 if found is None else found)
    return numbers


WORDS = st.lists(st.sampled_from(["say", "the", "word", "now", "{P}", "a", "please"]), max_size=8).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, max_size=15))
def test_the_index_finds_what_comparing_all_finds(texts):
    assert families(texts) == _families_by_comparing_all(texts)


@settings(max_examples=80, deadline=None)
@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=8), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_overlap_gives_each_signature_its_nearest_partner(mine, others, threshold):
    expected = {}
    for text in mine:
        best = max((similarity(text, other) for other in others), default=0.0)
        if others and best >= threshold:
            expected[text] = best
    found = overlapping(mine, others, threshold)
    assert {a: score for a, _, score in found} == expected
    assert all(similarity(a, b) == score and b in others for a, b, score in found)


def test_thousands_of_distinct_signatures_are_compared_without_comparing_all():
    draw = random.Random(5)
    words = ["".join(draw.choice("abcdefgh") for _ in range(4)) for _ in range(600)] + ["the", "say", "please"] * 10
    texts = [" ".join(draw.choices(words, k=draw.randint(6, 14))) for _ in range(3000)]
    numbers = families(texts)
    assert len(set(numbers)) > 2500
    assert families(texts[:150]) == _families_by_comparing_all(texts[:150])
    assert overlapping(texts, texts) == [(text, text, 1.0) for text in dict.fromkeys(texts)]


@given(st.text(st.characters(codec=None), max_size=60), st.text(st.characters(codec=None), max_size=12))
@settings(max_examples=80, deadline=None)
def test_no_text_breaks_a_signature(user, payload):
    assert isinstance(signature(user, payload=payload), str)
    assert isinstance(signature(user, answer=payload), str)
    assert normalise(normalise(user)) == normalise(user)
    assert 0 <= split_bucket(payload) < 20


def test_a_bucket_depends_on_the_normal_form_alone():
    assert split_bucket("Green River!") == split_bucket("green  river")
    assert split_bucket("green river", buckets=1) == 0


def test_the_bucket_of_a_payload_is_fixed_for_ever():
    assert split_bucket("green river") == int(hashlib.sha256(b"green river").hexdigest(), 16) % 20


def test_a_twentieth_of_all_payloads_is_for_certification_and_one_for_development():
    shares = Counter(payload_split(f"payload {number}") for number in range(8000))
    assert shares["certify"] / 8000 == pytest.approx(0.05, abs=0.01)
    assert shares["val"] / 8000 == pytest.approx(0.05, abs=0.01)
    assert shares["train"] == 8000 - shares["certify"] - shares["val"]
    for number in range(200):
        text = f"payload {number}"
        assert payload_split(text) == {19: "certify", 18: "val"}.get(split_bucket(text), "train")
