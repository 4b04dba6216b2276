"""`modelqa loads`: the probe is really run, in this environment, and in one that answers for another checkpoint."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import tiny_model

from modelqa.checkpoint import open_checkpoint
from modelqa.cli import main
from modelqa.errors import ModelqaError, UsageError
from modelqa.loads import kept_loads, loads

CHECKPOINTS = Path(__file__).parents[1] / "fixtures" / "checkpoints"
VERSION = "4.0"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in interpreter is a shell script")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write_model(tmp_path_factory.mktemp("loads") / "m")


def environment(home: Path, command: str) -> None:
    """An environment that counts as installed; its interpreter is a command (`$1` probe, `$2` folder, `$3` text)."""
    folder = home / "environments" / f"transformers-{VERSION}"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text(f"#!/bin/sh\n{command}\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / "installed").touch()


def test_a_version_that_says_the_same_is_no_problem_and_is_kept(model: Path, tmp_path: Path) -> None:
    environment(tmp_path, f'exec "{sys.executable}" "$@"')
    checkpoint = open_checkpoint(model)
    found = loads(checkpoint, VERSION, home=tmp_path)
    assert found["problem"] == "" and found["versions"]["transformers"]
    assert kept_loads(tmp_path, checkpoint.digest) == [found]
    assert kept_loads(tmp_path, "0" * 64) == []


@pytest.mark.slow
def test_a_version_with_other_weights_is_found_by_its_logits(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tiny_model.write_model(tmp_path / "other", seed=1)
    environment(tmp_path, f'exec "{sys.executable}" "$1" "{other}" "$3"')
    assert main(["loads", str(model), "--with", VERSION, "--dir", str(tmp_path)]) == 1
    assert "logits differ" in capsys.readouterr().out


@pytest.mark.slow
def test_a_tokenizer_that_the_other_version_refuses_is_named(model: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(model, tmp_path / "broken")
    tiny_model.edit(broken / "tokenizer_config.json", tokenizer_class="TokenizerOfTheFuture")
    (broken / "tokenizer.json").unlink()
    environment(tmp_path, f'exec "{sys.executable}" "$1" "{broken}" "$3"')
    assert loads(open_checkpoint(model), VERSION, home=tmp_path)["problem"].startswith("the tokenizer does not load")


@pytest.mark.slow
def test_what_nobody_loads_is_no_other_version_s_fault(model: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(model, tmp_path / "broken")
    tiny_model.edit(broken / "config.json", model_type="unheard-of")
    with pytest.raises(ModelqaError, match="installed transformers does not load"):
        loads(open_checkpoint(broken), VERSION, home=tmp_path)


@pytest.mark.slow
def test_an_environment_that_does_not_run_is_one_clear_error(model: Path, tmp_path: Path) -> None:
    environment(tmp_path, "echo out of space >&2; exit 3")
    with pytest.raises(ModelqaError, match="out of space"):
        loads(open_checkpoint(model), VERSION, home=tmp_path)


@pytest.mark.parametrize("version", ["latest", "4.57; rm", "../5", "4.57.1.2", "", "0", "4", "4.", "٤.٥"])
def test_a_version_is_a_number(model: Path, tmp_path: Path, version: str) -> None:
    with pytest.raises(UsageError, match="is no version") as caught:
        loads(open_checkpoint(model), version, home=tmp_path)
    assert "4.57" in caught.value.reason and "dot" in caught.value.remedy


@pytest.mark.slow
def test_the_shipped_model_loads_under_the_major_before(tmp_path: Path) -> None:
    found = loads(open_checkpoint(CHECKPOINTS / "phase3a2"), "4.57", home=tmp_path)
    assert found["problem"] == "" and found["versions"]["transformers"].startswith("4.57.")
