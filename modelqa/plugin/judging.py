"""Judge the planned gates one by one, up the trust ladder, from replies that are made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest

from modelqa.errors import ModelqaError, of_system
from modelqa.gates import LADDER, Case, Finding, NoEvidence, NotAsked, Unsettled
from modelqa.judge import ALPHA, judge, numbered_families, tally
from modelqa.phases import Later
from modelqa.plugin.asking import Asking
from modelqa.plugin.body import Answer, Body, ask_all, ask_each, outcomes_of, placed
from modelqa.plugin.contracts import DataSuites
from modelqa.plugin.description import describe
from modelqa.plugin.keep import SessionFolder
from modelqa.plugin.lab import Lab
from modelqa.plugin.plan import Planned, suite_of
from modelqa.plugin.table import failure_message
from modelqa.plugin.teeth import null_rates, toothless
from modelqa.plugin.transcripts import transcripts
from modelqa.plugin.versus import Versus
from modelqa.record import BY_ITSELF, GateResult, Outcome, Status, Verdict
from modelqa.records import Stored
from modelqa.reply import Reply

DECLINES = (NoEvidence, NotAsked, Unsettled)
FRAGILE = 1e-3  # logits: a reply whose best two tokens are nearer than this may differ on another machine


@dataclass(frozen=True)
class Judged:
    """A gate's result, what to print when it did not pass, and the crash of its own code if there was one."""

    result: GateResult
    message: str = ""
    crash: BaseException | None = None


@dataclass
class Judging:
    """The state of one session's judging: what was planned, what was replied, which rung failed."""

    lab: Lab
    folder: SessionFolder
    planned: Sequence[Planned]
    cases: Mapping[str, list[Case]]
    phase: str
    deselected: Sequence[str] = ()
    first: int | None = None
    failed: GateResult | None = None

    @cached_property
    def asking(self) -> Asking:
        """Who is asked what; it makes the replies."""
        return Asking(self.lab, self.folder, self.planned, self.cases, self.deselected, self.first)

    @cached_property
    def versus(self) -> Versus:
        """The candidate beside its baseline, on the gates that phases.toml gives a margin."""
        lab = self.lab
        excused = {entry.name: _later_text(entry.later) for entry in self.planned if entry.later}
        for role in ("candidate", *(["baseline"] if "baseline" in lab.beside else [])):
            if not lab.subject(role).chats:
                excused[""] = f"the {role} is a base model: it cannot be asked questions"
        if isinstance(lab.baseline, Stored):
            weights = str(lab.baseline.run.model["weights_sha256"])
        else:
            weights = lab.subject("baseline").checkpoint.weights_digest if lab.baseline else ""
        return Versus(lab.baseline, weights, describe(lab, self.phase)["settings"], excused)

    @cached_property
    def data(self) -> DataSuites:
        """The data suites, with the evaluation cases of every behaviour gate of this run."""
        behaviour = {entry.name for entry in self.planned if entry.rung == "behaviour"}
        return DataSuites(self.lab, [case for name in sorted(behaviour & set(self.cases)) for case in self.cases[name]])

    def write_plan(self) -> None:
        """Write down what is going to be asked, of which files, with which settings."""
        gates = [
            {"gate": entry.name, "node": entry.node, "rung": entry.rung, "threshold": entry.threshold}
            for entry in self.planned
        ]
        self.folder.write_plan(
            {
                **describe(self.lab, self.phase),
                "gates": gates,
                "deselected": sorted(self.deselected),
                "stopping": {"first": self.first, "decides": Status.FAIL, "alpha": ALPHA} if self.first else {},
                **suite_of(self.planned),
            }
        )

    # -- judging -------------------------------------------------------------------------------------------------

    def judge(self, item: pytest.Function) -> Judged:
        """The verdict on one item; it is kept in the session's folder before it is returned."""
        entry = next(entry for entry in self.planned if entry.node == item.nodeid)
        judged = self._judge(entry, item)
        judged = self._blocked(_harness_fault(judged) if entry.rung == LADDER[0] else judged)
        status = judged.result.verdict.status
        if status is Status.FAIL or (entry.rung == LADDER[0] and status is Status.INCONCLUSIVE):
            self.failed = self.failed or judged.result
        self.folder.write_gate(judged.result)
        if self.lab.engines.exercised and not self.folder.marked("exercised"):
            self.folder.mark("exercised")
        return judged

    def _judge(self, entry: Planned, item: pytest.Function) -> Judged:
        if entry.later:
            verdict = Verdict(Status.NOT_ASKED, "later_phase", entry.name, _later_text(entry.later))
            return Judged(self._result(entry, verdict))
        fixtures = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
        body = Body(item.obj, fixtures, item.path)
        if entry.spec is None:
            return self._judge_check(entry, body)
        if not self.lab.subject(entry.spec.of).chats:
            text = f"the {entry.spec.of} model is a base model: it cannot be asked questions"
            return Judged(self._result(entry, Verdict(Status.NOT_ASKED, "not_asked", entry.name, text)))
        return self._judge_replies(entry, body)

    def _result(self, entry: Planned, verdict: Verdict, **values: Any) -> GateResult:
        role = entry.spec.of if entry.spec else "candidate"
        return GateResult(entry.name, entry.node, entry.rung, verdict, role, **values)

    def _judge_check(self, entry: Planned, body: Body) -> Judged:
        """An ordinary test on files or measurements: it passes, denies, lacks evidence, cannot use it, or crashes."""
        measured = body.fixtures.get("measured", {})
        crash: BaseException | None = None
        try:
            if body.function(**body.fixtures) is not None:
                raise TypeError("a check returned a value instead of asserting or denying: it can never fail")
            verdict = Verdict(Status.PASS, text=str(measured.get("text", "")))
        except Finding as finding:
            first = finding.problems[0]
            verdict = Verdict(Status.FAIL, first.code, first.locus, str(finding))
        except AssertionError as error:
            verdict = Verdict(Status.FAIL, f"{entry.name}.failed", entry.name, str(error))
        except DECLINES as outcome:
            verdict = self._open_verdict(entry, outcome)
        except (ModelqaError, OSError) as error:  # what it was given: the message says the fact, the reason, the remedy
            told = of_system(error) if isinstance(error, OSError) else error
            verdict = Verdict(Status.INCONCLUSIVE, "unusable", entry.name, str(told))
        except Exception as error:  # a bug in the check, or in what it calls: shown whole, never a verdict on the model
            crash = error
            verdict = Verdict(Status.INCONCLUSIVE, "crashed", entry.name, f"{type(error).__name__}: {error}")
        result = self._result(entry, verdict, measured={k: v for k, v in measured.items() if k != "text"})
        return Judged(result, failure_message(result, ()), crash)

    def _open_verdict(self, entry: Planned, outcome: BaseException) -> Verdict:
        """The verdict on a check that says neither yes nor no."""
        if isinstance(outcome, NotAsked):
            return Verdict(Status.NOT_ASKED, "not_asked", entry.name, str(outcome))
        if isinstance(outcome, Unsettled):
            return Verdict(Status.INCONCLUSIVE, outcome.code, outcome.locus or entry.name, str(outcome))
        status = Status.INCONCLUSIVE if self.lab.candidate.model.declared else Status.NOT_ASKED
        return Verdict(status, "no_evidence", entry.name, f"nothing to look at: {outcome}")

    def _judge_replies(self, entry: Planned, body: Body) -> Judged:
        assert entry.spec is not None
        cases, drawn = self.cases[entry.name], self.asking.drawn(entry)
        replies = self.asking.replies_to(entry, entry.spec.of)
        if body.plural:
            answer, verdict = self._judge_all(entry, body, drawn, replies)
            answers, outcomes = [answer], []
        else:
            asked = ask_each(body, [cases[place] for place in drawn], [replies[place] for place in drawn])
            answers = placed(asked, drawn, len(cases))
            outcomes = outcomes_of(cases, answers, self.asking.families(entry), {*entry.spec.by, *entry.spec.floors})
            verdict = self._judge_outcomes(entry, outcomes)
        if declined := next((answer.crash for answer in answers if isinstance(answer.crash, DECLINES)), None):
            result = self._result(entry, self._open_verdict(entry, declined))
            return Judged(result, failure_message(result, ()))
        nulls = self._nulls(entry, body, cases)
        if verdict.status is Status.PASS:
            verdict = toothless(entry, nulls, outcomes, verdict)
        result = self._result(
            entry,
            verdict,
            groups={key: tally(outcomes, key) for key in sorted({*entry.spec.by, *entry.spec.floors})},
            nulls={name: sum(value == "yes" for value in values) / len(values) for name, values in nulls.items()},
            measured={"fragile": sum(r is not None and r.margin is not None and r.margin < FRAGILE for r in replies)},
            outcomes={outcome.case: outcome.result for outcome in outcomes},
            families=numbered_families(outcomes),
            floors=entry.spec.floors,
            allows=entry.spec.allows,
            cases_sha256=self.asking.hashes[entry.name],
            looks=self.asking.looks(entry),
        )
        if entry.margin is not None and not body.plural and entry.spec.of == "candidate":
            self._lay_beside(entry, body, result, outcomes)
        crash = next((answer.crash for answer in answers if answer.crash), None)
        shown = transcripts(cases, self.asking.prompts(entry, entry.spec.of), replies, outcomes)
        return Judged(result, failure_message(result, shown), crash)

    def _lay_beside(self, entry: Planned, body: Body, result: GateResult, outcomes: Sequence[Outcome]) -> None:
        if not self.asking.is_whole(entry):
            text = f"{entry.name} stopped early, and a comparison runs to its fixed number of cases"
            self.versus.cut[entry.name] = text
            return
        self.versus.add(result, outcomes)
        if "baseline" in self.asking.roles(entry) and "baseline" in self.asking.replies:
            replies = self.asking.replies_to(entry, "baseline")
            self.versus.ask(entry.name, body, self.lab.subject("baseline"), self.cases[entry.name], replies)

    def _judge_outcomes(self, entry: Planned, outcomes: Sequence[Outcome]) -> Verdict:
        assert entry.spec is not None
        if entry.threshold is not None and not entry.spec.informational:
            looks = self.asking.looks(entry)
            return judge(outcomes, gate=entry.name, threshold=entry.threshold, floors=entry.spec.floors, looks=looks)
        measured = judge(outcomes, gate=entry.name, threshold=0.0)
        if entry.spec.informational:
            return replace(
                measured,
                status=Status.NOT_ASKED,
                code="informational",
                locus=entry.name,
                threshold=None,
                text="printed, not gated",
            )
        return replace(
            measured,
            status=Status.INCONCLUSIVE,
            code="no_threshold",
            locus=entry.name,
            threshold=None,
            text=f"phases.toml has no row {entry.name!r} for phase {self.phase!r}",
        )

    def _judge_all(
        self, entry: Planned, body: Body, drawn: Sequence[int], replies: Sequence[Reply | None]
    ) -> tuple[Answer, Verdict]:
        """The answer on all replies that were drawn. Where some were not, it may be no, and never yes."""
        cases = [self.cases[entry.name][place] for place in drawn]
        if not cases:
            text = "no case was judged"
            return Answer("error", text), Verdict(Status.INCONCLUSIVE, "no_cases", entry.name, text)
        present = [reply for place in drawn if (reply := replies[place]) is not None]
        if len(present) < len(drawn):
            text = f"{len(drawn) - len(present)} of {len(drawn)} replies are missing"
            return Answer("error", text), Verdict(Status.INCONCLUSIVE, "missing_replies", entry.name, text)
        answer = ask_all(body, cases, present)
        if answer.result == "yes" and len(drawn) < len(replies):
            text = f"{len(drawn)} of {len(replies)} cases were drawn: the gates on them had failed"
            return answer, Verdict(Status.INCONCLUSIVE, "not_drawn", entry.name, text)
        status = {"yes": Status.PASS, "no": Status.FAIL}.get(answer.result, Status.INCONCLUSIVE)
        code = {Status.PASS: "", Status.FAIL: f"{entry.name}.below"}.get(status, "crashed")
        return answer, Verdict(status, code, entry.name if code else "", answer.detail)

    def _nulls(self, entry: Planned, body: Body, cases: Sequence[Case]) -> dict[str, list[str]]:
        assert entry.spec is not None
        if "*" in entry.spec.allows:
            return {}
        chat = self.lab.subject(entry.spec.of).chat
        stop = chat.decode(chat.stop_ids[:1])
        tags = tuple(sorted(set(chat.special_tokens) - {stop}))
        digest = self.lab.candidate.checkpoint.digest
        identity = ["nulls", entry.node, digest, stop, tags, *self.asking.identity(entry)]
        rates = self.lab.kept(identity, lambda: null_rates(body, cases, stop=stop, role_tags=tags), entry.code)
        return dict(rates)

    def _blocked(self, judged: Judged) -> Judged:
        """INCONCLUSIVE when a lower rung failed; the numbers stay."""
        result, failed = judged.result, self.failed
        if (
            failed is None
            or LADDER.index(failed.rung) >= LADDER.index(result.rung)
            or result.verdict.status is Status.NOT_ASKED
            or judged.crash is not None
        ):
            return judged
        own = result.verdict
        verdict = replace(
            own,
            status=Status.INCONCLUSIVE,
            code="lower_rung",
            locus=failed.gate,
            text=f"the {failed.rung} rung failed ({failed.gate}); by itself this gate would be {own.status}",
        )
        measured = {**result.measured, BY_ITSELF: own.code} if own.code else result.measured
        blocked = replace(result, verdict=verdict, measured=measured)
        return Judged(blocked, failure_message(blocked, ()))


def _harness_fault(judged: Judged) -> Judged:
    """A failure of the harness says nothing about the model: INCONCLUSIVE, with its own code."""
    verdict = judged.result.verdict
    if verdict.status is not Status.FAIL:
        return judged
    text = f"the harness is at fault, not the model: {verdict.text}"
    result = replace(judged.result, verdict=replace(verdict, status=Status.INCONCLUSIVE, text=text))
    return Judged(result, judged.message.replace(Status.FAIL, Status.INCONCLUSIVE, 1), judged.crash)


def _later_text(later: Later) -> str:
    return f"asked from {later.phase} on: {later.because}"
