"""Has a gate teeth? It is also judged on policies that need no model; one that they pass says nothing about a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from modelqa import nulls
from modelqa.gates import Case
from modelqa.judge import judge
from modelqa.plugin.body import Body, call
from modelqa.plugin.plan import Planned
from modelqa.record import Outcome, Status, Verdict

BLIND_CASES = 400  # cases on which the null policies are judged: enough to see that a gate has no teeth


def null_rates(body: Body, cases: Sequence[Case], *, stop: str, role_tags: tuple[str, ...]) -> dict[str, list[str]]:
    """{null policy: its result for each of the first cases}: what policies that know nothing score here."""
    drawn = cases[:BLIND_CASES]
    questions = [question_of(case, stop, role_tags) for case in drawn]
    results: dict[str, list[str]] = {}
    for name in sorted(nulls.BLIND):
        replies = [nulls.POLICIES[name](question) for question in questions]
        if body.plural:
            results[name] = [call(body, {"cases": list(drawn), "replies": replies}, watched=False).result]
        else:
            results[name] = [
                call(body, {"case": case, "reply": reply}, watched=False).result
                for case, reply in zip(drawn, replies, strict=True)
            ]
    return results


def question_of(case: Case, stop: str, role_tags: tuple[str, ...]) -> nulls.Question:
    """A case as a policy sees it."""
    said = {role: tuple(m["content"] for m in case.messages if m["role"] == role) for role in ("system", "user")}
    return nulls.Question(
        user=case.user,
        stop=stop,
        role_tags=role_tags,
        expected=case.answer,
        system="\n".join(said["system"]),
        earlier=said["user"][:-1],
    )


def toothless(
    entry: Planned, rates: Mapping[str, list[str]], outcomes: Sequence[Outcome], verdict: Verdict
) -> Verdict:
    """The verdict; INCONCLUSIVE when a null policy that the gate does not declare passes it."""
    assert entry.spec is not None
    for name, results in rates.items():
        if name not in entry.spec.allows and _passes(entry, results, outcomes):
            text = f"the null policy {name!r} passes this gate: it cannot tell a model from nothing"
            return replace(verdict, status=Status.INCONCLUSIVE, code="toothless", locus=name, text=text)
    return verdict


def _passes(entry: Planned, results: Sequence[str], outcomes: Sequence[Outcome]) -> bool:
    if entry.threshold is None or entry.plural:
        return list(results) == ["yes"]
    if results.count("yes") < entry.threshold * len(results):
        return False  # no bound below the rate itself can reach the threshold
    scored = [replace(each, result=result) for each, result in zip(outcomes, results, strict=False)]
    return judge(scored, gate=entry.name, threshold=entry.threshold).status is Status.PASS
