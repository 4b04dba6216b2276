"""The two files of a suites folder that remember: what the last release demanded, and why anything is looser since.

    released.json   the bars in force at the last release; written by modelqa thresholds --release
    ledger.toml     the reasons, one row a loosening; a row holds for exactly one bar at exactly one value:

    [[loosened]]
    bar = "echo_basic/phase3a1_beta"
    before = 0.80
    now = 0.60                          # leave out for what is gone
    because = "measured 75%: invented words come with gamma"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.files import read_object, write_json
from modelqa.record import Problem
from modelqa.thresholds.bars import in_force
from modelqa.thresholds.changes import Change, explained, loosened, loosened_along

RELEASED, LEDGER = "released.json", "ledger.toml"


def read_ledger(root: Path) -> list[dict[str, Any]]:
    """The rows of a suites folder's ledger, [] without one; `UsageError` for a row that lacks its bar or its reason."""
    path = root / LEDGER
    if not path.is_file():
        return []
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("loosened", [])
    except (OSError, ValueError, RecursionError) as error:
        raise _wrong(path, f"cannot be read: {error}") from None
    for number, row in enumerate(rows, 1):
        sound = isinstance(row, dict) and set(row) <= {"bar", "before", "now", "because"}
        if not sound or not all(isinstance(row.get(key), str) and row[key].strip() for key in ("bar", "because")):
            raise _wrong(path, f"row {number} is none of a ledger")
    return list(rows)


def _wrong(path: Path, fact: str) -> UsageError:
    return UsageError(
        f"{path} {fact}",
        reason="each [[loosened]] has a bar, a because that says something, and before and now as values",
        remedy="mend the row",
    )


def released(root: Path) -> tuple[str, dict[str, Any]] | None:
    """(the last release, what it demanded); None for a suites folder that never noted one."""
    path = root / RELEASED
    if not path.is_file():
        return None
    content = read_object(path)
    if not isinstance(content.get("bars"), dict) or not isinstance(content.get("release"), str):
        raise UsageError(f"{path} is no note of a release", reason="it holds a release and its bars",
                         remedy="take it from the commit of that release")  # fmt: skip
    return content["release"], content["bars"]


def write_released(root: Path, release: str) -> None:
    """Note that what is demanded now is what `release` demanded."""
    write_json(root / RELEASED, {"release": release, "bars": in_force(root)})


def stated(root: Path) -> dict[str, Any]:
    """What a record keeps: the release, the bars in force, what is looser since, and every reason of the ledger."""
    bars, reasons, before = in_force(root), read_ledger(root), released(root)
    changes = explained(loosened(before[1], bars), reasons) if before else []
    return {
        "release": before[0] if before else "",
        "bars": bars,
        "loosened": [asdict(change) for change in changes],
        "reasons": reasons,
    }


def ledger_problems(standing: Mapping[str, Any], phases: Sequence[str]) -> list[Problem]:
    """What is looser than at the last release, or along a model's line of `phases`, and has no reason in the ledger.

    standing  of `stated`; the locus of a problem is the bar
    """
    since = [Change(**row) for row in standing["loosened"]]
    along = explained(loosened_along(standing["bars"], phases), standing["reasons"])
    return [
        *(_problem("harness.loosened", f"at {standing['release']}", each) for each in since if not each.because),
        *(_problem("harness.loosened_in_chain", "in a phase before", each) for each in along if not each.because),
    ]


def _problem(code: str, than: str, change: Change) -> Problem:
    return Problem(code, change.bar, f"{change.values}, looser than {than}, and nothing says why")
