"""Where surgery is made: layers, matrices, the embedding, rows of tokens, the config; for any architecture."""

from __future__ import annotations

import numpy as np

from modelqa.checkpoint import Checkpoint, TensorInfo, read
from modelqa.checkpoint.names import find_either
from modelqa.checkpoint.stacks import LAYER
from modelqa.files import read_json, write_json
from modelqa.mutants.kind import NotApplicable, Sibling
from modelqa.mutants.tensors import Array, put

HEAD = "lm_head.weight"  # what transformers calls the output matrix of a causal language model


def layers(checkpoint: Checkpoint) -> dict[int, list[str]]:
    """{layer: its tensors} of the deepest stack of the model; `NotApplicable` with fewer than two layers."""
    stacks: dict[str, dict[int, list[str]]] = {}
    for name in sorted(checkpoint.tensors):
        if match := LAYER.fullmatch(name):
            stacks.setdefault(match[1], {}).setdefault(int(match[2]), []).append(name)
    deepest = max(stacks.values(), key=len, default={})
    if len(deepest) < 2:
        raise NotApplicable("it has no stack of layers")
    return deepest


def matrix(checkpoint: Checkpoint, *, square: bool = False) -> TensorInfo:
    """The first of the largest matrices of a middle layer, square or not square."""
    stack = layers(checkpoint)
    middle = [checkpoint.tensors[name] for name in stack[sorted(stack)[len(stack) // 2]]]
    fitting = [tensor for tensor in middle
               if len(tensor.shape) == 2 and (tensor.shape[0] == tensor.shape[1]) is square]  # fmt: skip
    if not fitting:
        raise NotApplicable(f"a middle layer has no {'square' if square else 'oblong'} matrix")
    return max(fitting, key=lambda tensor: tensor.elements)


def embedding(checkpoint: Checkpoint) -> TensorInfo:
    """The input embedding; the output matrix when the file stores the tied two under that name."""
    found, head = find_either(checkpoint)
    tensor = found or head
    assert tensor is not None  # find_either returns one at least
    return tensor


def ordinary_rows(sibling: Sibling, count: int) -> list[int]:
    """Ids of ordinary tokens from the more frequent half of the vocabulary: the same for the same seed."""
    special = set(sibling.chat.special_tokens.values())
    ids = sorted(set(range(sibling.chat.tokens.size)) - special)
    rng = np.random.default_rng(sibling.seed)
    return [int(ids[at]) for at in rng.choice(len(ids) // 2, size=count, replace=False)]


def set_config(sibling: Sibling, **values: object) -> None:
    """Set keys of config.json, in the nested text_config where the model has one."""
    assert sibling.model.path is not None
    path = sibling.model.path / "config.json"
    config = read_json(path)
    nested = config.get("text_config")
    part = nested if isinstance(nested, dict) else config
    part.update(values)
    if "tie_word_embeddings" in values and part is not config:
        config["tie_word_embeddings"] = values["tie_word_embeddings"]
    write_json(path, config)


def untied(sibling: Sibling) -> Array:
    """The output matrix, stored apart from the embedding from now on and declared so; its values are unchanged."""
    found, head = find_either(sibling.checkpoint)
    values = read(sibling.checkpoint, (head or found or embedding(sibling.checkpoint)).name).copy()
    if head is None:
        put(sibling.checkpoint, {HEAD: values})
    set_config(sibling, tie_word_embeddings=False)
    return values


def head_name(checkpoint: Checkpoint) -> str:
    """The name of the stored output matrix."""
    _, head = find_either(checkpoint)
    assert head is not None  # `untied` stored one
    return head.name
