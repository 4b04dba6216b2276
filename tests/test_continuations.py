"""Rows that ask for the rest of a base document: whole documents, cut once, none of them certified."""

from __future__ import annotations

import pytest

from modelqa.data.grammar import Split
from modelqa.data.rows import answer_of, defect, duplicates, user_of
from modelqa.data.templates_instructions import phrasings
from modelqa.training import continuations


@pytest.mark.parametrize("split", ["train", "val"])
def test_rows_are_chat_rows_in_the_phrasings_of_their_split(split: Split) -> None:
    rows = list(continuations.rows(seed=1, n_examples=200, split=split))
    assert len(rows) == len({row["id"] for row in rows}) == 200
    assert not [found for row in rows if (found := defect(row))] and duplicates(rows) == []
    assert {row["meta"]["template"] for row in rows} <= set(phrasings("go_on", split))


def test_a_document_is_given_in_its_smaller_part_and_the_rest_is_the_answer() -> None:
    for row in continuations.rows(seed=1, n_examples=200):
        before, after = row["meta"]["template"].split("{C}")
        start = user_of(row).removeprefix(before).removesuffix(after)
        assert start and answer_of(row) and len(start.split()) <= len(answer_of(row).split()) + 1


def test_the_same_seed_gives_the_same_rows() -> None:
    assert list(continuations.rows(seed=3, n_examples=5)) == list(continuations.rows(seed=3, n_examples=5))
    assert list(continuations.rows(seed=3, n_examples=5)) != list(continuations.rows(seed=4, n_examples=5))
