"""What training fed, and what the weights say of mode, repetition, batch and cache.

Two halves. `captured_problems` looks at what training really fed. The measurements (`reply_paths`, `mode_gap`) need
only the weights; each gives plain numbers, so that they can be kept, and a `..._problems` function says what is wrong
with them. The engine is passed in: nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from modelqa.parity.arithmetic import NOISE
from modelqa.record import Problem
from modelqa.text import visible

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.generate import LocalEngine
    from modelqa.reply import Prompt, Reply

Conversation = Sequence[Mapping[str, str]]
Fed = tuple[Sequence[int], Sequence[int]]  # one episode that training fed: ids, and 1 where the loss counted

LOSS_TOLERANCE = 1e-4  # nats per token between two passes over the same ids in float32
CONTEXT = 6  # tokens shown before the first differing one


# -- what training fed ---------------------------------------------------------------------------------------------


def captured_problems(chat: Chat, fed: Sequence[Fed], rows: Iterable[Conversation]) -> list[Problem]:
    """How the captured episodes differ from evaluation's rendering of the same rows; empty when they are equal.

    Each episode is found among `rows` by its last question and answer, rendered as evaluation renders it, and compared
    id by id. Codes: parity.render, parity.bos, parity.stop_supervised, parity.mask, in that order of suspicion.
    """
    texts = [chat.decode(list(ids)) for ids, _ in fed]
    found = _find_rows(texts, rows)
    problems = [_compare(chat, number, fed[number], found.get(number)) for number in range(len(fed))]
    order = ("parity.render", "parity.bos", "parity.stop_supervised", "parity.mask")
    return sorted((p for p in problems if p), key=lambda problem: order.index(problem.code))


_KEY = 10  # characters of a question by which rows are looked up


def _find_rows(texts: Sequence[str], rows: Iterable[Conversation]) -> dict[int, Conversation]:
    """{number of a text: the longest row whose last question and, after it, answer stand in it}."""
    places: dict[str, list[tuple[int, int]]] = {}
    for number, text in enumerate(texts):
        for start in range(len(text)):
            places.setdefault(text[start : start + _KEY], []).append((number, start))
    best: dict[int, tuple[int, Conversation]] = {}
    for row in rows:
        question = next((m["content"] for m in reversed(row) if m["role"] == "user"), "")
        answer = row[-1]["content"]
        for number, start in places.get(question[:_KEY], ()) if len(question) >= _KEY else _short(texts, question):
            text, end = texts[number], start + len(question)
            size = len(question) + len(answer)
            if text.startswith(question, start) and answer in text[end:] and size > best.get(number, (-1,))[0]:
                best[number] = (size, row)
    return {number: row for number, (_, row) in best.items()}


def _short(texts: Sequence[str], question: str) -> list[tuple[int, int]]:
    return [(number, text.find(question)) for number, text in enumerate(texts) if question and question in text]


def _compare(chat: Chat, number: int, fed: Fed, row: Conversation | None) -> Problem | None:
    ids, mask = list(fed[0]), list(fed[1])
    if row is None:
        shown = visible(chat.decode(ids))[:200]
        return Problem(
            "parity.render", f"episode {number}", f"training fed text that no row of the training data has: {shown}"
        )
    own = chat.episode([dict(message) for message in row])
    if ids != list(own.ids):
        return _difference(chat, number, ids, list(own.ids))
    asked, starts = list(chat.render([dict(message) for message in row[:-1]]).ids), _last_answer(own.mask)
    if ids[: len(asked)] != asked:
        return _difference(chat, number, ids[:starts], asked)
    if len(asked) != starts:
        text = f"evaluation's prompt ends {starts - len(asked)} tokens before the answer that training supervised"
        return Problem("parity.render", f"episode {number}, token {len(asked)}", text)
    if chat.turn_end_id is not None and chat.turn_end_id not in [i for i, m in zip(ids, mask, strict=True) if m]:
        return Problem(
            "parity.stop_supervised", f"episode {number}", "the end-of-turn token was fed but its loss did not count"
        )
    before = next((at for at, (fed_here, meant) in enumerate(zip(mask, own.mask, strict=True)) if fed_here or meant))
    if before < own.mask.index(1):
        text = f"the loss counted {visible(chat.decode(ids[before : before + 1]))}, which the model never writes"
        return Problem("parity.mask", f"episode {number}, token {before}", text)
    if (left_out := _left_out(mask, own.mask)) is not None:
        shown = visible(chat.decode(ids[left_out : left_out + 1]))
        text = f"the loss did not count {shown}, which the model has to write in this answer"
        return Problem("parity.mask", f"episode {number}, token {left_out}", text)
    return None


def _last_answer(mask: Sequence[int]) -> int:
    """Where the last answer of an episode begins: a conversation has an answer in each of its turns."""
    end = max(at for at, counts in enumerate(mask) if counts)
    return max((at + 1 for at in range(end) if not mask[at]), default=0)


def _left_out(fed: Sequence[int], meant: Sequence[int]) -> int | None:
    """The first token left out of an answer that is counted in part; an answer may be left out as a whole."""
    start = 0
    for counts, turn in groupby(meant):
        end = start + len(list(turn))
        if counts and 0 < sum(map(bool, fed[start:end])) < end - start:
            return next(at for at in range(start, end) if not fed[at])
        start = end
    return None


def _difference(chat: Chat, number: int, fed: list[int], asked: list[int]) -> Problem:
    bos = chat.bos_id
    if bos is not None and fed.count(bos) != asked.count(bos):
        text = f"training fed {fed.count(bos)} beginning-of-sequence tokens, evaluation asks with {asked.count(bos)}"
        return Problem("parity.bos", f"episode {number}", text)
    at = next((i for i, (a, b) in enumerate(zip(fed, asked, strict=False)) if a != b), min(len(fed), len(asked)))

    def show(ids: list[int]) -> str:
        return visible(chat.decode(ids[max(0, at - CONTEXT) : at])) + "[" + visible(chat.decode(ids[at : at + 1])) + "]"

    text = f"training fed   ...{show(fed)}\nevaluation asks ...{show(asked)}"
    return Problem("parity.render", f"episode {number}, token {at}", text)


# -- what the weights say ------------------------------------------------------------------------------------------


def reply_paths(engine: LocalEngine, chat: Chat, prompts: Sequence[Prompt], *, max_new_tokens: int) -> dict[str, Any]:
    """The same prompts asked in batches, again, one by one, and without the cache; how many replies differ from the
    batched ones, and how many of those only where two tokens are all but equally likely ("fragile").
    """

    def ask(**options: Any) -> list[Reply]:
        made = dict(engine.replies(prompts, max_new_tokens=max_new_tokens, decode=chat.decode, **options))
        return [made[index] for index in range(len(prompts))]

    batched = ask()
    others = {"repeat": ask(), "batch": ask(batch_size=1), "cache": ask(use_cache=False)}
    return {name: reply_differences(batched, other) for name, other in others.items()}


def reply_differences(
    known: Sequence[Reply], other: Sequence[Reply], *, floor: float = NOISE, by_text: bool = False
) -> dict[str, Any]:
    """{"of", "differ", "fragile", "first"}: how many replies have other ids than the `known` ones; a difference is
    fragile where the known reply has a step at which the best two tokens are nearer than `floor` logits.

    `by_text` compares the text with its special tokens instead, where the other ids are not those that were made.
    """
    pairs = [(a.raw, b.raw) if by_text else (a.ids, b.ids) for a, b in zip(known, other, strict=True)]
    differ = [number for number, (a, b) in enumerate(pairs) if a != b]
    fragile = [n for n in differ if (m := known[n].margin) is not None and m < floor]
    return {
        "of": len(known),
        "differ": len(differ),
        "fragile": len(fragile),
        "first": next((n for n in differ if n not in fragile), None),
    }


_PATHS = {
    "repeat": "asked twice, the model gave different replies: decoding is not greedy, or not repeatable",
    "batch": "a reply depends on what stands beside it in the batch: look at padding side, attention mask, positions",
    "cache": "replies with and without the key-value cache differ: the cache does not hold what a full pass computes",
}


def path_problems(paths: Mapping[str, Mapping[str, Any]], name: str) -> list[Problem]:
    """What is wrong with one of the paths "repeat", "batch" or "cache"; fragile replies are forgiven, and counted."""
    row = paths[name]
    real = row["differ"] - row["fragile"]
    text = f"{_PATHS[name]} ({real} of {row['of']} replies)"
    return [Problem(f"parity.{name}", f"prompt {row['first']}", text)] if real else []


def engine_problems(found: Mapping[str, Any]) -> list[Problem]:
    """Code parity.engine: the server's replies are not those of these weights; `found` is of `reply_differences`."""
    real = found["differ"] - found["fragile"]
    if not real:
        return []
    text = (
        f"asked the same ids, the server says something else than these weights do in this process ({real} of "
        f"{found['of']} replies): it serves other weights, another type of numbers, or adds settings of its own"
    )
    return [Problem("parity.engine", f"prompt {found['first']}", text)]


def mode_gap(engine: LocalEngine, chat: Chat, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """Nats per token in evaluation mode, again in other batches (a dropout with one seed repeats itself in the same
    ones), and in training mode, over the same answers.
    """
    rows = [[dict(message) for message in conversation] for conversation in conversations]
    episodes = [(episode.ids, episode.mask) for episode in map(chat.episode, rows)]
    means = {}
    for name, train, size in (("eval", False, 8), ("again", False, 4), ("train", True, 8)):
        losses = engine.losses(episodes, train_mode=train, batch_size=size)
        means[name] = sum(loss.nll for loss in losses) / sum(loss.count for loss in losses)
    return {name: round(value, 6) for name, value in means.items()}


def dropout(config: Mapping[str, Any]) -> bool:
    """Whether a config.json asks for dropout anywhere: then training mode may differ from evaluation mode."""
    return any(
        isinstance(value, int | float) and value > 0
        for key, value in config.items()
        if "dropout" in key or key.endswith("pdrop")
    )


def mode_problems(gap: Mapping[str, float], *, dropout: bool) -> list[Problem]:
    """Evaluation must be repeatable, and equal to training mode when the model has no dropout."""
    if abs(gap["eval"] - gap["again"]) > LOSS_TOLERANCE:
        text = f"two passes in evaluation mode differ: {gap['eval']} and {gap['again']} nats a token"
        return [Problem("parity.mode", "eval", text)]
    if not dropout and abs(gap["eval"] - gap["train"]) > LOSS_TOLERANCE:
        text = f"without dropout, training mode gives {gap['train']} and evaluation mode {gap['eval']} nats a token"
        return [Problem("parity.mode", "train", text)]
    return []


# -- a reference that cannot chat ----------------------------------------------------------------------------------


def bits_per_byte(engine: LocalEngine, chat: Chat, text: str) -> float:
    """Bits per UTF-8 byte that the model needs for a plain text, its first token given for free."""
    return engine.bits_per_byte(text, chat.tokens.encode(text).ids)
