"""The inspection frame: one row of scalars for each training example, which data contracts are written against.

Rows that are not well formed get a row too (`roles_ok` is False): a contract says what is wrong, a crash does not.

Columns
  id, place            the row's id, its place when it has none; "file.jsonl:line"
  source, category, language   from meta; null when it names none
  roles_ok             known roles, text in each message, system first, user and assistant in turn, assistant last
  n_messages, user_chars, answer_chars, has_system
  system_hash          of the system text; "" without one
  prompt_norm_hash     of everything before the last answer, in normal form
  payload_norm         the declared payload in normal form; "" when none is declared
  copies               how many earlier rows have the same messages
  answers              how many different answers (normal form) the same prompt has in the dataset; 1 for plain text
  language_ok          whether meta.language is there and the text, as far as can be told, of no other language
  tokens, supervised_tokens, end_of_turn_supervised, mask_ok, mask_problem   of rendered rows only, else null;
                       plain text (an answer to nothing) is not rendered
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data.language import contradicts
from modelqa.errors import DataError, TemplateError
from modelqa.family import normalise
from modelqa.files import canonical_json, read_jsonl, sha256_text

if TYPE_CHECKING:
    import pandas

    from modelqa.chat import Chat

LONGEST = 20  # rows with the most characters that are always rendered: one that is too long is among them
# Rows whose mask is checked; a render and its mask take milliseconds, those of a whole dataset would take minutes.
# Every shape of row is among them, and what training really fed is compared in every captured row (`modelqa.parity`).
RENDERED = 200
SEED = 20  # of the choice of rendered rows
_HASH = 16  # hex digits kept of a hash in the frame; 2^64 values do not meet by chance in a dataset
_MASK_CODES = ("data.mask", "parity.render")  # what makes a mask wrong, or impossible to confirm
_MAPPING = (dict, Mapping)  # what JSON gives comes first: it is checked faster
_STOP_CODE = "parity.stop_supervised"

Row = tuple[str, Mapping[str, Any]]  # (place, row)


def read_rows(paths: Iterable[Path]) -> Iterator[Row]:
    """("file.jsonl:line", row) of each row of the files, in order; `DataError` names a line that is no JSON object."""
    for path in paths:
        for number, row in read_jsonl(path, strict=True):
            yield f"{path.name}:{number}", row


def inspection_frame(rows: Sequence[Row], *, chat: Chat | None = None, rendered: int = RENDERED) -> pandas.DataFrame:
    """One row of scalars for each example.

    chat      renders `rendered` rows and checks their loss masks; without it the mask columns are null
    rendered  how many: the longest rows and the first one of each shape (see `_shape`) in any case, filled up with a
              seeded sample
    """
    import pandas

    seen: Counter[Any] = Counter()
    answers: defaultdict[str, set[str]] = defaultdict(set)
    table: list[dict[str, Any]] = []
    for place, row in rows:
        scalars = _scalars(place, row)
        answers[scalars["prompt_norm_hash"]].add(scalars.pop("answer_norm"))
        whole = _identity(row.get("messages"))
        table.append({**scalars, "copies": seen[whole], **_UNRENDERED})
        seen[whole] += 1
    for scalars in table:
        scalars["answers"] = len(answers[scalars["prompt_norm_hash"]]) if scalars["user_chars"] else 1
    if chat is not None:
        for number in _chosen(rows, table, rendered):
            table[number].update(_mask(chat, rows[number][1]["messages"]))
    return pandas.DataFrame(table, columns=[*COLUMNS])


_UNRENDERED = dict.fromkeys(("tokens", "supervised_tokens", "end_of_turn_supervised", "mask_ok", "mask_problem"))
COLUMNS = (
    "id", "place", "source", "category", "language", "roles_ok", "n_messages", "user_chars", "answer_chars",
    "has_system", "system_hash", "prompt_norm_hash", "payload_norm", "language_ok", "copies", "answers", *_UNRENDERED,
)


def _scalars(place: str, row: Mapping[str, Any]) -> dict[str, Any]:
    pairs = _pairs(row.get("messages"))
    meta = meta_of(row)
    system = "\n".join(content for role, content in pairs if role == "system")
    answer = pairs[-1][1] if pairs and pairs[-1][0] == "assistant" else ""
    return {
        "id": _text(row.get("id", place)),
        "place": place,
        **{key: _text(meta.get(key)) for key in ("source", "category", "language")},
        "roles_ok": roles_ok(row.get("messages")),
        "n_messages": len(pairs),
        "user_chars": sum(len(content) for role, content in pairs if role == "user"),
        "answer_chars": sum(len(content) for role, content in pairs if role == "assistant"),
        "has_system": any(role == "system" for role, _ in pairs),
        "system_hash": sha256_text(system)[:_HASH] if system else "",
        "prompt_norm_hash": sha256_text("\n".join(f"{role} {normalise(text)}" for role, text in pairs[:-1]))[:_HASH],
        "payload_norm": normalise(meta["payload"]) if isinstance(meta.get("payload"), str) else "",
        "language_ok": _language_ok(meta.get("language"), pairs),
        "answer_norm": normalise(answer),
    }


def _identity(messages: Any) -> Any:
    """A value that only equal messages have: roles and texts, and all of messages that hold anything else."""
    pairs = _pairs(messages)
    plain = isinstance(messages, list) and len(pairs) == len(messages) and all(len(each) == 2 for each in messages)
    return tuple(pairs) if plain else canonical_json(messages)


def _language_ok(label: Any, pairs: Sequence[tuple[str, str]]) -> bool:
    said = " ".join(text for role, text in pairs if role != "system")
    return isinstance(label, str) and not contradicts(label, said)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def meta_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row's metadata; empty when it has none."""
    meta = row.get("meta")
    return meta if isinstance(meta, _MAPPING) else {}


def _pairs(messages: Any) -> list[tuple[str, str]]:
    """(role, text) of the messages that have both."""
    if not isinstance(messages, list | tuple):
        return []
    return [(message["role"], message["content"]) for message in messages if isinstance(message, _MAPPING)
            and isinstance(message.get("role"), str) and isinstance(message.get("content"), str)]


def roles_ok(messages: Any) -> bool:
    """Whether messages are well formed: at most one system message, first; then user and assistant in turn, ending
    with an answer; no blank turn. A single assistant message is plain text, as a base model is trained on."""
    pairs = _pairs(messages)
    if not pairs or len(pairs) != len(messages):
        return False
    turns = [role for role, _ in pairs[pairs[0][0] == "system":]]
    alternate = turns == ["assistant"] or (turns == ["user", "assistant"] * (len(turns) // 2) and bool(turns))
    return alternate and all(text.strip() for role, text in pairs if role != "system")


def _chosen(rows: Sequence[Row], table: Sequence[Mapping[str, Any]], count: int) -> list[int]:
    """Row numbers to render, ascending: the first row of each shape, the longest, and a sample up to `count`."""
    well_formed = [number for number, scalars in enumerate(table) if scalars["roles_ok"] and scalars["user_chars"]]
    first: dict[tuple[Any, ...], int] = {}
    for number in well_formed:
        first.setdefault(_shape(rows[number][1], table[number]), number)
    longest = nlargest(LONGEST, well_formed, key=lambda at: table[at]["user_chars"] + table[at]["answer_chars"])
    shuffled = random.Random(SEED).sample(well_formed, len(well_formed))
    wanted = dict.fromkeys([*first.values(), *longest])
    return sorted(list(wanted | dict.fromkeys(shuffled))[: max(count, len(wanted))])


def _shape(row: Mapping[str, Any], scalars: Mapping[str, Any]) -> tuple[Any, ...]:
    """What may change how a template treats a row: roles, outer whitespace, marks of control tokens, other scripts."""
    pairs = _pairs(row["messages"])
    text = [content for _, content in pairs]
    return (
        scalars["source"], scalars["category"], tuple(role for role, _ in pairs),
        any(each != each.strip() for each in text), any("<" in each or "[" in each for each in text),
        all(each.isascii() for each in text),
    )


def _mask(chat: Chat, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    try:
        problems = chat.mask_problems(messages)
        episode = chat.episode(messages)
    except (DataError, TemplateError) as error:
        found = {"supervised_tokens": 0, "end_of_turn_supervised": False, "mask_ok": False, "mask_problem": error.fact}
        return {**_UNRENDERED, **found}
    codes = {problem.code for problem in problems}
    return {
        "tokens": len(episode.ids),
        "supervised_tokens": episode.supervised,
        "end_of_turn_supervised": _STOP_CODE not in codes,
        "mask_ok": codes.isdisjoint(_MASK_CODES),
        "mask_problem": "; ".join(f"{problem.locus}: {problem.text}" for problem in problems),
    }
