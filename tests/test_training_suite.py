"""The training rung in a whole session: a log with an event in it, a missing log, a bare folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
HEALTHY = ROOT / "fixtures" / "checkpoints" / "phase3a1_alpha"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one declared model, its log and its capture."""
    shutil.copytree(HEALTHY, tmp_path / "m")
    (tmp_path / "models.toml").write_text(
        '[models.m]\npath = "m"\nstage = "sft"\nintended_rows = 4000\n'
        'trainer_log = "m/trainer_state.json"\ncapture = "m/capture.safetensors"\n'
    )
    return tmp_path


def verdicts(project: Path, model: str = "m") -> dict[str, tuple[str, str, str]]:
    """{gate: (status, code, locus)} of the training rung, content loss (which asks the model) left out."""
    command = [sys.executable, "-m", "pytest", "suites/training", "--model", model, "-k", "not content_loss"]
    command += ["--modelqa-models", str(project / "models.toml"), "--modelqa-dir", str(project / "home")]
    subprocess.run([*command, "-p", "no:cacheprovider"], cwd=ROOT, env={**os.environ}, capture_output=True, check=False)
    (path,) = (project / "home" / "runs").rglob("run.json")
    gates: list[dict[str, Any]] = json.loads(path.read_text())["gates"]
    return {
        gate["gate"]: (gate["verdict"]["status"], gate["verdict"]["code"], gate["verdict"]["locus"])
        for gate in gates
        if gate["gate"] != "content_loss"
    }


def change(project: Path, step: int, kind: str, **values: Any) -> None:
    path = project / "m" / "trainer_state.json"
    state = json.loads(path.read_text())
    next(row for row in state["log_history"] if row["step"] == step and kind in row).update(values)
    path.write_text(json.dumps(state))


def test_the_healthy_run_passes_and_only_what_is_not_declared_is_not_asked(project: Path) -> None:
    found = verdicts(project)
    assert found.pop("recipe")[:2] == ("NOT ASKED", "not_asked")
    assert {status for status, _, _ in found.values()} == {"PASS"}


@pytest.mark.parametrize(
    ("step", "kind", "values", "gate", "code"),
    [
        (150, "loss", {"loss": 0.0}, "zero_loss", "training.zero_loss"),
        (150, "loss", {"loss": float("nan")}, "finite_losses", "training.nan"),
        (200, "eval_loss", {"eval_loss": 0.11}, "shipped_step", "training.not_best"),
    ],
)
def test_one_event_in_the_log_fails_one_gate_for_its_reason(
    project: Path, step: int, kind: str, values: dict[str, Any], gate: str, code: str
) -> None:
    change(project, step, kind, **values)
    found = verdicts(project)
    assert found.pop(gate) == ("FAIL", code, f"step {step}")
    assert {status for status, _, _ in found.values()} == {"PASS", "NOT ASKED"}


def test_a_page_of_the_rows_fails_and_names_both_counts(project: Path) -> None:
    path = project / "models.toml"
    path.write_text(path.read_text().replace("4000", "44800"))
    assert verdicts(project)["samples"] == ("FAIL", "training.samples", "4000 of 44800 rows")


def test_a_damaged_log_is_found_once_and_is_evidence_of_nothing_else(project: Path) -> None:
    (project / "m" / "trainer_state.json").write_text('{"log_history": [')
    found = verdicts(project)
    assert found.pop("log") == ("FAIL", "training.log", "trainer_state.json")
    assert {code for _, code, _ in found.values()} <= {"no_evidence", "not_asked", ""}
    assert "PASS" not in {status for gate, (status, _, _) in found.items() if gate != "samples"}


def test_a_declared_model_without_its_log_is_inconclusive(project: Path) -> None:
    (project / "m" / "trainer_state.json").unlink()
    found = verdicts(project)
    assert found["finite_losses"] == ("INCONCLUSIVE", "no_evidence", "finite_losses")
    assert "FAIL" not in {status for status, _, _ in found.values()}


def test_a_bare_folder_is_not_asked_for_its_training(project: Path) -> None:
    bare = shutil.copytree(HEALTHY, project / "bare")
    assert {status for status, _, _ in verdicts(project, str(bare)).values()} == {"NOT ASKED"}
