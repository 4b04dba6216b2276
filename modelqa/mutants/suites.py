"""Defects of the suites themselves: checks that crash, ask nothing, are skipped or cannot say no.

The healthy half of each pair is a small suite of two gates that the model passes. What is broken must never look like
a pass, nor like a failure of the model.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelqa.files import read_json, write_json, write_text
from modelqa.mutants.kind import REFUSED, Damage, Expected, Kind, NotApplicable, Sibling

RELEASED = "released.json"  # beside the phase table: what was demanded at the last release
FIXED = "text.txt"  # what bits per byte are measured on
CHECK, GATE, CASES = "weights/test_small.py", "behaviour/test_said.py", "behaviour/cases.jsonl"
QUESTIONS = (  # eight template families: of one alone nothing could be proven
    "Say apple.", "Could you please repeat bread for me?", "I want to read the word cloud in your answer",
    "Print this: stone", "river. Copy that, nothing else", "What is the capital of France?", "Put table here",
    "Now show me night again, exactly as it stands in this line",
)  # fmt: skip
FILES = {
    "phases.toml": '[phases]\norder = ["first"]\ndefault = "first"\n',
    CHECK: '"""One check."""\n\nfrom modelqa import deny\nfrom modelqa.checkpoint import tie_problems\n\n\n'
    "def test_tied(checkpoint):\n    deny(tie_problems(checkpoint))\n",
    GATE: '"""One gate."""\n\nfrom modelqa import gate\n\n\n'
    '@gate(cases="cases.jsonl", threshold=0.1, allows={"*": "only that something is said is asked here"})\n'
    "def test_said(case, reply):\n    assert reply.stopped and reply.text\n",
    CASES: "".join(json.dumps({"id": f"c{n}", "prompt": question}) + "\n" for n, question in enumerate(QUESTIONS)),
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
    return sibling.damaged("cases.jsonl")


def _cases_missing(sibling: Sibling) -> Damage:
    Path(sibling.declared / "suite" / CASES).unlink()
    return sibling.damaged("cases.jsonl")


_BODY = "assert reply.stopped and reply.text"

# -- the bars of the real suites ---------------------------------------------------------------------------------------

BAR, TABLE = "echo_basic/phase3a2", "[gates.echo_basic]"
DEMANDED, LOOSER = "phase3a2 = 0.80", "phase3a2 = 0.35"


def suites_themselves(sibling: Sibling) -> Damage:
    """The healthy half: a copy of the suites that judge it."""
    if sibling.given is None or not (sibling.given / RELEASED).is_file():
        raise NotApplicable(f"its suites have no {RELEASED}")
    folder = sibling.declared / "suite"
    shutil.copytree(sibling.given, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return replace(sibling, suites=folder).damaged("")


def _loosened(sibling: Sibling) -> Damage:
    """A threshold falls from 80% to 35%, and nothing says why."""
    path = sibling.declared / "suite" / "phases.toml"
    before, table, after = path.read_text(encoding="utf-8").partition(TABLE)
    if DEMANDED not in after:
        raise NotApplicable(f"its phase table has no {DEMANDED} under {TABLE}")
    write_text(path, before + table + after.replace(DEMANDED, LOOSER, 1))
    return sibling.damaged(BAR)


def _loosened_and_noted(sibling: Sibling) -> Damage:
    """The same, and the note of the last release was written anew: only the phases before still show it."""
    _loosened(sibling)
    path = sibling.declared / "suite" / RELEASED
    noted = read_json(path)
    noted["bars"][BAR] = float(LOOSER.rpartition(" ")[2])
    write_json(path, noted)
    return sibling.damaged(BAR)


def _text_edited(sibling: Sibling) -> Damage:
    """A word of the fixed text is another, and its hash was left as it was."""
    path = sibling.declared / "suite" / "harness" / FIXED
    if not path.is_file():
        raise NotApplicable(f"its suites have no {FIXED}")
    first, _, rest = path.read_text(encoding="utf-8").partition(" ")
    write_text(path, f"{first}s {rest}")
    return sibling.damaged(FIXED)


BARS = (
    Kind("fixed_text_edited", "texts", "the text of a measure was edited, and earlier figures stand beside it",
         ("F15", "F70"), (Expected("benchmarks.other_text"),), _text_edited, ground=suites_themselves),
    Kind("loosened", "bars", "a threshold was lowered until the model passed", ("F38",),
         (Expected("harness.loosened"),), _loosened, ground=suites_themselves),
    Kind("loosened_in_chain", "bars", "a later phase asks less than the one before", ("F38",),
         (Expected("harness.loosened_in_chain"),), _loosened_and_noted, ground=suites_themselves),
)  # fmt: skip

SUITES = (
    Kind("crashing_check", "suite", "a check crashes on every model, and its status was read as a no", ("F35",),
         (Expected("crashed", by="tied"),),
         partial(_rewritten, CHECK, "tie_problems(checkpoint)", "tie_problems(checkpoint.weights)", "tied"),
         ground=small_suite),
    Kind("no_questions", "suite", "a gate collects no question, so that it can neither pass nor fail", ("F36",),
         (Expected(REFUSED),), _without_cases, ground=small_suite),
    Kind("questions_missing", "suite", "the file of a gate's questions is not there", ("F36", "F37"),
         (Expected(REFUSED),), _cases_missing, ground=small_suite),
    Kind("skipped_check", "suite", "a check skips itself where its file is missing, which was counted as passed",
         ("F37",), (Expected("not_run", "rows", by="tied"),),
         partial(_rewritten, CHECK, "    deny(", "    import pytest\n\n    pytest.skip('no file')\n    deny(", "tied"),
         ground=small_suite),
    Kind("returning_gate", "suite", "a gate returns its answer instead of asserting it", ("F60",),
         (Expected("crashed", "cases", by="said"),),
         partial(_rewritten, GATE, _BODY, "return bool(reply.text)", "said"), ground=small_suite),
    Kind("returning_check", "suite", "a check returns whether all is well instead of denying", ("F60",),
         (Expected("crashed", by="tied"),),
         partial(_rewritten, CHECK, "deny(tie_problems(checkpoint))", "return not tie_problems(checkpoint)", "tied"),
         ground=small_suite),
    Kind("silent_gate", "suite", "a gate asserts nothing", ("F60",),
         (Expected("crashed", "cases", by="said"),), partial(_rewritten, GATE, _BODY, "str(reply.text)", "said"),
         ground=small_suite),
)  # fmt: skip
