"""What a model chooses, by the likelihood of what it could answer. Functions for `lab.measure`: JSON in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelqa.choice.items import Shown, lettered_prompt
from modelqa.data.choices import LETTERS
from modelqa.parity import answer_losses

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate import LocalEngine

Question = Mapping[str, Any]


def questions(sheet: Sequence[Shown], *, system: str | None, form: str) -> list[dict[str, Any]]:
    """{"messages", "answers"} of each showing, in one of three forms.

    letter  the options are shown, and the letters are tried as answers
    words   the options are shown, and each of them is tried as the answer
    cloze   the options are not shown: the question stands alone, and each of them is tried
    """
    head = [{"role": "system", "content": system}] if system else []
    rows = []
    for shown in sheet:
        answers = list(LETTERS[: len(shown.options)]) if form == "letter" else list(shown.options)
        text = shown.stem if form == "cloze" else lettered_prompt(shown, words=form == "words")
        rows.append({"messages": [*head, {"role": "user", "content": text}], "answers": answers})
    return rows


def likeliest_letters(engine: LocalEngine, chat: Chat, asked: Sequence[Question]) -> list[int]:
    """The place of the likeliest answer of each question, by its whole log-likelihood: for answers of one length."""
    return [_smallest(row) for row in _losses(engine, chat, asked)]


def likeliest_texts(engine: LocalEngine, chat: Chat, asked: Sequence[Question]) -> list[int]:
    """The place of the likeliest answer of each question by log-likelihood per UTF-8 byte: for texts of any length.

    The normalisation that lm-evaluation-harness calls acc_norm; without it short options win.
    """
    sizes = [[max(1, len(answer.encode())) for answer in question["answers"]] for question in asked]
    rows = _losses(engine, chat, asked)
    return [
        _smallest([nll / size for nll, size in zip(row, size_row, strict=True)])
        for row, size_row in zip(rows, sizes, strict=True)
    ]


def said_texts(engine: LocalEngine, chat: Chat, asked: Sequence[Question], *, max_new_tokens: int) -> list[str]:
    """What the model writes when it is asked each question, greedily; "" where it cannot be asked."""
    prompts = [chat.render([dict(message) for message in question["messages"]]) for question in asked]
    made = dict(engine.replies(prompts, max_new_tokens=max_new_tokens, decode=chat.decode))
    return [made[place].text if place in made else "" for place in range(len(prompts))]


def _losses(engine: LocalEngine, chat: Chat, asked: Sequence[Question]) -> list[list[float]]:
    """Nats of each answer of each question, without the stop token."""
    told = [
        [*question["messages"], {"role": "assistant", "content": answer}]
        for question in asked
        for answer in question["answers"]
    ]
    nats = iter(answer_losses(engine, chat, told))
    return [[next(nats) for _ in question["answers"]] for question in asked]


def _smallest(values: Sequence[float]) -> int:
    return min(range(len(values)), key=lambda place: values[place])
