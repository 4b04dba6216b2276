"""What a Hub keeps: bare git repositories whose refs move by compare-and-swap, and LFS objects checked by sha256.

Everything is done by the git binary, so that `git fsck`, `git log` and `git ls-tree` are an oracle that shares no code
with the publisher.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hub.xet import XetStore

POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n", re.ASCII
)
GITATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.bin filter=lfs diff=lfs merge=lfs -text\n"
IDENTITY = "loopback <loopback@localhost>"
IDENTIFIED = ("-c", "user.name=loopback", "-c", "user.email=loopback@localhost")


class StaleParent(Exception):
    """The branch no longer points to the parent that the commit names."""


class NoSuchEntry(Exception):
    """A path that is to be deleted is not in the tree."""


@dataclass(frozen=True)
class Blob:
    """One file of a tree; `lfs` is the (sha256, size) that its pointer names."""

    path: str
    oid: str
    size: int
    lfs: tuple[str, int] | None


@dataclass
class PullRequest:
    """A pull request as the Hub shows it; its commits are under refs/pr/NUMBER."""

    number: int
    title: str
    status: str = "draft"


def pointer(sha256: str, size: int) -> bytes:
    """The text that git keeps in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


@dataclass
class Repository:
    """A bare git repository and its LFS objects. `lock` orders writers as the Hub's database does."""

    path: Path
    pull_requests: list[PullRequest] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    trees: dict[str, dict[str, Blob]] = field(default_factory=dict)  # by commit: a commit never changes

    @classmethod
    def create(cls, path: Path) -> Repository:
        """An empty repository as the Hub makes it: one commit that holds .gitattributes."""
        (path / "lfs").mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", "--template=", "-b", "main", str(path)], check=True)
        repository = cls(path)
        repository.commit("refs/heads/main", {".gitattributes": GITATTRIBUTES}, message="initial commit")
        return repository

    @cached_property
    def _git(self) -> list[str]:
        return ["git", f"--git-dir={self.path}"]

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What a git command prints; `CalledProcessError` when it fails."""
        return subprocess.run([*self._git, *arguments], input=stdin, capture_output=True, check=True).stdout

    def resolve(self, revision: str) -> str | None:
        """The commit of a branch, tag, pull request or commit id; annotated tags are peeled."""
        done = subprocess.run(
            [*self._git, "rev-parse", "-q", "--verify", "--end-of-options", f"{revision}^{{commit}}"],
            capture_output=True,
        )
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def tree(self, commit: str) -> dict[str, Blob]:
        """{path: blob} of all files of a commit."""
        if commit not in self.trees:
            rows = [row.partition("\t") for row in self.git("ls-tree", "-r", "-l", "-z", commit).decode().split("\0")]
            blobs = {path: (head.split()[2], int(head.split()[3])) for head, _, path in rows if head}
            small = {oid for oid, size in blobs.values() if size < 200}
            texts = self.blobs(small)
            self.trees[commit] = {
                path: Blob(path, oid, size, _pointed(texts.get(oid, b""))) for path, (oid, size) in blobs.items()
            }
        return self.trees[commit]

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """{id: content} of git blobs."""
        wanted = sorted(oids)
        if not wanted:
            return {}
        output, found, position = self.git("cat-file", "--batch", stdin="\n".join(wanted).encode()), {}, 0
        for oid in wanted:
            end = output.index(b"\n", position)
            size = int(output[position:end].split()[2])
            found[oid] = output[end + 1 : end + 1 + size]
            position = end + size + 2
        return found

    def content(self, blob: Blob) -> bytes:
        """The bytes of a file, from git or from the LFS objects."""
        return self.object(blob.lfs[0]) if blob.lfs else self.blobs([blob.oid])[blob.oid]

    def files(self, revision: str) -> dict[str, str]:
        """{path: sha256 of the bytes} at a revision: the oracle of the tests."""
        commit = self.resolve(revision)
        assert commit, revision
        return {path: hashlib.sha256(self.content(blob)).hexdigest() for path, blob in self.tree(commit).items()}

    def commit(
        self,
        ref: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        delete: Iterable[str] = (),
        parent: str | None = None,
        base: str | None = None,
        author: str = IDENTITY,
    ) -> str:
        """Move `ref` to a new commit on its head (or on `base`, for a new ref); the commit's id.

        `StaleParent` when `parent` is given and is not the head; `NoSuchEntry` for a path that cannot be deleted.
        """
        with self.lock:
            head = self.resolve(ref)
            if parent is not None and not (head or "").startswith(parent):
                raise StaleParent
            start = base or head
            here = self.tree(start) if start else {}
            for path in delete:
                if path not in here:
                    raise NoSuchEntry(path)
            commit = self._import(files, list(delete), start, message, author)
            self.git("update-ref", ref, commit, head or "0" * 40)
            return commit

    def _import(
        self, files: Mapping[str, bytes], delete: list[str], start: str | None, message: str, author: str
    ) -> str:
        text = message.encode()
        lines = [b"commit refs/import/new\nmark :1\n", f"committer {author} 1700000000 +0000\n".encode()]
        lines.append(b"data %d\n%s\n" % (len(text), text))
        lines += [b"from %s\n" % start.encode()] if start else []
        lines += [b"D %s\n" % path.encode() for path in delete]
        for path, data in files.items():
            lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
        lines.append(b"\nget-mark :1\n")
        return self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines)).decode().strip()

    def merge(self, number: int) -> str:
        """Merge a pull request the way the Hub's button does: into whatever main is by now."""
        with self.lock:
            main, other = self.resolve("refs/heads/main"), self.resolve(f"refs/pr/{number}")
            assert main and other
            tree = self.git("merge-tree", "--write-tree", main, other).decode().split()[0]
            commit = (
                self.git(*IDENTIFIED, "commit-tree", tree, "-p", main, "-p", other, "-m", f"Merge {number}")
                .decode()
                .strip()
            )
            self.git("update-ref", "refs/heads/main", commit, main)
            return commit

    def tag(self, name: str, commit: str, message: str | None) -> bool:
        """Make a tag (annotated when it has a message); False when there is one of that name."""
        with self.lock:
            if self.resolve(f"refs/tags/{name}"):
                return False
            self.git(*IDENTIFIED, "tag", *(["-a", "-m", message] if message else []), "--", name, commit)
            return True

    def refs(self, prefix: str) -> dict[str, str]:
        """{short name: commit} of the refs under `prefix`, tags peeled."""
        form = "%(refname)%00%(objectname)%00%(*objectname)"
        rows = [line.split("\0") for line in self.git("for-each-ref", f"--format={form}", prefix).decode().splitlines()]
        return {name.removeprefix(f"{prefix}/"): peeled or oid for name, oid, peeled in rows}

    def log(self, revision: str) -> list[tuple[str, str, str]]:
        """[(commit, title, body)] from `revision` back to the first commit, along first parents."""
        output = self.git("log", "--first-parent", "--format=%H%x00%s%x00%b%x01", revision).decode()
        rows = [row.strip("\n").split("\0") for row in output.split("\x01")]
        return [(row[0], row[1], row[2].strip()) for row in rows if len(row) == 3]

    def parents(self, commit: str) -> list[str]:
        """The parents of a commit."""
        return self.git("log", "-1", "--format=%P", commit).decode().split()

    @cached_property
    def xet(self) -> XetStore:
        """The large files that were sent in Xet mode."""
        return XetStore(self.path / "xet")

    def has_object(self, sha256: str) -> bool:
        """Whether a large file is there."""
        return (self.path / "lfs" / sha256).is_file() or self.xet.hash_of(sha256) is not None

    def object(self, sha256: str) -> bytes:
        """The bytes of a large file."""
        path = self.path / "lfs" / sha256
        return path.read_bytes() if path.is_file() else self.xet.content(sha256)

    def keep_object(self, sha256: str, data: bytes) -> bool:
        """Keep a large file; False, and nothing kept, when it is not what its name says."""
        if hashlib.sha256(data).hexdigest() != sha256:
            return False
        (self.path / "lfs" / sha256).write_bytes(data)
        return True

    def damage_object(self, sha256: str) -> None:
        """Flip a bit of a kept file, as a failing disk would."""
        path = self.path / "lfs" / sha256
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _pointed(text: bytes) -> tuple[str, int] | None:
    match = POINTER.fullmatch(text)
    return (match[1].decode(), int(match[2])) if match else None
