"""Marks: how a rendered text says which parts of it users wrote, and which the model writes.

Control tokens inside messages, and generation blocks, are put between characters that occur neither in the template
nor in the messages; after rendering the marks are taken out again and become spans.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelqa.chat.template import Message
from modelqa.chat.tokens import Span

_MARKS = range(0xFDD0, 0xFFFF)  # Unicode noncharacters first: text has none of them


@dataclass(frozen=True)
class Rendered:
    """A rendered template: its text, which spans of it are plain, and which stand in generation blocks."""

    text: str
    plain: tuple[Span, ...]
    generated: tuple[Span, ...]

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """(text, plain) pieces in order."""
        at = 0
        for start, end in self.plain:
            yield self.text[at:start], False
            yield self.text[start:end], True
            at = end
        yield self.text[at:], False


def unused_marks(template: str, messages: Sequence[Message]) -> tuple[str, ...]:
    """Four characters that stand neither in the template nor in the messages."""
    text = template + _text_of(messages)
    return tuple(itertools.islice((chr(code) for code in _MARKS if chr(code) not in text), 4))


def _text_of(value: Any) -> str:
    """All strings of a JSON value, joined."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "".join(map(_text_of, itertools.chain(value.keys(), value.values())))
    return "".join(map(_text_of, value)) if isinstance(value, list | tuple) else ""


def marked(value: Any, pattern: re.Pattern[str], start: str, end: str) -> Any:
    """`value` with each control token in its strings between `start` and `end`; roles and keys are left alone."""
    if isinstance(value, str):
        return pattern.sub(lambda match: f"{start}{match.group()}{end}", value)
    if isinstance(value, Mapping):
        return {key: item if key == "role" else marked(item, pattern, start, end) for key, item in value.items()}
    return [marked(item, pattern, start, end) for item in value] if isinstance(value, list | tuple) else value


def unmarked(text: str, marks: Sequence[str], pattern: re.Pattern[str]) -> Rendered:
    """The text without marks, and the spans that they enclosed.

    A template that slices a message can lose a mark: where a lone one stands at a control token, that token is plain.
    """
    parts: list[str] = []
    at = 0
    opened: dict[int, int] = {}
    lone: list[int] = []
    spans: tuple[list[Span], list[Span]] = ([], [])  # generated, plain
    for part in re.split(f"([{re.escape(''.join(marks))}])", text):
        kind = marks.index(part) if part in marks else -1
        if kind < 0:
            parts.append(part)
            at += len(part)
        elif kind % 2 == 0:
            lone += [opened[1]] if kind // 2 == 1 and 1 in opened else []
            opened[kind // 2] = at
        elif kind // 2 in opened:
            spans[kind // 2].append((opened.pop(kind // 2), at))
    whole = "".join(parts)
    for start in (*lone, *([opened[1]] if 1 in opened else ())):
        if found := pattern.match(whole, start):
            spans[1].append(found.span())
    return Rendered(whole, tuple(sorted(spans[1])), tuple(spans[0]))
