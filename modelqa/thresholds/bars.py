"""What a suites folder demands, as plain values by name: rates, margins, floors, tolerances, constants of the tests.

    echo_basic/phase3a2              0.8, or "from phase3a2" for a gate that is asked from a later phase on
    echo_basic/margin                0.1
    gates/echo_basic                 "judged", or "printed" for an informational gate
    operators/floors                 {"words": 0.5}; /allows: the null policies it may pass; /threshold: its own rate
    data[train.mix]/tolerance        0.02: every keyword of an expectation, and its severity
    behaviour/test_echo.py:COLLAPSED 0.333: numbers, and lists of names, that a test file holds as a constant

Read from the files alone: nothing is imported or run, so that a selection changes nothing. What a gate's body does with
a value is not seen here; the hashes of the files, which a record keeps too, show that it changed.
"""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.phases import TABLE, Later, Phases, read_phases

Bars = Mapping[str, Any]
ASKED_FROM = "from "  # the value of a gate that is asked from a later phase on begins with it
PHASE_ORDER = "phases"  # the bar that holds the order of the phases
JUDGED, PRINTED = "judged", "printed"
_MARK: dict[str, Any] = {"floors": {}, "allows": [], "threshold": None}  # of a gate's mark, with their defaults
_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def in_force(root: Path) -> dict[str, Any]:
    """{name: value} of everything that the suites folder `root` demands; `UsageError` names a file that cannot be read.

    Values are those of JSON, so that they are the same after a record has kept them.
    """
    found = dict(_table(read_phases(root / TABLE))) if (root / TABLE).is_file() else {}
    for path in sorted(root.rglob("test_*.py")):
        found |= dict(_tests(path, path.relative_to(root).as_posix()))
    for path in sorted(root.glob("data/*.json")):
        found |= dict(_expectations(path))
    return found


def _table(phases: Phases) -> Iterator[tuple[str, Any]]:
    yield PHASE_ORDER, list(phases.order)
    for gate, row in phases.rows.items():
        for phase, entry in row.items():
            yield f"{gate}/{phase}", ASKED_FROM + entry.phase if isinstance(entry, Later) else entry
    for gate, margin in phases.margins.items():
        yield f"{gate}/margin", margin


def _expectations(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        expectations = json.loads(path.read_text(encoding="utf-8"))["expectations"]
        for each in expectations:
            yield f"gates/data[{each['id']}]", JUDGED
            yield f"data[{each['id']}]/severity", each["severity"]
            for key, value in each["kwargs"].items():
                yield f"data[{each['id']}]/{key}", value
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, repr(error)) from None


def _tests(path: Path, name: str) -> Iterator[tuple[str, Any]]:
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    constants = constants_of(body)
    for constant, node in constants.items():
        value = _value(node, constants)
        if constant.isupper() and _demands(value):
            yield f"{name}:{constant}", value
    for test in body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            yield from _gate(test, constants)


def constants_of(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """{name: expression} of a module's plain assignments."""
    assigned = (node for node in body if isinstance(node, ast.Assign) and len(node.targets) == 1)
    return {node.targets[0].id: node.value for node in assigned if isinstance(node.targets[0], ast.Name)}


def _gate(node: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> Iterator[tuple[str, Any]]:
    name = node.name.removeprefix("test_")
    words = mark_of(node, constants)
    yield f"gates/{name}", PRINTED if words and words.get("informational") else JUDGED
    if words is not None:
        for key, default in _MARK.items():
            value = words.get(key, default)
            yield f"{name}/{key}", sorted(value) if key == "allows" and isinstance(value, dict) else value


def mark_of(node: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> dict[str, Any] | None:
    """{keyword: JSON value, or the text of what is none} of a test's @gate; None when it has none."""
    for each in node.decorator_list:
        if isinstance(each, ast.Call) and ast.unparse(each.func).rpartition(".")[2] == "gate":
            return {str(word.arg): _value(word.value, constants) for word in each.keywords}
    return None


def _demands(value: Any) -> bool:
    """Whether a constant decides something: a number, names or numbers in a list, numbers by name. Prose does not."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, str | int | float) for each in value)
    if isinstance(value, dict):
        return bool(value) and all(isinstance(each, int | float) for each in value.values())
    return isinstance(value, int | float)


def _value(node: ast.expr, constants: Mapping[str, ast.expr]) -> Any:
    """The JSON value of an expression; its text when it is more than names, literals and arithmetic on numbers."""
    if isinstance(node, ast.Name) and node.id in constants:
        return _value(constants[node.id], {key: value for key, value in constants.items() if key != node.id})
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sides = [_value(side, constants) for side in (node.left, node.right)]
        if all(isinstance(side, int | float) for side in sides) and not (isinstance(node.op, ast.Div) and not sides[1]):
            return _ARITHMETIC[type(node.op)](*sides)
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        keys = [str(key.value) for key in node.keys if isinstance(key, ast.Constant)]
        return {key: _value(value, constants) for key, value in zip(keys, node.values, strict=True)}
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [_value(each, constants) for each in node.elts]
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return node.value
    return ast.unparse(node)


def _unreadable(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} cannot be read: {what}", reason="it is a file of the suites", remedy="mend the file")
