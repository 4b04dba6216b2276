"""Items: training rows and evaluation cases in the one form that overlap checks compare.

A conversation of several turns is several items: one for each user message and the answer that follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelqa.errors import DataError
from modelqa.family import normalise, signature

if TYPE_CHECKING:
    from modelqa.gates import Case

DISJOINT = frozenset({"payload", "phrasing", "prompt"})  # what a comparison may declare to be disjoint
_MAPPING, _SEQUENCE = (dict, Mapping), (list, Sequence)  # what JSON gives comes first: it is checked faster


@dataclass(frozen=True)
class Item:
    """One question with its answer, on either side of a comparison.

    payload   None when it is not declared
    disjoint  what this item wants unseen: facts, whose content has to be known, say {"phrasing", "prompt"}
    """

    id: str
    prompt: str
    answer: str = ""
    payload: str | None = None
    disjoint: frozenset[str] = DISJOINT

    @cached_property
    def words(self) -> list[str]:
        """The prompt's words in normal form."""
        return normalise(self.prompt).split()

    @cached_property
    def answer_words(self) -> list[str]:
        """The answer's words in normal form."""
        return normalise(self.answer).split()

    @cached_property
    def payload_words(self) -> tuple[str, ...]:
        """The declared payload's words in normal form; () when none is declared."""
        return tuple(self.answer_words if self.payload == self.answer else normalise(self.payload or "").split())

    @cached_property
    def template(self) -> str:
        """The prompt's template signature; "" when there is no prompt."""
        return signature(self.prompt, payload=self.payload, answer=self.answer) if self.prompt else ""

    @property
    def text(self) -> list[str]:
        """The words that the n-gram tier looks for: the prompt's; plain text without a prompt is looked for whole."""
        return self.words or self.answer_words


def items_of_row(row: Mapping[str, Any], identity: str) -> Iterator[Item]:
    """The exchanges of a chat row; a row that is not well formed gives what can be read of it.

    `identity` is what reports name: the row's id, or file and line; further exchanges get "#2", "#3", ... behind it.
    `meta.payload` and `meta.disjoint` are honoured.
    """
    meta = row.get("meta") if isinstance(row.get("meta"), _MAPPING) else {}
    payload = meta.get("payload") if isinstance(meta, _MAPPING) else None
    declared = payload if isinstance(payload, str) else None
    disjoint = _declared(meta, identity)
    prompt = ""
    count = 0
    for role, content in _texts(row.get("messages")):
        if role == "user":
            prompt = content
        elif role == "assistant":
            count += 1
            yield Item(identity if count == 1 else f"{identity}#{count}", prompt, content, declared, disjoint)
            prompt = ""


def _texts(messages: Any) -> Iterator[tuple[str, str]]:
    for message in messages if isinstance(messages, _SEQUENCE) else ():
        if isinstance(message, _MAPPING) and isinstance(message.get("content"), str):
            yield str(message.get("role")), message["content"]


def item_of_case(case: Case) -> Item:
    """An evaluation case as an item: its last user message and its first right answer."""
    return Item(case.id, case.user, case.answer, case.payload, _declared(case.meta, case.id))


def _declared(meta: Any, identity: str) -> frozenset[str]:
    """What `meta.disjoint` names, e.g. "phrasing prompt"; everything when it is absent."""
    value = meta.get("disjoint") if isinstance(meta, _MAPPING) else None
    if value is None:
        return DISJOINT
    named = frozenset(str(value).replace(",", " ").split())
    if not named <= DISJOINT:
        raise DataError(
            f"{identity}: meta.disjoint is {value!r}",
            reason=f"it may name only {', '.join(sorted(DISJOINT))}",
            remedy="correct the word, or leave the field out to compare everything",
        )
    return named
