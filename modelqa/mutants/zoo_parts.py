"""A zoo that was judged in parts: the rows of several runs of `make zoo-matrix`, read back from their zoo.json.

    python -m modelqa.mutants.zoo_matrix --parts FOLDER FOLDER ... [--pages docs]

On a machine that is busy or stops, the matrix is run by words (`zoo_matrix WORD ...`), each into a folder of its own.
A row counts only if what it expects is what zoo.toml says now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.files import read_object
from modelqa.models import Registry
from modelqa.mutants.kind import Expected, Kind
from modelqa.mutants.matrix import Cell, Row
from modelqa.mutants.zoo import Zoo, kind_of
from modelqa.record import Status, Verdict

JUDGED = "zoo.json"
OF_SUITES = ("suite", "bars", "texts")  # areas in which the suite itself is the mutant


def joined(
    parts: Sequence[Path], zoo: Zoo, registry: Registry, twins: Sequence[Kind]
) -> tuple[dict[str, Row], list[Row]]:
    """({defect: its row}, the twins' rows) of the runs in these folders; of one that was judged twice the last.

    What was not judged, or by another expectation than zoo.toml states now, has no row. `UsageError` for a folder
    without a run.
    """
    found = [read_object(_judged(part)) for part in parts]
    held = {row["name"]: row for each in found for row in each["defects"]}
    beside = {row["name"]: row for each in found for row in each["twins"]}
    kinds = {defect.name: kind_of(defect, registry) for defect in zoo.defects}
    return ({name: _row(kind, held[name]) for name, kind in kinds.items() if name in held and _is_of(kind, held[name])},
            [_row(kind, beside[kind.name]) for kind in twins if kind.name in beside])  # fmt: skip


def _judged(part: Path) -> Path:
    if not (part / JUDGED).is_file():
        raise UsageError(f"there is no {JUDGED} in {part}", reason="a run of the zoo writes it at its end",
                         remedy="name the folder that was given as --out")  # fmt: skip
    return part / JUDGED


def _is_of(kind: Kind, held: Mapping[str, Any]) -> bool:
    return held["expected"] is None or held["expected"] == asdict(kind.expects[0])


def _row(kind: Kind, held: Mapping[str, Any]) -> Row:
    expected = Expected(**held["expected"]) if held["expected"] else None
    cells = {gate: _cell(kind, cell) for gate, cell in held["gates"].items()}
    return Row(kind, held["judged_as"], held["locus"], expected, cells, held["reason"], held["seconds"],
               difference=tuple(held["difference"]), applicable=held["outcome"] != "not applicable")  # fmt: skip


def _cell(kind: Kind, held: Mapping[str, Any]) -> Cell:
    verdict = Verdict(Status(held["status"]), held["code"], held["locus"], passed=held["passed"], total=held["total"])
    return Cell(verdict, held["rung"], held["mark"] != "idle", kind.area in OF_SUITES)
