"""The shipped checkpoints: what they are made of, and what the gates say of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelqa.checkpoint import open_checkpoint
from modelqa.files import sha256_file
from modelqa.models import Model, load_registry

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
REGISTRY = load_registry(FIXTURES / "models.toml")
DRAWS = (904795, 110592, 685618, 158512, 32924, 994735, 947741, 370758, 545458, 989114)  # at random, after the training
CHAIN = ["base", "phase3a1_alpha", "phase3a1_beta", "phase3a1_gamma", "phase3a2", "phase3b", "phase3a_operator"]


def gate(model: str, home: Path, *args: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, record, output) of the whole suite."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites/",
        "--model",
        model,
        "--modelqa-dir",
        str(home),
        "-p",
        "no:cacheprovider",
        *args,
    ]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True)
    record = json.loads(next((home / "runs").rglob("run.json")).read_text())
    return done.returncode, record, done.stdout


@pytest.mark.parametrize("name", sorted(REGISTRY.models))
def test_a_checkpoint_carries_the_hashes_of_what_it_was_made_from(name: str) -> None:
    model: Model = REGISTRY.models[name]
    assert model.path is not None
    recipe = json.loads((model.path / "recipe.json").read_text())
    assert recipe["data"], "no data manifest is named"
    for manifest, sha in recipe["data"].items():
        assert sha256_file(FIXTURES / manifest) == sha
    if recipe["parent"]:
        parent = FIXTURES / "checkpoints" / recipe["parent"]["name"] / "model.safetensors"
        assert sha256_file(parent) == recipe["parent"]["weights_sha256"]


@pytest.mark.parametrize("name", sorted(REGISTRY.models))
def test_each_data_file_is_the_one_of_its_manifest(name: str) -> None:
    model = REGISTRY.models[name]
    assert model.manifest is not None
    files = json.loads(model.manifest.read_text())["files"]
    for path in (*model.train, *model.val):
        assert files[path.name] == sha256_file(path)


@pytest.mark.parametrize("name", sorted(REGISTRY.models))
def test_weights_are_small_bf16_and_readable_by_others(name: str) -> None:
    path = REGISTRY.models[name].path
    assert path is not None
    weights = path / "model.safetensors"
    assert weights.stat().st_size < 4_000_000
    assert weights.stat().st_mode & 0o044 == 0o044
    assert {tensor.dtype for tensor in open_checkpoint(path).tensors.values()} == {"BF16"}


def test_phase3a2_passes_every_gate(tmp_path: Path) -> None:
    code, record, output = gate("phase3a2", tmp_path)
    assert code == 0, output
    unasked = ("not_asked", "informational", "later_phase")
    asked = [result for result in record["gates"] if result["verdict"]["code"] not in unasked]
    assert len(asked) >= 30
    assert {result["verdict"]["status"] for result in asked} == {"PASS"}


def test_a_base_of_whom_nothing_is_asked_yet_is_held_to_the_cases_of_later_phases(tmp_path: Path) -> None:
    code, record, output = gate("base", tmp_path)
    assert code == 0, output
    compared = {result["gate"]: result["verdict"]["status"] for result in record["gates"]}
    assert compared["data[train_cases.prompt]"] == "PASS"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CHAIN if name not in ("base", "phase3a2")])
def test_each_checkpoint_of_the_chain_passes_its_phase_s_row(tmp_path: Path, name: str) -> None:
    code, _, output = gate(name, tmp_path)
    assert code == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("renamed", [False, True])
def test_the_plainly_concatenated_sibling_fails_for_format_and_stop_token(
    tmp_path: Path, renamed: bool
) -> None:
    name = "plain_concat"
    if renamed:  # and models.toml says nothing of it
        name = str(shutil.copytree(FIXTURES / "checkpoints" / "plain_concat", tmp_path / "a-fine-model"))
        for extra in ("recipe.json", "capture.safetensors", "trainer_state.json"):
            (Path(name) / extra).unlink()
    code, record, output = gate(name, tmp_path / "home")
    assert code == 1, output
    failed = [result["gate"] for result in record["gates"] if result["verdict"]["status"] == "FAIL"]
    assert "template" in failed and "stop_token" in failed
    assert all(result["rung"] == "parity" for result in record["gates"] if result["gate"] in failed)
    first = output.split("look at these first, in this order:")[1].splitlines()[1:4]
    assert any("parity" in line for line in first[:1]) and any("stop" in line for line in first)
    behaviour = {result["verdict"]["code"] for result in record["gates"] if result["rung"] == "behaviour"}
    assert behaviour <= {"lower_rung", "informational", "not_asked", "later_phase"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", DRAWS)
def test_phase3a2_passes_on_other_draws_of_the_cases(tmp_path: Path, seed: int) -> None:
    code, _, output = gate("phase3a2", tmp_path, "--modelqa-case-seed", str(seed))
    assert code == 0, output
