"""Publishers in processes of their own, forked from a server that has imported what they need: so they can be killed.

A child publishes a small release by `modelqa.publish.push.publish` itself and says how that ended. The client's pauses
between its own retries are left out: `time.sleep` does nothing in a child.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from modelqa.publish import hub as publish_hub
from modelqa.publish import push
from modelqa.publish.hub import Snapshot, connect
from modelqa.publish.release_files import MANIFEST, README, REPORT, Release, ReleaseFile
from safetensors.numpy import save

from hub.server import WRITE
from modelqa.errors import ModelqaError

REPOSITORY = "acme/tiny"
LARGE = 256  # bytes; the trials' tensors count as large, so that they take the way of large files
Variant = Callable[[], None]


@dataclass(frozen=True)
class Settings:
    """One publisher: which release (made in `folder`), where to, and what is special about its process.

    xet       whether it uses the Xet storage mode; space: bytes that a file may have on its disk, None for no limit
    variant   a function that changes the publisher's code in the child: the mutants of the test-suite
    """

    endpoint: str
    folder: Path
    version: str = "new"
    token: str = WRITE
    xet: bool = False
    timeout: float = 60.0
    space: int | None = None
    variant: Variant | None = None


@dataclass(frozen=True)
class Ending:
    """How a publisher ended: "published", "unchanged", "refused" (with its message), "crashed" or "killed".

    heads   the heads that it asked the policy about, in order
    """

    how: str
    text: str = ""
    heads: list[str] = field(default_factory=list)


def tiny_release(folder: Path, version: str) -> Release:
    """A release of five small files; its tensors come from a file on disk, as a checkpoint's do."""
    weights = folder / f"{version}.safetensors"
    if not weights.exists():
        folder.mkdir(parents=True, exist_ok=True)
        seed = int.from_bytes(hashlib.sha256(version.encode()).digest()[:4], "big")
        weights.write_bytes(save({"w": np.random.default_rng(seed).normal(size=(16, 16)).astype(np.float32)}))
    rendered = {
        README: f"---\nlicense: mit\n---\n# tiny {version}\n".encode(),
        "config.json": b'{"model_type": "llama"}\n',  # the same in every version, and in the repository before
        REPORT: json.dumps({"version": version}).encode(),
        MANIFEST: json.dumps({"files": [version]}).encode(),
    }
    files = [ReleaseFile.of(path, data) for path, data in rendered.items()]
    return Release.of([*files, ReleaseFile.of("model.safetensors", weights)], name="tiny", record="0" * 64)


class Publisher:
    """A started child. `pid` is there at once; `ending` waits for it."""

    def __init__(self, settings: Settings) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hub.publishers", "huggingface_hub.hf_api", "modelqa.publish.push"])
        self._seen = settings.folder / f"heads-{os.urandom(4).hex()}"
        settings.folder.mkdir(parents=True, exist_ok=True)
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_child, args=(settings, self._seen, sender), daemon=True)
        self._process.start()
        sender.close()
        assert self._process.pid
        self.pid: int = self._process.pid

    def ending(self) -> Ending:
        """How it ended."""
        try:
            how, text = self._receiver.recv()
        except EOFError:
            how, text = "killed", ""
        self._process.join()
        heads = self._seen.read_text().split() if self._seen.exists() else []
        return Ending(how, text, heads)


def _child(settings: Settings, seen: Path, sender: Connection) -> None:
    _surroundings(settings)
    hub = connect(REPOSITORY, token=settings.token, endpoint=settings.endpoint, timeout=settings.timeout)

    def build(head: Snapshot) -> Release:
        with seen.open("a") as stream:
            stream.write(f"{head.commit}\n")
        return tiny_release(settings.folder, settings.version)

    try:
        done = push.publish(hub, build)
        sender.send(("published" if done.changed else "unchanged", done.entry.commit))
    except ModelqaError as error:
        sender.send(("refused", str(error)))
    except Exception as error:  # the test shows it: any other exception is a defect of the publisher
        sender.send(("crashed", f"{type(error).__name__}: {error}"))


def _surroundings(settings: Settings) -> None:
    """What the environment would say to a new process, said to the modules that were imported before the fork."""
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars

    constants.HF_HUB_OFFLINE = False
    constants.HF_HUB_DISABLE_XET = not settings.xet
    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.HF_HUB_ETAG_TIMEOUT = constants.HF_HUB_DOWNLOAD_TIMEOUT = settings.timeout
    constants.HF_HOME = constants.HF_XET_CACHE = str(settings.folder / "home")
    time.sleep = lambda seconds: None
    disable_progress_bars()
    logging.disable()
    os.environ |= {"HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1", "HF_XET_CLIENT_RETRY_BASE_DELAY": "1ms",
                   "TQDM_DISABLE": "1"}  # fmt: skip
    publish_hub.IN_MEMORY = LARGE
    if settings.space is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (settings.space, settings.space))
    if settings.variant:
        settings.variant()
