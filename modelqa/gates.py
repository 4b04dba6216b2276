"""What a suite is written with: cases, gates, and the ways to say no.

    from modelqa import ask, gate

    @gate(cases=echo_cases, rate=0.90)      # threshold: the row "echo_basic" of phases.toml
    def test_echo_basic(case, reply):       # singular: asked once per case
        assert ask.exact(reply, case.expect)

    @gate(cases="regression.jsonl")
    def test_answers_differ(replies):       # plural: asked once, of all replies
        assert ask.top_share(replies)[1] < 0.5

A gate is a pytest test with a mark; the plugin runs its body. Anything but an `assert` raised in the suite's file
or in `modelqa.ask` is a bug of the gate, never a verdict on the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from modelqa.errors import DataError
from modelqa.files import canonical_json, read_jsonl, sha256_text
from modelqa.record import Problem

Message = Mapping[str, str]
Body = TypeVar("Body", bound=Callable[..., Any])

ROLES = ("candidate", "reference", "random")
BESIDE = ("baseline", "parent")
SHOWN_PROBLEMS = 3  # of a finding; the rest is counted
LADDER = ("harness", "weights", "data", "training", "parity", "behaviour", "benchmarks")


@dataclass(frozen=True)
class Case:
    """One question, and what a right answer is.

    id       unique and stable within its stream
    messages what is asked: a list of {"role", "content"}, without the model's declared system message
    expect   the right answer, or several; None when the gate's body decides without it
    forbid   what must not be said
    payload  the part of the question that must be handled rather than understood; masked to find the family
    meta     strings to break results down by
    """

    id: str
    messages: tuple[Message, ...]
    expect: str | tuple[str, ...] | None = None
    forbid: tuple[str, ...] = ()
    payload: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """The last user message."""
        return next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")

    @property
    def answer(self) -> str:
        """The right answer, the first one when there are several, "" when none is stated."""
        if isinstance(self.expect, tuple):
            return self.expect[0] if self.expect else ""
        return self.expect or ""


def cases_sha256(cases: Iterable[Case]) -> str:
    """Hex sha256 of all that the cases say: ids, questions, right answers, metadata. Their order does not count."""
    said = [
        [case.id, [dict(message) for message in case.messages], case.expect, case.forbid, case.payload, dict(case.meta)]
        for case in cases
    ]
    return sha256_text(canonical_json(sorted(said, key=canonical_json)))


@dataclass(frozen=True)
class Every:
    """All cases of the candidate's gates on one rung."""

    rung: str


def every(rung: str) -> Every:
    """The cases of every planned reply gate of the candidate on `rung`: `@gate(cases=every("behaviour"))`."""
    return Every(rung)


Stream = Callable[[int], Iterable[Case]]
Source = str | Stream | Every


@dataclass(frozen=True)
class Gate:
    """How a gate is asked and judged; made by `gate`, read by the plugin."""

    cases: Source
    rate: float | None = None
    n: int | None = None
    threshold: float | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    floors: Mapping[str, float] = field(default_factory=dict)
    allows: Mapping[str, str] = field(default_factory=dict)
    informational: bool = False
    of: str = "candidate"
    max_new_tokens: int | None = None
    beside: tuple[str, ...] = ()


def gate(
    *,
    cases: Source,
    rate: float | None = None,
    n: int | None = None,
    threshold: float | None = None,
    where: Mapping[str, str] | None = None,
    by: Iterable[str] = (),
    floors: Mapping[str, float] | None = None,
    allows: Mapping[str, str] | None = None,
    informational: bool = False,
    of: str = "candidate",
    max_new_tokens: int | None = None,
    beside: Iterable[str] = (),
) -> Callable[[Body], Body]:
    """Mark a test as a gate over replies; pytest's own `-k`, `skipif`, strict `xfail` and fixtures work as ever.

    cases          a JSONL file beside the test, a seeded stream `f(seed) -> cases`, or `every(rung)`
    rate           the pass rate of a good model; n is derived so that such a model passes 9 times in 10
    n              a fixed number of cases instead; a JSONL file is asked whole
    threshold      the pass rate to prove; default: the gate's row in phases.toml
    where          only cases with these metadata
    by             metadata to break the result down by
    floors         {metadata: rate}: each value's own lower bound must reach that rate
    allows         {null policy, or "*": why it may pass}: what this gate does not claim to catch
    informational  recorded and printed, never failed
    of             whose replies: candidate, reference or random
    max_new_tokens how long a reply may get; default: the run's setting
    beside         who else is asked the same, to be read beside it: "baseline", "parent"; they are not judged
    """
    spec = Gate(
        cases,
        rate,
        n,
        threshold,
        dict(where or {}),
        tuple(by),
        dict(floors or {}),
        dict(allows or {}),
        informational,
        of,
        max_new_tokens,
        tuple(beside),
    )
    if of not in ROLES:
        raise ValueError(f"of={of!r}: one of {', '.join(ROLES)}")
    if unknown := set(spec.beside) - set(BESIDE):
        raise ValueError(f"beside={sorted(unknown)}: of {', '.join(BESIDE)}")

    def mark(body: Body) -> Body:
        import pytest

        return pytest.mark.modelqa_gate(spec)(body)  # type: ignore[no-any-return]

    return mark


class Finding(AssertionError):
    """A check on files or measurements says no, with a reason code and a locus."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        lines = [f"{p.locus}: {p.text}" if p.locus else p.text for p in problems[:SHOWN_PROBLEMS]]
        more = len(problems) - len(lines)
        super().__init__("\n".join([*lines, *([f"and {more} more like this"] if more else [])]))
        self.problems = problems


def deny(problems: Iterable[Problem]) -> None:
    """Fail the test when there is any problem; the first one gives the verdict its code and locus."""
    found = tuple(problems)
    if found:
        raise Finding(found)


class NoEvidence(Exception):
    """A check has nothing to look at: NOT ASKED for a bare folder, INCONCLUSIVE for a declared model."""


def no_evidence(remedy: str) -> NoReturn:
    """Say that a check cannot be made; `remedy` is the line to add to models.toml."""
    raise NoEvidence(remedy)


class NotAsked(Exception):
    """A check does not concern this model."""


def not_asked(reason: str) -> NoReturn:
    """Say that a check does not concern this model, and why: NOT ASKED."""
    raise NotAsked(reason)


class Unsettled(Exception):
    """What was measured proves neither that all is well nor that something is wrong: INCONCLUSIVE."""

    def __init__(self, text: str, code: str = "unsettled", locus: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.locus = locus


def unsettled(text: str, *, code: str = "unsettled", locus: str = "") -> NoReturn:
    """Say that a measurement proves neither, and what would settle it; by default the locus is the test's name."""
    raise Unsettled(text, code, locus)


def read_cases(path: Path) -> list[Case]:
    """The cases of a JSONL file: `{"id", "messages" | "prompt", "expect"?, "forbid"?, "payload"?, "meta"?}` a line.

    `DataError` names the line of a case that lacks an id or a question; an empty file is an error.
    """
    cases = [_read_case(path, number, row) for number, row in read_jsonl(path, strict=True)]
    if not cases:
        raise DataError(
            f"{path} holds no case", reason="a gate without cases judges nothing", remedy="add cases, or drop the gate"
        )
    return cases


def _read_case(path: Path, number: int, row: dict[str, Any]) -> Case:
    messages = row.get("messages") or ([{"role": "user", "content": row["prompt"]}] if "prompt" in row else None)
    expect = row.get("expect")
    well_formed = (
        isinstance(messages, list)
        and all(isinstance(m, dict) and isinstance(m.get("content"), str) and "role" in m for m in messages)
        and isinstance(row.get("id"), str)
        and (expect is None or isinstance(expect, str) or all(isinstance(e, str) for e in expect))
    )
    if not well_formed or not messages:
        raise DataError(
            f"{path}, line {number}: not a case",
            reason='a case needs "id" (a string) and "messages" or "prompt"; "expect" is text or a list of texts',
            remedy="mend the line",
        )
    return Case(
        id=row["id"],
        messages=tuple(messages),
        expect=tuple(expect) if isinstance(expect, list) else expect,
        forbid=tuple(row.get("forbid", ())),
        payload=row.get("payload"),
        meta={key: str(value) for key, value in row.get("meta", {}).items()},
    )
