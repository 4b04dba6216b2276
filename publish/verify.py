"""`modelqa verify`: is what a repository holds at a revision the release that it says it is?

Every file is downloaded and compared: the files with each other (see `agreement`), with the release id in the commit's
message, and with the local ledger. What is not signed shows drift and accidents, not forgery: whoever can write to the
repository can write a consistent release of other files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from modelqa.record import Problem

from .agreement import agreement, left_alone
from .hub import BRANCH, Hub
from .ledger import Entry
from .push import described
from .release_files import Release, ReleaseFile


@dataclass(frozen=True)
class Verified:
    """What was looked at, and everything that is wrong with it; `folder` holds the files for whoever reads on.

    unrendered   why the card's bytes were not compared with a card rendered again; "" when they were
    """

    repository: str
    commit: str
    folder: Path
    files: Mapping[str, ReleaseFile] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    unrendered: str = ""


def verify(
    hub: Hub, revision: str, folder: Path, *, ledger: list[Entry] | None = None, key: Path | None = None
) -> Verified:
    """Download a revision into `folder` and compare everything with everything.

    ledger   the local one: a tag that this machine made has to name the commit that it made
    key      the public key that has to have signed it
    """
    commit = hub.resolve(revision)
    files: dict[str, ReleaseFile] = {}
    for path in tqdm(sorted(hub.snapshot(commit).entries), desc="downloading", unit="file", disable=None):
        files[path] = ReleaseFile.of(path, hub.fetch(path, commit, folder))
    found = agreement(files, key)
    problems = (
        *_moved(hub, revision, commit, ledger or []),
        *found.problems,
        *_unreleased(hub, commit, release_of(files, found.report)),
    )
    if found.report.get("eval_results") and not found.problems and commit == hub.resolve(BRANCH):
        problems += tuple(_not_shown(hub, found.report["eval_results"]))
    return Verified(hub.name, commit, folder, files, problems, found.report, found.unrendered)


def _not_shown(hub: Hub, results: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Results that the Hub keeps as files and does not take as results: it skips such a file without a word."""
    shown = hub.shown_results()
    for entry in results:
        if (entry["dataset"], entry["task"], entry["value"]) not in shown:
            yield Problem("verify.eval_results", entry["path"], "the Hub does not show this result")


def _moved(hub: Hub, revision: str, commit: str, ledger: list[Entry]) -> Iterator[Problem]:
    for entry in ledger:
        if entry.repository == hub.name and entry.tag == revision and entry.commit != commit:
            text = f"this machine tagged {entry.commit}; now the tag names {commit}"
            yield Problem("verify.tag_moved", revision, text)


def release_of(files: Mapping[str, ReleaseFile], report: Mapping[str, Any]) -> Release:
    """The release among the files of a repository: all but those that its report leaves alone."""
    judged = report.get("files")
    named = {
        str(entry.get("path")) for entry in (judged if isinstance(judged, list) else []) if isinstance(entry, dict)
    }
    kept = left_alone(report) - named
    tables = (report.get("model"), report.get("record"))
    model, record = (table if isinstance(table, Mapping) else {} for table in tables)
    own = (file for path, file in files.items() if path not in kept)
    return Release.of(own, name=str(model.get("name", "")), record=str(record.get("digest", "")))


def _unreleased(hub: Hub, commit: str, release: Release) -> Iterator[Problem]:
    """The release id that the files give against the one in the commit's message."""
    said = described(hub.description(commit))
    if "release" not in said:
        yield Problem("verify.unreleased", commit[:12], "this commit was not made by a release")
    elif said["release"] != release.id:
        yield Problem("verify.release", commit[:12], "the files are not the release that the commit's message names")
