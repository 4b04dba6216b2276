"""One model's results alone: is n stated, is chance what the items say, is the score above it, and above one answer?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import pstdev

from modelqa import stats
from modelqa.benchmarks.concern import Concern, proven, unproven
from modelqa.benchmarks.result import Item, Result

SAME_CHANCE = 0.005  # half a point: what differs by less from a chance level is that level, rounded
ITEMS_PER_LABEL = 5  # below so many a task cannot show that one answer is given to everything
ONE_ANSWER = 0.5  # share of all answers above which one of them is taken to be given whatever is asked


def stated_concerns(results: Sequence[Result], weights: str = "", bound_to: str = "") -> Iterator[Concern]:
    """Results without a value or n; a chance level that the items contradict; results of other weights.

    weights, bound_to: the digests of the candidate and of the checkpoint that was scored, "" when unknown
    """
    if weights and bound_to and weights != bound_to:
        text = f"they were scored on weights {bound_to[:12]}, and the candidate has {weights[:12]}: score it again"
        yield proven("other_weights", results[0].model if results else "", text)
    for result in results:
        if result.value is None:
            yield unproven("missing", result.name, "the source gives no value")
        elif result.n is None:
            yield unproven("n", result.name, f"{result.shown} of how many? without n it has no interval and no test")
        if missing := sum(item.score is None for item in result.items):
            text = f"{missing} of {len(result.items)} questions were not scored, and {result.shown} leaves them out"
            yield unproven("unscored", result.name, text)
        off = result.chance is not None and result.stated is not None and abs(result.chance - result.stated)
        if off and off > SAME_CHANCE:
            text = f"chance is stated as {result.stated:.1%}, and the items say {result.chance:.1%}"
            yield proven("chance_level", result.name, text)


def chance_concerns(results: Sequence[Result]) -> Iterator[Concern]:
    """Scores below chance, at chance, or no better than one answer for everything.

    Below chance is no ignorance but a fault: answers that cannot be parsed, or one letter for everything.
    """
    for result in results:
        if result.unit != "rate" or result.value is None or result.control:
            continue
        yield from _against_chance(result)
        if result.items and all(item.options for item in result.items):
            yield from _against_constant(result)


def against_chance(result: Result) -> str:
    """ "above chance", "at chance" or "below chance" as its bounds show; "" for no rate, or without n or chance."""
    if result.unit != "rate" or result.n is None or result.chance is None:
        return ""
    if result.lower is None or result.upper is None:
        return ""
    if result.upper < result.chance:
        return "below chance"
    return "at chance" if result.lower <= result.chance else "above chance"


def _against_chance(result: Result) -> Iterator[Concern]:
    value, chance = result.value, result.chance
    if value is None or chance is None:
        return
    if result.n is None:
        if value < chance:
            needed = questions_below(value, chance)
            text = f"{value:.1%} where chance is {chance:.1%}: below it if there were {needed} questions or more"
            yield unproven("below_chance", result.name, f"{text}; look at what could be parsed")
        elif value - chance <= SAME_CHANCE:
            text = f"{value:.1%} is chance, {chance:.1%}: it says nothing about the model, of however many questions"
            yield unproven("at_chance", result.name, text)
        return
    level = against_chance(result)
    if level == "below chance":
        text = f"{value:.1%} of {result.n} (at most {result.upper:.1%}) where chance is {chance:.1%}"
        yield proven("below_chance", result.name, f"{text}: a fault, no ignorance. {_unparsed(result.items)}")
    elif level == "at chance":
        text = f"{value:.1%} of {result.n} (at least {result.lower:.1%}) does not exclude chance, {chance:.1%}"
        yield unproven("at_chance", result.name, f"{text}: it says nothing about the model")


def questions_below(value: float, chance: float) -> int:
    """From how many questions on a rate `value` lies below `chance` (95%, normal approximation at chance)."""
    return math.ceil(chance * (1 - chance) * (1.6449 / (chance - value)) ** 2)


def _unparsed(items: Sequence[Item]) -> str:
    if not items:
        return "Look at the answers: can they be parsed?"
    if any(item.answer is None for item in items):
        return "Look at the answers: can they be parsed?"
    empty = sum(not item.answer for item in items)
    answers = Counter(item.answer for item in items if item.answer).most_common(1)
    common = f"; {answers[0][1]} are {answers[0][0]!r}" if answers else ""
    return f"{empty} of {len(items)} answers could not be parsed{common}"


def _against_constant(result: Result) -> Iterator[Concern]:
    gold = [item.gold for item in result.items]
    label, share = stats.best_constant(gold)
    labels = len(set(gold))
    if len(gold) < ITEMS_PER_LABEL * labels:
        text = f"{len(gold)} questions with {labels} different answers ({stats.label_entropy(gold):.1f} bits)"
        yield unproven("blind", result.name, f"{text}: a model that always says the same would not be seen")
    assert result.lower is not None and result.upper is not None
    if result.upper <= share:
        yield proven("constant", result.name, f"always saying {label!r} scores {share:.1%}; the model {result.shown}")
    elif result.lower <= share:
        text = f"always saying {label!r} scores {share:.1%}, which {result.shown} of {result.n} does not exclude"
        yield unproven("constant", result.name, text)


def shortcut_concerns(results: Sequence[Result]) -> Iterator[Concern]:
    """Choices made by letter or by the options alone: controls that cost too much, or too little.

    rotated       the same questions with their options rotated: who knows the answer keeps it
    options_only  the options without the question: who needs the question loses it
    """
    for result in results:
        if result.control:
            continue
        controls = {other.control: other for other in results if _controls(other, result)}
        yield from _rotated(result, controls.get("rotated"))
        yield from _options_only(result, controls.get("options_only"))
        yield from _one_letter(result)


def _controls(other: Result, result: Result) -> bool:
    return bool(other.control) and (other.task, other.metric, other.filter) == (
        result.task,
        result.metric,
        result.filter,
    )


def _rotated(result: Result, rotated: Result | None) -> Iterator[Concern]:
    if rotated is None or rotated.value is None or result.value is None or rotated.value >= result.value:
        return
    shown = f"{result.shown}, and {rotated.shown} when the options are rotated"
    if _gap(result, rotated) is True:
        yield proven("letters", result.name, f"{shown}: the place of an option decides, not what it says")
    elif _gap(result, rotated) is None:
        yield unproven("letters", result.name, f"{shown}: without n it cannot be told from chance variation")


def _options_only(result: Result, blind: Result | None) -> Iterator[Concern]:
    if blind is None or blind.value is None or result.value is None:
        return
    if _gap(result, blind) is not True:
        text = f"{result.shown} with the question, {blind.shown} without it: the question is not shown to matter"
        yield unproven("options_only", result.name, text)


def _gap(result: Result, control: Result) -> bool | None:
    """Whether `result` is shown to score more than its control; None when n is not known."""
    if result.right is None or control.right is None or not result.n or not control.n:
        return None
    return stats.difference_interval(result.right, result.n, control.right, control.n)[0] > 0


def _one_letter(result: Result) -> Iterator[Concern]:
    answers = Counter(item.answer for item in result.items if item.options and item.answer)
    if not answers:
        return
    letter, count = answers.most_common(1)[0]
    gold = sum(item.gold == letter for item in result.items) / len(result.items)
    if stats.cp_lower(count, len(result.items)) > max(ONE_ANSWER, gold):
        text = f"{count} of {len(result.items)} answers are {letter!r}; it is right in {gold:.0%}"
        yield proven("one_letter", result.name, text)


def recall_spread(items: Sequence[Item]) -> float | None:
    """The standard deviation, over the right letters, of how often each is found: 0 for who has no favourite.

    RStd of Zheng et al., "Large Language Models Are Not Robust Multiple Choice Selectors" (arXiv 2309.03882).
    """
    found: dict[str, list[bool]] = {}
    for item in items:
        if item.options and item.gold and item.answer is not None:
            found.setdefault(item.gold, []).append(item.answer == item.gold)
    return pstdev([sum(right) / len(right) for right in found.values()]) if len(found) > 1 else None
