"""Healthy twins: each would trip a naive gate, and says the same as the model that it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from behaviour_suite import BODIES, FORMAT, ROLE_TAGS, STOP, cases_of, saying, says_yes

from modelqa import Case
from modelqa.chat import Chat, open_chat
from modelqa.chat.mask import stop_problems
from modelqa.checkpoint import (
    Checkpoint,
    dtype_problems,
    embedding_rows,
    entries,
    finite_problems,
    key_problems,
    open_checkpoint,
    read,
    row_problems,
    shape_problems,
    special_id_problems,
    special_row_problems,
    tie_problems,
    vocabulary_problems,
)
from modelqa.degeneration import kind as kind_of_reply
from modelqa.form import Grammar
from modelqa.models import load_registry
from modelqa.mutants.kind import Kind, Sibling
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.trial import stage
from modelqa.record import Problem

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODEL = load_registry(FIXTURES / "models.toml").models["phase3a2"]
assert MODEL.path is not None
HEALTHY = open_checkpoint(MODEL.path)
NORM = "model.layers.0.input_layernorm.weight"
NEURONS = "model.layers.0.mlp.up_proj.weight"


def same_file(name: str, checkpoint: Checkpoint) -> bool:
    return (checkpoint.path / name).read_bytes() == (HEALTHY.path / name).read_bytes()


# What somebody might write as a gate, and what is wrong with it: it fails on a model that is as good as before.
NAIVE: dict[str, Callable[[Checkpoint], bool]] = {
    "sharded": lambda it: (it.path / "model.safetensors").is_file(),
    "float32": lambda it: {tensor.dtype for tensor in it.tensors.values()} == {"BF16"},
    "stored_twice": lambda it: sum(tensor.elements for tensor in it.tensors.values()) == 1_115_264,
    "untied_on_purpose": lambda it: bool(it.config["tie_word_embeddings"]),
    "padded_vocabulary": lambda it: it.config["vocab_size"] == open_chat(it.path).tokens.size,
    "reserved_token": lambda it: len(open_chat(it.path).special_tokens) == 4,
    "several_stops": lambda it: it.generation_config["eos_token_id"] == it.config["eos_token_id"],
    "sampling_defaults": lambda it: not it.generation_config["do_sample"],
    "template_moved": lambda it: (it.path / "chat_template.jinja").is_file(),
    "template_reworded": lambda it: same_file("chat_template.jinja", it),
    "older_config": lambda it: it.config.get("dtype") == "bfloat16",
    "neurons_permuted": lambda it: bool(np.abs(read(it, NEURONS) - read(HEALTHY, NEURONS)).max() < 0.1),
    "rescaled": lambda it: bool(read(it, NORM).mean() < 1.5 * read(HEALTHY, NORM).mean()),
}


@pytest.fixture(params=TWINS, ids=lambda kind: kind.name)
def twin(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Kind, Checkpoint]:
    copy = Sibling(stage(tmp_path, "copy", MODEL))
    request.param.make(copy)
    return request.param, copy.checkpoint


def problems(checkpoint: Checkpoint) -> list[Problem]:
    """What the gates of the weights rung and the stop ids say of the files."""
    chat = open_chat(checkpoint.path)
    rows = embedding_rows(checkpoint)
    return [*tie_problems(checkpoint), *finite_problems(checkpoint), *vocabulary_problems(checkpoint),
             *special_id_problems(checkpoint), *shape_problems(checkpoint), *key_problems(checkpoint),
             *dtype_problems(checkpoint), *row_problems(rows, {number for _, number in entries(checkpoint)}),
             *special_row_problems(rows, chat.written_tokens), *stop_problems(chat)]  # fmt: skip


def test_there_are_at_least_ten_twins_and_each_is_named_with_a_naive_gate() -> None:
    assert len(TWINS) >= 10
    assert set(NAIVE) == {kind.name for kind in TWINS}


@pytest.mark.parametrize("name", NAIVE)
def test_a_naive_gate_passes_the_model_itself(name: str) -> None:
    assert NAIVE[name](HEALTHY)


def test_a_twin_trips_its_naive_gate_and_none_of_ours(twin: tuple[Kind, Checkpoint]) -> None:
    kind, checkpoint = twin
    assert not NAIVE[kind.name](checkpoint)
    assert problems(checkpoint) == []


QUESTIONS = ("Say Hello.", "What is the capital of France?", "Put square brackets around this: oak tree", "2 + 3 =")


def test_a_twin_says_the_same(twin: tuple[Kind, Checkpoint]) -> None:
    assert said(twin[1]) == said(HEALTHY)


def said(checkpoint: Checkpoint) -> list[tuple[int, ...]]:
    """The ids of the replies to a few questions."""
    from modelqa.generate import LocalEngine

    chat = open_chat(checkpoint.path)
    engine = LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    system = {"role": "system", "content": MODEL.system or ""}
    prompts = [chat.render([system, {"role": "user", "content": question}]) for question in QUESTIONS]
    made = dict(engine.replies(prompts, max_new_tokens=12, decode=chat.decode))
    return [tuple(made[number].ids) for number in range(len(prompts))]


# -- healthy replies and healthy formats -------------------------------------------------------------------------------

RTL = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"  # "hello world" in Hebrew
USER = {"role": "user", "content": "Say Hello."}
GRAMMAR = Grammar(frozenset({STOP}), frozenset({STOP, *ROLE_TAGS}))


def about(kind: str) -> Case:
    """A question about a word, of one kind."""
    return next(case for case in cases_of("anti_echo") if case.meta["kind"] == kind)


def operated(operator: str) -> Case:
    return next(case for case in cases_of("operators") if case.meta["operator"] == operator)


@dataclass(frozen=True)
class Healthy:
    """A good reply, the gate that judges it, and a naive gate that would refuse it."""

    gate: str
    case: Case
    text: str
    naive: Callable[[Case, str], bool]


TOLD = {
    "terse": Healthy("anti_echo", about("invented"), "No.", lambda case, text: len(text.split()) >= 3),
    "quoted_nonce": Healthy(
        "anti_echo", about("invented"), f'No, "{about("invented").payload}" is not an English word.',
        lambda case, text: str(case.payload).lower() not in text.lower(),
    ),
    "right_to_left": Healthy(
        "echo_basic", Case("rtl", (dict(USER, content=f"Say back: {RTL}"),), expect=RTL), RTL,
        lambda case, text: text.isascii(),
    ),
    "polite": Healthy(
        "echo_basic", cases_of("echo_basic")[0], f"Sure, here it is: {cases_of('echo_basic')[0].answer}",
        lambda case, text: text == case.answer,
    ),
    "bracketed": Healthy(
        "operators", operated("WRAP"), str(operated("WRAP").answer),
        lambda case, text: all(letter.isalnum() or letter.isspace() for letter in text),
    ),
    "a_number": Healthy(
        "regression_basic", next(case for case in cases_of("regression_basic") if case.meta["topic"] == "sum"),
        str(next(case for case in cases_of("regression_basic") if case.meta["topic"] == "sum").answer),
        lambda case, text: any(letter.isalpha() for letter in text),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_a_good_reply_trips_a_naive_gate_and_none_of_ours(name: str) -> None:
    told = TOLD[name]
    reply = saying(told.case, told.text)
    assert not told.naive(told.case, told.text)
    assert says_yes(BODIES[told.gate], case=told.case, reply=reply)
    assert says_yes(FORMAT, case=told.case, reply=reply, grammar=GRAMMAR)
    assert kind_of_reply(reply, told.case, GRAMMAR) == ""


# Really trained models whose formats somebody might take for broken.
FORMATS: dict[str, tuple[str, Callable[[Chat], bool]]] = {
    "no_beginning_token": ("phase3a2", lambda chat: chat.special_tokens.get("<s>") is not None),
    "other_tags_than_chatml": ("reference", lambda chat: "<|im_start|>" in chat.special_tokens),
    "no_system_turn": ("phase3a2", lambda chat: "system" in chat.decode(list(chat.render([USER]).ids))),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_healthy_format_trips_a_naive_gate_and_none_of_ours(name: str) -> None:
    model, naive = FORMATS[name]
    path = load_registry(FIXTURES / "models.toml").models[model].path
    assert path is not None
    chat = open_chat(path)
    assert not naive(chat)
    assert stop_problems(chat) == [] and special_id_problems(open_checkpoint(path)) == []
