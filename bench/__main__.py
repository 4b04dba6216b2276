"""Measurements, as ratios within one run: `make bench`, or `python -m bench [--runs 3] [--model phase3a2]`.

Machines differ and are shared: the commands that are compared run in turn, A B A B, and medians of the pairwise ratios
are printed. Limits are held to processor seconds, user and system, of the command and all its children: what it
takes on a machine that does nothing else. The wall clock, which others' work slows down, is printed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.files import read_jsonl

ROOT = Path(__file__).parents[1]
FIRST_RUN_LIMIT = 2.5  # whole suite against the floor
REPEAT_LIMIT = 3.0  # seconds of a repeated run from the cache
HELP_LIMIT = 0.5  # seconds of modelqa --help
HEAVY = ("torch", "transformers", "pandas", "great_expectations")  # what a repeated run does without
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "",  # compiled modules are kept, as on any machine
}


@dataclass(frozen=True)
class Took:
    """What one command took: processor seconds (user and system, children too) and wall seconds; what it printed."""

    processor: float
    wall: float
    printed: str


def took(command: Sequence[str]) -> Took:
    """What a whole process takes; stops the bench when it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return Took(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout + done.stderr)


def suite(model: str, home: Path, *python: str) -> list[str]:
    """The whole suite on one model, with its own cache and records; `python` are options of the interpreter."""
    return [sys.executable, *python, "-m", "pytest", "suites/", "--model", model, "--modelqa-dir", str(home), "-q"]


def floor_plan(home: Path, path: Path) -> int:
    """Write what the run in `home` asked, for floor.py; how many replies that is."""
    record = next((home / "runs").rglob("run.json"))
    run: dict[str, Any] = json.loads(record.read_text())
    prompts: dict[str, list[list[int]]] = {}
    for _, row in read_jsonl(record.parent / "replies.jsonl.zst"):
        prompts.setdefault(row["model"], []).append(row["prompt"]["ids"])
    names = {"candidate": run["model"]["name"], **{role: control["name"] for role, control in run["controls"].items()}}
    models = []
    for role, rows in prompts.items():
        folder = ROOT / "fixtures" / "checkpoints" / names[role]
        config = json.loads((folder / "generation_config.json").read_text())
        stop = config["eos_token_id"]
        models.append(
            {
                "path": str(folder),
                "random": role == "random",
                "stop_ids": stop if isinstance(stop, list) else [stop],
                "pad_id": config["pad_token_id"],
                "prompts": rows,
            }
        )
    path.write_text(json.dumps({"max_new_tokens": run["settings"]["max_new_tokens"], "models": models}))
    return sum(map(len, prompts.values()))


def table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print a measurement."""
    print(f"\n{title}")
    for name, value in rows:
        print(f"  {name:<52} {value}")


def spread(values: Sequence[float], unit: str) -> str:
    """ "median unit [min, max]"."""
    return f"{statistics.median(values):6.2f} {unit}  [{min(values):.2f}, {max(values):.2f}]"


def shown(taken: Sequence[Took]) -> str:
    """Processor and wall seconds."""
    return f"{spread([each.processor for each in taken], 's')}  wall {spread([each.wall for each in taken], 's')}"


def middle(taken: Sequence[Took]) -> float:
    """The median of the processor seconds."""
    return statistics.median(each.processor for each in taken)


def main() -> int:
    """Run every measurement; 1 when one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--model", default="phase3a2")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ok = measure(parsed.model, parsed.runs, Path(folder))
    return 0 if ok else 1


def measure(model: str, runs: int, folder: Path) -> bool:
    """Print the measurements; whether all stay within their limits."""
    return all([_suite_and_floor(model, runs, folder), _elsewhere(runs, folder)])


def _suite_and_floor(model: str, runs: int, folder: Path) -> bool:
    took(suite(model, folder / "warm"))  # disk caches warm, and the record that says what is asked
    plan = folder / "plan.json"
    replies = floor_plan(folder / "warm", plan)
    floors, firsts, repeats = [], [], []
    for number in range(runs):
        floors.append(took([sys.executable, "bench/floor.py", str(plan)]))
        firsts.append(took(suite(model, folder / f"run{number}")))
        repeats.append(took(suite(model, folder / f"run{number}")))
    ratios = [first.processor / floor.processor for first, floor in zip(firsts, floors, strict=True)]
    imported = _heavy(took(suite(model, folder / "warm", "-X", "importtime")).printed)
    table(
        f"{model}: the whole suite, {replies} replies of all models ({runs} pairs), in processor seconds",
        [
            ("floor (imports, loading, one batched generation)", shown(floors)),
            ("first run", shown(firsts)),
            ("first run / floor", f"{spread(ratios, 'x')}  limit {FIRST_RUN_LIMIT}x"),
            ("repeated run, from the cache", f"{shown(repeats)}  limit {REPEAT_LIMIT} s"),
            ("heavy imports of a repeated run", ", ".join(imported) or "none"),
        ],
    )
    return statistics.median(ratios) <= FIRST_RUN_LIMIT and middle(repeats) <= REPEAT_LIMIT and not imported


def _heavy(printed: str) -> list[str]:
    """Which heavy libraries the interpreter says that it imported."""
    modules = {line.rpartition("|")[2].strip() for line in printed.splitlines() if line.startswith("import time:")}
    return [name for name in HEAVY if name in modules]


def _elsewhere(runs: int, folder: Path) -> bool:
    helps = [took([sys.executable, "-m", "modelqa", "--help"]) for _ in range(runs)]
    empty = folder / "test_nothing.py"
    empty.write_text("def test_nothing():\n    assert True\n")
    plain, ours = [], []
    for _ in range(runs):
        base = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, str(empty)]
        plain.append(took([*base, "-p", "no:modelqa"]))
        ours.append(took(base))
    table(
        "what it costs where it is not used, in processor seconds",
        [
            ("modelqa --help", f"{shown(helps)}  limit {HELP_LIMIT} s"),
            ("an unrelated pytest session without the plugin", shown(plain)),
            ("the same with the plugin installed", shown(ours)),
        ],
    )
    return middle(helps) <= HELP_LIMIT


sys.exit(main())
