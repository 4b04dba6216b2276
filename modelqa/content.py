"""Is a low loss a loss on what is said, or on the tokens around it? A mean over both hides which.

Structure is what stands in every answer alike: control tokens, punctuation, whitespace. Content is a token with a
letter or a digit in it. The engine is passed in: nothing here imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate import LocalEngine

Conversation = Sequence[Mapping[str, str]]

EVEN = math.log(2)  # nats: each token is, in the geometric mean, as likely to be wrong as right
LOST = 0.25  # nats a token above the log: far more than rounding to the stored type adds (up to 0.02 in fixtures)
DOCUMENT = 256  # tokens of a plain document that are scored


def split_losses(engine: LocalEngine, chat: Chat, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """{"content" | "structure" | "all": {"nats": mean per token, "tokens": how many}} of the supervised tokens."""
    episodes = [chat.episode([dict(message) for message in conversation]) for conversation in conversations]
    control = set(chat.tokens.added.values())
    masks = [[bool(m) and _says(chat, i, control) for i, m in zip(e.ids, e.mask, strict=True)] for e in episodes]
    whole = [(episode.ids, episode.mask) for episode in episodes]
    content = [(e.ids, tuple(map(int, mask))) for e, mask in zip(episodes, masks, strict=True) if any(mask)]
    losses = engine.losses([*whole, *content])
    kinds = {"all": losses[: len(whole)], "content": losses[len(whole) :]}
    sums = {name: (sum(each.nll for each in found), sum(each.count for each in found)) for name, found in kinds.items()}
    sums["structure"] = (sums["all"][0] - sums["content"][0], sums["all"][1] - sums["content"][1])
    return {
        name: {"nats": round(nll / count, 6) if count else None, "tokens": count} for name, (nll, count) in sums.items()
    }


def document_losses(engine: LocalEngine, chat: Chat, texts: Sequence[str]) -> dict[str, Any]:
    """{"all": {"nats": mean per token, "tokens": how many}} of plain documents, each from its first token on."""
    rows = [chat.tokens.encode(text).ids[:DOCUMENT] for text in texts]
    found = engine.losses([(ids, (1,) * len(ids)) for ids in rows if len(ids) > 1])
    nll, count = sum(each.nll for each in found), sum(each.count for each in found)
    return {"all": {"nats": round(nll / count, 6) if count else None, "tokens": count}}


def _says(chat: Chat, number: int, control: set[int]) -> bool:
    return number not in control and any(character.isalnum() for character in chat.decode([number]))


def mirage_problems(losses: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Code training.mirage: the loss as a whole is below ln 2, that of the content alone is not. The number in the log
    is earned with tags and full stops; a greedy answer will be wrong more often than right in some word.
    """
    whole, content = losses["all"]["nats"], losses["content"]["nats"]
    if content is None or whole >= EVEN or content < EVEN:
        return []
    text = (
        f"{whole:.3f} nats a token over all, but {content:.3f} over the {losses['content']['tokens']} tokens that say "
        f"something; the other {losses['structure']['tokens']} are tags and punctuation"
    )
    return [Problem("training.mirage", "content", text)]


def logged_problems(losses: Mapping[str, Mapping[str, Any]], *, logged: float) -> list[Problem]:
    """Code parity.logged_loss: the weights give the validation rows a loss that is higher than the log's last one by
    more than `LOST`: each token is a fifth less likely than it was when they were saved. They are not the weights that
    were trained (damaged, merged twice, under another config), or they are not asked as they were trained.
    """
    whole = losses["all"]["nats"]
    if whole is None or whole <= logged + LOST:
        return []
    text = f"the log ends with an evaluation loss of {logged:.3f}; these weights have {whole:.3f} nats a token"
    return [Problem("parity.logged_loss", "eval_loss", text)]
