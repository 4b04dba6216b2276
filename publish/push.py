"""One release, one commit: stage, read back every byte, commit on the head that was judged, prove it, tag it.

The branch changes in a single `create_commit` whose parent is the head that the policy saw: whoever commits in between
makes the Hub refuse it, and everything starts again from the policy. A commit whose answer was lost is looked for in
the history and never sent again. Whatever was interrupted is finished by running the same command again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tqdm import tqdm

from modelqa.errors import HubError

from .hub import STALE, Hub, Snapshot, Staged, additions, copies, deletions, small
from .ledger import Entry as LedgerEntry
from .release_files import MANIFEST, REPORT, Release, ReleaseFile

if TYPE_CHECKING:
    from .hub import Operation

KEPT = (".gitattributes",)  # the Hub writes it into a new repository, and needs it to tell large files apart
NOTHING = Snapshot("", {})  # the head of a repository that is not there
ATTEMPTS = 3  # heads that are tried before a busy branch is left alone
SHORT = 12  # hex digits of an id in a title or a tag


@dataclass(frozen=True)
class Plan:
    """What a release does to a head: every path of both, sorted.

    add, change, same   files of the release; delete: what only the head has; kept: what is left alone by declaration
    """

    add: tuple[str, ...]
    change: tuple[str, ...]
    same: tuple[str, ...]
    delete: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the head holds the release already."""
        return not (self.add or self.change or self.delete)


@dataclass(frozen=True)
class Published:
    """A release that stands on the Hub; `changed` is False when it stood there before."""

    entry: LedgerEntry
    changed: bool


def plan(release: Release, head: Snapshot, kept: Iterable[str] = KEPT) -> Plan:
    """What has to happen to make the head's files the release's, apart from the paths in `kept`."""
    files, kept = release.by_path, set(kept)
    there = {path: entry for path, entry in head.entries.items() if path not in kept or path in files}
    same = [path for path, file in files.items() if path in there and there[path].holds(file)]
    return Plan(
        add=tuple(sorted(set(files) - set(there))),
        change=tuple(sorted((set(files) & set(there)) - set(same))),
        same=tuple(sorted(same)),
        delete=tuple(sorted(set(there) - set(files))),
        kept=tuple(sorted(set(head.entries) - set(there))),
    )


def publish(
    hub: Hub, build: Callable[[Snapshot], Release], *, private: bool = False, kept: Iterable[str] = KEPT
) -> Published:
    """Make the branch hold the release that `build` makes for the head it is shown, and nothing else.

    `build` decides whether a release may replace that head, and raises when not; it is asked again for each new head.
    `HubError` says what is known: the branch then holds the old files or the release, never a mixture.
    """
    kept = tuple(kept)
    for _ in range(ATTEMPTS):
        head = hub.head() or _created(hub, build, private)
        release = build(head)
        if plan(release, head, kept).changes_nothing:
            return Published(finish(hub, release, head.commit, parent=None), changed=False)
        staged = _stage(hub, release, head, kept)
        commit = _land(hub, release, head, staged, kept)
        if commit:
            return Published(finish(hub, release, commit, parent=head.commit, staged=staged), changed=True)
        hub.close(staged.number)
    raise HubError(
        f"{hub.name} was not changed",
        reason=f"somebody else committed {ATTEMPTS} times between the policy's look at the branch and the commit",
        remedy="run the command again when the branch is quiet",
        status=STALE,
    )


def title(release: Release) -> str:
    """The first line of a release's commit and the title of its pull request: by it a lost commit is found again."""
    return f"Release {release.name} {release.id[:SHORT]}"


def description(release: Release, parent: str) -> str:
    """The body of a release's commit: the ledger's entry that stands in the repository itself."""
    digests = "".join(f"\n{path}: sha256 {file.sha256}" for path, file in release.by_path.items()
                      if path in (MANIFEST, REPORT))  # fmt: skip
    return f"release: {release.id}\nrecord: {release.record}\nparent: {parent}{digests}"


def described(text: str) -> dict[str, str]:
    """{name: value} of a commit's body that `description` wrote; of any other text what happens to look like it."""
    pairs = [line.partition(": ") for line in text.splitlines()]
    return {name: value for name, separator, value in pairs if separator}


def tag_name(release: Release, commit: str) -> str:
    """The tag of one release at one commit."""
    return f"release-{release.id[:SHORT]}-{commit[:8]}"


def _created(hub: Hub, build: Callable[[Snapshot], Release], private: bool) -> Snapshot:
    """The head of a new repository; what `build` refuses is refused before one is made for it."""
    build(NOTHING)
    hub.create(private=private)
    head = hub.head()
    if head is None:
        raise HubError(
            f"{hub.name} cannot be read",
            reason="the Hub says that it exists, and does not show it to this token",
            remedy="give a token that may read and write it: HF_TOKEN, or --token-file",
        )
    return head


def _stage(hub: Hub, release: Release, head: Snapshot, kept: tuple[str, ...]) -> Staged:
    """A pull request whose files are the release's, proven by reading every byte of it back."""
    todo = plan(release, head, kept)
    files = [release.by_path[path] for path in (*todo.add, *todo.change)]
    changes = [*additions(files), *deletions(todo.delete)]
    staged = hub.stage(changes, parent=head.commit, title=title(release), description=description(release, head.commit))
    there = plan(release, hub.snapshot(staged.commit), kept)
    if not there.changes_nothing:
        wrong = ", ".join((*there.add, *there.change, *there.delete)[:5])
        raise _unlike(hub, staged, f"these files of the pull request are not the release's: {wrong}")
    read_back(hub, release.files, staged)
    return staged


def read_back(hub: Hub, files: Iterable[ReleaseFile], staged: Staged) -> None:
    """Download every file of a staged release, one at a time, and compare its sha256; `HubError` names a wrong one."""
    for file in tqdm(list(files), desc="reading back", unit="file", disable=None):
        if hub.sha256(file.path, staged.commit) != file.sha256:
            raise _unlike(hub, staged, f"{file.path} came back with other bytes than were sent")


def _unlike(hub: Hub, staged: Staged, reason: str) -> HubError:
    return HubError(
        f"{hub.name} was not changed: what it keeps is not what was sent",
        reason=reason,
        remedy=f"look at pull request {staged.number}, which stays open, and run the command again",
    )


def _land(hub: Hub, release: Release, head: Snapshot, staged: Staged, kept: tuple[str, ...]) -> str | None:
    """The one commit on the branch; None when the head is no longer the one that was judged.

    Large files are taken from the staged commit, on the Hub's side: what lands is what was read back.
    """
    todo = plan(release, head, kept)
    files = [release.by_path[path] for path in (*todo.add, *todo.change)]
    large = [file.path for file in files if not small(file)]
    changes: list[Operation] = [
        *additions(file for file in files if small(file)),
        *copies(large, staged.commit),
        *deletions(todo.delete),
    ]
    return land(
        hub,
        changes,
        head=head,
        wanted=hub.snapshot(staged.commit),
        title=title(release),
        description=description(release, head.commit),
    )


def land(
    hub: Hub, changes: list[Operation], *, head: Snapshot, wanted: Snapshot, title: str, description: str
) -> str | None:
    """Make the one commit that turns the files of `head` into those of `wanted`; its id, None if the head moved on.

    A commit that failed, or whose answer was lost, is looked for in the history. `HubError` says what is known.
    """
    try:
        commit = hub.commit(changes, parent=head.commit, title=title, description=description)
    except HubError as error:
        return _truth(hub, head, wanted, title, error)
    if hub.snapshot(commit).entries != wanted.entries:
        raise HubError(
            f"{hub.name} holds something else than was sent",
            reason=f"commit {commit} differs from {wanted.commit}, whose every byte was compared",
            remedy=f"compare the two, then: modelqa rollback {hub.name} --to the tag of the release before",
        )
    return commit


def _truth(hub: Hub, head: Snapshot, wanted: Snapshot, title: str, error: HubError) -> str | None:
    """What became of a commit that failed: its id if it is in the branch's history, None if the head moved on.

    Raises the error, with what is known, when the branch is as it was.
    """
    try:
        newer = hub.history(since=head.commit)
        for commit, name in newer:
            if name == title and hub.snapshot(commit).entries == wanted.entries:
                return commit
    except HubError as blind:
        raise HubError(
            f"it is not known whether {hub.name} was changed: {error.fact}",
            reason=f"{error.reason}; then {blind.fact}: {blind.reason}",
            remedy="run the command again when the Hub answers: it finds out, and finishes or begins anew",
            status=blind.status,
        ) from error
    if newer or error.status == STALE:
        return None
    raise HubError(
        f"{hub.name} was not changed: {error.fact}",
        reason=f"{error.reason}; the branch still points to {head.commit}",
        remedy=error.remedy,
        status=error.status,
    ) from error


def finish(hub: Hub, release: Release, commit: str, *, parent: str | None, staged: Staged | None = None) -> LedgerEntry:
    """Tag the commit, close what was staged for this release, look at the tag again; all of it may be done already."""
    for number in hub.open_pull_requests(title(release)):
        hub.close(number)
    name = tag_name(release, commit)
    entry = LedgerEntry.of(hub.name, release, commit=commit, parent=parent, tag=name,
                           pull_request=staged.number if staged else None)  # fmt: skip
    if name not in hub.tags():
        try:
            hub.tag(name, commit, entry.message())
        except HubError as error:
            if name not in hub.tags():
                raise HubError(
                    f"the release stands on {hub.name} at {commit}, and has no tag yet: {error.fact}",
                    reason=error.reason,
                    remedy="run the command again: it only adds what is missing",
                    status=error.status,
                ) from error
    at_tag = hub.tags()[name]
    if at_tag != commit:
        raise HubError(
            f"the tag {name} of {hub.name} names {at_tag}, not the release's commit {commit}",
            reason="somebody else made a tag of this name",
            remedy="delete the tag on the Hub, and run the command again",
        )
    return entry
