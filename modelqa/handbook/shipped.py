"""The gates of a suites folder as its files describe them: tests, and the expectations of the data suites.

Nothing is imported or run; the docstring of a test and the description of an expectation are the gate's own words.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.gates import LADDER
from modelqa.phases import TABLE
from modelqa.thresholds.bars import constants_of, mark_of

DATA = "data"  # the test whose parameters are the expectations of the JSON suites


@dataclass(frozen=True)
class Shipped:
    """One gate: its name, rung and file (relative to the suites folder), and what it says of itself.

    words    the docstring or description; around: the docstring of the file, which its gates share
    mark     keywords of @gate as JSON values; None for a check on files or measurements
    plural   whether it is asked once, of all replies
    expects  the expectation of a data suite; {} for a test
    """

    name: str
    rung: str
    file: str
    words: str
    around: str
    mark: Mapping[str, Any] | None = None
    plural: bool = False
    expects: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The first sentence of its own words."""
        return self.words.split("\n\n")[0].replace("\n", " ")

    @property
    def page(self) -> str:
        """The name of its page, without a suffix: no brackets."""
        return self.name.replace("[", ".").replace("]", "")


def gates_of(root: Path) -> list[Shipped]:
    """The gates of a suites folder, up the ladder; `UsageError` when it is none, or a file cannot be read."""
    if not (root / TABLE).is_file():
        raise UsageError(f"{root} is no folder of suites", reason=f"there is no {TABLE} in it",
                         remedy="run it in the checkout, or name the folder with --suites")  # fmt: skip
    found = [gate for path in sorted(root.rglob("test_*.py")) for gate in _tests(root, path)]
    return sorted(found, key=lambda gate: LADDER.index(gate.rung))


def _tests(root: Path, path: Path) -> Iterator[Shipped]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    file = path.relative_to(root)
    rung = next((part for part in reversed(file.parts[:-1]) if part in LADDER), "behaviour")
    around = ast.get_docstring(tree) or ""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        name = node.name.removeprefix("test_")
        if name == DATA and rung == "data":
            yield from _expectations(root, path)
            continue
        wanted = {argument.arg for argument in node.args.args}
        words = cleandoc(ast.get_docstring(node) or "")
        mark = mark_of(node, constants_of(tree.body))
        yield Shipped(name, rung, file.as_posix(), words, around, mark, "replies" in wanted)


def _expectations(root: Path, test: Path) -> Iterator[Shipped]:
    for path in sorted(test.parent.glob("*.json")):
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))["expectations"]
            for row in rows:
                file = path.relative_to(root).as_posix()
                yield Shipped(f"{DATA}[{row['id']}]", "data", file, row["description"], "", expects=row)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, repr(error)) from None


def _unreadable(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} cannot be read: {what}", reason="it is a file of the suites", remedy="mend the file")
