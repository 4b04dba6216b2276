"""A LoRA adapter beside the weights of a loaded model, as training had it: y = W x + s B (A x). Nothing is merged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from modelqa.checkpoint import Adapter, read
from modelqa.errors import CheckpointError


@contextmanager
def adapted(model: Any, adapter: Adapter) -> Iterator[None]:
    """While it is open, the modules that the adapter names add its change to their outputs.

    `CheckpointError` when the model lacks one of them.
    """
    modules = dict(model.named_modules())
    targets = {name.removesuffix(".weight"): parts for name, parts in adapter.targets.items()}
    if missing := sorted(targets.keys() - modules.keys()):
        raise CheckpointError(
            f"the adapter changes {missing[0]}, which the base model does not have",
            reason="an adapter belongs to the model that it was trained beside",
            remedy="name that model as parent in models.toml",
        )
    with ExitStack() as stack:
        for name, (down, up) in targets.items():
            hook = _change(modules[name], read(adapter.files, down), read(adapter.files, up), adapter.scale)
            stack.callback(modules[name].register_forward_hook(hook).remove)
        yield


def _change(module: Any, down: Any, up: Any, scale: float) -> Any:
    """A forward hook that adds scale B (A x) to what a module returns for x."""
    import torch

    like = {"device": module.weight.device, "dtype": module.weight.dtype}
    first, second = torch.from_numpy(down.copy()).to(**like), torch.from_numpy(up.copy()).to(**like)
    return lambda _, inputs, output: output + scale * ((inputs[0] @ first.T) @ second.T)
