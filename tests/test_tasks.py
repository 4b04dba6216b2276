"""Tasks of lm-evaluation-harness through our engine: really run by its own wheel, in an environment of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from environments import interpreter_with

from modelqa import benchmarks
from modelqa.chat import open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.cli import main
from modelqa.generate import LocalEngine
from modelqa.generate.continuations import continuation_scores

ROOT = Path(__file__).parents[1]
WHEEL = "lm_eval==0.4.13"
CHECKPOINT = ROOT / "fixtures" / "checkpoints" / "phase3a2"
FACTS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Norway": "Oslo", "Japan": "Tokyo", "Peru": "Lima"}


@pytest.fixture(scope="session")
def python() -> Path:
    return interpreter_with(WHEEL)


def tasks(folder: Path) -> Path:
    """A multiple-choice task and a generative one on local data."""
    folder.mkdir()
    cities = list(FACTS.values())
    rows = [
        {"country": country, "choices": [city, *[other for other in cities if other != city][:3]], "answer": 0,
         "city": f"{city}."}
        for country, city in FACTS.items()
    ]  # fmt: skip
    (folder / "capitals.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    head = (
        f"dataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {folder / 'capitals.jsonl'}\ntest_split: test\n"
        'doc_to_text: "What is the capital of {{country}}?"\ntarget_delimiter: ""\n'
    )
    (folder / "pick.yaml").write_text(
        f"task: pick\noutput_type: multiple_choice\n{head}"
        "doc_to_choice: choices\ndoc_to_target: answer\nmetric_list:\n  - metric: acc\n"
    )
    (folder / "say.yaml").write_text(
        f"task: say\noutput_type: generate_until\n{head}"
        'doc_to_target: city\ngeneration_kwargs:\n  until: ["\\n"]\n  max_gen_toks: 12\n  do_sample: false\n'
        "metric_list:\n  - metric: exact_match\n"
    )
    said = (folder / "say.yaml").read_text()
    (folder / "drawn.yaml").write_text(said.replace("do_sample: false", "do_sample: true").replace("say", "drawn", 1))
    return folder


def run(python: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    quiet = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / "hf"), "PYTHONPATH": str(ROOT)}
    command = [str(python), "-m", "modelqa", "lm-eval", str(CHECKPOINT), "--dir", str(folder / "kept"), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **quiet}, cwd=folder)


@pytest.mark.slow
def test_its_tasks_run_through_our_engine_and_its_files_are_read_back(python: Path, tmp_path: Path) -> None:
    asked = ["--task", "pick", "--task", "say", "--include", str(tasks(tmp_path / "tasks"))]
    done = run(python, tmp_path, *asked, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr[-2000:]
    results = next((tmp_path / "out").rglob("results_*.json"))
    assert f"results: {results}" in done.stdout
    found = {result.task: result for result in benchmarks.import_files([results]).results}
    assert (found["pick"].n, found["say"].n) == (6, 6)
    assert found["pick"].chat_template and found["pick"].chance == pytest.approx(0.25)
    written = json.loads(results.read_text())
    assert written["config"]["model_args"]["weights_sha256"] == open_checkpoint(CHECKPOINT).weights_digest
    assert written["chat_template"] == open_chat(CHECKPOINT).template
    sample = json.loads(next((tmp_path / "out").rglob("samples_say_*.jsonl")).read_text().splitlines()[0])
    chat = open_chat(CHECKPOINT)
    country = sample["doc"]["country"]
    prompt = chat.render([{"role": "user", "content": f"What is the capital of {country}?"}])
    assert sample["arguments"]["gen_args_0"]["arg_0"] == prompt.text, "asked as the gates ask"
    engine = LocalEngine.open(open_checkpoint(CHECKPOINT), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    _, reply = next(engine.plain_replies([prompt], max_new_tokens=12, decode=chat.decode))
    assert sample["resps"] == [[reply.text.split("\n")[0]]], "answered as plain generate answers"


@pytest.mark.slow
def test_a_task_that_samples_is_refused_with_one_clear_error(python: Path, tmp_path: Path) -> None:
    asked = ["--task", "drawn", "--include", str(tasks(tmp_path / "tasks")), "--out", str(tmp_path / "out")]
    done = run(python, tmp_path, *asked)
    assert done.returncode != 0
    assert "the task asks for sampled replies" in done.stderr and "do_sample: false" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(bool(importlib.util.find_spec("lm_eval")), reason="lm_eval is installed here")
def test_without_lm_eval_the_command_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lm-eval", str(CHECKPOINT), "--task", "x", "--out", str(tmp_path)]) != 0
    said = capsys.readouterr().err
    assert "lm_eval is not installed" in said and "pip install 'modelqa[lm-eval]'" in said


def test_a_continuation_is_scored_as_the_losses_of_its_tokens_are() -> None:
    chat = open_chat(CHECKPOINT)
    engine = LocalEngine.open(open_checkpoint(CHECKPOINT), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    prompt = chat.render([{"role": "user", "content": "What is the capital of France?"}])
    said = {text: list(chat.tokens.encode_plain(text)) for text in ("Paris.", "Rome.", "Paris")}
    scores = continuation_scores(engine, chat, [[list(prompt.ids), ids] for ids in said.values()])
    for ids, (nats, _) in zip(said.values(), scores, strict=True):
        mask = [0] * len(prompt.ids) + [1] * len(ids)
        assert nats == pytest.approx(-engine.losses([([*prompt.ids, *ids], mask)])[0].nll, abs=1e-3)
    reply = next(engine.plain_replies([prompt], max_new_tokens=8, decode=chat.decode))[1]
    greedy = dict(zip(said, (flag for _, flag in scores), strict=True))
    assert {text: flag for text, flag in greedy.items() if flag} == {
        text: True for text, ids in said.items() if list(reply.ids[: len(ids)]) == ids
    }
    assert np.isfinite([nats for nats, _ in scores]).all()
    assert continuation_scores(engine, chat, [[list(prompt.ids), []]]) == [(0.0, True)]
