"""The reason codes are a closed set: what the code can say is listed, what is listed can be said, each by one gate."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from modelqa.gates import LADDER
from modelqa.preflight import CHECKS
from modelqa.reasons import GATES, SHARED, gate_of

ROOT = Path(__file__).parents[1]
CODE = re.compile(rf"(?:{'|'.join(set(LADDER) - {'data'})})\.\w+|data\.grader_contract")
SUITES = {
    node.name.removeprefix("test_"): path
    for path in (ROOT / "suites").rglob("test_*.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
}


def said() -> set[str]:
    """The codes that stand as strings in the code of modelqa and the suites."""
    files = [*(ROOT / "modelqa").rglob("*.py"), *(ROOT / "suites").rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files if path.name != "reasons.py"]
    strings = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in strings if isinstance(value, str) and CODE.fullmatch(value)}


def made() -> set[str]:
    """The codes that are made from a name: parity.repeat, parity.batch, parity.cache, and those of result tables."""
    from modelqa.parity.measured import _PATHS

    return {f"parity.{name}" for name in _PATHS} | concerns()


def concerns() -> set[str]:
    """The codes of `modelqa.benchmarks`: the first argument of proven and unproven, and what the suite calls a loss."""
    files = [*(ROOT / "modelqa" / "benchmarks").glob("*.py"), ROOT / "suites/benchmarks/test_benchmarks.py"]
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call)]  # fmt: skip
    first = [call.args[0] for call in calls if getattr(call.func, "id", "") in ("proven", "unproven")]
    named = [word.value for call in calls for word in call.keywords if word.arg == "code"]
    return {f"benchmarks.{node.value}" for node in (*first, *named) if isinstance(node, ast.Constant)}


def test_what_the_code_can_say_is_listed() -> None:
    assert (said() | concerns()) - set(GATES) - set(CHECKS) == set()


def test_what_is_listed_can_be_said() -> None:
    assert set(GATES) - said() - made() == set()


def test_every_code_s_gate_is_in_the_suites_and_on_its_rung() -> None:
    for code, gate in GATES.items():
        assert gate in SUITES, code
        assert SUITES[gate].parent.name == code.split(".")[0], code


def test_every_check_on_files_and_logs_has_a_code_of_its_own() -> None:
    """Gates over replies say GATE.below; a check that only asserts says GATE.failed."""
    for rung in ("weights", "training"):
        gates = {gate for gate, path in SUITES.items() if path.parent.name == rung}
        assert gates - set(GATES.values()) == set()


def test_expectations_have_codes_of_their_own() -> None:
    suites = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "suites" / "data").glob("*.json")]
    ids = [expectation["id"] for suite in suites for expectation in suite["expectations"]]
    assert len({gate_of(f"data.{one}") for one in ids}) == len(ids)


@pytest.mark.parametrize(
    ("code", "gate"),
    [
        ("training.nan", "finite_losses"),
        ("echo_basic.below", "echo_basic"),
        ("operators.floor", "operators"),
        ("random_twin.failed", "random_twin"),
        ("data.train.rows", "data[train.rows]"),
        ("weights.unheard", None),
        *((code, None) for code in SHARED),
    ],
)
def test_a_code_leads_to_its_gate(code: str, gate: str | None) -> None:
    assert gate_of(code) == gate
