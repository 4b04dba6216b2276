"""A conversation as a training row: what it may be, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelqa.errors import DataError
from modelqa.text import half_character

ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True)
class Episode:
    """One training row: ids, and for each id 1 where the loss counts (assistant text and its end of turn), else 0."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]
    text: str

    @property
    def supervised(self) -> int:
        """How many ids the loss counts."""
        return sum(self.mask)


def check_messages(messages: Any) -> None:
    """Raise `DataError` unless `messages` is a non-empty list of {"role", "content"} in known roles."""
    problem = None
    if not isinstance(messages, list | tuple) or not messages:
        problem = "messages must be a list that is not empty"
    else:
        for at, message in enumerate(messages):
            if not isinstance(message, Mapping) or message.get("role") not in ROLES:
                problem = f"message {at} has no role of {', '.join(ROLES)}"
            elif not isinstance(message.get("content"), str):
                problem = f"message {at} ({message['role']}) has no text as its content"
            elif (place := half_character(message["content"])) is not None:
                problem = f"message {at} ({message['role']}) is not valid Unicode: half a character at place {place}"
            if problem:
                break
    if problem:
        raise DataError(problem, reason="a chat row is a list of {\"role\": ..., \"content\": text}",
                        remedy="mend the row; leave out messages without text")
