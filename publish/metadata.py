"""The YAML block of a card: what the Hub reads. Every value in it is a reference into the report, as on the card.

Gates stand in the model index alone: `.eval_results` files are for registered benchmarks (see `eval_results`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .numbers import mark

KEYS = (
    "license", "license_name", "license_link", "language", "library_name", "pipeline_tag", "tags", "base_model",
    "base_model_relation", "datasets",
)  # fmt: skip  # in this order on every card
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")  # needs no quotes in YAML ...
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})  # ... unless YAML reads it as a value


def yaml_block(report: Mapping[str, Any]) -> str:
    """The metadata between two lines of ---, with marks for every value of the report."""
    lines = ["---"]
    for key in (key for key in KEYS if key in report["metadata"]):
        lines += _lines(key, report["metadata"][key], f"metadata.{key}")
    lines += [
        "modelqa:",
        f"  role: {mark('standing.role', 'yaml_word')}",
        f"  report: {mark('digests.report', 'yaml')}",
    ]
    index = list(_model_index(report))
    if index:
        lines += ["model-index:", f"- name: {mark('model.name', 'yaml')}", "  results:", *index]
    return "\n".join([*lines, "---"])


def yaml_word(value: Any) -> bool:
    """Whether a text can stand in YAML without quotes and stays a text."""
    return bool(_BARE.fullmatch(str(value))) and str(value).lower() not in _WORDS


def _lines(key: str, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        yield f"{key}:"
        yield from (f"- {_scalar(entry, f'{path}.{number}')}" for number, entry in enumerate(value))
    else:
        yield f"{key}: {_scalar(value, path)}"


def _scalar(value: Any, path: str) -> str:
    return mark(path, "yaml_word" if yaml_word(value) else "yaml")


def _model_index(report: Mapping[str, Any]) -> Iterator[str]:
    """One result for each rate gate of the candidate that was judged, its pass rate as the metric."""
    task = _scalar(report["metadata"]["pipeline_tag"], "metadata.pipeline_tag")
    for number, gate in enumerate(report["gates"]):
        if gate["of"] != "candidate" or gate["status"] not in ("PASS", "FAIL") or not gate.get("total"):
            continue
        at = f"gates.{number}"
        yield from (
            "  - task:",
            f"      type: {task}",
            "    dataset:",
            "      type: modelqa-gate",
            f"      name: {mark(f'{at}.gate', 'yaml')}",
            "    metrics:",
            "    - type: pass_rate",
            f"      name: {mark(f'{at}.gate', 'yaml')}",
            f"      value: {mark(f'{at}.rate', 'raw')}",
        )
