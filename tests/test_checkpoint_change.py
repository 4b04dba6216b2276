"""The weights rung beyond single numbers: keys, dtype, embedding rows, and what changed since the parent."""

from __future__ import annotations

import json
import shutil
import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_model
import torch

from modelqa.chat import open_chat
from modelqa.checkpoint import (
    byte_ids,
    change_problems,
    changes,
    dtype_problems,
    embedding_rows,
    entries,
    id_map_problems,
    key_problems,
    merge_problems,
    open_adapter,
    open_checkpoint,
    read,
    row_problems,
    same_fields,
    special_row_problems,
)
from modelqa.checkpoint.architecture import COMPUTED_BY
from modelqa.checkpoint.opening import Checkpoint
from modelqa.errors import CheckpointError
from modelqa.logs.recipes import recipe_problems
from modelqa.models import load_registry
from modelqa.record import Problem

FIXTURES = Path(__file__).parents[1] / "fixtures"
REGISTRY = load_registry(FIXTURES / "models.toml")
EMBEDDING = "model.embed_tokens.weight"
Edit = Callable[[Path], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped chat model, to be broken."""
    return shutil.copytree(FIXTURES / "checkpoints" / "phase3a2", tmp_path / "copy")


def parent() -> Checkpoint:
    return open_checkpoint(FIXTURES / "checkpoints" / "phase3a1_gamma")


def said(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.locus) for problem in problems]


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def store(folder: Path, values: dict[str, torch.Tensor]) -> Checkpoint:
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in values.items()}, folder / "model.safetensors")
    return open_checkpoint(folder)


@pytest.mark.parametrize("name", sorted(REGISTRY.models))
def test_no_rule_accuses_a_real_checkpoint(name: str) -> None:
    model = REGISTRY.models[name]
    assert model.path is not None
    checkpoint = open_checkpoint(model.path)
    rows = embedding_rows(checkpoint)
    problems = [
        *key_problems(checkpoint), *dtype_problems(checkpoint),
        *row_problems(rows, dict(entries(checkpoint)).values(), byte_ids(checkpoint)),
    ]  # fmt: skip
    if model.stage != "base":
        problems += special_row_problems(rows, open_chat(model.path).written_tokens)
    if model.parent:
        older = open_checkpoint(REGISTRY.models[model.parent].location)
        problems += [*change_problems(changes(checkpoint, older)), *id_map_problems(checkpoint, older)]
    assert problems == []


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("tied", [True, False])
def test_no_rule_accuses_what_transformers_saves(tmp_path: Path, kind: str, tied: bool) -> None:
    checkpoint = open_checkpoint(tiny_model.write_model(tmp_path / "m", kind, tied=tied))
    rows = embedding_rows(checkpoint)
    assert [*key_problems(checkpoint), *dtype_problems(checkpoint), *row_problems(rows, range(len(rows.norms)))] == []


# -- keys and dtype


def test_a_layer_without_one_tensor_is_found(copy: Path) -> None:
    values = tensors(copy)
    del values["model.layers.2.mlp.up_proj.weight"]
    assert said(key_problems(store(copy, values))) == [("weights.missing_key", "model.layers.2.mlp.up_proj.weight")]


def test_a_layer_with_one_tensor_too_many_is_found(copy: Path) -> None:
    values = tensors(copy)
    values["model.layers.1.self_attn.q_proj.bias"] = torch.zeros(128, dtype=torch.bfloat16)
    assert said(key_problems(store(copy, values))) == [("weights.extra_key", "model.layers.1.self_attn.q_proj.bias")]


def test_what_an_adapter_left_behind_is_found(copy: Path) -> None:
    values = tensors(copy)
    name = "model.layers.0.self_attn.q_proj.lora_A.weight"
    values[name] = torch.zeros(8, 128, dtype=torch.bfloat16)
    assert said(key_problems(store(copy, values))) == [("weights.extra_key", name)]


def test_another_kind_of_layer_is_no_odd_layer(copy: Path) -> None:
    values = tensors(copy)
    for part in ("gate_proj", "up_proj", "down_proj"):  # one layer with experts where the others have none
        values[f"model.layers.3.mlp.experts.0.{part}.weight"] = values.pop(f"model.layers.3.mlp.{part}.weight")
    assert key_problems(store(copy, values)) == []


def test_values_of_another_type_than_the_config_names_are_found(copy: Path) -> None:
    checkpoint = store(copy, {name: value.float() for name, value in tensors(copy).items()})
    assert said(dtype_problems(checkpoint)) == [("weights.dtype", EMBEDDING)]
    tiny_model.edit(copy / "config.json", dtype="float32")
    assert dtype_problems(open_checkpoint(copy)) == []


def test_a_few_tensors_of_higher_precision_are_fine(copy: Path) -> None:
    values = {name: value.float() if "norm" in name else value for name, value in tensors(copy).items()}
    assert dtype_problems(store(copy, values)) == []


# -- rows of the embedding


def broken_rows(copy: Path, change: Callable[[torch.Tensor], None]) -> list[tuple[str, str]]:
    values = tensors(copy)
    change(values[EMBEDDING])
    checkpoint = store(copy, values)
    ids = dict(entries(checkpoint)).values()
    return said(row_problems(embedding_rows(checkpoint), ids, byte_ids(checkpoint)))


def test_rows_of_zeros_are_found_and_a_few_are_not(copy: Path) -> None:
    assert broken_rows(copy, lambda table: table[300:340].zero_()) == [("weights.zero_rows", "row 300")]


def test_a_few_odd_rows_are_what_large_vocabularies_have(copy: Path) -> None:
    assert broken_rows(copy, lambda table: table[300:310].zero_()) == []


def test_rows_of_bytes_that_no_text_has_may_end_at_the_same_place(copy: Path) -> None:
    idle = sorted(byte_ids(open_checkpoint(copy)))

    def change(table: torch.Tensor) -> None:
        table[idle] = table[idle[0]].clone()

    assert len(idle) == 256 - len(string.printable.strip())
    assert broken_rows(copy, change) == []


def test_bytes_are_those_of_a_byte_level_alphabet_or_a_fallback_and_no_letters(copy: Path) -> None:
    file = copy / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["pre_tokenizer"] = content["decoder"] = None
    content["model"]["vocab"] = {"\u00e9": 0, "<0xE9>": 1, "a": 2, "<0xZZ>": 3}
    file.write_text(json.dumps(content), encoding="utf-8")
    assert byte_ids(open_checkpoint(copy)) == {1}


def test_equal_rows_are_found(copy: Path) -> None:
    def change(table: torch.Tensor) -> None:
        table[500:550] = table[499]

    assert broken_rows(copy, change) == [("weights.duplicate_rows", "row 500")]


def test_a_row_of_another_size_is_found(copy: Path) -> None:
    assert broken_rows(copy, lambda table: table[77].mul_(50)) == [("weights.outlier_row", "row 77")]


def special(copy: Path, change: Callable[[torch.Tensor, dict[str, int]], None]) -> list[tuple[str, str]]:
    values, used = tensors(copy), open_chat(copy).written_tokens
    change(values[EMBEDDING], used)
    return said(special_row_problems(embedding_rows(store(copy, values)), used))


def test_the_template_of_the_shipped_model_writes_two_control_tokens(copy: Path) -> None:
    assert set(open_chat(copy).written_tokens) == {"<|im_start|>", "<|im_end|>"}


def test_a_badly_initialised_control_row_is_found(copy: Path) -> None:
    def change(table: torch.Tensor, used: dict[str, int]) -> None:
        torch.manual_seed(0)
        table[used["<|im_end|>"]] = torch.randn(table.shape[1]).to(table.dtype)  # norm 11 among rows of 1

    assert special(copy, change) == [("weights.special_norm", "<|im_end|>")]


@pytest.mark.parametrize("row", ["mean", "zero", "other"])
def test_a_control_row_that_was_never_trained_is_found(copy: Path, row: str) -> None:
    def change(table: torch.Tensor, used: dict[str, int]) -> None:
        mean, other = table.float().mean(dim=0), table[used["<|im_start|>"]]
        rows = {"mean": mean, "zero": torch.zeros_like(mean), "other": other}
        table[used["<|im_end|>"]] = rows[row].to(table.dtype)

    assert special(copy, change) == [("weights.untrained_row", "<|im_end|>")]


# -- the change since the parent


def test_weights_of_the_parent_are_found(copy: Path) -> None:
    older = parent()
    moved = changes(open_checkpoint(older.path), older)
    assert set(moved.values()) == {0.0}
    assert said(change_problems(moved)) == [("weights.unchanged", "all tensors")]


def test_layers_that_stood_still_are_found(copy: Path) -> None:
    old, new = tensors(parent().path), tensors(copy)
    frozen = {name: old[name] if ".layers." in name else value for name, value in new.items()}
    moved = changes(store(copy, frozen), parent())
    assert moved["backbone"] == 0 and moved["embedding"] > 0.1
    assert said(change_problems(moved)) == [("weights.frozen", "backbone")]


def test_an_adapter_on_the_layers_alone_is_a_change(copy: Path) -> None:
    old, new = tensors(parent().path), tensors(copy)
    merged = {name: value if ".q_proj." in name else old[name] for name, value in new.items()}
    assert change_problems(changes(store(copy, merged), parent())) == []


def test_the_change_is_the_one_that_numpy_computes(copy: Path) -> None:
    one, two = read(open_checkpoint(copy), EMBEDDING), read(parent(), EMBEDDING)
    expected = np.linalg.norm(one - two) / np.linalg.norm(two)
    assert changes(open_checkpoint(copy), parent())["embedding"] == pytest.approx(float(expected), rel=1e-5)


def test_a_grown_vocabulary_is_compared_where_both_have_rows(copy: Path) -> None:
    values = tensors(parent().path)
    values[EMBEDDING] = torch.cat([values[EMBEDDING], torch.ones(16, 128, dtype=torch.bfloat16)])
    assert set(changes(store(copy, values), parent()).values()) == {0.0}


def test_special_tokens_that_moved_are_found_by_name(copy: Path) -> None:
    content = tiny_model.read(copy / "tokenizer.json")
    one, two = content["added_tokens"][-2:]
    one["id"], two["id"] = two["id"], one["id"]
    vocabulary = content["model"]["vocab"]
    for token in (one, two):
        if token["content"] in vocabulary:
            vocabulary[token["content"]] = token["id"]
    (copy / "tokenizer.json").write_text(json.dumps(content))
    found = said(id_map_problems(open_checkpoint(copy), parent()))
    assert found == [("weights.id_map", name) for name in sorted((one["content"], two["content"]))]


def test_another_tokenizer_is_no_moved_id(copy: Path) -> None:
    reference = FIXTURES / "checkpoints" / "reference"
    own, other = dict(entries(open_checkpoint(copy))), dict(entries(open_checkpoint(reference)))
    assert sum(own[token] != other[token] for token in own.keys() & other.keys()) > 100
    assert id_map_problems(open_checkpoint(copy), open_checkpoint(reference)) == []


# -- base plus adapter

RANK, ALPHA = 4, 16
TARGETS = ("model.layers.0.self_attn.q_proj", "model.layers.2.mlp.down_proj")


def write_adapter(folder: Path, **changes: object) -> dict[str, torch.Tensor]:
    """An adapter as peft writes it; {target tensor: what it adds}, computed by torch in double precision."""
    from safetensors.torch import save_file

    torch.manual_seed(3)
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "fan_in_fan_out": False, **changes}
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(config))
    parts, adds = {}, {}
    for target in TARGETS:
        rows, columns = tensors(parent().path)[f"{target}.weight"].shape
        a, b = 0.1 * torch.randn(RANK, columns), 0.1 * torch.randn(rows, RANK)
        parts[f"base_model.model.{target}.lora_A.weight"], parts[f"base_model.model.{target}.lora_B.weight"] = a, b
        scale = ALPHA / (RANK**0.5 if config.get("use_rslora") else RANK)
        adds[f"{target}.weight"] = scale * (b.double() @ a.double())
    save_file(parts, folder / "adapter_model.safetensors")
    return adds


def merged_into(copy: Path, adds: dict[str, torch.Tensor], times: int = 1) -> Checkpoint:
    values = tensors(parent().path)
    for name, add in adds.items():
        values[name] = (values[name].double() + times * add).to(torch.bfloat16)
    return store(copy, values)


@pytest.mark.parametrize("stabilised", [False, True])
def test_a_right_merge_is_base_plus_adapter(copy: Path, tmp_path: Path, stabilised: bool) -> None:
    adds = write_adapter(tmp_path / "adapter", use_rslora=stabilised)
    assert merge_problems(merged_into(copy, adds), parent(), open_adapter(tmp_path / "adapter")) == []


@pytest.mark.parametrize("times", [0, 2])
def test_an_adapter_that_was_not_merged_or_merged_twice_is_found(copy: Path, tmp_path: Path, times: int) -> None:
    adds = write_adapter(tmp_path / "adapter")
    found = merge_problems(merged_into(copy, adds, times), parent(), open_adapter(tmp_path / "adapter"))
    assert said(found) == [("weights.merge", f"{target}.weight") for target in sorted(TARGETS)]


def test_a_merge_into_another_base_is_found(copy: Path, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter")
    found = merge_problems(open_checkpoint(copy), parent(), open_adapter(tmp_path / "adapter"))
    assert {name for name in open_checkpoint(copy).tensors if "proj" in name} <= {problem.locus for problem in found}


@pytest.mark.parametrize("change", [{"use_dora": True}, {"r": 0}, {"peft_type": "IA3"}, {"lora_alpha": "much"}])
def test_an_adapter_of_another_kind_is_one_clear_error(tmp_path: Path, change: dict[str, object]) -> None:
    write_adapter(tmp_path / "adapter")
    tiny_model.edit(tmp_path / "adapter" / "adapter_config.json", **change)
    with pytest.raises(CheckpointError, match="no plain LoRA"):
        open_adapter(tmp_path / "adapter")


# -- the same weights under another config -----------------------------------------------------------------------------


def configured(copy: Path, **fields: object) -> Checkpoint:
    """The copy with these fields; None: without the field."""
    path = copy / "config.json"
    config = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return open_checkpoint(copy)


def architecture(own: Checkpoint, *factors: str) -> list[str]:
    mine, theirs = same_fields(own, parent())
    return [problem.locus for problem in recipe_problems(mine, theirs, name="parent", factors=factors)]


@pytest.mark.parametrize(
    ("fields", "loci"),
    [
        ({}, []),
        ({"hidden_act": "relu"}, ["config.hidden_act"]),
        ({"rms_norm_eps": 1e-3, "max_position_embeddings": 2048},
         ["config.max_position_embeddings", "config.rms_norm_eps"]),
        ({"rope_parameters": None, "rope_theta": 10000}, []),
        ({"rope_parameters": None, "rope_theta": 10000.0, "rope_scaling": None}, []),
        ({"rope_parameters": None, "rope_theta": 500000.0}, ["config.rope_parameters.rope_theta"]),
        ({"rope_parameters": None, "rope_theta": 10000, "rope_scaling": {"type": "linear", "factor": 4.0}},
         ["config.rope_parameters.factor", "config.rope_parameters.rope_type"]),
        ({"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 64},
         ["config.head_dim", "config.num_attention_heads", "config.num_key_value_heads"]),
        ({"hidden_act": None, "dtype": "float32", "attention_dropout": 0.1, "transformers_version": "4.57.1",
          "made_with": "another trainer"}, []),
    ],
)  # fmt: skip
def test_another_config_of_the_same_weights_is_named_by_its_fields(
    copy: Path, fields: dict[str, object], loci: list[str]
) -> None:
    assert architecture(configured(copy, **fields)) == loci


def test_a_declared_factor_excuses_its_field_alone(copy: Path) -> None:
    own = configured(copy, max_position_embeddings=2048, hidden_act="relu")
    assert architecture(own, "config.max_position_embeddings") == ["config.hidden_act"]
    assert architecture(own, "config") == []


def test_every_field_that_is_compared_is_one_of_transformers() -> None:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    known: set[str] = set()
    for kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.keys() & CONFIG_MAPPING.keys():
        known |= {field for base in CONFIG_MAPPING[kind].__mro__ for field in getattr(base, "__annotations__", {})}
        known |= set(CONFIG_MAPPING[kind].attribute_map)
    assert set(COMPUTED_BY) - known == {"rotary_pct", "rotary_emb_base"}  # names of transformers 4
