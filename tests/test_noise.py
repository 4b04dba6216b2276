"""The noise floor, and margins below it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sessions import TABLE, Suite, record, verdicts

from modelqa import noise

SUITES = Path(__file__).parents[1] / "suites"


def paths(repeat: int, batch: int, cache: int = 0) -> dict[str, dict[str, int]]:
    differ = {"repeat": repeat, "batch": batch, "cache": cache}
    return {name: {"of": 20, "differ": count} for name, count in differ.items()}


def test_the_floor_is_the_larger_of_asking_again_and_in_other_batches() -> None:
    assert noise.floor(paths(0, 0)) == 0.0
    assert noise.floor(paths(1, 3)) == 0.15 and noise.floor(paths(2, 0)) == 0.1
    assert noise.floor(paths(0, 0, cache=9)) == 0.0, "the cache has a gate of its own"
    assert noise.counts(paths(1, 3)) == {"repeat": "1 of 20", "batch": "3 of 20"}


def test_margins_at_or_below_the_floor_are_named_the_smallest_first() -> None:
    margins = {"wide": 0.2, "narrow": 0.02, "same": 0.15, "close": 0.1}
    assert noise.below(margins, 0.15) == ["narrow", "close", "same"]
    assert noise.below(margins, 0.0) == []


FLICKER = """
from modelqa.generate import LocalEngine
made, calls = LocalEngine.replies, []
def replies(engine, prompts, **options):
    calls.append(options)
    for index, reply in made(engine, prompts, **options):
        flips = options.get("batch_size") == 1 and index % 4 == 0
        yield index, (reply.__class__((*reply.ids[:-1], reply.ids[-1] + 1), reply.raw, reply.text, reply.stopped, 0.0)
                      if flips else reply)
LocalEngine.replies = replies
"""
CONTROLS = "\n".join(f'{{"id": "c{n}", "prompt": "Say {chr(97 + n)}.", "expect": "{chr(97 + n)}"}}' for n in range(24))


@pytest.mark.parametrize(
    ("conftest", "narrow", "expected", "locus"),
    [
        ("", 0.001, ("PASS", ""), ""),
        (FLICKER, 0.01, ("INCONCLUSIVE", "parity.noise"), "narrow"),
        (FLICKER, 0.4, ("INCONCLUSIVE", "parity.noise"), "results_trend"),
    ],
    ids=["nothing moves", "a margin of the phase table", "what is tolerated of imported results"],
)
def test_the_shipped_gate_measures_it_and_holds_all_that_is_tolerated_to_it(
    run: Suite, pytester: pytest.Pytester, conftest: str, narrow: float, expected: tuple[str, str], locus: str
) -> None:
    pytester.makeconftest(conftest)
    names = ("parity/test_noise.py", "parity/test_parity.py")
    shipped = {f"suites/{name}": (SUITES / name).read_text() for name in names}
    files = {
        **shipped,
        "suites/__init__.py": "",
        "suites/parity/__init__.py": "",
        "suites/harness/controls.jsonl": CONTROLS,
        "suites/phases.toml": TABLE + f"[margins]\nwide = 0.5\nnarrow = {narrow}\n",
    }
    run(files, "-k", "noise_floor", subprocess=True)
    assert verdicts(pytester)["noise_floor"] == expected
    gate = next(each for each in record(pytester)["gates"] if each["gate"] == "noise_floor")
    assert gate["measured"]["floor"] == (0.25 if conftest else 0.0)
    assert gate["verdict"]["locus"] == locus
