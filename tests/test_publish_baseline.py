"""What stands at a head is the baseline of what shall replace it: fetched from there, at that very commit."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from desk import NAME, Desk, desk, judged, loopback, project
from hub.server import WRITE, LoopbackHub
from publishing import ROOT, run_gates

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import CheckpointError, UsageError
from modelqa.models import Registry, resolve

__all__ = ["desk", "judged", "loopback", "project"]


@pytest.fixture
def successor(desk: Desk) -> Desk:
    """A desk that has published its model and holds another one now, judged by suites that compare with a baseline."""
    desk.publish()
    weights = desk.root / "checkpoints" / "tiny" / "model.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    shutil.copy(ROOT / "suites" / "behaviour" / "test_baseline.py", desk.root / "suites" / "behaviour")
    phases = desk.root / "suites" / "phases.toml"
    phases.write_text(f"{phases.read_text()}\n[margins]\necho = 0.1\n")
    return desk


def gates(desk: Desk, command: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a pytest command of a message, as a maintainer would paste it, against the loopback Hub."""
    program, *words = shlex.split(command)
    assert program == "pytest"
    surroundings = os.environ | {
        "HF_ENDPOINT": desk.hub.endpoint, "HF_TOKEN": WRITE, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    line = [sys.executable, "-m", "pytest", *words, "-q", "-p", "no:cacheprovider"]
    return subprocess.run(line, cwd=desk.root, env=surroundings, capture_output=True, text=True)


def test_a_successor_is_published_after_the_very_command_that_its_refusal_names(
    successor: Desk, tmp_path: Path
) -> None:
    desk = successor
    desk.put({"pytorch_model.bin": b"a pickle that lies at the head"})
    head = desk.repository.resolve("main")
    assert run_gates(desk.root).returncode == 0
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "was not compared with what acme/tiny holds now" in desk.out and desk.repository.resolve("main") == head
    (command,) = re.findall(r"run: (pytest .*)", desk.out)
    assert command.endswith(f"--modelqa-release --modelqa-baseline {NAME}@{head}")

    done = gates(desk, command, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    fetched = {path.name for path in (tmp_path / "home").rglob("snapshots/*/**/*") if not path.is_dir()}
    assert "model.safetensors" in fetched and not any(name.endswith(".bin") for name in fetched)

    desk.publish()
    card = desk.repository.content(desk.repository.tree(desk.repository.resolve("main") or "")["README.md"]).decode()
    assert "No worse than the release before" in card and "on 60 cases" in card
    assert desk.run("verify", NAME) == 0, desk.out


def test_a_revision_is_fetched_by_its_commit_and_a_wrong_one_is_one_clear_error(
    desk: Desk, loopback: LoopbackHub
) -> None:
    desk.publish()
    first = desk.repository.resolve("main")
    desk.tamper("model.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    own = open_checkpoint(desk.root / "checkpoints" / "tiny")
    for revision in (first, desk.repository.refs("refs/tags").popitem()[0]):
        model = resolve(Registry(), f"{NAME}@{revision}")
        assert open_checkpoint(model.location).digest == own.digest
    assert open_checkpoint(f"{NAME}@main").digest != own.digest
    with pytest.raises(CheckpointError, match="could not be fetched"):
        open_checkpoint(f"{NAME}@{'0' * 40}")
    for name in (f"{NAME}@", f"{NAME}@../main", f"{NAME}@a b"):
        with pytest.raises(UsageError, match="there is no model named"):
            resolve(Registry(), name)


def test_pickles_alone_are_no_baseline(loopback: LoopbackHub, desk: Desk) -> None:
    desk.put({"pytorch_model.bin": b"a pickle", "config.json": b'{"model_type": "llama"}'})
    with pytest.raises(CheckpointError):
        open_checkpoint(f"{NAME}@main")
