"""The served engine: prompts -> greedy replies of a model behind an OpenAI-compatible server.

The same rendered prompt is asked as everywhere, as token ids where the server takes ids and as text where it does not;
then the server's own count of the prompt must be ours. What a server takes and tells is tried out once, when it is
opened, and stands in the record: a reply whose tokens it does not tell is put together from the text, and is only used
when the count shows that no token was left out.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from modelqa.chat import Chat
from modelqa.errors import GenerationError
from modelqa.generate.completion import Completion
from modelqa.generate.engine import BATCH_SIZE, Decode, plan_batches
from modelqa.generate.server import RefusedError, Server, ServerWarning
from modelqa.reply import Prompt, Reply

AT_ONCE = 8  # requests under way: keeps a server's batch filled, and is no attack on a small one
PROBE_TOKENS = 1  # of the reply by which it is found out what a server takes
PLAIN = {"temperature": 0, "top_p": 1, "frequency_penalty": 0, "stream": False}  # greedy, in the words of the API
# Greedy and nothing hidden, in the words that vLLM and SGLang add to it.
EXTENDED = {
    **PLAIN, "repetition_penalty": 1.0, "top_k": -1, "min_p": 0, "add_special_tokens": False,
    "skip_special_tokens": False, "return_token_ids": True, "logprobs": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """What a server takes and tells.

    extended    it takes the options beyond the API; ids: it takes a prompt as token ids
    tells_ids   it tells the token ids of its replies
    """

    extended: bool
    ids: bool
    tells_ids: bool = False

    def body(self, model: str, prompt: Prompt, new: int, stop_ids: Sequence[int]) -> dict[str, Any]:
        """The request for one greedy reply."""
        asked = {"model": model, "prompt": list(prompt.ids) if self.ids else prompt.text, "max_tokens": new}
        return {**asked, **EXTENDED, "stop_token_ids": list(stop_ids)} if self.extended else {**asked, **PLAIN}


# The most telling first: a server that refuses one way of asking is asked in the next.
DIALECTS = tuple(Dialect(extended, ids) for ids in (True, False) for extended in (True, False))


@dataclass(frozen=True)
class ServedEngine:
    """One model of one server, asked greedily. `model` is the name that the server knows it by."""

    server: Server
    model: str
    chat: Chat = field(repr=False)
    dialect: Dialect
    positions: int | None = None

    @classmethod
    def open(
        cls, server: Server, model: str, chat: Chat, probe: Prompt, *, positions: int | None = None
    ) -> ServedEngine:
        """The engine of a model, after one probe. `RefusedError`: the server does not answer for this name;
        `GenerationError`: it counts other tokens in the prompt than are in it.
        """
        refused = RefusedError("nothing was asked")
        for dialect in DIALECTS:
            try:
                answer = server.complete(dialect.body(model, probe, PROBE_TOKENS, chat.stop_ids))
            except RefusedError as error:
                refused = error
                continue
            if dialect.ids and answer.prompt_tokens not in (None, len(probe.ids)):
                continue  # it takes the list for something else than ids
            _require_same_count(answer, probe)
            told = Dialect(dialect.extended, dialect.ids, tells_ids=answer.ids is not None)
            return cls(server, model, chat, told, positions)
        raise refused

    @property
    def description(self) -> dict[str, str]:
        """What a record says of it: no address, and of a path its last part only."""
        return {
            "model": shown_name(self.model),
            "prompts": "ids" if self.dialect.ids else "text",
            "replies": "ids" if self.dialect.tells_ids else "text",
            "version": self.server.version,
        }

    def refused(self, prompts: Sequence[Prompt], *, max_new_tokens: int) -> dict[int, str]:
        """{index: reason} of the prompts that cannot be asked whole; `replies` yields nothing for them."""
        room = None if self.positions is None else self.positions - max_new_tokens
        reasons = {index: _reason(prompt, room) for index, prompt in enumerate(prompts)}
        return {index: reason for index, reason in reasons.items() if reason}

    def replies(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        decode: Decode,
        wanted: Collection[int] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[int, Reply]]:
        """(index in `prompts`, Reply) in groups, so that an interrupt keeps what was made; see `LocalEngine.replies`.

        A reply that cannot be known whole is left out, with a `ServerWarning` that counts them; `GenerationError` when
        that is every one of the first group, or when the server fails.
        """
        refused = self.refused(prompts, max_new_tokens=max_new_tokens)
        chosen = sorted((set(range(len(prompts))) if wanted is None else set(wanted)) - refused.keys())
        unknown: Counter[str] = Counter()
        ask = partial(self._ask, max_new_tokens=max_new_tokens, decode=decode)
        pool = ThreadPoolExecutor(max_workers=AT_ONCE)
        try:
            for group in plan_batches([prompts[index] for index in chosen], BATCH_SIZE):
                indices = [chosen[place] for place in group]
                answers = list(pool.map(ask, [prompts[index] for index in indices]))
                known = [(i, answer) for i, answer in zip(indices, answers, strict=True) if isinstance(answer, Reply)]
                unknown.update(answer for answer in answers if isinstance(answer, str))
                _require_some(known, unknown)
                if progress:
                    progress(len(indices))
                yield from known
        finally:
            pool.shutdown(cancel_futures=True)
            self.server.report()
            for reason, count in sorted(unknown.items()):
                warnings.warn(f"{count} replies of the server are not used: {reason}", ServerWarning, stacklevel=2)

    def _ask(self, prompt: Prompt, *, max_new_tokens: int, decode: Decode) -> Reply | str:
        """The reply to one prompt, or why it is not known."""
        try:
            answer = self.server.complete(self.dialect.body(self.model, prompt, max_new_tokens, self.chat.stop_ids))
        except RefusedError as error:
            raise GenerationError(
                "the server refuses a prompt",
                reason=str(error),
                remedy="look at the server's log; replies already made are kept",
            ) from error
        if not self.dialect.ids and answer.prompt_tokens != len(prompt.ids):
            return "the server cuts the prompt's text into other tokens than were rendered"
        return self._from_ids(answer, decode) if answer.ids is not None else self._from_text(answer, decode)

    def _from_ids(self, answer: Completion, decode: Decode) -> Reply | str:
        assert answer.ids is not None
        stops = self.chat.stop_ids
        end = next((place for place, number in enumerate(answer.ids) if number in stops), None)
        ids = answer.ids if end is None else answer.ids[: end + 1]
        return Reply(ids, decode(ids), decode(ids[:end]).strip(), end is not None, answer.margin)

    def _from_text(self, answer: Completion, decode: Decode) -> Reply | str:
        """A reply from its text: the ids are those that the tokenizer gives, and as many as the server counted.

        Servers leave the stop token, and some all special tokens, out of the text: one that is missed in the middle of
        a reply would be a fault of the model that nobody sees.
        """
        ids, text = self.chat.tokens.encode(answer.text).ids, answer.text
        stops = self.chat.stop_ids
        if answer.finish == "stop" and stops and not set(ids) & set(stops):
            ids = (*ids, stops[0])
            text += decode(stops[:1])
        if answer.new_tokens != len(ids):
            return "they hold tokens that the server does not tell; one that tells token ids (vLLM, SGLang) would"
        said = answer.text.removesuffix(decode(stops[:1])) if stops else answer.text
        return Reply(ids, text, said.strip(), answer.finish == "stop", answer.margin)


def shown_name(name: str) -> str:
    """A served model's name as it may be recorded: of a path only the last part, for a path tells of a machine."""
    plain = name.replace("\\", "/").rstrip("/")
    is_path = plain.startswith(("/", "~", ".")) or plain[1:3] == ":/" or plain.count("/") > 1
    return plain.rpartition("/")[2] if is_path else name


def _reason(prompt: Prompt, room: int | None) -> str:
    if not prompt.ids:
        return "the prompt is empty"
    if room is not None and len(prompt.ids) > room:
        return f"the prompt has {len(prompt.ids)} tokens; with the new ones the model has positions for {max(room, 0)}"
    return ""


def _require_same_count(answer: Completion, probe: Prompt) -> None:
    if answer.prompt_tokens == len(probe.ids) or (answer.prompt_tokens is None and answer.ids is not None):
        return
    counted = "no tokens" if answer.prompt_tokens is None else f"{answer.prompt_tokens} tokens"
    raise GenerationError(
        f"the server counts {counted} in a prompt of {len(probe.ids)}",
        reason="it puts tokens of its own before the text, such as a second beginning-of-sequence token, or cuts the "
        "text otherwise: the harness is at fault, not the model",
        remedy="use a server that takes token ids (vLLM, SGLang), or serve the folder that --model names",
    )


def _require_some(known: Sequence[Any], unknown: Counter[str]) -> None:
    if not known and unknown:
        raise GenerationError(
            "not one reply of the server can be used",
            reason=next(iter(unknown)),
            remedy="use a server that takes and tells token ids (vLLM, SGLang), or the local engine",
        )
