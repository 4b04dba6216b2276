"""One real failing output of each gate: a defect is really made, the suites really run, the gate's section kept.

    python -m modelqa.handbook.failing [--again] [--together] [GATE ...]

A defect is one of the zoo or a kind of mutant that the gate is declared to kill; the healthy half of the pair passes.
Only the gate's own rung is asked, so that no lower one speaks first. Outputs lie in docs/gates/failing and are made
again with --again, or where there is none. --together makes the named gates' defects in one copy and asks all gates in
one session: for defects that do not touch each other.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelqa.errors import ModelqaError
from modelqa.files import write_text
from modelqa.handbook.known import OUTPUTS, SUFFIX
from modelqa.handbook.page import Failing, codes_of
from modelqa.handbook.shipped import Shipped, gates_of
from modelqa.models import Model, load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.judging import Workplace
from modelqa.mutants.kind import WARNED, Kind, NotApplicable
from modelqa.mutants.trial import declare, hashed_name
from modelqa.mutants.zoo import Defect, kind_of, read_zoo
from modelqa.mutants.zoo_matrix import Keeper

MODELS = ("phase3a1_alpha", "phase3a1_beta", "phase3a2")  # whose siblings are made, the one with the fewest rows first
HARNESS = {  # gates over the controls: the fault of the path that each must see, and who the reference is
    "reference_floor": ("raw_prompts", ""),
    "told_apart": ("twin_is_reference", ""),
    "random_twin": ("twin_is_reference", ""),
    "reference_bits": ("twin_is_reference", "reference_base"),
}
UNENDING = "damped_stop"  # it fails a rung below, whose verdict is left out here
_HEAD = re.compile(r"^_{3,} test_(?P<name>\S+) _{3,}$")
_WARNING = re.compile(r"^  \S+: \w*Warning: (?P<text>.*)$")


@dataclass(frozen=True)
class Showing:
    """A defect for one gate: how it is made, from which model, with which fault of the path or other phase."""

    kind: Kind
    model: str
    phase: str = ""
    fault: str = ""
    reference: str = ""


def showings(gate: Shipped, keeper: Keeper, defects: Sequence[Defect]) -> Iterator[Showing]:
    """The defects that this gate is declared to kill: those of the zoo, then kinds of mutants on a shipped model."""
    if gate.name in HARNESS:
        fault, reference = HARNESS[gate.name]
        kind = Kind(fault, "path", fault.replace("_", " "), (), (), lambda it: it.damaged(""))
        yield Showing(kind, "phase3a2", fault=fault, reference=reference)
    for defect in sorted(defects, key=lambda each: bool(each.trained)):
        if defect.expected.gate.partition("[")[0] == gate.name.partition("[")[0] and not (defect.card or defect.test):
            if gate.expects and defect.expected.gate != gate.name:
                continue
            yield Showing(kind_of(defect, keeper.registry), defect.model, defect.phase, defect.fault)
    for kind in KINDS:
        declared = gate.name in {each.gate for each in kind.expects}
        if declared or (gate.name == "unending_replies" and kind.name == UNENDING):
            yield from (Showing(kind, model) for model in MODELS)


def failing(gate: Shipped, showing: Showing, keeper: Keeper) -> Failing | None:
    """What the gate says of this defect; None when it cannot be made, or the gate says nothing."""
    place = keeper.place(showing.model, phase=showing.phase, fault=showing.fault)
    if showing.reference:
        place = replace(place, model=replace(place.model, reference=showing.reference))
    name = hashed_name("page", gate.name, showing.kind.name, showing.model)
    try:
        damage = showing.kind.make(showing.kind.grounded(place.sibling(name)))
    except NotApplicable:
        shutil.rmtree(place.trials / name, ignore_errors=True)
        return None
    trial = declare(place.trials, damage.model, place.registry, damage.others)
    at = place if damage.suites is None else replace(place, suites=damage.suites)
    session = replace(at, options=(*place.options, *_chosen(gate))).session(trial, _rungs(gate, at))
    shutil.rmtree(place.trials / name)
    said = section(session.output, gate, warned=any(each.code == WARNED for each in showing.kind.expects))
    if said is None:
        return None
    said = said.replace(name, showing.model)
    story = f"Defect: {showing.kind.story or showing.kind.name} (`{showing.kind.name}`, made from `{showing.model}`)."
    return Failing(story, said)


def together(gates: Sequence[Shipped], model: str, keeper: Keeper, defects: Sequence[Defect]) -> dict[str, Failing]:
    """{gate: what it says} of one copy of `model` that has a defect of each gate; a gate that says nothing has none."""
    place = keeper.place(model)
    name = hashed_name("page", model, *(gate.name for gate in gates))
    sibling, kinds = place.sibling(name), {}
    others: dict[str, Model] = {}
    for gate in gates:
        kinds[gate.name] = next(each.kind for each in showings(gate, keeper, defects) if each.model == model)
        damage = kinds[gate.name].make(kinds[gate.name].grounded(sibling))
        others |= {each.name: each for each in damage.others}
        sibling = replace(sibling, model=damage.model)
    trial = declare(place.trials, sibling.model, place.registry, tuple(others.values()))
    rungs = tuple(dict.fromkeys(rung for gate in gates for rung in _rungs(gate, place)))
    chosen = " or ".join(_chosen(gate)[1] for gate in gates)
    output = replace(place, options=(*place.options, "-k", chosen)).session(trial, rungs).output
    shutil.rmtree(place.trials / name)
    found = {}
    for gate in gates:
        kind = kinds[gate.name]
        said = section(output, gate, warned=any(each.code == WARNED for each in kind.expects))
        if said is not None:
            made = f"`{kind.name}`, made from `{model}`, in one copy with {len(gates) - 1} other defects"
            found[gate.name] = Failing(f"Defect: {kind.story} ({made}).", said.replace(name, model))
    return found


def _rungs(gate: Shipped, place: Workplace) -> tuple[str, ...]:
    """Its own rung; comparisons with the evaluation cases need the gates that ask them to be planned, not run."""
    compared = "cases" in gate.expects.get("meta", {}).get("needs", ())
    return (gate.rung, "behaviour") if compared and (place.suites / "behaviour").is_dir() else (gate.rung,)


def _chosen(gate: Shipped) -> tuple[str, str]:
    if gate.name == "not_worse":  # beside the gate whose pairs it compares
        return "-k", "echo_basic or anti_echo or operator"
    return "-k", f"[{Path(gate.file).stem}-{gate.expects['id']}]" if gate.expects else f"test_{gate.name}"


def section(output: str, gate: Shipped, *, warned: bool = False) -> str | None:
    """The gate's own section of a session's output, or the warning that it gave; None when there is none."""
    if warned:
        lines = output.split("\n")
        marks = (f"[{gate.expects['id']}]" if gate.expects else f"::test_{gate.name}", f"-{gate.expects.get('id')}]")
        at = next((n for n, line in enumerate(lines) if line.endswith(marks) and "::" in line), None)
        found = None if at is None else _WARNING.match(lines[at + 1])
        return f"warning: {found['text']}" if found else None
    kept: list[str] = []
    inside = False
    for line in output.split("\n"):
        head = _HEAD.match(line)
        if head or line.startswith("====="):
            if kept:
                break
            inside = head is not None and _is(gate, head["name"])
        elif inside:
            kept.append(line.rstrip())
    return "\n".join(kept).strip("\n") or None


def _is(gate: Shipped, name: str) -> bool:
    """Whether a section's title names this gate; a test with parameters has several."""
    if gate.expects:
        return name.endswith((f"-{gate.expects['id']}]", f"[{gate.expects['id']}]"))
    return name.partition("[")[0] == gate.name


def says_no(gate: Shipped, text: str) -> bool:
    """Whether an output has the form of a refusal of this gate, with a code that it alone gives."""
    warned = text.startswith("warning: ") and (gate.expects.get("severity") == "warning" or gate.name == "scale")
    return warned or any(f"  {code}: " in text for code in codes_of(gate))


def keep(gate: Shipped, keeper: Keeper, defects: Sequence[Defect], folder: Path) -> bool:
    """Store the first output in which the gate says no for a reason of its own; whether there was one."""
    for showing in showings(gate, keeper, defects):
        try:
            found = failing(gate, showing, keeper)
        except ModelqaError as error:  # a trained defect that is not built
            sys.stderr.write(f"{gate.name}: {error.fact}\n")
            continue
        if found is not None and says_no(gate, found.text):
            _store(gate, found, folder)
            return True
    return False


def _store(gate: Shipped, found: Failing, folder: Path) -> None:
    write_text(folder / f"{gate.page}{SUFFIX}", f"{gate.name}\n{found.defect}\n\n{found.text}\n")


def _keep_together(
    gates: Sequence[Shipped], model: str, keeper: Keeper, defects: Sequence[Defect], folder: Path
) -> int:
    found = together(gates, model, keeper, defects)
    lacking = [gate for gate in gates if gate.name not in found or not says_no(gate, found[gate.name].text)]
    for gate in gates:
        if gate not in lacking:
            _store(gate, found[gate.name], folder)
        sys.stdout.write(f"{'NONE' if gate in lacking else 'kept':<6}{gate.name}\n")
    return 1 if lacking else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the outputs that are missing; 0 when every gate that can say no has one."""
    parser = argparse.ArgumentParser(prog="python -m modelqa.handbook.failing", description=__doc__.split("\n")[0])
    parser.add_argument("gates", nargs="*", help="only these gates")
    parser.add_argument("--together", metavar="MODEL", help="one copy of this model for all the named gates")
    parser.add_argument("--again", action="store_true", help="also those that have an output")
    parser.add_argument("--pages", type=Path, default=Path("docs/gates"), help="the folder of the pages")
    parser.add_argument("--suites", type=Path, default=Path("suites"), help="the folder of suites")
    parser.add_argument("--out", type=Path, default=Path(".modelqa/pages"), help="where the trials are made")
    parsed = parser.parse_args(arguments)
    zoo = Path("fixtures/zoo.toml")
    keeper = Keeper(load_registry(zoo.with_name("models.toml")), parsed.suites, parsed.out.absolute())
    defects = read_zoo(zoo).defects
    if parsed.together:
        pages = {gate.page: gate for gate in gates_of(parsed.suites)}
        named = [pages[page] for page in parsed.gates]  # in the order in which the defects are made
        return _keep_together(named, parsed.together, keeper, defects, parsed.pages / OUTPUTS)
    lacking = []
    for gate in gates_of(parsed.suites):
        stored = parsed.pages / OUTPUTS / f"{gate.page}{SUFFIX}"
        unwanted = parsed.gates and gate.name not in parsed.gates and gate.page not in parsed.gates
        if not codes_of(gate) or unwanted or (stored.is_file() and not parsed.again):
            continue
        done = keep(gate, keeper, defects, parsed.pages / OUTPUTS)
        sys.stdout.write(f"{'kept' if done else 'NONE':<6}{gate.name}\n")
        sys.stdout.flush()
        lacking += [] if done else [gate.name]
    return 1 if lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
