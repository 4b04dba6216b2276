"""A Hub id -> the folder of its snapshot in the local Hugging Face cache; huggingface_hub is imported only here."""

from __future__ import annotations

import re
from pathlib import Path

from modelqa.checkpoint import folder
from modelqa.errors import CheckpointError

# huggingface_hub's own rule for repo ids, without letters of other scripts that look like these
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
# what a checkpoint is opened from: never pickles, never code
_WANTED = ["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken"]


def is_hub_id(text: str) -> bool:
    """Whether the text has the form "org/name". It says nothing about whether such a repository exists."""
    return _HUB_ID.fullmatch(text) is not None and ".." not in text


def fetch(repository: str, revision: str | None = None) -> Path:
    """The snapshot folder of `repository`: from the cache when it is there with its weights, else downloaded.

    `CheckpointError` when it is neither cached nor reachable.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        cached = Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return _download(repository, revision)
    whole = (
        any((cached / name).exists() for name in (folder.WEIGHTS, folder.INDEX)) and (cached / "config.json").exists()
    )
    return cached if whole else _download(repository, revision)


def _download(repository: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    # the base error of the HTTP library that this version of huggingface_hub uses
    network_error: type[BaseException] = HfHubHTTPError.__mro__[1]
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=_WANTED))
    except (network_error, OSError, ValueError) as error:  # OSError: not cached and offline; ValueError: no such name
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{repository} is no local folder, and could not be fetched from the Hub",
            reason=first_line,
            remedy="check the name; download it where there is a network (hf download), or log in when it is gated",
        ) from error
