"""Secrets that must not ship: own patterns over every file of a release. A match is located, never printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from modelqa.record import Problem

OVERLAP = 4096  # bytes that two blocks share, so that nothing hides on their border; longer than any pattern reaches
BLOCK = 1 << 20

PLACES = ("home path", "host name")
_EDGE = rb"(?<![A-Za-z0-9_])"
_PATTERNS: dict[str, re.Pattern[bytes]] = {
    "Hugging Face token": re.compile(_EDGE + rb"(?:(?:hf_|api_org_)[A-Za-z0-9]{30,}|hf_(?:oauth|jwt)_[\w.-]{20,})"),
    "Weights & Biases key": re.compile(
        rb"(?i)wandb.{0,40}?(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])|wandb_v1_\w{30,}", re.DOTALL
    ),
    "OpenAI or Anthropic key": re.compile(_EDGE + rb"sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,}"),
    "AWS key": re.compile(_EDGE + rb"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "AWS secret": re.compile(rb"(?i)aws.{0,20}secret.{0,20}?[=:\"'\s]+[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"),
    "GitHub token": re.compile(_EDGE + rb"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})"),
    "private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "JSON web token": re.compile(_EDGE + rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "home path": re.compile(
        rb"(?<![\w.])(?:/home/|/Users/|[A-Z]:\\{1,2}Users\\{1,2})[A-Za-z0-9_.-]+|(?<![\w.])/root/\w"
    ),
    "host name": re.compile(_EDGE + rb"[a-z0-9-]+\.(?:local|internal|lan|corp|intranet)(?![\w.-])"),
    "login in an address": re.compile(rb"\b[a-z+]{3,10}://[^\s/@:]{1,100}:[^\s/@]{1,100}@"),
}


def kinds(data: bytes) -> list[str]:
    """The kinds of secret that bytes hold, in the order of the patterns; [] when there is none."""
    return [kind for kind, pattern in _PATTERNS.items() if pattern.search(data)]


def secret_problems(path: str, source: Path | bytes, *, keys_alone: bool = False) -> list[Problem]:
    """One problem for each kind of secret in a file, with the byte where it begins; code `card.secret`.

    `keys_alone` leaves out home paths and host names, which the vocabulary of a tokenizer may rightly hold.
    """
    found: dict[str, int] = {}
    for offset, block in _blocks(source):
        for kind in kinds(block):
            if keys_alone and kind in PLACES:
                continue
            at = _PATTERNS[kind].search(block)
            assert at is not None
            found.setdefault(kind, offset + at.start())
    return [
        Problem("card.secret", f"{path}, byte {at}", f"looks like a {kind}; what it is is not shown")
        for kind, at in found.items()
    ]


def _blocks(source: Path | bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of overlapping blocks: files of any size are read in little memory."""
    if isinstance(source, bytes):
        yield 0, source
        return
    with source.open("rb") as stream:
        offset, kept = 0, b""
        while block := stream.read(BLOCK):
            yield offset - len(kept), kept + block
            offset += len(block)
            kept = (kept + block)[-OVERLAP:]
