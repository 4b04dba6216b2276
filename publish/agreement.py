"""Do the files of a release agree with each other? Pure: files in, problems out; each code names one disagreement.

The manifest against the files, the report against what it names by hash, the card against the report: its digests,
every number and, when this very renderer made it, every byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelqa.errors import DataError, ModelqaError
from modelqa.files import sha256_bytes, strict_json
from modelqa.record import Problem

from .card import differences, read_index, render, report_digest
from .eval_results import FOLDER, result_of
from .manifest import read_manifest
from .push import KEPT
from .release_files import MANIFEST, NUMBERS, README, REPORT, SIGNATURE, WORDS, ReleaseFile
from .renderer import renderer
from .settings import read_words
from .signature import wrong_signature

MAX_TEXT_BYTES = 16 << 20  # of a card, report, manifest or index that is read into memory

Files = Mapping[str, ReleaseFile]


@dataclass(frozen=True)
class Agreement:
    """The report as it was read, all problems, and why the card was not rendered again ("" when it was)."""

    report: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    unrendered: str = ""


def agreement(files: Files, key: Path | None = None) -> Agreement:
    """How the files of a release agree with each other, and with a public key that signed it."""
    problems: list[Problem] = []
    report: dict[str, Any] = {}
    unrendered = "there is no report to render it from"
    try:
        report = _report(files)
        problems += [*_signed(files, report, key), *_named(files, report), *_results(files, report)]
        problems += _card(files, report)
        unrendered = _other_renderer(report)
        problems += _rendered(files, report) if not unrendered else []
    except DataError as error:
        problems.append(Problem("verify.unreadable", REPORT, f"{error.fact}: {error.reason}"))
    return Agreement(report, (*_listed(files, left_alone(report)), *problems), unrendered)


def left_alone(report: Mapping[str, Any]) -> frozenset[str]:
    """The paths of a repository that are no part of its release: the Hub's own, and what the report declares."""
    standing = report.get("standing")
    keep = standing.get("keep") if isinstance(standing, Mapping) else None
    return frozenset(KEPT) | {str(path) for path in (keep if isinstance(keep, list) else [])}


def _report(files: Files) -> dict[str, Any]:
    value = _json(files, REPORT)
    if not isinstance(value, dict):
        raise DataError(f"{REPORT} is no report", reason="it is one JSON object", remedy="publish again")
    return value


def _listed(files: Files, kept: Collection[str]) -> Iterator[Problem]:
    """The files against the manifest, but for those in `kept`: which are missing, added, or have other bytes."""
    try:
        manifest = read_manifest(_json(files, MANIFEST))
    except DataError as error:
        yield Problem("verify.unreadable", MANIFEST, f"{error.fact}: {error.reason}")
        return
    for path in sorted({*manifest, *files}):
        if path in (README, MANIFEST, SIGNATURE) or (path in kept and path not in manifest):
            continue
        if path not in files:
            yield Problem("verify.missing", path, "the manifest lists it, and it is not there")
        elif path not in manifest:
            yield Problem("verify.added", path, "it is there, and the manifest does not list it")
        elif (files[path].size, files[path].sha256) != manifest[path]:
            yield Problem("verify.changed", path, "its bytes are not those that the manifest lists")


def _named(files: Files, report: Mapping[str, Any]) -> Iterator[Problem]:
    """The report against the files that it names by hash: is it the record of this very checkpoint?"""
    judged, postmortems, plots = (report.get(part) for part in ("files", "postmortems", "plots"))
    if not isinstance(judged, list) or not judged or not isinstance(postmortems, list) or not isinstance(plots, dict):
        yield Problem("verify.record", REPORT, "it does not say which files were judged, explained and drawn")
        return
    pictures = [(f"modelqa/plots/{kind}.png", plot) for kind, plot in plots.items()]
    for path, entry in [*((_path(entry), entry) for entry in (*judged, *postmortems)), *pictures]:
        if path not in files or not isinstance(entry, Mapping) or files[path].sha256 != entry.get("sha256"):
            yield Problem("verify.record", path, "the record is of another file than the one that stands here")


def _results(files: Files, report: Mapping[str, Any]) -> Iterator[Problem]:
    """What is sent to leaderboards against the report."""
    import yaml

    stated = report.get("eval_results")
    entries = [entry for entry in stated if isinstance(entry, Mapping)] if isinstance(stated, list) else []
    wanted = {str(entry.get("path")): entry for entry in entries}
    for path in sorted({*wanted, *(path for path in files if path.startswith(f"{FOLDER}/"))}):
        try:
            same = yaml.safe_load(_text(files, path)) == [result_of(wanted[path])]
        except (yaml.YAMLError, ValueError, LookupError, RecursionError):
            same = False
        if not same:
            yield Problem("verify.eval_results", path, "it is not the result that the report holds")


def _signed(files: Files, report: Mapping[str, Any], key: Path | None) -> Iterator[Problem]:
    """The signature against the public key that is given; without one, only whether it is there when it has to be."""
    if key is None:
        if bool(report.get("signature")) != (SIGNATURE in files):
            text = "it is there, and the report does not name its key" if SIGNATURE in files else "it is missing"
            yield Problem("verify.signature", SIGNATURE, text)
        return
    if SIGNATURE not in files:
        yield Problem("verify.signature", SIGNATURE, "the release is not signed")
        return
    told, manifest, made = (_content(files, path) for path in (REPORT, MANIFEST, SIGNATURE))
    if why := wrong_signature(told, manifest, made, key):
        yield Problem("verify.signature", SIGNATURE, f"it is not that of {key.name} over report and manifest: {why}")


def _path(entry: Any) -> str:
    return str(entry.get("path")) if isinstance(entry, Mapping) else ""


def _card(files: Files, report: Mapping[str, Any]) -> Iterator[Problem]:
    """The card against the report, whatever made it: the digests that it names, and every number."""
    card = _text(files, README)
    for path, digest in ((REPORT, report_digest(report)), (MANIFEST, _sha256(files, MANIFEST))):
        if digest not in card:
            yield Problem("verify.digest", path, "the card does not name its digest")
    for difference in differences(card, report, read_index(_json(files, NUMBERS))):
        yield Problem("verify.number", README, difference)


def _other_renderer(report: Mapping[str, Any]) -> str:
    """Why this modelqa cannot tell which bytes the card should have; "" when it can."""
    own, made = renderer(), report.get("renderer")
    if made == own:
        return ""
    version, sha256 = (str(made.get(key)) for key in own) if isinstance(made, Mapping) else ("?", "")
    return f"modelqa {version} ({sha256[:12]}) made it, this is {own['version']} ({own['sha256'][:12]})"


def _rendered(files: Files, report: Mapping[str, Any]) -> Iterator[Problem]:
    """The card against what report and words give, byte for byte."""
    try:
        words = read_words(Path(WORDS), _text(files, WORDS)) if WORDS in files else {}
        again = render(report, words, manifest_sha256=_sha256(files, MANIFEST)).text
    except ModelqaError as error:
        yield Problem("verify.rendered", README, f"it cannot be rendered again: {error.fact}")
        return
    lines, found = again.splitlines(), _text(files, README).splitlines()
    if again.encode() != files[README].content():
        pairs = enumerate(zip([*lines, "(the end)"], [*found, "(the end)"], strict=False), 1)
        line, (wanted, there) = next(((at, pair) for at, pair in pairs if pair[0] != pair[1]), (0, ("", "")))
        text = f"report and words give {wanted[:120]!r}, the card has {there[:120]!r}"
        yield Problem("verify.rendered", f"{README}, line {line}", text)


def _sha256(files: Files, path: str) -> str:
    return files[path].sha256 if path in files else sha256_bytes(b"")


def _content(files: Files, path: str) -> bytes:
    if path not in files or files[path].size > MAX_TEXT_BYTES:
        raise DataError(f"{path} is not there, or is too large", reason="a release has it", remedy="publish again")
    return files[path].content()


def _text(files: Files, path: str) -> str:
    try:
        return _content(files, path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}", reason="it is UTF-8", remedy="publish again") from None


def _json(files: Files, path: str) -> Any:
    try:
        return strict_json(_text(files, path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON: {error}", reason="a release has it", remedy="publish again") from None
