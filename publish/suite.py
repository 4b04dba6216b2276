"""What a suites folder holds, read from its files without running them: its tests by name, and its threshold table."""

from __future__ import annotations

import ast
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.phases import TABLE

_TESTS = "test_*.py"


def tests_of(root: Path) -> dict[str, list[str]]:
    """{file: names of its tests without "test_"} of a suites folder; `UsageError` when it is none."""
    if not (root / TABLE).is_file():
        raise UsageError(
            f"{root} is no folder of suites",
            reason=f"there is no {TABLE} in it",
            remedy="run in the checkout that the gates were run in, or name the folder with --suites",
        )
    return {path.relative_to(root).as_posix(): _names(path) for path in sorted(root.rglob(_TESTS))}


def case_gates(root: Path) -> set[str]:
    """The names of the gates that are asked once for each case, as their parameter `case` says."""
    return {
        node.name.removeprefix("test_")
        for path in root.rglob(_TESTS)
        for node in _functions(path)
        if "case" in {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    }


def gate_names(root: Path) -> set[str]:
    """The names of all gates of a suites folder; one with parameters stands once."""
    return {name for names in tests_of(root).values() for name in names}


def _names(path: Path) -> list[str]:
    return [node.name.removeprefix("test_") for node in _functions(path)]


def _functions(path: Path) -> list[ast.FunctionDef]:
    """The tests in a file."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", reason="it is a file of the suites", remedy="mend the file"
        ) from None
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return [node for node in functions if node.name.startswith("test_")]
