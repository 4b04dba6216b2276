"""A card's source: front matter and prose, each mistake one clear error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from modelqa.publish.licences import known, licence_of
from modelqa.publish.numbers import literals
from modelqa.publish.settings import read_settings

from modelqa.errors import UsageError

ROOT = Path(__file__).parents[1]
GOOD = """---
license: apache-2.0
language: [en]
base_model: org/base
base_model_relation: finetune
---
## What it is

A model of {{ scale.parameters | count }} parameters, like phase3a2.
"""


def test_the_shipped_card_is_read() -> None:
    settings = read_settings(ROOT / "cards" / "phase3a2.md")
    assert settings.license == "apache-2.0" and set(settings.prose) >= {"What it is", "Limitations"}


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        ("apache-2.0", "apache2", "the licence 'apache2'"),
        ("license: apache-2.0\n", "", "names no licence"),
        ("apache-2.0", "other", "'other' without its name and file"),
        ("base_model_relation: finetune\n", "", "one of base_model and base_model_relation"),
        ("finetune", "finetuned", "base_model_relation 'finetuned'"),
        ("language: [en]", "language: [no]", "language that is no line of text"),
        ("language: [en]", "langauge: [en]", "unknown key 'langauge'"),
        ("language: [en]", "language: [en]\nlanguage: [de]", "'language' stands twice"),
        ("language: [en]", "language: [en", "no YAML"),
        ("language: [en]", "transcripts: many", "transcripts: 'many'"),
        ("language: [en]", "runs: [{steps: 5}]", "runs that are no list of runs"),
        ("language: [en]", "runs: [{run: a, step: 5}]", "unknown key of a run 'step'"),
        ("## What it is", "## About", "unknown section 'About'"),
        ("A model of", "It beats 7 models. A model of", "states the number 7"),
        ("A model of", "[More Information Needed] A model of", "'More Information Needed'"),
        ("## What it is\n", "words\n## What it is\n", "text before its first section"),
        ("---\nlicense", "license", "no front matter"),
    ],
)
def test_a_mistake_is_named_with_reason_and_remedy(tmp_path: Path, old: str, new: str, fact: str) -> None:
    path = tmp_path / "tiny.md"
    path.write_text(GOOD)
    read_settings(path)
    assert GOOD.count(old) >= 1
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError, match=re.escape(fact)) as refused:
        read_settings(path)
    assert refused.value.reason and refused.value.remedy


def test_a_missing_card_says_which_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tiny\.md is missing"):
        read_settings(tmp_path / "tiny.md")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it has 36 layers", ["36"]), ("1,500 rows, 36.9%", ["1,500", "36.9%"]), ("-3.36 points", ["3.36"]),
        ("phase3a2, apache-2.0, v0.5, sha256, F1", []), ("(57)", ["57"]), ("&#46;", []), ("in 2026", ["2026"]),
    ],
)  # fmt: skip
def test_a_number_is_told_from_a_name(text: str, found: list[str]) -> None:
    assert literals(text) == found


def test_licences_are_those_of_the_hub() -> None:
    assert {"apache-2.0", "mit", "other", "llama3.1", "gemma", "cc-by-nc-4.0", "openmdw-1.0"} <= known()
    assert "apache2" not in known() and len(known()) > 75
    assert licence_of((ROOT / "LICENSE").read_text(encoding="utf-8")) == "apache-2.0"
    assert licence_of("All rights reserved.") == ""
