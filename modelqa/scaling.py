"""Where a model stands between size and training: parameters, training tokens, tokens a parameter, beside known models.

`modelqa scaling MODEL --out scaling.svg`. Fluent and ignorant is what far too few tokens look like; the number says so
before a benchmark does.
"""

from __future__ import annotations

import argparse
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelqa.checkpoint import Checkpoint, open_checkpoint
from modelqa.checkpoint.names import find_either
from modelqa.data.captured import read_capture
from modelqa.errors import CheckpointError, UsageError
from modelqa.files import write_text
from modelqa.models import Model, Registry, ancestors, find_registry, load_registry, resolve
from modelqa.plots import Mark, log_log, short
from modelqa.text import escape

COMPUTE_OPTIMAL = 20  # tokens a parameter, about (Hoffmann et al. 2022, arXiv 2203.15556, table 3)
PUBLIC = Path(__file__).with_name("public_models.toml")


@dataclass(frozen=True)
class Known:
    """A public model as its publisher describes it, and where."""

    name: str
    parameters: float
    tokens: float
    source: str


@dataclass(frozen=True)
class Position:
    """A model's size and training. tokens: None when it is not known; how: "declared", or "counted" from captures."""

    name: str
    parameters: int
    tokens: int | None = None
    how: str = ""

    @property
    def ratio(self) -> float | None:
        """Training tokens for each parameter."""
        return None if self.tokens is None else self.tokens / self.parameters

    @property
    def text(self) -> str:
        """ "1.12M parameters, 12.3M tokens (counted): 11.0 a parameter, 0.55 times the compute-optimal 20"."""
        if self.ratio is None or self.tokens is None:
            return f"{short(self.parameters)} parameters, training tokens not known"
        counts = f"{short(self.parameters)} parameters, {short(self.tokens)} tokens ({self.how})"
        share = f"{self.ratio / COMPUTE_OPTIMAL:.2g} times the compute-optimal {COMPUTE_OPTIMAL}"
        return f"{counts}: {self.ratio:.1f} a parameter, {share}"


def known_models() -> tuple[Known, ...]:
    """The public models of the data file, each with its source."""
    content = tomllib.loads(PUBLIC.read_text(encoding="utf-8"))
    return tuple(Known(**entry) for entry in content["model"])


def parameters(checkpoint: Checkpoint) -> int:
    """How many numbers the tensors hold; an output matrix that is a copy of the embedding counts once.

    `CheckpointError` for quantised weights: packed numbers are not parameters.
    """
    if "quantization_config" in checkpoint.config:
        raise CheckpointError(
            f"{checkpoint.path} is quantised",
            reason="its tensors hold packed numbers, whose count is not that of the parameters",
            remedy="count the checkpoint that it was quantised from",
        )
    total = sum(math.prod(tensor.shape) for tensor in checkpoint.tensors.values())
    embedding, head = find_either(checkpoint)
    if embedding and head and checkpoint.tied(head.name, embedding.name):
        total -= math.prod(head.shape)
    return total


def position(checkpoint: Checkpoint, model: Model, registry: Registry) -> Position:
    """The model's size from its tensors, and its training tokens as declared, else as its trainers' captures counted.

    Counted tokens are those of the model and of every ancestor; one stage without a capture leaves them unknown.
    """
    size = parameters(checkpoint)
    if model.training_tokens is not None:
        return Position(model.name, size, model.training_tokens, "declared")
    counts = [tokens_fed(stage) for stage in (model, *ancestors(registry, model))]
    known = [count for count in counts if count is not None]
    return (
        Position(model.name, size, sum(known), "counted") if len(known) == len(counts) else Position(model.name, size)
    )


def whole_counters(capture: Path) -> dict[str, int]:
    """What a capture counted over the whole stage; {} when several processes fed, for it counts one of them."""
    captured = read_capture(capture)
    return dict(captured.counters) if captured.about.get("world_size") == 1 else {}


def tokens_fed(model: Model) -> int | None:
    """Tokens that one stage fed; None without a capture, or when several processes fed (it counts one)."""
    if model.capture is None:
        return None
    return whole_counters(model.capture).get("tokens_seen")


def picture(positions: Sequence[Position]) -> str:
    """An SVG of the models among the known public ones, with the compute-optimal line."""
    own = [Mark(p.name, p.parameters, p.tokens, own=True) for p in positions if p.tokens]
    return log_log(
        [*own, *(Mark(known.name, known.parameters, known.tokens) for known in known_models())],
        ratio=COMPUTE_OPTIMAL,
        title="Training tokens and parameters",
        x="parameters",
        y="training tokens",
        line=f"{COMPUTE_OPTIMAL} tokens a parameter",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa scaling`."""
    parser.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--out", type=Path, help="write a picture there (SVG)")
    parser.set_defaults(handler=run)


def run(parsed: argparse.Namespace) -> int:
    """Print the position, and draw it when asked to."""
    registry = load_registry(find_registry(Path.cwd(), parsed.models))
    model = resolve(registry, parsed.model)
    found = position(open_checkpoint(model.location), model, registry)
    print(f"{escape(found.name, 'terminal')}: {found.text}")
    if parsed.out:
        if found.tokens is None:
            raise UsageError(
                f"there is nothing to draw: the training tokens of {model.name} are not known",
                reason="no training_tokens are declared, and a stage has no capture of a single process",
                remedy=f"add training_tokens = N to [models.{model.name}]",
            )
        write_text(parsed.out, picture([found]))
        print(f"picture: {parsed.out}")
    return 0
