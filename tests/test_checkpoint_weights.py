"""The weights rung: ties, vocabulary, special ids, shapes. Each question finds the defect of a really broken file."""

from __future__ import annotations

import json
import shutil

import pytest
import tiny_model
import torch

from modelqa.checkpoint import (
    open_checkpoint,
    read,
    shape_problems,
    special_id_problems,
    tie_problems,
    vocabulary_problems,
)
from modelqa.checkpoint.names import TIED_BY_DEFAULT
from modelqa.errors import CheckpointError

HEADS = {"llama": ("model.embed_tokens.weight", "lm_head.weight"), "gpt2": ("transformer.wte.weight", "lm_head.weight")}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    root = tmp_path_factory.mktemp("originals")
    return {
        (kind, tied): tiny_model.write_model(root / f"{kind}-{tied}", kind, tied=tied)
        for kind in ("llama", "gpt2") for tied in (True, False)
    }  # fmt: skip


@pytest.fixture
def copy(originals, tmp_path):
    def make(kind="llama", tied=True):
        return shutil.copytree(originals[kind, tied], tmp_path / "copy")

    return make


# -- ties


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("tied", [True, False])
def test_what_transformers_saves_has_no_tie_problem(copy, kind, tied):
    checkpoint = open_checkpoint(copy(kind, tied))
    assert tie_problems(checkpoint) == []
    assert checkpoint.tied(*HEADS[kind]) is tied


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_drifted_head_under_a_tied_config_is_found_with_rows_and_difference(copy, kind):
    folder = copy(kind)
    embedding = torch.from_numpy(read(open_checkpoint(folder), HEADS[kind][0]))
    head = embedding.clone()
    head[3, 5] += 0.25
    head[9] -= 0.125
    tiny_model.retensor(folder, lm_head__weight=head)
    checkpoint = open_checkpoint(folder)
    (problem,) = tie_problems(checkpoint)
    assert (problem.code, problem.locus) == ("weights.untied", "lm_head.weight")
    assert f"2 of {len(head)} rows" in problem.text and "0.25" in problem.text
    assert not checkpoint.tied(*HEADS[kind])


def test_the_drifted_head_is_one_that_a_loader_does_not_stop_at(copy):
    from transformers import AutoModelForCausalLM

    folder = copy()
    tiny_model.retensor(folder, lm_head__weight=torch.zeros(tiny_model.vocabulary_size(folder), 32))
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert not torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)
    assert tie_problems(open_checkpoint(folder))


@pytest.mark.parametrize("flag", [True, False])
def test_two_equal_copies_are_fine_whatever_the_config_says(copy, flag):
    folder = copy()
    tiny_model.retensor(folder, lm_head__weight=torch.from_numpy(read(open_checkpoint(folder), HEADS["llama"][0])))
    tiny_model.edit(folder / "config.json", tie_word_embeddings=flag)
    checkpoint = open_checkpoint(folder)
    assert tie_problems(checkpoint) == [] and checkpoint.tied(*HEADS["llama"])


def test_a_missing_head_without_a_tie_is_found(copy):
    folder = copy(tied=False)
    tiny_model.retensor(folder, lm_head__weight=None)
    (problem,) = tie_problems(open_checkpoint(folder))
    assert (problem.code, problem.locus) == ("weights.untied", "lm_head.weight")


def test_a_head_of_another_size_is_found(copy):
    folder = copy()
    tiny_model.retensor(folder, lm_head__weight=torch.zeros(5, 32))
    assert "[5, 32]" in tie_problems(open_checkpoint(folder))[0].text


def test_a_tied_model_that_stores_only_its_head_is_fine(copy):
    folder = copy()
    embedding = torch.from_numpy(read(open_checkpoint(folder), HEADS["llama"][0]))
    tiny_model.retensor(folder, model__embed_tokens__weight=None, lm_head__weight=embedding)
    assert tie_problems(open_checkpoint(folder)) == []


def test_equal_values_of_two_types_are_tied_and_nan_equals_nan(copy):
    folder = copy()
    embedding = torch.from_numpy(read(open_checkpoint(folder), HEADS["llama"][0])).bfloat16()
    embedding[0, 0] = float("nan")
    tiny_model.retensor(folder, model__embed_tokens__weight=embedding.float(), lm_head__weight=embedding)
    assert tie_problems(open_checkpoint(folder)) == []


@pytest.mark.parametrize(("kind", "problems"), [("gpt2", 1), ("llama", 0)])
def test_without_the_key_the_default_of_the_model_type_counts(copy, kind, problems):
    folder = copy(kind, tied=False)
    tiny_model.edit(folder / "config.json", tie_word_embeddings=None)
    assert len(tie_problems(open_checkpoint(folder))) == problems


def test_the_flag_of_a_nested_text_config_counts(copy):
    folder = copy(tied=False)
    config = tiny_model.read(folder / "config.json")
    nested = {**config, "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps({"model_type": "llava", "text_config": nested}))
    assert len(tie_problems(open_checkpoint(folder))) == 1


def test_the_table_of_default_ties_is_that_of_transformers():
    from transformers import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    known = [name for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if name in CONFIG_MAPPING]
    tied = {name for name in known if getattr(CONFIG_MAPPING[name], "tie_word_embeddings", False)}
    assert tied == TIED_BY_DEFAULT & set(known) and len(known) > 100


def test_a_file_without_any_embedding_cannot_be_judged(copy):
    folder = copy()
    tiny_model.retensor(folder, model__embed_tokens__weight=None)
    with pytest.raises(CheckpointError, match="neither an embedding nor an output matrix"):
        tie_problems(open_checkpoint(folder))


def test_tied_refuses_two_names_that_are_not_there(copy):
    with pytest.raises(CheckpointError, match="no tensor 'a'"):
        open_checkpoint(copy()).tied("a", "b")


# -- vocabulary and special ids


def codes(problems):
    return {problem.code for problem in problems}


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_healthy_checkpoint_has_no_vocabulary_problem(copy, kind):
    checkpoint = open_checkpoint(copy(kind))
    assert vocabulary_problems(checkpoint) == [] and shape_problems(checkpoint) == []


def test_padded_embedding_rows_are_fine(tmp_path):
    rows = tiny_model.vocabulary_size(tiny_model.write_model(tmp_path / "a")) + 40
    checkpoint = open_checkpoint(tiny_model.write_model(tmp_path / "b", vocab_size=rows))
    assert vocabulary_problems(checkpoint) == [] and shape_problems(checkpoint) == []


def test_an_id_without_a_row_is_found(copy):
    folder = copy()
    embedding = torch.from_numpy(read(open_checkpoint(folder), HEADS["llama"][0]))
    tiny_model.retensor(folder, model__embed_tokens__weight=embedding[:-2])
    checkpoint = open_checkpoint(folder)
    (problem,) = vocabulary_problems(checkpoint)
    assert (problem.code, problem.locus) == ("weights.vocabulary", str(len(embedding) - 1))
    assert "2 tokens" in problem.text
    assert codes(shape_problems(checkpoint)) == {"weights.shapes"}


def test_an_added_token_beyond_the_rows_is_found(copy):
    folder = copy()
    content = tiny_model.read(folder / "tokenizer.json")
    content["added_tokens"].append({**content["added_tokens"][0], "id": 9000, "content": "<|late|>"})
    (folder / "tokenizer.json").write_text(json.dumps(content))
    (problem,) = vocabulary_problems(open_checkpoint(folder))
    assert problem.locus == "9000" and "<|late|>" in problem.text


def test_two_tokens_with_one_id_are_found(copy):
    folder = copy()
    content = tiny_model.read(folder / "tokenizer.json")
    content["model"]["vocab"]["twin"] = 50
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert [problem.locus for problem in vocabulary_problems(open_checkpoint(folder))] == ["50"]


def test_a_token_with_two_ids_is_found(copy):
    folder = copy()
    content = tiny_model.read(folder / "tokenizer.json")
    content["added_tokens"][0]["id"] = 77
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert "weights.vocabulary" in codes(vocabulary_problems(open_checkpoint(folder)))


@pytest.mark.parametrize("name", ["config.json", "generation_config.json"])
@pytest.mark.parametrize("role", ["bos", "eos", "pad"])
@pytest.mark.parametrize("number", [-1, 50_000])
def test_a_special_id_that_no_token_has_is_found(copy, name, role, number):
    folder = copy()
    tiny_model.edit(folder / name, **{f"{role}_token_id": number})
    problems = special_id_problems(open_checkpoint(folder))
    assert codes(problems) == {"weights.special_ids"}
    assert any(name in problem.text and str(number) in problem.text for problem in problems)


def test_swapped_special_ids_are_found(copy):
    folder = copy()
    ids = tiny_model.special_ids(folder)
    for name in ("config.json", "generation_config.json"):
        tiny_model.edit(folder / name, eos_token_id=ids["<|im_start|>"])
    problems = special_id_problems(open_checkpoint(folder))
    assert [(problem.code, problem.locus) for problem in problems] == [("weights.special_ids", "eos_token")]
    assert "<|im_end|>" in problems[0].text


def test_configs_that_disagree_on_eos_are_found(copy):
    folder = copy()
    tiny_model.edit(folder / "config.json", eos_token_id=tiny_model.special_ids(folder)["<|im_start|>"])
    assert [problem.locus for problem in special_id_problems(open_checkpoint(folder))] == ["eos_token_id"]


def test_several_eos_ids_with_the_tokenizers_among_them_are_fine(copy):
    folder = copy()
    ids = tiny_model.special_ids(folder)
    tiny_model.edit(folder / "generation_config.json", eos_token_id=[ids["<|pad|>"], ids["<|im_end|>"]])
    assert special_id_problems(open_checkpoint(folder)) == []


def test_a_named_token_that_the_tokenizer_lacks_is_found(copy):
    folder = copy()
    tiny_model.edit(folder / "tokenizer_config.json", pad_token={"content": "<nothing>"})
    (problem,) = special_id_problems(open_checkpoint(folder))
    assert problem.locus == "pad_token" and "<nothing>" in problem.text


def test_a_unigram_vocabulary_is_read_by_place(copy):
    folder = copy()
    content = tiny_model.read(folder / "tokenizer.json")
    by_id = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    content["model"] = {"type": "Unigram", "vocab": [[token, -1.0] for token in by_id]}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    assert vocabulary_problems(open_checkpoint(folder)) == []


@pytest.mark.parametrize(
    "content", ["{}", '{"model": {"vocab": 3}}', '{"model": {"vocab": {"a": null}}}', '{"model": {"vocab": [1]}}']
)
def test_a_tokenizer_of_another_form_cannot_be_judged(copy, content):
    folder = copy()
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        vocabulary_problems(open_checkpoint(folder))


def test_a_checkpoint_without_tokenizer_json_cannot_be_judged(copy):
    folder = copy()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
        vocabulary_problems(open_checkpoint(folder))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_missing_layer_is_found(copy, kind):
    folder = copy(kind)
    count = "num_hidden_layers" if kind == "llama" else "n_layer"
    tiny_model.edit(folder / "config.json", **{count: 3})
    (problem,) = shape_problems(open_checkpoint(folder))
    assert problem.code == "weights.shapes" and problem.locus.endswith(".2")
