"""The gates that a run laid beside its baseline's: what the record says of the pairs, held against its own outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from modelqa.errors import RecordError
from modelqa.record import GateResult, Run
from modelqa.stats import Paired

_PAIRS = ("gained", "lost", "total", "baseline")  # what the record of every comparison has
_BOUNDS = ("lower", "upper", "p_adjusted", "margin")
ROUNDED = 1e-6  # to which a record rounds bounds


def is_comparison(result: GateResult) -> bool:
    """Whether a gate compared another one with the baseline's."""
    return all(key in result.measured for key in _PAIRS)


def compared_gate(result: GateResult) -> str:
    """The gate that a comparison is about: "echo" for "not_worse[echo]"."""
    return result.gate.partition("[")[2].removesuffix("]")


def pairs_of(result: GateResult, beside: GateResult) -> Paired:
    """The pairs of a gate and its comparison; `RecordError` when they do not agree with the gate's outcomes."""
    gained, lost = (_cases(beside, key) for key in ("gained", "lost"))
    outcomes = result.outcomes
    sound = (
        bool(outcomes)
        and beside.measured["total"] == len(outcomes)
        and all(outcomes.get(case) == "yes" for case in gained)
        and all(case in outcomes and outcomes[case] != "yes" for case in lost)
    )
    if not sound:
        _contradiction(beside, "the cases that it says were gained and lost are not those of the outcomes")
    return Paired(len(gained), len(lost), len(outcomes))


def comparisons(run: Run) -> list[dict[str, Any]]:
    """A row for each gate that was laid beside the baseline's; `RecordError` when one contradicts its outcomes."""
    results = {result.gate: result for result in run.gates}
    return [_row(results, each) for each in run.gates if is_comparison(each)]


def _row(results: Mapping[str, GateResult], beside: GateResult) -> dict[str, Any]:
    name, measured = compared_gate(beside), beside.measured
    if name not in results:
        _contradiction(beside, "the record does not hold the gate that was compared")
    pairs = pairs_of(results[name], beside)
    passed = sum(value == "yes" for value in results[name].outcomes.values())
    counts = {"passed": passed, "baseline_passed": passed - pairs.only_new + pairs.only_old, "total": pairs.n}
    bounds = {key: _rate(beside, key) for key in _BOUNDS}
    if any(measured.get(key) != count for key, count in counts.items()):
        _contradiction(beside, "its counts are not those of the outcomes")
    if not bounds["lower"] - ROUNDED <= pairs.difference <= bounds["upper"] + ROUNDED:
        _contradiction(beside, "the difference lies outside its bounds")
    return {
        "gate": beside.gate,
        "of": name,
        "baseline": str(measured["baseline"]),
        "status": beside.verdict.status.value,
        "code": beside.verdict.code,
        **counts,
        "difference": pairs.difference,
        **bounds,
    }


def _cases(beside: GateResult, key: str) -> set[str]:
    value = beside.measured[key]
    if not isinstance(value, list | tuple) or not all(isinstance(case, str) for case in value):
        _contradiction(beside, f"what it calls {key} is no list of cases")
    return set(value)


def _rate(beside: GateResult, key: str) -> float:
    value = beside.measured.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 1:
        _contradiction(beside, f"its {key} is no number between -1 and 1")
    return float(value)


def _contradiction(beside: GateResult, reason: str) -> NoReturn:
    raise RecordError(
        f"the record contradicts itself on {beside.gate}",
        reason=reason,
        remedy="run the gates again; do not edit a record",
    )
