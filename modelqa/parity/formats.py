"""Which format was a model trained in? The same answers under its own template and written in other common ways.

Needs only the weights: `template_fit` gives plain numbers, so that they can be kept, and the other functions say what
they show (docs/decisions/0081). The engine is passed in: nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from statistics import stdev
from typing import TYPE_CHECKING, Any

from modelqa import stats
from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate import LocalEngine

Conversation = Sequence[Mapping[str, str]]

LEVEL = 0.05  # one-sided, of the comparison of formats
EVEN = 0.5  # share of the answers that are likelier in one of two formats which a model knows alike
KNOWN = 0.5  # of a uniform guess's nats: whoever needs more has not learnt the answers in that format


def template_fit(engine: LocalEngine, chat: Chat, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """{format: {"likelier": k, "of": n, "own": nats, "other": nats, "error": nats, "guess": nats}}: the same answers
    under the model's own template and under other common ways to write a conversation.

    Nats are the mean negative log-likelihood of a whole answer, the stop token left out; `error` is the standard error
    of their paired difference; `guess` is what a uniform guess among the tokenizer's tokens needs in the other format;
    `likelier` counts answers likelier under the own template.
    """
    from modelqa.chat.formats import alternatives

    rows = [[dict(message) for message in conversation] for conversation in conversations]
    written = {name: [write(row) for row in rows] for name, write in alternatives(chat).items()}
    others = [(episode.ids, episode.mask) for episodes in written.values() for episode in episodes]
    losses = engine.losses([*(_without_stop(chat, row) for row in rows), *others])  # together: fuller batches
    own, result = losses[: len(rows)], {}
    for number, name in enumerate(written, start=1):
        other = losses[number * len(rows) : (number + 1) * len(rows)]
        pairs = [(a.nll, b.nll) for a, b in zip(own, other, strict=True)]
        result[name] = {
            "likelier": sum(a < b for a, b in pairs),
            "of": len(pairs),
            "own": round(sum(a for a, _ in pairs) / len(pairs), 4),
            "other": round(sum(b for _, b in pairs) / len(pairs), 4),
            "error": round(stdev(b - a for a, b in pairs) / len(pairs) ** 0.5, 4),
            "guess": round(log(chat.tokens.size) * sum(loss.count for loss in other) / len(pairs), 4),
        }
    return result


def answer_losses(engine: LocalEngine, chat: Chat, conversations: Sequence[Conversation]) -> list[float]:
    """Nats of the last answer of each conversation under the model's own template, the stop token left out."""
    rows = [[dict(message) for message in conversation] for conversation in conversations]
    return [loss.nll for loss in engine.losses([_without_stop(chat, row) for row in rows])]


def _without_stop(chat: Chat, row: list[dict[str, str]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    episode = chat.episode(row)
    keep = tuple(int(m and i != chat.turn_end_id) for i, m in zip(episode.ids, episode.mask, strict=True))
    return episode.ids, keep


def template_problems(fit: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """The formats that the model knows answers in, and better than under its own template (paired t, one-sided 95%)."""
    problems = []
    for name, row in sorted(fit.items(), key=lambda item: item[1]["other"]):
        if row["own"] - row["other"] > _margin(row) and row["other"] < KNOWN * row["guess"]:
            text = (
                f"answers are likelier as {name} ({row['other']} nats) than under the chat template "
                f"({row['own']} nats): trained in one format, evaluated in another"
            )
            problems.append(Problem("parity.template", name, text))
    return problems


def unproven_formats(fit: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The formats against which the own template is not shown to be the better one, by the means or by most answers.

    A few answers that are far off hide in the means what nearly all others show (docs/decisions/0081); each of the two
    has half of the level.
    """
    return sorted(name for name, row in fit.items()
                  if row["other"] - row["own"] <= _margin(row, LEVEL / 2)
                  and stats.cp_lower(row["likelier"], row["of"], LEVEL / 2) <= EVEN)  # fmt: skip


def _margin(row: Mapping[str, Any], level: float = LEVEL) -> float:
    """By how many nats the two means must differ to be told apart."""
    return float(stats.t_quantile(level, row["of"] - 1) * row["error"])
