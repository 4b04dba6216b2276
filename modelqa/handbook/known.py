"""What stands about gates outside the suites folder: the failures that they must catch, and stored failing outputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from modelqa.handbook.page import Failing, Known
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.zoo import read_zoo
from modelqa.phases import TABLE, read_phases
from modelqa.reasons import gate_of

OUTPUTS = Path("failing")  # below the folder of the pages: what gates said of real defects
SUFFIX = ".txt"


def known(suites: Path, *, zoo: Path | None, pages: Path | None) -> Known:
    """All that is known; without a zoo no failures, without pages no outputs."""
    return Known(
        read_phases(suites / TABLE),
        failures_by_gate(zoo) if zoo is not None and zoo.is_file() else {},
        read_outputs(pages / OUTPUTS) if pages is not None else {},
    )


def failures_by_gate(zoo: Path) -> Mapping[str, Mapping[str, str]]:
    """{gate: {failure: what happened}}: by the code that a defect of the zoo, or else a kind of mutant, must get."""
    content = read_zoo(zoo)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for defect in content.defects:
        found[gate_of(defect.code) or ""] |= {number: content.failures[number] for number in defect.failures}
    in_zoo = set(found)
    for kind in KINDS:
        gate = kind.expects[0].gate
        if gate not in in_zoo:
            found[gate] |= {number: content.failures[number] for number in kind.failures}
    return found


def read_outputs(folder: Path) -> dict[str, Failing]:
    """{gate: its stored output}; the first line of a file names the gate, the second the defect, then a blank one."""
    found = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        gate, defect, _, *text = path.read_text(encoding="utf-8").split("\n")
        found[gate] = Failing(defect, "\n".join(text))
    return found
