"""The command line: light to start, clear when used wrongly, and the README speaks of nothing that is not there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelqa.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def modelqa(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "modelqa", *args],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ},
    )


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom modelqa.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted({m.split('.')[0] for m in sys.modules}))\n"
        "print('OURS', *[m for m in sys.modules if m.startswith('modelqa.')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("run", "data", "preflight", "capture", "generate", "compare", "history"):
        assert re.search(rf"^\s+{command}\s", done.stdout, re.MULTILINE)
    loaded = set(done.stdout.split("LOADED ")[1].splitlines()[0].split())
    assert not loaded & {"torch", "transformers", "pandas", "numpy", "great_expectations", "pytest"}
    assert done.stdout.split("OURS ")[1].split() == ["modelqa.errors", "modelqa.cli"]


def test_a_model_is_asked_by_hand_the_way_the_gates_ask_it() -> None:
    done = modelqa("generate", "--model", "phase3a2", "--prompt", "Say garden.")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "garden.<|im_end|>"


def test_questions_are_read_line_by_line_when_none_is_given() -> None:
    asked = ("Say river.", "What is the capital of France?")
    done = modelqa("generate", "--model", "phase3a2", stdin="\n\n".join(asked) + "\n")
    assert done.returncode == 0, done.stderr
    named = modelqa("generate", "--model", "phase3a2", *(word for each in asked for word in ("--prompt", each)))
    replies = [line for line in named.stdout.splitlines() if line.endswith("<|im_end|>")]
    assert done.stdout.splitlines() == replies and len(set(replies)) == 2


@pytest.mark.parametrize(
    ("args", "fact"),
    [
        (("generate", "--model", "phase3a3", "--prompt", "x"), "there is no model named 'phase3a3'"),
        (("generate", "--model", "tests", "--prompt", "x"), "tests is no checkpoint"),
        (("generate", "--model", "phase3a2", "--models", "no.toml", "--prompt", "x"), "there is no file no.toml"),
        (("generate", "--model", "phase3a2", "--prompt", "word " * 600), "the question cannot be asked"),
        (("capture", "no.safetensors"), "no.safetensors"),
        (("generate", "--model", "phase3a2", "--prompt", "Say \udcff."), "Unicode: half a character at place 4"),
        (("generate", "--model", "phase3a2", "--raw", "--prompt", "\udcff"), "the text is not valid Unicode"),
        (("generate", "--model", "phase3a2", "--max-new-tokens", "-3", "--prompt", "x"), "--max-new-tokens is -3"),
        (("compare", "a" * 300, "phase3a2"), "File name too long"),
        (("diagnose", "a" * 300), "File name too long"),
        (("scaling", "a" * 300), "File name too long"),
    ],
)
def test_a_mistake_prints_fact_reason_and_remedy_and_no_traceback(args: tuple[str, ...], fact: str) -> None:
    done = modelqa(*args)
    assert done.returncode == 4
    assert fact in done.stderr and "reason:" in done.stderr and "remedy:" in done.stderr
    assert "Traceback" not in done.stderr


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may read everything: the test is somebody else meanwhile."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize(
    "args",
    [
        ("scaling", "phase3a2", "--models", "PATH/models.toml"),
        ("scaling", "PATH/model"),
        ("import", "PATH/results.json", "--model", "m", "--out", "out.json"),
        ("data", "mix", "--inputs", "PATH/a.jsonl", "--weights", "1", "--output", "out.jsonl"),
    ],
)
def test_a_path_that_may_not_be_searched_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with without_rights():
        status = main([arg.replace("PATH", str(closed)) for arg in args])
    told = capsys.readouterr().err
    assert status == 4
    assert str(closed) in told and "reason: Permission denied" in told and "remedy: give yourself the right" in told


def test_an_unknown_option_is_refused() -> None:
    done = modelqa("generate", "--model", "phase3a2", "--promt", "x")
    assert done.returncode == 2 and "--promt" in done.stderr


def test_run_is_pytest_on_the_suites() -> None:
    done = modelqa("run", "phase3a2", "--collect-only", "-q")
    assert done.returncode == 0
    assert "suites/behaviour/test_echo.py::test_echo_basic" in done.stdout


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"`?make ([a-z-]+)", README))
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"gate", "test", "check"} <= targets <= made


def test_every_command_of_the_readme_is_understood() -> None:
    for command in sorted(set(re.findall(r"`modelqa ([a-z-]+)", README))):
        done = modelqa(command, "--help")
        assert done.returncode == 0, f"modelqa {command}: {done.stderr}"


def test_the_suites_without_a_model_say_what_to_do() -> None:
    done = subprocess.run([sys.executable, "-m", "pytest", "suites/"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 4
    assert "no model is named" in done.stderr and "remedy: pytest suites/ --model NAME" in done.stderr


def test_a_model_without_a_stop_token_is_told_to_be_one(tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "fixtures" / "checkpoints" / "phase3a1_alpha", tmp_path / "endless")
    for file, key in (("generation_config.json", "eos_token_id"), ("tokenizer_config.json", "eos_token")):
        values = json.loads((folder / file).read_text())
        del values[key]
        (folder / file).write_text(json.dumps(values))
    done = modelqa("generate", "--model", str(folder), "--prompt", "Say garden.", "--max-new-tokens", "4")
    assert done.returncode == 0, done.stderr
    assert "never stopped: neither generation_config.json nor the tokenizer declares a stop token" in done.stdout
