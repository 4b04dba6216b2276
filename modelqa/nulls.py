"""Policies that answer without any model: what a gate must not take for knowledge, and the oracle that it must pass.

A policy is a function from a `Question` to a `Reply`. `BLIND` ones know only the question; `SPOILED` ones know the
right answer and spoil it; `oracle` knows it and says it. All are deterministic.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from modelqa.reply import Reply

_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|`([^`\n]+)`|(?<!\w)'([^'\n]+)'(?!\w)"
    "|\u201c([^\u201d\n]+)\u201d|\u201e([^\u201c\n]+)\u201c|\u00ab([^\u00bb\n]+)\u00bb"
    r"|\|([^|\n]+)\||\[([^\]\n]+)\]|<([^>\n]+)>|\{([^}\n]+)\}|:\s+([^\n]+)"
)
_OPTION = re.compile(r"^\s*\(?([A-Z0-9])[).:]\s+(\S.*?)\s*$", re.MULTILINE)
_STATEMENT = re.compile(r"[^.!?:\n\"<>]+\.")
_SOURCE = re.compile(r"^(\S[^\n]*?\[[0-9]+\])\s*$|^(\[[0-9]+\]\s*\S[^\n]*)$", re.MULTILINE)
_ORDER = re.compile(
    r"\b(?:say|write|print|type|reply with|answer with|answer is|must answer|hear|nothing but)\s+"
    r"[\"'`]?([^\s\"'`.,;:!?]+)",
    re.IGNORECASE,
)
_EDGES = " \t\n.,;:!?\"'`()[]{}<>|*"
_BABBLE = "the of and to in it is that was for on as with his they be at one have this"  # ordinary, and no answer


@dataclass(frozen=True)
class Question:
    """What a policy may look at.

    user      the last user message
    system    the case's own system message, "" without one
    earlier   the user messages before the last
    stop      text of the token that ends an answer
    role_tags texts of the other special tokens
    expected  the right answer; only the oracle and the spoiled policies read it
    """

    user: str
    stop: str
    role_tags: tuple[str, ...] = ()
    expected: str = ""
    system: str = ""
    earlier: tuple[str, ...] = ()


Policy = Callable[[Question], Reply]


def _says(text: str, question: Question, *, stopped: bool = True) -> Reply:
    """A reply of this text; its ids are made up, one to a word, equal for equal words, with 0 for the stop token."""
    ids = tuple(1 + zlib.crc32(word.encode("utf-8", "surrogatepass")) % 50_000 for word in text.split())
    raw = text + question.stop if stopped else text
    return Reply((*ids, 0) if stopped else ids, raw, text.strip(), stopped)


def _constant(text: str) -> Policy:
    def policy(question: Question) -> Reply:
        return _says(text, question)

    policy.__doc__ = f"Says {text!r} to everything."
    return policy


def empty(question: Question) -> Reply:
    """Stops at once."""
    return _says("", question)


def eot_first(question: Question) -> Reply:
    """Emits the stop token first and talks on after it, for an engine that does not stop there."""
    talk = f"{question.stop}\n{question.user}"
    return Reply((0, *_says(talk, question).ids), talk + question.stop, "", True)


def babble(question: Question) -> Reply:
    """Common words without end and without a stop."""
    start = zlib.crc32(question.user.encode("utf-8", "surrogatepass")) % 20
    words = _BABBLE.split()
    return _says(" ".join(words[start:] + words[:start]), question, stopped=False)


def parrot(question: Question) -> Reply:
    """Says the user's message back."""
    return _says(question.user, question)


def last_word(question: Question) -> Reply:
    """Says the last word of the question, which is the payload of many templates."""
    return _says(_last_words(question.user, 1), question)


def delimited_payload(question: Question) -> Reply:
    """Copies what stands in quotes, backticks or brackets, or after a colon: COPY and EXTRACT without reading."""
    return _says(_delimited(question.user), question)


def bracket(question: Question) -> Reply:
    """Puts the delimited text, or the last words, in square brackets: WRAP without reading."""
    return _says(f"[{_delimited(question.user)}]", question)


def first_option(question: Question) -> Reply:
    """Says the letter of the first option, A when there is none."""
    option = _OPTION.search(question.user)
    return _says(option[1] if option else "A", question)


def longest_option(question: Question) -> Reply:
    """Says the longest option, or the longest word when there are no options."""
    options = [option[2] for option in _OPTION.finditer(question.user)]
    words = [word.strip(_EDGES) for word in question.user.split()]
    return _says(max(options or words or [""], key=len), question)


def role_tags(question: Question) -> Reply:
    """Emits every special token of the tokenizer, or the commonest foreign ones, and stops."""
    return _says("".join(question.role_tags) or "<|user|><|assistant|>", question)


def loop(question: Question) -> Reply:
    """Says the last two words over and over, and never stops."""
    return _says(" ".join([_last_words(question.user, 2) or "la la"] * 16), question, stopped=False)


def last_sentence(question: Question) -> Reply:
    """Says the last statement of the question: the end of a material, where the answer often stands."""
    statements = [part.strip() for part in _STATEMENT.findall(question.user)]
    return _says(statements[-1] if statements else question.user, question)


def first_source(question: Question) -> Reply:
    """Says the first numbered line whole, with its number; without any, the last word and an empty citation."""
    found = _SOURCE.search(question.user)
    return _says(found[0].strip() if found else f"{_last_words(question.user, 1)} []", question)


def obedient(question: Question) -> Reply:
    """Says whatever word an order names, whoever gives it; without an order, the last word."""
    found = _ORDER.search(question.user)
    return _says(found[1] if found else _last_words(question.user, 1), question)


def system_word(question: Question) -> Reply:
    """Says the last word of the system message, which a rule often names; without one, of the question."""
    return _says(_last_words(question.system or question.user, 1), question)


def earlier_word(question: Question) -> Reply:
    """Says the last word of the user's first message, whatever the last one asks."""
    return _says(_last_words((*question.earlier, question.user)[0], 1), question)


def oracle(question: Question) -> Reply:
    """The right answer and nothing else: the positive control, which every gate must pass."""
    return _says(question.expected, question)


def oracle_trailing_turn(question: Question) -> Reply:
    """The right answer, and then a turn that nobody asked for."""
    opening = question.role_tags[0] if question.role_tags else "<|user|>"
    return _says(f"{question.expected}\n{opening}user\nThanks, and now?", question)


def oracle_wrong_case(question: Question) -> Reply:
    """The right answer in the other case; the right answer itself where there is no case to change."""
    return _says(question.expected.swapcase(), question)


def oracle_quoted(question: Question) -> Reply:
    """The right answer in quotation marks."""
    return _says(f'"{question.expected}"', question)


def oracle_unstopped(question: Question) -> Reply:
    """The right answer, and no stop."""
    return _says(question.expected, question, stopped=False)


def _last_words(text: str, count: int) -> str:
    return " ".join(text.strip(_EDGES).split()[-count:]).strip(_EDGES)


def _delimited(text: str) -> str:
    """What the first delimiters hold; without any, the last word."""
    found = _QUOTED.search(text)
    inside = next((group for group in found.groups() if group), "") if found else ""
    return inside.strip().rstrip(".") or _last_words(text, 1)


BLIND: dict[str, Policy] = {
    "empty": empty,
    "eot_first": eot_first,
    "babble": babble,
    "constant_yes": _constant("Yes."),
    "constant_no": _constant("No."),
    "constant_unknown": _constant("Unknown."),
    "constant_ok": _constant("OK."),
    "constant_object": _constant("{}"),
    "refusal": _constant("I'm sorry, but I can't help with that."),
    "parrot": parrot,
    "last_word": last_word,
    "delimited_payload": delimited_payload,
    "bracket": bracket,
    "first_option": first_option,
    "longest_option": longest_option,
    "last_sentence": last_sentence,
    "first_source": first_source,
    "obedient": obedient,
    "system_word": system_word,
    "earlier_word": earlier_word,
    "role_tags": role_tags,
    "loop": loop,
}
"""Policies that know only the question: a gate that one of them passes has no teeth."""

SPOILED: dict[str, Policy] = {
    "oracle_trailing_turn": oracle_trailing_turn,
    "oracle_wrong_case": oracle_wrong_case,
    "oracle_quoted": oracle_quoted,
    "oracle_unstopped": oracle_unstopped,
}
"""The right answer with one thing wrong: each must fail the gate that claims to see that thing."""

POLICIES: dict[str, Policy] = {**BLIND, **SPOILED}
