"""Who answers for each role: a model loaded in this process, or the server that the command line names.

One model is in memory at a time. A server answers for the candidate, and for every other model that it lists; random
weights are served nowhere. What it does not serve is asked here, and the record says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from modelqa.errors import UsageError
from modelqa.files import canonical_json, sha256_text
from modelqa.models import nearest
from modelqa.parity import reply_differences
from modelqa.plugin.subject import TWIN_SEED, LabSettings, Subject
from modelqa.reply import Prompt
from modelqa.text import escape

if TYPE_CHECKING:
    from modelqa.generate import LocalEngine, ServedEngine, Server, Setup

PROBE = ({"role": "user", "content": "Say one."},)  # a conversation that every chat template takes
SHOWN = 5  # names of a server's models in a message
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len")  # how configs name their limit


@dataclass
class Engines:
    """The engines of one session, opened when they are first needed.

    exercised  whether any model was loaded or asked: a run from the cache alone has shown nothing anew
    """

    settings: LabSettings
    exercised: bool = False
    _loaded: tuple[tuple[str, str], LocalEngine] | None = None
    _served: dict[str, ServedEngine | None] = field(default_factory=dict)

    # -- in this process -------------------------------------------------------------------------------------------

    def local(self, subject: Subject, dtype: str = "") -> LocalEngine:
        """The loaded model of a role, in the session's arithmetic or in `dtype`; the one before it is let go."""
        key = (subject.role, dtype or self.settings.dtype)
        if self._loaded is None or self._loaded[0] != key:
            from modelqa.generate import LocalEngine, random_twin

            self._loaded = None
            self.exercised = True
            chat = subject.chat
            make = partial(random_twin, seed=TWIN_SEED) if subject.role == "random" else LocalEngine.open
            pad = chat.pad_id if chat.pad_id is not None else 0  # masked: any id of the vocabulary
            device = self.settings.device
            engine = make(subject.checkpoint, stop_ids=chat.stop_ids, pad_id=pad, dtype=key[1], device=device)
            self._loaded = (key, engine)
        return self._loaded[1]

    # -- behind the server -----------------------------------------------------------------------------------------

    @cached_property
    def server(self) -> Server | None:
        """The server that the command line names; None when replies are made in this process."""
        if not self.settings.engine:
            return None
        from modelqa.generate import Server

        return Server.open(self.settings.engine)

    def require_askable(self, subject: Subject) -> None:
        """`UsageError` when a server is named for a model that cannot be asked questions."""
        if self.settings.engine and not subject.chats:
            raise UsageError(
                f"{subject.model.name} is a base model: a server is not asked for it",
                reason="servers are asked rendered conversations, and it has no chat format",
                remedy="leave the engine out",
            )

    def served(self, subject: Subject, probe: Prompt | None = None) -> ServedEngine | None:
        """The engine of a role behind the server; None when it is asked here. `probe` is needed the first time.

        `UsageError` or `GenerationError` when there is a server that does not answer for the candidate.
        """
        if self.server is None or subject.role == "random" or not subject.chats:
            return None
        if subject.role not in self._served:
            assert probe is not None  # `Lab` tries the server before it plans
            self._served[subject.role] = self._try(self.server, subject, probe)
        return self._served[subject.role]

    def _try(self, server: Server, subject: Subject, probe: Prompt) -> ServedEngine | None:
        from modelqa.generate import RefusedError, ServedEngine

        name = self._name(server, subject)
        if name is None:
            return None
        try:
            return ServedEngine.open(server, name, subject.chat, probe, positions=_positions(subject))
        except RefusedError as error:
            if subject.role != "candidate":
                return None
            near = escape(nearest(name, server.names), "terminal")
            raise UsageError(
                f"the server does not answer for the model {name!r}",
                reason=f"{error}; it offers {_offered(server)}",
                remedy=near or "give the name that it knows the model by: --modelqa-served NAME",
            ) from None

    def _name(self, server: Server, subject: Subject) -> str | None:
        """What the server knows a model by; None when it lists others only.

        The candidate may be named freely: whether it is this model is what the gate `engine` asks. Another role must be
        listed by a name that nobody else can have, or the candidate's weights might answer for it.
        """
        model, names = subject.model, server.names
        path = subject.checkpoint.path
        own = {model.name, model.hub, str(path)} - {""}
        if subject.role != "candidate":
            taken = {each.model for role, each in self._served.items() if each is not None and role == "candidate"}
            listed = [name for name in names if name in own - taken]
            return listed[0] if listed else (None if names else model.hub or str(path))
        if self.settings.served:
            return self.settings.served
        if found := next((name for name in names if name in own | {path.name}), None):
            return found
        if len(names) > 1:
            raise UsageError(
                f"the server does not list the model {model.name!r}",
                reason=f"it offers {_offered(server)}",
                remedy="give the name that it knows the model by: --modelqa-served NAME",
            )
        # Its only model; or it lists nothing, and perhaps loads what it is asked for.
        return names[0] if names else model.hub or str(path)

    def compare(
        self, subject: Subject, prompts: Sequence[Prompt], *, max_new_tokens: int, floor: float
    ) -> dict[str, Any]:
        """`modelqa.parity.reply_differences` of the model in this process and behind the server, and "unknown": how
        many prompts the server gave no usable reply to.
        """
        served = self.served(subject)
        assert served is not None  # asked only then
        options: dict[str, Any] = {"max_new_tokens": max_new_tokens, "decode": subject.chat.decode}
        there = dict(served.replies(prompts, **options))
        here = dict(self.local(subject).replies(prompts, **options))
        both = sorted(there.keys() & here.keys())
        found = reply_differences([here[i] for i in both], [there[i] for i in both], floor=floor, by_text=True)
        return {**found, "unknown": len(here.keys() - there.keys())}

    # -- what a record and the cache say of it ---------------------------------------------------------------------

    def description(self, subject: Subject) -> dict[str, Any]:
        """{"engine", "server"?} of a role, as a record says it."""
        served = self.served(subject)
        return {"engine": "local"} if served is None else {"engine": "server", "server": served.description}

    def notes(self) -> list[str]:
        """What a reader of the record must know: which controls did not go through the server."""
        if self.server is None or self._served.get("reference") is not None:
            return []
        text = (
            "the server does not serve the reference: the controls went through the local engine, and the gate "
            "`engine` alone ties the server's replies to that path"
        )
        return [text]

    def setup(self, subject: Subject, max_new_tokens: int, *, local: bool = False, dtype: str = "") -> Setup:
        """Everything but the prompt that decides a reply; `local` for what is measured in this process."""
        from modelqa.generate import Setup

        served = None if local else self.served(subject)
        dtype = dtype or self.settings.dtype
        asked_here: dict[str, Any] = {"engine": "local", "dtype": dtype, "device": self.settings.device}
        if subject.role == "random":
            asked_here["engine"] = f"random-twin-{TWIN_SEED}"
        return Setup(
            checkpoint=subject.checkpoint.digest,
            template=subject.chat.template_sha256,
            stop_ids=subject.chat.stop_ids,
            max_new_tokens=max_new_tokens,
            **(asked_here if served is None else _asked_there(served)),
        )


def _offered(server: Server) -> str:
    """The first names of a server's list, for a message."""
    names = [escape(name, "terminal", limit=80) for name in server.names[:SHOWN]]
    return (", ".join(names) or "nothing by name") + (" and others" if len(server.names) > SHOWN else "")


def _asked_there(served: ServedEngine) -> dict[str, Any]:
    """A server's arithmetic is its own affair; another server, or another version of one, is another engine."""
    identity = [served.server.url, served.model, served.description]
    return {"engine": f"server-{sha256_text(canonical_json(identity))[:16]}", "dtype": "", "device": ""}


def _positions(subject: Subject) -> int | None:
    config = subject.checkpoint.config
    nested = config.get("text_config")
    part = nested if isinstance(nested, dict) else config
    found = (part.get(key) for key in _POSITIONS)
    return next((value for value in found if type(value) is int and value > 0), None)
