"""The fixed text: its measure is that of the engine, and a changed text is not measured as the old one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from sessions import Suite, record, verdicts

from modelqa import benchmarks
from modelqa.chat import open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.files import sha256_text
from modelqa.generate import LocalEngine

SUITES = Path(__file__).parents[1] / "suites"
GATE = (SUITES / "benchmarks" / "test_fixed_text.py").read_text(encoding="utf-8")
LONG = (SUITES / "harness" / "text.txt").read_text(encoding="utf-8")
SHORT = "Rain falls."  # fits the sixty-four positions of the tiny models


def files(text: str, *, stated: str) -> dict[str, str]:
    """The shipped gate on `text`, when it states the hash of `stated`."""
    gate = GATE.replace(sha256_text(LONG), sha256_text(stated))
    return {"suites/benchmarks/test_t.py": gate, "suites/harness/text.txt": text}


def test_the_shipped_text_is_the_one_that_is_stated() -> None:
    assert sha256_text(LONG) in GATE


def test_the_record_holds_bits_and_perplexity_of_the_text_with_its_hash(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    assert run(files(SHORT, stated=SHORT)).ret == 0
    measured = record(pytester)["gates"][0]["measured"]
    chat = open_chat(models / "one")
    engine = LocalEngine.open(open_checkpoint(models / "one"), stop_ids=chat.stop_ids, pad_id=0)
    ids = list(chat.tokens.encode(SHORT).ids)
    loss = engine.losses([(ids, [1] * len(ids))])[0]
    assert measured["bits_per_byte"] == pytest.approx(loss.nll / math.log(2) / len(SHORT.encode()), abs=1e-3)
    assert measured["perplexity"] == pytest.approx(math.exp(loss.mean), rel=1e-3)
    assert (measured["tokens"], measured["bytes"]) == (loss.count, len(SHORT.encode()))
    assert measured["text_sha256"] == sha256_text(SHORT)


def test_a_changed_text_is_said_to_be_another(run: Suite, pytester: pytest.Pytester) -> None:
    assert run(files(f"{SHORT} And more.", stated=SHORT)).ret == 1
    assert verdicts(pytester) == {"fixed_text": ("FAIL", "benchmarks.other_text")}


def test_a_model_with_fewer_positions_than_the_text_has_tokens_is_not_asked(
    run: Suite, pytester: pytest.Pytester
) -> None:
    run(files(LONG, stated=LONG))
    assert verdicts(pytester) == {"fixed_text": ("NOT ASKED", "not_asked")}


def test_perplexity_is_two_to_the_bits_of_a_token() -> None:
    assert benchmarks.per_token(2.0, size=30, tokens=10) == pytest.approx(64.0)
