"""The development questions about a material: phrasings that training lacks, both halves of every contrast, and a judge
that a constant does not please.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from modelqa.data.contexts import RELATIONS
from modelqa.data.templates_instructions import KINDS as KINDS_OF_TEMPLATES
from modelqa.data.templates_instructions import phrasings
from modelqa.family import PAYLOAD, overlapping, payload_split, signature
from modelqa.reply import Reply
from modelqa.training.reading import KINDS, PHRASINGS, Question, questions

ROOT = Path(__file__).parents[1]
ROWS = 12
MARK = "qzxv"  # stands for a payload while families are compared


@cache
def asked() -> tuple[Question, ...]:
    return tuple(questions(tomllib.loads((ROOT / PHRASINGS).read_text(encoding="utf-8")), seed=3, rows=ROWS))


def said(text: str) -> Reply:
    return Reply((), text, text, True)


def test_every_kind_is_asked_and_nothing_is_left_to_fill_in() -> None:
    counts = Counter((question.behaviour, question.kind) for question in asked())
    assert counts == {(behaviour, kind): ROWS for behaviour, kinds in KINDS.items() for kind in kinds}
    for question in asked():
        text = " ".join(message["content"] for message in question.talk)
        assert not {f"{{{name}}}" for name in "KPXCQFN" if f"{{{name}}}" in text}


@pytest.mark.parametrize("constant", ["", "Unknown.", "Okay.", "{}", "[1]", "The lamp is unknown."])
def test_no_constant_is_right_in_both_halves_of_a_contrast(constant: str) -> None:
    right = Counter((q.behaviour, q.kind) for q in asked() if q.right(said(constant)))
    for behaviour, kinds in KINDS.items():
        assert sum(right[behaviour, kind] for kind in kinds) <= ROWS * len(kinds) / 2


def test_the_sentence_of_the_material_is_a_right_answer() -> None:
    for question in asked():
        if question.behaviour == "citation":
            lines = [line for line in question.talk[-1]["content"].splitlines() if line.endswith("]")]
            assert sum(question.right(said(line)) for line in lines) == 1


# kind of training template -> (table, list) of the development phrasings that ask for the same
SAME_TASK = {
    "frame": ("frames", "reading"), "cited": ("frames", "citing"), "material": ("frames", "material"),
    "word": ("frames", "one_word"), "number": ("frames", "one_number"), "object": ("frames", "as_json"),
    "order": ("orders", "inside"), "direct": ("orders", "own"), "rule": ("orders", "rules"),
    "neutral": ("orders", "neutral"), "override": ("orders", "wishes"), "note": ("turns", "told"),
    "recall": ("turns", "recall"),
}  # fmt: skip


def test_every_kind_of_template_but_the_continuation_of_a_text_has_development_phrasings() -> None:
    assert set(SAME_TASK) == set(KINDS_OF_TEMPLATES) - {"go_on"}


@pytest.mark.parametrize("kind", SAME_TASK)
def test_no_training_template_is_of_the_family_of_a_development_phrasing(kind: str) -> None:
    table, name = SAME_TASK[kind]
    held = tomllib.loads((ROOT / PHRASINGS).read_text(encoding="utf-8"))[table][name]
    both = (phrasings(kind, "train"), held)
    train, dev = ([signature(_filled(text), payload=MARK) for text in texts] for texts in both)
    assert overlapping(train, [text for text in dev if set(text.split()) != {PAYLOAD}]) == []  # tags are not words


def _filled(template: str) -> str:
    return re.sub(r"\{[A-Z]\}", MARK, template)


def test_statements_and_questions_of_the_development_set_are_not_those_of_training() -> None:
    table = tomllib.loads((ROOT / PHRASINGS).read_text(encoding="utf-8"))["facts"]
    assert set(table) == {relation.name for relation in RELATIONS}
    for relation in RELATIONS:
        assert not set(table[relation.name]["says"]) & {*relation.says, *relation.held_says}
        assert all(text.startswith("{K} ") and text.count("{P}") == 1 for text in table[relation.name]["says"])
        assert not {text.lower() for text in table[relation.name]["asks"]} & {*relation.asks, *relation.held_asks}


def test_values_are_of_the_validation_split() -> None:
    rules = tomllib.loads((ROOT / PHRASINGS).read_text(encoding="utf-8"))["orders"]["rules"]
    shapes = [re.compile(re.escape(rule).replace(r"\{P\}", r"(\w+)") + "$") for rule in rules]
    systems = [question.talk[0]["content"] for question in asked() if question.kind == "conflict"]
    values = [found[1] for text in systems for shape in shapes if (found := shape.match(text))]
    assert len(values) >= ROWS and {payload_split(value) for value in values} == {"val"}
