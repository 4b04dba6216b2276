"""Run records made by hand, in memory and on disk as a session leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from modelqa.files import sha256_file, write_json, write_jsonl
from modelqa.gates import Case
from modelqa.record import GateResult, Run, Status, Verdict
from modelqa.records import HISTORY, Scoring, Stored, case_row, reply_row
from modelqa.reply import Prompt, Reply

SETTINGS = {"engine": "local", "decoding": "greedy", "max_new_tokens": 64, "case_seed": 0, "dtype": "float32"}


def gate_result(gate: str, right: str, *, sha: str = "same", rung: str = "behaviour") -> GateResult:
    """A gate whose i-th case was answered rightly where `right` has "y", wrongly for "n", not at all for "m"."""
    words = {"y": "yes", "n": "no", "m": "missing", "e": "error"}
    outcomes = {f"{gate}/{number}": words[letter] for number, letter in enumerate(right)}
    passed = right.count("y")
    verdict = Verdict(Status.PASS, passed=passed, total=len(right))
    return GateResult(gate, f"t::{gate}", rung, verdict, outcomes=outcomes, cases_sha256=sha, groups={"kind": {}})


def run_of(name: str, *gates: GateResult, settings: Mapping[str, Any] = SETTINGS) -> Run:
    model = {"name": name, "phase": "late", "weights_sha256": f"weights of {name}", "digest": f"digest of {name}"}
    return Run(model, {}, settings, (), tuple(gate.gate for gate in gates), gates)


def stored(name: str, *gates: GateResult, **options: Any) -> Stored:
    return Stored(run_of(name, *gates, **options), Path("nowhere") / "run.json", "digest")


HOSTILE = "\x1b[31m::error::\u202e\nfine"


def write_run(home: Path, name: str, right: str, *, said: str = "word") -> Path:
    """A stored run of one gate with two cases' transcripts, as a session leaves it."""
    folder = home / "runs" / name / "0"
    result = gate_result("echo", right)
    rows = []
    for number, letter in enumerate(right):
        case = Case(f"echo/{number}", ({"role": "user", "content": f"Say word{number}"},), expect="word")
        prompt = Prompt((number,), f"<user>Say word{number}")
        text = said if letter == "y" else HOSTILE
        row = reply_row("candidate", prompt, Reply((1,), text + "<end>", text, True))
        row["cases"]["echo"] = case_row(case)
        rows.append(row)
    write_jsonl(folder / "replies.jsonl.zst", rows)
    run = replace(run_of(name, result), replies_sha256=sha256_file(folder / "replies.jsonl.zst"))
    write_json(folder / "run.json", run.to_json())
    write_json(folder / "run.meta.json", {"time": "2026-01-01T00:00:00Z"})
    scoring = Scoring(f"weights of {name}", "draw", run.digest, name, "2026-01-01", True, f"runs/{name}/0/run.json")
    with (home / HISTORY).open("a") as stream:
        stream.write(json.dumps(asdict(scoring)) + "\n")
    return folder / "run.json"
