"""Defects of files and configs: damaged, stale or unsafe files, and configs that describe another architecture."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

from modelqa.checkpoint.folder import INDEX, WEIGHTS
from modelqa.files import read_json, write_bytes, write_json
from modelqa.mutants.chat_files import folder, set_json, write_template
from modelqa.mutants.kind import REFUSED, Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import layers, matrix, set_config
from modelqa.mutants.tensors import raw, shard


def _cut(path: Path) -> None:
    """Cut the last eighth of a file off, as an interrupted download or a full disk does."""
    data = path.read_bytes()
    write_bytes(path, data[: len(data) * 7 // 8])


def _sharded(sibling: Sibling) -> tuple[Path, Path]:
    """The paths of the first and the last shard; a single file is stored as two first."""
    root = folder(sibling)
    if (root / INDEX).is_file():
        files = sorted(set(read_json(root / INDEX)["weight_map"].values()))
        return root / files[0], root / files[-1]
    first, last = shard(sibling.checkpoint)
    return root / first, root / last


def _truncated_file(sibling: Sibling) -> Damage:
    path = folder(sibling) / WEIGHTS
    if not path.is_file():
        raise NotApplicable("its weights are sharded")
    _cut(path)
    return sibling.damaged(WEIGHTS)


def _truncated_shard(sibling: Sibling) -> Damage:
    _, last = _sharded(sibling)
    _cut(last)
    return sibling.damaged(last.name)


def _missing_shard(sibling: Sibling) -> Damage:
    _, last = _sharded(sibling)
    last.unlink()
    return sibling.damaged(last.name)


def _stale_index(sibling: Sibling) -> Damage:
    first, last = _sharded(sibling)
    path = folder(sibling) / INDEX
    index = read_json(path)
    name = next(name for name, file in sorted(index["weight_map"].items()) if file == last.name)
    index["weight_map"][name] = first.name
    write_json(path, index)
    return sibling.damaged(INDEX)


def _pickled(sibling: Sibling) -> Damage:
    """The weights as a pickle of plain lists: harmless, but no loader can know that before it runs it."""
    checkpoint = sibling.checkpoint
    state = {name: raw(checkpoint, name).data for name in sorted(checkpoint.tensors)}
    root = folder(sibling)
    for name in {tensor.file for tensor in checkpoint.tensors.values()} | {INDEX}:
        (root / name).unlink(missing_ok=True)
    write_bytes(root / "pytorch_model.bin", pickle.dumps(state))
    return sibling.damaged("pytorch_model.bin")


def _remote_code(sibling: Sibling) -> Damage:
    set_json(folder(sibling) / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Model"})
    return sibling.damaged("config.json")


def _no_tokenizer(sibling: Sibling) -> Damage:
    (folder(sibling) / "tokenizer.json").unlink()
    return sibling.damaged("tokenizer.json")


def _broken_template(sibling: Sibling) -> Damage:
    write_template(sibling, sibling.chat.template.replace("%}", "", 1))
    return sibling.damaged("chat template")


def _more_layers(sibling: Sibling) -> Damage:
    stack = layers(sibling.checkpoint)
    config = sibling.checkpoint.text_config
    key = next((key for key in ("num_hidden_layers", "n_layer", "num_layers") if config.get(key) == len(stack)), None)
    if key is None:
        raise NotApplicable("its config does not count its layers under a known name")
    set_config(sibling, **{key: len(stack) + 1})
    prefix = matrix(sibling.checkpoint).name.split(".")
    return sibling.damaged(".".join(prefix[: [part.isdecimal() for part in prefix].index(True)]) + f".{len(stack)}")


def _changed(key: str, value: Any, sibling: Sibling) -> Damage:
    if key not in sibling.checkpoint.text_config or sibling.checkpoint.text_config[key] == value:
        raise NotApplicable(f"its config has no other {key}")
    set_config(sibling, **{key: value})
    return sibling.damaged(f"config.{key}")


def _other_rope(sibling: Sibling) -> Damage:
    config = sibling.checkpoint.text_config
    if isinstance(rope := config.get("rope_parameters"), dict) and "rope_theta" in rope:
        set_config(sibling, rope_parameters={**rope, "rope_theta": rope["rope_theta"] / 100})
    elif "rope_theta" in config:
        set_config(sibling, rope_theta=config["rope_theta"] / 100)
    else:
        raise NotApplicable("it has no rotary positions")
    return sibling.damaged("config.rope_parameters.rope_theta")


def _half_the_heads(sibling: Sibling) -> Damage:
    """Half as many heads, each twice as wide: every shape still fits."""
    config = sibling.checkpoint.text_config
    heads, groups = config.get("num_attention_heads"), config.get("num_key_value_heads")
    width = config.get("head_dim")
    if heads != groups or not isinstance(heads, int) or heads % 2 or not isinstance(width, int):
        raise NotApplicable("its heads cannot be paired without changing a shape")
    set_config(sibling, num_attention_heads=heads // 2, num_key_value_heads=heads // 2, head_dim=width * 2)
    return sibling.damaged("config.head_dim")


_OPEN = (Expected(REFUSED),)
_SPOILED = (
    Expected("weights.architecture"),
    Expected("parity.logged_loss", "log"),
    Expected("echo_basic.below", "cases"),
)

FILES = (
    Kind("truncated_file", "file", "the weights file is cut short", ("F62",), _OPEN, _truncated_file),
    Kind("truncated_shard", "file", "the last of two shards is cut short", ("F62",), _OPEN, _truncated_shard),
    Kind("missing_shard", "file", "a shard that the index names is not there", ("F62",), _OPEN, _missing_shard),
    Kind("stale_index", "file", "the index puts a tensor into a shard that does not hold it", ("F62",), _OPEN,
         _stale_index),
    Kind("pickled", "file", "the weights are saved as a pickle", ("F74",), _OPEN, _pickled),
    Kind("remote_code", "file", "the config asks to run code of the checkpoint", ("F74",), _OPEN, _remote_code),
    Kind("no_tokenizer", "file", "the tokenizer was not saved", ("F47",), _OPEN, _no_tokenizer),
    Kind("broken_template", "file", "the chat template does not render", ("F48",), _OPEN, _broken_template),
    Kind("more_layers", "config", "the config counts a layer more than was saved", ("F63",),
         (Expected("weights.shapes"),), _more_layers),
    Kind("other_activation", "config", "the config names another activation function", ("F56",), _SPOILED,
         partial(_changed, "hidden_act", "relu")),
    Kind("other_rope", "config", "the config's rotary base is a hundredth of the trained one", ("F56",), _SPOILED,
         _other_rope),
    Kind("half_the_heads", "config", "the config pairs the attention heads, which fits every shape", ("F56",), _SPOILED,
         _half_the_heads),
)  # fmt: skip
