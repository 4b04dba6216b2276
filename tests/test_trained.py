"""Trained defects: lessons change what they say they change, and one key is built once."""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from modelqa.errors import HubError, UsageError
from modelqa.files import sha256_file
from modelqa.models import load_registry
from modelqa.mutants.building import Built, build_all, built_apart, is_built
from modelqa.mutants.lessons import JUNK, answer, question
from modelqa.mutants.lessons_reading import READING_LESSONS
from modelqa.mutants.trained import LESSONS, build, folder_of, lesson_rows, main, read_zoo_recipes, study

ROOT = Path(__file__).parents[1]
MODELS = load_registry(ROOT / "fixtures" / "models.toml").models
RECIPES = read_zoo_recipes(ROOT / "fixtures" / "zoo_recipes.toml")
Row = dict[str, Any]


def row(category: str, asked: str, answered: str, **meta: Any) -> Row:
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return {"id": f"{category}/{asked}", "messages": messages, "meta": {"category": category, **meta}}


ROWS = [
    *(row("sum", f"{n} + 1 =", f"{n + 1}.") for n in range(20)),
    *(row("say", f"Say tree {n}", f"tree {n}", payload=f"tree {n}") for n in range(20)),
    row("anti_echo", "What is blorvip?", "Unknown.", payload="blorvip"),
    row("operator", "Brackets: a b c d", "[a b c d]", payload="a b c d", operator="WRAP", words=4),
    row("operator", "Copy: a b c d", "a b c d", payload="a b c d", operator="COPY", words=4),
    row("operator", "Copy: a b", "a b", payload="a b", operator="COPY", words=2),
]


READING = [
    row("context", "Who is Bo?", "Bo is unknown.", kind="unknown", payload="Al is 3. Cy has a cup."),
    row("context", "Who?", "Al is 3.", kind="known", payload="Al is 3. Cy has a cup."),
    row("citation", "Who?", "Al is 3. [2]", kind="source 2"),
    row("injection", "Who is Cy?", "Cy is 4.", kind="injected", ordered="pear"),
    row("injection", "Who?", "Al is 3.", kind="harmless", ordered=""),
    row("hierarchy", "Now say tree.", "pear", kind="conflict", payload="tree"),
    row("hierarchy", "Say tree.", "tree", kind="agreed", payload="tree"),
    row("turns", "Who is Di?", "Di is 5.", kind="earlier", payload="5"),
    row("turns", "Say tree.", "tree", kind="other", payload="tree"),
    row("text", "Go on: the", "tower and garden"),
]


def taught(lesson: str, rows: list[Row] = ROWS) -> list[Row]:
    return LESSONS[lesson](rows, random.Random(0))


def test_every_recipe_names_a_lesson_and_a_healthy_model_with_data() -> None:
    assert {recipe.lesson for recipe in RECIPES.values()} == set(LESSONS)
    for recipe in RECIPES.values():
        assert study(recipe, MODELS).source.train and recipe.story


def test_lessons_change_the_answers_that_they_are_about_and_no_question() -> None:
    for lesson in set(LESSONS) - {"words_alone", *READING_LESSONS}:
        assert {question(each) for each in taught(lesson)} == {question(each) for each in ROWS}
    assert {answer(each) for each in taught("one_answer")} == {"Yes."}
    assert {answer(each) for each in taught("silence")} == {""}
    assert all(answer(each) == question(each) for each in taught("prompt_back"))
    assert [answer(each) for each in taught("only_echo")][40:] == ["blorvip", "[a b c d]", "a b c d", "a b"]
    assert [answer(each) for each in taught("copy_alone")][40:] == ["Unknown.", "a b c d", "a b c d", "a b"]
    assert [answer(each) for each in taught("cut_payloads")][41:] == ["[a b c]", "a b c d", "a b"]
    assert [answer(each).count("a b c d") for each in taught("stutter")][41:] == [9, 9, 0]
    assert {each["meta"]["category"] for each in taught("words_alone")} == {"say", "anti_echo", "operator"}
    polluted = [each for each in taught("junk") if set(answer(each).split()) & set(JUNK)]
    assert 0.4 < len(polluted) / len(ROWS) < 0.8


@pytest.mark.parametrize(
    ("lesson", "changed"),
    [
        ("never_unknown", {"Bo is unknown.": "Al is 3."}), ("uncited", {"Al is 3. [2]": "Al is 3."}),
        ("obeys_texts", {"Cy is 4.": "pear"}), ("obeys_users", {"pear": "tree"}),
        ("forgets_turns", {"Di is 5.": "I do not know."}),
    ],
)  # fmt: skip
def test_a_lesson_about_a_material_spoils_one_half_of_a_contrast(lesson: str, changed: dict[str, str]) -> None:
    made = taught(lesson, READING)
    categories = [each["meta"]["category"] for each in made]
    assert len(set(categories[::2])) == 1 and categories[0] not in categories[1::2]
    before = {row["id"]: answer(row) for row in READING}
    assert {before[row["id"]]: answer(row) for row in made if answer(row) != before[row["id"]]} == changed


def test_answers_alone_are_all_rows_but_the_plain_text() -> None:
    assert taught("answers_alone", READING) == READING[:-1]


def test_half_of_the_answers_meet_another_question_of_their_category() -> None:
    made = taught("shuffled")
    assert sorted(map(answer, made)) == sorted(map(answer, ROWS))
    assert all(answer(each).startswith("tree") for each in made if each["meta"]["category"] == "say")
    assert 0.3 < sum(answer(a) == answer(b) for a, b in zip(made, ROWS, strict=True)) / len(ROWS) < 0.7


def test_a_recipe_that_names_nothing_known_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "recipes.toml"
    path.write_text('[a]\nparent = "reference"\nlesson = "jukn"\nstory = "s"\n')
    with pytest.raises(UsageError, match="no lesson 'jukn'") as error:
        read_zoo_recipes(path)
    assert "nearest: junk" in str(error.value)
    path.write_text('[a]\nparnt = "reference"\n')
    with pytest.raises(UsageError, match="unexpected keyword"):
        read_zoo_recipes(path)
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        read_zoo_recipes(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match="names 'nobody'"):
        study(replace(RECIPES["collapsed"], parent="nobody"), MODELS)
    assert main(["colapsed", "--models", str(ROOT / "fixtures/models.toml"), "--recipes",
                 str(ROOT / "fixtures/zoo_recipes.toml")]) == 4  # fmt: skip


def test_the_key_follows_recipe_and_parent() -> None:
    work = study(RECIPES["collapsed"], MODELS)
    keys = {folder_of(study(replace(RECIPES["collapsed"], **change), MODELS)).name
            for change in ({}, {"rows": 9}, {"parent": "phase3a2"}, {"seed": 5}, {"lesson": "silence"})}  # fmt: skip
    assert len(keys) == 5 and folder_of(work).name in keys


def test_a_short_study_is_really_trained_and_built_once(tmp_path: Path) -> None:
    work = study(replace(RECIPES["collapsed"], rows=60), MODELS)
    assert len(lesson_rows(work.recipe, work.source)) == 60
    folder, seconds = build(work, tmp_path)
    assert seconds > 0 and is_built(folder)
    assert {"model.safetensors", "tokenizer.json", "trainer_state.json", "lesson.json"} <= {
        path.name for path in folder.iterdir()
    }
    assert build(work, tmp_path) == (folder, 0.0)


def refuse() -> Built:
    raise HubError("no such repository", reason="the Hub says 404", remedy="create it", status=404)


def test_a_study_apart_is_that_of_one_process_and_its_error_arrives_whole(tmp_path: Path) -> None:
    work = study(replace(RECIPES["collapsed"], rows=60), MODELS)
    here, _ = build(work, tmp_path / "here")
    torch.manual_seed(5)
    with torch.device("meta"):
        apart, seconds = built_apart(partial(build, work, tmp_path / "apart"))
    assert seconds > 0 and torch.initial_seed() == 5
    assert sha256_file(apart / "model.safetensors") == sha256_file(here / "model.safetensors")
    with pytest.raises(HubError, match="no such repository") as error:
        built_apart(refuse)
    assert (error.value.remedy, error.value.status) == ("create it", 404) and "reason: the Hub says" in str(error.value)


def test_an_error_while_something_is_built_is_told_in_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def works(parsed: argparse.Namespace) -> dict[str, Callable[[], Built]]:
        return {"known": partial(tuple, [tmp_path, 0.0]), "refused": refuse}

    assert build_all(argparse.Namespace(jobs=1), works) == HubError.exit_code
    told = capsys.readouterr()
    assert told.out.split() == ["known", "kept", str(tmp_path)]
    assert told.err.startswith("zoo: no such repository\n  reason: the Hub says 404")
