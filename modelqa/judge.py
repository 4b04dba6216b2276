"""From the outcomes of a gate's cases to its verdict. Pure.

PASS: the one-sided 95% Clopper-Pearson lower bound *and* the lower bound clustered by template family reach the
threshold. FAIL: both upper bounds are below it. Otherwise INCONCLUSIVE, with what would settle it.
A threshold of 1.0 means no failure in at least 299 cases (lower bound 0.99): one failure is FAIL.

A gate with `looks` may have stopped at the first of them. Then it FAILs, if its share of alpha shows it, or nothing is
known: PASS needs all cases (docs/decisions/0030).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from modelqa import stats
from modelqa.record import NOT_DRAWN, GateResult, Outcome, Status, Verdict

ALPHA = 0.05  # one-sided: how often a model exactly at the threshold may pass
ZERO_FAILURE_RATE = 0.99  # what "no failure allowed" is able to prove

Counts = dict[str, tuple[int, int]]


def tally(outcomes: Iterable[Outcome], key: str | None = None) -> Counts:
    """{value: (yes, all)} of the cases drawn, by family or by the metadata `key`; who lacks that key is left out."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for outcome in outcomes:
        value = outcome.family if key is None else outcome.groups.get(key)
        if value is not None and outcome.result != NOT_DRAWN:
            counts[value][0] += outcome.result == "yes"
            counts[value][1] += 1
    return {value: (yes, total) for value, (yes, total) in sorted(counts.items())}


def numbered_families(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """{case id: number of its family}, in order of first appearance: what a record keeps of the families' texts."""
    numbers: dict[str, int] = {}
    return {outcome.case: numbers.setdefault(outcome.family, len(numbers)) for outcome in outcomes}


def rejudge(result: GateResult, threshold: float) -> Verdict:
    """The verdict that a record's outcomes give at `threshold`, whatever verdict the record states.

    Floors are judged on the recorded counts of each subgroup. A null policy that the gate does not declare makes it
    toothless when its plain lower bound reaches the threshold: the record keeps its rate, not its outcomes.
    """
    outcomes = [
        Outcome(case, found, str(result.families.get(case, case))) for case, found in result.outcomes.items()
    ]
    groups = {key: dict(values) for key, values in result.groups.items()}
    verdict = _judge(
        outcomes, gate=result.gate, threshold=threshold, floors=result.floors, groups=groups, looks=result.looks
    )
    if verdict.status is not Status.PASS:
        return verdict
    for name, rate in result.nulls.items():
        bar = threshold if threshold < 1.0 else ZERO_FAILURE_RATE
        if {name, "*"} & set(result.allows) or stats.cp_lower(round(rate * len(outcomes)), len(outcomes), ALPHA) < bar:
            continue
        text = f"the null policy {name!r} passes this gate"
        return replace(verdict, status=Status.INCONCLUSIVE, code="toothless", locus=name, text=text)
    return verdict


def judge(
    outcomes: Sequence[Outcome],
    *,
    gate: str,
    threshold: float,
    floors: Mapping[str, float] | None = None,
    looks: Sequence[int] = (),
) -> Verdict:
    """The verdict on one gate's outcomes; its codes are `<gate>.below`, `<gate>.floor` and the shared ones.

    looks  numbers of cases at which it was declared to be looked at, the last being all; () for all of them, once
    """
    floors = floors or {}
    groups = {key: tally(outcomes, key) for key in floors}
    return _judge(outcomes, gate=gate, threshold=threshold, floors=floors, groups=groups, looks=looks)


def fails_early(outcomes: Sequence[Outcome], *, threshold: float, looks: Sequence[int]) -> bool:
    """Whether the cases of the first look alone show that the threshold is not reached, at that look's share of alpha.

    A crash of the gate's code shows nothing, and neither does a missing reply.
    """
    drawn = _kind([outcome for outcome in outcomes if outcome.result != NOT_DRAWN])
    wrong = sum(outcome.result != "yes" for outcome in drawn)
    if any(outcome.result == "error" for outcome in drawn):
        return False
    if threshold >= 1.0:
        return wrong > 0  # certain, however many follow
    if len(looks) < 2 or len(drawn) != looks[0]:
        return False
    return _below(len(drawn) - wrong, len(drawn), tally(drawn), threshold, _share(looks, 0))


def _share(looks: Sequence[int], look: int) -> float:
    """What a look may spend of alpha: all of it when it is the only one."""
    return stats.Schedule(tuple(looks)).spent(look, ALPHA) if len(looks) > 1 else ALPHA


def _below(passed: int, total: int, families: Counts, threshold: float, alpha: float) -> bool:
    """Whether both upper bounds lie below the threshold."""
    groups = list(families.values())
    return stats.cp_upper(passed, total, alpha) < threshold and stats.clustered_upper(groups, alpha) < threshold


def _judge(
    outcomes: Sequence[Outcome],
    *,
    gate: str,
    threshold: float,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
    looks: Sequence[int],
) -> Verdict:
    planned, outcomes = len(outcomes), [outcome for outcome in outcomes if outcome.result != NOT_DRAWN]
    total = len(outcomes)
    passed = sum(outcome.result == "yes" for outcome in outcomes)
    families = tally(outcomes)
    if not total:
        return Verdict(Status.INCONCLUSIVE, "no_cases", gate, "no case was judged", threshold=threshold)
    numbers = {
        "passed": passed,
        "total": total,
        "threshold": threshold,
        "lower": round(stats.cp_lower(passed, total, alpha=ALPHA), 6),
        "upper": round(stats.cp_upper(passed, total, alpha=ALPHA), 6),
        "clustered": round(stats.clustered_lower(list(families.values()), alpha=ALPHA), 6),
        "families": len(families),
        "planned": planned if planned > total else 0,
    }
    if planned > total:
        status, code, locus, text = _cut(outcomes, gate, threshold, planned, looks)
    else:
        alpha = _share(looks, len(looks) - 1)
        status, code, locus, text = _decide(outcomes, gate, threshold, families, floors, groups, alpha)
    return Verdict(status, code, locus, text, **numbers)  # type: ignore[arg-type]


Decision = tuple[Status, str, str, str]


def _cut(outcomes: Sequence[Outcome], gate: str, threshold: float, planned: int, looks: Sequence[int]) -> Decision:
    """The decision after some of the planned cases: FAIL where they show it; nothing can pass on them."""
    failed = [outcome.case for outcome in outcomes if outcome.result != "yes"]
    counts = f"{len(outcomes)} of {planned}"
    if fails_early(outcomes, threshold=threshold, looks=looks):
        asked = f"{len(outcomes) - len(failed)} right, below {threshold:.0%}"
        text = f"stopped after {counts}: {asked if threshold < 1 else f'{len(failed)} failed; none may'}"
        return Status.FAIL, f"{gate}.below", _some(failed), text
    text = f"{counts} cases were drawn: other gates had failed on their first cases, and these prove nothing alone"
    return Status.INCONCLUSIVE, "not_drawn", gate, text


def _decide(
    outcomes: Sequence[Outcome],
    gate: str,
    threshold: float,
    families: Counts,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
    alpha: float,
) -> Decision:
    """The decision on all cases; `alpha` is what is left for FAIL: PASS was decided at no look before."""
    crashed = [outcome.case for outcome in outcomes if outcome.result == "error"]
    if crashed:
        return Status.INCONCLUSIVE, "crashed", _some(crashed), f"the gate's own code failed on {len(crashed)} case(s)"
    decision = _weigh(outcomes, gate, threshold, families, floors, groups, alpha)
    missing = [outcome.case for outcome in outcomes if outcome.result == "missing"]
    if decision[0] is not Status.FAIL or not missing:
        return decision
    # A reply that was never made is no fault of the model: it fails only when the replies that are there fail it.
    kind = _kind(outcomes)
    if _weigh(kind, gate, threshold, tally(kind), {}, {}, alpha)[0] is Status.FAIL:
        return decision
    text = f"{len(missing)} of {len(outcomes)} replies are missing, and the others do not settle it"
    return Status.INCONCLUSIVE, "missing_replies", _some(missing), text


def _kind(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with every missing reply taken for a right one."""
    return [replace(outcome, result="yes") if outcome.result == "missing" else outcome for outcome in outcomes]


def _weigh(
    outcomes: Sequence[Outcome],
    gate: str,
    threshold: float,
    families: Counts,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
    alpha: float,
) -> Decision:
    """The decision that counts every case without a "yes" as failed."""
    failed = [outcome.case for outcome in outcomes if outcome.result != "yes"]
    whole = (
        _no_failure(len(outcomes), gate, failed)
        if threshold >= 1.0
        else _rate(len(outcomes), gate, failed, threshold, families, alpha)
    )
    if whole[0] is Status.FAIL:
        return whole
    floor = _floors(gate, floors, groups)
    return floor if floor and (floor[0] is Status.FAIL or whole[0] is Status.PASS) else whole


def _some(cases: Sequence[str], limit: int = 3) -> str:
    return ", ".join(cases[:limit]) + (f" and {len(cases) - limit} more" if len(cases) > limit else "")


def _no_failure(total: int, gate: str, failed: list[str]) -> Decision:
    if failed:
        return Status.FAIL, f"{gate}.below", _some(failed), f"{len(failed)} of {total} failed; none may"
    needed = stats.all_pass_cases(ZERO_FAILURE_RATE, alpha=ALPHA)
    if total < needed:
        return Status.INCONCLUSIVE, "few_cases", gate, f"{total} clean cases; {needed} are needed to prove 99%"
    return Status.PASS, "", "", ""


def _rate(total: int, gate: str, failed: list[str], threshold: float, families: Counts, alpha: float) -> Decision:
    passed = total - len(failed)
    lower, upper = stats.cp_lower(passed, total, alpha=ALPHA), stats.cp_upper(passed, total, alpha=alpha)
    clustered = stats.clustered_lower(list(families.values()), alpha=ALPHA)
    if lower >= threshold and clustered >= threshold:
        return Status.PASS, "", "", ""
    if _below(passed, total, families, threshold, alpha):
        return Status.FAIL, f"{gate}.below", _some(failed), f"{passed} of {total}: below {threshold:.0%}"
    if lower >= threshold or upper < threshold:
        worst = sorted(families, key=lambda family: (families[family][0] / families[family][1], family))
        return (
            Status.INCONCLUSIVE,
            "clustered",
            _some(worst),
            f"{passed} of {total}, but the {len(families)} template families disagree: lower bound {clustered:.1%}",
        )
    needed = stats.settle(passed, total, threshold)
    text = f"about {needed} cases would settle it at this rate" if needed else "too close to the threshold to settle"
    return Status.INCONCLUSIVE, "few_cases", gate, text


def _floors(gate: str, floors: Mapping[str, float], groups: Mapping[str, Counts]) -> Decision | None:
    """The worst subgroup decision, a failing one first; None when every subgroup reaches its floor."""
    open_floor: Decision | None = None
    for key, floor in floors.items():
        for value, (passed, total) in groups.get(key, {}).items():
            if stats.cp_lower(passed, total, alpha=ALPHA) >= floor:
                continue
            text = f"{key} {value}: {passed} of {total}, floor {floor:.0%}"
            if stats.cp_upper(passed, total, alpha=ALPHA) < floor:
                return Status.FAIL, f"{gate}.floor", f"{key}={value}", text
            open_floor = open_floor or (Status.INCONCLUSIVE, "few_cases", f"{key}={value}", text)
    return open_floor
