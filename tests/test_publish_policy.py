"""Canonical or experimental is decided by the run, the head and the card's policy, and by nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub.online import loopback
from hub.publishers import tiny_release
from hub.server import WRITE, LoopbackHub
from modelqa.publish.hub import connect
from modelqa.publish.policy import (
    Decision,
    HeadRecord,
    Metric,
    Policy,
    Request,
    compared,
    decide,
    metrics_of,
    read_policy,
)
from modelqa.publish.push import publish
from modelqa.publish.release_files import Release, ReleaseFile

from modelqa.errors import RecordError, ReleaseError, UsageError
from modelqa.record import GateResult, Run, Status, Verdict
from modelqa.stats import Paired, non_inferior

__all__ = ["loopback"]

RECORDS = Path(__file__).parents[1] / "cards" / "postmortems" / "records"
POLICY = Policy(("echo",), 0.05)
JUDGED = HeadRecord(9, {"model": {"digest": "old"}, "record": {"digest": "r"}, "standing": {"role": "canonical"}})
REQUEST = Request("acme/tiny", "tiny")
EXPERIMENT = Request("acme/tiny-experimental", "tiny", experimental=True, postmortems=1)


def on(n: int, gained: int, lost: int) -> list[Metric]:
    """The metric of a comparison on n cases."""
    return [Metric("echo", 0.9, 0.9, Paired(gained, lost, n))]


@pytest.fixture
def results_table() -> list[Metric]:
    """A results table as somebody kept it: the canonical 36.9, a candidate at 34.8, no number of cases."""
    runs = json.loads((RECORDS / "letter-shortcut.json").read_text())["runs"]
    canonical = next(run["values"]["score"] for run in runs.values() if run.get("canonical"))
    return [Metric("echo", runs["chat-v5"]["values"]["score"] / 100, canonical / 100)]


def test_a_lower_score_without_a_number_of_cases_is_refused(results_table: list[Metric]) -> None:
    with pytest.raises(ReleaseError) as caught:
        decide(REQUEST, JUDGED, POLICY, results_table, "new")
    assert "34.8% against 36.9%" in caught.value.reason and "unknown number of cases" in caught.value.reason
    assert "--experimental" in caught.value.remedy


def test_the_same_table_goes_to_the_experimental_repository_with_its_postmortem(results_table: list[Metric]) -> None:
    decision = decide(EXPERIMENT, HeadRecord(), POLICY, results_table, "new")
    assert decision.role == "experimental" and "34.8% against 36.9%" in decision.why
    with pytest.raises(ReleaseError, match="needs a postmortem"):
        decide(Request("acme/e", "tiny", experimental=True), HeadRecord(), POLICY, results_table, "new")


def test_the_lower_model_is_published_beside_and_the_canonical_stays(
    loopback: LoopbackHub, tmp_path: Path, results_table: list[Metric]
) -> None:
    token, endpoint = WRITE, loopback.endpoint
    canonical = connect("acme/chat", token=token, endpoint=endpoint)
    beside = connect("acme/chat-experimental", token=token, endpoint=endpoint)
    old, new = tiny_release(tmp_path, "v3"), tiny_release(tmp_path, "v5")
    told = "modelqa/postmortems/letter-shortcut.md"
    postmortem = ReleaseFile.of(told, RECORDS.parent / "letter-shortcut.md")
    new = Release.of([*new.files, postmortem], name=new.name, record=new.record)
    publish(canonical, lambda head: old)
    before = loopback.repository("acme/chat").git("for-each-ref", "refs/heads", "refs/tags")

    def judged(request: Request, head: HeadRecord) -> Release:
        decide(request, head, POLICY, results_table, "new")
        return new

    with pytest.raises(ReleaseError, match="not shown to be no worse"):
        publish(canonical, lambda head: judged(REQUEST, JUDGED))
    assert publish(beside, lambda head: judged(EXPERIMENT, HeadRecord())).changed
    assert loopback.repository("acme/chat").git("for-each-ref", "refs/heads", "refs/tags") == before
    files = loopback.repository("acme/chat-experimental").files("main")
    assert files["model.safetensors"] == new.by_path["model.safetensors"].sha256
    assert files[told] == postmortem.sha256


def test_a_higher_score_without_a_number_of_cases_shows_nothing_either() -> None:
    with pytest.raises(ReleaseError, match="not shown to be no worse"):
        decide(REQUEST, JUDGED, POLICY, [Metric("echo", 0.6, 0.369)], "new")


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [(on(400, 10, 10), True), (on(400, 2, 40), False), (on(40, 3, 4), None)],
    ids=["no worse", "worse", "too few"],
)
def test_a_canonical_release_is_shown_to_be_no_worse(metrics: list[Metric], shown: bool | None) -> None:
    assert metrics[0].pairs and non_inferior(metrics[0].pairs, POLICY.margin) is shown
    if shown:
        assert decide(REQUEST, JUDGED, POLICY, metrics, "new").role == "canonical"
        return
    with pytest.raises(ReleaseError) as caught:
        decide(REQUEST, JUDGED, POLICY, metrics, "new")
    assert ("cases settle it" if shown is None else "worse than the margin") in caught.value.reason


def test_fewer_cases_than_were_planned_do_not_count() -> None:
    assert compared(on(400, 10, 10), Policy(("echo",), 0.05, cases=400))[0]
    shown, text = compared(on(399, 10, 10), Policy(("echo",), 0.05, cases=400))
    assert not shown and "planned on 400" in text


def test_a_margin_that_is_no_larger_than_the_noise_floor_shows_nothing() -> None:
    for floor, refused in ((0.0, False), (0.04, False), (0.05, True), (0.2, True)):
        metric = replace(on(400, 10, 10)[0], floor=floor)
        assert compared([metric], POLICY)[0] is not refused
        if refused:
            with pytest.raises(ReleaseError) as caught:
                decide(REQUEST, JUDGED, POLICY, [metric], "new")
            assert "a margin of 5% says nothing" in caught.value.reason and f"{floor:.1%}" in caught.value.reason


def test_a_noise_floor_that_was_not_measured_is_said_to_be_so() -> None:
    measured = replace(on(400, 10, 10)[0], floor=0.0)
    assert "the noise floor not measured" in decide(REQUEST, JUDGED, POLICY, on(400, 10, 10), "new").why
    assert "noise floor" not in decide(REQUEST, JUDGED, POLICY, [measured], "new").why


def test_the_noise_floor_is_the_one_that_the_run_measured() -> None:
    run = a_run()
    again = GateResult("noise_floor", "t", "parity", Verdict(Status.PASS), measured={"floor": 0.125})
    assert [metric.floor for metric in metrics_of(run, POLICY, "old")] == [None]
    noisy = replace(run, gates=(*run.gates, again))
    assert [metric.floor for metric in metrics_of(noisy, POLICY, "old")] == [0.125]


def test_one_metric_that_is_not_shown_is_enough_to_refuse() -> None:
    policy = Policy(("echo", "copy"), 0.05)
    good, bad = on(400, 10, 10)[0], Metric("copy", 0.5, 0.9, Paired(0, 160, 400))
    assert not compared([good, bad], policy)[0]
    with pytest.raises(ReleaseError, match="was not compared"):
        decide(REQUEST, JUDGED, policy, [good], "new")


def test_without_a_comparison_the_command_that_makes_it_is_named() -> None:
    with pytest.raises(ReleaseError) as caught:
        decide(REQUEST, replace(JUDGED, commit="a" * 40), POLICY, [], "new")
    command = f"pytest suites/ --model tiny --modelqa-release --modelqa-baseline acme/tiny@{'a' * 40}"
    assert caught.value.remedy == f"run: {command}"


@pytest.mark.parametrize("request_", [REQUEST, EXPERIMENT], ids=["canonical", "experimental"])
def test_a_head_without_a_record_is_adopted_with_a_reason_that_the_card_shows(request_: Request) -> None:
    unknown = HeadRecord(7)
    with pytest.raises(ReleaseError, match="7 files without a record"):
        decide(request_, unknown, POLICY, [], "new")
    adopting = Request(**{**vars(request_), "adopt": "our own upload of last year"})
    decision = decide(adopting, unknown, POLICY, [], "new")
    assert list(decision.overrides.values()) == ["our own upload of last year"]


def test_first_releases_and_new_words_need_no_comparison() -> None:
    assert decide(REQUEST, HeadRecord(), POLICY, [], "new").role == "canonical"
    assert "anew" in decide(REQUEST, JUDGED, POLICY, [], "old").why


def test_neither_kind_takes_the_place_of_the_other() -> None:
    experimental = HeadRecord(9, {**JUDGED.report, "standing": {"role": "experimental"}})
    with pytest.raises(ReleaseError, match="holds a canonical release"):
        decide(EXPERIMENT, JUDGED, POLICY, on(400, 10, 10), "new")
    with pytest.raises(ReleaseError, match="holds experimental releases"):
        decide(REQUEST, experimental, POLICY, on(400, 10, 10), "new")
    assert decide(EXPERIMENT, experimental, POLICY, [], "new").role == "experimental"


def test_the_decision_is_a_function_of_its_arguments() -> None:
    again: list[Decision] = [decide(REQUEST, JUDGED, POLICY, on(400, 10, 10), "new") for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("values", "fact"),
    [
        ({}, "names no primary metrics"),
        ({"primary": [], "margin": 0.05}, "0 primary metrics"),
        ({"primary": ["a", "b", "c", "d"], "margin": 0.05}, "4 primary metrics"),
        ({"primary": ["a", "a"], "margin": 0.05}, "2 primary metrics"),
        ({"primary": ["a"]}, "margin None"),
        ({"primary": ["a"], "margin": 0.5}, "margin 0.5"),
        ({"primary": ["a"], "margin": 0.05, "cases": 0}, "policy.cases"),
        ({"primary": ["a"], "margin": 0.05, "keep": "x"}, "policy.keep"),
        ({"primary": ["a"], "margin": 0.05, "keep": ["old/pytorch_model.bin"]}, "keeps 'old/pytorch_model.bin'"),
        ({"primary": ["a"], "margin": 0.05, "keep": [".env"]}, "keeps '.env'"),
        ({"primary": ["a"], "margin": 0.05, "margins": 1}, "unknown key policy.margins"),
    ],
)
def test_a_policy_that_decides_nothing_is_one_clear_error(values: dict[str, Any], fact: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_policy(values, "cards/tiny.md")
    assert fact in caught.value.fact and "cards/tiny.md" in caught.value.fact


# -- what a run record says of both models -----------------------------------------------------------------------------

OUTCOMES = {"a": "yes", "b": "yes", "c": "no", "d": "missing"}


def a_run(**measured: Any) -> Run:
    """A run whose gate "echo" was laid beside a baseline that is right on b, c and not on a, d."""
    compared_ = {"gained": ["a"], "lost": ["c"], "total": 4, "baseline": "acme/tiny", **measured}
    gates = (
        GateResult("echo", "t.py::test_echo", "behaviour", Verdict(Status.PASS), outcomes=OUTCOMES),
        GateResult("not_worse[echo]", "t.py::test_not_worse", "behaviour", Verdict(Status.PASS), measured=compared_),
    )
    return Run({"name": "tiny"}, {"baseline": {"name": "acme/tiny", "checkpoint": "old"}}, {}, (), (), gates)


def test_the_pairs_of_a_record_are_counted_from_its_outcomes() -> None:
    assert metrics_of(a_run(), POLICY, "old") == [Metric("echo", 0.5, 0.5, Paired(1, 1, 4))]


def test_a_comparison_with_other_weights_than_the_heads_does_not_count() -> None:
    assert metrics_of(a_run(), POLICY, "another") == []


@pytest.mark.parametrize(
    "measured", [{"gained": ["c"]}, {"lost": ["a"]}, {"lost": ["z"]}, {"total": 5}], ids=["gained", "lost", "case", "n"]
)
def test_an_edited_comparison_is_refused(measured: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match="contradicts itself"):
        metrics_of(a_run(**measured), POLICY, "old")
