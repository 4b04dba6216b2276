"""Failing outputs from records that are there already: `make zoo-matrix` leaves one for each defect that it judged.

    python -m modelqa.handbook.harvest .modelqa/zoo/home/runs [FOLDER ...]

A record holds everything of a gate's message but its transcripts, and is printed by the plugin's own function. A record
belongs to a defect by its hashed name, or to a model of the registry by its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelqa.files import write_text
from modelqa.handbook.failing import MODELS, says_no
from modelqa.handbook.known import OUTPUTS, SUFFIX, read_outputs
from modelqa.handbook.page import Failing, codes_of
from modelqa.handbook.shipped import Shipped, gates_of
from modelqa.models import Registry, load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.trial import hashed_name
from modelqa.mutants.zoo import Defect, kind_of, read_zoo
from modelqa.plugin.table import failure_message
from modelqa.record import GateResult
from modelqa.records import read_stored

ZOO, SUITES, PAGES = Path("fixtures/zoo.toml"), Path("suites"), Path("docs/gates")


@dataclass(frozen=True)
class Made:
    """What was done to a model, in a sentence, and the gates that are declared to say no to it."""

    story: str
    gates: frozenset[str] = frozenset()


def made_under(registry: Registry, defects: Sequence[Defect]) -> dict[str, Made]:
    """{name that a record is under: what was done}: defects and mutants under hashed names, shipped models."""
    found = {name: Made(f"Defect: the shipped model `{name}` is one.") for name in registry.models}
    for kind, model in [(kind, model) for kind in KINDS for model in MODELS]:
        story = f"Defect: {kind.story} (`{kind.name}`, made from `{model}`)."
        found[hashed_name(kind.name, model, 0)] = Made(story, frozenset(each.gate for each in kind.expects))
    for defect in defects:
        if defect.card or defect.test:
            continue
        kind = kind_of(defect, registry)
        phase = f", judged as {defect.phase}" if defect.phase else ""
        story = f"Defect: {kind.story or kind.name} (`{kind.name}`, made from `{defect.model}`{phase})."
        found[hashed_name(kind.name, defect.model, 0)] = Made(story, frozenset({defect.expected.gate}))
    return found


def said(result: GateResult) -> str:
    """What the terminal says of a result, without transcripts; of one that passes and warns, the warning."""
    warning = result.measured.get("warning")
    return f"warning: {warning}" if warning else failure_message(result, ())


def harvested(
    folders: Sequence[Path], gates: Sequence[Shipped], made: Mapping[str, Made]
) -> list[tuple[Shipped, Failing]]:
    """(gate, its output) of every record in which a gate says no with a code of its own; first those of the defects
    that are declared for the gate.
    """
    declared: list[tuple[Shipped, Failing]] = []
    others: list[tuple[Shipped, Failing]] = []
    for path in sorted(path for folder in folders for path in folder.rglob("run.json")):
        run = read_stored(path).run
        name = str(run.model["name"])
        if name not in made:
            continue
        for gate, text in _noes([_unnamed(result, name) for result in run.gates], gates):
            found = declared if gate.name in made[name].gates else others
            found.append((gate, Failing(made[name].story, text)))
    return [*declared, *others]


def _unnamed(result: GateResult, name: str) -> GateResult:
    """The result without the hashed name of the copy, which says nothing to a reader; before its text is cut."""
    verdict = result.verdict
    text, locus = (part.replace(name, "the model") for part in (verdict.text, verdict.locus))
    measured = {key: value.replace(name, "the model") if isinstance(value, str) else value
                for key, value in result.measured.items()}  # fmt: skip
    return replace(result, verdict=replace(verdict, text=text, locus=locus), measured=measured)


def _noes(results: Sequence[GateResult], gates: Sequence[Shipped]) -> Iterator[tuple[Shipped, str]]:
    """(gate, what it says) of the gates that say no in one record; of one with parameters the first."""
    said_by = {result.gate: said(result) for result in results}
    for gate in gates:
        mine = [text for key, text in said_by.items() if key == gate.name or key.partition("[")[0] == gate.name]
        if refused := [text for text in mine if says_no(gate, text)]:
            yield gate, refused[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Store an output for each gate that has none yet; 0 when none is lacking."""
    folders = [Path(each) for each in (sys.argv[1:] if arguments is None else arguments)]
    gates = [gate for gate in gates_of(SUITES) if codes_of(gate)]
    made = made_under(load_registry(ZOO.with_name("models.toml")), read_zoo(ZOO).defects)
    there = set(read_outputs(PAGES / OUTPUTS))
    for gate, failing in harvested(folders, [gate for gate in gates if gate.name not in there], made):
        if gate.name not in there:
            there.add(gate.name)
            text = f"{gate.name}\n{failing.defect}\n\n{failing.text}\n"
            write_text(PAGES / OUTPUTS / f"{gate.page}{SUFFIX}", text)
    lacking = [gate.name for gate in gates if gate.name not in there]
    sys.stdout.write(f"{len(there)} outputs; lacking: {', '.join(lacking) or 'none'}\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
