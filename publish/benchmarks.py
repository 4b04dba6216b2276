"""The benchmark table of a card: imported results of a model, beside those of the model that it was trained from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelqa.benchmarks import Result, against_chance, compared, read_results, results_of
from modelqa.errors import DataError
from modelqa.models import Model, Registry


def benchmark_rows(model: Model, registry: Registry, *, weights: str) -> tuple[dict[str, Any], ...]:
    """A row for each benchmark that models.toml declares results of, controls left out; () without any.

    name, unit, value, and where known n, lower, upper, chance, reading (against chance); beside a parent's result on
    the same questions base, delta, delta_lower, delta_upper, distinguishable (rates, not per cent; Holm over all rows).
    `DataError` when they were scored on other weights than `weights`.
    """
    own = list(_results(model, weights))
    parent = registry.models.get(model.parent)
    beside = {each.name: each for each in compared(own, list(_results(parent)) if parent else [], template=False)}
    rows = []
    for result in own:
        if result.control or result.value is None:
            continue
        row: dict[str, Any] = {"name": result.name, "unit": result.unit, "value": result.value}
        numbers = {key: getattr(result, key) for key in ("n", "lower", "upper", "chance")}
        row |= {key: number for key, number in numbers.items() if number is not None}
        if reading := against_chance(result):
            row["reading"] = reading
        if pair := beside.get(result.name):
            row |= {"base": pair.old.value, "distinguishable": pair.distinguishable}
            if found := pair.comparison:
                row |= {"delta": found.delta, "delta_lower": found.lower, "delta_upper": found.upper}
        rows.append(row)
    return tuple(rows)


def _results(model: Model, weights: str = "") -> Iterator[Result]:
    for path in model.benchmarks:
        found = read_results(path)
        if weights and found.weights and found.weights != weights:
            raise DataError(
                f"{path} holds results of other weights than those of {model.name}",
                reason=f"they were scored on {found.weights[:12]}, and the model has {weights[:12]}",
                remedy="score this checkpoint and import the results again, or take the file out of models.toml",
            )
        yield from results_of(found, model.name)
