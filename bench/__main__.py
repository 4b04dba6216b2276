"""Measurements, as ratios within one run: `make bench`, or `python -m bench [--runs 3] [--model phase3a2]`.

Machines differ and are shared: the commands that are compared run in turn, A B A B, and medians of the pairwise ratios
are printed beside the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modelqa.files import read_jsonl

ROOT = Path(__file__).parents[1]
FIRST_RUN_LIMIT = 2.5  # whole suite against the floor
REPEAT_LIMIT = 3.0  # seconds of a repeated run from the cache
HELP_LIMIT = 0.5  # seconds of modelqa --help
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "",  # compiled modules are kept, as on any machine
}


def seconds(command: Sequence[str], *, codes: Sequence[int] = (0,)) -> float:
    """Wall seconds of a whole process; stops the bench when it exits with another code than expected."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode not in codes:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return taken


def suite(model: str, home: Path) -> list[str]:
    """The whole suite on one model, with its own cache and records."""
    return [sys.executable, "-m", "pytest", "suites/", "--model", model, "--modelqa-dir", str(home), "-q"]


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


def spread(values: Sequence[float], unit: str = "s") -> str:
    """ "median [min, max]"."""
    return f"{statistics.median(values):6.2f} {unit}  [{min(values):.2f}, {max(values):.2f}]"


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
    seconds(suite(model, folder / "warm"))  # disk caches warm, and the record that says what is asked
    plan = folder / "plan.json"
    replies = floor_plan(folder / "warm", plan)
    floors, firsts, repeats = [], [], []
    for number in range(runs):
        floors.append(seconds([sys.executable, "bench/floor.py", str(plan)]))
        firsts.append(seconds(suite(model, folder / f"run{number}")))
        repeats.append(seconds(suite(model, folder / f"run{number}")))
    ratios = [first / floor for first, floor in zip(firsts, floors, strict=True)]
    table(
        f"{model}: the whole suite, {replies} replies of three models ({runs} pairs)",
        [
            ("floor (imports, loading, one batched generation)", spread(floors)),
            ("first run", spread(firsts)),
            ("first run / floor", f"{spread(ratios, 'x')}  limit {FIRST_RUN_LIMIT}x"),
            ("repeated run, from the cache", f"{spread(repeats)}  limit {REPEAT_LIMIT} s"),
        ],
    )
    helps = [seconds([sys.executable, "-m", "modelqa", "--help"]) for _ in range(runs)]
    empty = folder / "test_nothing.py"
    empty.write_text("def test_nothing():\n    assert True\n")
    plain, ours = [], []
    for _ in range(runs):
        base = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, str(empty)]
        plain.append(seconds([*base, "-p", "no:modelqa"]))
        ours.append(seconds(base))
    table(
        "what it costs where it is not used",
        [
            ("modelqa --help", f"{spread(helps)}  limit {HELP_LIMIT} s"),
            ("an unrelated pytest session without the plugin", spread(plain)),
            ("the same with the plugin installed", spread(ours)),
        ],
    )
    return (
        statistics.median(ratios) <= FIRST_RUN_LIMIT
        and statistics.median(repeats) <= REPEAT_LIMIT
        and statistics.median(helps) <= HELP_LIMIT
    )


sys.exit(main())
