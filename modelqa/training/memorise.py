"""Micro-memorisation: can a copy of the model learn sixteen episodes by heart? A minute that saves a night's training.

What cannot be learnt by heart will not be learnt at all: the mask leaves answers or their end of turn out, the template
renders a question otherwise than training does, labels are shifted, or nothing reaches the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelqa.chat import Chat, Message
from modelqa.errors import DataError
from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.checkpoint import Checkpoint
    from modelqa.generate import LocalEngine

EPISODES = 16  # few enough for a minute, too many for luck
STEPS = 120  # of all episodes at once; a model of a million parameters needs about forty
LOOK_EVERY = 20  # steps between two looks: it ends as soon as everything is known
LEARNING_RATE = 2e-3  # of AdamW: high, for nothing but these episodes is to be learnt
LONGEST = 256  # tokens of an episode: longer rows are left out, for the time's sake
SHOWN = 3  # episodes named in the problem


def chosen(chat: Chat, rows: Sequence[Sequence[Message]]) -> list[int]:
    """The numbers of the first rows, `EPISODES` in all, that are short enough and ask each something else.

    `DataError` when there are not so many.
    """
    found: list[int] = []
    asked: set[tuple[int, ...]] = set()
    for number, messages in enumerate(rows):
        prompt = chat.render(messages[:-1]).ids
        if prompt not in asked and len(chat.episode(messages).ids) <= LONGEST:
            asked.add(prompt)
            found.append(number)
        if len(found) == EPISODES:
            return found
    raise DataError(
        f"{len(found)} of the rows are different questions of at most {LONGEST} tokens",
        reason=f"learning by heart is tried with {EPISODES}",
        remedy="name more training data, or leave this check out",
    )


def memorise(checkpoint: Checkpoint, chat: Chat, rows: Sequence[Sequence[Message]]) -> list[Problem]:
    """What a copy of the model in memory still says otherwise than `rows` after training on nothing else; [] is good.

    Trained with the ids and the mask of `chat.episode`, asked greedily as evaluation asks. The checkpoint's files are
    only read.
    """
    from modelqa.generate import LocalEngine

    pad = chat.pad_id if chat.pad_id is not None else 0
    engine = LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=pad)
    wrong: dict[int, str] = {}
    for _ in range(STEPS // LOOK_EVERY):
        _train(engine, chat, rows, LOOK_EVERY)
        wrong = _wrong(engine, chat, rows)
        if not wrong:
            return []
    places = ", ".join(f"episode {number}" for number in list(wrong)[:SHOWN])
    first = next(iter(wrong))
    text = f"after {STEPS} steps {len(wrong)} of {len(rows)} are not known by heart; episode {first}: {wrong[first]}"
    return [Problem("training.memorise", places, text)]


def _train(engine: LocalEngine, chat: Chat, rows: Sequence[Sequence[Message]], steps: int) -> None:
    """Some steps of AdamW over all episodes at once; dropout stays off, as in evaluation."""
    import torch

    model: Any = engine.model
    model.requires_grad_(True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    ids, labels = _batch(chat, rows, engine.pad_id)
    for _ in range(steps):
        logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()


def _batch(chat: Chat, rows: Sequence[Sequence[Message]], pad: int) -> tuple[Any, Any]:
    """(ids, labels), both [rows, longest]: padded on the right, labels -100 where the loss does not count."""
    import torch

    episodes = [chat.episode(messages) for messages in rows]
    width = max(len(episode.ids) for episode in episodes)
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), -100)
    for place, episode in enumerate(episodes):
        own = torch.tensor(episode.ids)
        ids[place, : len(own)] = own
        labels[place, : len(own)] = torch.where(torch.tensor(episode.mask) == 1, own, -100)
    return ids, labels


def _wrong(engine: LocalEngine, chat: Chat, rows: Sequence[Sequence[Message]]) -> dict[int, str]:
    """{number of an episode: what is wrong} for the answers that are not said back to the letter and ended."""
    prompts = [chat.render(messages[:-1]) for messages in rows]
    length = max(len(chat.tokens.encode(messages[-1]["content"]).ids) for messages in rows) + 8
    found: dict[int, str] = {}
    for number, reply in engine.replies(prompts, max_new_tokens=length, decode=chat.decode):
        wanted = rows[number][-1]["content"].strip()
        if reply.text != wanted:
            found[number] = f"{reply.text!r} instead of {wanted!r}"
        elif not reply.stopped:
            found[number] = f"{wanted!r} is said, but it does not end"
    return dict(sorted(found.items()))
