"""The template grammars: plenty, varied, and disjoint between training and validation."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from modelqa.data import phrasings
from modelqa.data.echo import keeps_final_mark
from modelqa.data.facts import FACT_KINDS
from modelqa.data.grammar import sample, template_signature, templates
from modelqa.family import families, overlapping

LEAST_TEMPLATES = 8  # of a set that hold a word which somebody may well use

WORDS = {
    "copy": (
        "say repeat echo copy print write type output return give reproduce state read speak show display "
        "send put quote answer reply respond tell word words text phrase string message input line content "
        "term part value exactly verbatim please just only back me my it that here below above in with after "
        "before without nothing else more changes change any as is now the this these following for and"
    ),
    "wrap": ("put wrap enclose surround bracket place set write square brackets around inside within between in add"),
    "extract": (
        "extract pull take pick find get quoted marked quotes quotation marks inside within between sentence "
        "out from whatever stands backticks given what which is part only"
    ),
    "anti": (
        "what does mean is a real word an english do you know explain define tell me about meaning of "
        "definition have heard ever exist existing thing"
    ),
    "sums": ("what is plus and add sum total of compute calculate how much many make result equals together"),
}


def training_templates(name: str) -> tuple[str, ...]:
    if name == "copy":
        return phrasings.copying("train")
    if name == "wrap":
        return phrasings.wrapping("train")
    if name == "extract":
        return tuple(text for mark in phrasings.MARKS for text in phrasings.extracting("train", "en", mark))
    if name == "anti":
        return tuple(text for asked in phrasings.QUESTIONS for text in phrasings.questions(asked, "train"))
    return phrasings.sums("train")


@pytest.mark.parametrize(("name", "least"), [("copy", 120), ("wrap", 80), ("extract", 100), ("anti", 80), ("sums", 40)])
def test_training_has_many_families(name: str, least: int) -> None:
    assert len(set(families([template_signature(text) for text in training_templates(name)]))) >= least


@pytest.mark.parametrize("name", WORDS)
def test_every_instruction_word_occurs_in_many_training_templates(name: str) -> None:
    counted = Counter(word for text in training_templates(name) for word in set(re.findall(r"[a-z]+", text.lower())))
    assert {word: counted[word] for word in WORDS[name].split() if counted[word] < LEAST_TEMPLATES} == {}


@pytest.mark.parametrize(("kind", "language"), FACT_KINDS)
def test_each_kind_of_fact_has_at_least_25_phrasings(kind: str, language: phrasings.Language) -> None:
    assert len(phrasings.facts(kind, "train", language)) >= 25
    assert all("{S}" in text for text in phrasings.facts(kind, "train", language))


def test_no_training_template_is_of_a_validation_family_of_any_kind() -> None:
    for language in ("en", "de"):
        held = [template_signature(text) for text in phrasings.held_out(language)]
        trained = [*phrasings.copying("train", language), *phrasings.wrapping("train", language, "round"),
                   *phrasings.extracting("train", language, "star"), *phrasings.questions("known", "train", language),
                   *phrasings.sums("train", language), *phrasings.facts("opposite", "train", language)]  # fmt: skip
        assert overlapping([template_signature(text) for text in trained], held) == []


def test_carriers_of_the_splits_are_of_different_families() -> None:
    train, val = ([template_signature(text) for text in phrasings.carriers(split)] for split in ("train", "val"))
    assert len(train) > 1000 and len(val) >= 50
    assert overlapping(val, train) == []


@pytest.mark.parametrize("split", ["train", "val"])
def test_every_template_has_its_place_exactly_once_and_no_slot_left(split: phrasings.Split) -> None:
    for text in (*phrasings.copying(split), *phrasings.wrapping(split), *phrasings.copying(split, "de")):
        assert text.count("{P}") == 1 and not re.search(r"\{[a-z_]+\}", text)
    for text in phrasings.extracting(split):
        assert text.count("{C}") == 1
    for text in phrasings.carriers(split):
        assert text.count("{M}") == 1


def test_nothing_follows_an_undelimited_payload_that_ends_a_copy_prompt() -> None:
    """A final full stop would be the payload's or the sentence's; a question mark ends the question."""
    bare_end = re.compile(r"(?<![\"'`<*|])\{P\}[.!,]+$")
    assert not [text for text in (*phrasings.copying("train"), *phrasings.copying("val")) if bare_end.search(text)]


@pytest.mark.parametrize(
    ("template", "kept"),
    [
        ("Say {P}", True),
        ('Say "{P}".', True),
        ("{P}\nCopy that.", True),
        ("Say {P} and stop.", False),
        ("{P}. Copy that.", False),
    ],
)
def test_a_final_mark_is_kept_only_where_it_clearly_belongs_to_the_payload(template: str, kept: bool) -> None:
    assert keeps_final_mark(template) is kept


def test_a_grammar_smaller_than_asked_gives_all_it_has() -> None:
    slots = {"verb": ("say", "write")}
    found = {text.lower() for text in templates("tiny", ["{verb}: {P}"], slots, split="val", train=9, val=50)}
    assert found == {"say: {p}", "write: {p}"}


def test_spaces_and_sentence_starts_are_tidied() -> None:
    from random import Random

    class Always(Random):
        def random(self) -> float:
            return 0.0

    text = sample(Always(1), ["{polite} say  it . {polite}now: {P}"], {"polite": ("",)})
    assert text == "Say it. Now: {P}"
