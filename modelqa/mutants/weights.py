"""Defects of the weights: numbers, names, shapes and places of tensors that went wrong on the way to the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from modelqa.checkpoint import Checkpoint, TensorInfo, open_checkpoint, read
from modelqa.checkpoint.names import find_either, tie_flag
from modelqa.checkpoint.stacks import LAYER
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import HEAD, layers, matrix, set_config
from modelqa.mutants.tensors import Array, edit, put, raw, reshaped, rewrite, store

NOISE = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # of a tensor's standard deviation: from unseen to destroyed


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
    match = LAYER.fullmatch(name)
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


def _whole_numbers(sibling: Sibling) -> Damage:
    tensor = matrix(sibling.checkpoint)
    rewrite(sibling.checkpoint, {tensor.name: store(read(sibling.checkpoint, tensor.name), "I8")})
    return sibling.damaged(tensor.name)


def _other_dtype(sibling: Sibling) -> Damage:
    """Every tensor in the other 16-bit type, which the config does not name."""
    checkpoint = sibling.checkpoint
    stored = {tensor.dtype for tensor in checkpoint.tensors.values()}
    if not stored <= {"F16", "BF16", "F32"}:
        raise NotApplicable("it is quantised")
    other = "BF16" if stored == {"F16"} else "F16"
    rewrite(checkpoint, {name: store(read(checkpoint, name), other) for name in checkpoint.tensors})
    return sibling.damaged(max(checkpoint.tensors.values(), key=lambda each: (each.elements, each.name)).name)


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
    shapes = {name: tensor.shape for name, tensor in parent.tensors.items()}
    chosen = [name for name in sorted(own.tensors) if shapes.get(name) == own.tensors[name].shape and names(name)]
    put(own, {name: mixed(read(own, name), read(parent, name)) for name in chosen})
    return chosen


def _parent_again(sibling: Sibling) -> Damage:
    _from_parent(sibling, lambda name: True, lambda own, parent: parent)
    return sibling.damaged("all tensors")


def _baseline_again(sibling: Sibling) -> Damage:
    """The weights file is the parent's own, byte for byte, and the parent is the baseline."""
    parent = sibling.parent
    if parent is None or sibling.checkpoint.tensors.keys() != open_checkpoint(parent.location).tensors.keys():
        raise NotApplicable("it has no parent of the same architecture")
    theirs = open_checkpoint(parent.location)
    rewrite(sibling.checkpoint, {name: raw(theirs, name) for name in theirs.tensors})
    return sibling.damaged(parent.name, baseline=parent.name)


def _frozen_backbone(sibling: Sibling) -> Damage:
    names = {name for stack in layers(sibling.checkpoint).values() for name in stack}
    _from_parent(sibling, names.__contains__, lambda own, parent: parent)
    return sibling.damaged("backbone")


def _merged_twice(sibling: Sibling) -> Damage:
    _from_parent(sibling, lambda name: True, lambda own, parent: own + (own - parent))
    return sibling.damaged("")


# -- the kinds ---------------------------------------------------------------------------------------------------------

_TIED = (Expected("weights.untied"),)
_FINITE = (Expected("weights.nonfinite"),)
_SHAPES = (Expected("weights.shapes"),)
# The loss that the log ends with needs every layer, and so does saying a text back.
_SPOILED = (Expected("parity.logged_loss", "log"), Expected("echo_basic.below", "cases"))

WEIGHTS = (
    Kind("untied_head", "weights", "a drifted output matrix is saved beside an embedding that the config ties to it",
         ("F33", "F34"), _TIED, _drifted_head),
    Kind("tie_flag_off", "weights", "the config no longer ties the embeddings, and the file holds no output matrix",
         ("F33",), _TIED, _tie_flag_off),
    Kind("tie_flag_on", "weights", "the config ties two matrices that were trained apart", ("F33",), _TIED,
         _tie_flag_on),
    Kind("nan", "weights", "one number of one matrix is NaN", ("F62",), _FINITE, partial(_one_value, np.nan)),
    Kind("infinite", "weights", "one number of one matrix is infinite", ("F62",), _FINITE, partial(_one_value, np.inf)),
    Kind("missing_layer", "weights", "the last layer was not saved", ("F62",), _SHAPES, _missing_layer),
    Kind("missing_key", "weights", "one matrix was not saved", ("F62",),
         (Expected("weights.missing_key"),), _missing_key),
    Kind("extra_key", "weights", "an adapter's matrix was saved into the merged model", ("F13",),
         (Expected("weights.extra_key"),), _extra_key),
    Kind("transposed", "weights", "an oblong matrix is stored transposed", ("F62",), _SHAPES,
         partial(_transposed, False)),
    Kind("flattened", "weights", "a matrix is stored under another shape of as many numbers", ("F62",), _SHAPES,
         _flattened),
    Kind("whole_numbers", "weights", "one matrix of weights is stored as whole numbers", ("F56",), _SHAPES,
         _whole_numbers),
    Kind("wrong_dtype", "weights", "all weights are stored in another type than the config names", ("F56",),
         (Expected("weights.dtype"),), _other_dtype),
    Kind("parent_again", "weights", "the parent's weights are saved as the trained model", ("F61",),
         (Expected("weights.unchanged"),), _parent_again),
    Kind("baseline_again", "weights", "what was released before is released again as a new model", ("F61",),
         (Expected("weights.same_as_baseline"),), _baseline_again),
    Kind("frozen_backbone", "weights", "only embeddings and norms changed in training, the layers are the parent's",
         ("F13",), (Expected("weights.frozen"),), _frozen_backbone),
    Kind("merged_twice", "weights", "what training changed is added a second time", ("F13",), _SPOILED, _merged_twice),
    Kind("zero_layer", "weights", "a middle layer is all zeros", ("F62",), _SPOILED, _zero_layer),
    Kind("permuted_layers", "weights", "the first and the last layer changed places", ("F62",), _SPOILED,
         _permuted_layers),
    Kind("transposed_square", "weights", "a square matrix is stored transposed, which no shape shows", ("F62",),
         _SPOILED, partial(_transposed, True)),
    Kind("scaled_matrix", "weights", "a matrix of a middle layer is eight times too large", ("F56",), _SPOILED,
         partial(_scaled, 8.0, matrix)),
    Kind("noise", "weights", "noise of eight tenths of the spread lies on every matrix of the layers", ("F56",),
         _SPOILED, partial(_noise, NOISE[-1]), strength=NOISE[-1]),
)  # fmt: skip

GRADED = tuple(
    Kind(f"noise_{strength:g}", "weights", f"noise of {strength:g} of the spread lies on every matrix of the layers",
         ("F56",), _SPOILED, partial(_noise, strength), strength=strength)
    for strength in NOISE
)  # fmt: skip
