"""Rung 3: the data. One test for each expectation of the JSON files in this folder.

Edit the JSON files to change what is asked; `modelqa/data/suite.py` says how to add an expectation. Nothing is read but
JSON until a test runs, and each dataset is judged once.
"""

import json
import warnings
from pathlib import Path

import pytest

import modelqa
from modelqa.errors import DataError

SUITES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("*.json"))]
EXPECTATIONS = [
    pytest.param(suite["name"], expectation["id"], id=expectation["id"])
    for suite in SUITES for expectation in suite["expectations"]
]


@pytest.mark.parametrize(("suite", "expectation"), EXPECTATIONS)
def test_data(suite, expectation, data_results, measured):
    result = data_results(suite)[expectation]
    if result.excused:
        modelqa.not_asked(result.excused)
    if result.missing:
        modelqa.no_evidence(result.missing)
    if result.error:
        raise DataError(
            f"{expectation} could not be judged: {result.error}",
            reason="the expectation names a column, a value or a pattern that the data does not have",
            remedy=f"correct it in suites/data/{suite}.json",
        )
    measured["observed"] = json.dumps(result.observed)
    measured["unexpected"] = result.unexpected_count
    if result.severity == "warning" and not result.success:
        measured["warning"] = result.text
        warnings.warn(result.text, stacklevel=1)
    elif not result.success:
        modelqa.deny([modelqa.Problem(result.code, ", ".join(result.examples) or expectation, result.text)])
