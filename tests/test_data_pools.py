"""Words, gibberish, payloads, facts and sums."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from modelqa.data import facts, pools, words
from modelqa.errors import UsageError
from modelqa.family import normalise, payload_split, split_bucket


def test_there_are_enough_words_and_none_stands_twice() -> None:
    assert len(pools.WORDS) >= 500
    assert len(pools.GERMAN_WORDS) >= 120
    for listed in (words.WORDS, words.GERMAN_WORDS, words.PHRASES, words.SENTENCES, words.NUMBERS):
        assert len(set(listed)) == len(listed)


def test_english_words_are_short_lower_case_and_begin_with_many_letters() -> None:
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 9 for word in pools.WORDS)
    assert len({word[0] for word in pools.WORDS}) >= 23


def test_gibberish_is_pronounceable_length_and_no_listed_word() -> None:
    known = {word.lower() for word in (*pools.WORDS, *pools.GERMAN_WORDS)}
    for split in pools.SPLITS:
        assert all(4 <= len(word) <= 9 and word.isalpha() for word in pools.nonce_words(split))
        assert not known & set(pools.nonce_words(split))


def test_gibberish_of_the_splits_is_disjoint_and_plentiful() -> None:
    train, val, certify = (set(pools.nonce_words(split)) for split in pools.SPLITS)
    assert not train & val and not train & certify and not val & certify
    assert len(train) > 5000 and min(len(val), len(certify)) > 300


@pytest.mark.parametrize("split", pools.SPLITS)
@pytest.mark.parametrize("kind", ["words", "nonce", "mixed", "alike"])
def test_a_payload_belongs_to_its_split_whatever_its_case_and_final_mark(split: pools.Split, kind: pools.Kind) -> None:
    rng = Random(1)
    for count in (1, 2, 3, 4):
        for _ in range(20):
            text = pools.payload(rng, split=split, words=count, kind=kind, punctuation=True)
            assert payload_split(text) == split
            assert len(text.split()) == count


def test_the_split_rule_is_bucket_19_for_certification_and_18_for_validation() -> None:
    rng = Random(2)
    buckets = {
        split: {split_bucket(pools.payload(rng, split=split, words=2)) for _ in range(30)} for split in pools.SPLITS
    }
    assert buckets["certify"] == {19}
    assert buckets["val"] == {18}
    assert not buckets["train"] & {18, 19}


def test_a_mixed_payload_of_two_words_holds_a_word_and_gibberish() -> None:
    listed = set(pools.WORDS)
    for seed in range(30):
        text = pools.payload(Random(seed), split="train", words=2, kind="mixed").lower()
        assert len([word for word in text.split() if word in listed]) == 1


def begins_or_ends_alike(text: str) -> bool:
    said = text.lower().split()
    return any(len({word[end] for word in said}) < len(said) for end in (slice(3), slice(-3, None)))


@pytest.mark.parametrize("split", pools.SPLITS)
def test_alike_words_are_gibberish_of_the_split_and_most_payloads_share_a_beginning_or_an_end(
    split: pools.Split,
) -> None:
    made = [pools.payload(Random(seed), split=split, words=4, kind="alike") for seed in range(100)]
    assert {word for text in made for word in text.lower().split()} <= set(pools.nonce_words(split))
    assert sum(len(set(text.lower().split())) == 4 for text in made) >= 98
    assert sum(map(begins_or_ends_alike, made)) >= 90
    drawn = [pools.payload(Random(seed), split=split, words=4, kind="nonce") for seed in range(100)]
    assert sum(map(begins_or_ends_alike, drawn)) <= 60


def test_the_filter_holds_for_alike_words_too() -> None:
    made = pools.alike(Random(6), split="train", words=6, is_safe=lambda word: len(word) <= 6)
    assert len(made) == 6 and max(map(len, made)) <= 6


def test_everyday_words_are_no_words_that_questions_are_asked_about() -> None:
    assert not set(pools.EVERYDAY) & set(pools.WORDS)
    assert len(set(pools.EVERYDAY)) == len(pools.EVERYDAY)


def test_payloads_come_in_all_three_cases_and_with_final_marks() -> None:
    rng = Random(3)
    made = [pools.payload(rng, split="train", words=1, punctuation=True) for _ in range(400)]
    assert any(text.isupper() for text in made)
    assert any(text.islower() for text in made)
    assert any(text[0].isupper() and text[1:2].islower() for text in made)
    assert {text[-1] for text in made if not text[-1].isalpha()} == {".", "!", "?"}


def test_the_filter_holds_for_the_payload_as_it_is_written() -> None:
    rng = Random(4)
    for _ in range(100):
        text = pools.payload(rng, split="train", words=2, kind="nonce", is_safe=lambda word: word == word.lower())
        assert text == text.lower()


def test_a_filter_that_refuses_everything_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(UsageError, match="no gibberish word"):
        pools.nonce(Random(5), split="val", is_safe=lambda word: False)


def test_the_same_seed_gives_the_same_payloads() -> None:
    def draw() -> list[str]:
        rng = Random("seed")
        return [pools.payload(rng, split="train", words=3, kind="mixed") for _ in range(20)]

    assert draw() == draw()


def test_no_answer_is_more_than_four_percent_of_the_facts() -> None:
    assert len(facts.FACTS) >= 150
    (_, most), *_ = Counter(fact.answer for fact in facts.FACTS).most_common(1)
    assert most <= 0.04 * len(facts.FACTS)


def test_facts_have_one_answer_each_of_one_or_two_words() -> None:
    assert len({fact.key for fact in facts.FACTS}) == len(facts.FACTS)
    assert all(1 <= len(fact.answer.split()) <= 2 and fact.subject for fact in facts.FACTS)


def test_a_fact_replies_with_a_capital_and_a_period_unless_case_means_something() -> None:
    by_key = {fact.key: fact.reply for fact in facts.FACTS}
    assert by_key["en:capital:France"] == "Paris."
    assert by_key["en:opposite:hot"] == "Cold."
    assert by_key["en:symbol:water"] == "H2O."
    assert by_key["en:keyword:defines a function"] == "def."


def test_sums_are_all_pairs_to_twenty_and_a_pair_has_one_split() -> None:
    seen, unseen = facts.sums("seen"), facts.sums("unseen")
    assert len(seen) + len(unseen) == 21 * 21
    assert not {item.key for item in seen} & {item.key for item in unseen}
    assert all(item.reply == f"{item.a + item.b}." for item in (*seen, *unseen))


def test_about_a_quarter_of_the_unordered_pairs_is_unseen() -> None:
    pairs = 21 * 22 / 2
    assert 0.18 < len({item.key for item in facts.sums("unseen")}) / pairs < 0.32


def test_no_word_list_entry_is_two_words_after_normalisation() -> None:
    assert all(" " not in normalise(word) for word in (*pools.WORDS, *pools.GERMAN_WORDS))
