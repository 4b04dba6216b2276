"""Templates in the styles of Llama 3, Gemma, Mistral and Phi: healthy formats that trip naive gates, none of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelqa.chat import Chat, open_chat
from modelqa.chat.mask import mask_problems, stop_problems
from modelqa.checkpoint import id_map_problems, open_checkpoint, special_id_problems, vocabulary_problems
from modelqa.errors import UsageError
from modelqa.models import load_registry
from modelqa.mutants.styled import declare_ends, read_twin_recipes
from modelqa.mutants.styles import STYLES, grow, retold, style_named
from modelqa.training.save import load_model, save_checkpoint
from modelqa.training.tokenizer import CHATML, load_tokenizer

ROOT = Path(__file__).parents[1]
MODELS = load_registry(ROOT / "fixtures" / "models.toml").models
PARENT = MODELS["phase3a2"].path
assert PARENT is not None
SAID = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say: tree"},
        {"role": "assistant", "content": "tree"})  # fmt: skip


def first_supervised(chat: Chat) -> str:
    """The text of the first token that the loss counts."""
    episode = chat.episode(SAID)
    return chat.decode([episode.ids[episode.mask.index(1)]])


# What somebody might write as a gate of the harness or of parity, and what is wrong with it.
NAIVE: dict[str, Callable[[Chat], bool]] = {
    "llama": lambda chat: chat.render(SAID[:2]).ids[0] != chat.bos_id,  # a template writes no beginning token
    "gemma": lambda chat: "assistant" in chat.render(SAID[:2]).text,  # the role that the data name
    "mistral": lambda chat: bool(first_supervised(chat).strip()),  # an answer begins with its first word
    "phi": lambda chat: chat.turn_end_id == chat.eos_id,  # a turn ends with the end-of-sequence token
}


@pytest.fixture(scope="module", params=STYLES)
def dressed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """(style, phase3a2's weights with the style's tokenizer and configs)."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = retold(load_tokenizer(PARENT), style_named(request.param))
    model = load_model(PARENT)
    grow(model, style_named(request.param))
    save_checkpoint(model, tokenizer, folder, chat=True)
    declare_ends(folder, style_named(request.param), tokenizer)
    return request.param, folder


def test_every_style_has_a_twin_and_a_naive_gate_that_passes_the_parent() -> None:
    assert {recipe.style for recipe in read_twin_recipes(ROOT / "fixtures" / "zoo_twins.toml").values()} == set(STYLES)
    assert set(NAIVE) == set(STYLES)
    assert all(naive(open_chat(PARENT)) for naive in NAIVE.values())


def test_a_style_trips_its_naive_gate_and_none_of_ours(dressed: tuple[str, Path]) -> None:
    name, folder = dressed
    chat, checkpoint = open_chat(folder), open_checkpoint(folder)
    assert not NAIVE[name](chat)
    assert [*stop_problems(chat), *mask_problems(chat, SAID), *special_id_problems(checkpoint),
            *vocabulary_problems(checkpoint), *id_map_problems(checkpoint, open_checkpoint(PARENT))] == []  # fmt: skip


def test_special_tokens_take_the_parent_s_ids_or_new_ones_and_all_other_text_keeps_its_own(
    dressed: tuple[str, Path],
) -> None:
    name, folder = dressed
    chat, parent = open_chat(folder), open_chat(PARENT)
    style = style_named(name)
    held = [chat.special_tokens[token] for token in style.family.special]
    known = [parent.special_tokens[token] for token in CHATML.special]
    assert held == [*known, *range(parent.tokens.size, parent.tokens.size + len(style.added))]
    text = "Say back: walnut fish"
    assert chat.tokens.encode(text).ids == parent.tokens.encode(text).ids


def test_the_texts_are_those_of_the_styles() -> None:
    written = {}
    for name, style in STYLES.items():
        tokenizer = retold(load_tokenizer(PARENT), style)
        written[name] = tokenizer.apply_chat_template(list(SAID), tokenize=False)
    assert written.pop("llama") == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nSay: tree<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\ntree<|eot_id|>"
    )
    assert written == {
        "gemma": "<bos><start_of_turn>user\nBe brief.\n\nSay: tree<end_of_turn>\n"
        "<start_of_turn>model\ntree<end_of_turn>\n",
        "mistral": "<s>[INST] Be brief.\n\nSay: tree [/INST] tree</s>",
        "phi": "<|system|>\nBe brief.<|end|>\n<|user|>\nSay: tree<|end|>\n<|assistant|>\ntree<|end|>\n",
    }


def test_a_style_that_nobody_knows_and_a_parent_of_another_family_are_refused() -> None:
    with pytest.raises(UsageError, match="no style 'gema'"):
        style_named("gema")
    other = MODELS["reference"].path
    assert other is not None
    with pytest.raises(UsageError, match="not those of ChatML"):
        retold(load_tokenizer(other), STYLES["phi"])
