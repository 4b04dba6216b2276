"""The pages of the gates: one for each, equal to what the generator says now, with an output that really failed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelqa.cli import main
from modelqa.errors import UsageError
from modelqa.files import write_json
from modelqa.handbook.command import INDEX
from modelqa.handbook.failing import failing, says_no, section, showings
from modelqa.handbook.harvest import Made, harvested, made_under
from modelqa.handbook.known import OUTPUTS, known
from modelqa.handbook.page import codes_of, explaining, index, page
from modelqa.handbook.shipped import Shipped, gates_of
from modelqa.models import load_registry
from modelqa.mutants.trial import hashed_name
from modelqa.mutants.zoo import read_zoo
from modelqa.mutants.zoo_matrix import Keeper
from modelqa.reasons import GATES
from modelqa.record import GateResult, Run, Status, Verdict

ROOT = Path(__file__).parents[1]
SUITES, PAGES, ZOO = ROOT / "suites", ROOT / "docs" / "gates", ROOT / "fixtures" / "zoo.toml"
SHIPPED = gates_of(SUITES)
KNOWN = known(SUITES, zoo=ZOO, pages=PAGES)
BY_NAME = {gate.name: gate for gate in SHIPPED}
UNSHOWN = {"engine": "asked only of a server; tests/test_engines.py has other weights behind one"}
# Gates whose failing output is still owed, a line each: a defect is declared to make each fail, and `make gate-outputs`
# runs it. The list may only shrink.
OWED = (PAGES / "owed.txt").read_text(encoding="utf-8").split()
JUDGING = [gate for gate in SHIPPED if codes_of(gate) and gate.name not in UNSHOWN and gate.page not in OWED]


@pytest.mark.parametrize("gate", SHIPPED, ids=lambda gate: gate.page)
def test_every_gate_has_the_page_that_the_generator_makes_now(gate: Shipped) -> None:
    assert (PAGES / f"{gate.page}.md").read_text(encoding="utf-8") == page(gate, KNOWN), "make pages"


def test_there_is_no_page_without_a_gate_and_the_index_names_them_all() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} - {Path(INDEX).stem} == {gate.page for gate in SHIPPED}
    assert (PAGES / INDEX).read_text(encoding="utf-8") == index(SHIPPED)


@pytest.mark.parametrize("gate", JUDGING, ids=lambda gate: gate.page)
def test_every_gate_that_can_say_no_has_an_output_with_a_code_of_its_own(gate: Shipped) -> None:
    assert gate.name in KNOWN.failing, f"make gate-outputs (python -m modelqa.handbook.failing '{gate.name}')"
    assert says_no(gate, KNOWN.failing[gate.name].text)
    assert KNOWN.failing[gate.name].defect.startswith("Defect: ")


def test_what_is_owed_has_no_output_yet() -> None:
    assert set(OWED) <= {gate.page for gate in SHIPPED} - {BY_NAME[name].page for name in KNOWN.failing}


def test_no_output_is_kept_of_a_gate_that_is_gone() -> None:
    assert set(KNOWN.failing) <= set(BY_NAME)


def test_an_output_comes_again_from_the_same_defect(tmp_path: Path) -> None:
    gate = BY_NAME["finite_losses"]  # read from a log: the cheapest there is
    keeper = Keeper(load_registry(ZOO.with_name("models.toml")), SUITES, tmp_path)
    showing = next(showings(gate, keeper, read_zoo(ZOO).defects))
    again = failing(gate, showing, keeper)
    assert again is not None and again.text.rstrip() == KNOWN.failing[gate.name].text.rstrip()


@pytest.mark.parametrize("gate", SHIPPED, ids=lambda gate: gate.page)
def test_a_gate_says_in_its_own_words_what_it_asks(gate: Shipped) -> None:
    assert gate.title.endswith((".", "?")) and len(gate.title.split()) >= 4


@pytest.mark.parametrize("code", GATES)
def test_every_code_has_a_place_on_the_ladder_of_explanations(code: str) -> None:
    assert explaining(code) or code.startswith("benchmarks."), "modelqa/diagnose/causes.py names no cause for it"


SESSION = """\
=================================== FAILURES ===================================
______________________________ test_tied_embeddings ____________________________
FAIL  tied_embeddings
  weights.untied: two matrices
  at: lm_head.weight
______________________________ test_data[train-train.mix] ______________________
FAIL  data[train.mix]
  data.train.mix: another mix
=============================== warnings summary ===============================
suites/data/test_data.py::test_data[train-train.duplicates]
  /somewhere/test_data.py:41: UserWarning: At most one row in ten repeats an earlier row. 499 do not

-- Docs: elsewhere
"""


def test_a_section_is_the_gate_s_own() -> None:
    assert section(SESSION, BY_NAME["tied_embeddings"]) == (
        "FAIL  tied_embeddings\n  weights.untied: two matrices\n  at: lm_head.weight"
    )
    assert section(SESSION, BY_NAME["data[train.mix]"]) == "FAIL  data[train.mix]\n  data.train.mix: another mix"
    assert section(SESSION, BY_NAME["shapes"]) is None
    assert section(SESSION, BY_NAME["data[train.duplicates]"], warned=True) == (
        "warning: At most one row in ten repeats an earlier row. 499 do not"
    )


def test_an_output_with_another_gate_s_code_is_no_refusal() -> None:
    gate = BY_NAME["tied_embeddings"]
    assert says_no(gate, "FAIL  tied_embeddings\n  weights.untied: x")
    assert not says_no(gate, "INCONCLUSIVE  tied_embeddings\n  lower_rung: x")
    assert not says_no(gate, "warning: x")


def test_outputs_are_harvested_from_records_the_declared_defect_s_first(tmp_path: Path) -> None:
    """A record of a defect that only happens to fail a gate comes behind one of a defect that is made for it."""
    untied = Verdict(Status.FAIL, "weights.untied", "lm_head.weight", "m2 holds two matrices")
    gate = GateResult("tied_embeddings", "", "weights", untied)
    for name in ("m1", "m2", "m3"):
        run = Run({"name": name}, {}, {}, (), (gate.gate,), (gate,))
        write_json(tmp_path / name / "run.json", run.to_json())
    made = {"m1": Made("Defect: another."), "m2": Made("Defect: its own.", frozenset({"tied_embeddings"}))}
    found = harvested([tmp_path], [BY_NAME["tied_embeddings"], BY_NAME["shapes"]], made)
    assert [(gate.name, failing.defect) for gate, failing in found] == [
        ("tied_embeddings", "Defect: its own."), ("tied_embeddings", "Defect: another.")
    ]  # fmt: skip
    assert "weights.untied: the model holds two matrices" in found[0][1].text


def test_a_defect_of_the_zoo_is_known_by_its_hashed_name_with_the_gate_that_it_is_made_for() -> None:
    made = made_under(load_registry(ZOO.with_name("models.toml")), read_zoo(ZOO).defects)
    own = made[hashed_name("untied_head/weights.untied", "phase3a2", 0)]
    assert own.gates == {"tied_embeddings"} and "made from `phase3a2`" in own.story
    assert made["plain_concat"].gates == frozenset()


ADDED = '''"""About capitals."""

from modelqa import ask, gate


@gate(cases="c.jsonl", threshold=0.8, floors={"k": 0.5})
def test_capitals(case, reply):
    """The capital is right."""
    assert ask.exact(reply, case.expect)
'''


def test_a_gate_that_somebody_adds_has_its_page_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suites = shutil.copytree(SUITES, tmp_path / "suites")
    (suites / "behaviour" / "test_capitals.py").write_text(ADDED)
    arguments = ["--suites", str(suites), "--zoo", str(ZOO), "--pages", str(tmp_path / "pages")]
    assert main(["gates", "capitals", *arguments]) == 0
    shown = capsys.readouterr().out
    said = ("The capital is right.", "About capitals.", "Threshold: 80%", "`k` must reach 50%", "`capitals.floor`")
    assert [part for part in said if part not in shown] == []
    assert main(["gates", "--write", *arguments]) == 0
    assert (tmp_path / "pages" / "capitals.md").read_text() == shown
    (suites / "behaviour" / "test_capitals.py").unlink()
    assert main(["gates", "--write", *arguments]) == 0
    assert not (tmp_path / "pages" / "capitals.md").exists()


def test_a_gate_that_does_not_exist_names_the_nearest(tmp_path: Path) -> None:
    arguments = ["--suites", str(SUITES), "--zoo", str(ZOO), "--pages", str(PAGES)]
    assert main(["gates", "echo_basik", *arguments]) == 4
    with pytest.raises(UsageError, match="is no folder of suites"):
        gates_of(tmp_path)


def test_outputs_lie_below_the_pages() -> None:
    assert all(path.suffix == ".txt" for path in (PAGES / OUTPUTS).iterdir())
