"""The fine-tuning guide's red lines: six conditions under which a run is started again, and what is no reason to.

A red line counts only where nothing mundane explains it: with a wrong prompt format every one of them is crossed.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelqa.reasons import alone
from modelqa.record import GateResult, Run, Status

ENOUGH_STEPS = 2000  # the guide's: after so many, garbage on a simple task will not go away
HALF = 0.5  # a bucket that is answered more often than not is learnt, and can be trained on
SLOW = 0.10  # share of the first evaluation's loss: a smaller fall over a whole run is slow, but it is one
BUCKETS = (
    "format_strict", "echo_basic", "anti_echo", "regression_basic", "operators",
    "hierarchy", "injection", "abstention", "strict_output", "citation",
)  # fmt: skip
"""The guide's buckets A to J; those that a phase does not ask are left out."""


@dataclass(frozen=True)
class Restart:
    """The verdict on the recipe.

    crossed  the red lines that the record shows, in the guide's words
    first    whether something mundane has to be mended before they mean anything
    warnings what looks bad and is no reason to start again
    """

    crossed: tuple[str, ...] = ()
    first: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> bool:
        """RESTART: a red line is crossed and nothing mundane explains it."""
        return bool(self.crossed) and not self.first

    def lines(self) -> list[str]:
        """What a person reads."""
        shown = []
        if self.crossed:
            head = "RESTART" if self.verdict else "no RESTART yet: mend what stands above first. Red lines"
            shown.append(f"{head}: {'; '.join(self.crossed)}")
        return shown + [f"no reason to restart: {warning}" for warning in self.warnings]


def restart(run: Run, *, mundane: bool) -> Restart:
    """The red lines and warnings of a record; `mundane`: whether a lower rung explains the failure."""
    gates = {result.gate: result for result in run.gates}
    crossed = tuple(text for text, holds in _red_lines(gates) if holds)
    return Restart(crossed, bool(crossed) and mundane, tuple(_warnings(gates)))


def _red_lines(gates: dict[str, GateResult]) -> list[tuple[str, bool]]:
    log = gates.get("log")
    steps = log.measured.get("steps", 0) if log else 0
    asked = [gates[name] for name in BUCKETS if name in gates and gates[name].verdict.total]
    return [
        (
            f"garbage on simple tasks after {steps} steps",
            steps >= ENOUGH_STEPS and (_failed(gates, "garbage_replies") or _failed(gates, "attractor_words")),
        ),
        ("the loss is stuck at a guess", _failed(gates, "learning")),
        ("special tokens are broken: tags in the replies", _failed(gates, "role_tags")),
        (
            "mode collapse: one answer for everything",
            any(_failed(gates, name) for name in ("one_answer", "echo_collapse", "regression_collapse")),
        ),
        (
            "the embedding is corrupt: the language is lost",
            any(_failed(gates, name) for name in ("embedding_rows", "finite_weights", "language")),
        ),
        ("every bucket of the suite fails", len(asked) >= 2 and all(_failed(gates, r.gate) for r in asked)),
    ]


def _failed(gates: dict[str, GateResult], name: str) -> bool:
    """Whether a gate says no, by itself: also where a lower rung keeps it from a verdict."""
    return name in gates and alone(gates[name]).status is Status.FAIL


def _warnings(gates: dict[str, GateResult]) -> list[str]:
    found = []
    weak = {name for name in BUCKETS if _failed(gates, name)}
    if weak == {"anti_echo"}:
        found.append("anti-echo is weak; it can be trained with anti-echo and contrast rows")
    for name in sorted(weak - {"format_strict", "anti_echo"}):
        verdict = gates[name].verdict
        if verdict.total and verdict.passed / verdict.total > HALF:
            found.append(
                f"{name} is right in {verdict.passed} of {verdict.total}: it generalises partly; add phrasings"
            )
    for name in BUCKETS[1:]:
        if name in gates and gates[name].verdict.code in ("clustered", f"{name}.floor"):
            found.append(f"{name} depends on the phrasing: add template families")
    fall = gates["log"].measured.get("fall") if "log" in gates else None
    if fall is not None and 0 < fall < SLOW:
        found.append(f"the loss falls slowly ({fall:.0%} over the run), but it falls: train on")
    return found
