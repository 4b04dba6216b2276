"""assert_trainable: one line before a training loop that stops what cannot teach a chat model to chat and to stop.

    modelqa.assert_trainable(dataset, tokenizer)

It looks at the rows as the trainer will get them: tokenised ones for their ids and labels, text for the ids that the
tokenizer makes of it, conversations for what the chat template makes of them. Needs no weights and no torch.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.errors import ModelqaError
from modelqa.record import Problem
from modelqa.text import visible

if TYPE_CHECKING:
    from modelqa.chat import Chat

LIMIT = 5000  # rows looked at, evenly spread: seconds for conversations; a wrong formatter is wrong on many rows
_SHOWN = 160  # characters of a row in the message
_QUESTION = [{"role": "user", "content": "Hello"}]

_REMEDIES = {
    "parity.render": "write every row with tokenizer.apply_chat_template(messages, tokenize=False), or give the "
    "trainer the messages column",
    "parity.bos": "tokenise rendered text with add_special_tokens=False: the template writes the token itself",
    "parity.stop_supervised": "put the end-of-turn token inside {% generation %} ... {% endgeneration %}, keep its "
    "label, and check that no row is cut",
    "data.mask": "mark what the assistant says with {% generation %} in the template and train with "
    "assistant_only_loss, or give labels of your own",
    "data.rows": "give rows with the column input_ids, messages or text, or with prompt and completion",
    "harness.template": "save the template that training uses with the tokenizer: tokenizer.chat_template = ...",
    "harness.stop_ids": "let the template end each answer with a token, and name it in eos_token_id",
}


def assert_trainable(dataset: Iterable[Any], tokenizer: Any, *, limit: int = LIMIT) -> int:
    """How many rows were looked at; AssertionError (fact, reason, remedy) at the first that cannot be trained on.

    dataset    rows with `input_ids` (and `labels`, or `assistant_masks`), `messages`, `text`, or `prompt` and
               `completion`; plain strings are text. Both `messages` and `input_ids`: compared id by id
    tokenizer  a transformers tokenizer, a checkpoint folder, or a `modelqa.chat.Chat`
    limit      rows, evenly spread; all of them when there are fewer
    """
    try:
        chat, complete = _chat(tokenizer)
        for problem in chat.stop_problems() if complete else _writes_stop(chat):
            raise _failure("the chat template and the stop tokens", problem)
    except ModelqaError as error:
        raise AssertionError(str(error)) from None
    count = 0
    for number, row in _chosen(dataset, limit):
        count += 1
        try:
            found = row_problems(chat, row)
        except ModelqaError as error:
            found = [Problem("data.rows", "row", f"{error.fact}: {error.reason}")]
        for problem in found:
            raise _failure(f"row {number}", problem)
    if not count:
        raise _failure("the dataset", Problem("data.rows", "dataset", "it has no rows"))
    return count


def _failure(what: str, problem: Problem) -> AssertionError:
    return AssertionError(
        f"{what} cannot train this chat model ({problem.code}, {problem.locus})\n"
        f"  reason: {problem.text}\n  remedy: {_REMEDIES[problem.code]}"
    )


def _chat(tokenizer: Any) -> tuple[Chat, bool]:
    """(chat, whether generation's stop tokens are known); a tokenizer object is read as it would be saved."""
    from modelqa.chat import Chat, open_chat

    if isinstance(tokenizer, Chat):
        return tokenizer, True
    if isinstance(tokenizer, str | Path):
        return open_chat(tokenizer), True
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        chat = open_chat(folder)
        chat.tokens.read()
    return chat, False


def _writes_stop(chat: Chat) -> list[Problem]:
    if chat.turn_end_id is not None:
        return []
    return [Problem("harness.stop_ids", "chat template", "the template writes no token after an answer, so a model "
                    "trained with it cannot learn to stop")]


def _chosen(dataset: Iterable[Any], limit: int) -> Iterator[tuple[int, Any]]:
    """(number from 0, row) of at most `limit` rows: evenly spread where rows can be picked, else the first."""
    if isinstance(dataset, Mapping):
        problem = Problem("data.rows", "dataset", f"it is a table of splits ({', '.join(map(str, dataset))})")
        raise _failure("the dataset", problem)
    if isinstance(dataset, Sized) and hasattr(dataset, "__getitem__"):
        size = len(dataset)
        return ((at, dataset[at]) for at in range(0, size, max(1, -(-size // limit))))
    return enumerate(itertools.islice(dataset, limit))


def row_problems(chat: Chat, row: Any) -> list[Problem]:
    """What keeps one row from training the model; empty when nothing does. Raises `ModelqaError` for malformed ones."""
    if isinstance(row, str):
        row = {"text": row}
    if not isinstance(row, Mapping):
        return [Problem("data.rows", "row", f"it is a {type(row).__name__}, not an object with columns")]
    if isinstance(row.get("prompt"), list) and isinstance(row.get("completion"), list):
        row = {**row, "messages": [*row["prompt"], *row["completion"]]}
    if "input_ids" in row:
        return _fed_problems(chat, row)
    if "messages" in row:
        return chat.mask_problems(row["messages"])
    if isinstance(row.get("prompt"), str) and isinstance(row.get("completion"), str):
        return _text_problems(chat, row["prompt"] + row["completion"])
    if isinstance(row.get("text"), str):
        return _text_problems(chat, row["text"])
    return [Problem("data.rows", "row", f"it has the columns {', '.join(map(str, row))}, none that can be read")]


def _text_problems(chat: Chat, text: str) -> list[Problem]:
    ids = chat.tokens.encode(text).ids
    return _episode_problems(chat, ids, (1,) * len(ids))


def _fed_problems(chat: Chat, row: Mapping[str, Any]) -> list[Problem]:
    """Problems of a tokenised row; packed rows are cut where positions restart, padding is left out."""
    import numpy as np

    from modelqa.data.arrays import IGNORED
    from modelqa.data.captured import Captured, FedRow

    ids = np.asarray(row["input_ids"], np.int64).reshape(-1)
    columns = {name: np.asarray(row[name], np.int64).reshape(-1)
               for name in ("labels", "assistant_masks", "position_ids", "attention_mask") if row.get(name) is not None}
    if any(len(column) != len(ids) for column in columns.values()):
        return [Problem("data.rows", "row", f"its columns have other lengths than its {len(ids)} input_ids")]
    labels = columns.get("labels", ids)
    if "labels" not in columns and "assistant_masks" in columns:
        labels = np.where(columns["assistant_masks"] > 0, ids, IGNORED)
    fed = FedRow(ids, labels, columns.get("position_ids"), columns.get("attention_mask"))
    held = Captured((fed,), about={"pad_id": chat.pad_id})
    found = held.label_problems()
    for episode, mask in held.episodes():
        found += _episode_problems(chat, episode, mask)
        if "messages" in row and not found:
            found += _same_ids(chat, episode, chat.episode(row["messages"]).ids)
    return found or ([] if len(ids) else [Problem("data.rows", "row", "it has no tokens")])


def _episode_problems(chat: Chat, ids: Sequence[int], mask: Sequence[int]) -> list[Problem]:
    from modelqa.chat.mask import bos_problems, stop_supervision

    written = chat.render(_QUESTION)
    missing = [number for number in dict.fromkeys(written.ids)
               if number in chat.tokens.added.values() and number not in ids]
    if missing and chat.bos_id == missing[0] and len(missing) == 1:
        return [Problem("parity.bos", "token 0", "the template begins with a beginning-of-sequence token, the row does "
                        f"not: it begins {_begin(chat, ids)}")]
    if missing:
        return [Problem("parity.render", "token 0", f"the row begins {_begin(chat, ids)} and never holds "
                        f"{visible(chat.decode(missing[:1]))}; evaluation asks as {_begin(chat, written.ids)}, so "
                        "the model would be trained in one format and asked in another")]
    if chat.turn_end_id not in ids:
        return [Problem("parity.stop_supervised", "row", "the end-of-turn token "
                        f"{visible(chat.decode([chat.turn_end_id or 0]))} does not occur in the row, so the model "
                        "would not learn to stop")]
    return bos_problems(chat, ids) or stop_supervision(chat, ids, mask)


def _same_ids(chat: Chat, fed: Sequence[int], own: Sequence[int]) -> list[Problem]:
    if tuple(fed) == tuple(own):
        return []
    at = next((n for n, pair in enumerate(zip(fed, own, strict=False)) if pair[0] != pair[1]), min(len(fed), len(own)))
    held, written = (visible(chat.decode(ids[max(0, at - 6):at + 6])) for ids in (fed, own))
    return [Problem("parity.render", f"token {at}", f"the row holds ...{held} where the template writes ...{written}")]


def _begin(chat: Chat, ids: Sequence[int]) -> str:
    text = visible(chat.decode(ids[:60]))
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
