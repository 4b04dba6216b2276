"""The behaviour suite as the tests see it: its case streams, its gates, and what a gate says of a policy."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from modelqa import Case, Reply, nulls
from modelqa.family import normalise
from modelqa.gates import Gate
from modelqa.judge import judge
from modelqa.phases import Later, read_phases
from modelqa.plugin.plan import family_names
from modelqa.plugin.teeth import question_of
from modelqa.record import Outcome, Status

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # suites are no part of the installed package

SEEDS = (0, 1, 20_261_120)
PREFIX = 200  # what a rate gate asks at least, and from where on a prefix has to be balanced
DRAWN = 600  # cases looked at; no gate asks more
STOP = "<|im_end|>"
ROLE_TAGS = ("<|im_start|>", "<|pad|>")

READING = ("abstention", "citation", "output", "injection", "hierarchy", "turns")
"""The topics that are taught in phase3b."""
_TOPICS = ("echo", "operators", "anti_echo", "regression", *READING)
_CASES = {topic: import_module(f"suites.behaviour.cases_{topic}") for topic in _TOPICS}
STREAMS = {
    "echo": _CASES["echo"].echo_cases,
    "new_words": _CASES["echo"].new_word_cases,
    "operators": _CASES["operators"].operator_cases,
    "anti_echo": _CASES["anti_echo"].anti_echo_cases,
    "regression": _CASES["regression"].regression_cases,
    **{topic: getattr(_CASES[topic], f"{topic}_cases") for topic in READING},
}
BODIES: dict[str, Any] = {
    name.removeprefix("test_"): body
    for topic in _TOPICS
    for name, body in vars(import_module(f"suites.behaviour.test_{topic}")).items()
    if name.startswith("test_")
}
FORMAT = import_module("suites.behaviour.test_format").test_format_strict
PHASES = read_phases(ROOT / "suites" / "phases.toml")
SHIPPED = "phase3a2"
every_stream = pytest.mark.parametrize("name", STREAMS)
every_seed = pytest.mark.parametrize("seed", SEEDS)


@cache
def drawn(name: str, seed: int) -> tuple[Case, ...]:
    """The first cases of a stream."""
    return tuple(islice(STREAMS[name](seed), DRAWN))


def spec(body: Any) -> Gate:
    """What a test was marked with."""
    (mark,) = (mark for mark in body.pytestmark if mark.name == "modelqa_gate")
    return mark.args[0]  # type: ignore[no-any-return]


def gated() -> list[str]:
    """The gates that can fail, format apart."""
    return [name for name, body in BODIES.items() if not spec(body).informational]


@cache
def cases_of(name: str, seed: int = 0) -> list[Case]:
    """What a gate asks."""
    gate = spec(BODIES[name])
    fitting = (c for c in gate.cases(seed) if all(c.meta.get(k) == v for k, v in gate.where.items()))  # type: ignore[operator]
    return list(islice(fitting, gate.n or PREFIX))


def question(case: Case, expected: str | None = None) -> nulls.Question:
    """A case as a policy sees it; the oracle says `expected`."""
    asked = question_of(case, STOP, ROLE_TAGS)
    return asked if expected is None else replace(asked, expected=expected)


def said(case: Case) -> str:
    """Everything that a case says to a model, in normal form."""
    return normalise(" ".join(message["content"] for message in case.messages))


def saying(case: Case, text: str) -> Reply:
    """A well-formed reply of this text."""
    return nulls.oracle(question(case, text))


def phase_of(name: str) -> str:
    """The shipped phase, or a later one that is the first to ask a gate."""
    entry = PHASES.entry(name, SHIPPED)
    return entry.phase if isinstance(entry, Later) else SHIPPED


def _arguments(body: Any) -> tuple[str, ...]:
    return body.__code__.co_varnames[: body.__code__.co_argcount]  # type: ignore[no-any-return]


def says_yes(body: Any, **values: Any) -> bool:
    """Whether a gate's body lets this pass."""
    try:
        body(**{key: value for key, value in values.items() if key in _arguments(body)})
    except AssertionError:
        return False
    return True


@cache
def _families(name: str, seed: int) -> list[str]:
    return family_names(cases_of(name, seed))


def judged(name: str, replies: list[Reply], seed: int = 0) -> Status:
    """What a gate says of the replies to its cases, judged as in a run of the first phase from the shipped one on."""
    gate, threshold, cases = spec(BODIES[name]), PHASES.entry(name, phase_of(name)), cases_of(name, seed)
    if "replies" in _arguments(BODIES[name]):
        return Status.PASS if says_yes(BODIES[name], cases=cases, replies=replies) else Status.FAIL
    assert isinstance(threshold, float)
    outcomes = [
        Outcome(case.id, "yes" if says_yes(BODIES[name], case=case, reply=reply) else "no", family, case.meta)
        for case, reply, family in zip(cases, replies, _families(name, seed), strict=True)
    ]
    return judge(outcomes, gate=name, threshold=threshold, floors=gate.floors).status


def of_policy(name: str, policy: nulls.Policy, seed: int = 0) -> Status:
    """What a gate says of a policy."""
    return judged(name, [policy(question(case)) for case in cases_of(name, seed)], seed)


def rate(name: str, policy: nulls.Policy, seed: int = 0) -> float:
    """The share of a gate's cases that a policy gets right."""
    cases = cases_of(name, seed)
    return sum(says_yes(BODIES[name], case=case, reply=policy(question(case))) for case in cases) / len(cases)
