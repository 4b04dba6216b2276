"""How much of its base's language a model keeps: bounds, a real chain, and a base that knows nothing."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from modelqa import language, parity
from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.errors import DataError
from modelqa.generate import LocalEngine, random_twin

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "suites" / "behaviour" / "primer.txt").read_text(encoding="utf-8")


def chat_of(name: str) -> Chat:
    return open_chat(ROOT / "fixtures" / "checkpoints" / name, template="")


def bits(name: str, *, random: bool = False) -> float:
    chat = chat_of(name)
    opened = random_twin if random else LocalEngine.open
    extra = {"seed": 1} if random else {}
    checkpoint = open_checkpoint(chat.path)
    engine = opened(checkpoint, stop_ids=chat.stop_ids, pad_id=0, dtype="float32", device="cpu", **extra)
    return parity.bits_per_byte(engine, chat, TEXT)


def test_a_guess_is_the_vocabulary_spelt_out() -> None:
    chat = chat_of("base")
    tokens = len(chat.tokens.encode(TEXT).ids)
    assert language.guess(chat, TEXT) == pytest.approx(math.log2(2048) * tokens / len(TEXT.encode()))


def test_all_of_it_is_one_nothing_is_zero_and_worse_than_a_guess_is_negative() -> None:
    kept = [language.kept(base=3.0, candidate=candidate, guess=5.0) for candidate in (3.0, 4.0, 5.0, 6.0)]
    assert kept == [1.0, 0.5, 0.0, -0.5]


def test_a_base_that_knows_no_language_measures_nothing() -> None:
    with pytest.raises(DataError, match="a guess"):
        language.kept(base=5.5, candidate=4.0, guess=5.0)


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        language.guess(chat_of("base"), "")


def test_the_text_tells_a_base_from_its_child_and_both_from_random_weights() -> None:
    base, alpha, blind = bits("base"), bits("phase3a1_alpha"), bits("base", random=True)
    guess = language.guess(chat_of("base"), TEXT)
    assert language.kept(base=base, candidate=base, guess=guess) == 1.0
    assert 0.5 < language.kept(base=base, candidate=alpha, guess=guess) < 0.9
    assert language.kept(base=base, candidate=blind, guess=guess) < 0.1
