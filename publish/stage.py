"""Staging: model, record and words become a `Release`, or a refusal with every reason. Nothing is sent.

Only what is named here ships: the files that were judged (weights as safetensors, tokenizer, template, configs), the
licence's text, the card, report, manifest, index of numbers, plots and postmortems.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelqa.checkpoint.folder import inside
from modelqa.errors import ReleaseError
from modelqa.files import json_text
from modelqa.record import Problem
from modelqa.text import escape

from .admission import missing_tests, refusals
from .bars import unexplained
from .card import render
from .eval_results import result_files
from .inputs import Inputs, other_files
from .lint import LICENCE_FILES, facts_of, lint
from .manifest import make_manifest
from .plots import draw
from .release_files import MANIFEST, NUMBERS, README, REPORT, SIGNATURE, WORDS, Release, ReleaseFile
from .report import Standing, make_report
from .secrets import secret_problems
from .signature import key_digest, sign

SHOWN = 8  # reasons of a refusal that are printed; the rest is counted
_SHIPPED = (".safetensors", ".json", ".jinja", ".txt", ".model", ".tiktoken")
_VOCABULARY = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "tekken.json")


def stage(
    inputs: Inputs,
    *,
    suites: Path,
    standing: Standing,
    previous: Mapping[str, Any] | None = None,
    beside: Collection[str] = (),
    key: Path | None = None,
    signature: bytes = b"",
) -> Release:
    """The release of a model that may be released; `ReleaseError` says why another may not, and what to do.

    standing   where it stands, as the publishing policy decided
    previous   the report of the release at the target's head
    beside     digests of what it replaces or stands beside, which it may be compared with
    key        a private key to sign with; signature: of the release at the target's head, kept if it holds for this one
    """
    name = inputs.model.name
    found = refusals(inputs.stored, inputs.model, suites=suites, beside=beside)
    _refuse(name, [*found, *missing_tests(inputs.stored, suites)])
    if changed := other_files(inputs.stored, inputs.checkpoint):
        _refuse(name, [Problem("release.other_files", name, changed)])
    report = _report(inputs, standing, previous, key_digest(key) if key else "")
    _refuse(name, list(unexplained(report["thresholds"])))
    files = [*_checkpoint_files(inputs), *_words(inputs), *_pictures(report)]
    files += [ReleaseFile.of(path, data) for path, data in result_files(report)]
    files += _derived(report, inputs.settings.prose, files)
    if key:
        told, manifest = (next(file.content() for file in files if file.path == path) for path in (REPORT, MANIFEST))
        files.append(ReleaseFile.of(SIGNATURE, sign(told, manifest, key, before=signature)))
    parent = inputs.registry.models[inputs.model.parent].hub if inputs.model.parent else ""
    facts = facts_of(inputs.checkpoint, role=standing.role, parent=parent)
    card = next(file.content() for file in files if file.path == README).decode()
    secrets = [problem for file in files for problem in _secrets(file)]
    _refuse(name, [*lint(card, facts), *_links(inputs.settings.license_link, files), *secrets])
    return Release.of(files, name=name, record=inputs.stored.run.digest)


def _report(inputs: Inputs, standing: Standing, previous: Mapping[str, Any] | None, signed_by: str) -> dict[str, Any]:
    return make_report(
        inputs.stored,
        inputs.evidence,
        inputs.settings,
        standing=standing,
        waivers=inputs.model.waivers,
        previous=previous,
        reference=inputs.reference,
        postmortems=inputs.postmortem_entries,
        signed_by=signed_by,
    )


def _pictures(report: dict[str, Any]) -> list[ReleaseFile]:
    """The plots of a report, which names them by hash from now on."""
    found = {kind: ReleaseFile.of(f"modelqa/plots/{kind}.png", data) for kind, data in draw(report).items()}
    report["plots"] = {kind: {"sha256": file.sha256} for kind, file in found.items()}
    return list(found.values())


def _derived(report: Mapping[str, Any], prose: Mapping[str, str], files: Sequence[ReleaseFile]) -> list[ReleaseFile]:
    """[report, index of numbers, manifest, README]: what is made of the report and of the other files."""
    index = [asdict(entry) for entry in render(report, prose).index]
    told = [
        ReleaseFile.of(REPORT, json_text(report).encode()),
        ReleaseFile.of(NUMBERS, json_text(index).encode()),
    ]
    manifest = ReleaseFile.of(MANIFEST, json_text(make_manifest([*files, *told])).encode())
    sealed = render(report, prose, manifest_sha256=manifest.sha256)
    return [*told, manifest, ReleaseFile.of(README, sealed.text.encode())]


def _checkpoint_files(inputs: Inputs) -> Iterator[ReleaseFile]:
    """The judged files, with the hashes that the record names; a link was followed inside its repository alone."""
    root, judged = inputs.checkpoint.path, inputs.checkpoint.fingerprint
    for name, sha256 in judged.items():
        if not name.endswith(_SHIPPED):
            continue  # code of a checkpoint that was trusted by name is judged, and does not ship
        path = (root / name).resolve()
        yield ReleaseFile(name, path.stat().st_size, sha256, path)


def _words(inputs: Inputs) -> Iterator[ReleaseFile]:
    """The card's words, the postmortems, and the licence's text when it lies in the checkpoint's folder."""
    for name in LICENCE_FILES:
        if (inputs.checkpoint.path / name).exists():
            yield ReleaseFile.of(name, inside(inputs.checkpoint.path, name).resolve())
    if inputs.settings.words:
        yield ReleaseFile.of(WORDS, inputs.settings.words.encode())
    for postmortem in inputs.postmortems:
        yield ReleaseFile.of(postmortem.report_entry["path"], postmortem.path)


def _links(link: str, files: Sequence[ReleaseFile]) -> Iterator[Problem]:
    """A licence's link that leads nowhere."""
    if link and "://" not in link and link not in {file.path for file in files}:
        yield Problem("card.licence_missing", link, "license_link names it, and no such file ships")


def _secrets(file: ReleaseFile) -> list[Problem]:
    """Secrets in a file that ships; of weights the header is read, and a vocabulary may hold any path or host name."""
    if file.path.endswith(".safetensors") and isinstance(file.source, Path):
        return secret_problems(file.path, _header(file.source))
    vocabulary = file.path in _VOCABULARY or file.path.endswith((".model", ".tiktoken"))
    return secret_problems(file.path, file.source, keys_alone=vocabulary)


def _header(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(int.from_bytes(stream.read(8), "little"))


def _refuse(name: str, problems: Sequence[Problem]) -> None:
    if not problems:
        return
    lines = [f"{problem.code} at {problem.locus}: {problem.text}" for problem in problems[:SHOWN]]
    more = len(problems) - len(lines)
    raise ReleaseError(
        f"{escape(name, 'terminal', limit=80)} cannot be released",
        reason="\n    ".join(
            [escape(line, "terminal", limit=400) for line in lines] + ([f"and {more} more"] if more else [])
        ),
        remedy=_REMEDIES.get(problems[0].code, "mend what is named first, and run the gates again"),
    )


_REMEDIES = {
    "release.unknown_record": "run the gates again, and release what that run wrote",
    "release.cached": "run it again with --modelqa-release, which asks the model anew",
    "release.undeclared": "add the model to models.toml, with its data, and run the gates again",
    "release.baseline": "run the gates without --modelqa-baseline, or beside what the release would replace",
    "release.loosened": "write why in suites/ledger.toml (modelqa thresholds), and run the gates again",
    "release.suite": "run the gates again with the suites as they are now",
    "release.deselected": "run all of suites/, without -k, -m or a node id",
    "release.not_planned": "run all of suites/, without -k, -m or a node id",
    "release.other_files": "run the gates again on the files that are to ship",
    "card.pickle": "move what is named out of the checkpoint's folder; convert pickles to safetensors",
    "card.secret": "remove the secret, revoke it, and run again; what it is is not shown here",
    "card.licence_differs": "make card and LICENSE file name one licence",
}
