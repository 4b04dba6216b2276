"""The real `transformers serve` on the loopback: takes text, hides special tokens, and is still held to the weights."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaviour_suite import ROOT

pytestmark = pytest.mark.slow
START_SECONDS = 300  # to import torch and transformers on a busy machine


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server, started from the command that the guide names."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--host", "127.0.0.1", "--device", "cpu"]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with log.open("w") as stream:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--dtype", "float32"],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_SECONDS):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    pytest.fail(f"the server did not start within {START_SECONDS} seconds:\n{log.read_text()}")


@pytest.fixture(scope="module")
def judged(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of harness and parity rungs on phase3a2, all replies made by the server."""
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "pytest", "suites/harness", "suites/parity", "-q", "-p", "no:cacheprovider"]
    options = ["--model", "phase3a2", "--modelqa-dir", str(home), "--modelqa-engine", url]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    record: dict[str, Any] = json.loads(next((home / "runs").rglob("run.json")).read_text())
    return record


def test_candidate_and_reference_go_through_the_server_and_every_gate_passes(judged: dict[str, Any]) -> None:
    assert judged["settings"]["server"]["model"] == "phase3a2"
    assert judged["controls"]["reference"]["engine"] == "server"
    verdicts = {gate["gate"]: gate["verdict"]["status"] for gate in judged["gates"]}
    asked = ("reference_ids", "reference_floor", "random_twin", "told_apart", "template", "stop_token", "engine")
    assert {gate: verdicts[gate] for gate in asked} == dict.fromkeys(asked, "PASS")


def test_the_record_says_that_text_was_asked_and_told(judged: dict[str, Any]) -> None:
    assert (judged["settings"]["server"]["prompts"], judged["settings"]["server"]["replies"]) == ("text", "text")


def test_the_server_s_replies_are_those_of_the_weights(judged: dict[str, Any]) -> None:
    measured = next(gate["measured"] for gate in judged["gates"] if gate["gate"] == "engine")
    assert measured["of"] == 24
    assert measured["differ"] == measured["fragile"] == measured["unknown"] == 0


def test_a_model_that_the_server_cannot_load_is_one_error(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modelqa", "generate", "--model", "phase3a2", "--prompt", "Say apple."]
    done = subprocess.run(
        [*command, "--engine", url, "--served", str(tmp_path / "nothing")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "the server does not answer for the model" in done.stderr
    assert "Traceback" not in done.stderr
