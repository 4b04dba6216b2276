"""An OpenAI-compatible server: what it offers, and one greedy completion at a time.

    with Server.open("http://127.0.0.1:8000/v1") as server:
        server.names                                     # what it serves; () when it does not say
        server.complete({"model": ..., "prompt": ids, "max_tokens": 64, "temperature": 0})

What the server says is untrusted: answers are bounded and checked before anything is read from them. A token comes from
the environment alone and is in no message. A request that was lost on the way is sent again, a few times, and counted.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, urlsplit

from modelqa.errors import GenerationError, UsageError
from modelqa.generate.completion import Completion, read_completion
from modelqa.text import escape

if TYPE_CHECKING:
    import httpx2

TOKEN = "MODELQA_ENGINE_TOKEN"  # the variable that holds the server's token
CONNECT_SECONDS = 10.0  # to open a connection
REPLY_SECONDS = 300.0  # without a byte: a long reply of a large model on a busy machine
ATTEMPTS = 3  # a greedy completion changes nothing: what got lost on the way may be asked again
WAIT_SECONDS = 0.5  # before the second attempt, twice as long before the third
AGAIN = frozenset({429, 502, 503, 504})  # too busy, or a proxy that lost the server: not the server's verdict
REFUSALS = frozenset({400, 404, 405, 413, 415, 422, 500, 501})  # the server understood, and does not do it
MAX_BYTES = 16 << 20  # of one answer
SHOWN = 300  # characters of the server's own words in a message


class ServerWarning(UserWarning):
    """Something was asked again, or a reply cannot be used: the run goes on, and says so."""


class RefusedError(Exception):
    """The server answers that it does not do this; `str` is what it says, escaped and cut."""


@dataclass
class Server:
    """A connection to one server; `again` counts what was asked a second time, by reason."""

    url: str
    client: httpx2.Client = field(repr=False)
    again: Counter[str] = field(default_factory=Counter)

    @classmethod
    def open(cls, url: str, *, seconds: float = REPLY_SECONDS) -> Server:
        """The server at `url` (".../v1"); nothing is sent yet. `UsageError` for an address that is none."""
        import httpx2

        address = _checked(url)
        token = os.environ.get(TOKEN, "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        return cls(address, httpx2.Client(headers=headers, timeout=limits, follow_redirects=False))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and warn of what was asked again."""
        self.client.close()
        self.report()

    def report(self) -> None:
        """Warn of what was asked again since the last report."""
        if self.again:
            what = ", ".join(f"{reason} ({count})" for reason, count in sorted(self.again.items()))
            warnings.warn(f"requests to the server were lost and sent again: {what}", ServerWarning, stacklevel=3)
            self.again.clear()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The models that it lists; () when it lists none or has no such list. `GenerationError`: not reachable."""
        try:
            rows = self._send("GET", f"{self.url}/models").get("data")
        except RefusedError:
            return ()
        rows = rows if isinstance(rows, list) else []
        return tuple(row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str))

    @cached_property
    def version(self) -> str:
        """The version of its software, "" when it does not say (vLLM and SGLang do)."""
        try:
            value = self._send("GET", f"{self.url.removesuffix('/v1')}/version").get("version", "")
        except (RefusedError, GenerationError):
            return ""
        return value[:40] if isinstance(value, str) else ""

    def complete(self, body: Mapping[str, Any]) -> Completion:
        """The completion of one prompt; `RefusedError` when the server does not take it, `GenerationError` else."""
        return read_completion(self._send("POST", f"{self.url}/completions", body))

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object that comes back; a request that was lost is sent again, with a growing pause."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(method, url, body)
            except _LostError as lost:
                if attempt == ATTEMPTS:
                    self._unreachable(lost)
                self.again[str(lost)] += 1
                time.sleep(WAIT_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        import httpx2

        try:
            with self.client.stream(method, url, json=body) as answer:
                status, data = answer.status_code, _bounded(answer)
        except httpx2.ReadTimeout as error:  # it is still at work: asking again would only add to it
            raise self._error(
                "the server does not answer in time",
                f"nothing came for {self.client.timeout.read:g} seconds; replies already made are kept",
                "ask for fewer new tokens with --modelqa-max-new-tokens, or give the server a faster machine",
            ) from error
        except httpx2.TransportError as error:
            raise _LostError(type(error).__name__) from error
        if status in AGAIN:
            raise _LostError(f"status {status}")
        if status in (401, 403):
            raise self._error(
                "the server refuses the token" if os.environ.get(TOKEN) else "the server asks for a token",
                f"it answers with status {status}",
                f"put the token into the environment variable {TOKEN}; it is written nowhere",
            )
        if status in REFUSALS:
            raise RefusedError(f"status {status}: {_words(data)}")
        if not 200 <= status < 300:
            self._malformed(f"status {status}")
        return _object(data)

    def _unreachable(self, lost: Exception) -> NoReturn:
        raise self._error(
            "the server cannot be reached, or does not finish its answers",
            f"{lost}, {ATTEMPTS} times in a row; replies already made are kept",
            "start it, check the address given to --modelqa-engine, and run again",
        ) from lost

    def _malformed(self, what: str) -> NoReturn:
        raise self._error(
            "the server does not answer as an OpenAI-compatible one does",
            what,
            "give the address up to /v1, such as http://127.0.0.1:8000/v1",
        )

    def _error(self, fact: str, reason: str, remedy: str) -> GenerationError:
        return GenerationError(f"{fact}: {self.url}", reason=reason, remedy=remedy)


class _LostError(Exception):
    """No whole answer came: the same request may be sent again."""


def _checked(url: str) -> str:
    """The address without a slash at its end; `UsageError` unless it is http(s) with a host and without a password."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # brackets that hold no address
        parts = SplitResult("", "", "", "", "")
    remedy = "give an address such as http://127.0.0.1:8000/v1"
    if "@" in url or parts.query or parts.fragment:
        raise UsageError(
            "the address of the server holds a password or a query",
            reason="addresses are printed; secrets are not",
            remedy=f"put a token into the environment variable {TOKEN}, and {remedy}",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
        shown = escape(url, "terminal", limit=80)
        raise UsageError(
            f"{shown} is no address of a server", reason="http or https and a host are needed", remedy=remedy
        )
    return parts.geturl().rstrip("/")


def _has_port(parts: SplitResult) -> bool:
    """Whether the port is a number, or left out."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _bounded(answer: httpx2.Response) -> bytes:
    data = bytearray()
    for block in answer.iter_bytes():
        data += block
        if len(data) > MAX_BYTES:
            raise GenerationError(
                "the server's answer does not end",
                reason=f"it is longer than {MAX_BYTES} bytes",
                remedy="check what answers at this address",
            )
    return bytes(data)


def _object(data: bytes) -> dict[str, Any]:
    """The JSON object in an answer's body; a body that is cut off counts as lost."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _LostError("an answer that is no whole JSON") from error
    return value if isinstance(value, dict) else {}


def _words(data: bytes) -> str:
    """What a refusal says: its message where it has one, escaped and cut."""
    try:
        value = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        said = value.get("error", value.get("detail", value.get("message", "")))
        text = said.get("message", "") if isinstance(said, dict) else said
    else:
        text = data.decode("utf-8", "replace")
    return escape(str(text), "terminal", limit=SHOWN) or "no reason given"
