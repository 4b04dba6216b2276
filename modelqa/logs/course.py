"""How the losses of a run went: numbers that are none, nothing learnt, all learnt, divergence, the wrong step shipped.

Each function gives the problems of one gate, at most one, with the step as its locus. Losses are nats per token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from modelqa.logs.reading import Log
from modelqa.record import Problem

Series = Sequence[tuple[int, float]]

ZERO = 1e-4  # nats: a probability of 99.99% for every token; a log with four decimals shows it as 0.0
IN_A_ROW = 3  # logged steps: one odd batch is no finding, three in a row are one
NEAR_CHANCE = 0.9  # of ln(vocabulary): guessing by frequency alone, learnt in the first steps, brings 0.6 or less
FLAT = 0.005  # relative range of a loss that does not move; batches of real text differ by more
COIN = math.log(2)  # the loss of a preference model that cannot tell chosen from rejected
COIN_WIDTH = 0.01  # nats
MOVING = 5  # logged losses from which a flat line means something
RISES = 3  # evaluations, each above the one before
RISE = 0.01  # relative: a smaller rise is the noise of an evaluation set
WORSE = 0.02  # nats: 2% in the probability of every token; nobody can tell less
WORSE_SHARE = 0.03  # of the best loss, for losses above 0.7


def finite_problems(log: Log) -> list[Problem]:
    """Code training.nan: the first loss that is NaN or infinite.

    transformers' Trainer hides such a loss (logging_nan_inf_filter): it logs 0.0 beside a gradient norm that is none.
    """
    for entry in log.kept:
        odd = [name for name in ("loss", "eval_loss") if not math.isfinite(entry.values.get(name, 0.0))]
        hidden = entry.values.get("loss") == 0.0 and not math.isfinite(entry.values.get("grad_norm", 0.0))
        if odd or hidden:
            what = f"{odd[0]} is {entry.values[odd[0]]}" if odd else "the loss is 0.0 and the gradient is no number"
            return [Problem("training.nan", f"step {entry.step}", f"{what}: every weight after it is worthless")]
    return []


def zero_problems(log: Log) -> list[Problem]:
    """Code training.zero_loss: a training loss of exactly 0.0, or below `ZERO` three times running; code
    training.full_accuracy: every token right three times running. Language is not that certain: the rows are few and
    known by heart, or the labels stand in the input.
    """
    losses = _finite(log.series("loss"))
    zero = next((step for step, loss in losses if loss == 0.0), _run(losses, lambda loss: loss < ZERO))
    if zero is not None:
        text = "the training loss is 0.0: the rows are known by heart. Count them: was all of the data loaded?"
        return [Problem("training.zero_loss", f"step {zero}", text)]
    full = _run(log.series("accuracy"), lambda accuracy: accuracy >= 1.0)
    if full is None:
        return []
    text = f"every token is predicted rightly in {IN_A_ROW} logs running: the rows are known by heart"
    return [Problem("training.full_accuracy", f"step {full}", text)]


def chance_problems(log: Log, *, vocabulary: int) -> list[Problem]:
    """Code training.chance: the run ends at the loss of a uniform guess, ln(vocabulary): nothing reaches the weights,
    or labels and inputs do not belong together.
    """
    losses = _finite(log.series("loss") or log.series("eval_loss"))
    chance = math.log(vocabulary)
    if not losses or _mean(losses[-IN_A_ROW:]) < NEAR_CHANCE * chance:
        return []
    text = f"the loss ends at {_mean(losses[-IN_A_ROW:]):.2f}; guessing among {vocabulary} tokens costs {chance:.2f}"
    return [Problem("training.chance", f"step {losses[-1][0]}", text)]


def flat_problems(log: Log, *, preference: bool) -> list[Problem]:
    """Code training.flat: the loss does not move at all, or a preference loss never leaves ln 2 = 0.693, where chosen
    and rejected answers are told apart by a coin.
    """
    losses = _finite(log.series("loss"))
    values = [loss for _, loss in losses]
    if len(values) < MOVING:
        return []
    if preference and all(abs(value - COIN) <= COIN_WIDTH for value in values):
        text = f"the loss stays at ln 2 = {COIN:.3f}: chosen and rejected answers are told apart by a coin"
    elif max(values) - min(values) <= FLAT * abs(_mean(losses)):
        text = f"the loss stays at {_mean(losses):.4f}: nothing is learnt (a rate of zero, frozen or detached weights)"
    else:
        return []
    return [Problem("training.flat", f"step {losses[-1][0]}", text)]


def fall(log: Log) -> dict[str, float]:
    """{"fall": by which share of the first evaluation's loss the last one is lower}; {} without two evaluations."""
    points = _finite(log.series("eval_loss"))
    if len(points) < 2 or points[0][1] <= 0:
        return {}
    return {"fall": 1 - points[-1][1] / points[0][1]}


def rising_problems(log: Log, *, shipped: int) -> list[Problem]:
    """Three evaluations, each at least 1% above the one before, and the shipped step is not back below the first.

    Code training.overfit where the training loss falls meanwhile: the rows are being learnt by heart. Otherwise code
    training.diverged: a rate that is too high shows so within a few hundred steps.
    """
    points = [(step, loss) for step, loss in _finite(log.series("eval_loss")) if step <= shipped]
    for start in range(len(points) - RISES + 1):
        row = points[start : start + RISES]
        rising = all(later >= (1 + RISE) * earlier for (_, earlier), (_, later) in pairwise(row))
        if rising and points[-1][1] > row[0][1]:
            text = "the evaluation loss rises: " + ", ".join(f"{loss:.4g}" for _, loss in row)
            text += "; it never comes back below the first"
            falling = _falling(log.series("loss"), row[0][0], row[-1][0])
            code = "training.overfit" if falling else "training.diverged"
            return [Problem(code, f"step {row[-1][0]}", f"{text}{falling and f', while the training loss {falling}'}")]
    return []


def _falling(losses: Series, first: int, last: int) -> str:
    """How the mean training loss fell between two steps, against as many before, in words; "" where it did not."""
    now = [(step, loss) for step, loss in _finite(losses) if first < step <= last]
    before = [(step, loss) for step, loss in _finite(losses) if 2 * first - last < step <= first]
    if not now or not before or _mean(now) >= (1 - RISE) * _mean(before):
        return ""
    return f"falls from {_mean(before):.4g} to {_mean(now):.4g}"


def shipped_problems(log: Log, *, shipped: int) -> list[Problem]:
    """Code training.not_best: another evaluated step has a lower loss than the shipped one, by more than `WORSE` nats
    and `WORSE_SHARE` of it: trained too long, or the wrong checkpoint was taken.
    """
    own = evaluated_loss(log, shipped=shipped)
    if own is None:
        return []
    points = _finite(log.series("eval_loss"))
    step, best = min(points, key=lambda point: (point[1], point[0]))
    if own - best <= max(WORSE, WORSE_SHARE * best):
        return []
    text = f"the weights are those of step {shipped} (evaluation loss {own:.4g}); step {step} had {best:.4g}"
    return [Problem("training.not_best", f"step {step}", text)]


def evaluated_loss(log: Log, *, shipped: int) -> float | None:
    """The last evaluation loss up to the shipped step; None when there was no evaluation."""
    return next((loss for step, loss in reversed(_finite(log.series("eval_loss"))) if step <= shipped), None)


def _finite(series: Series) -> list[tuple[int, float]]:
    return [(step, value) for step, value in series if math.isfinite(value)]


def _mean(series: Series) -> float:
    return sum(value for _, value in series) / len(series)


def _run(series: Series, holds: Callable[[float], bool]) -> int | None:
    """The step at which `holds` is true for the `IN_A_ROW`th time running; None when it never is."""
    length = 0
    for step, value in series:
        length = length + 1 if holds(value) else 0
        if length == IN_A_ROW:
            return step
    return None
