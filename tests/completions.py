"""A loopback server that speaks the OpenAI completions API over a really loaded model, and can be made to fail.

Two manners: "ids" takes and tells token ids, as vLLM does; "text" takes text only, hides special tokens and refuses
options beyond the API, as `transformers serve` does. The replies are always those of the model that it holds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.generate import LocalEngine
from modelqa.reply import Prompt

API = {"model", "prompt", "max_tokens", "temperature", "top_p", "frequency_penalty", "stream"}
Fault = Callable[["Handler", int], bool]  # (the request, its number among the completions): whether it was answered


@dataclass
class Completions:
    """What is served: {name: checkpoint folder}, how, and what shall go wrong.

    extra   tokens that the server puts before a text; broken: called before each answer; token: that it asks for
    bodies  every completion request that came
    """

    folders: dict[str, Path]
    manner: str = "ids"
    extra: tuple[int, ...] = ()
    broken: Fault | None = None
    token: str = ""
    lists: bool = True
    bodies: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.models = {name: _open(folder) for name, folder in self.folders.items()}

    def complete(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(status, answer) to one completion request."""
        if body["model"] not in self.models:
            return 404, {"error": {"message": f"The model `{body['model']}` does not exist."}}
        if self.manner == "text" and (set(body) - API or not isinstance(body["prompt"], str)):
            return 422, {"detail": f"Unexpected fields in the request: {sorted(set(body) - API)}"}
        chat, engine = self.models[body["model"]]
        ids = chat.tokens.encode(body["prompt"]).ids if isinstance(body["prompt"], str) else tuple(body["prompt"])
        ids = (*self.extra, *ids)
        with self.lock:  # one model, one request at a time
            _, reply = next(engine.replies([Prompt(ids, "")], max_new_tokens=body["max_tokens"], decode=chat.decode))
        shown = [number for number in reply.ids if number not in chat.special_tokens.values()]
        choice: dict[str, Any] = {
            "index": 0,
            "text": chat.decode(shown),
            "finish_reason": "stop" if reply.stopped else "length",
        }
        if self.manner == "ids":
            choice["token_ids"] = list(reply.ids)
            choice["logprobs"] = {"top_logprobs": [{"a": -0.5, "b": -0.5 - (reply.margin or 0.0)}]}
        usage = {"prompt_tokens": len(ids), "completion_tokens": len(reply.ids)}
        return 200, {"choices": [choice], "usage": usage}


def _open(folder: Path) -> tuple[Chat, LocalEngine]:
    chat = open_chat(folder)
    return chat, LocalEngine.open(open_checkpoint(folder), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    served: Completions

    def do_GET(self) -> None:
        if self.path == "/v1/models" and self.served.lists:
            self.answer(200, {"data": [{"id": name} for name in self.served.folders]})
        elif self.path == "/version" and self.served.manner == "ids":
            self.answer(200, {"version": "0.0.test"})
        else:
            self.answer(404, {"detail": "Not Found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.served.token and self.headers.get("Authorization") != f"Bearer {self.served.token}":
            self.answer(401, {"error": {"message": "Invalid API key"}})
            return
        self.served.bodies.append(body)
        if self.served.broken is None or not self.served.broken(self, len(self.served.bodies)):
            self.answer(*self.served.complete(body))

    def answer(self, status: int, value: Any, *, cut: int = 0) -> None:
        """Send JSON; `cut` leaves that many bytes of it out, although they were announced."""
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - cut])
        if cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the tests look at `bodies`."""


@contextmanager
def serving(served: Completions) -> Iterator[str]:
    """The address of a running server, up to /v1."""
    handler = type("Bound", (Handler,), {"served": served, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
