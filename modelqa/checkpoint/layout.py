"""Are all tensors there, none too many, and of the dtype that the config names? From the header alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from modelqa.checkpoint.opening import Checkpoint
from modelqa.record import Problem

ODD = 2  # tensors by which one layer may differ from the others and still be the same kind of layer
MANY = 3  # layers of one kind that make a majority worth comparing with
_LAYER = re.compile(r"(.*?\.?(?:layers|h|blocks|block))\.(\d+)\.(.+)")
_LEFT_OVER = re.compile(r"(?:^|\.)(?:lora_[AB]|lora_embedding_[AB]|base_layer|modules_to_save|original_module)(?:\.|$)")
_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64"}


def key_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Codes weights.missing_key and weights.extra_key: a layer without a tensor that all its like have, or with one
    that none has, and what an adapter left behind (a loader ignores it, and with it what was trained).
    """
    left = [name for name in sorted(checkpoint.tensors) if _LEFT_OVER.search(name)]
    found = [
        Problem("weights.extra_key", name, f"{name} belongs to an adapter: merge it, or keep it out of this file")
        for name in left
    ]
    stacks: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in set(checkpoint.tensors) - set(left):
        if match := _LAYER.fullmatch(name):
            stacks[match[1]][int(match[2])].add(match[3])
    for stack, layers in sorted(stacks.items()):
        found += _odd_layers(stack, layers)
    return found


def _odd_layers(stack: str, layers: dict[int, set[str]]) -> list[Problem]:
    """Layers that differ by one or two tensors from the most frequent kind; another kind of layer differs by more."""
    usual, count = Counter(frozenset(names) for names in layers.values()).most_common(1)[0]
    found = []
    for number, names in sorted(layers.items()) if count >= MANY else ():
        missing, extra = sorted(usual - names), sorted(names - usual)
        if missing and not extra and len(missing) <= ODD:
            name = f"{stack}.{number}.{missing[0]}"
            text = f"{name} is not in the file; {count} other layers have it. A loader fills it with random numbers"
            found.append(Problem("weights.missing_key", name, text))
        if extra and not missing and len(extra) <= ODD:
            name = f"{stack}.{number}.{extra[0]}"
            found.append(Problem("weights.extra_key", name, f"{name} stands in the file, and no other layer has it"))
    return found


def dtype_problems(checkpoint: Checkpoint) -> list[Problem]:
    """Code weights.dtype: most of the values are stored in another type than the config names. Locus = the largest
    tensor of that type. Quantised checkpoints, and configs that name none, are not judged.
    """
    config = checkpoint.text_config
    named = config.get("dtype") or config.get("torch_dtype") or checkpoint.config.get("dtype")
    wanted = _DTYPES.get(str(named).removeprefix("torch."))
    if wanted is None or "quantization_config" in checkpoint.config:
        return []
    sizes: Counter[str] = Counter()
    for tensor in checkpoint.tensors.values():
        sizes[tensor.dtype] += tensor.elements
    stored = sizes.most_common(1)[0][0]
    if stored == wanted:
        return []
    largest = max((t for t in checkpoint.tensors.values() if t.dtype == stored), key=lambda t: (t.elements, t.name))
    text = f"config.json says {named}, and {sizes[stored]} of {sum(sizes.values())} values are stored as {stored}"
    return [Problem("weights.dtype", largest.name, text)]
