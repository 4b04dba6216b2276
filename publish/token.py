"""The token that allows writing: from a file, from HF_TOKEN, or for a CI job's identity (trusted publishing).

It is never an argument, which other users of the machine could read, and never the one of an earlier login.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from modelqa.errors import UsageError

from .hub import TIMEOUT, limit_waiting

RESOURCE = "HF_OIDC_RESOURCE"  # the client's own variable: the repository that a CI job's identity shall write to
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{8,4096}")


def read_token(file: Path | None, repository: str) -> str | None:
    """The token for a repository that was given, None when none was; `UsageError` when what was given is none."""
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read", reason=str(error), remedy="name the token's file") from None
    elif resource := os.environ.get(RESOURCE):
        token = _exchanged(resource, repository)
    else:
        token = os.environ.get("HF_TOKEN", "").strip()
    if token and not _TOKEN.fullmatch(token):
        raise UsageError("what was given is no token", reason="a token is one word of letters, digits, _ . and -",
                         remedy="check the file, or HF_TOKEN; the value is not shown here")  # fmt: skip
    return token or None


def writing_token(token: str | None) -> str:
    """The token; `UsageError` without one: only who may write to a repository can publish."""
    if token is None:
        raise UsageError(
            "there is no token",
            reason="only who may write to the repository can publish",
            remedy="set HF_TOKEN or give --token-file, with a fine-grained token for this repository alone",
        )
    return token


def _exchanged(resource: str, repository: str) -> str:
    """A token of an hour for one repository, for the identity that the CI gives its job. Nothing is kept anywhere."""
    if resource != repository:
        raise UsageError(
            f"{RESOURCE} names {resource}, and the command is about {repository}",
            reason="a job's identity is exchanged for a token of one repository alone",
            remedy=f"set {RESOURCE}={repository}, or leave it out",
        )
    from huggingface_hub import errors, get_token

    refused = getattr(errors, "OIDCError", None)
    if refused is None:
        raise UsageError(
            f"this huggingface_hub knows nothing of {RESOURCE}",
            reason="it would take another token instead, unseen",
            remedy="pip install -U huggingface_hub",
        )
    limit_waiting(TIMEOUT)
    transport: type[BaseException] = errors.HfHubHTTPError.__mro__[1]  # the client's own, whichever httpx it carries
    try:
        return get_token() or ""
    except (refused, transport, OSError, ValueError, LookupError) as error:
        raise UsageError(
            f"the identity of this job gives no token for {repository}",
            reason=" ".join(str(error).split())[:300] or type(error).__name__,
            remedy="name this workflow as a trusted publisher of the repository, and give the job id-token: write",
        ) from None
