"""The graders of the data rung: what training teaches is what will be accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from behaviour_suite import ROOT  # puts the suites on the path

from modelqa.files import write_jsonl
from modelqa.gates import Finding, NoEvidence, NotAsked
from modelqa.models import Model, load_registry
from suites.data import test_grader_contract as suite

REGISTRY = load_registry(ROOT / "fixtures" / "models.toml")


def judge(asked: Model) -> None:
    suite.test_grader_contract(asked, lambda _files, make: make())  # nothing is kept here


def model(tmp_path: Path, category: str, answers: list[str], **meta: Any) -> Model:
    path = tmp_path / "train.jsonl"
    rows = [
        {"id": f"r{number}", "meta": {"category": category, **meta},
         "messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}]}
        for number, text in enumerate(answers)
    ]  # fmt: skip
    write_jsonl(path, rows)
    return Model("m", declared=True, stage="sft", train=(path,))


@pytest.mark.parametrize("name", ["phase3a1_alpha", "phase3a2", "reference"])
def test_the_shipped_data_keeps_the_contract(name: str) -> None:
    judge(REGISTRY.models[name])


@pytest.mark.parametrize(
    ("category", "right", "wrong", "meta"),
    [
        ("sum", "12.", "twelve", {}),
        ("yes_no", "No.", "Perhaps.", {}),
        ("anti_echo", "Unknown.", "blicket", {"question": "meaning", "real": False}),
        ("say", "Hello.", "Hello there", {"payload": "Hello"}),
    ],
)
def test_answers_that_their_grader_refuses_are_found(
    tmp_path: Path, category: str, right: str, wrong: str, meta: dict[str, Any]
) -> None:
    judge(model(tmp_path, category, [right] * 19 + [wrong], **meta))
    with pytest.raises(Finding) as found:
        judge(model(tmp_path, category, [right] * 18 + [wrong] * 2, **meta))
    assert [(p.code, p.locus) for p in found.value.problems] == [("data.grader_contract", category)]


def test_without_data_there_is_no_evidence_and_without_known_categories_no_question(tmp_path: Path) -> None:
    with pytest.raises(NoEvidence):
        judge(Model("m", stage="sft"))
    with pytest.raises(NotAsked):
        judge(model(tmp_path, "poems", ["O rose"]))
