"""Defects of model cards: one replacement in a healthy card, which the publisher's lint must refuse for that reason."""

from __future__ import annotations

from pathlib import Path

from modelqa.errors import UsageError
from modelqa.files import read_json
from modelqa.gates import LADDER
from modelqa.mutants.kind import PUBLISHER, Damage, Expected, Kind, Sibling
from modelqa.mutants.matrix import Cell, Row
from modelqa.record import Problem, Status, Verdict

PARAMETERS = 1_115_264  # of the model that the healthy card describes
FILES = ("model.safetensors", "config.json")


def card_row(folder: Path, name: str, kind: Kind, locus: str) -> Row:
    """The row of one card: what the lint says of it, beside what it says of the healthy card, which must be nothing.

    folder  healthy.md, defects.json and, two folders up, the licence of the project
    """
    defects = read_json(folder / "defects.json")
    if name not in defects:
        raise UsageError(f"there is no card {name!r}", reason=f"{folder / 'defects.json'} holds the cards",
                         remedy="name one of them")  # fmt: skip
    healthy = (folder / "healthy.md").read_text(encoding="utf-8")
    old, new = defects[name].get("replace", ["", ""])
    text = healthy.replace(old, new.replace("@@", defects[name].get("fill", "")), 1) if old else healthy
    beside = tuple(defects[name].get("files", ()))
    licence = (folder.parents[2] / "LICENSE").read_text(encoding="utf-8")
    before, after = _linted(healthy, licence, FILES), _linted(text, licence, (*FILES, *beside))
    said = {PUBLISHER: Cell(_verdict(after), LADDER[-1], counts=not before)}
    return Row(kind, name, locus, kind.expects[0], said, difference=(f"card: {defects[name]['failure']}",))


def _linted(text: str, licence: str, files: tuple[str, ...]) -> list[Problem]:
    from modelqa.publish.lint import Facts, lint

    found: list[Problem] = lint(text, Facts(PARAMETERS, licence, files, "canonical", "org/base"))
    return found


def _verdict(problems: list[Problem]) -> Verdict:
    if not problems:
        return Verdict(Status.PASS)
    first = problems[0]
    return Verdict(Status.FAIL, first.code, first.locus, first.text)


def card_kind(name: str, failures: tuple[str, ...], expected: Expected) -> Kind:
    """The kind of a card: nothing is surgically changed, the text is linted as it is."""
    return Kind(name, "card", name, failures, (expected,), _no_surgery)


def _no_surgery(sibling: Sibling) -> Damage:
    return sibling.damaged("")
