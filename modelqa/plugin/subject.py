"""What a session's command line says, and who is judged: typed values, opened without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.ask import Grammar
from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import Checkpoint
from modelqa.errors import TemplateError, UsageError
from modelqa.models import Model, find_registry

MAX_NEW_TOKENS = 128  # how long a reply may get: the shipped suites ask for short answers
TWIN_SEED = 20260  # of the random twin's weights: any, but always the same


@dataclass(frozen=True)
class LabSettings:
    """What the command line says, typed; `UsageError` for a value that is none."""

    model: str
    home: Path
    registry: Path | None
    case_seed: int = 0
    phase: str | None = None
    max_new_tokens: int = MAX_NEW_TOKENS
    dtype: str = "float32"
    device: str = "cpu"
    release: bool = False
    baseline: str = ""
    engine: str = ""
    served: str = ""

    @classmethod
    def from_options(cls, option: Callable[[str], Any], *, root: Path) -> LabSettings:
        """The settings of a pytest session; `root` is where models.toml is looked for and .modelqa lies."""
        explicit = option("--modelqa-models")
        return cls(
            model=option("--model"),
            home=Path(option("--modelqa-dir") or root / ".modelqa").absolute(),
            registry=find_registry(root, Path(explicit) if explicit else None),
            case_seed=_whole(option("--modelqa-case-seed"), "--modelqa-case-seed", 0),
            phase=option("--modelqa-phase"),
            max_new_tokens=_whole(option("--modelqa-max-new-tokens"), "--modelqa-max-new-tokens", MAX_NEW_TOKENS, 1),
            dtype=option("--modelqa-dtype") or "float32",
            device=option("--modelqa-device") or "cpu",
            release=bool(option("--modelqa-release")),
            baseline=option("--modelqa-baseline") or "",
            engine=_engine(option("--modelqa-engine")),
            served=option("--modelqa-served") or "",
        )


def _engine(value: str | None) -> str:
    """The address of a server, "" for this process."""
    return "" if value in (None, "local") else str(value)


def _whole(value: str | None, name: str, default: int, least: int = 0) -> int:
    if value is None:
        return default
    if not value.isdecimal() or int(value) < least:
        raise UsageError(
            f"{name} is {value!r}", reason="a whole number is needed", remedy=f"give a whole number from {least}"
        )
    return int(value)


def shipped_reference() -> Model:
    """The known-good model that comes with modelqa, for whoever names none: a tiny chat model.

    In the wheel it lies in the package, in a checkout among the fixtures.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "known_good", package.parent / "fixtures" / "checkpoints" / "reference"):
        if (folder / "config.json").is_file():
            return Model(name="modelqa-reference", path=folder, root=folder.parent, stage="sft")
    raise UsageError(
        "there is no known-good reference model",
        reason="a candidate is judged only after the same path has worked on a model that is known to be good",
        remedy='name one in models.toml: [controls] reference = "NAME"',
    )


@dataclass(frozen=True)
class Subject:
    """A model in its role, opened without torch."""

    role: str
    model: Model
    checkpoint: Checkpoint

    @cached_property
    def chat(self) -> Chat:
        """How it is talked to; `TemplateError` when it has no chat template, which only a base model may lack."""
        try:
            return open_chat(self.checkpoint.path)
        except TemplateError:
            if self.chats:
                raise
            return open_chat(self.checkpoint.path, template="")

    @property
    def grammar(self) -> Grammar:
        """Which special tokens may stand where in its replies."""
        stops = frozenset(self.chat.decode([number]) for number in self.chat.stop_ids)
        return Grammar(stops, frozenset(self.chat.special_tokens))

    @property
    def chats(self) -> bool:
        """Whether it can be asked questions: a base model cannot."""
        return self.model.stage != "base"

    @property
    def identity(self) -> dict[str, str]:
        """The hashes of everything that decides what it says, and the seed of random weights."""
        seed = {"random_weights": str(TWIN_SEED)} if self.role == "random" else {}
        return {"checkpoint": self.checkpoint.digest, **seed}
