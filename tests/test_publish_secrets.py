"""Secrets: every kind is found wherever it lies in a file, plain text is left alone, and a match is never printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from modelqa.publish.secrets import BLOCK, kinds, secret_problems

ROOT = Path(__file__).parents[1]
A = "aB3dE5fG7h" * 6  # letters and digits as a token has them
PLANTED = {
    "Hugging Face token": f"hf_{A[:34]}",
    "Weights & Biases key": "WANDB_API_KEY=" + "0123456789abcdef" * 2 + "01234567",
    "OpenAI or Anthropic key": f"sk-proj-{A[:40]}",
    "AWS key": "AKIA" + "ABCDEFGH12345678",
    "AWS secret": "aws_secret_access_key = " + A[:40],
    "GitHub token": f"ghp_{A[:36]}",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "JSON web token": f"eyJ{A[:20]}.eyJ{A[:20]}.{A[:30]}",
    "home path": "/home/" + "someone/models",
    "host name": "gpu-07." + "internal",
    "login in an address": "https://user:" + "pass@example.org/x",
}


@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_is_found_and_not_printed(kind: str) -> None:
    secret = PLANTED[kind]
    (problem,) = secret_problems("file.txt", f"some words {secret} more words".encode())
    assert kind in problem.text and problem.locus == "file.txt, byte 11"
    assert secret not in str(problem) and secret[-12:] not in str(problem)


@pytest.mark.parametrize("kind", ["Hugging Face token", "GitHub token", "private key"])
@pytest.mark.parametrize("at", [0, BLOCK - 10, BLOCK, 2 * BLOCK - 1])
def test_nothing_hides_on_the_border_of_two_blocks(tmp_path: Path, kind: str, at: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b" " * at + PLANTED[kind].encode() + b" " * BLOCK)
    (problem,) = secret_problems("file", path)
    assert problem.locus == f"file, byte {at}"


def test_a_vocabulary_may_hold_paths_but_no_token() -> None:
    text = "\n".join(PLANTED.values()).encode()
    found = {problem.text for problem in secret_problems("tokenizer.json", text, keys_alone=True)}
    assert not any("home path" in one or "host name" in one for one in found)
    assert any("Hugging Face token" in one for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "hf_hub_download(repo_id, filename)", "a hf_token is needed", "sk-learn and sk-1", "ghp_short",
        "~/models and ./home/x", "AKIAstan", "wandb is a tool", "https://example.org/a@b",
        "the home/ folder", "local and internal affairs",
        "eyJ is how they begin", "0123456789abcdef0123456789abcdef01234567",
    ],
)  # fmt: skip
def test_words_are_no_secrets(text: str) -> None:
    assert kinds(text.encode()) == []


def test_the_shipped_fixtures_and_cards_hold_none() -> None:
    files = [path for folder in ("cards", "fixtures/checkpoints/phase3a2") for path in (ROOT / folder).rglob("*.*")]
    assert len(files) > 10
    assert [problem for path in files if path.is_file() for problem in secret_problems(path.name, path)] == []
