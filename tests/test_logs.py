"""Trainer logs: three formats read as one, and each rule shown on a log that breaks it and on one that does not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from modelqa.errors import DataError, UsageError
from modelqa.files import write_jsonl
from modelqa.logs import Entry, Log, continuity, course, coverage, read_log
from modelqa.logs import recipes as recipe_rules
from modelqa.record import Problem

ROOT = Path(__file__).parents[1]
REAL = ROOT / "fixtures" / "checkpoints" / "phase3a2" / "trainer_state.json"
VOCABULARY = 2048


def log(rows: list[dict[str, float]], **facts: Any) -> Log:
    return Log(tuple(Entry(int(row.pop("step")), row) for row in (dict(row) for row in rows)), facts)


def losses(*values: float, name: str = "loss", every: int = 10) -> Log:
    return log([{"step": every * number, name: value} for number, value in enumerate(values, 1)])


def real() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(REAL.read_text())
    return value


def stored(tmp_path: Path, state: Mapping[str, Any]) -> Log:
    path = tmp_path / "trainer_state.json"
    path.write_text(json.dumps(state))
    return read_log(path)


def said(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.locus) for problem in problems]


# -- reading


def test_three_formats_of_one_run_are_one_log(tmp_path: Path) -> None:
    rows = [row for row in real()["log_history"] if "loss" in row or "eval_loss" in row]
    renamed = [{"_step": row["step"], **{key: value for key, value in row.items() if key != "step"}} for row in rows]
    write_jsonl(tmp_path / "log.jsonl", renamed)
    write_jsonl(tmp_path / "log.jsonl.zst", rows)
    table = ["Step,train/loss,val_loss,LR"]
    table += [f"{r['step']},{r.get('loss', '')},{r.get('eval_loss', '')},{r.get('learning_rate', '')}" for r in rows]
    (tmp_path / "log.csv").write_text("\n".join(table) + "\n")
    whole = read_log(REAL)
    for name in ("log.jsonl", "log.jsonl.zst", "log.csv"):
        read = read_log(tmp_path / name)
        for quantity in ("loss", "eval_loss", "learning_rate"):
            assert read.series(quantity) == whole.series(quantity), (name, quantity)
    assert whole.last_step == real()["global_step"]
    assert len(whole.series("eval_loss")) == sum("eval_loss" in row for row in rows)


def test_the_summary_of_a_run_is_no_step_s_loss() -> None:
    (summary,) = (row for row in real()["log_history"] if "train_runtime" in row)
    assert "train_loss" in summary
    assert summary["train_loss"] not in [loss for _, loss in read_log(REAL).series("loss")]


@pytest.mark.parametrize(
    ("name", "text", "fact"),
    [
        ("a.json", "[]", "log_history"),
        ("a.json", '{"log_history": {}}', "log_history"),
        ("a.json", '{"log_history": [3]}', "log_history"),
        ("a.json", "{", "cannot be read"),
        ("a.json", '{"log_history": []}', "no entry"),
        ("a.json", '{"log_history": [{"step": 1, "loss": "much"}]}', "loss is 'much'"),
        ("a.json", '{"log_history": [{"step": 1, "loss": true}]}', "loss is 'True'"),
        ("a.json", '{"log_history": [{"step": 1, "loss": 1' + "0" * 400 + "}]}", "loss is"),
        ("a.json", '{"log_history": [{"loss": 1.0}]}', "a loss without a step"),
        ("a.json", '{"log_history": [{"step": -1, "loss": 1.0}]}', "the step is -1"),
        ("a.json", '{"log_history": [{"step": NaN, "loss": 1.0}]}', "the step is nan"),
        ("a.jsonl", '{"step": 1, "loss": 1.0}\nnothing\n', "line 2"),
        ("a.csv", "", "no entry"),
        ("a.csv", "step,loss\n1,two\n", "line 2: loss is 'two'"),
        ("a.csv", "step,loss\n1,\xff\n", "UTF-8"),
        ("a.csv", 'step,loss\n1,"' + "x" * 200_000 + '"\n', "not CSV"),
    ],
)
def test_a_damaged_log_is_one_clear_error(tmp_path: Path, name: str, text: str, fact: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=fact) as caught:
        read_log(tmp_path / name)
    assert caught.value.remedy


def test_entries_that_mean_nothing_here_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"config": {"lr": 1}}\n{"step": 5, "loss": 2, "gpu": "warm", "note": null}\n')
    assert read_log(tmp_path / "a.jsonl").entries == (Entry(5, {"loss": 2.0}),)


def test_what_a_resume_overwrote_is_not_in_the_series() -> None:
    found = log([{"step": s, "loss": v} for s, v in ((10, 3.0), (20, 2.0), (30, 9.0), (20, 2.5), (30, 1.5))])
    assert found.series("loss") == [(10, 3.0), (20, 2.0), (20, 2.5), (30, 1.5)]


# -- the real logs are healthy, and stop being so when one event is put into them


OVERTRAINED = "choice_letters"  # on purpose, as in the story of a letter shortcut
LOGGED = sorted(path.parent.name for path in REAL.parents[1].glob("*/trainer_state.json"))


def test_the_log_of_the_letter_guesser_shows_that_it_was_trained_too_far() -> None:
    found = read_log(REAL.parents[1] / OVERTRAINED / REAL.name)
    rising = course.rising_problems(found, shipped=found.last_step)
    later = course.shipped_problems(found, shipped=found.last_step)
    assert [problem.code for problem in (*rising, *later)] == ["training.overfit", "training.not_best"]


@pytest.mark.parametrize("name", [name for name in LOGGED if name != OVERTRAINED])
def test_no_rule_accuses_a_real_log(name: str) -> None:
    found = read_log(REAL.parents[1] / name / REAL.name)
    problems = [
        *course.finite_problems(found), *course.zero_problems(found), *course.flat_problems(found, preference=False),
        *course.chance_problems(found, vocabulary=VOCABULARY),
        *course.rising_problems(found, shipped=found.last_step),
        *course.shipped_problems(found, shipped=found.last_step),
        *continuity.gap_problems(found), *continuity.resume_problems(found),
    ]  # fmt: skip
    assert problems == []


def _edited(change: Callable[[list[dict[str, Any]]], Any]) -> dict[str, Any]:
    state = real()
    change(state["log_history"])
    return state


def _at(history: list[dict[str, Any]], step: int, kind: str = "loss") -> dict[str, Any]:
    return next(row for row in history if row["step"] == step and kind in row)


def test_a_loss_that_is_no_number_is_found_at_its_step(tmp_path: Path) -> None:
    found = stored(tmp_path, _edited(lambda h: _at(h, 1200).update(loss=float("nan"))))
    assert said(course.finite_problems(found)) == [("training.nan", "step 1200")]


def test_a_loss_hidden_by_the_trainer_is_no_zero_loss(tmp_path: Path) -> None:
    found = stored(tmp_path, _edited(lambda h: _at(h, 1200).update(loss=0.0, grad_norm=float("nan"))))
    assert said(course.finite_problems(found)) == [("training.nan", "step 1200")]


def test_an_infinite_gradient_beside_a_loss_is_a_skipped_step(tmp_path: Path) -> None:
    found = stored(tmp_path, _edited(lambda h: _at(h, 1200).update(grad_norm=float("inf"))))
    assert course.finite_problems(found) == []


def test_a_loss_of_zero_is_found(tmp_path: Path) -> None:
    found = stored(tmp_path, _edited(lambda h: _at(h, 2000).update(loss=0.0)))
    assert said(course.zero_problems(found)) == [("training.zero_loss", "step 2000")]
    assert said(course.zero_problems(losses(1.0, 9e-5, 9e-5, 8e-5))) == [("training.zero_loss", "step 40")]
    assert course.zero_problems(losses(1.0, 9e-5, 9e-5, 0.002, 9e-5)) == []


def test_every_token_right_three_times_running_is_found() -> None:
    rows = [{"step": s, "loss": 0.01, "accuracy": a} for s, a in ((1, 0.9), (2, 1.0), (3, 1.0), (4, 1.0))]
    assert said(course.zero_problems(log(rows))) == [("training.full_accuracy", "step 4")]
    assert course.zero_problems(log(rows[:3])) == []


def test_a_run_that_ends_at_a_uniform_guess_is_found() -> None:
    guess = math.log(50_257)
    assert said(course.chance_problems(losses(10.9, guess, guess, guess), vocabulary=50_257)) == [
        ("training.chance", "step 40")
    ]
    assert course.chance_problems(losses(10.9, 9.0, 7.5, 7.2), vocabulary=50_257) == []


def test_preference_training_that_stays_at_a_coin_toss_is_flat() -> None:
    coin = [0.6931, 0.6925, 0.6940, 0.6929, 0.6936, 0.6990]
    assert said(course.flat_problems(losses(*coin), preference=True)) == [("training.flat", "step 60")]
    assert course.flat_problems(losses(*coin), preference=False) == []  # it moves; 0.693 means nothing elsewhere
    assert course.flat_problems(losses(0.693, 0.68, 0.66, 0.63, 0.6), preference=True) == []


def test_a_loss_that_does_not_move_is_flat() -> None:
    assert said(course.flat_problems(losses(2.0, 2.001, 1.999, 2.0, 2.002), preference=False)) == [
        ("training.flat", "step 50")
    ]
    assert course.flat_problems(losses(2.0, 1.98, 2.02, 2.0, 1.97), preference=False) == []


def test_three_rising_evaluations_are_divergence() -> None:
    story = losses(3.175, 3.285, 3.403, name="eval_loss", every=100)  # a learning rate of 2e-4 for a 36M model
    assert said(course.rising_problems(story, shipped=300)) == [("training.diverged", "step 300")]
    assert course.rising_problems(story, shipped=200) == []  # the checkpoint before it was shipped
    recovered = losses(3.175, 3.285, 3.403, 3.1, name="eval_loss", every=100)
    assert course.rising_problems(recovered, shipped=400) == []
    noise = losses(3.000, 3.002, 3.004, name="eval_loss", every=100)
    assert course.rising_problems(noise, shipped=300) == []


def test_evaluations_that_rise_while_the_training_loss_falls_are_overfitting() -> None:
    rising = ((6800, 0.07942), (7000, 0.08049), (7200, 0.08327))

    def told(training: list[float]) -> list[str]:
        notes = [{"step": step, "eval_loss": loss} for step, loss in rising]
        notes += [{"step": 6500 + 100 * number, "loss": loss} for number, loss in enumerate(training)]
        found = log(sorted(notes, key=lambda note: note["step"]))
        return [problem.code for problem in course.rising_problems(found, shipped=7200)]

    assert told([0.02, 0.018, 0.017, 0.015, 0.012, 0.01, 0.009, 0.009]) == ["training.overfit"]
    assert told([0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]) == ["training.diverged"]
    assert told([]) == ["training.diverged"]


def test_a_later_step_than_the_best_is_found(tmp_path: Path) -> None:
    last = real()["global_step"]
    before = [row for row in real()["log_history"] if 0 < row["step"] < last and "eval_loss" in row]
    best = min(before, key=lambda row: row["eval_loss"])["step"]
    found = stored(tmp_path, _edited(lambda h: _at(h, last, "eval_loss").update(eval_loss=0.12)))
    assert said(course.shipped_problems(found, shipped=last)) == [("training.not_best", f"step {best}")]
    assert course.shipped_problems(found, shipped=best) == []


def test_a_missing_piece_is_found_wherever_it_is(tmp_path: Path) -> None:
    def without(first: int, last: int) -> list[tuple[str, str]]:
        state = real()
        state["log_history"] = [row for row in state["log_history"] if not first <= row["step"] <= last]
        return said(continuity.gap_problems(stored(tmp_path, state)))

    assert without(1, 600) == [("training.gap", "step 0")]
    assert without(1001, 1160) == [("training.gap", "step 1000")]
    assert without(3001, real()["global_step"]) == [("training.gap", "step 3000")]
    assert without(1001, 1020) == []  # one dropped line


def resumed(rate: Callable[[int], float | None]) -> Log:
    """The real run, whose steps from 1000 to 1200 are noted twice; `rate` is what the second time notes."""
    history = [row for row in real()["log_history"] if "loss" in row]
    again = []
    for row in history:
        if row["step"] > 1000:
            copy = {key: value for key, value in row.items() if key != "learning_rate"}
            again.append(copy if (value := rate(row["step"])) is None else {**copy, "learning_rate": value})
    return log([row for row in history if row["step"] <= 1200] + again)


def test_a_resume_that_kept_its_state_is_no_finding() -> None:
    kept = {row["step"]: row["learning_rate"] for row in real()["log_history"] if "learning_rate" in row}
    assert continuity.resume_problems(resumed(kept.__getitem__)) == []


@pytest.mark.parametrize("rate", [lambda step: 1e-5 * (step - 1000), lambda step: None])
def test_a_resume_that_lost_its_state_or_cannot_show_it_is_found(rate: Callable[[int], float | None]) -> None:
    assert said(continuity.resume_problems(resumed(rate))) == [("training.resumed", "step 1200")]


def test_two_runs_in_one_log_are_found() -> None:
    rows = [{"step": s, "loss": 1.0, "learning_rate": 1e-4} for s in (10, 20, 30, 10, 20, 30, 40)]
    assert said(continuity.resume_problems(log(rows))) == [("training.resumed", "step 30")]


def test_a_second_warmup_is_found_and_restarts_of_a_cosine_are_not(tmp_path: Path) -> None:
    def again(history: list[dict[str, Any]]) -> None:
        for number, step in enumerate(range(1020, 1120, 20), 1):
            _at(history, step).update(learning_rate=1e-4 * number)

    assert said(continuity.resume_problems(stored(tmp_path, _edited(again)))) == [("training.reset", "step 1020")]
    cosine = [0.5 * (1 + math.cos(math.pi * (step % 100) / 100)) for step in range(0, 400, 10)]
    rows = [{"step": 10 * n, "loss": 1.0, "learning_rate": rate} for n, rate in enumerate(cosine)]
    assert continuity.resume_problems(log(rows)) == []


@pytest.mark.parametrize(
    ("done", "declared", "wrong"),
    [(1.94, None, True), (1.9986, None, False), (3.0, None, False), (5.04, None, False), (5.06, None, True),
     (0.8, 0.8, False), (0.8, 2.0, True), (8.0, 8.0, False)],
)  # fmt: skip
def test_coverage_is_2_to_5_passes_or_as_declared(done: float, declared: float | None, wrong: bool) -> None:
    expected = [("training.coverage", f"{done:.2f} passes")] if wrong else []
    assert said(coverage.coverage_problems(done, declared=declared)) == expected


def test_passes_come_from_the_log_else_from_the_capture() -> None:
    counted = {"rows_seen": 30, "dataset_rows": 10}
    assert coverage.passes(log([{"step": 1, "epoch": 2.5, "loss": 1.0}]), counted) == 2.5
    assert coverage.passes(losses(1.0), counted) == 3.0
    assert coverage.passes(losses(1.0), {}) is None


def seen(held: int, fed: int, *, episodes: int | None = None, rows: int | None = None) -> dict[str, int]:
    rows = fed if rows is None else rows
    return {"dataset_rows": held, "distinct_episodes": fed, "rows_seen": rows, "episodes_seen": episodes or rows}


def test_a_page_of_the_rows_is_not_the_rows() -> None:
    problems = coverage.sample_problems(seen(50_000, 50_000), intended=560_000, declared=None, processes=1)
    assert said(problems) == [("training.samples", "50000 of 560000 rows")]


def test_rows_that_were_held_and_never_fed_are_found() -> None:
    assert said(coverage.sample_problems(seen(1000, 480), intended=1000, declared=None, processes=1)) == [
        ("training.samples", "480 of 1000 rows")
    ]
    assert coverage.sample_problems(seen(1000, 480), intended=1000, declared=0.5, processes=1) == []
    assert coverage.sample_problems(seen(1000, 480), intended=1000, declared=None, processes=2) == []
    assert coverage.sample_problems(seen(1000, 950), intended=1000, declared=None, processes=1) == []  # some are equal


def test_packed_rows_are_counted_by_their_episodes() -> None:
    packs = seen(120, 1000, rows=120, episodes=1000)
    assert coverage.sample_problems(packs, intended=1000, declared=None, processes=1) == []
    assert said(coverage.sample_problems(packs, intended=4000, declared=None, processes=1)) == [
        ("training.samples", "1000 of 4000 rows")
    ]


# -- recipes


def test_a_setting_that_drifted_by_copy_and_paste_is_found() -> None:
    own = {"lr": 2e-4, "data": {"format": "concat", "rows": 10}, "seed": 2}
    other = {"lr": 5e-5, "data": {"format": "chat_template", "rows": 10}, "seed": 2}
    assert said(recipe_rules.recipe_problems(own, other, name="sibling", factors=["lr"])) == [
        ("training.recipe", "data.format")
    ]
    assert recipe_rules.recipe_problems(own, other, name="sibling", factors=["lr", "data"]) == []
    assert said(recipe_rules.recipe_problems({**own, "extra": 1}, own, name="sibling", factors=[])) == [
        ("training.recipe", "extra")
    ]


def test_a_factor_covers_what_is_below_it_and_nothing_beside_it() -> None:
    own, other = {"a": {"b": 1, "c_sha256": "x"}, "ab": 2}, {"a": {"b": 2, "c_sha256": "y"}, "ab": 3}
    assert said(recipe_rules.recipe_problems(own, other, name="s", factors=["a"])) == [("training.recipe", "ab")]
    assert said(recipe_rules.recipe_problems(own, other, name="s", factors=["*sha256", "ab"])) == [
        ("training.recipe", "a.b")
    ]


def test_recipes_are_json_or_toml_objects(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("lr = 1e-4\n[data]\nrows = 3\nday = 2026-01-02\n")
    (tmp_path / "r.json").write_text('{"lr": 1e-4, "data": {"rows": 4, "day": "2026-01-02"}}')
    one, two = recipe_rules.read_recipe(tmp_path / "r.toml"), recipe_rules.read_recipe(tmp_path / "r.json")
    assert "data.rows" in [problem.locus for problem in recipe_rules.recipe_problems(one, two, name="two", factors=[])]
    for name, text in (("b.json", "[1]"), ("b.toml", "= 3"), ("c.json", "{")):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError):
            recipe_rules.read_recipe(tmp_path / name)


@pytest.mark.parametrize("factor", ["*", "**", "?*", "*.*", "[!x]*", "", " "])
def test_a_factor_that_covers_every_key_is_refused(factor: str) -> None:
    with pytest.raises(UsageError, match="factors names") as caught:
        recipe_rules.recipe_problems({"lr": 1}, {"lr": 2}, name="sibling", factors=["data", factor])
    assert "every difference" in caught.value.reason
