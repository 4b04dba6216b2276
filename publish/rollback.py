"""`modelqa rollback`: the branch gets the files of an earlier release back, in one commit, without a new upload.

The release is first verified at its tag, byte by byte. History is never rewritten, and no tag is moved: going back is
one more commit, which can be gone back from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelqa.errors import HubError, ReleaseError, UsageError
from modelqa.models import nearest

from .hub import STALE, Hub, Snapshot, additions, copies, deletions
from .ledger import Entry
from .push import description, finish, land
from .release_files import Release
from .verify import Verified, release_of, verify


@dataclass(frozen=True)
class Way:
    """The way back: the release at a tag, the head that it would replace, and what changes."""

    tag: str
    release: Release
    verified: Verified
    wanted: Snapshot
    head: Snapshot
    restore: tuple[str, ...]
    delete: tuple[str, ...]


def way_back(hub: Hub, tag: str, folder: Path, *, ledger: list[Entry]) -> Way:
    """What a rollback to `tag` would do; the release is downloaded into `folder` and verified.

    `UsageError` when there is no such tag, `ReleaseError` when what it names is no sound release.
    """
    tags = hub.tags()
    if tag not in tags:
        known = ", ".join(sorted(tags)[-5:]) or "none"
        raise UsageError(f"{hub.name} has no tag {tag!r}", reason=f"the newest tags are: {known}",
                         remedy=nearest(tag, tags) or "name one of them")  # fmt: skip
    verified = verify(hub, tag, folder, ledger=ledger)
    if verified.problems:
        first = verified.problems[0]
        raise ReleaseError(
            f"{hub.name}@{tag} is no sound release",
            reason=f"{first.code} at {first.locus}: {first.text}; {len(verified.problems)} in all",
            remedy="choose another tag; modelqa verify lists everything that is wrong",
        )
    head, wanted = hub.head(), hub.snapshot(verified.commit)
    if head is None:
        raise HubError(f"{hub.name} cannot be read", reason="it was there a moment ago", remedy="run it again")
    release = release_of(verified.files, verified.report)
    restore = sorted(path for path, entry in wanted.entries.items() if head.entries.get(path) != entry)
    return Way(tag, release, verified, wanted, head, tuple(restore), tuple(sorted({*head.entries} - {*wanted.entries})))


def go_back(hub: Hub, way: Way) -> Entry:
    """Make the commit, and tag it; a branch that holds the release already is left as it is.

    `HubError` when the branch moved since `way_back` looked at it, or says what is known when a call failed.
    """
    if not way.restore and not way.delete:
        return finish(hub, way.release, way.head.commit, parent=None)
    large = [path for path in way.restore if way.wanted.entries[path].sha256]
    changes = [
        *additions(way.verified.files[path] for path in way.restore if path not in large),
        *copies(large, way.wanted.commit),
        *deletions(way.delete),
    ]
    text = f"{description(way.release, way.head.commit)}\nrestores: {way.wanted.commit}"
    commit = land(hub, changes, head=way.head, wanted=way.wanted, title=f"Roll back to {way.tag}", description=text)
    if commit is None:
        raise HubError(
            f"{hub.name} was not changed",
            reason="somebody else committed in the meantime, and what they did would be undone unseen",
            remedy="look at the branch, and run the command again",
            status=STALE,
        )
    return finish(hub, way.release, commit, parent=way.head.commit)
