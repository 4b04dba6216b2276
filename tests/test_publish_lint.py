"""Lint of cards: each defect of the zoo is found by its own code, its healthy twin passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from modelqa.publish.lint import Facts, lint, metadata_of

ZOO = Path(__file__).parents[1] / "fixtures" / "zoo" / "cards"
HEALTHY = (ZOO / "healthy.md").read_text(encoding="utf-8")
DEFECTS: dict[str, Any] = json.loads((ZOO / "defects.json").read_text(encoding="utf-8"))
LICENCE = (ZOO.parents[2] / "LICENSE").read_text(encoding="utf-8")
FACTS = Facts(1_115_264, LICENCE, ("model.safetensors", "config.json"), "canonical", "org/base")


def test_the_healthy_twin_has_no_problem() -> None:
    assert lint(HEALTHY, FACTS) == []


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_by_its_own_code(name: str) -> None:
    old, new = DEFECTS[name]["replace"]
    assert HEALTHY.count(old) == 1
    text = HEALTHY.replace(old, new.replace("@@", DEFECTS[name].get("fill", "")))
    assert {problem.code for problem in lint(text, FACTS)} == {DEFECTS[name]["code"]}


@pytest.mark.parametrize("file", ["pytorch_model.bin", "sub/optimizer.pt", "model.ckpt", "scaler.pkl"])
def test_a_pickle_in_the_folder_is_named(file: str) -> None:
    (problem,) = lint(HEALTHY, Facts(1_115_264, LICENCE, (file,), "canonical", "org/base"))
    assert (problem.code, problem.locus) == ("card.pickle", file)


def test_a_card_for_an_experimental_repository_says_so_in_metadata_and_first_lines() -> None:
    facts = Facts(role="experimental")
    said = HEALTHY.replace("role: canonical", "role: experimental")
    assert {problem.code for problem in lint(HEALTHY, facts)} == {"card.role"}
    assert {problem.code for problem in lint(said, facts)} == {"card.role"}
    assert lint(said.replace("Canonical release.", "Experimental."), facts) == []


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("124 million parameters", True), ("124M params", True), ("0.124B parameters", True),
        ("0.12 billion parameters", True),
        ("350M parameters", False), ("124 billion parameters", False), ("a 125M-parameter model", False),
        ("123,999,999 trainable parameters", False), ("7 million rows, a few parameters", True),
    ],
)  # fmt: skip
def test_parameter_counts_are_compared_to_the_precision_that_they_print(claim: str, right: bool) -> None:
    problems = lint(HEALTHY.split("A model of")[0] + claim, Facts(parameters=124_000_000))
    assert (problems == []) is right


def test_metadata_are_found_as_the_hub_finds_them() -> None:
    assert metadata_of("---\na: 1\n---\ntext") == {"a": 1}
    assert metadata_of("---\r\na: 1\r\n---\r\n") == {"a": 1}
    for text in ("a: 1\n", "---\n- 1\n---\n", "text\n---\na: 1\n---\n", "---\na: [\n---\n", ""):
        assert metadata_of(text) is None
