"""A log that the published wheel of inspect_ai writes here and now is read, question by question."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from environments import interpreter_with

from modelqa import benchmarks

INSPECT = "inspect_ai==0.3.285"
# Its own mock of a model answers, and A is always right; the usage is given, or it would download a tokenizer to count.
SCRIPT = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice

said = ["ANSWER: A", "ANSWER: B", "ANSWER: A", "ANSWER: D", "no idea"]
options = ["one", "two", "three", "four"]
questions = [Sample(input=f"Question {n}?", choices=options, target="A", id=n) for n in range(5)]
outputs = [ModelOutput.from_content("mockllm/model", text) for text in said]
for output in outputs:
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
model = get_model("mockllm/model", custom_outputs=outputs)
task = Task(name="quiz", dataset=questions, solver=multiple_choice(), scorer=choice())
eval(task, model=model, log_dir=sys.argv[1], log_format=sys.argv[2], display="none", max_samples=1, max_connections=1)
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return interpreter_with(INSPECT)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["eval", "json"])
def test_a_log_that_inspect_ai_writes_is_read_without_loss(python: Path, form: str, tmp_path: Path) -> None:
    quiet = {"HOME": str(tmp_path), "INSPECT_TELEMETRY": "", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-c", SCRIPT, str(tmp_path / "logs"), form]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **quiet})
    assert done.returncode == 0, done.stderr[-2000:]
    (log,) = (tmp_path / "logs").glob(f"*.{form}")
    found = benchmarks.import_files([log])
    assert found.source["tool"] == "inspect_ai" and found.source["version"] == INSPECT.partition("==")[2]
    (result,) = (each for each in found.results if each.metric.startswith("accuracy"))
    assert (result.task, result.model, result.n, result.right) == ("quiz", "mockllm/model", 5, 2)
    assert result.chance == pytest.approx(0.25)
    assert [item.answer for item in result.items] == ["A", "B", "A", "D", ""]
    assert [item.score for item in result.items] == [1.0, 0.0, 1.0, 0.0, 0.0]
    assert len(found.rows) == 5 and all(row["row"]["input"] for row in found.rows)
