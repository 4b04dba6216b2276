"""`modelqa publish`: what stands at the target, what the policy says of it, the release for exactly that head."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.checkpoint import fingerprint_digest
from modelqa.files import strict_json

from .hub import Hub, Snapshot
from .inputs import Inputs
from .policy import CANONICAL, EXPERIMENTAL, Decision, HeadRecord, Policy, Request, decide, metrics_of
from .push import KEPT, described
from .release_files import REPORT, SIGNATURE, Release
from .report import Standing
from .stage import stage

_COMMIT = re.compile(r"[0-9a-f]{40}")
MAX_REPORT_BYTES = 16 << 20  # of another release's report; ours has some hundred kilobytes


@dataclass(frozen=True)
class Releasing:
    """One publishing: inputs, where to, and what was asked for.

    canonical   the repository that an experiment names; key: a private key to sign with

    Calling it with a head gives the release for that head, or raises why there is none.
    """

    hub: Hub
    inputs: Inputs
    request: Request
    policy: Policy
    suites: Path
    canonical: Hub | None = None
    key: Path | None = None

    def __call__(self, head: Snapshot) -> Release:
        """The release that may replace `head`; `ReleaseError` says why none may."""
        base, beside, decision = self.decision(head)
        model = self.inputs.model
        standing = Standing(decision.role, decision.why, model.repo, model.experimental_repo, decision.overrides,
                            self.policy.keep)  # fmt: skip
        return stage(
            self.inputs,
            suites=self.suites,
            standing=standing,
            previous=base.report or None,
            beside=(base.digest, beside.digest),
            key=self.key,
            signature=_fetched(self.hub, head, SIGNATURE) if self.key else b"",
        )

    def decision(self, head: Snapshot) -> tuple[HeadRecord, HeadRecord, Decision]:
        """(the release before, the one to be compared with, what the policy says).

        A head that this very run made already, as what it is to be now, is judged by what it replaced: so the same
        release comes out again.
        """
        run, kept = self.inputs.stored.run, (*KEPT, *self.policy.keep)
        base, adopt = head_record(self.hub, head, kept), self.request.adopt
        role = EXPERIMENTAL if self.request.experimental else CANONICAL
        if (base.run, base.role) == (run.digest, role) and (parent := self._replaced(head)):
            adopt = adopt or next((str(each["reason"]) for each in base.report["standing"]["overrides"]), "")
            base = head_record(self.hub, self.hub.snapshot(parent), kept)
        beside = base
        if self.request.experimental and self.canonical and (there := self.canonical.head()):
            beside = head_record(self.canonical, there, kept)
        request = Request(**{**vars(self.request), "adopt": adopt})
        metrics = metrics_of(run, self.policy, beside.digest)
        return base, beside, decide(request, base, self.policy, metrics, str(run.model["digest"]))

    def _replaced(self, head: Snapshot) -> str:
        """The commit that the release at `head` replaced, "" when a release did not make that commit."""
        parent = described(self.hub.description(head.commit)).get("parent", "")
        return parent if _COMMIT.fullmatch(parent) else ""


def head_record(hub: Hub, head: Snapshot, kept: tuple[str, ...]) -> HeadRecord:
    """What stands at a head; a report that is damaged, or is not of the weights beside it, counts as none."""
    files = [path for path in head.entries if path not in kept]
    try:
        report = strict_json(_fetched(hub, head, REPORT).decode())
    except (ValueError, RecursionError):
        report = None
    return HeadRecord(len(files), report if _describes(report, head) else {}, head.commit)


def _fetched(hub: Hub, head: Snapshot, path: str) -> bytes:
    """The bytes of one file of a head; none when it is not there, or is larger than any of ours."""
    entry = head.entries.get(path)
    if entry is None or entry.size > MAX_REPORT_BYTES:
        return b""
    with tempfile.TemporaryDirectory(prefix="modelqa-") as folder:
        return hub.fetch(path, head.commit, Path(folder)).read_bytes()


def _describes(report: Any, head: Snapshot) -> bool:
    """Whether a report has the parts that are read of it, and names the very weights of the head."""
    if not isinstance(report, Mapping):
        return False
    tables = all(isinstance(report.get(part), Mapping) for part in ("model", "record", "standing"))
    if (
        not tables
        or not _rows(report.get("files"), "path", "sha256")
        or not _rows(report.get("gates"), "gate", "status")
    ):
        return False
    if not _rows(report["standing"].get("overrides"), "reason") or not all(map(_numbers, report["gates"])):
        return False
    judged = {file["path"]: file["sha256"] for file in report["files"]}
    if fingerprint_digest(judged) != report["model"].get("digest"):
        return False
    weights = {path: entry.sha256 for path, entry in head.entries.items() if path.endswith(".safetensors")}
    return bool(weights) and all(judged.get(path) == sha256 for path, sha256 in weights.items())


def _rows(value: Any, *keys: str) -> bool:
    """Whether a value is a list of mappings that have a text at each of these keys."""
    return isinstance(value, list) and all(
        isinstance(row, Mapping) and all(isinstance(row.get(key), str) for key in keys) for row in value
    )


def _numbers(gate: Mapping[str, Any]) -> bool:
    """Whether what a report holds of a gate is, where it is a number at all, one."""
    values = [gate.get(key) for key in ("threshold", "passed", "total", "rate")]
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)
