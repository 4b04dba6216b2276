"""A model repository on the Hub, as the publisher needs it: read a revision, stage, commit on a known parent, tag.

Every call states its repository, its revision by commit id, its token and, through the client, a time-out. Whatever
goes wrong is one `HubError`; whether a call that failed had its effect is for the caller to find out.
"""

from __future__ import annotations

import errno
import os
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.errors import HubError
from modelqa.files import sha256_file

from .release_files import ReleaseFile

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi

    Operation = CommitOperationAdd | CommitOperationCopy | CommitOperationDelete

BRANCH = "main"
TIMEOUT = 60.0  # seconds without a byte, to connect or between two reads; the client itself would wait for ever
IN_MEMORY = 10 << 20  # bytes; what is smaller may be kept in git itself, and is held from the first check to the commit
STALE = 412  # the branch moved since the parent commit was read
MISSING = 404


@dataclass(frozen=True)
class Entry:
    """One file of a revision: its git blob id, and the sha256 when it is kept as a large file."""

    path: str
    size: int
    blob: str
    sha256: str | None = None

    def holds(self, file: ReleaseFile) -> bool:
        """Whether the file of a release is what stands here, by content id."""
        if self.sha256:
            return self.sha256 == file.sha256
        return self.size == file.size and self.blob == _git_blob(file.content())


@dataclass(frozen=True)
class Snapshot:
    """All files of one commit, {path: entry}."""

    commit: str
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class Staged:
    """A pull request that holds a release: its number and its commit."""

    number: int
    commit: str


@dataclass(frozen=True)
class Hub:
    """One model repository `name` ("org/name"); made by `connect`."""

    name: str
    api: HfApi = field(repr=False)

    @contextmanager
    def _call(self, doing: str) -> Iterator[HfApi]:
        """The client; whatever it raises becomes one `HubError` that says what was being done."""
        from huggingface_hub.errors import HfHubHTTPError

        # The client raises its own error for an answer, its HTTP library's for a lost connection, and ValueError,
        # RuntimeError, OSError or a lookup's error for an answer of another shape or a file that cannot be kept.
        transport: type[BaseException] = HfHubHTTPError.__mro__[1]
        try:
            yield self.api
        except (transport, OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
            response = getattr(error, "response", None)
            raise HubError(
                f"{doing} {self.name} failed",
                reason=_one_line(error),
                remedy=_remedy(error, getattr(response, "status_code", None)),
                status=getattr(response, "status_code", None),
            ) from error

    def head(self) -> Snapshot | None:
        """What the branch points to now; None when there is no such repository (or none that the token may see)."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            with self._call("reading the head of") as api:
                commit = api.repo_info(self.name, revision=BRANCH).sha
        except HubError as error:
            if isinstance(error.__cause__, RepositoryNotFoundError):
                return None
            raise
        return self.snapshot(str(commit))

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag or commit id means."""
        with self._call(f"looking for {revision!r} in") as api:
            return str(api.repo_info(self.name, revision=revision).sha)

    def snapshot(self, commit: str) -> Snapshot:
        """The files of a commit."""
        from huggingface_hub.hf_api import RepoFile

        with self._call(f"listing {commit[:12]} of") as api:
            rows = list(api.list_repo_tree(self.name, recursive=True, revision=commit))
        files = [row for row in rows if isinstance(row, RepoFile)]
        entries = {row.path: Entry(row.path, row.size, row.blob_id, row.lfs.sha256 if row.lfs else None)
                   for row in files}  # fmt: skip
        return Snapshot(commit, entries)

    def create(self, *, private: bool) -> None:
        """Make the repository; one that is there already is left as it is."""
        with self._call("creating") as api:
            api.create_repo(self.name, private=private, exist_ok=True)

    def fetch(self, path: str, commit: str, folder: Path) -> Path:
        """Download one file of a commit into `folder`, anew whatever is cached; where it is."""
        with self._call(f"downloading {path} of") as api:
            local = api.hf_hub_download(self.name, path, revision=commit, local_dir=folder, force_download=True)
        return Path(local)

    def sha256(self, path: str, commit: str) -> str:
        """The hash of one file's bytes as they come down the line; nothing of it is kept."""
        with self._call(f"reading back {path} of"), tempfile.TemporaryDirectory(prefix="modelqa-") as folder:
            return sha256_file(self.fetch(path, commit, Path(folder)))

    def stage(self, operations: list[Operation], *, parent: str, title: str, description: str) -> Staged:
        """Open a pull request that makes these changes to the commit `parent`."""
        info = self._commit(operations, "staging in", title, description, parent, pull=True)
        return Staged(int(info.pr_num), str(info.oid))

    def commit(self, operations: list[Operation], *, parent: str, title: str, description: str) -> str:
        """Make one commit on the branch, only if the branch still points to `parent` (else status 412); its id."""
        return str(self._commit(operations, "committing to", title, description, parent, pull=False).oid)

    def _commit(self, operations: list[Operation], doing: str, title: str, description: str, parent: str,
                *, pull: bool) -> Any:  # fmt: skip
        with self._call(doing) as api, warnings.catch_warnings():
            warnings.filterwarnings("error", "Warnings while validating metadata")  # a card without metadata, e.g.
            try:
                return api.create_commit(
                    self.name,
                    operations,
                    commit_message=title,
                    commit_description=description,
                    revision=BRANCH,
                    create_pr=pull,
                    parent_commit=parent,
                )
            except UserWarning as warning:
                raise ValueError(str(warning)) from warning

    def history(self, *, since: str) -> list[tuple[str, str]]:
        """[(commit, title)] on the branch newer than `since`, the newest first."""
        found = []
        with self._call("reading the history of") as api:
            for row in api.list_repo_commits(self.name, revision=BRANCH):
                if row.commit_id == since:
                    break
                found.append((row.commit_id, row.title))
        return found

    def description(self, commit: str) -> str:
        """The body of a commit's message."""
        with self._call(f"reading the message of {commit[:12]} of") as api:
            return str(api.list_repo_commits(self.name, revision=commit)[0].message)

    def tags(self) -> dict[str, str]:
        """{tag: commit}."""
        with self._call("listing the tags of") as api:
            return {ref.name: ref.target_commit for ref in api.list_repo_refs(self.name).tags}

    def tag(self, name: str, commit: str, message: str) -> None:
        """Give a commit a name; status 409 when the name is taken."""
        with self._call("tagging") as api:
            api.create_tag(self.name, tag=name, tag_message=message, revision=commit)

    def open_pull_requests(self, title: str) -> list[int]:
        """The numbers of the open pull requests with exactly this title."""
        with self._call("listing the pull requests of") as api:
            rows = list(api.get_repo_discussions(self.name, discussion_type="pull_request", discussion_status="open"))
        return [row.num for row in rows if row.title == title and row.is_pull_request]

    def shown_results(self) -> list[tuple[str, str, Any]]:
        """[(dataset, task, value)] of the results that the Hub took from the branch's `.eval_results`."""
        with self._call("reading the results that are shown of") as api:
            found = api.model_info(self.name, expand=["evalResults"]).eval_results or []
        return [(entry.dataset_id, entry.task_id, entry.value) for entry in found]

    def close(self, number: int) -> None:
        """Close a pull request; its commits stay readable."""
        with self._call(f"closing pull request {number} of") as api:
            api.change_discussion_status(self.name, number, "closed")


def connect(name: str, *, token: str | None, endpoint: str | None = None, timeout: float = TIMEOUT) -> Hub:
    """The repository `name` at `endpoint` (None: where HF_ENDPOINT says, else huggingface.co).

    token    what writes are allowed by; without one only public repositories are read. It is never printed.
    timeout  seconds without a byte after which a call is given up
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # else the client first calls an address of its own
    os.environ.setdefault("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    from huggingface_hub import HfApi

    limit_waiting(timeout)
    return Hub(name, HfApi(endpoint=endpoint, token=token or False))  # False: no token from anywhere else


def limit_waiting(timeout: float) -> None:
    """Let no request of this process wait longer than so many seconds for a byte: the client itself would for ever."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def bounded() -> Any:
        client = default_client_factory()
        client.event_hooks["request"].append(lambda request: _limit(request, timeout))
        return client

    set_client_factory(bounded)


def _limit(request: Any, seconds: float) -> None:
    """Give a request that would wait for ever its time-outs: listings ask for none, whatever the client's default."""
    limits = request.extensions.setdefault("timeout", {})
    for phase in ("connect", "read", "write", "pool"):
        limits[phase] = seconds if limits.get(phase) is None else limits[phase]


def additions(files: Iterable[ReleaseFile]) -> list[Operation]:
    """The operations that put these files into a commit: small ones as bytes checked now, large ones from disk.

    The client hashes a large file again while it sends it, so that what is staged has to be read back.
    """
    from huggingface_hub import CommitOperationAdd

    return [CommitOperationAdd(file.path, file.content() if small(file) else file.source) for file in files]


def small(file: ReleaseFile) -> bool:
    """Whether a file is held in memory, and may be kept in git itself rather than as a large file."""
    return isinstance(file.source, bytes) or file.size <= IN_MEMORY


def deletions(paths: Iterable[str]) -> list[Operation]:
    """The operations that take these files out of a commit."""
    from huggingface_hub import CommitOperationDelete

    return [CommitOperationDelete(path, is_folder=False) for path in paths]


def copies(paths: Iterable[str], commit: str) -> list[Operation]:
    """The operations that bring files back as they are in another commit of the same repository, on the Hub's side."""
    from huggingface_hub import CommitOperationCopy

    return [CommitOperationCopy(path, path, src_revision=commit) for path in paths]


def _git_blob(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _one_line(error: BaseException) -> str:
    """What went wrong, and behind a general message what caused it."""
    text = " ".join(str(error).split())[:300]
    cause = f" (from {_one_line(error.__cause__)})" if error.__cause__ else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{cause}"


def _remedy(error: BaseException, status: int | None) -> str:
    if status in (401, 403):
        return "give a token that may write to this repository: HF_TOKEN, or --token-file"
    if status == MISSING:
        return "check the name and the revision; a private repository needs a token that may read it"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return "free some space for temporary files, or point TMPDIR elsewhere, and run the command again"
    return "run the command again: it first finds out what is there, and goes on from that"
