"""One gate, two models, the same cases: what each answers alone, and what may be said of the difference.

The difference is always new minus old: below zero, something was lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelqa import stats
from modelqa.record import Problem

LEVEL = 0.05  # of a claim "better" or "worse": at most one wrong claim in twenty comparisons, however many gates
SHOWN = 3  # case ids in a problem's text

Families = Mapping[str, str] | Mapping[str, int]  # {case: its template family}
Groups = Mapping[str, Mapping[str, tuple[int, int, int]]]


@dataclass(frozen=True)
class Comparison:
    """Two models on the same cases of one gate.

    old, new      cases answered rightly; gained, lost: those that only the new, only the old one answers rightly
    lower, upper  one-sided 95% bounds of the difference: Tango's, by family where the families are known
    p             exact McNemar, two-sided; adjusted: after Holm over all that is compared at once
    groups        {metadata key: {value: (old right, new right, cases)}}
    floor         share of replies by which the same checkpoint differs from itself: no smaller difference is claimed
    """

    gate: str
    old: int
    new: int
    cases: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    lower: float
    upper: float
    p: float
    adjusted: float
    families: int = 0
    groups: Groups = field(default_factory=dict)
    floor: float = 0.0

    @property
    def difference(self) -> float:
        """The new rate minus the old one."""
        return (self.new - self.old) / self.cases

    @property
    def claim(self) -> str:
        """ "better" or "worse" when the cases show it, else "": after Holm's correction, and by the bounds as well.

        McNemar's test takes cases for independent; the bounds know of template families.
        """
        if self.adjusted > LEVEL or abs(self.difference) <= self.floor:
            return ""
        return "better" if self.lower > 0 else "worse" if self.upper < 0 else ""


def compare_outcomes(
    gate: str,
    *,
    old: Mapping[str, str],
    new: Mapping[str, str],
    families: Families | None = None,
    meta: Mapping[str, Mapping[str, str]] | None = None,
    floor: float = 0.0,
) -> Comparison:
    """The comparison of two {case: "yes", "no" or "missing"}; by case, where known, family and groups.

    `ValueError` when the cases differ, there are none, or a gate crashed on one ("error").
    """
    if "error" in {*old.values(), *new.values()}:
        raise ValueError("the gate's own code failed on a case")
    right_old = {case: result == "yes" for case, result in old.items()}
    right_new = {case: result == "yes" for case, result in new.items()}
    counts = stats.paired_counts(right_new, right_old)
    differences = {case: int(right_new[case]) - int(right_old[case]) for case in sorted(right_new)}
    clusters = _clusters(differences, families) if families is not None else []
    lower, upper = stats.clustered_tango(clusters) if clusters else stats.tango(counts)
    p = stats.mcnemar(counts)
    return Comparison(
        gate,
        old=sum(right_old.values()),
        new=sum(right_new.values()),
        cases=counts.n,
        gained=tuple(case for case, sign in differences.items() if sign > 0),
        lost=tuple(case for case, sign in differences.items() if sign < 0),
        lower=round(lower, 6),
        upper=round(upper, 6),
        p=p,
        adjusted=p,
        families=len(clusters),
        groups=_groups(right_old, right_new, meta or {}),
        floor=floor,
    )


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons, each with its p-value corrected for all of them being looked at (Holm)."""
    corrected = stats.holm({str(number): each.p for number, each in enumerate(comparisons)})
    return [replace(each, adjusted=corrected[str(number)]) for number, each in enumerate(comparisons)]


def _clusters(differences: Mapping[str, int], families: Families) -> list[list[int]]:
    found: dict[str | int, list[int]] = {}
    for case, difference in differences.items():
        found.setdefault(families[case], []).append(difference)
    return list(found.values())


def _groups(old: Mapping[str, bool], new: Mapping[str, bool], meta: Mapping[str, Mapping[str, str]]) -> Groups:
    counts: dict[str, dict[str, tuple[int, int, int]]] = {}
    for case, values in sorted(meta.items()):
        for key, value in values.items():
            row = counts.setdefault(key, {})
            before, after, total = row.get(value, (0, 0, 0))
            row[value] = (before + old[case], after + new[case], total + 1)
    return {key: dict(sorted(row.items())) for key, row in sorted(counts.items())}


def points(comparison: Comparison) -> str:
    """ "+14.0 [+5.2, +22.8] points": the difference of the rates with its one-sided 95% bounds."""
    shown = (100 * value for value in (comparison.difference, comparison.lower, comparison.upper))
    return "{:+.1f} [{:+.1f}, {:+.1f}] points".format(*shown)


# -- the gate on a baseline --------------------------------------------------------------------------------------------


def numbers(comparison: Comparison, *, baseline: str, margin: float) -> dict[str, Any]:
    """What the record keeps of a comparison; with the candidate's outcomes, `gained` and `lost` give the baseline's.

    `text` is the line of the closing table.
    """
    return {
        "text": f"{baseline} {comparison.old}/{comparison.cases} -> {comparison.new}/{comparison.cases}  "
        f"{points(comparison)}, may lose {margin:.0%}",
        "baseline": baseline,
        "baseline_passed": comparison.old,
        "passed": comparison.new,
        "total": comparison.cases,
        "gained": list(comparison.gained),
        "lost": list(comparison.lost),
        "difference": round(comparison.difference, 6),
        "lower": comparison.lower,
        "upper": comparison.upper,
        "p": float(f"{comparison.p:.6g}"),
        "p_adjusted": float(f"{comparison.adjusted:.6g}"),
        "margin": margin,
    }


def regression_problems(comparison: Comparison, *, baseline: str) -> list[Problem]:
    """The regression, when it is shown: the new model is worse than its baseline on the same cases, after Holm.

    To be asked when non-inferiority is not shown: a loss that is real but within the margin is no problem.
    """
    if comparison.claim != "worse":
        return []
    some = ", ".join(comparison.lost[:SHOWN]) + (" ..." if len(comparison.lost) > SHOWN else "")
    text = (
        f"{comparison.new} of {comparison.cases} right, {baseline} {comparison.old}: lost {len(comparison.lost)} cases "
        f"({some}), gained {len(comparison.gained)} (exact McNemar after Holm, p = {comparison.adjusted:.2g})"
    )
    return [Problem("behaviour.regressed", comparison.gate, text)]


def unchanged_problems(weights: str, *, baseline: str, baseline_weights: str) -> list[Problem]:
    """That the candidate's tensors are its baseline's, bit for bit: nothing was trained, or the wrong folder is judged.

    `weights` and `baseline_weights` are hashes of the weight files.
    """
    if weights != baseline_weights:
        return []
    text = f"the weights are those of {baseline}, byte for byte: nothing was trained, or the wrong folder is judged"
    return [Problem("weights.same_as_baseline", baseline, text)]
