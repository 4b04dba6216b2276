"""The format-lock dataset: short questions with short answers that teach the shape of a chat.

"Say X", small talk, facts, yes/no, sums and their German kin. No prompt stands twice, so none has two answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Literal, TypeVar

from modelqa.data import facts, phrasings, pools
from modelqa.data.echo import Piece, copy_piece
from modelqa.data.grammar import Language, Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, chat_row
from modelqa.data.small_talk import SMALL_TALK
from modelqa.data.templates_facts import ask_fact
from modelqa.data.templates_sums import YES_NO_KINDS
from modelqa.errors import UsageError
from modelqa.family import payload_split

Mode = Literal["full", "minimal"]
Math = Literal["include", "exclude", "only", "minimal"]
T = TypeVar("T")
Maker = Callable[[Random, Split, int], Piece]

SIZES: dict[Mode, int] = {"full": 11_000, "minimal": 1_000}  # rows, as the guide estimates them
SECTION_SHARES = {
    "say": 0.22, "fact": 0.36, "sum": 0.20, "yes_no": 0.12, "fact_de": 0.05, "sum_de": 0.02, "say_de": 0.03,
}  # fmt: skip
SMALL_TALK_ROWS: dict[Mode, int] = {"full": 150, "minimal": 60}  # there are few ways to say hello
MATH_MINIMAL_SHARE = 0.15  # of its usual share is what `math="minimal"` keeps
MATH_ONLY_SHARE = 0.3  # of the usual rows is what `math="only"` gives: there are few sums
STRIDE = 7_919  # a prime larger than any list here, hence coprime to every length
MAX_DRAWS = 2_000  # tries for one more new prompt


def rows(
    *,
    seed: int,
    mode: Mode = "full",
    math: Math = "include",
    n_examples: int | None = None,
    everyday: int = 0,
    split: Split = "train",
    system: str = DEFAULT_SYSTEM,
) -> Iterator[Row]:
    """The format-lock rows, streamed in mixed order; `n_examples` overrides the mode's size (`SIZES`).

    The sums are all of the "seen" kind (`modelqa.data.facts.sums`), whatever the split: only phrasings are held back.
    everyday  so many of the training rows that say something say a word of `pools.EVERYDAY` ("Say hello.")

    Small talk has one fixed wording, so it stands in training alone.
    """
    rng = Random(f"format lock {mode} {math} {split} {seed}")
    wanted = counts(mode, math, n_examples)
    if split == "val":
        wanted = {**wanted, "fact": wanted.get("fact", 0) + wanted["small_talk"], "small_talk": 0}
    elif everyday:
        wanted = {**wanted, "say": wanted["say"] - everyday, "everyday": everyday}
    plan = [name for name, count in wanted.items() for _ in range(count)]
    rng.shuffle(plan)
    turn = dict.fromkeys(_MAKERS, rng.randrange(10_000))
    seen: set[str] = set()
    for number, section in enumerate(plan, 1):
        piece = _new_piece(rng, section, split, turn, seen)
        identity = f"format-lock-{mode}-{split}-{number:06d}"
        yield chat_row(identity, piece.user, piece.answer, system=system, meta=piece.meta)


def counts(mode: Mode, math: Math, n_examples: int | None = None) -> dict[str, int]:
    """Rows of each section; their sum is the dataset's size."""
    total = SIZES[mode] if n_examples is None else n_examples
    if n_examples is None and math == "only":
        total = round(total * MATH_ONLY_SHARE)
    shares = dict(SECTION_SHARES)
    for name in ("sum", "sum_de"):
        shares[name] *= {"include": 1.0, "exclude": 0.0, "only": 1.0, "minimal": MATH_MINIMAL_SHARE}[math]
    if math == "only":
        shares = {name: share for name, share in shares.items() if name.startswith("sum")}
    talk = 0 if math == "only" else min(SMALL_TALK_ROWS[mode], total // 10)
    whole = {name: int((total - talk) * share / sum(shares.values())) for name, share in shares.items()}
    largest = max(whole, key=lambda name: whole[name])
    whole[largest] += total - talk - sum(whole.values())
    return {"small_talk": talk, **whole}


def _new_piece(rng: Random, section: str, split: Split, turn: dict[str, int], seen: set[str]) -> Piece:
    for _ in range(MAX_DRAWS):
        turn[section] += 1
        piece = _MAKERS[section](rng, split, turn[section])
        if piece.user not in seen:
            seen.add(piece.user)
            return piece
    raise UsageError(
        f"after {len(seen)} rows no new {section} prompt was found",
        reason="no prompt may stand twice, and the phrasings of this section are used up",
        remedy="ask for fewer rows (--n_examples)",
    )


def _say(rng: Random, split: Split, turn: int, language: Language = "en") -> Piece:
    text = pools.payload(rng, split=split, words=1 + turn % 2, language=language, punctuation=True)
    return copy_piece(rng, text, category="say", split=split, language=language)


def _everyday(rng: Random, split: Split, turn: int) -> Piece:
    """Say what templates begin with: a model that only ever skips "hello" cannot say it."""
    text = pools.cased(rng, _turn(_EVERYDAY, turn))
    text += rng.choice(("", "", "", "", ".", "!"))
    return copy_piece(rng, text, category="say", split=split, language="en")


def _fact(rng: Random, split: Split, turn: int, language: Language = "en") -> Piece:
    fact = _turn(_BY_LANGUAGE[language], turn)
    template = rng.choice(phrasings.facts(fact.kind, split, language))
    meta = {"category": "fact", "kind": fact.kind, "fact": fact.key, "subject": fact.subject, "language": language,
            "template": template}  # fmt: skip
    return Piece(ask_fact(fact, template), fact.reply, meta)


def _sum(rng: Random, split: Split, turn: int, language: Language = "en") -> Piece:
    item = _turn(facts.sums("seen"), turn)
    template = rng.choice(phrasings.sums(split, language))
    meta = {"category": "sum", "sum": item.key, "language": language, "template": template}
    return Piece(template.replace("{A}", str(item.a)).replace("{B}", str(item.b)), item.reply, meta)


def _yes_no(rng: Random, split: Split, turn: int) -> Piece:
    fact = _turn(_YES_NO_FACTS, turn)
    others = sorted({other.answer for other in _YES_NO_FACTS if other.kind == fact.kind} - {fact.answer})
    right = rng.random() < 0.5
    claimed = fact.answer if right else rng.choice(others)
    template = rng.choice(phrasings.yes_no(fact.kind, split))
    meta = {"category": "yes_no", "kind": fact.kind, "fact": fact.key, "subject": fact.subject, "claimed": claimed,
            "language": "en", "template": template}  # fmt: skip
    return Piece(template.replace("{X}", claimed).replace("{S}", fact.subject), "Yes." if right else "No.", meta)


def _small_talk(rng: Random, split: Split, turn: int) -> Piece:
    talk = _turn(SMALL_TALK, turn)
    meta = {"category": "small_talk", "language": talk.language, "template": talk.prompt}
    return Piece(talk.prompt, talk.answer, meta)


def _turn(items: Sequence[T], turn: int) -> T:
    """Every item once before any comes again, in an order that does not follow the list's."""
    return items[turn * STRIDE % len(items)]


_BY_LANGUAGE: dict[Language, list[facts.Fact]] = {
    "en": [fact for fact in facts.FACTS if fact.language == "en"],
    "de": [fact for fact in facts.FACTS if fact.language == "de"],
}
_YES_NO_FACTS = [fact for fact in _BY_LANGUAGE["en"] if fact.kind in YES_NO_KINDS]
_EVERYDAY = [word for word in pools.EVERYDAY if payload_split(word) == "train"]
_MAKERS: dict[str, Maker] = {
    "everyday": _everyday,
    "small_talk": _small_talk,
    "say": _say,
    "say_de": lambda rng, split, turn: _say(rng, split, turn, "de"),
    "fact": _fact,
    "fact_de": lambda rng, split, turn: _fact(rng, split, turn, "de"),
    "sum": _sum,
    "sum_de": lambda rng, split, turn: _sum(rng, split, turn, "de"),
    "yes_no": _yes_no,
}
