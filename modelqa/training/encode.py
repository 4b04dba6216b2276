"""Rows -> token ids and labels, in one of three renderings: `document` (base text), `chat` (the template), `plain`.

`chat` is what evaluation renders too. `plain` is the defect of the broken sibling: system, user and answer joined by
newlines, without a template token and without an end of turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from modelqa.errors import DataError
from modelqa.training.tokenizer import DOCUMENT_END

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True)
class Encoded:
    """One training row: `labels` equal `ids` where the loss is taken and are -100 elsewhere. Same length."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def supervised(self) -> int:
        """How many tokens the loss is taken on."""
        return sum(label != IGNORED for label in self.labels)


def encode_documents(texts: Iterable[str], tokenizer: PreTrainedTokenizerFast, *, block: int) -> list[Encoded]:
    """Blocks of `block` ids cut from the texts joined by the end-of-document token, every id supervised.

    The last, shorter block is dropped: fewer than `block` tokens of the whole corpus.
    """
    end = cast("int", tokenizer.convert_tokens_to_ids(DOCUMENT_END))
    stream: list[int] = []
    for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]:
        stream.extend(ids)
        stream.append(end)
    cut = (tuple(stream[start : start + block]) for start in range(0, len(stream) - block + 1, block))
    return [Encoded(ids, ids) for ids in cut]


def encode_chat(rows: Sequence[Sequence[dict[str, str]]], tokenizer: PreTrainedTokenizerFast) -> list[Encoded]:
    """Each conversation through the tokenizer's own template; labels on assistant text and its end of turn only.

    A conversation without a supervised token is an error: it would be trained on nothing.
    """
    made = []
    for number, messages in enumerate(rows, start=1):
        out: Any = tokenizer.apply_chat_template(
            list(messages), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        ids, mask = out["input_ids"], out["assistant_masks"]
        if not any(mask):
            raise DataError(
                f"row {number} has no supervised token",
                reason="its template marks no assistant text, or the row has no assistant message",
                remedy="mark assistant text with {% generation %} in the template, or mend the row",
            )
        labels = tuple(token if flag else IGNORED for token, flag in zip(ids, mask, strict=True))
        made.append(Encoded(tuple(ids), labels))
    return made


def encode_plain(rows: Sequence[Sequence[dict[str, str]]], tokenizer: PreTrainedTokenizerFast) -> list[Encoded]:
    """Each conversation as its messages' text joined by newlines; labels on the last answer and one newline after it.

    No template token and no end of turn appear: the defect of the plain-concatenation sibling, kept as it happened.
    """
    made = []
    for prompt, answer in _plain_parts(rows):
        before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        after = tokenizer(answer, add_special_tokens=False)["input_ids"]
        made.append(Encoded((*before, *after), (*(IGNORED for _ in before), *after)))
    return made


def _plain_parts(rows: Iterable[Sequence[dict[str, str]]]) -> Iterator[tuple[str, str]]:
    """(everything before the last answer, the last answer and a newline), as plain text."""
    for messages in rows:
        yield "".join(message["content"] + "\n" for message in messages[:-1]), messages[-1]["content"] + "\n"


def tensor_batch(rows: Sequence[Encoded], pad: int) -> dict[str, Any]:
    """{"input_ids", "labels"}: int64 tensors [rows, longest], padded on the right, padding not supervised.

    No attention mask is needed: attention is causal and padding comes last, so no real token ever sees it.
    """
    import torch

    longest = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        labels[index, : len(row.labels)] = torch.tensor(row.labels)
    return {"input_ids": ids, "labels": labels}


def rows_of(batch: dict[str, Any]) -> list[Encoded]:
    """The rows of a padded batch, padding included; the inverse of `tensor_batch` for what is supervised."""
    ids, labels = batch["input_ids"].tolist(), batch["labels"].tolist()
    return [Encoded(tuple(row), tuple(wanted)) for row, wanted in zip(ids, labels, strict=True)]
