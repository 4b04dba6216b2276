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
TEXT = (SUITES / "harness" / "text.txt").read_text(encoding="utf-8")


def test_the_record_holds_bits_and_perplexity_of_the_text_with_its_hash(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    assert run({"suites/benchmarks/test_fixed_text.py": GATE, "suites/harness/text.txt": TEXT}).ret == 0
    measured = record(pytester)["gates"][0]["measured"]
    chat = open_chat(models / "one")
    engine = LocalEngine.open(open_checkpoint(models / "one"), stop_ids=chat.stop_ids, pad_id=0)
    ids = list(chat.tokens.encode(TEXT).ids)
    loss = engine.losses([(ids, [1] * len(ids))])[0]
    assert measured["bits_per_byte"] == pytest.approx(loss.nll / math.log(2) / len(TEXT.encode()), abs=1e-3)
    assert measured["perplexity"] == pytest.approx(math.exp(loss.mean), rel=1e-3)
    assert (measured["tokens"], measured["bytes"]) == (loss.count, len(TEXT.encode()))
    assert measured["text_sha256"] == sha256_text(TEXT)


def test_a_changed_text_is_said_to_be_another(run: Suite, pytester: pytest.Pytester) -> None:
    files = {"suites/benchmarks/test_fixed_text.py": GATE, "suites/harness/text.txt": f"{TEXT} And more."}
    assert run(files).ret == 1
    assert verdicts(pytester) == {"fixed_text": ("FAIL", "benchmarks.other_text")}


def test_perplexity_is_two_to_the_bits_of_a_token() -> None:
    assert benchmarks.per_token(2.0, size=30, tokens=10) == pytest.approx(64.0)
