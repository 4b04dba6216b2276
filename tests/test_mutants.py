"""Mutants: surgery touches what it says and nothing else, and the matrix calls a kill only what is one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_model

from modelqa.checkpoint import (
    changes,
    merge_problems,
    open_adapter,
    open_checkpoint,
    read,
    shape_problems,
    tie_problems,
)
from modelqa.errors import CheckpointError, UsageError
from modelqa.gates import LADDER
from modelqa.models import Model, load_registry
from modelqa.mutants.catalogue import KINDS, chosen
from modelqa.mutants.difference import difference, keep_before
from modelqa.mutants.judging import Workplace
from modelqa.mutants.kind import LOCI, OPENING, REFUSED, Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.lossless import TWINS
from modelqa.mutants.matrix import Cell, Outcome, Row, cells, expected_of, summary, table
from modelqa.mutants.picture import curve_picture, matrix_picture
from modelqa.mutants.tensors import put, store
from modelqa.mutants.trial import Session, declare, selected, stage
from modelqa.mutants.weights import GRADED
from modelqa.reasons import GATES, gate_of
from modelqa.record import BY_ITSELF, GateResult, Run, Status, Verdict

ROOT = Path(__file__).parents[1]
REGISTRY = load_registry(ROOT / "fixtures" / "models.toml")
PHASE3A2 = REGISTRY.models["phase3a2"]
BY_NAME = {kind.name: kind for kind in (*KINDS, *TWINS)}


def sibling_of(tmp_path: Path, model: Model = PHASE3A2, name: str = "copy") -> Sibling:
    return Sibling(stage(tmp_path, name, model), REGISTRY.models.get(model.parent), given=ROOT / "suites")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- the kinds ---------------------------------------------------------------------------------------------------------


def test_there_are_at_least_25_kinds_of_surgery_on_a_checkpoint_and_their_names_differ() -> None:
    areas = {"weights", "tokenizer", "template", "config", "file"}
    assert sum(kind.area in areas for kind in KINDS) >= 25
    assert len(BY_NAME) == len(KINDS) + len(TWINS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_declares_failures_a_code_that_one_gate_gives_and_a_locus(kind: Kind) -> None:
    failures = (ROOT / "fixtures" / "failures.toml").read_text(encoding="utf-8")
    assert kind.expects and kind.failures
    assert all(f"\n{failure} = " in failures for failure in kind.failures)
    for expected in kind.expects:
        assert expected.code == REFUSED or expected.by or gate_of(expected.code), expected
        assert expected.locus == "exact" or expected.locus in LOCI


@pytest.mark.parametrize("kind", [*KINDS, *TWINS], ids=lambda kind: kind.name)
def test_surgery_changes_its_copy_and_never_the_model(kind: Kind, tmp_path: Path) -> None:
    with_data = kind.area == "data" or kind.name == "jump_leaked"
    on_beta = kind.name in ("mix_drifted", "drowned", "ancestor_asked", "ancestor_said")  # a parent of chat rows
    model = REGISTRY.models["phase3a1_beta" if on_beta else "phase3a1_alpha" if with_data else "phase3a2"]
    model = model if with_data else replace(model, train=(), val=())
    assert model.path is not None
    before = contents(model.path)
    copy = sibling_of(tmp_path, model)
    untouched: dict[str, bytes] = {}
    try:
        copy = kind.grounded(copy)
        untouched = contents(tmp_path / "copy")
        damage = kind.make(copy)
    except NotApplicable as why:
        assert kind.name in ("tie_flag_on", "bos_doubled"), why
        return
    assert contents(tmp_path / "copy") != untouched or damage.model != copy.model
    assert contents(model.path) == before
    assert all(kind.name not in name for name in contents(tmp_path / "copy"))


def test_the_same_seed_makes_the_same_mutant_and_another_seed_another_one(tmp_path: Path) -> None:
    made = []
    for number, seed in enumerate((0, 0, 1)):
        copy = replace(sibling_of(tmp_path, name=f"copy{number}"), seed=seed)
        BY_NAME["noise"].make(copy)
        made.append(copy.checkpoint.weights_digest)
    assert made[0] == made[1] != made[2]


def test_growing_noise_is_growing(tmp_path: Path) -> None:
    healthy = open_checkpoint(str(PHASE3A2.path))
    name = "model.layers.1.mlp.down_proj.weight"
    moved = []
    for kind in GRADED:
        copy = sibling_of(tmp_path, name=f"copy{kind.strength:g}")
        kind.make(copy)
        moved.append(float(np.abs(read(copy.checkpoint, name) - read(healthy, name)).mean()))
    assert moved == sorted(moved) and moved[0] > 0


@pytest.mark.parametrize("shape", ["gpt2", "llama"])
def test_other_architectures_get_mutants_too(tmp_path: Path, shape: str) -> None:
    folder = tiny_model.write_model(tmp_path / "model", shape, tied=shape == "llama")
    made = 0
    for kind in KINDS:
        if kind.area != "weights":
            continue
        try:
            damage = kind.make(sibling_of(tmp_path, Model(name="tiny", path=folder), f"copy-{kind.name}"))
        except NotApplicable:
            continue
        assert isinstance(damage, Damage)
        made += 1
    assert made >= 15


def test_an_untied_model_can_lose_its_flag_the_other_way(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "model", tied=False)
    copy = sibling_of(tmp_path, Model(name="tiny", path=folder))
    assert not tie_problems(copy.checkpoint)
    damage = BY_NAME["tie_flag_on"].make(copy)
    (problem,) = tie_problems(copy.checkpoint)
    assert (problem.code, problem.locus) == (BY_NAME["tie_flag_on"].expects[0].code, damage.locus)


def test_odd_tensors_are_found_and_layers_of_other_sizes_are_not(tmp_path: Path) -> None:
    copy = sibling_of(tmp_path)
    assert not shape_problems(copy.checkpoint)
    damage = BY_NAME["transposed"].make(copy)
    (problem,) = shape_problems(copy.checkpoint)
    assert problem.locus == damage.locus
    smaller = read(open_checkpoint(str(PHASE3A2.path)), damage.locus)[:, :-8]
    put(copy.checkpoint, {damage.locus: smaller})
    assert not shape_problems(copy.checkpoint)


def test_bfloat16_rounds_to_the_nearest_even_number_as_torch_does() -> None:
    import torch

    values = np.random.default_rng(0).normal(0, 1, 4096).astype(np.float32)
    values[:4] = [np.inf, -np.inf, 0.0, 1.00390625]
    ours = np.frombuffer(store(values, "BF16").data, np.uint16)
    theirs = torch.tensor(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert (ours == theirs).all()
    with pytest.raises(CheckpointError, match="cannot be stored as F8"):
        store(values, "F8_E4M3")


def test_an_unknown_kind_gets_the_nearest_names() -> None:
    with pytest.raises(UsageError, match=r"nearest: .*untied_head"):
        chosen(["untied_haed"])
    assert {kind.area for kind in chosen(["template"])} == {"template"}
    assert chosen([]) == list(KINDS)


# -- staging -----------------------------------------------------------------------------------------------------------


def test_a_staged_copy_says_nothing_of_what_was_done(tmp_path: Path) -> None:
    copy = sibling_of(tmp_path, name="m0123")
    trial = declare(tmp_path, BY_NAME["nan"].make(copy).model, REGISTRY)
    declared = load_registry(trial.folder / "models.toml")
    own = declared.models["m0123"]
    assert (own.stage, own.phase, own.system, own.parent) == ("sft", "phase3a2", PHASE3A2.system, "phase3a1_gamma")
    assert own.reference == "reference" and own.train and own.capture and own.trainer_log
    assert "nan" not in (trial.folder / "models.toml").read_text(encoding="utf-8")
    files = open_checkpoint(str(PHASE3A2.path)).files
    assert {path.name for path in (tmp_path / "m0123" / "m0123").iterdir()} == set(files)


def test_a_bare_folder_stays_bare(tmp_path: Path) -> None:
    model = stage(tmp_path, "m0", Model(name="phase3a2", path=PHASE3A2.path))
    trial = declare(tmp_path, model, REGISTRY)
    assert trial.argument == str(tmp_path / "m0" / "m0")
    assert not load_registry(trial.folder / "models.toml").models


def test_the_healthy_half_of_a_pair_has_the_ground_and_the_other_half_what_is_told(tmp_path: Path) -> None:
    kind = BY_NAME["adapter_twice"]
    half = kind.grounded(sibling_of(tmp_path, replace(PHASE3A2, train=(), val=())))
    assert half.model.adapter is not None and half.others[0].name == PHASE3A2.parent
    base, adapter = open_checkpoint(str(half.others[0].path)), open_adapter(half.model.adapter)
    assert merge_problems(half.checkpoint, base, adapter) == []
    before = keep_before(tmp_path / "copy")
    damage = kind.make(half)
    found = merge_problems(half.checkpoint, base, adapter)
    assert (found[0].code, found[0].locus) == (kind.expects[0].code, damage.locus)
    said = difference(before, tmp_path / "copy", half.model, damage.model)
    assert said == ("model.safetensors: 4 of 38 tensors",)
    trial = declare(tmp_path, damage.model, REGISTRY, damage.others)
    declared = load_registry(trial.folder / "models.toml").models
    assert declared[PHASE3A2.parent].path == half.others[0].path


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("lost_stop", {"config.json: eos_token_id", "generation_config.json: eos_token_id"}),
        ("loss_zero", {"trainer_state.json: 1 of"}),
        ("pickled", {"model.safetensors is gone", "pytorch_model.bin is new"}),
        ("starved", {"models.toml: training_tokens"}),
    ],
)
def test_what_differs_is_told_by_file_key_and_declaration(kind: str, told: set[str], tmp_path: Path) -> None:
    half = BY_NAME[kind].grounded(sibling_of(tmp_path, replace(PHASE3A2, train=(), val=())))
    before = keep_before(tmp_path / "copy")
    damage = BY_NAME[kind].make(half)
    said = difference(before, tmp_path / "copy", half.model, damage.model)
    assert all(any(line.startswith(start) for line in said) for start in told), said


def test_a_mutant_is_asked_up_to_the_gate_that_must_kill_it_in_one_session() -> None:
    place = Workplace(PHASE3A2, REGISTRY, ROOT / "suites", Path("nowhere"))
    assert place.groups()[0] == ("harness", "weights")
    assert place.groups("", "parity") == [("harness", "weights", "parity"), ("behaviour",), ("benchmarks",)]
    assert place.groups("", "training")[0] == ("harness", "weights", "training")
    assert place.groups("", LADDER[-1]) == [("harness", "weights", "parity", "behaviour", "benchmarks")]
    assert place.groups("log", "training") == [("harness", "weights", "training")]


def test_rungs_choose_folders_and_loose_suites_count_as_behaviour(tmp_path: Path) -> None:
    for rung in ("harness", "weights", "behaviour"):
        (tmp_path / rung).mkdir()
    assert selected(tmp_path, ["harness", "weights"]) == [str(tmp_path / "harness"), str(tmp_path / "weights")]
    assert selected(tmp_path, ["behaviour"]) == [
        str(tmp_path), f"--ignore={tmp_path / 'harness'}", f"--ignore={tmp_path / 'weights'}"
    ]  # fmt: skip
    with pytest.raises(UsageError, match="no rung"):
        selected(tmp_path, ["cellar"])


# -- the verdict on a mutant -------------------------------------------------------------------------------------------

KIND = Kind("one", "weights", "a story", ("F33",), (Expected("weights.untied"),), lambda it: it.damaged("lm_head"))
PASSED = (OPENING, "tied_embeddings", "shapes")
HEALTHY = {name: GateResult(name, "", "weights", Verdict(Status.PASS)) for name in PASSED}


def row(*verdicts: tuple[str, str, Verdict], locus: str = "lm_head", reason: str = "") -> Row:
    said = {gate: Cell(verdict, rung, gate in HEALTHY) for gate, rung, verdict in verdicts}
    return Row(KIND, "m1", locus, expected_of(KIND, HEALTHY), said, reason)


UNTIED = Verdict(Status.FAIL, "weights.untied", "lm_head")
PASS = Verdict(Status.PASS)
CRASH = Verdict(Status.INCONCLUSIVE, "crashed", "shapes", "KeyError")


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (row(("tied_embeddings", "weights", UNTIED)), Outcome.EXPECTED),
        (row(("tied_embeddings", "weights", replace(UNTIED, locus="other"))), Outcome.OTHER),
        (row(("tied_embeddings", "weights", replace(UNTIED, code="weights.other"))), Outcome.OTHER),
        (row(("shapes", "weights", replace(UNTIED, code="weights.shapes"))), Outcome.OTHER),
        (row(("tied_embeddings", "weights", PASS)), Outcome.SURVIVED),
        (row(("tied_embeddings", "weights", replace(UNTIED, status=Status.INCONCLUSIVE))), Outcome.SURVIVED),
        (row(("shapes", "weights", CRASH)), Outcome.CRASHED),
        (row(("tied_embeddings", "weights", UNTIED), ("shapes", "weights", CRASH)), Outcome.EXPECTED),
        (row(reason="exit status 3"), Outcome.CRASHED),
        (row(("unknown_to_the_healthy", "weights", UNTIED)), Outcome.SURVIVED),
        (replace(row(), applicable=False), Outcome.NOT_APPLICABLE),
    ],
)
def test_only_a_no_of_a_gate_that_the_healthy_model_passes_is_a_kill(found: Row, outcome: Outcome) -> None:
    assert found.outcome is outcome
    assert str(outcome) in table([found])[0]


def test_the_place_of_an_overlap_is_the_item_whatever_row_it_meets() -> None:
    verdict = Verdict(Status.FAIL, "data.train_cases.prompt", "echo/28/3 (m1 train.jsonl:7)")
    expected, result = Expected("data.train_cases.prompt"), GateResult("data[train_cases.prompt]", "", "data", verdict)
    assert expected.meets(result, "echo/28/3")
    assert not expected.meets(result, "echo/28/4")
    assert not expected.meets(replace(result, verdict=replace(verdict, locus="echo/28/33 (m1)")), "echo/28/3")


def test_a_harness_gate_kills_by_an_inconclusive_verdict_with_a_code_of_its_own() -> None:
    said = Verdict(Status.INCONCLUSIVE, "harness.stop_ids", "token 3")
    assert Cell(said, LADDER[0]).mark == "kill"
    assert Cell(replace(said, code="no_evidence"), LADDER[0]).mark == "doubt"
    assert Cell(said, "weights").mark == "doubt"


def test_numbers_that_bear_no_claim_and_a_warning_are_a_no_too() -> None:
    said = Verdict(Status.INCONCLUSIVE, "benchmarks.n", "exam acc")
    assert Cell(said, "benchmarks").mark == "kill"
    assert Cell(replace(said, code="no_evidence"), "benchmarks").mark == "doubt"
    warns = GateResult("scale", "", "benchmarks", Verdict(Status.PASS), measured={"warning": "1 token a parameter"})
    session = Session(run_of(warns, replace(warns, gate="quiet", measured={})), 0, "", 1.0)
    marks = {gate: cell.mark for gate, cell in cells(session, {"scale": warns, "quiet": warns}, NOWHERE).items()}
    assert marks == {OPENING: "pass", "scale": "kill", "quiet": "pass"}


@pytest.mark.parametrize(("own", "mark"), [("echo_basic.below", "kill"), ("not_drawn", "doubt"), ("", "pass")])
def test_a_gate_by_itself_says_what_a_lower_rung_keeps_it_from_saying(own: str, mark: str) -> None:
    verdict = Verdict(Status.INCONCLUSIVE, "lower_rung", "tied", passed=3, total=9)
    blocked = GateResult("echo_basic", "", "behaviour", verdict, measured={BY_ITSELF: own} if own else {})
    session = Session(run_of(blocked), 1, "", 1.0)
    known = {"echo_basic": blocked}
    assert cells(session, known, NOWHERE)["echo_basic"].mark == "doubt"
    alone = cells(session, known, NOWHERE, by_itself=True)["echo_basic"]
    assert (alone.mark, alone.verdict.passed, alone.verdict.total) == (mark, 3, 9)


def test_where_the_suite_is_the_mutant_no_verdict_is_the_right_answer() -> None:
    crashed = GateResult("tied", "", "weights", replace(CRASH, locus="tied"))
    session = Session(run_of(crashed), 6, "", 1.0)
    known = {"tied": crashed}
    assert cells(session, known, NOWHERE)["tied"].mark == "crash"
    of_suite = cells(session, known, replace(NOWHERE, suites=Path("suite")))["tied"]
    assert of_suite.mark == "kill"
    expected = Expected("crashed", by="tied")
    assert Row(KIND, "m1", "tied", expected, {"tied": of_suite}).outcome is Outcome.EXPECTED


NOWHERE = Damage("", PHASE3A2)


def run_of(*gates: GateResult) -> Run:
    return Run({}, {}, {}, (), tuple(gate.gate for gate in gates), gates)


REFUSAL = "model.safetensors: it is cut short\n  reason: bytes are missing\n  remedy: copy it again\n"


def test_a_clear_refusal_is_a_verdict_and_a_traceback_is_a_crash() -> None:
    refused = cells(Session(None, 4, REFUSAL, 1.0), HEALTHY, Damage("model.safetensors", PHASE3A2))
    assert Expected(REFUSED).meets(GateResult(OPENING, "", "harness", refused[OPENING].verdict), "model.safetensors")
    elsewhere = cells(Session(None, 4, REFUSAL, 1.0), HEALTHY, Damage("config.json", PHASE3A2))
    assert elsewhere[OPENING].verdict.locus == ""
    assert cells(Session(None, 3, f"Traceback\n{REFUSAL}", 1.0), HEALTHY, Damage("model.safetensors", PHASE3A2)) == {}


def test_the_pictures_are_well_formed_and_escape_what_they_are_told() -> None:
    from xml.etree import ElementTree

    rows = [row(("tied_embeddings", "weights", replace(UNTIED, locus="<&>"))), row(("shapes", "weights", CRASH))]
    drawn = ElementTree.fromstring(matrix_picture("a<b", rows))
    titles = [element.text or "" for element in drawn.iter() if element.tag.endswith("title")]
    assert any("weights.untied <&>" in title for title in titles) and "Kill matrix of a<b" in titles
    curve = ElementTree.fromstring(curve_picture("m", {"echo": [(0.1, 1.0, "pass"), (0.8, 0.2, "kill")]}))
    assert [element.tag.rpartition("}")[2] for element in curve.iter()].count("circle") == 1
    assert summary(rows).startswith("2 mutants:")


def test_every_code_that_a_kind_expects_is_one_of_the_closed_set() -> None:
    made = {expected.code for kind in KINDS for expected in kind.expects}
    assert {code for code in made if code.startswith("weights.")} <= set(GATES)


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_the_command_makes_judges_and_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from modelqa.cli import main

    command = ["mutants", "--model", "phase3a2", "--models", str(ROOT / "fixtures" / "models.toml"), "--suites",
               str(ROOT / "suites"), "--rung", "weights", "--out", str(tmp_path), "--kind", "untied_head",
               "--kind", "truncated_file", "--kind", "trailing_space"]  # fmt: skip
    assert main(command) == 1  # the weights rung alone cannot see the template
    said = capsys.readouterr().out
    stored = json.loads((tmp_path / "matrix.json").read_text())
    outcomes = {mutant["name"]: mutant["outcome"] for mutant in stored["mutants"]}
    assert outcomes == {"untied_head": "killed", "truncated_file": "killed", "trailing_space": "survived"}
    assert "3 mutants: 2 killed, 1 survived" in said and "killed nothing:" in said
    assert (tmp_path / "matrix.svg").read_text().startswith("<svg")
    assert not list((tmp_path / "trials").iterdir())
    assert main([*command[:-6], "--kind", "untied_head"]) == 0


def test_one_number_that_is_none_leaves_what_changed_measurable(tmp_path: Path) -> None:
    copy = sibling_of(tmp_path)
    parent = open_checkpoint(str(REGISTRY.models[PHASE3A2.parent].path))
    BY_NAME["nan"].make(copy)
    moved = changes(copy.checkpoint, parent)
    assert np.isfinite(list(moved.values())).all() and moved["backbone"] > 0


def test_the_healthy_tables_of_results_give_nothing_to_object_to(tmp_path: Path) -> None:
    """In the functions that the suite asks, each with what it is asked with."""
    from modelqa import benchmarks

    kind = BY_NAME["n_missing"]
    half = kind.grounded(sibling_of(tmp_path, replace(PHASE3A2, train=(), val=())))
    own, old = (benchmarks.results_of(benchmarks.read_results(model.benchmarks[0]), model.name)
                for model in (half.model, half.others[0]))  # fmt: skip
    digest = half.checkpoint.weights_digest
    assert list(benchmarks.stated_concerns(own, digest, digest)) == []
    assert [*benchmarks.chance_concerns(own), *benchmarks.shortcut_concerns(own)] == []
    assert [*benchmarks.worse_concerns(own, old, code="c"), *benchmarks.set_concerns(own, old, code="c")] == []
    assert [*benchmarks.perplexity_concerns(own, old), *benchmarks.contradiction_concerns(own)] == []
    assert benchmarks.jumps(own, old) == []
    assert half.model.trend is not None
    assert list(benchmarks.trend_concerns(benchmarks.read_trend(half.model.trend))) == []


WITHOUT_ROWS = [kind for kind in KINDS if kind.area == "results" and kind.name != "jump_leaked"]


@pytest.mark.parametrize("kind", WITHOUT_ROWS, ids=lambda kind: kind.name)
def test_a_defect_of_results_changes_one_thing_in_the_healthy_tables(kind: Kind, tmp_path: Path) -> None:
    half = kind.grounded(sibling_of(tmp_path, replace(PHASE3A2, train=(), val=())))
    before = keep_before(tmp_path / "copy")
    damage = kind.make(half)
    assert 1 <= len(difference(before, tmp_path / "copy", half.model, damage.model)) <= 2
