"""Chat templates: find one in a checkpoint folder, and render it in a child process with limits that hold.

A template is a program by somebody else. It runs in jinja2's sandbox, in a process of its own (`sandbox.py`), which the
system ends when a render takes more than `RENDER_SECONDS` of processor time: no loop, product of strings or power of
integers outlives that, and a busy machine, on which everything takes long, accuses no template.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from modelqa.errors import TemplateError

MAX_TEMPLATE_BYTES = 1 << 20  # the largest in common use is about 20 kB
MAX_RENDERED_CHARACTERS = 16 << 20  # as one row of a dataset file may have
RENDER_SECONDS = 10.0  # of processor time; a render takes well under a millisecond
# Of wall time, the start of the child included, which takes 0.2 s on an idle machine: only a child that does nothing at
# all comes to it. Where the system cannot limit processor time, the wall clock is held to the render's own seconds.
WALL_SECONDS = 300.0 if hasattr(signal, "setitimer") else RENDER_SECONDS

_OUT_OF_TIME = -int(getattr(signal, "SIGPROF", 0)) or None  # how a child ends that `sandbox.limited` stopped

Message = Mapping[str, Any]


def find_template(folder: Path, config: Mapping[str, Any], *, name: str = "default") -> str:
    """The chat template of a checkpoint folder: chat_template.jinja, else tokenizer_config.json's.

    `name` chooses among several named ones. Raises `TemplateError` when there is none, or it is too large.
    """
    path = folder / "chat_template.jinja"
    if path.is_file():
        if path.stat().st_size > MAX_TEMPLATE_BYTES:
            _too_large(path)
        return path.read_text(encoding="utf-8")
    declared = config.get("chat_template")
    if isinstance(declared, list):
        declared = {str(entry.get("name")): entry.get("template") for entry in declared}.get(name)
    if not isinstance(declared, str) or not declared.strip():
        raise TemplateError(
            f"{folder} has no chat template{'' if name == 'default' else f' named {name!r}'}",
            reason="neither chat_template.jinja nor tokenizer_config.json holds one, so no chat prompt can be written",
            remedy="put the template that training used into chat_template.jinja in that folder",
        )
    if len(declared.encode("utf-8", "surrogatepass")) > MAX_TEMPLATE_BYTES:
        _too_large(folder / "tokenizer_config.json")
    return declared


def _too_large(path: Path) -> NoReturn:
    raise TemplateError(
        f"the chat template in {path} is larger than {MAX_TEMPLATE_BYTES} bytes",
        reason="chat templates are a few kilobytes; this is an accident or an attack",
        remedy="check the file",
    )


class Renderer:
    """Renders one template; starts its child process at the first render and again after a kill."""

    def __init__(
        self,
        template: str,
        *,
        today: str | None = None,
        seconds: float = RENDER_SECONDS,
        wall_seconds: float = WALL_SECONDS,
    ) -> None:
        self._first = {"template": template, "today": today, "seconds": seconds}
        self._seconds, self._wall_seconds = seconds, wall_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._watch = _Watch()
        self._lock = threading.Lock()

    def render(self, variables: Mapping[str, Any], *, marks: Sequence[str] = ("", "")) -> str:
        """The text that the template writes for `variables`, with `marks` around each generation block.

        Raises `TemplateError`: the template's own message, its Python error, or the limit that it broke.
        """
        with self._lock:
            answer = self._ask({"variables": variables, "marks": list(marks), "limit": MAX_RENDERED_CHARACTERS})
        if "text" in answer:
            return str(answer["text"])
        raise _error(answer["kind"], answer["error"])

    def _ask(self, request: Mapping[str, Any]) -> dict[str, str]:
        child = self._started()
        assert child.stdin is not None and child.stdout is not None
        line = b""
        with self._watch.limit(self._wall_seconds), contextlib.suppress(BrokenPipeError):  # a dead child: see below
            child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            child.stdin.flush()
            line = child.stdout.readline()
        if line.endswith(b"\n"):
            return dict(json.loads(line))
        _stop(child)
        self._child = None
        if child.returncode == _OUT_OF_TIME:
            return {"kind": "endless", "error": f"it did not end within {self._seconds:g} seconds of processor time"}
        if self._watch.overdue:
            return {"kind": "endless", "error": f"it did not end within {self._wall_seconds:g} seconds"}
        return {"kind": "large", "error": "the process that rendered it died, most likely for lack of memory"}

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            program = Path(__file__).with_name("sandbox.py")
            child = subprocess.Popen(
                [sys.executable, "-P", str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            weakref.finalize(self, _stop, child)
            assert child.stdin is not None
            child.stdin.write(json.dumps(self._first).encode("ascii") + b"\n")
            self._child, self._watch = child, _Watch()
            every = min(0.25, self._wall_seconds / 4)
            threading.Thread(target=_kill_late, args=(child, self._watch, every), daemon=True).start()
        return self._child


class _Watch:
    """The deadline of the render in progress, shared with the thread that kills a child that misses it."""

    def __init__(self) -> None:
        self.deadline = math.inf
        self.overdue = False

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """The block may last so long."""
        self.deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self.deadline = math.inf


def _kill_late(child: subprocess.Popen[bytes], watch: _Watch, every: float) -> None:
    pause = threading.Event()  # never set, and not time.sleep: where a program replaces that, the thread would spin
    while child.poll() is None:
        if time.monotonic() > watch.deadline:
            watch.overdue = True
            child.kill()
        pause.wait(every)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):  # what was still in the buffer has no reader
                stream.close()
    child.wait()


def _error(kind: str, message: str) -> TemplateError:
    if kind == "refused":
        return TemplateError(
            f"the chat template refuses these messages: {message}",
            reason="it raised this itself, so the model was not trained on conversations of this shape",
            remedy="send messages in the roles and the order that the template takes",
        )
    return TemplateError(
        f"the chat template does not render: {message}",
        reason="it is run in a sandbox with limits of time, memory and size" if kind != "failed"
        else "it uses something that chat templates do not have, or these messages lack a field it needs",
        remedy="mend the template; transformers' apply_chat_template renders it in the same environment",
    )
