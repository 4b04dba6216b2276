"""What may happen to a call, and the trace of all calls.

A fault strikes one call of the trace, before or after its effect on the store. Whoever runs a schedule checks `fired`:
a fault that never struck has tested nothing.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Answer:
    """What the Hub sends back; with `cut`, only so many bytes of the body before the connection is lost."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None


@dataclass(frozen=True, order=True)
class Call:
    """One request of a trace: what it asks for, and the how-manieth of that kind it is (from 0)."""

    name: str
    number: int = 0

    @classmethod
    def of(cls, method: str, parts: list[str], query: dict[str, str]) -> Call:
        """The call that a request is, its number still 0."""
        if parts[0] == "lfs":
            return cls(f"{method} lfs object{' verify' if parts[4:] else ''}")
        if parts[:2] != ["api", "models"]:
            kind = " ".join(parts) if parts[0] == "api" else f"resolve {'/'.join(parts[4:])}"
            return cls(f"{method} {kind if 'lfs' not in parts else 'lfs batch'}")
        what = [part for part in parts[4:] if not part.isdigit()]
        kind = what[0] if what else "info"
        if kind == "discussions" and len(what) > 1:
            kind = f"discussion {what[1]}"
        return cls(f"{method} {kind}{' of a pull request' if query.get('create_pr') else ''}")

    @property
    def writes(self) -> bool:
        """Whether the call changes something on the Hub, so that before and after its effect are two things."""
        return self.name.split()[0] in ("POST", "PUT", "DELETE") and not self.name.endswith(("validate-yaml",
            "paths-info", "preupload", "preupload of a pull request", "lfs batch", "verify"))  # fmt: skip

    @property
    def downloads(self) -> bool:
        """Whether the answer is a file's bytes."""
        return self.name.startswith("GET resolve")


@dataclass(frozen=True)
class Fault:
    """What happens at a call.

    kind   "drop", "slow", "truncate", "corrupt" (a wrong byte in the answer, or in what is kept), "kill", or a status
    after  whether the call had its effect first
    always whether it goes on happening, to this call and each later one of its name
    """

    call: Call
    kind: str
    after: bool = False
    always: bool = False

    def __str__(self) -> str:
        often = ", from then on" if self.always else ""
        return f"{self.kind} {'after' if self.after else 'before'} {self.call.name} #{self.call.number}{often}"


@dataclass
class Faults:
    """The schedule of a server. `between` is called before each call: a third party that acts in the meantime."""

    fault: Fault | None = None
    between: Callable[[Call], None] | None = None
    kill: Callable[[], None] | None = None
    damage: Callable[[], None] | None = None
    trace: list[Call] = field(default_factory=list)
    fired: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    counts: Counter[str] = field(default_factory=Counter)

    def through(self, call: Call, effect: Callable[[], Answer], hang: Callable[[], None]) -> Answer | None:
        """The answer as the client gets it; None for a lost connection. `hang` returns when the client gives up."""
        with self.lock:
            call = replace(call, number=self.counts[call.name])
            self.counts[call.name] += 1
            self.trace.append(call)
        if self.between:
            self.between(call)
        fault = self.fault
        if fault is None or not self._strikes(fault, call):
            return effect()
        with self.lock:
            self.fired += 1
        if fault.after or fault.kind in ("corrupt", "truncate"):
            return self._spoilt(fault.kind, effect(), hang)
        return self._spoilt(fault.kind, None, hang)

    def _strikes(self, fault: Fault, call: Call) -> bool:
        if fault.always:
            return call.name == fault.call.name and call.number >= fault.call.number
        return call == fault.call

    def _spoilt(self, kind: str, answer: Answer | None, hang: Callable[[], None]) -> Answer | None:
        if kind == "kill":
            assert self.kill is not None
            self.kill()
            return None
        if kind == "slow":
            hang()
        if kind in ("drop", "slow"):
            return None
        if kind.isdigit():
            return Answer(int(kind), {"Content-Type": "application/json", "X-Error-Message": "a fault"},
                          json.dumps({"error": "a fault"}).encode())  # fmt: skip
        assert answer is not None
        if kind == "truncate":
            return replace(answer, cut=len(answer.body) // 2)
        if self.damage:
            self.damage()
            return answer
        return replace(answer, body=answer.body[:-1] + bytes([answer.body[-1] ^ 1]))
