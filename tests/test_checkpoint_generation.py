"""Tests of the settings that a checkpoint ships for generate(): what cripples it is named, what is usual passes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from modelqa.checkpoint import generation_problems, open_checkpoint

SHIPPED = Path(__file__).parents[1] / "fixtures" / "checkpoints" / "phase3a2"


def problems(tmp_path: Path, **settings: Any) -> list[str]:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "copy", dirs_exist_ok=True))
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads((SHIPPED / path.name).read_text()), **settings}))
    return [problem.locus for problem in generation_problems(open_checkpoint(folder))]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"max_new_tokens": 1}, ["max_new_tokens"]),
        ({"repetition_penalty": 5.0}, ["repetition_penalty"]),
        ({"no_repeat_ngram_size": 2}, ["no_repeat_ngram_size"]),
        ({"suppress_tokens": [7]}, ["suppress_tokens"]),
        ({"forced_eos_token_id": 3, "min_length": 9}, ["forced_eos_token_id", "min_length"]),
        ({"do_sample": True, "temperature": 5.0}, ["temperature"]),
        ({"do_sample": True, "temperature": 0.0}, ["temperature"]),
    ],
)
def test_a_setting_that_cripples_replies_is_named(tmp_path: Path, settings: dict[str, Any], named: list[str]) -> None:
    assert problems(tmp_path, **settings) == named


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05},
        {"max_new_tokens": 2048, "no_repeat_ngram_size": 0, "suppress_tokens": None, "min_length": 0},
        {"do_sample": False, "temperature": 5.0},  # read by nobody who does not sample
    ],
)
def test_what_published_models_advise_passes(tmp_path: Path, settings: dict[str, Any]) -> None:
    assert problems(tmp_path, **settings) == []
