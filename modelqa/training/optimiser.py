"""Muon for the hidden matrices and AdamW for everything else, in one torch optimiser that `Trainer` can hold.

Muon (K. Jordan and others, 2024) applies the momentum's nearest orthogonal matrix, found by five Newton-Schulz steps.
Here it runs in float32 and for all matrices of one shape at once: on a CPU without bfloat16 arithmetic that is the
difference between a tenth and a half of a training step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # the published quintic: steep at zero, so that five steps are enough
STEPS = 5
MOMENTUM = 0.95
MUON_RATE = 6.0  # Muon's rate over AdamW's; an update has unit spectral norm, so it can be larger


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """The matrices [n, rows, columns] with all singular values brought near 1 (about 0.7 to 1.2)."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices.size(-2) > matrices.size(-1)
    x: torch.Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class MuonAdamW(torch.optim.AdamW):
    """AdamW whose groups with `muon=True` take orthogonalised momentum steps instead."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One update of all groups; a closure is not supported, as `Trainer` passes none."""
        if closure is not None:
            raise ValueError("MuonAdamW takes no closure")
        groups = self.param_groups
        for group in groups:
            if group.get("muon"):
                self._muon(group)
        self.param_groups = [group for group in groups if not group.get("muon")]
        try:
            super().step()
        finally:
            self.param_groups = groups

    def _muon(self, group: dict[str, Any]) -> None:
        shapes: dict[torch.Size, list[torch.nn.Parameter]] = {}
        for weight in group["params"]:
            if weight.grad is not None:
                shapes.setdefault(weight.shape, []).append(weight)
        for shape, weights in shapes.items():
            gradients = torch.stack([weight.grad for weight in weights if weight.grad is not None])
            state = self.state[weights[0]]
            momentum = state.setdefault("momentum", torch.zeros_like(gradients))
            momentum.lerp_(gradients, 1 - MOMENTUM)
            updates = orthogonal(gradients.lerp(momentum, MOMENTUM))
            scale = max(1.0, shape[0] / shape[1]) ** 0.5
            for weight, update in zip(weights, updates, strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * scale)


def muon_adamw(model: torch.nn.Module, *, learning_rate: float, weight_decay: float) -> MuonAdamW:
    """The optimiser of a model: Muon on matrices other than the embedding, AdamW on the rest (vectors not decayed)."""
    named = list(model.named_parameters())
    hidden = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name and "lm_head" not in name]
    chosen = {id(weight) for weight in hidden}
    tables = [weight for _, weight in named if weight.ndim == 2 and id(weight) not in chosen]
    vectors = [weight for _, weight in named if weight.ndim < 2]
    groups = [
        {"params": hidden, "muon": True, "lr": MUON_RATE * learning_rate, "weight_decay": weight_decay},
        {"params": tables, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return MuonAdamW(groups, lr=learning_rate, betas=(0.9, 0.95))
