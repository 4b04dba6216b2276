"""May this release replace what is published? A pure function of the run, of what stands at the target's head, and of
the policy in the card's front matter:

    policy:
      primary: [operators, echo_basic]   # one to three gates that decide, named before the release
      margin: 0.05                       # how much worse a primary metric may be and still count as no worse
      cases: 200                         # optional: on how many cases each of them was planned to be measured

A canonical release is shown to be no worse than the head's own weights on the same cases. Whatever is not shown to be
is refused, or goes to the experimental repository with a postmortem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from modelqa import noise
from modelqa.errors import ReleaseError, UsageError
from modelqa.record import GateResult, Run
from modelqa.stats import Paired, non_inferior, paired_cases_needed, tango

from .beside import compared_gate, is_comparison, pairs_of
from .lint import UNSAFE

CANONICAL, EXPERIMENTAL = "canonical", "experimental"
MOST_PRIMARY = 3  # metrics: with more of them, one or another is always "not shown", and the choice decides afterwards
WIDEST_MARGIN = 0.2  # a model that may lose a fifth of its cases is not "no worse" in any use of the words


@dataclass(frozen=True)
class Policy:
    """What has to be shown before a release may replace another: see this module's first lines."""

    primary: tuple[str, ...]
    margin: float
    cases: int = 1
    keep: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One primary metric of both models; `pairs` is None when it is not known how they did on the same cases.

    floor  by how much the new model differs from itself when it is asked again or in other batches: a share of replies;
           None when that was not measured, which the sentence then says
    """

    name: str
    new: float | None
    old: float | None
    pairs: Paired | None = None
    floor: float | None = None


@dataclass(frozen=True)
class HeadRecord:
    """What a target's head holds, as far as the policy asks.

    files   how many, without those that are left alone; report: modelqa/report.json, {} unless it is of these weights
    commit  its id
    """

    files: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""

    @property
    def digest(self) -> str:
        """Of the checkpoint that stands there; "" when that is not known."""
        return str(self.report.get("model", {}).get("digest", ""))

    @property
    def run(self) -> str:
        """Of the run record that the release rests on."""
        return str(self.report.get("record", {}).get("digest", ""))

    @property
    def role(self) -> str:
        """Canonical or experimental, as its card says."""
        return str(self.report.get("standing", {}).get("role", ""))


@dataclass(frozen=True)
class Decision:
    """What may be published, as what, and why; overrides: {what was set aside: the reason given}, for the card."""

    role: str
    why: str
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What was asked for: --experimental, the reason given with --adopt, how many postmortems of the model ship."""

    target: str
    model: str
    experimental: bool = False
    adopt: str = ""
    postmortems: int = 0


def read_policy(values: Mapping[str, Any], where: str) -> Policy:
    """The policy of a card's front matter; `UsageError` names the key that cannot be used."""
    known = {"primary", "margin", "cases", "keep"}
    if unknown := sorted(set(values) - known):
        _mend(where, f"has the unknown key policy.{unknown[0]}", f"known are {', '.join(sorted(known))}")
    primary, margin, cases = values.get("primary"), values.get("margin"), values.get("cases", 1)
    keep = values.get("keep", [])
    if not isinstance(primary, list) or not all(isinstance(name, str) for name in primary):
        _mend(where, "names no primary metrics", "policy.primary is a list of one to three gates")
    if not 1 <= len(set(primary)) == len(primary) <= MOST_PRIMARY:
        _mend(where, f"has {len(primary)} primary metrics", f"one to {MOST_PRIMARY} different ones decide")
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin <= WIDEST_MARGIN:
        _mend(where, f"has the margin {margin!r}", f"it is a share of cases above 0, and {WIDEST_MARGIN} at most")
    if isinstance(cases, bool) or not isinstance(cases, int) or cases < 1:
        _mend(where, f"has policy.cases: {cases!r}", "it is a number of cases")
    if not isinstance(keep, list) or not all(isinstance(path, str) for path in keep):
        _mend(where, "has a policy.keep that is no list", "it names paths that a release leaves alone")
    if unsafe := [path for path in keep if path.endswith(UNSAFE) or path.rpartition("/")[2].startswith(".env")]:
        _mend(where, f"keeps {unsafe[0]!r}", "what may run code or holds secrets is not left beside a release")
    return Policy(tuple(primary), float(margin), cases, tuple(keep))


def decide(request: Request, head: HeadRecord, policy: Policy, metrics: Sequence[Metric], digest: str) -> Decision:
    """Whether a release may be made, and as what; `ReleaseError` says what is missing and how to get it.

    digest   of the checkpoint that would be published; metrics: the primary ones of `policy`, as far as they are known
    """
    if request.experimental:
        return _experimental(request, head, policy, metrics)
    if head.role == EXPERIMENTAL:
        _refuse(
            f"{request.target} holds experimental releases",
            "a canonical model in their place would stand under their name",
            "publish it to its own repository, or as an experiment: --experimental",
        )
    if head.files == 0:
        return Decision(CANONICAL, "The first release here: there was nothing to compare it with.")
    if not head.report:
        if not request.adopt:
            _refuse(
                f"{request.target} holds {head.files} files without a record of modelqa that fits them",
                "what would be replaced was never judged, so nothing can show that the release is no worse",
                "look at what is there; to replace it all the same: --adopt 'why that may be done'",
            )
        overrides = {f"a head of {request.target} that has no record": request.adopt}
        return Decision(CANONICAL, "It replaces files that were never judged.", overrides)
    if head.digest == digest:
        return Decision(CANONICAL, "The same checkpoint as before, described anew.")
    return _no_worse(request, head, policy, metrics)


def _experimental(request: Request, head: HeadRecord, policy: Policy, metrics: Sequence[Metric]) -> Decision:
    if head.role == CANONICAL:
        _refuse(
            f"{request.target} holds a canonical release",
            "an experiment never replaces one",
            "publish to the experimental repository of the model: --to ORG/NAME-experimental",
        )
    if not head.report and head.files and not request.adopt:
        _refuse(
            f"{request.target} holds {head.files} files without a record of modelqa that fits them",
            "it is not known what would be replaced",
            "look at what is there; to replace it all the same: --adopt 'why that may be done'",
        )
    if not request.postmortems:
        _refuse(
            "an experimental release needs a postmortem of its own",
            "a model that is published beside a better one has to say why",
            f"modelqa postmortem new; name {request.model} under its models, and its ID in the front matter of "
            f"cards/{request.model}.md: postmortems: [ID]",
        )
    overrides = {f"a head of {request.target} that has no record": request.adopt} if request.adopt else {}
    shown, text = compared(metrics, policy)
    known = text if metrics else "It was not compared with the canonical model on the same cases."
    claim = "No worse than the canonical model, and published as an experiment all the same. " if shown else ""
    return Decision(EXPERIMENTAL, f"{claim}{known}", overrides)


def _no_worse(request: Request, head: HeadRecord, policy: Policy, metrics: Sequence[Metric]) -> Decision:
    beside = f"{request.target}@{head.commit}" if head.commit else request.target
    command = f"pytest suites/ --model {request.model} --modelqa-release --modelqa-baseline {beside}"
    if {metric.name for metric in metrics} != set(policy.primary):
        missing = sorted(set(policy.primary) - {metric.name for metric in metrics})
        _refuse(
            f"the run was not compared with what {request.target} holds now on {', '.join(missing)}",
            "a canonical release is shown to be no worse than the one that it replaces, on the same cases",
            f"run: {command}",
        )
    shown, text = compared(metrics, policy)
    if not shown:
        _refuse(
            f"not shown to be no worse than what {request.target} holds",
            text,
            f"ask more cases, or publish it beside: --experimental, with a postmortem (the comparison: {command})",
        )
    return Decision(CANONICAL, f"No worse than the release before: {text}")


def compared(metrics: Sequence[Metric], policy: Policy) -> tuple[bool, str]:
    """(whether every metric is shown to be no worse by more than the margin, one sentence a metric)."""
    sentences = [_sentence(metric, policy) for metric in metrics]
    return bool(metrics) and all(shown for shown, _ in sentences), " ".join(text for _, text in sentences)


def _sentence(metric: Metric, policy: Policy) -> tuple[bool, str]:
    figures = f"{metric.name} {_rate(metric.new)} against {_rate(metric.old)}"
    if metric.pairs is None:
        return False, f"{figures}, on an unknown number of cases: nothing can be shown of the difference."
    pairs = metric.pairs
    lower, upper = tango(pairs)
    figures += f" on {pairs.n} cases ({100 * lower:+.1f} to {100 * upper:+.1f} points)"
    if metric.floor is None:
        figures += ", the noise floor not measured"
    elif metric.floor >= policy.margin:
        again = f"the same weights differ from themselves on {metric.floor:.1%} of the replies when asked again"
        return False, f"{figures}: a margin of {policy.margin:.0%} says nothing, for {again} (the noise floor)."
    if pairs.n < policy.cases:
        return False, f"{figures}, planned on {policy.cases}."
    shown = non_inferior(pairs, policy.margin)
    if shown is None:
        share = max(pairs.discordant / pairs.n, policy.margin)
        needed = paired_cases_needed(policy.margin, share)
        return False, f"{figures}: open at a margin of {policy.margin:.0%}; about {needed:,} cases settle it."
    return shown, f"{figures}: {'within' if shown else 'worse than'} the margin of {policy.margin:.0%}."


def _rate(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def metrics_of(run: Run, policy: Policy, head_digest: str) -> list[Metric]:
    """The primary metrics of a run that was laid beside the checkpoint `head_digest`; empty when it was not.

    `RecordError` when what the record says of the pairs does not agree with its own outcomes.
    """
    baseline = run.controls.get("baseline")
    if not isinstance(baseline, Mapping) or baseline.get("checkpoint") != head_digest:
        return []
    results = {result.gate: result for result in run.gates}
    found = []
    for name in policy.primary:
        beside = next((each for each in run.gates if is_comparison(each) and compared_gate(each) == name), None)
        if beside is not None and name in results:
            found.append(_metric(results[name], beside, noise.recorded(run)))
    return found


def _metric(result: GateResult, beside: GateResult, floor: float | None) -> Metric:
    pairs = pairs_of(result, beside)
    new = sum(value == "yes" for value in result.outcomes.values()) / pairs.n
    return Metric(result.gate, new, new - pairs.difference, pairs, floor)


def _refuse(fact: str, reason: str, remedy: str) -> NoReturn:
    raise ReleaseError(fact, reason=reason, remedy=remedy)


def _mend(where: str, fact: str, reason: str) -> NoReturn:
    raise UsageError(f"{where} {fact}", reason=reason, remedy="correct the policy in its front matter")
