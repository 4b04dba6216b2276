"""The ladder: stories that happened, told as records; the mundane explanation comes first, or "I do not know"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelqa.cli import main
from modelqa.diagnose import Diagnosis, diagnose, lines
from modelqa.diagnose.causes import CAUSES, MODEL
from modelqa.diagnose.restart import BUCKETS
from modelqa.files import write_json
from modelqa.gates import LADDER
from modelqa.reasons import GATES
from modelqa.record import BY_ITSELF, GateResult, Run, Status, Verdict

RUNG = {gate: code.split(".")[0] for code, gate in GATES.items()}
HARNESS = ("reference_ids", "reference_floor", "random_twin", "told_apart")


def rung(gate: str) -> str:
    if gate.startswith("data["):
        return "data"
    return RUNG.get(gate, "harness" if gate in HARNESS else "parity" if gate == "stop_token" else "behaviour")


def passing(*gates: str) -> list[GateResult]:
    return [GateResult(gate, gate, rung(gate), Verdict(Status.PASS)) for gate in gates]


def saying(gate: str, code: str, *, locus: str = "somewhere", passed: int = 0, total: int = 0) -> GateResult:
    """A gate that fails; one of the harness is inconclusive."""
    status = Status.INCONCLUSIVE if rung(gate) == "harness" or code == "crashed" else Status.FAIL
    return GateResult(gate, gate, rung(gate), Verdict(status, code, locus, "prose", passed, total))


def record(*gates: GateResult) -> Run:
    """A record in which a failing rung blocks what stands above it, as in a session."""
    ordered = sorted(gates, key=lambda result: LADDER.index(result.rung))
    stop = min(
        (LADDER.index(r.rung) for r in ordered if r.verdict.status is Status.FAIL or
         (r.rung == "harness" and r.verdict.status is Status.INCONCLUSIVE)),
        default=len(LADDER),
    )  # fmt: skip
    blocked = [
        r if LADDER.index(r.rung) <= stop else
        replace(r, verdict=replace(r.verdict, status=Status.INCONCLUSIVE, code="lower_rung", locus="x"),
                measured={BY_ITSELF: r.verdict.code} if r.verdict.code else {})
        for r in ordered
    ]  # fmt: skip
    return Run({"name": "m"}, {}, {}, (), tuple(r.gate for r in ordered), tuple(blocked))


def causes(found: Diagnosis) -> list[str]:
    return [each.cause for each in found.explanations]


LOW = passing(*HARNESS, "stop_ids", "tied_embeddings", "finite_weights", "special_ids", "vocabulary", "shapes")
DATA = passing("data[train.rows]", "data[files.rows]", "data[train.mask]", "data[train.end_of_turn]", "samples")
REPLIES = passing("one_answer", "echo_collapse", "garbage_replies", "operator_contrast", "copied_prompts")
PARITY = passing("rendering", "template", "stop_token", "bos_count", "stop_supervised", "mode", "batching", "cache")


def test_a_run_that_passed_has_nothing_to_explain() -> None:
    found = diagnose(record(*LOW, *DATA, *PARITY, *passing("echo_basic")))
    assert found == Diagnosis() and lines(found) == []


def test_trained_in_one_format_and_asked_in_another() -> None:
    loops = [saying("stop_token", "stop_token.below"), saying("looping_replies", "looping_replies.below")]
    found = diagnose(record(*LOW, saying("template", "parity.template", locus="plain_concat"), *loops))
    assert causes(found) == ["prompt_format"]
    (first,) = found.explanations
    assert [(e.code, e.hint) for e in first.evidence] == [
        ("parity.template", False), ("stop_token.below", True), ("looping_replies.below", True)
    ]  # fmt: skip
    assert first.rules_out == ("harness",)


def test_loops_with_a_right_template_are_the_stop_token_and_garbage_is_the_corpus() -> None:
    """Two bugs, one symptom: a chat that looks broken."""
    loops = saying("looping_replies", "looping_replies.below")
    unending = saying("unending_replies", "unending_replies.below")
    junk = saying("attractor_words", "attractor_words.below", locus="asilinna")
    template = passing("rendering", "template", "bos_count")
    assert causes(diagnose(record(*LOW, *template, loops, unending))) == ["stop_token"]
    assert causes(diagnose(record(*LOW, *template, junk))) == ["corpus_junk"]
    assert "cleaner" in diagnose(record(*LOW, junk)).explanations[0].text


def test_a_known_good_model_that_fails_is_the_harness_whatever_the_candidate_does() -> None:
    wrong = [saying("echo_basic", "echo_basic.below"), saying("template", "parity.template")]
    found = diagnose(record(saying("reference_floor", "reference_floor.below"), *wrong))
    assert causes(found)[0] == "harness" and "model" not in causes(found)


def test_a_page_of_the_dataset_is_the_data_count() -> None:
    zero = saying("zero_loss", "training.zero_loss", locus="step 300")
    rows = saying("data[train.rows]", "data.train.rows")
    assert causes(diagnose(record(*LOW, rows, zero)))[0] == "data_count"
    assert causes(diagnose(record(*LOW, zero))) == ["data_count"]  # nobody counted the rows
    assert causes(diagnose(record(*LOW, *DATA, zero))) == ["training_length"]  # somebody did


def test_a_code_that_one_cause_alone_leads_to_names_it_whatever_else_of_the_cause_is_ruled_out() -> None:
    """Tied, finite and complete says nothing of a type: what is found is not ruled out by what was not."""
    fine = [GateResult(name, f"suites/weights/a.py::{name}", "weights", Verdict(Status.PASS))
            for name in ("tied_embeddings", "finite_weights", "shapes", "keys")]  # fmt: skip
    assert causes(diagnose(record(*LOW, *fine, saying("dtype", "weights.dtype"))))[0] == "checkpoint_file"


def test_facts_on_files_and_logs_hold_whatever_a_lower_rung_says() -> None:
    two = [saying("tied_embeddings", "weights.untied"), saying("divergence", "training.diverged")]
    assert causes(diagnose(record(*LOW[:5], *two))) == ["checkpoint_file", "learning_rate"]


def test_a_blocked_gate_that_names_a_cause_comes_after_what_blocks_it() -> None:
    two = [saying("special_ids", "weights.special_ids"), saying("template", "parity.template")]
    found = diagnose(record(*passing(*HARNESS), *two))
    assert causes(found) == ["special_ids", "prompt_format"]
    assert all(e.hint for e in found.explanations[1].evidence)


def test_one_answer_for_everything_is_the_diversity_of_the_data() -> None:
    same = [saying("one_answer", "one_answer.below"), saying("echo_basic", "echo_basic.below")]
    assert causes(diagnose(record(*LOW, *DATA, *PARITY, *REPLIES[1:], *same))) == ["diversity", "model"]


@pytest.mark.parametrize(
    ("reason", "consequence", "cause"),
    [
        (saying("shapes", "weights.shapes"), saying("vocabulary", "weights.vocabulary"), "checkpoint_file"),
        (saying("finite_weights", "weights.nonfinite"), saying("mode", "crashed"), "checkpoint_file"),
        (saying("finite_losses", "training.nan"), saying("zero_loss", "training.zero_loss"), "learning_rate"),
        (saying("echo_collapse", "echo_collapse.below"), saying("attractor_words", "attractor_words.below"),
         "diversity"),
    ],
)  # fmt: skip
def test_what_follows_from_a_fact_is_no_cause_of_its_own(
    reason: GateResult, consequence: GateResult, cause: str
) -> None:
    assert causes(diagnose(record(consequence)))[0] != cause
    assert causes(diagnose(record(reason, consequence))) == [cause]


def test_what_fails_before_the_others_weighs_more_than_many_that_it_blocks() -> None:
    blocked = [saying(gate, f"{gate}.below") for gate in ("operators", "operator_copy", "operator_wrap", "echo_basic")]
    parity = passing("rendering", "template", "bos_count", "stop_supervised")
    found = diagnose(record(*LOW, *DATA, *parity, saying("stop_token", "stop_token.below"), *blocked))
    assert causes(found)[0] == "stop_token"
    assert causes(diagnose(record(*LOW, *DATA, *PARITY, *blocked)))[0] == "templates_memorised"


def test_the_model_is_blamed_last_and_only_when_nothing_below_is_wrong() -> None:
    low = saying("regression_basic", "regression_basic.below", passed=60, total=200)
    found = diagnose(record(*LOW, *DATA, *PARITY, *REPLIES, low))
    assert causes(found) == ["model"]
    assert {"harness", "prompt_format", "stop_token", "data_count"} <= set(found.explanations[0].rules_out)
    assert causes(diagnose(record(low)))[0] != "model"  # nothing was ruled out


def test_a_code_that_nobody_knows_is_not_explained_away() -> None:
    found = diagnose(record(*LOW, GateResult("mine", "mine", "weights", Verdict(Status.FAIL, "mine.odd", "here"))))
    assert not found.knows and [e.code for e in found.unexplained] == ["mine.odd"]
    assert lines(found)[0].startswith("I do not know")


def test_nothing_proven_is_nothing_wrong() -> None:
    few = GateResult("echo_basic", "e", "behaviour", Verdict(Status.INCONCLUSIVE, "few_cases", "echo_basic"))
    assert causes(diagnose(record(*LOW, few))) == []


def test_at_most_three_explanations() -> None:
    many = [saying(gate, code) for code, gate in GATES.items() if code.startswith(("weights.", "training."))]
    assert len(diagnose(record(*many)).explanations) == 3


def test_names_of_models_and_prose_change_nothing() -> None:
    gates = [*LOW, saying("template", "parity.template"), saying("stop_token", "stop_token.below")]
    one = record(*gates)
    bare = [replace(r, verdict=replace(r.verdict, text="")) for r in one.gates]
    assert diagnose(replace(one, model={"name": "plain_concat"}, gates=tuple(bare))) == diagnose(one)


@pytest.mark.parametrize("code", sorted(GATES))
def test_every_reason_of_a_shipped_gate_has_an_explanation_of_its_own(code: str) -> None:
    gate = GATES[code]
    found = diagnose(record(saying(gate, code)))
    assert found.knows and found.unexplained == ()
    assert found.explanations[0].cause != MODEL.name


def test_every_cause_can_come_first() -> None:
    shown = {cause.name: cause.shown[0].replace("*", "train") for cause in CAUSES}
    for name, code in shown.items():
        gate = GATES.get(code, f"data[{code[5:]}]" if code.startswith("data.") else code.split(".")[0])
        assert causes(diagnose(record(saying(gate, code))))[0] == name


# -- red lines


def test_mode_collapse_is_a_red_line_when_nothing_mundane_explains_it() -> None:
    collapse = saying("one_answer", "one_answer.below")
    found = diagnose(record(*LOW, *DATA, *PARITY, *REPLIES[1:], collapse)).restart
    assert found.verdict and found.crossed == ("mode collapse: one answer for everything",)
    mundane = diagnose(record(*LOW, saying("template", "parity.template"), collapse)).restart
    assert mundane.crossed and not mundane.verdict
    assert mundane.lines()[0].startswith("no RESTART yet")


def test_what_a_blocked_gate_could_not_tell_is_no_red_line() -> None:
    undecided = [GateResult(gate, gate, "behaviour", Verdict(Status.INCONCLUSIVE, "not_drawn", gate))
                 for gate in ("one_answer", "role_tags", "garbage_replies")]  # fmt: skip
    log = GateResult("log", "log", "training", Verdict(Status.PASS), measured={"steps": 5000})
    leaked = saying("data[train_val.template]", "data.train_val.template")
    assert diagnose(record(*LOW, log, leaked, *undecided)).restart.crossed == ()
    said = diagnose(record(*LOW, log, leaked, saying("one_answer", "one_answer.below"))).restart.crossed
    assert said == ("mode collapse: one answer for everything",)


def test_garbage_is_a_red_line_only_after_enough_steps() -> None:
    def crossed(steps: int) -> bool:
        log = GateResult("log", "log", "training", Verdict(Status.PASS), measured={"steps": steps})
        return diagnose(record(*LOW, log, saying("garbage_replies", "garbage_replies.below"))).restart.verdict

    assert crossed(2500) and not crossed(300)


def test_every_bucket_failing_is_a_red_line_and_one_is_not() -> None:
    buckets = BUCKETS[:5]  # those that the shipped phase asks
    failing = [saying(name, f"{name}.below", total=100) for name in buckets]
    assert diagnose(record(*LOW, *DATA, *PARITY, *failing)).restart.verdict
    weak = diagnose(record(*LOW, *DATA, *PARITY, failing[2])).restart
    assert not weak.verdict and "anti-echo is weak" in weak.lines()[0]
    later = [saying(name, f"{name}.below", total=100) for name in BUCKETS]
    assert diagnose(record(*LOW, *DATA, *PARITY, *later)).restart.verdict
    assert not diagnose(record(*LOW, *DATA, *PARITY, *later[:-1], *passed_cases(BUCKETS[-1]))).restart.verdict


def passed_cases(gate: str) -> list[GateResult]:
    return [GateResult(gate, gate, rung(gate), Verdict(Status.PASS, passed=90, total=100))]


@pytest.mark.parametrize(
    ("gate", "code", "crossed"),
    [
        ("learning", "training.chance", "the loss is stuck at a guess"),
        ("role_tags", "role_tags.failed", "special tokens are broken: tags in the replies"),
        ("embedding_rows", "weights.zero_rows", "the embedding is corrupt: the language is lost"),
        ("language", "behaviour.language_lost", "the embedding is corrupt: the language is lost"),
    ],
)
def test_each_red_line_is_crossed_by_what_shows_it(gate: str, code: str, crossed: str) -> None:
    assert diagnose(record(saying(gate, code))).restart.crossed == (crossed,)


@pytest.mark.parametrize(("fall", "warned"), [(0.04, True), (0.4, False), (-0.2, False)])
def test_a_loss_that_falls_slowly_is_no_reason_to_restart(fall: float, warned: bool) -> None:
    log = GateResult("log", "log", "training", Verdict(Status.PASS), measured={"steps": 300, "fall": fall})
    said = diagnose(record(*LOW, log, saying("echo_basic", "echo_basic.below", total=100))).restart
    assert any("falls slowly" in warning for warning in said.warnings) is warned and not said.verdict


def test_skills_that_nobody_taught_are_told_from_a_bad_model() -> None:
    untaught = [saying(name, f"{name}.below", total=200) for name in ("abstention", "citation", "injection", "turns")]
    assert causes(diagnose(record(*LOW, *DATA, *PARITY, *REPLIES, *untaught)))[0] == "untaught"


def test_an_unlearnt_language_is_named() -> None:
    lost = saying("language", "behaviour.language_lost")
    assert causes(diagnose(record(*LOW, *DATA, *PARITY, *REPLIES, lost)))[0] == "language_unlearnt"


def test_answers_that_choose_no_option_are_told_apart_from_a_favourite_letter() -> None:
    said = {code: diagnose(record(*LOW, *PARITY, saying("choice", f"behaviour.{code}")))
            for code in ("unparsed", "below_chance", "letter_prior", "stem_blind")}  # fmt: skip
    assert [causes(found)[0] for found in said.values()] == ["answer_form", "answer_form", "shortcut", "shortcut"]
    text = " ".join(lines(said["unparsed"]))
    assert "choose no option at all" in text and "shortcut" not in text


# -- a stored record


def test_a_stored_record_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = record(*LOW, saying("tied_embeddings", "weights.untied", locus="lm_head.weight\x1b[31m"))
    write_json(tmp_path / "run.json", run.to_json())
    assert main(["diagnose", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1. The checkpoint file") and "weights.untied at lm_head.weight" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("text", ["[]", "{}", "{", '{"schema": 1}'])
def test_what_is_no_record_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert main(["diagnose", str(tmp_path)]) == 4
    assert "remedy" in capsys.readouterr().err
