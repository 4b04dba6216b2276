"""Is a merged checkpoint its base plus its LoRA adapter? Computed with numpy, block by block; no torch, no peft.

LoRA (Hu et al., 2021): W = W0 + s B A with s = alpha / r, or alpha / sqrt(r) for rank-stabilised LoRA.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modelqa.checkpoint import folder
from modelqa.checkpoint.header import read_header
from modelqa.checkpoint.opening import Checkpoint
from modelqa.checkpoint.tensors import Array, blocks, read
from modelqa.errors import CheckpointError
from modelqa.record import Problem

ADAPTER = "adapter_model.safetensors"
ROUNDING = {"BF16": 2.0**-8, "F16": 2.0**-11, "F32": 2.0**-20}  # relative step of the stored type, or of the arithmetic
SLACK = 2.0  # roundings: one of the base or the sum, one of the product
_OTHER_KINDS = ("use_dora", "alpha_pattern", "rank_pattern", "modules_to_save", "use_qalora")
_PREFIX = "base_model.model."


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter: its files as a checkpoint without config, the scale, and {target tensor: (name of A, name of B)}.

    transposed  whether weights are stored [in, out] (GPT-2's Conv1D), so that B A is transposed before it is added
    """

    files: Checkpoint
    scale: float
    targets: Mapping[str, tuple[str, str]]
    transposed: bool


def open_adapter(path: Path) -> Adapter:
    """The adapter in a folder; `CheckpointError` when it is none, or of a kind that is not plain LoRA."""
    root = path.resolve()
    config = folder.read_json(root, "adapter_config.json")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    odd = [key for key in _OTHER_KINDS if config.get(key)]
    numbers = type(rank) is int and rank > 0 and isinstance(alpha, int | float) and math.isfinite(alpha)
    if config.get("peft_type") != "LORA" or odd or not numbers:
        raise CheckpointError(
            f"{root} is no plain LoRA adapter ({', '.join(odd) or config.get('peft_type')})",
            reason="only one rank and one scale for all targets are computed here",
            remedy="compare the merged model's replies with those of base and adapter instead",
        )
    tensors = read_header(folder.inside(root, ADAPTER), ADAPTER)
    targets = {}
    for name in tensors:
        if name.endswith(".lora_A.weight"):
            stem = name.removesuffix(".lora_A.weight")
            if f"{stem}.lora_B.weight" not in tensors:
                raise CheckpointError(f"{root / ADAPTER} has {name} without its lora_B", reason="both make one change",
                                      remedy="save the adapter again")  # fmt: skip
            targets[f"{stem.removeprefix(_PREFIX)}.weight"] = (name, f"{stem}.lora_B.weight")
    scale = float(config["lora_alpha"]) / (math.sqrt(config["r"]) if config.get("use_rslora") else config["r"])
    files = Checkpoint(root, config, {}, tensors, (ADAPTER,))
    return Adapter(files, scale, targets, transposed=bool(config.get("fan_in_fan_out")))


def merge_problems(merged: Checkpoint, base: Checkpoint, adapter: Adapter) -> list[Problem]:
    """Code weights.merge: tensors of `merged` that are not base plus adapter: not merged, merged twice, or on another
    base. Locus = the tensor. Values may differ by what the stored type rounds.
    """
    found = []
    for name in sorted(adapter.targets.keys() - merged.tensors.keys()):
        found.append(Problem("weights.merge", name, f"the adapter changes {name}, which the merged file does not hold"))
    for name in sorted(merged.tensors.keys() & base.tensors.keys()):
        if merged.tensors[name].shape != base.tensors[name].shape:
            found.append(Problem("weights.merge", name, f"{name} has another shape than in the base"))
        elif worst := _worst(merged, base, adapter, name):
            what = "base plus adapter" if name in adapter.targets else "the base, and the adapter does not change it"
            found.append(Problem("weights.merge", name, f"{name} differs by up to {worst:.3g} from {what}"))
    return found


def _worst(merged: Checkpoint, base: Checkpoint, adapter: Adapter, name: str) -> float:
    """The largest difference beyond rounding; 0.0 when there is none."""
    step = SLACK * max(ROUNDING.get(merged.tensors[name].dtype, 0.0), ROUNDING.get(base.tensors[name].dtype, 0.0))
    worst = 0.0
    changes = _changes(adapter, name, base)
    for mine, theirs, change in zip(blocks(merged, name), blocks(base, name), changes, strict=True):
        expected = theirs + change
        beyond = np.abs(mine - expected) > step * (np.abs(theirs) + np.abs(change)) + 1e-8
        if beyond.any():
            worst = max(worst, float(np.abs(mine - expected)[beyond].max()))
    return worst


def _changes(adapter: Adapter, name: str, base: Checkpoint) -> Iterator[Array]:
    """s B A for the rows of each block of a tensor; zeros where the adapter does not reach."""
    factors = None
    if name in adapter.targets:
        down, up = (read(adapter.files, part) for part in adapter.targets[name])
        factors = (down.T, up.T) if adapter.transposed else (up, down)
    at = 0
    for block in blocks(base, name):
        rows = slice(at, at + len(block))
        at += len(block)
        zero = np.zeros_like(block)
        yield zero if factors is None else (adapter.scale * (factors[0][rows] @ factors[1])).astype(np.float32)
