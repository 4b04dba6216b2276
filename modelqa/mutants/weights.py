"""Defects of the weights: numbers, names, shapes and rows of tensors that went wrong on the way to the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np

from modelqa.checkpoint import Checkpoint, TensorInfo, open_checkpoint, read
from modelqa.checkpoint.names import find_either, tie_flag
from modelqa.files import read_json, write_json
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.tensors import Array, edit, put, raw, reshaped, rewrite, store

HEAD = "lm_head.weight"  # what transformers calls the output matrix of a causal language model
NOISE = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # of a tensor's standard deviation: from unseen to destroyed
_LAYER = re.compile(r"(.+?)\.(\d+)\.(.+)")


# -- finding tensors ---------------------------------------------------------------------------------------------------


def layers(checkpoint: Checkpoint) -> dict[int, list[str]]:
    """{layer: its tensors} of the deepest stack of the model; `NotApplicable` with fewer than two layers."""
    stacks: dict[str, dict[int, list[str]]] = {}
    for name in sorted(checkpoint.tensors):
        if match := _LAYER.fullmatch(name):
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


# -- surgery -----------------------------------------------------------------------------------------------------------


def _drifted_head(sibling: Sibling) -> Damage:
    checkpoint = sibling.checkpoint
    found, head = find_either(checkpoint)
    if head is not None or found is None or not tie_flag(checkpoint.config):
        raise NotApplicable("its embeddings are not tied")
    values = read(checkpoint, found.name)
    noise = np.random.default_rng(sibling.seed).normal(0.0, 0.5 * values.std(), values.shape).astype(np.float32)
    put(checkpoint, {HEAD: values + noise})
    return sibling.damaged(HEAD)


def _tie_flag_off(sibling: Sibling) -> Damage:
    _, head = find_either(sibling.checkpoint)
    if head is not None or not tie_flag(sibling.checkpoint.config):
        raise NotApplicable("its embeddings are not tied")
    set_config(sibling, tie_word_embeddings=False)
    return sibling.damaged(HEAD)


def _tie_flag_on(sibling: Sibling) -> Damage:
    found, head = find_either(sibling.checkpoint)
    if head is None or found is None or tie_flag(sibling.checkpoint.config):
        raise NotApplicable("its embeddings are tied")
    set_config(sibling, tie_word_embeddings=True)
    return sibling.damaged(head.name)


def _one_value(value: float, sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)

    def change(values: Array) -> Array:
        values[tensor.shape[0] // 2, tensor.shape[1] // 3] = value
        return values

    edit(sibling.checkpoint, tensor.name, change)
    return sibling.damaged(tensor.name)


def _scaled(factor: float, choose: Callable[[Checkpoint], TensorInfo], sibling: Sibling) -> Damage:
    tensor = choose(sibling.checkpoint)
    edit(sibling.checkpoint, tensor.name, lambda values: values * np.float32(factor))
    return sibling.damaged(tensor.name)


def _zero_layer(sibling: Sibling) -> Damage:
    checkpoint = sibling.checkpoint
    stack = layers(checkpoint)
    names = stack[sorted(stack)[len(stack) // 2]]
    put(checkpoint, {name: np.zeros(checkpoint.tensors[name].shape, np.float32) for name in names})
    return sibling.damaged(names[0])


def _missing_layer(sibling: Sibling) -> Damage:
    stack = layers(sibling.checkpoint)
    last = max(stack)
    rewrite(sibling.checkpoint, dict.fromkeys(stack[last]))
    return sibling.damaged(f"{_stack(stack[last][0])}.{last}")


def _stack(name: str) -> str:
    match = _LAYER.fullmatch(name)
    assert match is not None  # a name that `layers` found
    return match[1]


def _permuted_layers(sibling: Sibling) -> Damage:
    checkpoint = sibling.checkpoint
    stack = layers(checkpoint)
    first, last = min(stack), max(stack)
    swapped = dict(zip(stack[first] + stack[last], stack[last] + stack[first], strict=True))
    rewrite(checkpoint, {name: raw(checkpoint, source) for name, source in swapped.items()})
    return sibling.damaged("")


def _missing_key(sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)
    rewrite(sibling.checkpoint, {tensor.name: None})
    return sibling.damaged(tensor.name)


def _extra_key(sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)
    name = tensor.name.replace(".weight", ".lora_A.default.weight")
    rewrite(sibling.checkpoint, {name: raw(sibling.checkpoint, tensor.name)})
    return sibling.damaged(name)


def _transposed(square: bool, sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint, square=square)
    values = np.ascontiguousarray(read(sibling.checkpoint, tensor.name).T)
    rewrite(sibling.checkpoint, {tensor.name: store(values, tensor.dtype)})
    return sibling.damaged(tensor.name)


def _flattened(sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)
    flat = (tensor.shape[0] // 2, tensor.shape[1] * 2)
    if tensor.shape[0] % 2:
        raise NotApplicable("its matrices have an odd number of rows")
    rewrite(sibling.checkpoint, {tensor.name: reshaped(raw(sibling.checkpoint, tensor.name), flat)})
    return sibling.damaged(tensor.name)


def _dtype(dtype: str, sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)
    if tensor.dtype == dtype:
        raise NotApplicable(f"it is stored as {dtype}")
    rewrite(sibling.checkpoint, {tensor.name: store(read(sibling.checkpoint, tensor.name), dtype)})
    return sibling.damaged(tensor.name)


def _fewer_rows(sibling: Sibling) -> Damage:
    tensor = embedding(sibling.checkpoint)
    put(sibling.checkpoint, {tensor.name: read(sibling.checkpoint, tensor.name)[:-1]})
    return sibling.damaged(tensor.name)


def _rows(change: Callable[[Array, list[int], np.random.Generator], Array], sibling: Sibling) -> Damage:
    """Change the rows of ordinary tokens; the locus is the row that was changed last."""
    tensor = embedding(sibling.checkpoint)
    rows = ordinary_rows(sibling, 2)
    rng = np.random.default_rng(sibling.seed)
    edit(sibling.checkpoint, tensor.name, lambda values: change(values, rows, rng))
    return sibling.damaged(f"{tensor.name}, row {rows[-1]}")


def _duplicate(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] = values[rows[0]]
    return values


def _zero_row(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] = 0.0
    return values


def _outlier_row(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] *= 20.0
    return values


def _random_special_rows(sibling: Sibling) -> Damage:
    """Rows of special tokens drawn ten times as wide as the others, as a resize without an initialisation leaves them."""
    tensor = embedding(sibling.checkpoint)
    ids = sorted(set(sibling.chat.special_tokens.values()))
    if not ids:
        raise NotApplicable("its tokenizer has no special tokens")
    rng = np.random.default_rng(sibling.seed)

    def change(values: Array) -> Array:
        values[ids] = rng.normal(0.0, 10 * values.std(), (len(ids), values.shape[1]))
        return values

    edit(sibling.checkpoint, tensor.name, change)
    return sibling.damaged(f"{tensor.name}, row {ids[0]}")


def _damped_stop(sibling: Sibling) -> Damage:
    """The output row of the token that ends an answer, turned away: the model no longer says it."""
    stop = sibling.chat.turn_end_id
    if stop is None:
        raise NotApplicable("its template ends an answer with no token")
    values = untied(sibling)
    values[stop] = -values[stop]
    put(sibling.checkpoint, {_head_name(sibling.checkpoint): values})
    return sibling.damaged("stop_token")


def _head_name(checkpoint: Checkpoint) -> str:
    _, head = find_either(checkpoint)
    assert head is not None  # `untied` stored one
    return head.name


def _noise(strength: float, sibling: Sibling) -> Damage:
    checkpoint = sibling.checkpoint
    rng = np.random.default_rng(sibling.seed)
    changed = {}
    for name in sorted(name for stack in layers(checkpoint).values() for name in stack):
        values = read(checkpoint, name)
        if values.ndim == 2:
            changed[name] = values + rng.normal(0.0, strength * values.std(), values.shape).astype(np.float32)
    put(checkpoint, changed)
    return sibling.damaged("")


def _from_parent(sibling: Sibling, names: Callable[[str], bool], mixed: Callable[[Array, Array], Array]) -> list[str]:
    """Replace the tensors that `names` chooses by a mixture of own and parent's values; their names."""
    if sibling.parent is None:
        raise NotApplicable("models.toml declares no parent")
    own, parent = sibling.checkpoint, open_checkpoint(sibling.parent.location)
    chosen = [name for name in sorted(own.tensors)
              if name in parent.tensors and parent.tensors[name].shape == own.tensors[name].shape and names(name)]  # fmt: skip
    put(own, {name: mixed(read(own, name), read(parent, name)) for name in chosen})
    return chosen


def _parent_again(sibling: Sibling) -> Damage:
    _from_parent(sibling, lambda name: True, lambda own, parent: parent)
    return sibling.damaged("")


def _frozen_backbone(sibling: Sibling) -> Damage:
    names = {name for stack in layers(sibling.checkpoint).values() for name in stack}
    _from_parent(sibling, names.__contains__, lambda own, parent: parent)
    return sibling.damaged("")


def _merged_twice(sibling: Sibling) -> Damage:
    _from_parent(sibling, lambda name: True, lambda own, parent: own + (own - parent))
    return sibling.damaged("")


# -- the kinds ---------------------------------------------------------------------------------------------------------

_TIED = (Expected("tied_embeddings", "weights.untied"),)
_FINITE = (Expected("finite_weights", "weights.nonfinite"),)
_SHAPES = (Expected("shapes", "weights.shapes"),)
_STOP = (Expected("stop_token", "stop_token.below", "cases"),)
_FIT = (Expected("template", "parity.template", "format"),)

WEIGHTS = (
    Kind("untied_head", "weights", "a drifted output matrix is saved beside an embedding that the config ties to it",
         ("F33", "F34"), _TIED, _drifted_head),
    Kind("tie_flag_off", "weights", "the config no longer ties the embeddings, and the file holds no output matrix",
         ("F33",), _TIED, _tie_flag_off),
    Kind("tie_flag_on", "weights", "the config ties two matrices that were trained apart", ("F33",), _TIED,
         _tie_flag_on),
    Kind("nan", "weights", "one number of one matrix is NaN", ("F62",), _FINITE, partial(_one_value, np.nan)),
    Kind("infinite", "weights", "one number of one matrix is infinite", ("F62",), _FINITE, partial(_one_value, np.inf)),
    Kind("fewer_rows", "weights", "the embedding lost its last row", ("F54",), _SHAPES, _fewer_rows),
    Kind("missing_layer", "weights", "the last layer was not saved", ("F62",), _SHAPES, _missing_layer),
    Kind("missing_key", "weights", "one matrix was not saved", ("F62",), _SHAPES, _missing_key),
    Kind("extra_key", "weights", "an adapter's matrix was saved into the merged model", ("F13",), _SHAPES, _extra_key),
    Kind("transposed", "weights", "an oblong matrix is stored transposed", ("F62",), _SHAPES,
         partial(_transposed, False)),
    Kind("flattened", "weights", "a matrix is stored under another shape of as many numbers", ("F62",), _SHAPES,
         _flattened),
    Kind("wrong_dtype", "weights", "one matrix of weights is stored as whole numbers", ("F56",), _SHAPES,
         partial(_dtype, "I8")),
    Kind("duplicated_row", "weights", "two tokens have one embedding row", ("F54",), _SHAPES,
         partial(_rows, _duplicate)),
    Kind("zero_row", "weights", "a token's embedding row is zero", ("F26",), _SHAPES, partial(_rows, _zero_row)),
    Kind("outlier_row", "weights", "a token's embedding row is twenty times too long", ("F26",), _SHAPES,
         partial(_rows, _outlier_row)),
    Kind("random_special_rows", "weights", "the rows of new special tokens were left as random numbers", ("F26",),
         _SHAPES, _random_special_rows),
    Kind("parent_again", "weights", "the parent's weights are saved as the trained model", ("F61",), _SHAPES,
         _parent_again),
    Kind("frozen_backbone", "weights", "only embeddings and norms changed in training, the layers are the parent's",
         ("F13",), _SHAPES, _frozen_backbone),
    Kind("merged_twice", "weights", "what training changed is added a second time", ("F13",), _FIT, _merged_twice),
    Kind("zero_layer", "weights", "a middle layer is all zeros", ("F62",), _FIT, _zero_layer),
    Kind("permuted_layers", "weights", "the first and the last layer changed places", ("F62",), _FIT,
         _permuted_layers),
    Kind("transposed_square", "weights", "a square matrix is stored transposed, which no shape shows", ("F62",), _FIT,
         partial(_transposed, True)),
    Kind("scaled_matrix", "weights", "a matrix of a middle layer is eight times too large", ("F56",), _FIT,
         partial(_scaled, 8.0, matrix)),
    Kind("damped_stop", "weights", "the model never learnt to say the token that ends an answer", ("F02", "F07"),
         _STOP, _damped_stop),
    Kind("noise", "weights", "noise of eight tenths of the spread lies on every matrix of the layers", ("F56",), _FIT,
         partial(_noise, NOISE[-1]), strength=NOISE[-1]),
)  # fmt: skip

GRADED = tuple(
    Kind(f"noise_{strength:g}", "weights", f"noise of {strength:g} of the spread lies on every matrix of the layers",
         ("F56",), _FIT, partial(_noise, strength), strength=strength)
    for strength in NOISE
)  # fmt: skip
