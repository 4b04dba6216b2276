"""Steps side by side: nothing begins before what it needs is made, and an error stops the rest."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from modelqa.training.lanes import Step, run_side_by_side, steps
from modelqa.training.recipe import read_recipes

RECIPES = read_recipes(Path(__file__).parents[1] / "fixtures" / "recipes.toml")


def write_after(step: Step, *, folder: Path, needs: dict[Step, frozenset[Step]]) -> int:
    """The process that made a step; it fails when a file of what it needs is not there."""
    if step[1] == "broken":
        raise OSError("no space left")
    for needed in needs[step]:
        (folder / "-".join(needed)).read_text()
    (folder / "-".join(step)).write_text("made")
    return os.getpid()


def test_every_stage_waits_for_its_data_its_tokenizer_and_its_parent() -> None:
    needs = steps(RECIPES, list(RECIPES.stages))
    for name, stage in RECIPES.stages.items():
        wanted = {("data", stage.folder), ("tokenizer", stage.vocabulary)}
        assert needs[("stage", name)] == wanted | ({("stage", stage.parent)} if stage.parent else set())
    assert {step for step in needs if step[0] == "tokenizer"} == {("tokenizer", name) for name in RECIPES.vocabularies}


def test_a_parent_that_is_not_built_anew_is_not_waited_for() -> None:
    needs = steps(RECIPES, ["phase3a2", "plain_concat"])
    assert [step for step in needs if step[0] == "stage"] == [("stage", "phase3a2"), ("stage", "plain_concat")]
    assert {kind for kind, _ in needs[("stage", "phase3a2")]} == {"data", "tokenizer"}


def test_two_at_a_time_make_everything_in_order_in_processes_of_their_own(tmp_path: Path) -> None:
    needs = steps(RECIPES, list(RECIPES.stages))
    told: dict[Step, int] = {}
    run_side_by_side(needs, partial(write_after, folder=tmp_path, needs=needs), jobs=2, done=told.__setitem__)
    assert {path.name for path in tmp_path.iterdir()} == {"-".join(step) for step in needs}
    assert set(told) == set(needs)
    assert os.getpid() not in told.values()


def test_an_error_in_a_step_is_raised_and_nothing_after_it_begins(tmp_path: Path) -> None:
    needs: dict[Step, frozenset[Step]] = {
        ("stage", "broken"): frozenset(),
        ("stage", "child"): frozenset({("stage", "broken")}),
    }
    with pytest.raises(OSError, match="no space left"):
        run_side_by_side(
            needs, partial(write_after, folder=tmp_path, needs=needs), jobs=2, done=lambda step, result: None
        )
    assert not list(tmp_path.iterdir())
