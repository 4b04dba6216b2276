"""One gate's page: what it asks, whom it would have helped, what it demands, what its codes mean, how it fails. Pure.

Everything is looked up where it is decided - phases.toml, reasons, the ladder of diagnosis, the zoo, a stored failing
output - so that a page cannot say anything else than the code does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from modelqa.diagnose.cause import Cause
from modelqa.diagnose.causes import CAUSES
from modelqa.gates import LADDER
from modelqa.handbook.shipped import Shipped
from modelqa.nulls import BLIND
from modelqa.phases import Later, Phases
from modelqa.reasons import GATES

RUNGS = {
    "harness": "does the path from a question to a reply work, and is the measure the one that it was?",
    "weights": "the files, judged from their bytes before any loader mends them",
    "data": "the rows that training is given",
    "training": "what the trainer wrote down",
    "parity": "is the model asked what it was trained on, and does the path change its replies?",
    "behaviour": "what the model says",
    "benchmarks": "what other harnesses measured",
}


@dataclass(frozen=True)
class Failing:
    """A real failing output: what was done to which model, and the gate's own section of the terminal."""

    defect: str
    text: str


@dataclass(frozen=True)
class Known:
    """What is known of gates outside their own files.

    failures  {gate: {id of fixtures/failures.toml: what happened}}; failing: {gate: its stored output}
    """

    phases: Phases
    failures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    failing: Mapping[str, Failing] = field(default_factory=dict)


def codes_of(gate: Shipped) -> list[str]:
    """The reason codes that this gate alone gives."""
    own = [code for code, name in GATES.items() if name == gate.name]
    if gate.expects:
        return [f"data.{gate.expects['id']}"]
    if gate.mark is not None and gate.mark.get("informational"):
        return []
    if gate.mark is not None:
        return [*own, f"{gate.name}.below", *([f"{gate.name}.floor"] if gate.mark.get("floors") else [])]
    return own or [f"{gate.name}.failed"]


def explaining(code: str) -> list[Cause]:
    """The first cause that this code shows; when it shows none, those that it hints at, the most mundane first."""
    shown = [cause for cause in CAUSES if any(fnmatchcase(code, pattern) for pattern in cause.shown)]
    return shown[:1] or [cause for cause in CAUSES if any(fnmatchcase(code, pattern) for pattern in cause.hinted)]


def page(gate: Shipped, known: Known) -> str:
    """The Markdown page of one gate."""
    parts = [
        [f"# {gate.name}", "", f"Rung: {gate.rung} ({RUNGS[gate.rung]}). File: `suites/{gate.file}`."],
        ["## What it asks", "", gate.words, *(["", gate.around] if gate.around else [])],
        ["## What happened", "", *_happened(known.failures.get(gate.name, {}))],
        ["## What it demands", "", *_demands(gate, known.phases)],
        *([["## Policies without a model", "", *_nulls(gate)]] if gate.mark is not None else []),
        ["## When it says no", "", *_codes(gate)],
        ["## A real failing output", "", *_failing(known.failing.get(gate.name))],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _happened(failures: Mapping[str, str]) -> list[str]:
    if not failures:
        return ["No failure of `fixtures/failures.toml` is assigned to this gate."]
    return ["It is held to catch what really happened to somebody:", "",
            *(f"- {number}: {text}" for number, text in sorted(failures.items()))]  # fmt: skip


def _demands(gate: Shipped, phases: Phases) -> list[str]:
    if gate.expects:
        return [_expectation(gate.expects), f"When it does not hold: {_severity(gate.expects['severity'])}."]
    mark = gate.mark or {}
    lines = [line for line in (_cases(mark), _rates(gate)) if line]
    if row := phases.rows.get(gate.name, {}):
        lines += ["", "| phase | threshold |", "|---|---|"]
        lines += [f"| {phase} | {_entry(row.get(phase))} |" for phase in phases.order]
    elif gate.mark is None:
        lines.append("Yes or no, in every phase; it has no rate.")
    if gate.name in phases.margins:
        lines += ["", f"Beside its baseline it may lose {phases.margins[gate.name]:.0%} of the cases (`[margins]`)."]
    return lines


def _expectation(expects: Mapping[str, Any]) -> str:
    column = expects["kwargs"].get("column")
    words = [f"`{key} = {_plain(value)}`" for key, value in expects["kwargs"].items() if key != "column"]
    of = f"of the column `{column}`" if column else "of the whole table"
    return f"`{expects['type']}` {of}{': ' if words else ''}{', '.join(words)}."


def _severity(name: str) -> str:
    return "a failure" if name == "critical" else "a warning is printed, and the gate passes"


def _plain(value: object) -> str:
    declared = isinstance(value, Mapping) and "$PARAMETER" in value
    return f"{value['$PARAMETER']} of models.toml" if declared else f"{value}"  # type: ignore[index]


def _entry(entry: float | Later | None) -> str:
    if isinstance(entry, Later):
        return f"not asked before {entry.phase}: {entry.because}"
    if entry is None:
        return "no row"
    return "no failure" if entry >= 1 else f"{entry:.0%}"


def _cases(mark: Mapping[str, object]) -> str:
    if not mark:
        return ""
    of = "" if mark.get("of", "candidate") == "candidate" else f" Asked of the {mark['of']} model."
    count = f", {mark['n']} of them" if isinstance(mark.get("n"), int) else ""
    return f"Cases: `{mark['cases']}`{count}.{of}"


def _rates(gate: Shipped) -> str:
    mark = gate.mark
    if mark is None:
        return ""
    if mark.get("informational"):
        return "Printed and recorded, never failed."
    said = ["One answer for all replies together."] if gate.plural else []
    if "threshold" in mark:
        said.append(f"Threshold: {mark['threshold']:.0%} in every phase.")
    if "rate" in mark:
        said.append(f"Enough cases are drawn that a model of {mark['rate']:.0%} passes nine times in ten.")
    floors = mark.get("floors")
    if isinstance(floors, Mapping):
        said += [f"Each value of `{key}` must reach {rate:.0%} by itself." for key, rate in floors.items()]
    return " ".join(said)


def _nulls(gate: Shipped) -> list[str]:
    allows = (gate.mark or {}).get("allows") or {}
    if not isinstance(allows, Mapping) or not allows:
        policies = ", ".join(sorted(BLIND))
        then = "One that passes makes the gate INCONCLUSIVE, whatever the model scored."
        return [f"Every policy that needs no model must fail it: {policies}. {then}"]
    named = {"*": "Any of them may pass"}
    return [f"- {named.get(name, f'`{name}` may pass')}: {why}." for name, why in allows.items()]


def _codes(gate: Shipped) -> list[str]:
    lines: list[str] = []
    for code in codes_of(gate):
        lines += [f"- `{code}`", *(f"  - {cause.text} Next: {cause.then}." for cause in explaining(code))]
    if not lines:
        return ["It never says no: its figures are for a reader."]
    return ["Each code comes from this gate alone; below it, where to look, the most mundane first.", "", *lines]


def _failing(failing: Failing | None) -> list[str]:
    if failing is None:
        return ["None is stored yet."]
    return [f"{failing.defect}", "", "```text", failing.text.rstrip("\n"), "```"]


def index(gates: Sequence[Shipped]) -> str:
    """The Markdown list of all pages, up the ladder."""
    return "\n".join(_index(gates)) + "\n"


def _index(gates: Sequence[Shipped]) -> Iterator[str]:
    yield "# The gates"
    yield ""
    yield (f"{len(gates)} gates on {len({gate.rung for gate in gates})} rungs. Each page is made from the gate's own "
           "words, from what is known of it elsewhere, and from a real failing run (`make gate-outputs`, then "
           "`make pages`); the same in the terminal: `modelqa gates NAME`.")  # fmt: skip
    for rung in LADDER:
        mine = [gate for gate in gates if gate.rung == rung]
        if mine:
            yield from ("", f"## {rung}: {RUNGS[rung]}", "")
            yield from (f"- [{gate.name}]({gate.page}.md): {gate.title}" for gate in mine)
