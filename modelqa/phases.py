"""The phase table: which rate each gate must prove in each training phase. One TOML file beside the suites.

[phases]
order = ["base", "phase3a1_alpha", "phase3a2"]
default = "phase3a2"            # for a bare folder, which declares no phase

[gates.echo_basic]
phase3a1_alpha = { from = "phase3a2", because = "echo is taught from phase 2 on" }
phase3a2 = 0.80

[margins]
echo_basic = 0.05               # points of the rate: this much worse than the baseline counts as no worse

[stopping]
first = 25                      # cases of each gate that are asked first; who fails on them clearly is asked no more
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.files import sha256_file

TABLE = "phases.toml"


@dataclass(frozen=True)
class Later:
    """A gate that is asked only from a later phase on, and why."""

    phase: str
    because: str


Entry = float | Later


@dataclass(frozen=True)
class Phases:
    """The table. `entry(gate, phase)` is a rate, a `Later`, or None when the gate has no row.

    margins  {gate: by how much its rate may fall behind the baseline's}; a gate without one is not compared
    first    how many cases of each gate are asked before a first look at them; None: all at once
    """

    order: tuple[str, ...] = ()
    default: str = ""
    rows: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    first: int | None = None

    def entry(self, gate: str, phase: str) -> Entry | None:
        """What the table says of `gate` in `phase`; None when it says nothing."""
        return self.rows.get(gate, {}).get(phase)


def suite_files(root: Path) -> dict[str, str]:
    """{file: sha256} of everything that a suites folder asks with, the table included; compiled and hidden files not.

    Two runs with equal ones asked by the same code and the same thresholds.
    """
    paths = (path for path in sorted(root.rglob("*")) if path.is_file())
    names = {path.relative_to(root).as_posix(): path for path in paths}
    kept = {name for name in names if not any(part.startswith((".", "__pycache__")) for part in name.split("/"))}
    return {name: sha256_file(names[name]) for name in sorted(kept)}


def read_phases(path: Path) -> Phases:
    """The table of a TOML file; `UsageError` names the row that is neither a rate nor from + because."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, str(error)) from None
    phases = table.get("phases", {})
    order = tuple(phases.get("order", ()))
    rows = {
        gate: {phase: _entry(path, gate, phase, value, order) for phase, value in row.items()}
        for gate, row in table.get("gates", {}).items()
    }
    default = phases.get("default", order[-1] if order else "")
    margins = {gate: _margin(path, gate, value) for gate, value in table.get("margins", {}).items()}
    return Phases(order, default, rows, margins, _first(path, table.get("stopping", {})))


def _first(path: Path, stopping: Any) -> int | None:
    """The cases of the first look; None without a table of that name."""
    if not stopping:
        return None
    first = stopping.get("first") if isinstance(stopping, dict) and set(stopping) == {"first"} else None
    if isinstance(first, int) and not isinstance(first, bool) and first > 0:
        return first
    raise _wrong(path, f"stopping is {stopping!r}, not first = NUMBER OF CASES")


def _margin(path: Path, gate: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
        return float(value)
    raise _wrong(path, f"margins.{gate} is {value!r}, no share between 0 and 1")


def _entry(path: Path, gate: str, phase: str, value: Any, order: tuple[str, ...]) -> Entry:
    if phase not in order:
        raise _wrong(path, f"gates.{gate}: phase {phase!r} is not in phases.order")
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    if isinstance(value, dict) and value.get("because") and value.get("from") in order:
        return Later(value["from"], value["because"])
    raise _wrong(path, f"gates.{gate}.{phase} is {value!r}")


def _wrong(path: Path, fact: str) -> UsageError:
    return UsageError(
        f"{path.name}: {fact}",
        reason="each entry is a rate between 0 and 1, or { from = PHASE, because = REASON }",
        remedy=f"mend {path}",
    )
