"""Chat rows: the one schema of training data, made, read and checked. A row of another shape is an error with its line.

    {"id": str, "messages": [{"role": ..., "content": ...}, ...], "meta": {"category": str, "payload": str, ...}}

`id` and `meta` are optional in a user's file. The system text is an ordinary first message: it is data.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from modelqa.errors import DataError
from modelqa.files import canonical_json, read_jsonl, sha256_text
from modelqa.record import Problem
from modelqa.text import half_character

Row = dict[str, Any]
Each = TypeVar("Each")
ROLES = ("system", "user", "assistant")
DEFAULT_SYSTEM = "Be brief and exact."
SHOWN = 5  # ids named in one problem; the count is always whole


def chat_row(identity: str, user: str, answer: str, *, system: str, meta: Mapping[str, Any]) -> Row:
    """A row of one question and one answer; no system message when `system` is empty."""
    first = [{"role": "system", "content": system}] if system else []
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
    return {"id": identity, "messages": [*first, *turns], "meta": dict(meta)}


def defect(row: Mapping[str, Any]) -> str | None:
    """Why a JSON object is no chat row, as a short fact; None when it is one."""
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no list of messages"
    for number, message in enumerate(messages):
        if found := _message_defect(message, number):
            return found
    if messages[-1]["role"] != "assistant":
        return f"the last message is of role {messages[-1]['role']}, not assistant"
    if messages[0]["role"] == "assistant":
        return "the first message is an answer: nothing was asked"
    return _label_defect(row)


def _message_defect(message: Any, number: int) -> str | None:
    if not isinstance(message, dict):
        return f"message {number} is no object"
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        return f"message {number} has role {role!r}; roles are {', '.join(ROLES)}"
    if role == "system" and number:
        return f"message {number} is of role system, which stands first only"
    if not isinstance(content, str):
        return f"message {number} has no text in content"
    if role != "system" and not content.strip():
        return f"message {number} ({role}) is empty"
    if (place := half_character(content)) is not None:
        return f"message {number} ({role}) is not valid Unicode: half a character at place {place}"
    return None


def _label_defect(row: Mapping[str, Any]) -> str | None:
    if "id" in row and not (isinstance(row["id"], str) and row["id"]):
        return "id is not a text"
    meta = row.get("meta", {})
    if not isinstance(meta, dict):
        return "meta is no object"
    for key, value in meta.items():
        if isinstance(value, (dict, list)):
            return f"meta.{key} is not a single value"
    labels = [row.get("id", ""), *meta, *[text for text in meta.values() if isinstance(text, str)]]
    if half_character(" ".join(labels)) is not None:
        return "id or meta is not valid Unicode: it holds half a character"
    return None


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(line number from 1, row) of each chat row, streamed; without `id` it is "line N", without `meta` that is empty.

    Raises `DataError` with file and line for whatever is not a chat row, and for a file without rows.
    """
    number = 0
    for number, row in read_jsonl(path, strict=True):
        if found := defect(row):
            raise DataError(
                f"{path}, line {number}: {found}",
                reason='a chat row is {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}',
                remedy="mend or remove the row",
            )
        yield number, {**row, "id": row.get("id", f"line {number}"), "meta": row.get("meta", {})}
    if not number:
        raise DataError(f"{path}: no rows", reason="the file is empty", remedy="check the path, or make the file again")


def sampled(rows: Iterable[Each], size: int) -> list[Each]:
    """A reservoir sample of at most `size` of what is streamed, in its order; the same rows give the same sample.

    The first rows of a file are no sample: a mixed one often holds its sources one after the other.
    """
    drawn, held = random.Random(0), list[tuple[int, Each]]()
    for number, row in enumerate(rows):
        if number < size:
            held.append((number, row))
        elif (place := drawn.randrange(number + 1)) < size:
            held[place] = (number, row)
    return [row for _, row in sorted(held, key=lambda entry: entry[0])]


def prompt_of(row: Row) -> str:
    """Everything before the last answer as one canonical text: equal for rows that ask the same."""
    return canonical_json(row["messages"][:-1])


def answer_of(row: Row) -> str:
    """The text of the last message."""
    return str(row["messages"][-1]["content"])


def user_of(row: Row) -> str:
    """The text of the last user message."""
    return next((str(m["content"]) for m in reversed(row["messages"]) if m["role"] == "user"), "")


def row_hash(row: Row) -> str:
    """Hex sha256 of what is trained on: the messages. Ids and labels do not count."""
    return sha256_text(canonical_json(row["messages"]))


def duplicates(rows: Iterable[Row]) -> list[Problem]:
    """Exact duplicates and prompts with several answers, each as one problem that names the first rows.

    Codes "duplicate-row" (same messages) and "ambiguous-prompt" (same prompt, another answer); locus: row ids.
    """
    asked: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        asked[sha256_text(prompt_of(row))][answer_of(row)].append(str(row["id"]))
    found = []
    for answers in asked.values():
        if len(answers) > 1:
            ids = [ids[0] for ids in answers.values()]
            shown = ", ".join(repr(answer) for answer in list(answers)[:SHOWN])
            found.append(Problem("ambiguous-prompt", _locus(ids), f"one prompt has {len(answers)} answers: {shown}"))
        for ids in answers.values():
            if len(ids) > 1:
                found.append(Problem("duplicate-row", _locus(ids), f"the same messages stand in {len(ids)} rows"))
    return found


def _locus(ids: list[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (f" +{len(ids) - SHOWN}" if len(ids) > SHOWN else "")
