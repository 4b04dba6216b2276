"""Publishers that are wrong on purpose: each must be found out by a schedule. They run in the child's process."""

from __future__ import annotations

from typing import Any

from modelqa.publish import push
from modelqa.publish.hub import Hub

from modelqa.errors import HubError


def no_parent_commit() -> None:
    """Commits on whatever the branch points to by now."""
    right = Hub._commit

    def wrong(self: Hub, operations: Any, doing: str, title: str, description: str, parent: str, *, pull: bool) -> Any:
        return right(self, operations, doing, title, description, parent if pull else None, pull=pull)  # type: ignore[arg-type]

    Hub._commit = wrong  # type: ignore[method-assign]


def blind_retry() -> None:
    """Sends a commit that failed again, on the head of the moment, without asking the policy about it."""
    right = Hub.commit

    def wrong(self: Hub, operations: Any, *, parent: str, title: str, description: str) -> str:
        try:
            return right(self, operations, parent=parent, title=title, description=description)
        except HubError:
            head = self.head()
            assert head
            return right(self, operations, parent=head.commit, title=title, description=description)

    Hub.commit = wrong  # type: ignore[method-assign]


def blind_staging() -> None:
    """Opens a second pull request when the first got no answer."""
    right = Hub.stage

    def wrong(self: Hub, operations: Any, *, parent: str, title: str, description: str) -> Any:
        try:
            return right(self, operations, parent=parent, title=title, description=description)
        except HubError:
            return right(self, operations, parent=parent, title=f"{title} (retry)", description=description)

    Hub.stage = wrong  # type: ignore[method-assign]


def no_read_back() -> None:
    """Trusts the Hub to have kept what was sent."""
    push.read_back = lambda hub, files, staged: None  # type: ignore[assignment]


def merge() -> None:
    """Merges the pull request: what was committed in between gets mixed in."""

    def wrong(hub: Hub, release: Any, head: Any, staged: Any, kept: Any) -> str:
        hub.api.change_discussion_status(hub.name, staged.number, "open")
        hub.api.merge_pull_request(hub.name, staged.number)
        after = hub.head()
        assert after
        return after.commit

    push._land = wrong


def no_tag() -> None:
    """Forgets the tag."""
    push.finish = lambda hub, release, commit, **rest: push.LedgerEntry.of(
        hub.name, release, commit=commit, parent=None, tag="", pull_request=None
    )
