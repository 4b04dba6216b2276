"""Expectations that Great Expectations does not have: shares of a mix, quotas, and overlap of a comparison.

Imported only when a suite is validated: importing this module imports great_expectations (seconds), and makes the
three types known under the names that suites/data/*.json use.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pandas
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnAggregateExpectation, ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)


class ColumnValuesUnseen(ColumnMapMetricProvider):
    """Metric: evaluation items that no training row overlaps, from a column of overlapping rows per item."""

    condition_metric_name = "column_values.unseen"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pandas.Series, **_: Any) -> pandas.Series:
        return column == 0


class ExpectColumnValuesToBeUnseen(ColumnMapExpectation):
    """Each evaluation item of a comparison is unseen: the column of overlapping training rows holds 0.

    Null stands for an item that the comparison leaves out.
    """

    map_metric = "column_values.unseen"
    library_metadata: ClassVar[dict[str, Any]] = {"tags": ["modelqa", "contamination"]}


class ExpectColumnSharesToMatch(ColumnAggregateExpectation):
    """The share of each value in a column is what was declared, within `tolerance`.

    shares      {value: declared share of the rows}; a value that is not declared has the declared share 0
    tolerance   largest difference of a declared and a realised share, in shares of the whole
    """

    shares: dict[str, Any]
    tolerance: float = 0.02

    metric_dependencies = ("column.value_counts",)
    success_keys = ("shares", "tolerance")
    library_metadata: ClassVar[dict[str, Any]] = {"tags": ["modelqa", "mix"]}

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        counts = metrics["column.value_counts"].to_dict()
        total = sum(counts.values())
        kwargs = self.configuration.kwargs
        shares = kwargs["shares"]
        realised = {str(key): count / total for key, count in counts.items()}
        gaps = {key: realised.get(key, 0.0) - shares.get(key, 0.0) for key in sorted({*shares, *realised})}
        off = {key: round(gap, 6) for key, gap in gaps.items() if abs(gap) > kwargs.get("tolerance", 0.02)}
        observed = {key: round(share, 6) for key, share in sorted(realised.items())}
        return {"success": not off and total > 0, "result": {"observed_value": observed, "details": {"off": off}}}


class ExpectColumnSharesToReach(ColumnAggregateExpectation):
    """Each named value has at least its share of the rows.

    floors  {value: least share of the rows}; values that are not named are not judged
    """

    floors: dict[str, Any]

    metric_dependencies = ("column.value_counts",)
    success_keys = ("floors",)
    library_metadata: ClassVar[dict[str, Any]] = {"tags": ["modelqa", "quotas"]}

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> dict[str, Any]:
        counts = metrics["column.value_counts"].to_dict()
        total = sum(counts.values())
        shares = {name: counts.get(name, 0) / total if total else 0.0 for name in self.configuration.kwargs["floors"]}
        short = {name: round(share, 6) for name, share in shares.items()
                 if share < self.configuration.kwargs["floors"][name]}
        observed = {name: round(share, 6) for name, share in sorted(shares.items())}
        return {"success": not short and total > 0, "result": {"observed_value": observed, "details": {"short": short}}}
