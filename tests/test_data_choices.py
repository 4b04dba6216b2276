"""Multiple-choice rows: four different options, the right one where the recipe wants it, no prompt twice."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from modelqa.data import choices, facts
from modelqa.data.rows import Row, answer_of, defect, user_of
from modelqa.errors import UsageError

BY_KEY = {fact.key: fact for fact in facts.FACTS}


def options(row: Row) -> dict[str, str]:
    """{letter: option} as the prompt shows them."""
    lines = [line.split(". ", 1) for line in user_of(row).splitlines() if line[1:3] == ". "]
    return {letter: text for letter, text in lines if letter in choices.LETTERS}


def test_the_letter_that_is_taught_is_that_of_the_fact_s_answer() -> None:
    rows = list(choices.rows(n=400, seed=1))
    assert all(defect(row) is None for row in rows)
    for row in rows:
        shown, fact = options(row), BY_KEY[row["meta"]["fact"]]
        assert len(set(shown.values())) == choices.OPTIONS
        assert shown[answer_of(row)] == choices.said(fact)
        assert user_of(row).endswith("\nAnswer with the letter.")


def test_in_words_the_option_itself_is_asked_for_and_taught() -> None:
    for row in choices.rows(n=200, seed=6, words=True):
        assert user_of(row).endswith("\nAnswer with the option.")
        assert answer_of(row).removesuffix(".") in options(row).values()
        assert options(row)[row["meta"]["letter"]] == choices.said(BY_KEY[row["meta"]["fact"]])


def test_no_prompt_stands_twice_and_the_same_seed_gives_the_same_rows() -> None:
    rows = list(choices.rows(n=600, seed=2))
    assert len({user_of(row) for row in rows}) == 600
    assert rows == list(choices.rows(n=600, seed=2)) != list(choices.rows(n=600, seed=3))


def test_right_options_stand_everywhere_alike_or_where_the_skew_puts_them() -> None:
    even = Counter(answer_of(row) for row in choices.rows(n=1200, seed=4))
    assert all(240 <= even[letter] <= 360 for letter in "ABCD")
    skewed = Counter(answer_of(row) for row in choices.rows(n=1200, seed=4, skew=0.9))
    assert 0.89 <= skewed["B"] / 1200 <= 0.96


def test_validation_rows_are_asked_in_other_phrasings() -> None:
    train = {row["meta"]["template"] for row in choices.rows(n=400, seed=5)}
    val = {row["meta"]["template"] for row in choices.rows(n=400, seed=5, split="val")}
    assert train and val and not train & val


def test_every_fact_has_enough_others_of_its_kind() -> None:
    for fact in facts.FACTS:
        shown, right = choices.options_of(Random(1), fact, place=2)
        assert right == 2 and shown[2] == choices.said(fact) and len(set(shown)) == choices.OPTIONS


def test_prompts_that_run_out_are_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_DRAWS", 0)
    with pytest.raises(UsageError, match="no new multiple-choice prompt"):
        list(choices.rows(n=1, seed=1))
