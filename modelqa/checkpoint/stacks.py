"""Tensors that are unlike their like: one layer whose matrix has another shape or type than in all other layers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from modelqa.checkpoint.header import TensorInfo
from modelqa.checkpoint.opening import Checkpoint
from modelqa.record import Problem

LAYER = re.compile(r"(.+?)\.(\d+)\.(.+)")  # a tensor's name: the stack, the layer's number, the rest
LIKE = 3  # layers that agree, before the one that does not is called odd


def odd_tensor_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Problems "weights.shapes": a tensor that is stored transposed, flattened or in another type than in all other
    layers. Locus = its name. Layers of other sizes are an architecture's choice, and not judged.
    """
    like: dict[tuple[str, str], list[TensorInfo]] = defaultdict(list)
    for name, tensor in checkpoint.tensors.items():
        if match := LAYER.fullmatch(name):
            like[match[1], match[3]].append(tensor)
    found = []
    for tensors in like.values():
        (shape, dtype), count = Counter((tensor.shape, tensor.dtype) for tensor in tensors).most_common(1)[0]
        odd = [tensor for tensor in tensors if (tensor.shape, tensor.dtype) != (shape, dtype)]
        if count < LIKE or len(odd) != 1 or odd[0].elements != next(t.elements for t in tensors if t not in odd):
            continue
        text = (
            f"{odd[0].name} is {odd[0].dtype} {list(odd[0].shape)}; "
            f"in the other {count} layers it is {dtype} {list(shape)}"
        )
        found.append(Problem("weights.shapes", odd[0].name, text))
    return sorted(found, key=lambda problem: problem.locus)
