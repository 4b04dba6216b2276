"""`modelqa verify`: is what a repository holds at a revision the release that it says it is?

Every file is downloaded and compared: with the manifest, with the digests on the card, with the report, and with the
release id in the commit's message. What is not signed shows drift and accidents, not forgery: whoever can write to the
repository can write a consistent release of other files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from modelqa.errors import DataError
from modelqa.files import sha256_bytes
from modelqa.record import Problem

from .card import report_digest
from .hub import Hub
from .ledger import Entry
from .manifest import read_manifest
from .numbers import Entry as Number
from .numbers import lookup, shown, uncovered
from .push import KEPT, described
from .release_files import MANIFEST, NUMBERS, README, REPORT, Release, ReleaseFile

MAX_TEXT_BYTES = 16 << 20  # of a card, report, manifest or index that is read into memory


@dataclass(frozen=True)
class Verified:
    """What was looked at, and everything that is wrong with it; `folder` holds the files for whoever reads on."""

    repository: str
    commit: str
    folder: Path
    files: Mapping[str, ReleaseFile] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


def verify(hub: Hub, revision: str, folder: Path, *, ledger: list[Entry] | None = None) -> Verified:
    """Download a revision into `folder` and compare everything with everything.

    ledger   the local one: a tag that this machine made has to name the commit that it made
    """
    commit = hub.resolve(revision)
    files: dict[str, ReleaseFile] = {}
    for path in tqdm(sorted(hub.snapshot(commit).entries), desc="downloading", unit="file", disable=None):
        files[path] = ReleaseFile.of(path, hub.fetch(path, commit, folder))
    problems = [*_moved(hub, revision, commit, ledger or []), *_listed(files), *_unreleased(hub, commit, files)]
    report: Mapping[str, Any] = {}
    try:
        report = _json(files, REPORT)
        problems += [*_card(files, report), *_described(files, report)]
    except DataError as error:
        problems.append(Problem("verify.unreadable", REPORT, f"{error.fact}: {error.reason}"))
    return Verified(hub.name, commit, folder, files, tuple(problems), report)


def _moved(hub: Hub, revision: str, commit: str, ledger: list[Entry]) -> Iterator[Problem]:
    for entry in ledger:
        if entry.repository == hub.name and entry.tag == revision and entry.commit != commit:
            text = f"this machine tagged {entry.commit}; now the tag names {commit}"
            yield Problem("verify.tag_moved", revision, text)


def _listed(files: Mapping[str, ReleaseFile]) -> Iterator[Problem]:
    """The files against the manifest: which are missing, added, or have other bytes."""
    try:
        manifest = read_manifest(_json(files, MANIFEST))
    except DataError as error:
        yield Problem("verify.unreadable", MANIFEST, f"{error.fact}: {error.reason}")
        return
    for path in sorted({*manifest, *files}):
        if path in (README, MANIFEST, *KEPT):
            continue
        if path not in files:
            yield Problem("verify.missing", path, "the manifest lists it, and it is not there")
        elif path not in manifest:
            yield Problem("verify.added", path, "it is there, and the manifest does not list it")
        elif (files[path].size, files[path].sha256) != manifest[path]:
            yield Problem("verify.changed", path, "its bytes are not those that the manifest lists")


def _unreleased(hub: Hub, commit: str, files: Mapping[str, ReleaseFile]) -> Iterator[Problem]:
    """The release id that the files give against the one in the commit's message."""
    said = described(hub.description(commit))
    found = Release.of((file for path, file in files.items() if path not in KEPT), name="", record="").id
    if "release" not in said:
        yield Problem("verify.unreleased", commit[:12], "this commit was not made by a release")
    elif said["release"] != found:
        yield Problem("verify.release", commit[:12], "the files are not the release that the commit's message names")


def _card(files: Mapping[str, ReleaseFile], report: Mapping[str, Any]) -> Iterator[Problem]:
    """The card against the report: the digests that it names, every number, and all of it when we are its renderer."""
    card = _text(files, README)
    for path, digest in ((REPORT, report_digest(report)), (MANIFEST, _of(files, MANIFEST))):
        if digest not in card:
            yield Problem("verify.digest", path, "the card does not name its digest")
    index = _index(files)
    for entry in index:
        try:
            now = shown(lookup(report, entry.path), entry.form)
        except DataError as error:
            yield Problem("verify.number", entry.path, error.fact)
            continue
        if now != entry.text:
            yield Problem("verify.number", entry.path, f"the card shows {entry.text!r}, the report says {now!r}")
    for what in uncovered(card, index):
        yield Problem("verify.number", README, f"{what!r} is not in the report")


def _described(files: Mapping[str, ReleaseFile], report: Mapping[str, Any]) -> Iterator[Problem]:
    """The report against the files: is it the record of this very checkpoint?"""
    judged = report.get("files")
    if not isinstance(judged, list):
        yield Problem("verify.record", REPORT, "it does not say which files were judged")
        return
    for file in judged:
        path = str(file.get("path")) if isinstance(file, Mapping) else ""
        if path not in files or files[path].sha256 != file.get("sha256"):
            yield Problem("verify.record", path, "the record is of another file than the one that stands here")


def _of(files: Mapping[str, ReleaseFile], path: str) -> str:
    return files[path].sha256 if path in files else sha256_bytes(b"")


def _text(files: Mapping[str, ReleaseFile], path: str) -> str:
    if path not in files or files[path].size > MAX_TEXT_BYTES:
        raise DataError(f"{path} is not there, or is too large", reason="a release has it", remedy="publish again")
    try:
        return files[path].content().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}", reason="it is UTF-8", remedy="publish again") from None


def _json(files: Mapping[str, ReleaseFile], path: str) -> Any:
    try:
        return json.loads(_text(files, path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}", reason="a release has it", remedy="publish again") from None


def _index(files: Mapping[str, ReleaseFile]) -> list[Number]:
    try:
        return [Number(str(row["text"]), str(row["path"]), str(row["form"])) for row in _json(files, NUMBERS)]
    except (KeyError, TypeError):
        raise DataError(f"{NUMBERS} is no index", reason="it lists text, path, form", remedy="publish again") from None
