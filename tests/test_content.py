"""Tests of losses on validation rows: weights that are not those of the log are found, also where nothing is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from modelqa.content import EVEN, LOST, logged_problems, mirage_problems

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"


def losses(whole: float | None, content: float | None = None) -> dict[str, dict[str, Any]]:
    return {"all": {"nats": whole, "tokens": 9}, "content": {"nats": content, "tokens": 5},
            "structure": {"nats": 0.0, "tokens": 4}}  # fmt: skip


def test_a_loss_a_little_above_the_log_is_the_other_rows_and_more_is_other_weights() -> None:
    assert logged_problems(losses(0.1 + LOST), logged=0.1) == []
    assert logged_problems(losses(0.05), logged=0.1) == []
    assert logged_problems(losses(None), logged=0.1) == []
    (found,) = logged_problems(losses(0.4), logged=0.08)
    assert found.code == "parity.logged_loss" and "0.080" in found.text and "0.400" in found.text


def test_a_loss_that_is_low_on_form_alone_is_a_mirage() -> None:
    (found,) = mirage_problems(losses(EVEN - 0.1, EVEN + 0.1))
    assert (found.code, found.locus) == ("training.mirage", "content")
    assert mirage_problems(losses(EVEN - 0.2, EVEN - 0.1)) == []
    assert mirage_problems(losses(EVEN + 0.1, EVEN + 0.3)) == [], "the loss is low nowhere: nobody is misled"


def shuffled(tensors: dict[str, torch.Tensor]) -> None:
    """A third of the embedding rows change places: what most replies are made of may stay."""
    rows = torch.arange(300, 1000)
    table = tensors["model.embed_tokens.weight"]
    table[rows] = table[rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))]]


def random(tensors: dict[str, torch.Tensor]) -> None:
    for number, tensor in enumerate(tensors.values()):
        noise = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(number))
        tensor.copy_((0.03 * noise).to(tensor.dtype))


@pytest.mark.parametrize(
    ("name", "stage", "damage", "status"),
    [
        ("base", "base", None, "PASS"),
        ("base", "base", random, "FAIL"),
        ("phase3a1_alpha", "sft", None, "PASS"),
        ("phase3a1_alpha", "sft", shuffled, "FAIL"),
        ("phase3a1_alpha", "preference", shuffled, "FAIL"),  # its log holds no reward
    ],
)
def test_weights_are_held_to_the_loss_that_their_log_ends_with(
    tmp_path: Path, name: str, stage: str, damage: Callable[[dict[str, torch.Tensor]], None] | None, status: str
) -> None:
    folder = Path(shutil.copytree(FIXTURES / "checkpoints" / name, tmp_path / "copy"))
    if damage:
        tensors = safetensors.torch.load_file(folder / "model.safetensors")
        damage(tensors)
        safetensors.torch.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(FIXTURES / "data" / name / "val.jsonl.zst", tmp_path)
    (tmp_path / "models.toml").write_text(
        f'[models.m]\npath = "copy"\nstage = "{stage}"\nphase = "{name}"\nval = ["val.jsonl.zst"]\n'
        'trainer_log = "copy/trainer_state.json"\n'
    )
    command = [sys.executable, "-m", "pytest", "suites/parity", "-k", "logged_loss", "--model", "m", "-p",
               "no:cacheprovider", "--modelqa-models", str(tmp_path / "models.toml"), "--modelqa-dir",
               str(tmp_path / "home")]  # fmt: skip
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    (path,) = (tmp_path / "home" / "runs").rglob("run.json")
    (found,) = (gate for gate in json.loads(path.read_text())["gates"] if gate["gate"] == "logged_loss")
    assert found["verdict"]["status"] == status, said.stdout
    assert (found["measured"]["nats"] > found["measured"]["logged"] + LOST) is (status == "FAIL")
