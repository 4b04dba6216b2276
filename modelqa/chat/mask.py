"""The loss mask, found in two independent ways, and what is wrong when they differ.

Markers: the template says with {% generation %} what the model writes. Oracle: what stands between the prompt that
evaluation would ask (`messages[:i]` and the generation prompt) and the conversation after the answer
(`messages[:i + 1]`) is what the model must write. The oracle needs no markers and knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from modelqa.chat.template import Message
from modelqa.chat.tokens import Encoded, Span
from modelqa.errors import TemplateError
from modelqa.record import Problem
from modelqa.text import visible

if TYPE_CHECKING:
    from modelqa.chat.chat import Chat
    from modelqa.chat.marks import Rendered


def mask_of(encoded: Encoded, spans: Sequence[Span]) -> tuple[int, ...]:
    """1 for each token that shares a character with one of `spans` (sorted, disjoint), else 0."""
    mask = []
    at = 0
    for start, end in encoded.spans:
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        mask.append(int(at < len(spans) and spans[at][0] < max(end, start + 1)))
    return tuple(mask)


def prompts(chat: Chat, messages: Sequence[Message]) -> dict[int, Rendered]:
    """{number of an assistant message: what evaluation would ask before it}; none before a first message."""
    return {at: chat.rendered(messages[:at], add_generation_prompt=True)
            for at, message in enumerate(messages) if at and message["role"] == "assistant"}


def oracle_spans(
    chat: Chat, messages: Sequence[Message], text: str, asked: Mapping[int, Rendered] | None = None
) -> tuple[Span, ...]:
    """Character spans of `text` (the whole conversation) that the model must write, by renders of its prefixes.

    asked  the `prompts`, where they are known already
    Whitespace after the end-of-turn token is left out: generation has stopped before it. Raises `TemplateError` when
    the template rewrites earlier turns, so that a prompt is no prefix of the conversation.
    """
    asked = prompts(chat, messages) if asked is None else asked
    spans = []
    for at, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = asked[at].text if at else ""
        last = at == len(messages) - 1
        upto = text if last else chat.rendered(messages[: at + 1], add_generation_prompt=False).text
        if not (text.startswith(upto) and upto.startswith(prompt)):
            raise TemplateError(
                f"the prompt before message {at} is not how the conversation with its answer begins",
                reason="the template rewrites earlier turns or writes another generation prompt, so a model trained "
                "on whole conversations is asked something it has not seen",
                remedy="split the conversation into rows that end with the answer, or mend the template",
            )
        spans.append((len(prompt), _answer_end(chat, upto, len(prompt))))
    return tuple(spans)


def _answer_end(chat: Chat, text: str, start: int) -> int:
    stop = text.rfind(chat.turn_end, start) if chat.turn_end else -1
    return stop + len(chat.turn_end) if stop >= 0 else max(start, len(text.rstrip()))


def stop_problems(chat: Chat) -> list[Problem]:
    """Why generation would not end where training ended an answer; empty when it does."""
    if not chat.stop_ids:
        return [Problem("harness.stop_ids", "generation_config.json", "there is no stop token: neither "
                        "generation_config.json nor the tokenizer declares one, so every reply runs to the limit")]
    if chat.turn_end_id is None:
        return [Problem("harness.stop_ids", "chat template", "the template writes no token after an answer, so a model "
                        "trained with it cannot learn to stop")]
    if chat.turn_end_id in chat.stop_ids:
        return []
    declared = ", ".join(f"{visible(chat.decode([number]))} ({number})" for number in chat.stop_ids)
    return [Problem("harness.stop_ids", f"token {chat.turn_end_id}",
                    f"the template ends an answer with {visible(chat.decode([chat.turn_end_id]))} "
                    f"({chat.turn_end_id}), but generation stops at {declared}: add it to eos_token_id in "
                    "generation_config.json")]


def mask_problems(chat: Chat, messages: Sequence[Message]) -> list[Problem]:
    """What is wrong with the mask of one conversation: prompt parity, beginning token, markers, end of turn."""
    encoded, found = chat.encoded(messages)
    asked = prompts(chat, messages)
    try:
        oracle = oracle_spans(chat, messages, found.text, asked)
    except TemplateError as error:
        return [Problem("parity.render", "template", f"{error.fact}: {error.reason}")]
    expected = mask_of(encoded, oracle)
    mask = mask_of(encoded, found.generated) if chat.has_generation_markers else expected
    problems = [
        *bos_problems(chat, encoded.ids), *_prefix_problems(chat, asked, encoded.ids),
        *_difference(chat, encoded.ids, mask, expected),
    ]
    return problems or stop_supervision(chat, encoded.ids, mask)


def bos_problems(chat: Chat, ids: Sequence[int]) -> list[Problem]:
    """A row must not begin with the beginning-of-sequence token twice."""
    count = next((at for at, number in enumerate(ids) if number != chat.bos_id), len(ids))
    if count <= 1:
        return []
    return [Problem("parity.bos", "token 1", f"the row begins with {count} beginning-of-sequence tokens: the template "
                    "writes one, and something adds another")]


def _prefix_problems(chat: Chat, asked: Mapping[int, Rendered], ids: Sequence[int]) -> list[Problem]:
    for at, found in asked.items():
        prompt = chat.tokens.encode_pieces(found.pieces()).ids
        if tuple(ids[: len(prompt)]) != prompt:
            where = next(i for i, number in enumerate(prompt) if i >= len(ids) or ids[i] != number)
            return [Problem("parity.render", f"message {at}, token {where}",
                            f"evaluation asks {_shown(chat, prompt, where)}, training saw {_shown(chat, ids, where)}: "
                            "the border of the answer is tokenised in another way inside the row")]
    return []


def _difference(chat: Chat, ids: Sequence[int], mask: Sequence[int], oracle: Sequence[int]) -> list[Problem]:
    ours, theirs = (_without_trailing_space(chat, ids, each) for each in (mask, oracle))
    where = next((at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]), None)
    if where is None:
        return []
    said = ("is supervised but the model never writes it" if ours[where]
            else "must be written by the model but is not supervised")
    stop = not ours[where] and ids[where] == chat.turn_end_id
    return [Problem("parity.stop_supervised" if stop else "data.mask", f"token {where}",
                    f"{visible(chat.decode([ids[where]]))} ({ids[where]}) {said}: {_shown(chat, ids, where)}")]


def _without_trailing_space(chat: Chat, ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    """The mask without whitespace at the end of each supervised run that follows the end-of-turn token."""
    found = list(mask)
    ended = False
    for at, number in enumerate(ids):
        if ended and found[at] and not chat.decode([number]).strip():
            found[at] = 0
        else:
            ended = bool(found[at]) and number == chat.turn_end_id
    return found


def stop_supervision(chat: Chat, ids: Sequence[int], mask: Sequence[int]) -> list[Problem]:
    """Each supervised run must end with the end-of-turn token; empty when all do."""
    kept = _without_trailing_space(chat, ids, mask)
    ends = [at for at, on in enumerate(kept) if on and (at + 1 == len(kept) or not kept[at + 1])]
    if not ends:
        return [Problem("data.mask", "row", "nothing in the row is supervised")]
    bad = next((at for at in ends if ids[at] != chat.turn_end_id and ids[at] not in chat.stop_ids), None)
    if bad is None:
        return []
    return [Problem("parity.stop_supervised", f"token {bad}", "the answer ends without a supervised end of turn, so "
                    f"the model does not learn to stop: {_shown(chat, ids, bad)}")]


def _shown(chat: Chat, ids: Sequence[int], at: int, *, around: int = 6) -> str:
    before, here, after = ids[max(0, at - around):at], ids[at:at + 1], ids[at + 1:at + 1 + around]
    return "".join((visible(chat.decode(before)), ">>", visible(chat.decode(here)), "<<", visible(chat.decode(after))))
