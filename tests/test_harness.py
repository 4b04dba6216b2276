"""A broken harness is recognised from the replies and blamed for itself; the model is not judged.

The faults are injected below the engine (tests/faults), on the shipped models; nothing tells the suite about them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelqa.gates import NoEvidence
from modelqa.models import load_registry
from modelqa.plugin.lab import Lab
from modelqa.plugin.subject import LabSettings

ROOT = Path(__file__).parents[1]
REGISTRY = ROOT / "fixtures" / "models.toml"


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


# -- what plain generate answered --------------------------------------------------------------------------------------


def reference_of(model: str) -> str:
    registry = load_registry(REGISTRY)
    return registry.models[model].reference or registry.controls["reference"]


@pytest.mark.parametrize("model", ["phase3a2", "choice_honest"])
def test_what_a_shipped_reference_answered_is_of_the_weights_that_lie_there(model: str, tmp_path: Path) -> None:
    """`make controls` writes it again."""
    lab = Lab.open(LabSettings(model=model, home=tmp_path, registry=REGISTRY))
    assert lab.subject("reference").model.name == reference_of(model)
    controls = (ROOT / "suites" / "harness" / "controls.jsonl").read_text().splitlines()
    known = lab.control_replies("reference")
    assert set(known) == {json.loads(line)["id"] for line in controls}
    assert all(reply["ids"] and reply["margin"] >= 0 for reply in known.values())


def test_those_two_are_all_that_the_shipped_registry_names_and_make_controls_writes() -> None:
    named = {reference_of(model) for model in load_registry(REGISTRY).models}
    assert named == {reference_of("phase3a2"), reference_of("choice_honest")}
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t@for name in ref"))
    assert set(line.split(" in ")[1].split(";")[0].split()) == named


def test_answers_of_other_weights_than_the_reference_s_are_no_evidence(tmp_path: Path) -> None:
    """A reference was trained again, and its answers were not made again: nobody's fault but the file's."""
    folder = tmp_path / "good"
    shutil.copytree(ROOT / "fixtures" / "checkpoints" / "reference", folder)
    (tmp_path / "models.toml").write_text(
        '[controls]\nreference = "good"\n[models.good]\npath = "good"\nstage = "sft"\nphase = "phase3a2"\n'
        '[models.mine]\npath = "mine"\nstage = "sft"\nphase = "phase3a2"\n'
    )
    (tmp_path / "mine").symlink_to(ROOT / "fixtures" / "checkpoints" / "phase3a2")
    settings = LabSettings(model="mine", home=tmp_path / "home", registry=tmp_path / "models.toml")
    assert Lab.open(settings).control_replies("reference")
    weights = folder / "model.safetensors"
    changed = weights.read_bytes()
    weights.write_bytes(changed[:-1] + bytes([changed[-1] ^ 1]))
    with pytest.raises(NoEvidence, match="of these weights, not of others"):
        Lab.open(settings).control_replies("reference")
