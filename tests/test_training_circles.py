"""Tests of answers that run on past their end: what is shown of them, and what is learnt from them."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from modelqa.training.circles import PAST, WEIGHT, circle, circles
from modelqa.training.encode import IGNORED, Encoded, rows_of, tensor_batch
from modelqa.training.recipe import read_recipes

ROOT = Path(__file__).parents[1]
END, PAD = 2, 0
PROMPT = (1, 40, 41, 42, 3)


def row(*answer: int, tail: tuple[int, ...] = ()) -> Encoded:
    """A prompt, an answer, its end, and what the template writes after it."""
    ids = (*PROMPT, *answer, END, *tail)
    return Encoded(ids, (*[IGNORED] * len(PROMPT), *answer, END, *[IGNORED] * len(tail)))


LONG = row(10, 11, 12, 13, 14, 15, tail=(9,))


DRAWN = [made for seed in range(60) if (made := circle(LONG, random.Random(seed)))]


def test_most_draws_are_long_enough_to_circle() -> None:
    assert len(DRAWN) >= 45


@pytest.mark.parametrize("made", DRAWN)
def test_only_the_end_of_turn_is_learnt_and_only_past_the_right_answers_length(made: Encoded) -> None:
    assert len(made.ids) == len(made.labels)
    learnt = [place for place, label in enumerate(made.labels) if label != IGNORED]
    assert learnt and {made.labels[place] for place in learnt} == {END}
    assert min(learnt) > len(PROMPT) + 6, "the place of the right answer's own end, or one within it"
    assert learnt == list(range(learnt[0], len(made.ids))), "once it should have ended, it should at every later place"


@pytest.mark.parametrize("made", DRAWN)
def test_what_circles_is_the_beginning_of_the_answer_and_its_last_tokens_over_and_over(made: Encoded) -> None:
    assert made.ids[: len(PROMPT)] == PROMPT
    said, answer = made.ids[len(PROMPT) :], LONG.ids[len(PROMPT) : len(PROMPT) + 6]
    assert END not in said and PAST[0] <= len(said) - len(answer) <= PAST[1]
    fits = [
        (kept, span) for kept in range(1, 7) for span in range(1, kept + 1)
        if said[:kept] == answer[:kept] and all(said[at] == said[at - span] for at in range(kept, len(said)))
    ]  # fmt: skip
    first = next(place for place, label in enumerate(made.labels) if label == END) - len(PROMPT)
    assert any(first > kept + span - 1 for kept, span in fits), "the end is wanted before the span was said twice"


def test_an_answer_of_one_token_has_nothing_to_go_back_to() -> None:
    assert circle(row(10), random.Random(1)) is None


def test_of_a_conversation_the_last_answer_circles() -> None:
    first, second = row(10, 11), row(20, 21, 22)
    both = Encoded((*first.ids, *second.ids), (*first.labels, *second.labels))
    made = circle(both, random.Random(3))
    assert made is not None
    before = len(first.ids) + len(PROMPT)
    assert made.ids[:before] == both.ids[:before] and set(made.labels[:before]) == {IGNORED}
    assert set(made.ids[before:]) <= {20, 21, 22}


def test_a_padded_batch_gives_its_rows_the_same_circles() -> None:
    rows = [LONG, row(20, 21)]
    padded = rows_of(tensor_batch(rows, PAD))
    assert circles(padded, share=1.0, rng=random.Random(5)) == circles(rows, share=1.0, rng=random.Random(5))


def test_about_the_share_of_the_rows_is_drawn() -> None:
    drawn = circles([LONG] * 2000, share=0.15, rng=random.Random(1))
    assert 240 <= len(drawn) <= 360
    assert circles([LONG] * 50, share=0.0, rng=random.Random(1)) == []


def test_the_term_is_added_to_the_training_loss_and_never_to_the_evaluation_loss(tmp_path: Path) -> None:
    import torch

    from modelqa.training.save import load_model
    from modelqa.training.stage import Schedule, circle_loss, make_trainer
    from modelqa.training.tokenizer import load_tokenizer

    folder = ROOT / "fixtures" / "checkpoints" / "phase3a1_alpha"
    pad = load_tokenizer(folder).pad_token_id
    plain = Schedule(passes=1.0, learning_rate=1e-4, seed=4, logging_steps=1)
    loss, held = {}, {}
    for name, schedule in (("plain", plain), ("circles", dataclasses.replace(plain, circles=1.0))):
        trainer = make_trainer(
            load_model(folder), train=[LONG] * 4, val=[LONG] * 4, schedule=schedule, pad=pad,
            scratch=tmp_path / name, max_steps=1,
        )
        trainer.train()
        loss[name] = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
        held[name] = next(entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry)
    term = torch.as_tensor(circle_loss(load_model(folder), [LONG] * 4, share=1.0, rng=random.Random("4 0"), pad=pad))
    assert held["circles"] == held["plain"]
    assert loss["circles"] - loss["plain"] == pytest.approx(term.item(), abs=1e-3)
    assert term.item() > WEIGHT * 0.5, "a model that has never circled does not end a circle"


def test_a_stage_without_circles_keeps_the_hash_that_it_had_before_there_were_any() -> None:
    recipes = read_recipes(ROOT / "fixtures" / "recipes.toml")
    assert "circles" not in recipes.recipe_of("phase3a1_alpha")["stage"]["schedule"]
    assert recipes.recipe_of("phase3a2")["stage"]["schedule"]["circles"] > 0
