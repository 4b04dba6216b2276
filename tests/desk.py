"""A maintainer's desk for tests: a judged project, a Hub, the commands, and somebody who changes the branch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from hub.online import loopback
from hub.server import LoopbackHub
from hub.store import Repository, pointer
from publishing import CARD, judged, project

from modelqa.cli import main

__all__ = ["NAME", "Desk", "desk", "judged", "loopback", "project"]

NAME = "acme/tiny"
POLICY = "policy:\n  primary: [echo]\n  margin: 0.1\n---\n## What it is"


@dataclass
class Desk:
    """A maintainer's desk: a judged project, a Hub, and what the last command printed."""

    root: Path
    hub: LoopbackHub
    capsys: pytest.CaptureFixture[str]
    out: str = ""

    @property
    def repository(self) -> Repository:
        """The repository on the Hub."""
        return self.hub.repository(NAME)

    def run(self, *command: str) -> int:
        """A modelqa command; its exit status."""
        self.capsys.readouterr()
        status = main(list(command))
        captured = self.capsys.readouterr()
        self.out = captured.out + captured.err
        return status

    def publish(self, *options: str) -> None:
        """Publish, which has to succeed."""
        assert self.run("publish", "tiny", "--to", NAME, *options) == 0, self.out

    def write_card(self, line: str = "It knows nothing.") -> None:
        """The card's words, with the publishing policy."""
        (self.root / "cards" / "tiny.md").write_text(
            CARD.replace("---\n## What it is", POLICY).replace("It knows nothing.", line)
        )

    def download(self) -> Path:
        """A folder with the files of the branch."""
        folder = self.root / "downloaded"
        commit = self.repository.resolve("main") or ""
        for path, blob in self.repository.tree(commit).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(self.repository.content(blob))
        return folder

    def tag(self) -> str:
        """The newest tag."""
        head = self.repository.resolve("main")
        return next(name for name, commit in self.repository.refs("refs/tags").items() if commit == head)

    def tamper(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Somebody changes one file on the branch."""
        commit = self.repository.resolve("main")
        assert commit
        data = change(self.repository.content(self.repository.tree(commit)[path]))
        self.put({path: data})

    def put(self, files: dict[str, bytes], delete: tuple[str, ...] = ()) -> None:
        """Somebody commits files; large ones go where large files go."""
        kept = {}
        for path, data in files.items():
            large = path.endswith(".safetensors")
            digest = sha256(data).hexdigest()
            assert not large or self.repository.keep_object(digest, data)
            kept[path] = pointer(digest, len(data)) if large else data
        self.repository.commit("refs/heads/main", kept, delete=delete, message="changed by hand")


@pytest.fixture
def desk(project: Path, loopback: LoopbackHub, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A desk whose card has a policy."""
    made = Desk(project, loopback, capsys)
    made.write_card()
    return made
