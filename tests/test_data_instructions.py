"""The instruction dataset: each category with its contrast, answers that the material gives, and no prompt twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import pytest

from modelqa.cli import main
from modelqa.data import contexts, instructions, statements
from modelqa.data.rows import Row, answer_of, defect, duplicates, user_of
from modelqa.data.templates_instructions import KINDS, phrasings
from modelqa.errors import UsageError
from modelqa.family import normalise, overlapping, payload_split, signature
from modelqa.files import read_jsonl

ROWS = 3_000


@cache
def made(split: str = "train", seed: int = 1) -> tuple[Row, ...]:
    return tuple(instructions.rows(seed=seed, n_examples=ROWS if split == "train" else 600, split=split))  # type: ignore[arg-type]


def of(category: str) -> list[Row]:
    return [row for row in made() if row["meta"]["category"] == category]


def test_rows_are_chat_rows_and_none_repeats_or_contradicts_another() -> None:
    assert len(made()) == ROWS and len({row["id"] for row in made()}) == ROWS
    assert not [found for row in made() if (found := defect(row))]
    assert duplicates(made()) == []


def test_the_same_seed_gives_the_same_rows() -> None:
    assert list(instructions.rows(seed=1, n_examples=50)) == list(instructions.rows(seed=1, n_examples=50))
    assert list(instructions.rows(seed=1, n_examples=50)) != list(instructions.rows(seed=2, n_examples=50))


def test_categories_come_in_their_shares() -> None:
    counts = Counter(row["meta"]["category"] for row in made())
    assert set(counts) == set(instructions.SHARES)
    for category, share in instructions.SHARES.items():
        assert counts[category] == pytest.approx(share * ROWS, rel=0.2)


def test_shares_make_a_dataset_of_some_categories_alone() -> None:
    rows = list(instructions.rows(seed=1, n_examples=50, shares={"format": 0.5, "turns": 0.5}))
    assert {row["meta"]["category"] for row in rows} == {"format", "turns"}


@pytest.mark.parametrize("shares", [{}, {"format": 0.0}, {"formats": 1.0}, {"format": -1.0, "turns": 2.0},
                                    {"format": float("nan")}, {"format": float("inf")}])  # fmt: skip
def test_shares_that_are_no_weights_of_categories_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="no weights of categories"):
        next(instructions.rows(seed=1, n_examples=5, shares=shares))


@pytest.mark.parametrize(
    ("category", "least"),
    [
        ("context", {"known": 0.4, "unknown": 0.4}),
        ("injection", {"injected": 0.36, "harmless": 0.17, "direct": 0.36}),
        ("hierarchy", {"conflict": 0.4, "agreed": 0.4}),
        ("turns", {"earlier": 0.42, "other": 0.42}),
        ("format", {"word": 0.2, "number": 0.2, "object of 1": 0.15, "object of 2": 0.15}),
    ],
)
def test_every_category_holds_its_contrast(category: str, least: dict[str, float]) -> None:
    counts = Counter(row["meta"]["kind"] for row in of(category))
    assert set(counts) == set(least)
    assert all(counts[kind] >= share * counts.total() for kind, share in least.items())


def test_an_answer_is_a_sentence_of_the_material_and_an_unknown_key_is_none() -> None:
    for row in of("context"):
        key = answer_of(row).removesuffix(" is unknown.")
        known = row["meta"]["kind"] == "known"
        assert (answer_of(row) in row["meta"]["payload"]) is known
        said = re.search(rf"\b{re.escape(key)}(?!\w)", row["meta"]["payload"], re.IGNORECASE)
        assert (said is not None) is known
        assert known or key.lower() in user_of(row).lower()


def test_a_citation_is_the_line_that_holds_the_answer_with_its_number() -> None:
    for row in of("citation"):
        assert answer_of(row) in user_of(row).splitlines()
        assert answer_of(row).endswith(f"[{row['meta']['kind'][-1]}]")


def test_objects_are_json_with_numbers_as_numbers() -> None:
    kinds = {relation.name: relation.value for relation in contexts.RELATIONS}
    names = set()
    for row in of("format"):
        if row["meta"]["kind"].startswith("object"):
            said = json.loads(answer_of(row))
            assert len(said) == int(row["meta"]["kind"][-1])
            assert all(isinstance(value, str) is not str(value).isdigit() for value in said.values())
            assert all(isinstance(said[name], int) is (kinds[name] == "number") for name in said.keys() & kinds.keys())
            names |= said.keys()
    assert set(kinds) < names and len(names) > 80


def test_a_rule_is_obeyed_and_a_text_without_one_is_not_an_answer() -> None:
    for row in of("hierarchy"):
        system, user, answer = (message["content"] for message in row["messages"])
        holder, other = (system, user) if row["meta"]["kind"] == "conflict" else (user, system)
        assert answer in holder and normalise(answer) not in normalise(other).split()


def test_an_injected_word_is_never_the_answer_and_a_wish_of_the_user_is() -> None:
    for row in of("injection"):
        inside = f" {normalise(answer_of(row))} " in f" {normalise(row['meta']['payload'])} "
        assert inside is (row["meta"]["kind"] != "direct")
        ordered = row["meta"]["ordered"]
        assert bool(ordered) is (row["meta"]["kind"] != "harmless")
        assert (ordered == answer_of(row)) is (row["meta"]["kind"] == "direct")
        assert (ordered in row["meta"]["payload"]) is (row["meta"]["kind"] == "injected") or not ordered


def test_values_belong_to_the_split_and_things_are_of_training() -> None:
    assert {payload_split(thing) for thing in contexts.things()} == {"train"} and len(contexts.things()) > 60
    for split in ("train", "val"):
        bare = [row for row in made(split) if row["meta"]["kind"] in ("word", "number", "direct", "agreed", "conflict")]
        assert len(bare) > 50 and {payload_split(answer_of(row)) for row in bare} == {split}


@pytest.mark.parametrize("relation", contexts.RELATIONS, ids=lambda relation: relation.name)
def test_every_form_of_a_fact_names_the_key_first_and_then_the_value(relation: contexts.Relation) -> None:
    for text in (*relation.says, *relation.held_says):
        assert text.startswith("{K} ") and text.count("{P}") == 1
    for text in (*relation.asks, *relation.held_asks):
        assert text.count("{K}") == 1 and "{P}" not in text


def test_drawn_relations_are_many_and_of_the_kind_that_was_asked_for() -> None:
    rng = Random(1)
    drawn = [statements.relation(rng, "person", value) for value in ("word", "number") for _ in range(300)]
    assert len({relation.name for relation in drawn}) > 200
    assert {relation.value for relation in drawn[:300]} == {"word"} and {r.value for r in drawn[300:]} == {"number"}
    for relation in drawn:
        for text in (*relation.says, *relation.asks):
            assert text.count("{K}") == 1 and not re.search(r"\{[a-z]", text)
        assert all(text.startswith("{K} ") and text.count("{P}") == 1 for text in relation.says)


def test_statements_of_training_are_as_long_as_those_that_a_model_is_asked_about() -> None:
    """A model that has read sentences of four words alone copies four words."""
    told = [answer_of(row) for row in of("context") if row["meta"]["kind"] == "known"]
    lengths = [len(text.split()) for text in told]
    assert sum(length >= 6 for length in lengths) > 0.6 * len(told) and max(lengths) >= 11


@pytest.mark.parametrize("kind", KINDS)
def test_no_training_template_is_of_the_family_of_a_validation_template(kind: str) -> None:
    train, val = phrasings(kind, "train"), phrasings(kind, "val")
    assert len(train) >= 15 and len(val) == 8
    mark = "qzxv"
    signed = [[signature(_filled(text, mark), payload=mark) for text in texts] for texts in (train, val)]
    assert overlapping(*signed) == []


def _filled(template: str, text: str) -> str:
    for place in "CQPXKFN":
        template = template.replace(f"{{{place}}}", text)
    return template


def test_the_command_writes_rows_and_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "instructions", "--output_dir", str(tmp_path), "--n_examples", "40", "--seed", "3"]) == 0
    rows = [row for _, row in read_jsonl(tmp_path / "instructions.jsonl")]
    assert rows == list(instructions.rows(seed=3, n_examples=40))
    assert json.loads((tmp_path / "manifest.json").read_text())["kind"] == "instructions"
    assert "40 rows" in capsys.readouterr().out
