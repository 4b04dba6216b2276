"""Is the log whole? Steps that are missing, and what a resume lost."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from statistics import median

from modelqa.logs.reading import Entry, Log
from modelqa.record import Problem

MISSING = 2.5  # logging intervals between two noted steps: one dropped line is an accident, two are a piece
SAME_RATE = 0.01  # relative difference of the learning rate at one step before and after a resume
FALL = 0.5  # a rate that falls by half from one note to the next; a decay spreads that over a tenth of the run
CLIMBS = 3  # notes: a second warm-up rises at least so often after its fall


def gap_problems(log: Log) -> list[Problem]:
    """Code training.gap: steps of which nothing is noted, at the start, in between or at the end. What happened there
    - another rate, other data, a crash - is unknown. The usual distance of two notes is their median.
    """
    steps = sorted({entry.step for entry in log.kept if "loss" in entry.values})
    if len(steps) < 3:
        return []
    usual = median(later - earlier for earlier, later in pairwise(steps))
    places = [0, *steps, log.last_step]
    for earlier, later in pairwise(places):
        if later - earlier > MISSING * usual:
            text = f"no loss is noted between step {earlier} and step {later}; otherwise it is every {usual:g} steps"
            return [Problem("training.gap", f"step {earlier}", text)]
    return []


def resume_problems(log: Log) -> list[Problem]:
    """Code training.resumed: the steps go back, and what follows is not the same run: it begins before the first note,
    or the learning rate at a step is no longer what it was (or was never noted). Code training.reset: the rate falls
    at once and climbs again, a second warm-up: the optimiser began anew in the middle of the run.

    A resume that kept its state repeats some steps at the same rate; that is no finding.
    """
    return _went_back(log.entries) or _second_warmup(log)


def _went_back(entries: tuple[Entry, ...]) -> list[Problem]:
    rates: dict[int, float] = {}
    for earlier, later in pairwise(entries):
        _note(rates, earlier)
        if later.step >= earlier.step:
            continue
        place = Problem("training.resumed", f"step {earlier.step}", f"the steps go back from {earlier.step} to "
                        f"{later.step}: ")  # fmt: skip
        if later.step <= entries[0].step and entries[0].step > 0:
            return [_saying(place, "the run began again, and its log holds two")]
        again = _repeated(entries, earlier, rates)
        if not again:
            return [_saying(place, "no learning rate is noted twice, so nothing shows that the state was kept")]
        for step, old, new in again:
            if abs(old - new) <= SAME_RATE * max(abs(old), abs(new)):
                continue
            return [_saying(place, f"the rate at step {step} was {old:.3g} and then {new:.3g}: the state was lost")]
    return []


def _note(rates: dict[int, float], entry: Entry) -> None:
    if "learning_rate" in entry.values:
        rates[entry.step] = entry.values["learning_rate"]


def _saying(problem: Problem, text: str) -> Problem:
    return Problem(problem.code, problem.locus, problem.text + text)


def _repeated(entries: tuple[Entry, ...], last: Entry, rates: Mapping[int, float]) -> list[tuple[int, float, float]]:
    """(step, rate before, rate after) of the steps that are noted on both sides of a step back."""
    after = entries[entries.index(last) + 1 :]
    found = []
    for entry in after:
        if entry.step > last.step:
            break
        if entry.step in rates and "learning_rate" in entry.values:
            found.append((entry.step, rates[entry.step], entry.values["learning_rate"]))
    return found


def _second_warmup(log: Log) -> list[Problem]:
    rates = log.series("learning_rate")
    for at in range(1, len(rates) - CLIMBS):
        before, low = rates[at - 1][1], rates[at][1]
        climb = [rate for _, rate in rates[at : at + CLIMBS + 1]]
        rising = all(later > earlier for earlier, later in pairwise(climb))
        if low < FALL * before and rising:
            text = f"the learning rate falls from {before:.3g} to {low:.3g} and climbs again: a second warm-up"
            return [Problem("training.reset", f"step {rates[at][0]}", text)]
    return []
