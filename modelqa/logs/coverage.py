"""How often the data was seen: passes over the supervised tokens, and rows fed against rows intended.

A pass over the rows is a pass over their supervised tokens: an epoch feeds each of them once, packed or not.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelqa.logs.reading import Log
from modelqa.record import Problem

FEWEST, MOST = 2.0, 5.0  # passes: the fine-tuning guide's minimum and maximum; 3 to 3.5 are its optimum
REPEATED = 0.1  # share of rows that may be equal to others: the data suites tolerate as many
TOLERANCE = 0.05  # relative, of declared passes: the last batch of an epoch is seldom full


def passes(log: Log, counters: Mapping[str, int]) -> float | None:
    """Times the data was seen: the last epoch of the log, else what a capture counted; None when neither says."""
    epochs = log.series("epoch")
    if epochs:
        return epochs[-1][1]
    rows = counters.get("dataset_rows", 0)
    return counters["rows_seen"] / rows if rows and "rows_seen" in counters else None


def coverage_problems(done: float, *, declared: float | None) -> list[Problem]:
    """Code training.coverage: fewer than 2 or more than 5 passes (to the nearest tenth), or, when models.toml declares
    `passes`, another number. Too few and an operation is not learnt; too many and rows are known by heart.
    """
    if declared is not None:
        wrong = abs(done - declared) > TOLERANCE * declared
        text = f"{done:.2f} passes over the data; {declared:g} are declared"
    else:
        wrong = not FEWEST <= round(done, 1) <= MOST
        text = (
            f"{done:.2f} passes over the data; {FEWEST:g} to {MOST:g} are usual. "
            "If it was meant, declare passes in models.toml"
        )
    return [Problem("training.coverage", f"{done:.2f} passes", text)] if wrong else []


def sample_problems(
    counters: Mapping[str, int], *, intended: int | None, declared: float | None, processes: int
) -> list[Problem]:
    """Code training.samples: the trainer held other rows than intended, or never fed some of those it held.

    counters   of a capture (see `modelqa.data.captured`), of one of `processes`
    intended   rows of the dataset; None where training joins and cuts them, as documents of a base model
    declared   passes that models.toml declares: below 1, only that share of the rows must have been fed
    """
    held, fed = counters.get("dataset_rows", 0), counters.get("distinct_episodes", 0)
    packed = counters.get("rows_seen") != counters.get("episodes_seen")  # then a held row is many of the file's
    if intended is not None and held != intended and held > 0 and not packed:
        text = f"the trainer held {held} rows where {intended} were intended"
        return [Problem("training.samples", f"{held} of {intended} rows", text)]
    wanted = intended if intended is not None else held
    if processes > 1 or fed >= (1 - REPEATED) * wanted * min(1.0, declared or 1.0):
        return []  # another process fed what this one did not
    text = f"the trainer fed {fed} different rows of {wanted}"
    return [Problem("training.samples", f"{fed} of {wanted} rows", text)]
