"""What a kind of defect declares before any run: the failures it stands for, the gate, the reason code, the locus."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import Checkpoint, open_checkpoint
from modelqa.models import Model
from modelqa.reasons import gate_of
from modelqa.record import GateResult

OPENING = "open"  # the gate's name when the checkpoint is refused before any gate is asked
REFUSED = "refused"  # and its code: one clear error, no verdict
WARNED = "warned"  # the code of a gate that passes, and says in `measured` what it warns of
PUBLISHER = "publish"  # what refuses a card

# What a locus of each kind looks like where the surgery does not name it beforehand.
LOCI = {
    "cases": r"\S+(, \S+)*( and \d+ more)?",
    "control": r"control \d+, token \d+",
    "episode": r"episode \d+(, token \d+)?",
    "format": r"[a-z_]+",
    "gate": r"[a-z_]+",
    "log": r"eval_loss",
    "prompt": r"prompt \d+",
    "rows": r".+",
}


class NotApplicable(Exception):
    """This model cannot have the defect, and why ("it has no parent")."""


@dataclass(frozen=True)
class Expected:
    """The verdict that a defect must get: a reason code, which one gate alone gives, and the place.

    locus  a kind of LOCI, or "exact": what the surgery named
    by     the gate, where any gate may carry the code: a crash, no cases
    """

    code: str
    locus: str = "exact"
    by: str = ""

    @property
    def gate(self) -> str:
        """The gate that gives the code."""
        if self.by or self.code == REFUSED:
            return self.by or OPENING
        return PUBLISHER if self.code.startswith("card.") else gate_of(self.code) or "no gate"

    def meets(self, result: GateResult, locus: str) -> bool:
        """Whether a verdict has this gate, this code and this place; `locus` is what the surgery named."""
        verdict = result.verdict
        if (result.gate, verdict.code) != (self.gate, self.code):
            return False
        if self.locus != "exact":
            return bool(re.fullmatch(LOCI[self.locus], verdict.locus))
        item = verdict.locus.partition(" (")[0]  # of an overlap: what is overlapped, and in brackets by which row
        return locus in (verdict.locus, item)


@dataclass(frozen=True)
class Sibling:
    """A private copy of a model that surgery may change: files are replaced, never written in place.

    model   what is declared of it; every path lies in the copy
    parent  the model that it was trained from, as it is
    seed    of every random choice
    others  models that its registry declares otherwise, or beside the real ones
    suites  the folder of suites that judges it, where that is what surgery changes
    given   the folder of suites that judges it otherwise
    """

    model: Model
    parent: Model | None = None
    seed: int = 0
    others: tuple[Model, ...] = ()
    suites: Path | None = None
    given: Path | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The copy's files as they are now."""
        assert self.model.path is not None
        return open_checkpoint(self.model.path)

    @cached_property
    def chat(self) -> Chat:
        """How the copy was talked to before any surgery."""
        assert self.model.path is not None
        return open_chat(self.model.path)

    def damaged(self, locus: str, **declared: Any) -> Damage:
        """What surgery returns: where the defect is, and what models.toml says otherwise than before."""
        return Damage(locus, replace(self.model, **declared), self.others, self.suites)

    @property
    def declared(self) -> Path:
        """A folder of the copy for files that models.toml declares."""
        assert self.model.path is not None
        return self.model.path.parent / "declared"


@dataclass(frozen=True)
class Damage:
    """A sibling after surgery: the place of the defect, named before any gate looks, and its declarations."""

    locus: str
    model: Model
    others: tuple[Model, ...] = ()
    suites: Path | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of defective sibling.

    area      what is touched: weights, tokenizer, template, config, file, capture, data, log, results, card,
              suite, bars or texts
    story     one sentence: what somebody did
    failures  ids of fixtures/failures.toml that it stands for
    expects   verdicts in order: the first whose gate the healthy model passes is the one that must come
    make      surgery on a private copy; `NotApplicable` when the model cannot have the defect
    strength  of graded damage; 0 for the other kinds
    ground    what the healthy copy has too, beside the model as it is: an adapter, a table of results
    """

    name: str
    area: str
    story: str
    failures: tuple[str, ...]
    expects: tuple[Expected, ...]
    make: Callable[[Sibling], Damage]
    strength: float = field(default=0.0, kw_only=True)
    ground: Callable[[Sibling], Damage] | None = field(default=None, kw_only=True)

    def grounded(self, sibling: Sibling) -> Sibling:
        """The healthy half of the pair."""
        if self.ground is None:
            return sibling
        damage = self.ground(sibling)
        return replace(sibling, model=damage.model, others=damage.others, suites=damage.suites)
