"""`modelqa lm-eval MODEL --task NAME --include FOLDER --out FOLDER`: run tasks of lm_eval through our engine.

What it writes is lm_eval's own: `modelqa import` reads it.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.models import find_registry
from modelqa.plugin.lab import Lab
from modelqa.plugin.subject import LabSettings
from modelqa.records import HOME


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa lm-eval`."""
    parser.add_argument("model", help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--task", action="append", required=True, help="a task of lm_eval (may be given again)")
    parser.add_argument("--include", type=Path, help="a folder of task files of your own")
    parser.add_argument("--out", type=Path, required=True, help="the folder for results_*.json and samples_*.jsonl")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--dir", type=Path, default=Path(HOME), help=f"where replies are kept (default: {HOME})")
    parser.set_defaults(handler=run)


def run(parsed: argparse.Namespace) -> int:
    """Run the tasks, greedily; print where the results are and how to read them into a record."""
    if importlib.util.find_spec("lm_eval") is None:
        raise UsageError(
            "lm_eval is not installed",
            reason="the tasks and their scores are its own; modelqa only answers",
            remedy="pip install 'modelqa[lm-eval]'",
        )
    if parsed.include and not parsed.include.is_dir():
        raise UsageError(
            f"there is no folder {parsed.include}", reason="task files are looked for there", remedy="check --include"
        )
    from modelqa.tasks.model import evaluate

    registry = find_registry(Path.cwd(), parsed.models)
    lab = Lab.open(LabSettings(model=parsed.model, home=parsed.dir.absolute(), registry=registry))
    written = evaluate(lab, parsed.task, include=parsed.include, out=parsed.out)
    print(f"results: {written}")
    checkpoint = f"--model {lab.candidate.model.name} --checkpoint {lab.candidate.checkpoint.path}"
    print(f"read them with: modelqa import {written} --out NAME.json {checkpoint}")
    return 0
