"""modelqa/report.json: what of a run record ships. An allow-list: a field that is not named here stays at home.

Counts and hashes stand for training rows and certification cases, there are no absolute paths, hosts or remotes, and
of the replies only the transcripts that the card shows (whole case sets by opt-in, gate by gate).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelqa.errors import RecordError
from modelqa.files import canonical_json, json_text, read_json, sha256_text, strict_json
from modelqa.judge import ALPHA
from modelqa.record import GateResult, Run, Status
from modelqa.scaling import COMPUTE_OPTIMAL

from .bars import threshold_changes
from .beside import comparisons
from .eval_results import result_entries
from .evidence import Evidence
from .records import StoredRun, wording
from .renderer import renderer
from .replies import LONGEST_TEXT, degeneration, full_text, side_by_side, transcripts
from .settings import CardSettings

SCHEMA = 1  # of report.json
_OVERLAP = re.compile(r"data\[(?P<a>train|val|ancestors)_(?P<b>val|cases)\.(?P<tier>\w+)\]")
_SETTINGS = ("engine", "decoding", "dtype", "device", "max_new_tokens", "case_seed")
_FIXED_TEXT = ("bits_per_byte", "perplexity", "tokens", "bytes", "text_sha256")  # what the gate `fixed_text` measures
_MODEL = ("name", "stage", "phase", "system", "digest", "weights_sha256", "template_sha256", "tokenizer_sha256")


@dataclass(frozen=True)
class Standing:
    """Where a release stands: "canonical", "experimental", or "preview" for a card that is only printed.

    why        one sentence; canonical, experimental: the two repositories
    overrides  {what the policy would have refused: the reason given}
    keep       paths of the repository that are left alone
    """

    role: str = "preview"
    why: str = "Printed from a local run; nothing was released."
    canonical: str = ""
    experimental: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()


def make_report(
    stored: StoredRun,
    evidence: Evidence,
    settings: CardSettings,
    *,
    standing: Standing | None = None,
    waivers: Mapping[str, str] | None = None,
    previous: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
    postmortems: Sequence[Mapping[str, Any]] = (),
    plots: Mapping[str, str] | None = None,
    signed_by: str = "",
) -> dict[str, Any]:
    """The report of a run: plain JSON values, as they are read from its file.

    waivers    {gate: reason} of models.toml; previous: the report of the last release; reference: `gate_values` of the
    known-good model's own run. Both give their values beside the candidate's
    postmortems {id, title, summary, path, sha256}; plots: {kind: sha256} of the pictures that ship
    signed_by  sha256 of the public key that the release is signed for, "" when it is not
    """
    run = stored.run
    versions = run.settings.get("versions", {})
    gates = [_gate(result, waivers or {}, previous, reference) for result in run.gates]
    report = {
        "schema": SCHEMA,
        "renderer": renderer(),
        "date": stored.date,
        "standing": _standing(standing or Standing()),
        "model": {key: run.model[key] for key in _MODEL if run.model.get(key) is not None},
        "files": [dict(file) for file in evidence.files],
        "record": _record(run),
        "suite": {"sha256": sha256_text(canonical_json(dict(run.suite))), "files": len(run.suite)},
        "settings": {key: run.settings[key] for key in _SETTINGS if key in run.settings},
        "versions": [{"name": name, "version": str(version)} for name, version in sorted(versions.items())],
        "loads": _loads(versions, evidence),
        "controls": {role: {"name": str(control.get("name", ""))} for role, control in run.controls.items()},
        "gates": gates,
        "bars": dict(run.thresholds.get("bars", {})),
        "thresholds": threshold_changes(run, previous),
        "comparisons": comparisons(run),
        "benchmarks": [dict(row) for row in evidence.benchmarks],
        "trend": dict(evidence.trend),
        "eval_results": result_entries(settings.eval_results, evidence.benchmarks, date=stored.date),
        "scale": _scale(evidence, settings),
        "fixed_text": _fixed_text(run),
        "data": {**evidence.data, "overlap": _overlap(run)},
        "runs": [dict(row) for row in evidence.chain] + [dict(row) for row in settings.runs],
        "losses": {name: [list(point) for point in points] for name, points in evidence.losses.items()},
        "transcripts": transcripts(stored, settings.transcripts),
        "readings": side_by_side(stored),
        "cases": full_text(stored, settings.full_text),
        "degeneration": degeneration(stored.rows),
        "plots": {kind: {"sha256": sha256} for kind, sha256 in (plots or {}).items()},
        "signature": {"key_sha256": signed_by} if signed_by else {},
        "postmortems": [dict(entry) for entry in postmortems],
        "metadata": _metadata(settings),
        "constants": {"confidence": 1 - ALPHA, "tokens_per_parameter": COMPUTE_OPTIMAL},
    }
    return dict(strict_json(json_text(_bounded(report))))  # as its file is read: a card is rendered again from that


def _fixed_text(run: Run) -> dict[str, Any]:
    """How well the model predicts the fixed text of the suites, with the text's hash; {} when it was not asked."""
    measured = next((result.measured for result in run.gates if result.gate == "fixed_text"), {})
    return {key: measured[key] for key in _FIXED_TEXT} if all(key in measured for key in _FIXED_TEXT) else {}


def _bounded(value: Any) -> Any:
    """The value with long texts cut and lone surrogates escaped: no reply, name or reason makes a card unreadable."""
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace").decode()
        return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}… +{len(value) - LONGEST_TEXT}"
    if isinstance(value, Mapping):
        return {_bounded(key): _bounded(entry) for key, entry in value.items()}
    return [_bounded(entry) for entry in value] if isinstance(value, list | tuple) else value


def read_report(path: Path) -> dict[str, Any]:
    """The report in a file; `RecordError` when it is none of this version."""
    value = read_json(path, strict=True)
    gates = value.get("gates") if isinstance(value, dict) and value.get("schema") == SCHEMA else None
    if not isinstance(gates, list) or not all(isinstance(gate, dict) and "gate" in gate for gate in gates):
        raise RecordError(
            f"{path} is no report",
            reason=f"it has no gates, or is not of schema {SCHEMA}",
            remedy="name the modelqa/report.json of a release",
        )
    return dict(value)


def gate_values(run: Run) -> dict[str, Any]:
    """What stands beside another run's gates: `make_report(..., reference=gate_values(reference_run))`."""
    return {"gates": [_gate(result, {}, None, None) for result in run.gates]}


def _standing(standing: Standing) -> dict[str, Any]:
    overrides = [{"what": what, "reason": reason} for what, reason in sorted(standing.overrides.items())]
    return {
        "role": standing.role,
        "why": standing.why,
        "canonical": standing.canonical,
        "experimental": standing.experimental,
        "overrides": overrides,
        "keep": list(standing.keep),
    }


def _record(run: Run) -> dict[str, Any]:
    counts = Counter(result.verdict.status.value for result in run.gates)
    return {
        "digest": run.digest,
        "replies_sha256": run.replies_sha256,
        "scorings": run.scorings,
        "planned": len(run.plan),
        "counts": {status.value.lower().replace(" ", "_"): counts[status.value] for status in Status},
    }


def _gate(
    result: GateResult,
    waivers: Mapping[str, str],
    previous: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None,
) -> dict[str, Any]:
    verdict = result.verdict
    locus, text = wording(verdict, result.rung)
    found: dict[str, Any] = {
        "gate": result.gate,
        "rung": result.rung,
        "of": result.model,
        "status": verdict.status.value,
        "code": verdict.code,
        "locus": locus,
        "text": text,
        "threshold": verdict.threshold,
        "groups": {key: {value: list(pair) for value, pair in values.items()} for key, values in result.groups.items()},
        "allows": dict(result.allows),
    }
    if verdict.total:
        numbers = ("passed", "total", "lower", "upper", "clustered", "families")
        found |= {key: getattr(verdict, key) for key in numbers}
        found["rate"] = verdict.passed / verdict.total
        found["cases_sha256"] = sha256_text(canonical_json(sorted(result.outcomes)))
    if result.nulls:
        name = max(sorted(result.nulls), key=lambda policy: result.nulls[policy])
        found["best_null"] = {"policy": name, "rate": result.nulls[name]}
    if result.gate in waivers:
        found["waiver"] = waivers[result.gate]
    for key, other in (("previous", previous), ("reference", reference)):
        if other and (same := next((gate for gate in other["gates"] if gate["gate"] == result.gate), None)):
            found[key] = {name: same[name] for name in ("status", "passed", "total", "rate") if name in same}
    return found


def _loads(versions: Mapping[str, Any], evidence: Evidence) -> list[dict[str, Any]]:
    """The version that the record was made with, and those that `modelqa loads` tried, which have a `problem` or ""."""
    name = "transformers"
    own = [{"library": name, "version": str(versions[name])}] if name in versions else []
    return own + [dict(row) for row in evidence.loads]


def _scale(evidence: Evidence, settings: CardSettings) -> dict[str, Any]:
    known = [row["tokens"] for row in evidence.chain if "tokens" in row]
    found: dict[str, Any] = {
        "parameters": evidence.parameters,
        "tokens_wanted": COMPUTE_OPTIMAL * evidence.parameters,
        "stages": len(evidence.chain),
        "stages_counted": len(known),
    }
    if evidence.tokens is not None:
        found |= {"tokens": evidence.tokens, "tokens_per_parameter": evidence.tokens / evidence.parameters}
        found["how"] = evidence.tokens_how
    return found | ({"cost": dict(settings.cost)} if settings.cost else {})


def _overlap(run: Run) -> list[dict[str, Any]]:
    rows = []
    for result in run.gates:
        found = _OVERLAP.fullmatch(result.gate)
        if found and "observed" in result.measured and result.verdict.status is not Status.NOT_ASKED:
            observed = json.loads(str(result.measured["observed"]))
            looked = observed.get("rows") if isinstance(observed, dict) else None
            overlapping = result.measured.get("unexpected")
            if isinstance(looked, int) and isinstance(overlapping, int):
                row = {"of": found["b"], "in": found["a"], "tier": found["tier"], "rows": looked}
                rows.append(row | {"overlapping": overlapping})
    return rows


def _metadata(settings: CardSettings) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: getattr(settings, key)
        for key in ("license", "license_name", "license_link", "library_name", "pipeline_tag", "base_model_relation")
        if getattr(settings, key)
    }
    lists = {key: list(getattr(settings, key)) for key in ("language", "tags", "datasets", "base_model")}
    return values | {key: entries for key, entries in lists.items() if entries}
