"""The form of a reply, whatever it says: does it stop, is it one turn, is it free of tags, does it loop?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelqa.reply import Reply

LONGEST_PERIOD = 16  # tokens: a phrase or a short sentence said over and over
LOOKED_AT = 600  # tokens from the end: more than a short answer has
LONG_LOOP = 24  # repeated tokens that are a loop however long the rest is
SHORTEST_LOOP = 4  # repeated tokens that can be one at all

_ROLE = r"(?:user|assistant|system|human|model|tool)"
_FOREIGN = re.compile(
    r"<\s*[|｜][^|｜<>\n]{1,40}[|｜]\s*>"  # <|im_start|>, <|eot_id|>
    rf"|</?\s*[a-z]+_{_ROLE}[^<>\n]*>"  # <myPT_user>
    rf"|</?\s*{_ROLE}\s*>"
    r"|\[/?\s*INST\s*\]|<</?\s*SYS\s*>>"
    r"|<(?:start|end)_of_turn>|</?(?:s|bos|eos|pad|unk)>|</?think(?:ing)?>"
    r"|^[ \t]*###[ \t]*(?:instruction|response|input|user|assistant|human|system)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TURN = re.compile(
    r"\n[ \t]*(?:human|user|assistant|system)[ \t]*:"
    rf"|<\s*[|｜][^<>\n]{{0,30}}>\s*{_ROLE}\b|<start_of_turn>|<[a-z]+_{_ROLE}[^<>\n]*>",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Grammar:
    """Which special tokens a model's answer may hold, from its tokenizer.

    stops    texts of the tokens that end an answer
    special  texts of all special tokens, the stops among them
    allowed  those that may stand inside an answer (a model that thinks aloud, for instance)
    """

    stops: frozenset[str]
    special: frozenset[str]
    allowed: frozenset[str] = frozenset()


def form_problem(reply: Reply, grammar: Grammar) -> str | None:
    """What is wrong with a reply's form, most basic first; None when it is one stopped, tagless, visible answer."""
    if not reply.stopped:
        return "never stopped"
    if not _is_visible(reply.text):
        return "nothing readable" if reply.text else "empty"
    if _second_turn(reply, grammar):
        return "second turn after the answer"
    for token in sorted(grammar.special - grammar.allowed, key=lambda text: (-len(text), text)):
        if token.strip() and token in reply.text:
            return f"special token {token} inside"
    foreign = next((tag for tag in chat_tags(reply.text) if tag not in grammar.allowed), None)
    return f"foreign tag {foreign}" if foreign else None


def chat_tags(text: str) -> Iterator[str]:
    """The tags of any common chat format that a text holds, whichever tokenizer wrote it."""
    return (found[0].strip() for found in _FOREIGN.finditer(text))


def _is_visible(text: str) -> bool:
    return any(c != "\ufffd" and unicodedata.category(c)[0] in "LMNPS" for c in text)


def _second_turn(reply: Reply, grammar: Grammar) -> bool:
    """A role tag with an answer before it, or words after the first stop token."""
    found = _TURN.search(reply.text)
    if found and reply.text[: found.start()].strip() and found[0].strip() not in grammar.allowed:
        return True
    first = min((at for stop in grammar.stops if stop and (at := reply.raw.find(stop)) >= 0), default=-1)
    after = reply.raw[first:] if first >= 0 else ""
    for token in sorted(grammar.special | grammar.stops, key=len, reverse=True):
        after = after.replace(token, "") if token else after
    return _is_visible(after)


def loops(reply: Reply) -> bool:
    """Whether a reply says one thing over and over: a period of up to 16 tokens, words or characters, three times.

    The repeated stretch must be half of the reply, or `LONG_LOOP` long: "very, very good" is no loop.
    """
    ids = reply.ids[:-1] if reply.stopped else reply.ids
    words, letters = reply.text[-20 * LOOKED_AT:].split(), reply.text[-LOOKED_AT:]
    return _repeats(words[-LOOKED_AT:]) or _repeats(ids[-LOOKED_AT:], least=8) or _repeats(letters, least=LONG_LOOP)


def _repeats(tokens: Sequence[object], least: int = SHORTEST_LOOP) -> bool:
    for period in range(1, LONGEST_PERIOD + 1):
        if max(3 * period, least) > len(tokens):
            return False  # no stretch is longer than the whole
        stretch = _longest_stretch(tokens, period)
        if stretch >= max(3 * period, least) and (stretch >= LONG_LOOP or 2 * stretch >= len(tokens)):
            return True
    return False


def _longest_stretch(tokens: Sequence[object], period: int) -> int:
    """The length of the longest run of tokens in which each equals the one a period before it."""
    longest = running = 0
    for index in range(period, len(tokens)):
        running = running + 1 if tokens[index] == tokens[index - period] else 0
        longest = max(longest, running)
    return longest + period if longest else 0


def is_garbage(text: str) -> bool:
    """Whether a text is no language at all: hardly a letter, undecodable bytes, or one endless word.

    Fluent nonsense is not recognised; that is what answer classes are for. An empty text is empty, not garbage.
    """
    shown = [c for c in text if not c.isspace()]
    if not shown:
        return False
    kinds = [unicodedata.category(c) for c in shown]
    wordlike = sum(kind[0] in "LMN" for kind in kinds)
    broken = sum(c == "\ufffd" or kind in ("Cc", "Cs", "Cn", "Co") for c, kind in zip(shown, kinds, strict=True))
    if broken * 10 > len(shown) or (wordlike == 0 and "So" not in kinds):
        return True
    endless = any(len(word) > 60 and word.isascii() and "/" not in word for word in text.split())
    return endless or (len(shown) >= 12 and 2 * wordlike < len(shown))
