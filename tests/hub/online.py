"""A loopback Hub for the process of the test itself: what the environment would say to a new process, said to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.server import WRITE, LoopbackHub


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub that the client of this process talks to, with a token that may write; large files go by LFS."""
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars
    from huggingface_hub.utils._http import default_client_factory

    with LoopbackHub(tmp_path / "hub") as hub:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", WRITE)
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client's pauses between its retries
        disable_progress_bars()
        yield hub
        enable_progress_bars()
        set_client_factory(default_client_factory)
