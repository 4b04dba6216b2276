"""Staging: model, record and words become a `Release`, or a refusal with every reason. Nothing is sent.

Only what is named here ships: the files that were judged (weights as safetensors, tokenizer, template, configs), the
licence's text, the card, report, manifest, index of numbers, plots and postmortems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelqa.errors import ReleaseError
from modelqa.files import json_text
from modelqa.record import Problem
from modelqa.text import escape

from .admission import missing_tests, refusals
from .card import render
from .inputs import Inputs, other_files
from .lint import LICENCE_FILES, facts_of, lint
from .manifest import make_manifest
from .plots import draw
from .release_files import MANIFEST, NUMBERS, README, REPORT, Release, ReleaseFile
from .report import Standing, make_report
from .secrets import secret_problems

SHOWN = 8  # reasons of a refusal that are printed; the rest is counted
_SHIPPED = (".safetensors", ".json", ".jinja", ".txt", ".model", ".tiktoken")
_VOCABULARY = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt", "tekken.json")


def stage(
    inputs: Inputs,
    *,
    suites: Path,
    standing: Standing,
    previous: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
) -> Release:
    """The release of a model that may be released; `ReleaseError` says why another may not, and what to do.

    standing   where it stands, as the publishing policy decided
    previous   the report of the release at the target's head; reference: the report of the known-good model
    """
    name = inputs.model.name
    _refuse(name, [*refusals(inputs.stored, inputs.model, suites=suites), *missing_tests(inputs.stored, suites)])
    if changed := other_files(inputs.stored, inputs.checkpoint):
        _refuse(name, [Problem("release.other_files", name, changed)])
    files = [*_checkpoint_files(inputs), *_words(inputs)]
    report = _report(inputs, standing, previous, reference)
    pictures = {kind: ReleaseFile.of(f"modelqa/plots/{kind}.png", data) for kind, data in draw(report).items()}
    report["plots"] = {kind: {"sha256": file.sha256} for kind, file in pictures.items()}
    files += pictures.values()
    card = render(report, inputs.settings.prose)
    files += [
        ReleaseFile.of(REPORT, json_text(report).encode()),
        ReleaseFile.of(NUMBERS, json_text([asdict(entry) for entry in card.index]).encode()),
    ]
    manifest = ReleaseFile.of(MANIFEST, json_text(make_manifest(files)).encode())
    sealed = render(report, inputs.settings.prose, manifest_sha256=manifest.sha256)
    files += [manifest, ReleaseFile.of(README, sealed.text.encode())]
    parent = inputs.registry.models[inputs.model.parent].hub if inputs.model.parent else ""
    facts = facts_of(inputs.checkpoint, role=standing.role, parent=parent)
    _refuse(name, [*lint(sealed.text, facts), *(problem for file in files for problem in _secrets(file))])
    return Release.of(files, name=name, record=inputs.stored.run.digest)


def _report(
    inputs: Inputs, standing: Standing, previous: Mapping[str, Any] | None, reference: Mapping[str, Any] | None
) -> dict[str, Any]:
    return make_report(
        inputs.stored,
        inputs.evidence,
        inputs.settings,
        standing=standing,
        waivers=inputs.model.waivers,
        previous=previous,
        reference=reference,
        postmortems=inputs.postmortem_entries,
    )


def _checkpoint_files(inputs: Inputs) -> Iterator[ReleaseFile]:
    """The judged files, with the hashes that the record names; a link was followed inside its repository alone."""
    root, judged = inputs.checkpoint.path, inputs.checkpoint.fingerprint
    for name, sha256 in judged.items():
        if not name.endswith(_SHIPPED):
            continue  # code of a checkpoint that was trusted by name is judged, and does not ship
        path = (root / name).resolve()
        yield ReleaseFile(name, path.stat().st_size, sha256, path)


def _words(inputs: Inputs) -> Iterator[ReleaseFile]:
    """Postmortems, and the licence's text when it lies in the checkpoint's folder."""
    for name in LICENCE_FILES:
        path = inputs.checkpoint.path / name
        if path.is_file() and not path.is_symlink():
            yield ReleaseFile.of(name, path)
    for postmortem in inputs.postmortems:
        yield ReleaseFile.of(postmortem.report_entry["path"], postmortem.path)


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
    "release.suite": "run the gates again with the suites as they are now",
    "release.deselected": "run all of suites/, without -k, -m or a node id",
    "release.not_planned": "run all of suites/, without -k, -m or a node id",
    "release.other_files": "run the gates again on the files that are to ship",
    "card.pickle": "move what is named out of the checkpoint's folder; convert pickles to safetensors",
    "card.secret": "remove the secret, revoke it, and run again; what it is is not shown here",
    "card.licence_differs": "make card and LICENSE file name one licence",
}
