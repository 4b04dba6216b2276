"""The diagnosis names what was planted: the figure, and what it must not depend on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from modelqa.diagnose.causes import CAUSES
from modelqa.diagnose.ladder import diagnose
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.kind import Kind
from modelqa.mutants.matrix import Cell, Row
from modelqa.mutants.planted import CAUSE_OF, DOUBLES, LESSON_CAUSES, doubles, figure, planted
from modelqa.mutants.trained import read_zoo_recipes
from modelqa.record import GateResult, Run, Status, Verdict

ROOT = Path(__file__).parents[1]
ENOUGH = 0.9  # share of the planted causes that must come first
KNOWN = {cause.name for cause in CAUSES}


def test_every_kind_and_every_lesson_has_a_planted_cause_that_the_ladder_knows() -> None:
    assert set(CAUSE_OF) == {kind.name for kind in KINDS}
    assert set(CAUSE_OF.values()) | set(LESSON_CAUSES.values()) <= KNOWN
    assert set(LESSON_CAUSES) <= set(read_zoo_recipes(ROOT / "fixtures" / "zoo_recipes.toml"))


def test_at_least_ten_pairs_plant_two_different_causes() -> None:
    assert len(set(DOUBLES)) >= 10
    assert all(len(set(planted(kind.name))) == 2 for kind in doubles())


def row(name: str, *causes: str) -> Row:
    kind = Kind(name, "weights", "", ("F33",), (), lambda it: it.damaged(""))
    return Row(kind, "m1", cells={"g": Cell(Verdict(Status.FAIL, "x.y", "z"), "weights")}, causes=causes)


def test_the_figure_counts_first_places_either_cause_of_a_pair_and_what_is_not_known() -> None:
    rows = [row("nan", "checkpoint_file", "harness"), row("lost_stop", "harness", "stop_token"), row("zero_layer"),
            row("untied_head+lost_stop", "stop_token"), replace(row("nan"), causes=None)]  # fmt: skip
    found = figure(rows)
    assert (found.total, found.first, found.unknown) == (4, 2, 1)
    assert found.missed == ("lost_stop (harness)", "zero_layer (nothing)")
    assert "first in 2 of 4 (50%)" in found.text


GATES = (
    GateResult("tied_embeddings", "suites/weights/a.py::t", "weights",
               Verdict(Status.FAIL, "weights.untied", "lm_head.weight", "the matrices differ")),
    GateResult("finite_losses", "suites/training/b.py::t", "training",
               Verdict(Status.FAIL, "training.nan", "step 20", "the loss is no number")),
)  # fmt: skip


def test_the_diagnosis_does_not_change_with_names_of_folders_and_prose() -> None:
    run = Run({"name": "untied-nan"}, {}, {}, (), tuple(gate.gate for gate in GATES), GATES)
    bare = tuple(replace(gate, node=f"m{n}", verdict=replace(gate.verdict, text="")) for n, gate in enumerate(GATES))
    stripped = replace(run, model={"name": "m7"}, gates=bare, notes=())
    causes = [each.cause for each in diagnose(run).explanations]
    assert causes == ["checkpoint_file", "learning_rate"]
    assert [each.cause for each in diagnose(stripped).explanations] == causes


@pytest.mark.slow
def test_the_planted_cause_comes_first_on_another_healthy_model(tmp_path: Path) -> None:
    """Siblings of phase3a2 from another seed, pairs of kinds and trained siblings among them; prints the figure."""
    command = [sys.executable, "-m", "modelqa", "mutants", "--model", "phase3a2", "--seed", "1", "--diagnosis",
               "--jobs", "2", "--max-new-tokens", "48", "--out", str(tmp_path)]  # fmt: skip
    for area in ("weights", "tokenizer", "template", "config", "file", "log", "capture"):
        command += ["--kind", area]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    line = next((line for line in done.stdout.splitlines() if line.startswith("diagnosis:")), "")
    assert line, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    print(line)
    share = int(line.partition("(")[2].partition("%")[0]) / 100
    assert share >= ENOUGH, done.stdout
