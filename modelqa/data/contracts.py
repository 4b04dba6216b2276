"""Data contracts: a Great Expectations suite, judged once per dataset; its results are plain values.

    results = validate(frame, read_suite(path), {"intended_rows": 12000}, missing={"val": 'add val = ["..."]'})

The only module, with `data.expectations`, that knows great_expectations: an import of seconds, made inside `validate`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelqa.data.suite import Result, Suite, parameters_of, result_of, unanswered
from modelqa.errors import DataError

if TYPE_CHECKING:
    import pandas

EXAMPLES = 5  # ids of rows that a result names


def validate(frame: pandas.DataFrame, suite: Suite, parameters: Mapping[str, Any],
             *, missing: Mapping[str, str] | None = None, excused: Mapping[str, str] | None = None) -> list[Result]:
    """One result for each expectation of the suite, in its order, from one validation of the frame.

    frame       one row per thing that is judged, with a column `id`
    parameters  values for {"$PARAMETER": name}
    missing     {evidence that is not there: the line to add}; what needs it is not judged
    excused     {evidence that a model of this stage does not have: why}; the same
    """
    absent = unanswered(suite, missing or {}, excused or {})
    asked = [expectation for expectation in suite["expectations"] if expectation["id"] not in absent]
    for expectation in asked:
        for name in parameters_of(expectation["kwargs"]):
            if name not in parameters:
                raise DataError(
                    f"the suite {suite['name']} asks for the parameter {name!r} in {expectation['id']}",
                    reason=f"known are {', '.join(sorted({*parameters, *(missing or {})})) or 'none'}",
                    remedy="correct the name, or write the value into the suite",
                )
    judged = _judge(frame, suite["name"], asked, parameters) if asked else {}
    return [absent.get(e["id"]) or judged[e["id"]] for e in suite["expectations"]]


def _judge(frame: pandas.DataFrame, name: str, asked: list[dict[str, Any]],
           parameters: Mapping[str, Any]) -> dict[str, Result]:
    with warnings.catch_warnings():  # of the libraries that it imports
        warnings.simplefilter("ignore", DeprecationWarning)
        import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    import modelqa.data.expectations  # noqa: F401 - makes our expectation types known

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)  # its temporary folder
    context = gx.get_context(mode="ephemeral")  # named: the default mode may read a project folder or ask a service
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=[_expectation(name, one) for one in asked]))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    report = definition.run(
        batch_parameters={"dataframe": frame}, expectation_parameters=dict(parameters),
        result_format={"result_format": "SUMMARY", "unexpected_index_column_names": ["id"],
                       "partial_unexpected_count": EXAMPLES},
    )
    found = {one["expectation_config"]["meta"]["id"]: one for one in _plain(report)["results"]}
    return {expectation["id"]: _converted(frame, expectation, found[expectation["id"]]) for expectation in asked}


def _expectation(name: str, asked: Mapping[str, Any]) -> Any:
    """Great Expectations' object for one entry of a suite; its own ids are its own, ours travel in meta."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(
            type=asked["type"], kwargs=asked["kwargs"], meta={"id": asked["id"]}).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise DataError(
            f"the suite {name} has an expectation that Great Expectations refuses: {asked['id']}",
            reason=" ".join(str(error).split()), remedy="correct its type or its kwargs in the suite's file",
        ) from None


def _plain(report: Any) -> dict[str, Any]:
    value: dict[str, Any] = report.to_json_dict()
    return value


def _converted(frame: pandas.DataFrame, expectation: Mapping[str, Any], found: Mapping[str, Any]) -> Result:
    """Our result from one of Great Expectations: a crash of a metric is an error, nothing to judge no evidence."""
    result = found["result"]
    error = _trouble(found.get("exception_info") or {}) or ("" if result else "no value was computed")
    elements = result.get("element_count")
    column = str(expectation["kwargs"].get("column"))
    if not error and elements is not None and elements - result.get("missing_count", 0) == 0:
        nothing = f"rows with a value in column {column}; none of {elements} has one"
        return result_of(expectation, success=False, missing=nothing)
    if error:
        return result_of(expectation, success=False, error=error)
    return result_of(
        expectation, success=bool(found["success"]), observed=_observed(result),
        unexpected_count=int(result.get("unexpected_count") or 0) if elements is not None else 0,
        examples=tuple(dict.fromkeys(_examples(frame, column, result.get("partial_unexpected_index_list") or ()))),
    )


def _trouble(information: Mapping[str, Any]) -> str:
    """The first exception message in a result's exception_info, which is flat or one entry for each failed metric."""
    if information.get("raised_exception"):
        return str(information.get("exception_message") or "an exception without a message").strip()
    nested = (value for value in information.values() if isinstance(value, Mapping))
    return next((message for value in nested if (message := _trouble(value))), "")


def _observed(result: Mapping[str, Any]) -> Any:
    """What was judged: a column's counts, or the value (and what of it is off) of an expectation about a whole."""
    if "element_count" in result:
        return {"rows": result["element_count"] - result.get("missing_count", 0)}
    off = {key: result[f"partial_{key}_list"] for key in ("unexpected", "missing") if result.get(f"partial_{key}_list")}
    off |= result.get("details", {})
    return {"value": result.get("observed_value"), **off} if off else result.get("observed_value")


def _examples(frame: pandas.DataFrame, column: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Ids of broken rows; where the frame names the other side of a match (column `..._by`), that too."""
    other = f"{column}_by"
    for row in list(rows)[:EXAMPLES]:
        by = frame.loc[frame["id"] == row["id"], other].iloc[0] if other in frame else ""
        yield f"{row['id']} ({by})" if by else str(row["id"])
