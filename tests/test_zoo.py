"""The zoo is whole: every failure is reproduced or owed with a reason, every gate bites or says why not yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelqa.errors import UsageError
from modelqa.models import load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.kind import LOCI, OPENING, REFUSED, Expected, NotApplicable, Sibling
from modelqa.mutants.matrix import Cell, Outcome, Row
from modelqa.mutants.trial import stage
from modelqa.mutants.zoo import Defect, Zoo, accused, kind_of, read_zoo, report
from modelqa.reasons import GATES, gate_of
from modelqa.record import Status, Verdict

FIXTURES = Path(__file__).parents[1] / "fixtures"
REGISTRY = load_registry(FIXTURES / "models.toml")
ZOO = read_zoo(FIXTURES / "zoo.toml")

# Gates whose code no mutant and no defect of the zoo gives yet. It may only shrink: a gate that bites leaves it.
NO_DEFECT_YET = {
    "harness.loosened": "needs a defect of the suites; tests/test_thresholds.py has the pair",
    "harness.loosened_in_chain": "the same gate as harness.loosened, along the phases of a model's ancestors",
    "weights.merge": "needs an adapter beside its base and the merged model",
    "data.grader_contract": "needs gold answers that their grader refuses",
    "weights.same_as_baseline": "the zoo judges without a baseline; tests/test_baseline.py has the pair",
    "behaviour.regressed": "the zoo judges without a baseline; tests/test_baseline.py has the pair",
    "parity.template_hash": "needs a capture that names the template of training",
    "training.full_accuracy": "the same gate as training.zero_loss, on logs with accuracies",
    "training.mirage": "needs a checkpoint with low structural and high content loss",
    "training.reset": "the same gate as training.resumed, on schedules with a second warm-up",
    "parity.mode": "needs a checkpoint with hidden dropout",
    "parity.repeat": "an injected fault stops at the harness rung first",
    "parity.batch": "an injected fault stops at the harness rung first",
    "parity.cache": "an injected fault stops at the harness rung first",
}


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
    assert defect.model in REGISTRY.models
    assert defect.code == REFUSED or gate_of(defect.code)
    assert kind.expects == (Expected(defect.code, defect.locus if defect.locus in LOCI else "exact"),)


@pytest.mark.parametrize("defect", ZOO.defects, ids=lambda defect: defect.name)
def test_the_stated_place_is_where_the_surgery_is_made(defect: Defect, tmp_path: Path) -> None:
    """The zoo says it in its own words; where surgery names a place too, the two are one."""
    found = next((kind for kind in KINDS if kind.name == defect.kind), None)
    if found is None or defect.locus in LOCI or found.expects[0] != Expected(defect.code):
        return
    model = REGISTRY.models[defect.model]
    try:
        damage = found.make(Sibling(stage(tmp_path, "copy", model), REGISTRY.models.get(model.parent)))
    except NotApplicable as why:
        pytest.fail(f"{defect.name} cannot be made: {why}")
    assert damage.locus == defect.locus


def biting() -> set[str]:
    return {expected.code for kind in KINDS for expected in kind.expects} | {defect.code for defect in ZOO.defects}


@pytest.mark.parametrize("code", GATES)
def test_every_gate_has_a_defect_that_it_must_kill(code: str) -> None:
    assert (code in biting()) is not (code in NO_DEFECT_YET), "a gate that kills nothing, or one that no longer is owed"


def test_no_two_gates_share_a_code() -> None:
    made = [expected for kind in KINDS for expected in kind.expects]
    assert all(expected.gate == (OPENING if expected.code == REFUSED else gate_of(expected.code)) for expected in made)


# -- the report --------------------------------------------------------------------------------------------------------

DEFECT = Defect(("F33",), "phase3a2", "weights.untied", "lm_head.weight", kind="untied_head")
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
