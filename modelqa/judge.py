"""From the outcomes of a gate's cases to its verdict. Pure.

PASS: the one-sided 95% Clopper-Pearson lower bound *and* the lower bound clustered by template family reach the
threshold. FAIL: both upper bounds are below it. Otherwise INCONCLUSIVE, with what would settle it.
A threshold of 1.0 means no failure in at least 299 cases (lower bound 0.99): one failure is FAIL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from modelqa import stats
from modelqa.record import GateResult, Outcome, Status, Verdict

ALPHA = 0.05  # one-sided: how often a model exactly at the threshold may pass
ZERO_FAILURE_RATE = 0.99  # what "no failure allowed" is able to prove

Counts = dict[str, tuple[int, int]]


def tally(outcomes: Iterable[Outcome], key: str | None = None) -> Counts:
    """{value: (yes, all)} by family, or by the metadata `key`; cases without that key are left out."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for outcome in outcomes:
        value = outcome.family if key is None else outcome.groups.get(key)
        if value is not None:
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
    verdict = _judge(outcomes, gate=result.gate, threshold=threshold, floors=result.floors, groups=groups)
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
    outcomes: Sequence[Outcome], *, gate: str, threshold: float, floors: Mapping[str, float] | None = None
) -> Verdict:
    """The verdict on one gate's outcomes; its codes are `<gate>.below`, `<gate>.floor` and the shared ones."""
    floors = floors or {}
    groups = {key: tally(outcomes, key) for key in floors}
    return _judge(outcomes, gate=gate, threshold=threshold, floors=floors, groups=groups)


def _judge(
    outcomes: Sequence[Outcome],
    *,
    gate: str,
    threshold: float,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
) -> Verdict:
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
    }
    status, code, locus, text = _decide(outcomes, gate, threshold, families, floors, groups)
    return Verdict(status, code, locus, text, **numbers)  # type: ignore[arg-type]


Decision = tuple[Status, str, str, str]


def _decide(
    outcomes: Sequence[Outcome],
    gate: str,
    threshold: float,
    families: Counts,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
) -> Decision:
    crashed = [outcome.case for outcome in outcomes if outcome.result == "error"]
    if crashed:
        return Status.INCONCLUSIVE, "crashed", _some(crashed), f"the gate's own code failed on {len(crashed)} case(s)"
    decision = _weigh(outcomes, gate, threshold, families, floors, groups)
    missing = [outcome.case for outcome in outcomes if outcome.result == "missing"]
    if decision[0] is not Status.FAIL or not missing:
        return decision
    # A reply that was never made is no fault of the model: it fails only when the replies that are there fail it.
    kind = [replace(outcome, result="yes") if outcome.result == "missing" else outcome for outcome in outcomes]
    if _weigh(kind, gate, threshold, tally(kind), {}, {})[0] is Status.FAIL:
        return decision
    text = f"{len(missing)} of {len(outcomes)} replies are missing, and the others do not settle it"
    return Status.INCONCLUSIVE, "missing_replies", _some(missing), text


def _weigh(
    outcomes: Sequence[Outcome],
    gate: str,
    threshold: float,
    families: Counts,
    floors: Mapping[str, float],
    groups: Mapping[str, Counts],
) -> Decision:
    """The decision that counts every case without a "yes" as failed."""
    failed = [outcome.case for outcome in outcomes if outcome.result != "yes"]
    whole = (
        _no_failure(len(outcomes), gate, failed)
        if threshold >= 1.0
        else _rate(len(outcomes), gate, failed, threshold, families)
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


def _rate(total: int, gate: str, failed: list[str], threshold: float, families: Counts) -> Decision:
    passed = total - len(failed)
    groups = list(families.values())
    lower, upper = stats.cp_lower(passed, total, alpha=ALPHA), stats.cp_upper(passed, total, alpha=ALPHA)
    clustered = stats.clustered_lower(groups, alpha=ALPHA)
    if lower >= threshold and clustered >= threshold:
        return Status.PASS, "", "", ""
    if upper < threshold and stats.clustered_upper(groups, alpha=ALPHA) < threshold:
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
