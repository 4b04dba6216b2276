"""The zoo is whole: every failure is reproduced or owed with a reason, every gate bites or says why not yet."""

from __future__ import annotations

import ast
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from modelqa.errors import UsageError
from modelqa.handbook.page import codes_of
from modelqa.handbook.shipped import gates_of
from modelqa.models import load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.judging import AS_IT_IS
from modelqa.mutants.kind import LOCI, OPENING, REFUSED, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.matrix import Cell, Outcome, Row
from modelqa.mutants.styled import read_twin_recipes
from modelqa.mutants.trial import stage
from modelqa.mutants.zoo import Defect, Zoo, kind_of, read_zoo
from modelqa.mutants.zoo_matrix import Keeper
from modelqa.mutants.zoo_report import accused, accusers, report, teeth, told, zoo_page
from modelqa.reasons import GATES, gate_of
from modelqa.record import Status, Verdict

FIXTURES = Path(__file__).parents[1] / "fixtures"
REGISTRY = load_registry(FIXTURES / "models.toml")
ZOO = read_zoo(FIXTURES / "zoo.toml")

# Gates of the suites that no defect is declared for, each with the reason.
WITHOUT_DEFECT = {
    "unending_replies": "a model that never stops fails stop_token, a rung below; behaviour is then not judged",
    "reference_bits": "it judges a reference that cannot chat: tests/test_harness.py",
    "engine": "the zoo judges without a server; tests/test_engines.py has other weights behind a name",
    "noise_floor": "it judges the path and the margins: tests/test_noise.py flips replies",
}
NO_HEALTHY_HALF = {  # a kind of mutant is declared for it, and the model that it needs warns by itself
    "data[ancestors_val.payload]": "a base holds validation payloads of its children: tests/test_contracts.py",
}
WITHOUT_DEFECT["strict_output"] = (
    "no model passes phase3c yet (decision 0086); tests/test_suite_gates.py judges policies that lost one half"
)
# Codes that no defect shows, beside one of the same gate that a defect does.
NOT_SHOWN = {  # of the gate choice, which behaviour.letter_prior kills: tests/test_choice.py has a policy for each
    "behaviour.unparsed", "behaviour.below_chance", "behaviour.place", "behaviour.options_only", "behaviour.stem_blind",
}  # fmt: skip


def test_the_catalogue_has_76_failures_each_reproduced_or_owed() -> None:
    assert list(ZOO.failures) == [f"F{number:02d}" for number in range(1, 77)]
    assert ZOO.reproduced | set(ZOO.owed) == set(ZOO.failures)
    assert all(ZOO.owed.values())


def test_names_of_defects_differ() -> None:
    names = [defect.name for defect in ZOO.defects]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("defect", ZOO.defects, ids=lambda defect: defect.name)
def test_a_defect_states_a_code_that_one_gate_gives(defect: Defect) -> None:
    kind = kind_of(defect, REGISTRY)
    assert defect.model in REGISTRY.models or defect.card or defect.test
    assert defect.code == REFUSED or defect.by or defect.expected.gate != "no gate"
    assert kind.expects == (defect.expected,)


@pytest.mark.parametrize("defect", ZOO.defects, ids=lambda defect: defect.name)
def test_the_stated_place_is_where_the_surgery_is_made(defect: Defect, tmp_path: Path) -> None:
    """The zoo says it in its own words; where surgery names a place too, the two are one."""
    found = next((kind for kind in KINDS if kind.name == defect.kind), None)
    if found is None or defect.locus in LOCI or found.expects[0] != Expected(defect.code):
        return
    model = REGISTRY.models[defect.model]
    try:
        copy = stage(tmp_path, "copy", model)
        half = found.grounded(Sibling(copy, REGISTRY.models.get(model.parent), given=FIXTURES.parent / "suites"))
        damage = found.make(half)
    except NotApplicable as why:
        pytest.fail(f"{defect.name} cannot be made: {why}")
    assert damage.locus == defect.locus


def biting() -> set[str]:
    return {expected.code for kind in KINDS for expected in kind.expects} | {defect.code for defect in ZOO.defects}


@pytest.mark.parametrize("code", GATES)
def test_every_code_has_a_defect_that_must_get_it(code: str) -> None:
    excused = code in NOT_SHOWN or GATES[code] in WITHOUT_DEFECT
    assert (code in biting()) is not excused, "a reason that no defect shows, or one that need not be excused"


def test_every_gate_of_the_suites_has_a_defect_that_it_must_kill() -> None:
    """By name: gates over replies and expectations on data too; what is only printed is no gate."""
    made = [expected for kind in KINDS for expected in kind.expects] + [defect.expected for defect in ZOO.defects]
    killers = {expected.gate.partition("[")[0] for expected in made}
    assert set(judging_gates()) - killers == set(WITHOUT_DEFECT)


def judging_gates() -> list[str]:
    """The tests of the suites that can say no."""
    found = []
    for path in (FIXTURES.parent / "suites").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
                if "informational=True" not in marks:
                    found.append(node.name.removeprefix("test_"))
    return found


def test_no_two_gates_share_a_code() -> None:
    made = [expected for kind in KINDS for expected in kind.expects]
    plain = [expected for expected in made if not expected.by]
    assert all(expected.gate == (OPENING if expected.code == REFUSED else gate_of(expected.code)) for expected in plain)


# -- the report --------------------------------------------------------------------------------------------------------

DEFECT = Defect(("F33",), "weights.untied", "lm_head.weight", "phase3a2", kind="untied_head")
SMALL = Zoo({"F33": "a", "F05": "b"}, (DEFECT,), {"F05": "later"})
UNTIED = Cell(Verdict(Status.FAIL, "weights.untied", "lm_head.weight"), "weights")


def judged(cell: Cell) -> Row:
    kind = kind_of(DEFECT, REGISTRY)
    return Row(kind, "m1", "lm_head.weight", kind.expects[0], {"tied_embeddings": cell})


def test_the_report_is_true_only_when_all_is_caught_and_nobody_healthy_is_accused() -> None:
    passes = Cell(Verdict(Status.PASS), "weights")
    healthy = Row(kind_of(DEFECT, REGISTRY), "m2", cells={"tied_embeddings": passes})
    lines, true = report(SMALL, {DEFECT.name: judged(UNTIED)}, [DEFECT], [healthy])
    assert true
    assert lines[-1] == (
        "catalogue 2 / reproduced 1 / caught for the stated reason 1 / still owed 1 / false alarms on 1 healthy twins 0"
    )
    survived = {DEFECT.name: judged(passes)}
    assert survived[DEFECT.name].outcome is Outcome.SURVIVED
    assert report(SMALL, survived, [DEFECT], [healthy])[1] is False
    alarmed = replace(healthy, cells={"tied_embeddings": UNTIED})
    assert accused([healthy, alarmed]) == [alarmed]
    assert report(SMALL, {DEFECT.name: judged(UNTIED)}, [DEFECT], [alarmed])[1] is False


def test_a_failure_with_two_defects_is_caught_when_both_are() -> None:
    passes = Cell(Verdict(Status.PASS), "weights")
    second = replace(DEFECT, kind="tie_flag_off")
    zoo = replace(SMALL, defects=(DEFECT, second))
    rows = {DEFECT.name: judged(UNTIED), second.name: judged(passes)}
    assert DEFECT.name != second.name
    assert "caught for the stated reason 0" in report(zoo, rows, [DEFECT, second], [])[0][-1]


def test_the_page_tells_what_differs_and_who_caught_it() -> None:
    row = replace(judged(UNTIED), difference=("model.safetensors: lm_head.weight",))
    assert "differs in model.safetensors: lm_head.weight" in told(row)[1]
    page = zoo_page(SMALL, {DEFECT.name: row}, [], "in short")
    assert "| F33 | " in page and "killed |" in page and "- F05: later" in page


def test_the_teeth_of_a_gate_are_what_it_killed_and_whom_healthy_it_passes() -> None:
    passes = Cell(Verdict(Status.PASS), "weights")
    idle = replace(UNTIED, counts=False)
    twin = Row(kind_of(DEFECT, REGISTRY), "m2", cells={"tied_embeddings": passes, "shapes": idle})
    survivor = replace(judged(passes), expected=Expected("weights.shapes"))
    assert teeth([judged(UNTIED), survivor], [twin, twin]) == {"tied_embeddings": (1, 2, 2)}


def test_a_model_to_which_nothing_was_done_is_accused_by_whatever_does_not_pass_it() -> None:
    said = {"shapes": Cell(Verdict(Status.INCONCLUSIVE, "unsettled"), "weights", counts=False),
            "keys": Cell(Verdict(Status.NOT_ASKED, "not_asked"), "weights", counts=False)}  # fmt: skip
    kind = Kind("gemma", AS_IT_IS, "", (), (), lambda it: it.damaged(""))
    row = Row(kind, "m1", cells=said)
    assert accusers(row) == ["shapes"] and accused([row]) == [row]
    assert accused([replace(row, kind=kind_of(DEFECT, REGISTRY))]) == []


PAGE = unescape((FIXTURES.parent / "docs" / "zoo.md").read_text(encoding="utf-8"))


def lines_of(heading: str) -> list[list[str]]:
    """The cells of a table of the committed page."""
    rows = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [row.strip("| ").split(" | ") for row in rows]


# What the committed page says was not judged yet; the list may only shrink.
LACKING = {line[2:] for line in PAGE.partition("Not judged yet:\n\n")[2].splitlines()}


def test_the_committed_page_shows_every_judged_defect_killed_for_its_stated_reason() -> None:
    shown = {row[1]: (row[0].split(", "), row[4], row[-1]) for row in lines_of("failures")}
    wanted = {each.name: (list(each.failures), each.code, "killed") for each in ZOO.defects}
    assert shown == {name: told for name, told in wanted.items() if name not in LACKING}


def test_the_committed_page_shows_twins_that_nobody_accuses() -> None:
    twins = {row[0]: row[-1] for row in lines_of("healthy twin")}
    every = {*(kind.name for kind in TWINS), *read_twin_recipes(FIXTURES / "zoo_twins.toml")}
    assert twins == dict.fromkeys(every - LACKING, "nobody")


def test_every_gate_has_killed_something_and_passes_something_healthy() -> None:
    """In the committed run of the zoo; a gate with parameters does when one of its kinds does."""
    biting = {row[0].partition("[")[0] if not row[0].startswith("data[") else row[0]
              for row in lines_of("gate") if row[1] != "0" and (row[2] != "0" or row[3] != "0")}  # fmt: skip
    judging = {gate.name for gate in gates_of(FIXTURES.parent / "suites") if codes_of(gate)}
    owed = {defect.expected.gate.partition("[")[0] if not defect.expected.gate.startswith("data[")
            else defect.expected.gate for defect in ZOO.defects if defect.name in LACKING}  # fmt: skip
    assert judging - biting - owed == (set(WITHOUT_DEFECT) | set(NO_HEALTHY_HALF)) - biting


@pytest.mark.parametrize("defect", [each for each in ZOO.defects if each.card], ids=lambda each: each.name)
def test_a_card_with_one_defect_is_refused_for_it_and_its_healthy_half_is_not(defect: Defect) -> None:
    row = Keeper(REGISTRY, Path("suites"), Path("nowhere"), FIXTURES / "zoo" / "cards").judge(defect)
    assert row.outcome is Outcome.EXPECTED, row.cells


WHOLE = '[[defect]]\nfailures = ["F33"]\nkind = "nan"\nmodel = "m"\ncode = "c"\nlocus = "l"\n'


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("[owed]\n", "F33 has no defect"),
        ('[owed]\nF33 = "later"\nF99 = "?"\n', "F99 is no failure"),
        ('[[defect]]\nfailures = ["F33"]\nmodel = "m"\n', "defect 1 is malformed"),
        (f'{WHOLE}[owed]\nF33 = "later"\n', "F33 has a defect and is owed"),
        ("[[defect", "Expected"),
    ],
)
def test_a_zoo_that_is_not_whole_is_refused(tmp_path: Path, text: str, fact: str) -> None:
    (tmp_path / "failures.toml").write_text('F33 = "a failure"\n')
    (tmp_path / "zoo.toml").write_text(text)
    with pytest.raises(UsageError, match=fact):
        read_zoo(tmp_path / "zoo.toml")
