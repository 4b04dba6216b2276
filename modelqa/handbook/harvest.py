"""Failing outputs from records that are there already: `make zoo-matrix` leaves one for each defect that it judged.

    python -m modelqa.handbook.harvest .modelqa/zoo/home/runs [FOLDER ...]

A record holds everything of a gate's message but its transcripts, and is printed by the plugin's own function. A record
belongs to a defect by its hashed name, or to a model of the registry by its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
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


def stories(registry: Registry, defects: Sequence[Defect]) -> dict[str, str]:
    """{name that a record is under: what was done}: defects and mutants under hashed names, shipped models."""
    found = {name: f"Defect: the shipped model `{name}` is one." for name in registry.models}
    for kind, model in [(kind, model) for kind in KINDS for model in MODELS]:
        found[hashed_name(kind.name, model, 0)] = f"Defect: {kind.story} (`{kind.name}`, made from `{model}`)."
    for defect in defects:
        if defect.card or defect.test:
            continue
        kind = kind_of(defect, registry)
        phase = f", judged as {defect.phase}" if defect.phase else ""
        made = f"`{kind.name}`, made from `{defect.model}`{phase}"
        found[hashed_name(kind.name, defect.model, 0)] = f"Defect: {kind.story or kind.name} ({made})."
    return found


def said(result: GateResult) -> str:
    """What the terminal says of a result, without transcripts; of one that passes and warns, the warning."""
    warning = result.measured.get("warning")
    return f"warning: {warning}" if warning else failure_message(result, ())


def harvested(
    folders: Sequence[Path], gates: Sequence[Shipped], told: Mapping[str, str]
) -> Iterator[tuple[Shipped, Failing]]:
    """(gate, its output) of every record in which a gate says no with a code of its own."""
    for path in sorted(path for folder in folders for path in folder.rglob("run.json")):
        run = read_stored(path).run
        name = str(run.model["name"])
        if name not in told:
            continue
        results = {result.gate: result for result in run.gates}
        for gate in gates:
            mine = [each for key, each in results.items() if key.partition("[")[0] == gate.name or key == gate.name]
            for result in mine:
                text = said(result).replace(name, "the model")
                if says_no(gate, text):
                    yield gate, Failing(told[name], text)
                    break


def main(arguments: Sequence[str] | None = None) -> int:
    """Store an output for each gate that has none yet; 0 when none is lacking."""
    folders = [Path(each) for each in (sys.argv[1:] if arguments is None else arguments)]
    gates = [gate for gate in gates_of(SUITES) if codes_of(gate)]
    told = stories(load_registry(ZOO.with_name("models.toml")), read_zoo(ZOO).defects)
    there = set(read_outputs(PAGES / OUTPUTS))
    for gate, failing in harvested(folders, [gate for gate in gates if gate.name not in there], told):
        if gate.name not in there:
            there.add(gate.name)
            text = f"{gate.name}\n{failing.defect}\n\n{failing.text}\n"
            write_text(PAGES / OUTPUTS / f"{gate.page}{SUFFIX}", text)
    lacking = [gate.name for gate in gates if gate.name not in there]
    sys.stdout.write(f"{len(there)} outputs; lacking: {', '.join(lacking) or 'none'}\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
