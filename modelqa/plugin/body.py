"""Run a gate's body over its cases: yes, no, or a crash of the gate's own code.

Only an `assert` raised in the suite's file or in `modelqa.ask` means no. A body that returns something or executes no
assert is a crash: it can say nothing about a model.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from modelqa import ask
from modelqa.gates import Case
from modelqa.record import NOT_DRAWN, Outcome
from modelqa.reply import Reply

TRANSCRIPT = 300  # characters of an assertion's message that are kept with a case


@dataclass(frozen=True)
class Body:
    """A gate's function with the fixtures it asked for; `file` is where its asserts stand."""

    function: Callable[..., Any]
    fixtures: Mapping[str, Any]
    file: Path

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The names of the function's arguments."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def plural(self) -> bool:
        """Whether it is asked once, of all replies."""
        return "replies" in self.wanted


@dataclass(frozen=True)
class Answer:
    """What the body said of one case, or of all, as in `Outcome`, with the message and the crash."""

    result: str
    detail: str = ""
    crash: BaseException | None = None


def ask_each(body: Body, cases: Sequence[Case], replies: Sequence[Reply | None]) -> list[Answer]:
    """The body's answer for each case; a case without a reply is "missing"."""
    return [
        call(body, {"case": case, "reply": reply}) if reply is not None else Answer("missing", "no reply was made")
        for case, reply in zip(cases, replies, strict=True)
    ]


def ask_all(body: Body, cases: Sequence[Case], replies: Sequence[Reply]) -> Answer:
    """The plural body's one answer."""
    return call(body, {"cases": list(cases), "replies": list(replies)})


def placed(answers: Sequence[Answer], places: Sequence[int], total: int) -> list[Answer]:
    """The answers at their places among all cases; the others were not drawn."""
    found = dict(zip(places, answers, strict=True))
    return [found.get(place, Answer(NOT_DRAWN)) for place in range(total)]


def outcomes_of(
    cases: Sequence[Case], answers: Sequence[Answer], families: Sequence[str], keys: set[str]
) -> list[Outcome]:
    """What became of each case, with the metadata of `keys`."""
    return [
        Outcome(
            case.id, answer.result, family, {key: case.meta[key] for key in keys if key in case.meta}, answer.detail
        )
        for case, answer, family in zip(cases, answers, families, strict=True)
    ]


def call(body: Body, values: Mapping[str, Any], *, watched: bool = True) -> Answer:
    arguments = {**body.fixtures, **values}
    try:
        with _watch(body.file if watched else None) as seen:
            value = body.function(**{name: arguments[name] for name in body.wanted})
    except AssertionError as error:
        if _raised_in(error.__traceback__) in (str(body.file), ask.__file__):
            return Answer("no", _stated(error))
        return Answer("error", f"an assert outside the suite: {error}"[:TRANSCRIPT], error)
    except Exception as error:  # a bug in the gate: kept whole, shown, never a verdict on the model
        return Answer("error", f"{type(error).__name__}: {error}"[:TRANSCRIPT], error)
    if value is not None:
        return Answer("error", "the gate returned a value instead of asserting", TypeError("a gate asserts"))
    if watched and not seen:
        return Answer("error", "the gate executed no assert", TypeError("a gate asserts"))
    return Answer("yes")


def _stated(error: AssertionError) -> str:
    """The first line that the suite's author wrote; "" when the assert has no message of its own."""
    first = str(error).split("\n", 1)[0]
    return "" if first.startswith("assert ") else first[:TRANSCRIPT]


def _raised_in(traceback: TracebackType | None) -> str:
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_filename if traceback else ""


@cache
def _assert_lines(file: str) -> frozenset[int]:
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return frozenset(node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert))


@contextmanager
def _watch(file: Path | None) -> Iterator[list[int]]:
    """The lines of asserts that are executed in `file` or in `modelqa.ask` while the block runs."""
    seen: list[int] = []
    if file is None:
        yield seen
        return
    wanted = {name: _assert_lines(name) for name in (str(file), str(ask.__file__))}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line" and frame.f_lineno in wanted[frame.f_code.co_filename]:
            seen.append(frame.f_lineno)
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, _: local if frame.f_code.co_filename in wanted else None)
    try:
        yield seen
    finally:
        sys.settrace(before)
