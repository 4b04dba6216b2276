"""Defects of the suites themselves: checks that crash, ask nothing, are skipped or cannot say no.

The healthy half of each pair is a small suite of two gates that the model passes. What is broken must never look like
a pass, nor like a failure of the model.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelqa.files import write_text
from modelqa.mutants.kind import REFUSED, Damage, Expected, Kind, Sibling

CHECK, GATE, CASES = "weights/test_small.py", "behaviour/test_small.py", "behaviour/cases.jsonl"
WORDS = ("apple", "bread", "cloud", "stone", "river", "green", "table", "night")
FILES = {
    "phases.toml": '[phases]\norder = ["first"]\ndefault = "first"\n',
    CHECK: '"""One check."""\n\nfrom modelqa import deny\nfrom modelqa.checkpoint import tie_problems\n\n\n'
    "def test_tied(checkpoint):\n    deny(tie_problems(checkpoint))\n",
    GATE: '"""One gate."""\n\nfrom modelqa import gate\n\n\n'
    '@gate(cases="cases.jsonl", threshold=0.5, allows={"*": "only that something is said is asked here"})\n'
    "def test_said(case, reply):\n    assert reply.stopped and reply.text\n",
    CASES: "".join(json.dumps({"id": f"c{n}", "prompt": f"Say {word}.", "expect": word}) + "\n"
                   for n, word in enumerate(WORDS)),
}  # fmt: skip


def small_suite(sibling: Sibling) -> Damage:
    """The healthy half: two gates, eight questions."""
    folder = sibling.declared / "suite"
    for name, text in FILES.items():
        write_text(folder / name, text)
    # Whatever phase the model is of: this table has one.
    return replace(sibling, suites=folder).damaged("", phase="first")


def _rewritten(name: str, old: str, new: str, locus: str, sibling: Sibling) -> Damage:
    """One line of the small suite is another."""
    folder = sibling.declared / "suite"
    assert FILES[name].count(old) == 1
    write_text(folder / name, FILES[name].replace(old, new))
    return sibling.damaged(locus)


def _without_cases(sibling: Sibling) -> Damage:
    write_text(sibling.declared / "suite" / CASES, "")
    return sibling.damaged("said")


def _cases_missing(sibling: Sibling) -> Damage:
    Path(sibling.declared / "suite" / CASES).unlink()
    return sibling.damaged("cases.jsonl")


_BODY = "assert reply.stopped and reply.text"

SUITES = (
    Kind("crashing_check", "suite", "a check crashes on every model, and its status was read as a no", ("F35",),
         (Expected("crashed", by="tied"),),
         partial(_rewritten, CHECK, "tie_problems(checkpoint)", "tie_problems(checkpoint.weights)", "tied"),
         ground=small_suite),
    Kind("no_questions", "suite", "a gate collects no question, so that it can neither pass nor fail", ("F36",),
         (Expected("no_cases", "gate", by="said"),), _without_cases, ground=small_suite),
    Kind("questions_missing", "suite", "the file of a gate's questions is not there", ("F36", "F37"),
         (Expected(REFUSED),), _cases_missing, ground=small_suite),
    Kind("skipped_check", "suite", "a check skips itself where its file is missing, which was counted as passed",
         ("F37",), (Expected("not_run", "rows", by="tied"),),
         partial(_rewritten, CHECK, "    deny(", "    import pytest\n\n    pytest.skip('no file')\n    deny(", "tied"),
         ground=small_suite),
    Kind("returning_gate", "suite", "a gate returns its answer instead of asserting it", ("F60",),
         (Expected("crashed", "cases", by="said"),),
         partial(_rewritten, GATE, _BODY, "return bool(reply.text)", "said"), ground=small_suite),
    Kind("silent_gate", "suite", "a gate asserts nothing", ("F60",),
         (Expected("crashed", "cases", by="said"),), partial(_rewritten, GATE, _BODY, "str(reply.text)", "said"),
         ground=small_suite),
)  # fmt: skip
