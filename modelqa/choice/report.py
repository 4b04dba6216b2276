"""What a model's choices show: knowledge, a habit of letters, or the look of the options. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modelqa import stats
from modelqa.choice.items import Kind, Shown
from modelqa.data.choices import LETTERS
from modelqa.record import Problem

LEVEL = 0.05  # one-sided, of each claim
MIN_ITEMS = 20  # below so many the bounds over items mean little
HALF_AGAIN = 1.5  # a letter may be chosen up to half as often again as is its due before it counts as a habit
MOVED = 0.05  # share of the score that may hang on where the right options happen to stand
PARSED = 0.9  # share of generated replies that must choose something


@dataclass(frozen=True)
class Claim:
    """A mean over items with its one-sided 95% bounds, clustered by item."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Report:
    """What was chosen over the whole sheet. Rates are means over items and rotations.

    chance          mean of 1/options
    as_written      right with the options in their written order; rotated: in every order
    always          share of items that are right in every rotation
    options_only    right without any question; swapped: "right" under another item's question, where it is wrong
    over_alone      rotated minus options_only; over_swapped: rotated minus swapped; by_place: as_written minus rotated
    letters         share of all choices that fell on each place; recall: share of the right ones found at each place;
                    both empty when the sheet was not rotated: then places mean nothing
    recall_spread   standard deviation of the recalls (RStd of Zheng et al., arXiv 2309.03882)
    parsed          share of showings in which something was chosen at all
    """

    items: int
    chance: float
    as_written: float
    rotated: Claim
    always: float
    options_only: float
    swapped: float
    over_alone: Claim
    over_swapped: Claim
    by_place: Claim
    letters: tuple[Claim, ...]
    recall: tuple[float, ...]
    recall_spread: float
    parsed: float


def report(sheet: Sequence[Shown], chosen: Sequence[int | None]) -> Report:
    """The report on a sheet; `chosen` is the place chosen in each showing, None where nothing was.

    `ValueError` when there is not one choice for each showing.
    """
    if len(chosen) != len(sheet):
        raise ValueError(f"{len(chosen)} choices for {len(sheet)} showings")
    right = {kind: _right(sheet, chosen, kind) for kind in ("asked", "options_only", "swapped")}
    asked = right["asked"]
    own = [(shown, place) for shown, place in zip(sheet, chosen, strict=True) if shown.kind == "asked"]
    options = [len(shown.options) for shown, _ in own if shown.rotation == 0]
    places = max(options) if any(shown.rotation for shown, _ in own) else 0
    recall = tuple(_recall(own, place) for place in range(places))
    return Report(
        items=len(asked),
        chance=stats.chance_level(options),
        as_written=_mean([row[0] for row in asked]),
        rotated=_claim(asked),
        always=_mean([float(all(row)) for row in asked]),
        options_only=_mean([_mean(row) for row in right["options_only"]]),
        swapped=_mean([_mean(row) for row in right["swapped"]]),
        over_alone=_claim([[_mean(a) - _mean(b)] for a, b in zip(asked, right["options_only"], strict=True)]),
        over_swapped=_claim([[_mean(a) - _mean(b)] for a, b in zip(asked, right["swapped"], strict=True)]),
        by_place=_claim([[row[0] - _mean(row)] for row in asked]),
        letters=tuple(_claim(_chosen(own, place, len(asked)), alpha=LEVEL / places) for place in range(places)),
        recall=recall,
        recall_spread=math.sqrt(_mean([(value - _mean(recall)) ** 2 for value in recall])) if recall else 0.0,
        parsed=_mean([float(place is not None) for place in chosen]),
    )


def _right(sheet: Sequence[Shown], chosen: Sequence[int | None], kind: Kind) -> list[list[float]]:
    """For each item, whether each rotation of one kind was answered rightly, rotation 0 first."""
    rows: dict[int, list[float]] = {}
    for shown, place in zip(sheet, chosen, strict=True):
        if shown.kind == kind:
            rows.setdefault(shown.item, []).append(float(place == shown.right))
    return [rows[item] for item in sorted(rows)]


def _chosen(own: Sequence[tuple[Shown, int | None]], place: int, items: int) -> list[list[float]]:
    """For each item, whether each rotation's choice fell on a place."""
    rows: list[list[float]] = [[] for _ in range(items)]
    for shown, chosen in own:
        rows[shown.item].append(float(chosen == place))
    return rows


def _recall(own: Sequence[tuple[Shown, int | None]], place: int) -> float:
    found = [float(chosen == place) for shown, chosen in own if shown.right == place]
    return _mean(found) if found else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _claim(clusters: Sequence[Sequence[float]], *, alpha: float = LEVEL) -> Claim:
    lower, upper = stats.clustered_mean(clusters, alpha)
    return Claim(_mean([value for cluster in clusters for value in cluster]), lower, upper)


def shortcut_problems(found: Report) -> list[Problem]:
    """What shows that the score is no knowledge, the most mundane first.

    behaviour.unparsed      too few replies choose anything (generated replies only)
    behaviour.below_chance  worse than guessing: the form of the question or of the answer is at fault
    behaviour.letter_prior  one letter is chosen half as often again as is its due, wherever the right option stands
    behaviour.place         the score falls when the options are rotated
    behaviour.options_only  the options alone give as good a score, above chance: something in them gives them away
    behaviour.stem_blind    above chance, and the same options are chosen under another question: it is not read
    """
    problems = unparsed_problems(found)
    above = found.rotated.lower > found.chance
    if found.rotated.upper < found.chance:
        text = f"{found.rotated.mean:.1%} over all rotations, below chance ({found.chance:.1%})"
        problems.append(Problem("behaviour.below_chance", "rotated", text))
    for place, claim in enumerate(found.letters):
        due = 1 / len(found.letters)
        if claim.lower > HALF_AGAIN * due:
            text = f"{LETTERS[place]} is chosen in {claim.mean:.0%} of all rotations; its due is {due:.0%}"
            problems.append(Problem("behaviour.letter_prior", LETTERS[place], text))
    if found.by_place.lower > MOVED:
        text = f"{found.as_written:.1%} as written, {found.rotated.mean:.1%} over all rotations: the place is answered"
        problems.append(Problem("behaviour.place", "rotation", text))
    if above and found.over_alone.lower <= 0:
        text = f"{found.rotated.mean:.1%} with the question, {found.options_only:.1%} with the options alone"
        problems.append(Problem("behaviour.options_only", "options_only", text))
    if above and found.over_swapped.lower <= 0:
        text = f"{found.rotated.mean:.1%} under their own question, {found.swapped:.1%} the same under another's"
        problems.append(Problem("behaviour.stem_blind", "swapped", text))
    return problems


def unparsed_problems(found: Report) -> list[Problem]:
    """That too few replies choose anything; none where choices are read from likelihoods."""
    if found.parsed >= PARSED:
        return []
    return [Problem("behaviour.unparsed", "replies", f"only {found.parsed:.0%} of the replies choose an option")]


def by_letter(found: Report) -> list[tuple[str, Claim]]:
    """(letter, share of all choices that fell on it), in order; empty when nothing was rotated."""
    return list(zip(LETTERS, found.letters, strict=False))


def unproven(found: Report) -> str:
    """Why a score without any of these problems still shows no knowledge, "" when it does."""
    if found.items < MIN_ITEMS:
        return f"{found.items} items: at least {MIN_ITEMS} are needed"
    if found.rotated.lower <= found.chance:
        return (
            f"{found.rotated.mean:.1%} over all rotations [{found.rotated.lower:.1%}, {found.rotated.upper:.1%}] "
            f"is not shown to be above chance ({found.chance:.1%})"
        )
    return ""
