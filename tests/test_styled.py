"""Healthy twins that are really trained: a whole model with its evidence, built once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from modelqa.chat import open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.data.captured import read_capture
from modelqa.data.rows import read_rows
from modelqa.errors import UsageError
from modelqa.files import read_object, sha256_file
from modelqa.logs import recipes
from modelqa.models import load_registry
from modelqa.mutants.building import is_built
from modelqa.mutants.styled import build, main, read_twin_recipes, twin_rows, upbringing

ROOT = Path(__file__).parents[1]
MODELS = load_registry(ROOT / "fixtures" / "models.toml").models
RECIPES = read_twin_recipes(ROOT / "fixtures" / "zoo_twins.toml")


def test_a_twin_studies_the_parent_s_rows_in_the_parent_s_shares() -> None:
    parent = MODELS["phase3a2"]
    rows = twin_rows(500, parent)
    found = Counter(row["meta"]["source"] for row in rows)
    assert {source: count / 500 for source, count in found.items()} == pytest.approx(dict(parent.mix))
    held = {row["id"] for path in parent.train for _, row in read_rows(path)}
    assert len({row["id"] for row in rows} & held) == 500


def test_a_short_upbringing_leaves_a_whole_model_and_is_built_once(tmp_path: Path) -> None:
    work = upbringing(replace(RECIPES["gemma"], rows=80, passes=1.0), MODELS, tmp_path)
    assert build(work) > 0 and is_built(work.folder)
    assert build(work) == 0.0
    model = work.model
    assert model.manifest is not None and model.capture is not None and model.recipe is not None
    held = read_object(model.manifest)
    assert all(held["files"][path.name] == sha256_file(path) for path in (*model.train, *model.val))
    assert held["parents"][0]["manifest_sha256"] == sha256_file(MODELS["phase3a2"].manifest)  # type: ignore[arg-type]
    fed = {ids for ids, _ in read_capture(model.capture).episodes()}
    chat = open_chat(work.folder)
    asked = [row for path in model.train for _, row in read_rows(path)]
    assert {chat.episode(row["messages"]).ids for row in asked} == {tuple(ids) for ids in fed}
    parent = MODELS["phase3a2"].recipe
    assert parent is not None
    assert recipes.recipe_problems(recipes.read_recipe(model.recipe), recipes.read_recipe(parent), name="phase3a2",
                                   factors=model.factors) == []  # fmt: skip
    own, before = open_checkpoint(work.folder), open_checkpoint(MODELS["phase3a2"].location)
    assert own.weights_digest != before.weights_digest


def test_the_key_follows_recipe_and_parent(tmp_path: Path) -> None:
    changes = ({}, {"rows": 9}, {"style": "phi"}, {"seed": 5}, {"learning_rate": 1.0})
    keys = {upbringing(replace(RECIPES["gemma"], **change), MODELS, tmp_path).folder for change in changes}
    assert len(keys) == len(changes)


def test_a_twin_that_cannot_be_made_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="names 'nobody'"):
        upbringing(replace(RECIPES["phi"], parent="nobody"), MODELS, tmp_path)
    path = tmp_path / "twins.toml"
    path.write_text('[a]\nparent = "phase3a2"\n')
    with pytest.raises(UsageError, match="missing 6 required"):
        read_twin_recipes(path)
    arguments = ["--models", str(ROOT / "fixtures/models.toml"), "--recipes", str(ROOT / "fixtures/zoo_twins.toml")]
    assert main(["gema", *arguments]) == 4
    assert "there is no twin 'gema'" in capsys.readouterr().err
