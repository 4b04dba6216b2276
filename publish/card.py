"""README.md: the card, rendered from a report and words. Pure: the same input gives the same bytes.

Every value reaches the text as a reference into the report (see `numbers`): the environment refuses to print anything
else, and a number in the template or the prose that is no reference is an error. So the index is complete by making.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.errors import DataError
from modelqa.files import canonical_json, sha256_text
from modelqa.gates import LADDER

from .metadata import yaml_block
from .numbers import Entry, literals, lookup, mark, resolve, shown, uncovered

CARDS = Path(__file__).parents[1] / "cards"  # beside this package: in a checkout and in the wheel alike
TEMPLATE = "model.md.jinja"
PLOTS = ("gates", "benchmarks", "trend", "scale", "loss")  # pictures, modelqa/plots/KIND.png
NO_FAILURE = 1.0  # the threshold that allows none

_DATA_FACTS = (
    ("intended", "rows that training was meant to use", "count"),
    ("loaded", "rows that the trainer had", "count"),
    ("seen", "different rows that the model was fed", "count"),
    ("rows_fed", "rows fed in all, repeats included", "count"),
    ("supervised_share", "share of tokens that the loss counted", "rate"),
    ("manifest_sha256", "manifest of the data", "hash"),
)


_OPTIONAL: dict[str, Any] = dict.fromkeys(("best_null", "reference", "previous"))  # of a gate: may be unknown


@dataclass(frozen=True)
class Card:
    """A rendered card and the index of what it shows: `index` leaves out the digests, which cannot be in the report."""

    text: str
    index: tuple[Entry, ...]


class _Value(str):
    """Text that a template may print: a mark, or prose whose numbers are marks."""

    __slots__ = ()


def render(report: Mapping[str, Any], prose: Mapping[str, str], *, manifest_sha256: str = "") -> Card:
    """The card of a report, with a maintainer's prose by section.

    `manifest_sha256` is known once everything else is; a preview shows none. `DataError` when the template or the prose
    names something that the report does not hold.
    """
    from jinja2 import TemplateError

    digests = {"report": report_digest(report), "manifest": manifest_sha256}
    try:
        unresolved = _template().render(
            report=report,
            prose={section: _Value(text) for section, text in prose.items()},
            metadata=_Value(yaml_block(report)),
            n=lambda path, form="text": _Value(mark(path, form)),
            say=_words,
            sealed=bool(manifest_sha256),
            **_views(report),
        )
    except (TemplateError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"the card cannot be rendered: {error}",
            reason="its template names something that the report does not have",
            remedy=f"use a report of this version, or mend {CARDS / TEMPLATE}",
        ) from None
    if stated := literals(unresolved):
        raise DataError(
            f"the card's template states the number {stated[0]}",
            reason="a number that no report holds cannot be verified",
            remedy=f"mend {CARDS / TEMPLATE}",
        )
    text, entries = resolve(_tidy(unresolved), {**report, "digests": digests})
    return Card(text, tuple(entry for entry in entries if not entry.path.startswith("digests.")))


def differences(text: str, report: Mapping[str, Any], index: Sequence[Entry]) -> list[str]:
    """How a published card departs from its report, whatever version rendered it; [] when every number agrees.

    Finds a number that was edited, added or moved, and an index that does not fit the report.
    """
    changed = [
        f"{entry.path}: the card says {entry.text}, the report {again}"
        for entry in index
        if (again := shown(lookup(report, entry.path), entry.form)) != entry.text
    ]
    return changed + [f"not of the report: {found}" for found in uncovered(text, index)]


def read_index(value: object) -> list[Entry]:
    """The index of a card from its JSON value; `DataError` when it is none."""
    try:
        return [Entry(str(row["text"]), str(row["path"]), str(row["form"])) for row in value]  # type: ignore[attr-defined]
    except (KeyError, TypeError):
        raise DataError(
            "modelqa/numbers.json is no index of a card",
            reason="it lists each value with text, path and form",
            remedy="publish the release again",
        ) from None


def report_digest(report: Mapping[str, Any]) -> str:
    """Hex sha256 of the report's canonical JSON, whatever the layout of the file."""
    return sha256_text(canonical_json(dict(report)))


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(CARDS),
        undefined=StrictUndefined,
        autoescape=False,
        finalize=_only_values,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE)


def _only_values(value: Any) -> Any:
    from jinja2 import TemplateError

    if not isinstance(value, _Value):
        raise TemplateError(f"{value!r} is printed without n(...)")
    return value


def _words(text: str) -> _Value:
    """A template's own words, which hold no number and no markup."""
    if not re.fullmatch(r"[A-Za-z ,]+", text):
        raise ValueError(f"not words alone: {text!r}")
    return _Value(text)


def _tidy(text: str) -> str:
    """No trailing spaces, no more than one empty line in a row, one newline at the end."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _views(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the template loops over: gates with a rate and checks, each with its place in the report."""
    gates = list(enumerate(report["gates"]))
    checks = [(number, gate) for number, gate in gates if not gate.get("total")]
    return {
        "rates": [(number, {**_OPTIONAL, **gate}) for number, gate in gates if gate.get("total")],
        "open_checks": _alike(
            (pair for pair in checks if pair[1]["status"] != "PASS"), "rung", "status", "code", "text"
        ),
        "passed_checks": _by_rung(checks),
        "overlap": _overlap(report["data"]["overlap"]),
        "tiers": list(dict.fromkeys(row["tier"] for row in report["data"]["overlap"])),
        "waived": [(number, gate) for number, gate in gates if "waiver" in gate],
        "allowing": _alike((pair for pair in gates if pair[1]["allows"]), "allows"),
        "columns": {
            "reference": any("reference" in gate for _, gate in gates),
            "previous": any("previous" in gate for _, gate in gates),
            "said_by_reference": any("reference" in entry for entry in report["transcripts"]),
        },
        "run_columns": {key: any(key in run for run in report["runs"]) for key in ("recipe", "score", "state")},
        "plots": {kind: kind in report["plots"] for kind in PLOTS},
        "data_facts": [fact for fact in _DATA_FACTS if fact[0] in report["data"]],
        "whole": NO_FAILURE,
    }


def _alike(
    gates: Iterable[tuple[int, Mapping[str, Any]]], *keys: str
) -> list[tuple[int, Mapping[str, Any], list[int]]]:
    """(place, gate, places of all that are alike) of the first gate of each kind: what is said once stands once."""
    found: dict[str, tuple[int, Mapping[str, Any], list[int]]] = {}
    for number, gate in gates:
        found.setdefault(canonical_json([gate[key] for key in keys]), (number, gate, []))[2].append(number)
    return list(found.values())


def _by_rung(checks: Sequence[tuple[int, Mapping[str, Any]]]) -> list[tuple[str, list[int]]]:
    """(rung, places of its passed checks), up the ladder."""
    passed: dict[str, list[int]] = {rung: [] for rung in LADDER}
    for number, gate in checks:
        if gate["status"] == "PASS":
            passed[gate["rung"]].append(number)
    return [(rung, numbers) for rung, numbers in passed.items() if numbers]


def _overlap(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, dict[str, int]]]:
    """(place of its first row, {tier: place}) for each pair of what was looked for and where."""
    pairs: dict[tuple[str, str], dict[str, int]] = {}
    for number, row in enumerate(rows):
        pairs.setdefault((row["of"], row["in"]), {})[row["tier"]] = number
    return [(min(found.values()), found) for found in pairs.values()]
