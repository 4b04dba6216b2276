"""A session whose replies a server makes: the same verdicts, no host in the record, one error where it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import tiny_model
from behaviour_suite import ROOT
from completions import Completions, serving
from sessions import ANY, Suite, record, verdicts

from modelqa.chat import open_chat

BEHAVIOUR = "suites/behaviour/test_b.py"
STOPPED = f'@gate(cases="cases.jsonl", threshold=0.1, {ANY})\ndef test_g(case, reply):\n    assert reply.stopped\n'
ODD = f'@gate(cases="cases.jsonl", threshold=0.1, {ANY})\ndef test_o(case, reply):\n    assert sum(reply.ids) % 2\n'
REFERENCE = (
    f'@gate(cases="cases.jsonl", of="reference", threshold=0.01, {ANY})\n'
    "def test_r(case, reply):\n    assert reply.ids\n"
)
Serve = Callable[..., AbstractContextManager[tuple[Completions, str]]]


@pytest.fixture
def serve(models: Path) -> Serve:
    """The tiny models of the session behind a server."""

    @contextmanager
    def go(*names: str, **how: Any) -> Iterator[tuple[Completions, str]]:
        served = Completions({name: models / name.removesuffix("-elsewhere") for name in names}, **how)
        with serving(served) as url:
            yield served, url

    return go


def outcomes(pytester: pytest.Pytester) -> dict[str, dict[str, str]]:
    return {gate["gate"]: gate["outcomes"] for gate in record(pytester)["gates"]}


def test_a_server_s_replies_get_the_verdicts_that_local_replies_get(
    run: Suite, pytester: pytest.Pytester, serve: Serve
) -> None:
    assert run({BEHAVIOUR: ODD + REFERENCE}).ret in (0, 1, 6)
    here = outcomes(pytester)
    assert set(here["o"].values()) == {"yes", "no"}, "the gate should tell the replies apart"
    with serve("one", "two") as (served, url):
        run({BEHAVIOUR: ODD + REFERENCE}, "--modelqa-engine", url)
    assert outcomes(pytester) == here
    assert {body["model"] for body in served.bodies} == {"one", "two"}


def test_the_record_says_who_replied_and_not_where(run: Suite, pytester: pytest.Pytester, serve: Serve) -> None:
    with serve("one", "two") as (_, url):
        run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url)
    found = record(pytester)
    assert found["settings"]["engine"] == "server"
    assert found["settings"]["server"] == {
        "model": "one", "prompts": "ids", "replies": "ids", "version": "0.0.test"
    }  # fmt: skip
    assert {role: control["engine"] for role, control in found["controls"].items()} == {
        "reference": "server", "random": "local"
    }  # fmt: skip
    port = url.removesuffix("/v1").rpartition(":")[2]
    for path in (pytester.path / ".modelqa").rglob("*"):
        if path.suffix in (".json", ".jsonl"):
            text = path.read_text()
            assert "127.0.0.1" not in text and f":{port}" not in text, path


def test_a_server_that_offers_the_candidate_alone_is_said_to(
    run: Suite, pytester: pytest.Pytester, serve: Serve
) -> None:
    with serve("one") as (served, url):
        result = run({BEHAVIOUR: STOPPED + REFERENCE}, "--modelqa-engine", url)
    assert record(pytester)["controls"]["reference"]["engine"] == "local"
    result.stdout.fnmatch_lines(["*the server does not serve the reference: the controls went through the local*"])
    assert {body["model"] for body in served.bodies} == {"one"}
    assert set(outcomes(pytester)["r"].values()) == {"yes"}


def test_kept_replies_are_not_asked_again_and_those_of_this_process_are_others(
    run: Suite, pytester: pytest.Pytester, serve: Serve
) -> None:
    run({BEHAVIOUR: STOPPED})
    with serve("one", "two") as (served, url):
        run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url)
        first = len(served.bodies)
        served.bodies.clear()
        run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url)
    assert first > 8
    assert {body["max_tokens"] for body in served.bodies} == {1}, "only what the server takes is found out again"


@pytest.mark.parametrize(
    ("names", "args", "told"),
    [
        (("two", "two-elsewhere"), (), "*the server does not list the model 'one'*"),
        (("one",), ("--modelqa-served", "onne"), "*the server does not answer for the model 'onne'*nearest: one*"),
    ],
)
def test_a_model_that_the_server_does_not_know_is_one_error(
    run: Suite, pytester: pytest.Pytester, serve: Serve, names: tuple[str, ...], args: tuple[str, ...], told: str
) -> None:
    with serve(*names) as (_, url):
        result = run({BEHAVIOUR: STOPPED + REFERENCE}, "--modelqa-engine", url, *args)
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*no record was written*"])
    told_lines = " ".join(result.outlines)
    assert all(part in told_lines for part in told.strip("*").split("*"))


def test_the_candidate_s_weights_never_answer_for_another_model(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    """The server knows the candidate by the name of the reference."""
    with serving(Completions({"two": models / "one"})) as url:
        run({BEHAVIOUR: STOPPED + REFERENCE}, "--modelqa-engine", url, "--modelqa-served", "two")
    assert record(pytester)["controls"]["reference"]["engine"] == "local"


def test_a_server_under_another_name_is_taken_when_it_is_named(
    run: Suite, pytester: pytest.Pytester, serve: Serve
) -> None:
    with serve("two", "one-elsewhere") as (_, url):
        run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url, "--modelqa-served", "one-elsewhere")
    assert record(pytester)["settings"]["server"]["model"] == "one-elsewhere"


def test_a_server_that_lists_nothing_is_asked_by_the_folder(
    run: Suite, pytester: pytest.Pytester, models: Path
) -> None:
    """As `transformers serve` does: it loads what it is asked for. The record holds no path."""
    served = Completions({str(models / name): models / name for name in ("one", "two")}, lists=False)
    with serving(served) as url:
        run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url)
    found = record(pytester)
    assert found["settings"]["server"]["model"] == "one"
    assert found["controls"]["reference"]["engine"] == "server"


def test_a_server_that_is_not_there_is_one_error(
    run: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelqa.generate.server.WAIT_SECONDS", 0.0)
    result = run({BEHAVIOUR: STOPPED}, "--modelqa-engine", "http://127.0.0.1:9/v1")
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*the server cannot be reached*", "*reason: ConnectError, 3 times in a row*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_server_that_adds_a_token_is_the_harness_s_fault(run: Suite, pytester: pytest.Pytester, serve: Serve) -> None:
    with serve("one", "two", manner="text", extra=(0,)) as (_, url):
        result = run({BEHAVIOUR: STOPPED}, "--modelqa-engine", url)
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*the server counts * tokens in a prompt of *", "*the harness is at fault, not*"])


def test_replies_with_hidden_tokens_leave_the_gate_open_and_never_fail_it(
    run: Suite, pytester: pytest.Pytester, serve: Serve
) -> None:
    body = "def test_g(case, reply):\n    assert reply.ids\n"
    text = f'@gate(cases="cases.jsonl", threshold=1.0, {ANY})\n{body}'
    with serve("one", "two", manner="text") as (_, url):
        result = run({BEHAVIOUR: text}, "--modelqa-engine", url)
    assert verdicts(pytester) == {"g": ("INCONCLUSIVE", "missing_replies")}
    assert set(outcomes(pytester)["g"].values()) == {"yes", "missing"}
    result.stdout.fnmatch_lines(["*replies of the server are not used: they hold tokens*"])


@pytest.mark.parametrize("command", ["run", "generate"])
def test_a_base_model_is_not_asked_through_a_server(tmp_path: Path, command: str) -> None:
    words = {"run": ["base", "--modelqa-dir", str(tmp_path)], "generate": ["--model", "base", "--prompt", "x"]}[command]
    done = subprocess.run(
        [sys.executable, "-m", "modelqa", command, *words, "--engine", "http://127.0.0.1:9/v1"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (4, 6)
    assert "base is a base model: a server is not asked for it" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


# -- the gate that ties a server to the weights ------------------------------------------------------------------------


def engine_gate(tmp_path: Path, served: Path, **how: Any) -> tuple[str, str, dict[str, Any]]:
    """(status, code, measured) of the gate `engine` for phase3a2 when `served` stands behind its name."""
    with serving(Completions({"phase3a2": served}, **how)) as url:
        command = [
            *(sys.executable, "-m", "pytest", "suites/parity", "-k", "test_engine", "--model", "phase3a2", "-q"),
            *("--modelqa-engine", url, "--modelqa-dir", str(tmp_path / "home"), "-p", "no:cacheprovider"),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ})
    found = json.loads(next((tmp_path / "home" / "runs").rglob("run.json"), Path(done.stdout)).read_text())
    gate = next(gate for gate in found["gates"] if gate["gate"] == "engine")
    return gate["verdict"]["status"], gate["verdict"]["code"], gate["measured"]


CHECKPOINTS = ROOT / "fixtures" / "checkpoints"


@pytest.mark.parametrize("manner", ["ids", "text"])
def test_the_same_weights_behind_a_server_pass(tmp_path: Path, manner: str) -> None:
    status, code, measured = engine_gate(tmp_path, CHECKPOINTS / "phase3a2", manner=manner)
    assert (status, code) == ("PASS", "")
    assert (measured["of"], measured["differ"]) == (24, 0)


def test_other_weights_behind_the_same_name_fail(tmp_path: Path) -> None:
    status, code, measured = engine_gate(tmp_path, CHECKPOINTS / "phase3a1_gamma")
    assert (status, code) == ("FAIL", "parity.engine")
    assert measured["differ"] > 0


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_served_model_is_asked_by_hand(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "tiny")
    with serving(Completions({"tiny": folder})) as url:
        command = [sys.executable, "-m", "modelqa", "generate", "--prompt", "Say apple.", "--max-new-tokens", "8"]
        there = subprocess.run([*command, "--model", str(folder), "--engine", url], capture_output=True, text=True)
    here = subprocess.run([*command, "--model", str(folder)], capture_output=True, text=True)
    assert there.returncode == here.returncode == 0, there.stderr
    assert there.stdout == here.stdout
    assert open_chat(folder).stop_ids, "the tiny model can stop"
