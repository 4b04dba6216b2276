"""Two models on the same benchmarks: like with like, paired where the questions are kept, Holm over all claims."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from modelqa import stats
from modelqa.benchmarks.concern import Concern, proven, unproven
from modelqa.benchmarks.result import Result

JUMP = 0.10  # a gain shown to exceed this is rarer than a leak or a change of format: it asks for evidence
TAX = 0.10  # what chat tuning may cost a benchmark: known taxes of small models are 3 to 7 points
SEED = 20260  # of the bootstrap: any, but always the same


@dataclass(frozen=True)
class Comparison:
    """New minus old on one benchmark, oriented so that more is better.

    lower, upper one-sided 95% bounds; worse, different: p-values before correction; paired: from the single questions
    """

    new: Result
    old: Result
    delta: float
    lower: float
    upper: float
    worse: float
    different: float
    paired: bool

    @property
    def text(self) -> str:
        """ "+2.1 points [-1.3, +5.4], p 0.33 (unpaired, n 1000)"; the bounds are one-sided 95%."""
        bounds = f"[{100 * self.lower:+.1f}, {100 * self.upper:+.1f}]"
        how = "paired" if self.paired else "unpaired"
        return f"{100 * self.delta:+.1f} points {bounds}, p {self.different:.2g} ({how}, n {self.new.n})"


def matched(new: Sequence[Result], old: Sequence[Result]) -> list[tuple[Result, Result]]:
    """The results of both sides that measure the same thing, controls left out."""
    known = {(r.task, r.metric, r.filter): r for r in old if not r.control}
    pairs = [(r, known.get((r.task, r.metric, r.filter))) for r in new if not r.control]
    return [(mine, other) for mine, other in pairs if other is not None]


def differences(new: Result, old: Result, *, template: bool = True) -> list[str]:
    """What makes two results incomparable: another version, shots, number or set of questions, or chat template.

    template False leaves the chat template out: a base model is asked without one, its chat model with it.
    """
    compared = [("version", new.version, old.version), ("few-shot count", new.few_shot, old.few_shot),
                ("unit", new.unit, old.unit), ("n", new.n, old.n)]  # fmt: skip
    compared += [("set of questions", new.items_sha256[:12], old.items_sha256[:12])]
    if template:
        compared += [("chat template", new.chat_template, old.chat_template)]
    return [
        f"{name} {a!r} and {b!r}" for name, a, b in compared if a not in (None, "") and b not in (None, "") and a != b
    ]


def compare(new: Result, old: Result) -> Comparison | None:
    """The comparison of two comparable results; None when a value, n or standard error is missing."""
    mine = {(item.id, item.sha256): item.score for item in new.items if item.score is not None}
    theirs = {(item.id, item.sha256): item.score for item in old.items if item.score is not None}
    if mine and mine.keys() == theirs.keys():
        return _paired(new, old, [(mine[name], theirs[name]) for name in sorted(mine)])
    if new.right is not None and old.right is not None and new.n and old.n:
        bounds = stats.difference_interval(new.right, new.n, old.right, old.n)
        pooled = (new.right + old.right) / (new.n + old.n)
        error = math.sqrt(pooled * (1 - pooled) * (1 / new.n + 1 / old.n))
        return _finished(new, old, new.right / new.n - old.right / old.n, error, bounds, paired=False)
    if new.value is None or old.value is None or not new.stderr or not old.stderr:
        return None
    delta = (new.value - old.value) * (1 if new.higher_is_better else -1)
    error = math.hypot(new.stderr, old.stderr)
    return _finished(new, old, delta, error, (delta - 1.6449 * error, delta + 1.6449 * error), paired=False)


def _paired(new: Result, old: Result, scores: Sequence[tuple[float, float]]) -> Comparison:
    if {score for pair in scores for score in pair} <= {0.0, 1.0}:
        counts = stats.Paired(sum(a > b for a, b in scores), sum(b > a for a, b in scores), len(scores))
        lower, upper = stats.tango(counts)
        worse, different = stats.mcnemar(counts, worse=True), stats.mcnemar(counts)
        return Comparison(new, old, counts.difference, lower, upper, worse, different, True)
    sign = 1 if new.higher_is_better else -1
    deltas = [sign * (a - b) for a, b in scores]
    error = stdev(deltas) / math.sqrt(len(deltas)) if len(deltas) > 1 else math.inf
    bounds = stats.bootstrap_mean(deltas, seed=SEED) if len(deltas) > 1 else (-math.inf, math.inf)
    return _finished(new, old, fmean(deltas), error, bounds, paired=True)


def _finished(
    new: Result, old: Result, delta: float, error: float, bounds: tuple[float, float], *, paired: bool
) -> Comparison:
    """With p-values from the normal distribution (two-proportion z test where the questions are not kept)."""
    z = delta / error if error else math.copysign(math.inf, delta) if delta else 0.0
    below = NormalDist().cdf(z)
    return Comparison(new, old, delta, *bounds, below, 2 * min(below, 1 - below), paired)


def set_concerns(
    new: Sequence[Result], old: Sequence[Result], *, code: str, template: bool = True
) -> Iterator[Concern]:
    """Benchmarks of both models whose numbers must not be put side by side."""
    for mine, other in matched(new, old):
        if found := differences(mine, other, template=template):
            yield unproven(code, mine.name, f"{mine.model} and {other.model} differ in {'; '.join(found)}")


def worse_concerns(
    new: Sequence[Result], old: Sequence[Result], *, code: str, margin: float = 0.0, template: bool = True
) -> Iterator[Concern]:
    """Benchmarks on which the new model is shown to be worse than the old one by more than `margin` (Holm, 5%).

    With a margin the whole interval must lie below it. Results without n are not settled when they look worse.
    """
    pairs = [pair for pair in matched(new, old) if not differences(*pair, template=template) and _is_score(pair[0])]
    found = {mine.name: compare(mine, other) for mine, other in pairs}
    adjusted = stats.holm({name: each.worse for name, each in found.items() if each})
    for mine, other in pairs:
        each = found[mine.name]
        if each is None:
            yield from _unknown(mine, other, code, margin)
        elif adjusted[mine.name] <= stats.ALPHA and each.upper < -margin:
            yield proven(code, mine.name, f"{mine.shown} against {other.model}'s {other.shown}: {each.text}")


def _is_score(result: Result) -> bool:
    return result.unit in ("rate", "score")


def _unknown(mine: Result, other: Result, code: str, margin: float) -> Iterator[Concern]:
    """A fall that cannot be tested: how many questions would show it."""
    if mine.value is None or other.value is None:
        return
    fall = (other.value - mine.value) * (1 if mine.higher_is_better else -1)
    if fall <= margin:
        return
    needed = (
        f"; it would be shown from about {shown_from(mine.value, other.value)} questions on"
        if mine.unit == "rate"
        else ""
    )
    yield unproven(code, mine.name, f"{mine.shown} against {other.model}'s {other.shown}, n not stated{needed}")


def shown_from(one: float, two: float) -> int:
    """From how many questions each on two unpaired rates differ at a one-sided 5%: z^2 2 p (1-p) / (one - two)^2."""
    middle = (one + two) / 2
    return math.ceil(1.6449**2 * 2 * middle * (1 - middle) / (one - two) ** 2)


def jumps(new: Sequence[Result], old: Sequence[Result]) -> list[Comparison]:
    """Gains that are shown to exceed `JUMP`: too good to be taken at their word."""
    pairs = [pair for pair in matched(new, old) if _is_score(pair[0]) and not differences(*pair)]
    return [each for pair in pairs if (each := compare(*pair)) and each.lower > JUMP]


def jump_concerns(found: Sequence[Comparison], cleared: Collection[str] = ()) -> Iterator[Concern]:
    """Jumps on benchmarks that are not `cleared`: by nobody compared with the training data, or in another format."""
    for each in found:
        if each.new.task not in cleared:
            gain = f"{each.old.shown} -> {each.new.shown}, at least {100 * each.lower:+.1f} points"
            text = f"{gain}: rule out overlap with the training data (import the questions, declare train = [...])"
            yield unproven("too_good", each.new.name, text)


@dataclass(frozen=True)
class Beside:
    """Two models' results on the same questions; comparison: None when n is not stated.

    distinguishable  whether a difference is shown, by Holm's 5% over all that is compared at once
    """

    new: Result
    old: Result
    comparison: Comparison | None
    distinguishable: bool

    @property
    def name(self) -> str:
        """What a person calls the benchmark."""
        return self.new.name


def compared(new: Sequence[Result], old: Sequence[Result], *, template: bool = True) -> list[Beside]:
    """The scores of both models, where both have a value; what is not of the same questions is left out."""
    pairs = [p for p in matched(new, old) if _is_score(p[0]) and not differences(*p, template=template)]
    stated = [(mine, other) for mine, other in pairs if mine.value is not None and other.value is not None]
    found = {mine.name: compare(mine, other) for mine, other in stated}
    adjusted = stats.holm({name: each.different for name, each in found.items() if each})
    return [
        Beside(mine, other, found[mine.name], adjusted.get(mine.name, 1.0) <= stats.ALPHA) for mine, other in stated
    ]


def comparison_lines(new: Sequence[Result], old: Sequence[Result], *, template: bool = True) -> dict[str, str]:
    """{benchmark: delta, interval, p, and better, worse or not distinguishable} of what `compared` finds."""
    lines = {}
    for each in compared(new, old, template=template):
        if each.comparison is None:
            lines[each.name] = f"{each.new.shown} and {each.old.shown}: not distinguishable, n not stated"
        else:
            side = "better" if each.comparison.delta > 0 else "worse"
            lines[each.name] = f"{each.comparison.text}: {side if each.distinguishable else 'not distinguishable'}"
    return lines
