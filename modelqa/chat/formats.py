"""Other common ways to write a conversation: what a model trained without its template may have seen instead.

Used to ask whether the same answer is likelier under the model's own template than under these. Each gives an
`Episode` whose mask covers the answer (the last assistant message), without any stop token. The beginning-of-sequence
token stands in front where the model's own template writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from modelqa.chat.episode import Episode, check_messages
from modelqa.chat.mask import mask_of
from modelqa.chat.template import Message
from modelqa.chat.tokens import Encoded

if TYPE_CHECKING:
    from modelqa.chat.chat import Chat

_NAMES = {"user": "User", "assistant": "Assistant", "system": "System", "developer": "System", "tool": "Tool"}


def plain_concat(messages: Sequence[Message]) -> tuple[str, str]:
    """(prompt, answer): the contents joined by newlines, roles and system text indistinguishable."""
    return "".join(f"{message['content']}\n" for message in messages[:-1]), str(messages[-1]["content"])


def named_roles(messages: Sequence[Message]) -> tuple[str, str]:
    """(prompt, answer) as "User: ..." and "Assistant: ..." lines."""
    turns = "".join(f"{_NAMES[message['role']]}: {message['content']}\n" for message in messages[:-1])
    return f"{turns}Assistant:", f" {messages[-1]['content']}"


def alpaca(messages: Sequence[Message]) -> tuple[str, str]:
    """(prompt, answer) under "### Instruction:" and "### Response:" headings."""
    system = "".join(f"{m['content']}\n\n" for m in messages[:-1] if m["role"] in ("system", "developer"))
    said = "\n".join(str(m["content"]) for m in messages[:-1] if m["role"] not in ("system", "developer"))
    return f"{system}### Instruction:\n{said}\n\n### Response:\n", str(messages[-1]["content"])


def raw_prompt(messages: Sequence[Message]) -> tuple[str, str]:
    """(prompt, answer): the last user message alone, the answer after a space."""
    users = [str(message["content"]) for message in messages[:-1] if message["role"] == "user"]
    return users[-1] if users else "", f" {messages[-1]['content']}"


FORMATS: dict[str, Callable[[Sequence[Message]], tuple[str, str]]] = {
    "plain_concat": plain_concat, "named_roles": named_roles, "alpaca": alpaca, "raw_prompt": raw_prompt,
}


def alternatives(chat: Chat) -> dict[str, Callable[[Sequence[Message]], Episode]]:
    """{format name: function from messages that end with an answer to an `Episode`}."""
    return {name: partial(_written, chat, written) for name, written in FORMATS.items()}


def _written(
    chat: Chat, written: Callable[[Sequence[Message]], tuple[str, str]], messages: Sequence[Message]
) -> Episode:
    check_messages(messages)
    prompt, answer = written(messages)
    text = prompt + answer
    found = chat.tokens.encode_pieces([(text, True)])
    lead = _lead(chat)
    start = len(prompt) + len(answer) - len(answer.lstrip())
    mask = mask_of(found, [(start, len(text))])
    return Episode(lead.ids + found.ids, (0,) * len(lead.ids) + mask, text)


def _lead(chat: Chat) -> Encoded:
    """The beginning-of-sequence token, when the model's own template begins with it."""
    own = chat.render([{"role": "user", "content": "a"}]).ids
    begins = chat.bos_id is not None and own[:1] == (chat.bos_id,)
    return Encoded(own[:1] if begins else (), ())
