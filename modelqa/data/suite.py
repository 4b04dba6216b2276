"""Suites of data contracts: JSON files that say what must hold of a dataset, and the results as plain JSON.

Nothing here imports great_expectations: `modelqa.data.contracts` judges, only when a result is not stored.
To add an expectation, add an object to the file's list `expectations`:

    {
      "id": "train.language",                         unique in the file: the name of the pytest item
      "type": "expect_column_values_to_be_in_set",    any expectation of Great Expectations, or of `data.expectations`
      "kwargs": {"column": "language", "value_set": ["en", "de"]},
      "severity": "critical",                         "warning": shown, does not fail
      "description": "Rows are English or German.",   what the reader of a failure is told
      "meta": {"gate": "data/language", "kind": "categories", "needs": ["train"]}
    }

Columns are those of `data.frame` (train, val) and `data.evidence` (overlap, files). `{"$PARAMETER": "mix"}` stands for
a value that models.toml declares. `needs` names evidence without which the question cannot be asked (parameters are
needed without being named): train, val, cases, ancestors, manifest, chat, and "dialogue" for what does not concern the
plain text of a base model. An expectation about values of a column passes on nulls: state beside it that the column
has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from modelqa.errors import DataError
from modelqa.files import read_object

KINDS = frozenset(
    {
        "rows", "nulls", "ids", "roles", "categories", "mix", "end_of_turn", "mask", "duplicates", "conflicts",
        "overlap_prompt", "overlap_payload", "overlap_template", "overlap_ngram", "lineage", "quotas", "prompts",
        "accounts", "length", "language",
    }
)
SEVERITIES = ("critical", "warning")
_FIELDS = ("id", "type", "kwargs", "severity", "description", "meta")
_ENGINES = ("modelqa", "great-expectations", "pandas")  # whose versions a stored result depends on

Suite = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What became of one expectation.

    kind      what sort of failure it would be, one of `KINDS`
    success   whether it holds; False too when `error`, `missing` or `excused` is set
    observed  the value that was judged: a number of rows, shares, counts
    examples  ids of at most five rows that break it
    error     why it could not be judged (a column that is absent, a regular expression that is none): a crash
    missing   the evidence that is not there: the line to add to models.toml, or a value to judge
    excused   why this does not concern a model of this stage
    """

    id: str
    gate: str
    kind: str
    severity: str
    description: str
    success: bool
    observed: Any = None
    unexpected_count: int = 0
    examples: tuple[str, ...] = ()
    error: str = ""
    missing: str = ""
    excused: str = ""

    @property
    def code(self) -> str:
        """The reason code of its failure: no other expectation has it."""
        return f"data.{self.id}"

    @property
    def text(self) -> str:
        """One sentence for a person: what should hold, and what was seen."""
        seen = f"{self.unexpected_count} do not" if self.unexpected_count else f"observed {json.dumps(self.observed)}"
        return f"{self.description} {seen}" + (f", e.g. {', '.join(self.examples)}" if self.examples else "")

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        return {**asdict(self), "examples": list(self.examples)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        """The result that `to_json` wrote."""
        return cls(**{**value, "examples": tuple(value["examples"])})


def read_suite(path: Path) -> Suite:
    """The suite in a JSON file; `DataError` names the expectation that lacks a field or is of an unknown kind."""
    suite = read_object(path, remedy="mend the file; see modelqa/data/suite.py for its form")
    expectations = suite.get("expectations")
    if not suite.get("name") or not isinstance(expectations, list) or not expectations:
        raise _wrong(path, "needs a name and a list of expectations")
    seen: set[str] = set()
    for number, expectation in enumerate(expectations):
        _check(path, number, expectation)
        if expectation["id"] in seen:
            raise _wrong(path, f"two expectations have the id {expectation['id']!r}")
        seen.add(expectation["id"])
    return suite


def _check(path: Path, number: int, expectation: Any) -> None:
    lacking = [name for name in _FIELDS if name not in expectation] if isinstance(expectation, dict) else list(_FIELDS)
    if lacking:
        raise _wrong(path, f"expectation {number} lacks {', '.join(lacking)}")
    where = f"expectation {expectation['id']!r}"
    if expectation["severity"] not in SEVERITIES:
        raise _wrong(path, f"{where}: severity is {expectation['severity']!r}, not one of {', '.join(SEVERITIES)}")
    kind = expectation["meta"].get("kind")
    if kind not in KINDS:
        raise _wrong(path, f"{where}: meta.kind is {kind!r}, not one of {', '.join(sorted(KINDS))}")
    if not expectation["meta"].get("gate"):
        raise _wrong(path, f"{where}: meta.gate is missing")


def _wrong(path: Path, fact: str) -> DataError:
    return DataError(f"{path}: {fact}", reason="a data suite is a JSON file of Great Expectations",
                     remedy="see the example at the top of modelqa/data/suite.py")


def needs(expectation: Mapping[str, Any]) -> list[str]:
    """The evidence that an expectation asks for: `meta.needs`, then the parameters in its kwargs."""
    return list(dict.fromkeys([*expectation["meta"].get("needs", ()), *parameters_of(expectation["kwargs"])]))


def parameters_of(value: Any) -> Iterator[str]:
    """The names of the `{"$PARAMETER": name}` in a value of an expectation's kwargs."""
    if isinstance(value, Mapping):
        if "$PARAMETER" in value:
            yield value["$PARAMETER"]
        for item in value.values():
            yield from parameters_of(item)


def judged_by(suite: Suite, *, evidence: str) -> list[Any]:
    """What results follow from, as a JSON value: the suite, what was judged, and the libraries that judged it.

    `evidence` is `data.evidence.Sources.digest`. Neither great_expectations nor pandas is imported for it.
    """
    return [dict(suite), evidence, {name: version(name) for name in _ENGINES}]


def unanswered(suite: Suite, missing: Mapping[str, str], excused: Mapping[str, str]) -> dict[str, Result]:
    """Results of the expectations that do not concern the model, or whose evidence is missing, by id.

    Both map what is needed to what the reader is told.
    """
    found: dict[str, Result] = {}
    for expectation in suite["expectations"]:
        for field, lines in (("missing", missing), ("excused", excused)):
            told = [lines[name] for name in needs(expectation) if name in lines]
            if told:
                found[expectation["id"]] = result_of(expectation, success=False, **{field: told[0]})
    return found


def result_of(expectation: Mapping[str, Any], *, success: bool, **found: Any) -> Result:
    """The result of an expectation, which says what it is about; `found` are the further fields of `Result`."""
    meta = expectation["meta"]
    return Result(expectation["id"], meta["gate"], meta["kind"], expectation["severity"], expectation["description"],
                  success, **found)
