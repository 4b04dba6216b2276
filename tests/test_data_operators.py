"""The operator dataset: contrastive, unique, of its split, and of the size and lengths that were asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice

import pytest

from modelqa.data import operators, pools
from modelqa.data.rows import Row, answer_of, chat_row, defect, duplicates, user_of
from modelqa.errors import DataError, UsageError
from modelqa.family import normalise, payload_split


@pytest.fixture(scope="module")
def train() -> list[Row]:
    return list(operators.rows(n=3000, split="train", seed=42, max_tokens=0))


@pytest.fixture(scope="module")
def val() -> list[Row]:
    return list(operators.rows(n=600, split="val", seed=12345, max_tokens=0))


def test_examples_are_counted_and_rounded_up_to_whole_triples() -> None:
    assert [len(list(operators.rows(n=n, split="train", seed=1, max_tokens=0))) for n in (1, 3, 4, 30)] == [3, 3, 6, 30]


def test_every_payload_stands_under_all_three_operators(train: list[Row]) -> None:
    under: dict[str, set[str]] = defaultdict(set)
    for row in train:
        under[row["meta"]["payload"]].add(row["meta"]["operator"])
    assert len(under) == 1000
    assert all(found == {"COPY", "WRAP", "EXTRACT"} for found in under.values())


def test_payloads_are_unique_after_normalisation(train: list[Row]) -> None:
    assert len({normalise(row["meta"]["payload"]) for row in train}) == 1000


def test_payloads_belong_to_the_split(train: list[Row], val: list[Row]) -> None:
    assert {payload_split(row["meta"]["payload"]) for row in train} == {"train"}
    assert {payload_split(row["meta"]["payload"]) for row in val} == {"val"}


def test_train_and_val_share_no_payload_and_no_family(train: list[Row], val: list[Row]) -> None:
    operators.require_disjoint(train, val)
    assert not {normalise(row["meta"]["payload"]) for row in train} & {normalise(row["meta"]["payload"]) for row in val}


def test_a_shared_payload_in_another_case_is_refused(train: list[Row], val: list[Row]) -> None:
    stolen = {**val[0], "meta": {**val[0]["meta"], "payload": train[0]["meta"]["payload"].upper()}}
    with pytest.raises(DataError, match="1 payloads"):
        operators.require_disjoint(train, [stolen])


def test_a_shared_template_is_refused(train: list[Row]) -> None:
    same = user_of(train[0]).replace(train[0]["meta"]["payload"], "quite another")
    row = chat_row("x", same, "quite another", system="", meta={"payload": "quite another"})
    with pytest.raises(DataError, match="template families"):
        operators.require_disjoint(train, [row])


def test_answers_follow_from_the_operator(train: list[Row]) -> None:
    for row in train:
        payload, answer = row["meta"]["payload"], answer_of(row)
        if row["meta"]["operator"] == "WRAP":
            assert answer[1:-1] == payload and answer[0] + answer[-1] in ("[]", "()", "<>", "{}")
        else:
            assert answer == payload


def test_the_payload_stands_in_every_prompt(train: list[Row], val: list[Row]) -> None:
    assert all(row["meta"]["payload"] in user_of(row) for row in (*train, *val))


def test_most_extract_prompts_carry_the_payload_inside_a_sentence(train: list[Row]) -> None:
    rows = [row for row in train if row["meta"]["operator"] == "EXTRACT"]
    extra = [len(user_of(row).split()) - len(row["meta"]["payload"].split()) for row in rows]
    assert sum(words >= 6 for words in extra) >= 0.8 * len(rows)


def test_word_counts_follow_the_distribution_as_nearly_as_whole_payloads_allow(train: list[Row]) -> None:
    counted = Counter(row["meta"]["words"] for row in train if row["meta"]["operator"] == "COPY")
    assert counted == {1: 350, 2: 300, 3: 200, 4: 150}


def test_a_shorter_limit_of_words_rescales_the_distribution() -> None:
    rows = operators.rows(n=390, split="train", seed=1, max_words=2, max_tokens=0)
    counted = Counter(row["meta"]["words"] for row in rows if row["meta"]["operator"] == "COPY")
    assert counted == {1: 70, 2: 60}


@pytest.mark.parametrize("split", ["train", "val"])
def test_german_is_in_both_splits_unless_left_out(split: operators.Split) -> None:
    spoken = Counter(row["meta"]["language"] for row in operators.rows(n=300, split=split, seed=3, max_tokens=0))
    assert spoken["de"] > 9 and spoken["en"] > 200
    without = operators.rows(n=300, split=split, seed=3, max_tokens=0, german=False)
    assert {row["meta"]["language"] for row in without} == {"en"}


def test_the_token_limit_is_the_tokenizers(train: list[Row]) -> None:
    rows = list(operators.rows(n=150, split="train", seed=5, max_tokens=24, count_tokens=len))
    assert max(len(row["meta"]["payload"]) for row in rows) <= 24


def test_a_token_limit_without_a_tokenizer_is_an_error_not_an_estimate() -> None:
    with pytest.raises(UsageError, match="no tokenizer"):
        next(operators.rows(n=3, split="train", seed=1))


def test_a_used_up_pool_is_an_error_not_a_repeated_payload() -> None:
    with pytest.raises(UsageError, match="no new one"):
        list(operators.rows(n=300, split="val", seed=1, max_tokens=4, count_tokens=len, max_words=1))


@pytest.mark.parametrize("dist", [(0.0, 0.0), (-1.0, 2.0), ()])
def test_an_empty_distribution_is_an_error(dist: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="word_dist"):
        list(operators.rows(n=3, split="train", seed=1, word_dist=dist, max_tokens=0))


def test_rows_are_chat_rows_without_duplicates(train: list[Row]) -> None:
    assert [found for row in train if (found := defect(row))] == []
    assert duplicates(train) == []
    assert len({row["id"] for row in train}) == len(train)


def test_the_same_seed_gives_the_same_rows_and_another_one_others() -> None:
    def first(seed: int) -> list[Row]:
        return list(islice(operators.rows(n=300, split="train", seed=seed, max_tokens=0), 60))

    assert first(7) == first(7)
    assert first(7) != first(8)


def test_no_template_brace_is_left_in_a_prompt(train: list[Row]) -> None:
    assert not [row for row in train if any(mark in user_of(row) for mark in ("{P}", "{C}", "{M}", "{{"))]


def test_the_system_text_is_the_first_message_and_empty_means_none() -> None:
    spoken = next(operators.rows(n=3, split="train", seed=1, max_tokens=0, system="Be kind."))
    silent = next(operators.rows(n=3, split="train", seed=1, max_tokens=0, system=""))
    assert spoken["messages"][0] == {"role": "system", "content": "Be kind."}
    assert [message["role"] for message in silent["messages"]] == ["user", "assistant"]


def test_payloads_are_made_of_the_kinds_and_lengths_asked_for() -> None:
    rows = operators.rows(
        n=90, split="train", seed=2, max_tokens=0, max_words=6, word_dist=[0, 0, 0, 0, 0.5, 0.5], kinds=["alike"],
        german=False,
    )
    payloads = {row["meta"]["payload"] for row in rows}
    assert {len(text.split()) for text in payloads} == {5, 6}
    assert {word for text in payloads for word in text.lower().split()} <= set(pools.nonce_words("train"))


def test_the_share_of_payloads_asked_for_says_one_word_twice() -> None:
    def twice(share: float) -> float:
        rows = operators.rows(n=1800, split="train", seed=3, max_tokens=0, word_dist=[0, 0, 1, 0], repeat_share=share)
        said = [row["meta"]["payload"].lower().split() for row in rows]
        return sum(len(set(words)) < len(words) for words in said) / len(said)

    assert twice(0.0) < 0.05 and 0.3 < twice(0.4) < 0.5 and twice(1.0) == 1.0
