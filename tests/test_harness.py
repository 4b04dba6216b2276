"""A broken harness is recognised from the replies and blamed for itself; the model is not judged.

The faults are injected below the engine (tests/faults), on the shipped models; nothing tells the suite about them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelqa.files import sha256_file
from modelqa.models import load_registry

ROOT = Path(__file__).parents[1]


def judged(home: Path, *args: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, {gate: verdict}, output) of the harness and parity suites on phase3a2."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites/harness",
        "suites/parity",
        "--model",
        "phase3a2",
        "--modelqa-dir",
        str(home),
        "-p",
        "no:cacheprovider",
        *args,
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    record = json.loads(next((home / "runs").rglob("run.json")).read_text())
    return done.returncode, {gate["gate"]: gate["verdict"] for gate in record["gates"]}, done.stdout


def test_the_healthy_path_passes(tmp_path: Path) -> None:
    code, verdicts, output = judged(tmp_path)
    assert code == 0, output
    assert {verdicts[gate]["status"] for gate in ("reference_ids", "reference_floor", "random_twin", "told_apart")} == {
        "PASS"
    }


@pytest.mark.parametrize("fault", ["raw_prompts", "right_padding", "double_bos", "wrong_stop"])
def test_a_fault_below_the_engine_is_the_harness_s_fault(tmp_path: Path, fault: str) -> None:
    code, verdicts, output = judged(tmp_path, "-p", f"faults.{fault}")
    assert code == 6, output
    assert verdicts["reference_ids"]["status"] == "INCONCLUSIVE"
    assert verdicts["reference_ids"]["code"] == "reference_ids.below"
    assert "FAIL" not in {verdict["status"] for verdict in verdicts.values()}
    for gate in ("template", "stop_token", "rendering"):
        assert verdicts[gate]["code"] == "lower_rung", gate
    assert "1. reference_ids.below  the harness is at fault, not the model" in output


REGISTRY = load_registry(ROOT / "fixtures" / "models.toml")
REFERENCES = {model.reference for model in REGISTRY.models.values()} | set(REGISTRY.controls.values())


@pytest.mark.parametrize("name", sorted(REFERENCES - {""}))
def test_a_reference_has_control_replies_of_its_own_weights(name: str) -> None:
    """Those of other weights would make every run of its candidates the harness's fault: make fixtures."""
    folder = REGISTRY.models[name].path
    assert folder is not None
    held = json.loads((folder / "control_replies.json").read_text())
    assert held["weights_sha256"] == sha256_file(folder / "model.safetensors")
    asked = [json.loads(line)["id"] for line in (ROOT / "suites/harness/controls.jsonl").read_text().splitlines()]
    assert sorted(held["replies"]) == sorted(asked)


def test_a_registry_that_names_no_reference_gets_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text('[models.alone]\npath = "alone"\nstage = "sft"\nphase = "phase3a2"\n')
    (tmp_path / "alone").symlink_to(ROOT / "fixtures" / "checkpoints" / "phase3a2")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites/harness",
        "--model",
        "alone",
        "--modelqa-dir",
        str(tmp_path / "home"),
        "--modelqa-models",
        str(tmp_path / "models.toml"),
        "-p",
        "no:cacheprovider",
        "-q",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    record = json.loads(next((tmp_path / "home" / "runs").rglob("run.json")).read_text())
    assert record["controls"]["reference"]["name"] == "modelqa-reference"
