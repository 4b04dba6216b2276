"""The child process that renders an untrusted chat template: `python -P sandbox.py`, JSON in, JSON out.

Started by `modelqa.chat.template`. It imports jinja2 and nothing of modelqa, and dies by SIGPROF, whatever it is busy
with, when a template takes more processor time than the first line of JSON allows; time that it waits does not count.

The environment is the one that transformers renders chat templates with (trim_blocks, lstrip_blocks, loop controls,
tojson, raise_exception, strftime_now, the generation tag), so the text is the same; only the generation tag differs: it
puts the two marks that the request names around the block, instead of noting positions.
"""

from __future__ import annotations

import datetime
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_MEMORY_BYTES = 2 << 30  # of the whole child: a template that doubles a string dies here and not on the host


class Refused(Exception):
    """What a template raised on purpose, through raise_exception."""


class Generation(Extension):
    """{% generation %} ... {% endgeneration %}: the block, between the marks of the current request."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> nodes.Node:
        """A call block that hands its text to `_marked`."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        start, end = self.environment.marks  # type: ignore[attr-defined]
        return f"{start}{caller()}{end}"


def environment(today: str | None) -> ImmutableSandboxedEnvironment:
    """The sandboxed environment; `today` (ISO date) stops the clock that strftime_now reads."""
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = _tojson
    env.globals["raise_exception"] = _refuse
    moment = datetime.datetime.fromisoformat(today) if today else datetime.datetime.now()
    env.globals["strftime_now"] = moment.strftime
    return env


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise Refused(message)


def limit_memory() -> None:
    """Cap the address space where the system can; elsewhere the limit of time alone holds."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = MAX_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, MAX_MEMORY_BYTES)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    except (ValueError, OSError):  # macOS refuses the limit; that of time alone holds
        return


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """The block may take so many seconds of processor time; the system ends the process when it takes more.

    Where there is no such timer (Windows), the wall clock of the process that started this one holds.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def compiled(env: Any, text: str) -> tuple[Any, dict[str, str] | None]:
    """(the template, None), or (None, what is wrong with it). Constants are computed here: this may not end either."""
    try:
        return env.from_string(text), None
    except (TemplateError, RecursionError, MemoryError) as error:
        return None, {"kind": "failed", "error": f"{type(error).__name__}: {error}"}


def render(template: Any, env: Any, request: dict[str, Any]) -> dict[str, str]:
    """{"text": ...}, or {"error": ..., "kind": "refused" | "failed" | "large"}."""
    env.marks = tuple(request["marks"])
    parts: list[str] = []
    size = 0
    try:
        for part in template.generate(**request["variables"]):
            parts.append(part)
            size += len(part)
            if size > request["limit"]:
                return {"kind": "large", "error": f"more than {request['limit']} characters"}
    except Refused as error:
        return {"kind": "refused", "error": str(error)}
    except MemoryError:
        return {"kind": "large", "error": f"more than {MAX_MEMORY_BYTES} bytes of memory"}
    except Exception as error:  # whatever a template does wrong in Python terms is reported, not raised
        return {"kind": "failed", "error": f"{type(error).__name__}: {error}"}
    return {"text": "".join(parts)}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Compile the template in the first line, then answer each further line with one line."""
    first = json.loads(requests.readline())
    env = environment(first["today"])
    with limited(first["seconds"]):
        template, problem = compiled(env, first["template"])
    for line in requests:
        with limited(first["seconds"]):
            answer = problem or render(template, env, json.loads(line))
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()


if __name__ == "__main__":
    limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)
