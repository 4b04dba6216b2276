"""`modelqa data ...` from the command line: options of the guide, files, manifests, errors."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from modelqa.cli import main
from modelqa.data import commands
from modelqa.data import manifest as manifests
from modelqa.data.rows import read_rows

GUIDE = {
    "format-lock": {"output_dir": "data/sft_format_lock", "mode": "full", "math": "include"},
    "echo": {"output_dir": "data/sft_echo", "gibberish": "exclude", "bpe_safe": True, "max_target_tokens": 4,
             "anti_echo_ratio": 0.2, "contrast_ratio": 0.2, "max_examples": None},
    "operators": {"output_dir": "data/sft_operator", "n_train": 5000, "n_val": 500, "max_words": 4, "max_tokens": 12,
                  "word_dist": (0.35, 0.30, 0.20, 0.15), "seed_train": 42, "seed_val": 12345, "no_german": False},
}  # fmt: skip


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer with one token a character: a word of n letters has n tokens."""
    letters = {chr(code): number for number, code in enumerate(range(32, 127))}
    built = Tokenizer(models.WordLevel({**letters, "[UNK]": len(letters)}, unk_token="[UNK]"))
    built.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    built.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize("command", GUIDE)
def test_defaults_are_the_guides(command: str) -> None:
    options = vars(parsed(command))
    assert {name: options[name] if name != "output_dir" else str(options[name]) for name in GUIDE[command]} == GUIDE[
        command
    ]


def test_options_are_written_with_underscores_or_hyphens() -> None:
    assert parsed("echo", "--anti_echo_ratio", "0.3", "--output_dir", "x").anti_echo_ratio == 0.3
    assert parsed("echo", "--anti-echo-ratio", "0.3", "--output-dir", "x").output_dir == Path("x")
    assert parsed("echo", "--no-bpe_safe").bpe_safe is parsed("echo", "--no-bpe-safe").bpe_safe is False


def test_format_lock_writes_rows_and_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "format-lock", "--mode", "minimal", "--math", "exclude", "--output_dir", str(tmp_path)]) == 0
    rows = [row for _, row in read_rows(tmp_path / "format_lock.jsonl")]
    manifest = manifests.read(tmp_path / "manifest.json")
    assert len(rows) == manifest.rows.kept == manifest.rows.declared == 1000
    assert manifest.content == manifests.content_hash(rows)
    assert manifest.options["mode"] == "minimal" and manifest.seeds == {"seed": 42}
    assert "1000 rows" in capsys.readouterr().out


def test_gibberish_is_filtered_by_the_tokenizer_that_was_named(tmp_path: Path, tokenizer: Path) -> None:
    out = tmp_path / "out"
    asked = ["data", "echo", "--gibberish", "only", "--n_examples", "200", "--max_target_tokens", "7"]
    assert main([*asked, "--tokenizer", str(tokenizer), "--output_dir", str(out)]) == 0
    copied = [row["meta"]["payload"] for _, row in read_rows(out / "echo.jsonl") if "question" not in row["meta"]]
    assert max(len(word.strip(".!?")) for text in copied for word in text.split()) <= 7
    assert len(manifests.read(out / "manifest.json").options["tokenizer_sha256"]) == 64


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["echo", "--gibberish", "only"], "no tokenizer was given"),
        (["operators"], "no tokenizer was given"),
        (["operators", "--seed_val", "42"], "both seeds are 42"),
        (["echo", "--gibberish", "only", "--tokenizer", "nowhere.json"], "is no tokenizer"),
        (["echo", "--anti_echo_ratio", "0.9"], "cannot be"),
        (["echo", "--anti_echo_ratio", "nan"], "cannot be nan anti-echo"),
        (["echo", "--n_examples", "99999999999"], "--n_examples is 99999999999"),
        (["echo", "--max_examples", "0"], "--max_examples is 0"),
        (["operators", "--n_val", "-1"], "--n_val is -1"),
        (["mix", "--inputs", "a", "--weights", "1", "--output", "c", "--size", "-1"], "--size is -1"),
        (["mix", "--inputs", "a", "--weights", "1", "--output", "c", "--size", "0"], "--size is 0"),
        (["mix", "--inputs", "a", "--weights", "nan", "--output", "c"], "the weights sum to nan"),
        (["mix", "--inputs", "a=b", "--weights", "1", "--output", "c", "--replay", "x=F:nan"], "one is not positive"),
        (["inspect", "--dataset_dir", ".", "--batch_size", "0"], "--batch_size is 0"),
        (["mix", "--inputs", "a", "b", "--weights", "1", "--output", "c"], "2 inputs, 1 weights"),
        (["mix", "--inputs", "a", "--weights", "1", "--output", "c", "--replay", "b"], "names no share"),
        (["mix", "--inputs", "nowhere.jsonl", "--weights", "1", "--output", "c"], "no file nowhere.jsonl"),
    ],
)
def test_a_mistake_is_one_clear_error_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], fact: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", *arguments]) == 4
    said = capsys.readouterr().err
    assert fact in said and "reason:" in said and "remedy:" in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_operators_writes_disjoint_files_of_the_asked_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--n_train", "300", "--n_val", "90", "--max_tokens", "0", "--output_dir", str(tmp_path)]
    assert main(["data", "operators", *asked]) == 0
    counted = {name: Counter(row["meta"]["operator"] for _, row in read_rows(tmp_path / name))
               for name in ("operator_train.jsonl", "operator_val.jsonl")}  # fmt: skip
    assert counted["operator_train.jsonl"] == {"COPY": 100, "WRAP": 100, "EXTRACT": 100}
    assert counted["operator_val.jsonl"] == {"COPY": 30, "WRAP": 30, "EXTRACT": 30}
    assert "share: none" in capsys.readouterr().out


def test_mix_prints_realised_against_declared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("beta", "alpha"):
        asked = ["--n_examples", "100", "--seed", str(len(name)), "--output_dir", str(tmp_path / name)]
        assert main(["data", "echo", *asked]) == 0
    inputs = [str(tmp_path / name / "echo.jsonl") for name in ("beta", "alpha")]
    output = tmp_path / "mixed" / "beta.jsonl"
    assert (
        main(["data", "mix", "--inputs", *inputs, "--weights", "0.85", "0.15", "--output", str(output), "--shuffle"])
        == 0
    )
    assert Counter(row["meta"]["source"] for _, row in read_rows(output)) == {"beta": 99, "alpha": 18}
    said = capsys.readouterr().out
    assert "85.00%" in said and "84.62%" in said
    parents = manifests.read(tmp_path / "mixed" / "beta.manifest.json").parents
    assert [parent.manifest["kind"] for parent in parents if parent.manifest] == ["echo", "echo"]


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_files_are_the_same_bytes_in_every_python_run(tmp_path: Path, hash_seed: str) -> None:
    code = ("from modelqa.data import echo, format_lock, operators, manifest as m\n"
            "rows = [*echo.rows(seed=1, n_examples=60), *format_lock.rows(seed=1, n_examples=60)]\n"
            "rows += operators.rows(n=60, split='train', seed=1, max_tokens=0)\n"
            "print(m.content_hash(rows))")  # fmt: skip
    root = str(Path(__file__).parents[1])
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": root},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    from modelqa.data import echo, format_lock, operators

    here = [*echo.rows(seed=1, n_examples=60), *format_lock.rows(seed=1, n_examples=60)]
    here += operators.rows(n=60, split="train", seed=1, max_tokens=0)
    assert found == manifests.content_hash(here)


def test_reading_the_options_loads_no_generator() -> None:
    code = ("import sys, argparse\nfrom modelqa.data.commands import add_arguments\n"
            "add_arguments(argparse.ArgumentParser())\n"
            "assert not {'torch', 'transformers', 'numpy', 'modelqa.data.phrasings'} & set(sys.modules)")  # fmt: skip
    root = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, check=True)
