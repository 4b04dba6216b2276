"""A small project that was really judged: a copy of a fixture checkpoint, two gates and a check, words for its card."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from filelock import FileLock
from modelqa.publish.inputs import Inputs, open_inputs

from suites.behaviour.cases_echo import echo_cases

ROOT = Path(__file__).parents[1]
MODEL = "tiny"
CASES = 60
REGISTRY = """
[models.tiny]
path = "checkpoints/tiny"
stage = "sft"
phase = "chat"
system = "Be brief and exact."
intended_rows = 104000
trainer_log = "checkpoints/tiny/trainer_state.json"
capture = "checkpoints/tiny/capture.safetensors"
"""
PHASES = """
[phases]
order = ["chat"]
default = "chat"

[gates.echo]
chat = 0.70

[gates.echo_printed]

[gates.differ]
chat = 1.0
"""
GATES = """
import modelqa
from modelqa import ask, gate


@gate(cases="echo.jsonl", by=("kind",), allows={"delimited_payload": "finding the payload is what is asked"})
def test_echo(case, reply):
    assert ask.exact(reply, case.expect, forgive=("final_punctuation", "case"))


@gate(cases="echo.jsonl", informational=True, allows={"*": "printed only"})
def test_echo_printed(case, reply):
    assert ask.strict(reply, case.expect)


@gate(cases="echo.jsonl", allows={"*": "an echo differs too"})
def test_differ(replies):
    assert ask.top_share(replies)[1] < 0.5


def test_tied(checkpoint):
    if not checkpoint.tied("lm_head.weight", "model.embed_tokens.weight"):
        modelqa.deny([modelqa.Problem("weights.untied", "lm_head.weight", "untied")])
"""
CARD = """---
license: apache-2.0
language: [en]
tags: [tiny]
transcripts: 2
---
## What it is

A model of {{ scale.parameters | count }} parameters, right on {{ gates.echo.rate | rate }} of what it is told to say.

## Limitations

It knows nothing.
"""


def make_project(root: Path) -> None:
    """Write the project's files; nothing is judged yet."""
    shutil.copytree(ROOT / "fixtures" / "checkpoints" / "phase3a2", root / "checkpoints" / MODEL)
    suites = root / "suites" / "behaviour"
    suites.mkdir(parents=True)
    (root / "models.toml").write_text(REGISTRY)
    (root / "suites" / "phases.toml").write_text(PHASES)
    (suites / "test_echoes.py").write_text(GATES)
    rows = [
        {"id": case.id, "prompt": case.user, "expect": case.expect, "payload": case.payload, "meta": dict(case.meta)}
        for case in islice(echo_cases(7), CASES)
    ]
    (suites / "echo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "cards" / "postmortems").mkdir(parents=True)
    (root / "cards" / f"{MODEL}.md").write_text(CARD)


def run_gates(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Judge the project's model in a process of its own."""
    command = [sys.executable, "-m", "pytest", "suites", "--model", MODEL, "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a judged project, made once for all workers; tests copy what they change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    root = shared / "judged-project"
    with FileLock(shared / "judged-project.lock"):
        if not (root / "done").is_file():
            make_project(root)
            done = run_gates(root)
            assert done.returncode == 0, done.stdout + done.stderr
            (root / "done").touch()
    return root


@pytest.fixture
def project(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the judged project that a test may change; the working directory."""
    root = tmp_path / "project"
    shutil.copytree(judged, root)
    monkeypatch.chdir(root)
    return root


def inputs_of(root: Path) -> Inputs:
    """What the project's card is made from."""
    return open_inputs(
        MODEL, cards=root / "cards", registry=root / "models.toml", home=root / ".modelqa", suites=root / "suites"
    )
