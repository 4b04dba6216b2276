"""Sessions of pytest inside pytest, on tiny random checkpoints that are really loaded and really asked: fixtures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_model

import modelqa.plugin.active
import modelqa.plugin.scheduling  # noqa: F401 - loaded once: pytest inside pytest would load them again and mix the two

QUESTIONS = {  # eight template families
    "apple": "Say apple.",
    "bread": "Could you please repeat bread for me?",
    "cloud": "I want to read the word cloud in your answer",
    "stone": "Print this: stone",
    "river": "river. Copy that, nothing else",
    "green": "Which colour do you get when you write green down once?",
    "table": "Put table here",
    "night": "Now show me night again, exactly as it stands in this line",
}
CASES = "\n".join(
    json.dumps({"id": f"c{i}", "prompt": question, "expect": word, "payload": word, "meta": {"letter": word[0]}})
    for i, (word, question) in enumerate(QUESTIONS.items())
)
TABLE = '[phases]\norder = ["early", "late"]\n'
HEAD = "from modelqa import Case, ask, deny, every, gate, no_evidence, Problem\n"
ANY = 'allows={"*": "only the mechanics are tested here"}'


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for number, name in enumerate(("one", "two")):
        tiny_model.write_model(folder / name, seed=number)
    (folder / "models.toml").write_text(
        '[controls]\nreference = "two"\n'
        '[models.one]\npath = "one"\nstage = "sft"\nphase = "late"\n'
        '[models.two]\npath = "two"\nstage = "sft"\nphase = "late"\nreference = "one"\n'
    )
    return folder


Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, models: Path) -> Suite:
    """Run pytest on a suite given as {file: text}; `args` are further arguments."""

    def go(files: dict[str, str], *args: str, subprocess: bool = False, model: str = "one") -> pytest.RunResult:
        for name, text in {"suites/phases.toml": TABLE, "suites/behaviour/cases.jsonl": CASES, **files}.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(HEAD + text if name.endswith(".py") else text)
        given = [
            "suites",
            "--model",
            model,
            "--modelqa-models",
            str(models / "models.toml"),
            "--modelqa-max-new-tokens",
            "6",
            "-p",
            "no:cacheprovider",
            *args,
        ]
        return pytester.runpytest_subprocess(*given) if subprocess else pytester.runpytest_inprocess(*given)

    return go


def record(pytester: pytest.Pytester) -> dict[str, Any]:
    files = sorted((pytester.path / ".modelqa" / "runs").rglob("run.json"), key=lambda path: path.stat().st_mtime_ns)
    value: dict[str, Any] = json.loads(files[-1].read_text())
    return value


def verdicts(pytester: pytest.Pytester) -> dict[str, tuple[str, str]]:
    return {gate["gate"]: (gate["verdict"]["status"], gate["verdict"]["code"]) for gate in record(pytester)["gates"]}
