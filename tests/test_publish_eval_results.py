"""Results for the Hub's leaderboards: of registered benchmarks alone, and only what the report holds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from desk import NAME, Desk, desk, judged, loopback, project
from huggingface_hub import parse_eval_result_entries
from modelqa.publish.eval_results import registered, result_entries, result_files

from modelqa.benchmarks import Result, ResultSet, write_results
from modelqa.errors import UsageError

__all__ = ["desk", "judged", "loopback", "project"]

ROWS = [
    {"name": "gsm8k acc", "unit": "rate", "value": 0.125},
    {"name": "lines ppl", "unit": "perplexity", "value": 9.0},
]
GSM8K = {"benchmark": "gsm8k acc", "dataset": "openai/gsm8k", "task": "gsm8k"}
PATH = ".eval_results/openai-gsm8k-gsm8k.yaml"


def test_a_result_is_written_as_the_client_reads_it() -> None:
    wanted = [{**GSM8K, "notes": "5-shot: greedy\n---", "revision": "a" * 40}]
    (entry,) = result_entries(wanted, ROWS, date="2026-11-26")
    ((path, data),) = result_files({"eval_results": [entry]})
    assert path == PATH
    (read,) = parse_eval_result_entries(yaml.safe_load(data))
    assert (read.dataset_id, read.task_id, read.value) == ("openai/gsm8k", "gsm8k", 0.125)
    assert (read.notes, read.dataset_revision, read.date) == ("5-shot: greedy\n---", "a" * 40, "2026-11-26")
    (entry,) = result_entries([{**GSM8K, "per_cent": True}], ROWS, date="")
    assert entry["value"] == 12.5


@pytest.mark.parametrize(
    ("wanted", "fact"),
    [
        ({**GSM8K, "dataset": "acme/own-gates"}, "not known as a registered benchmark"),
        ({**GSM8K, "benchmark": "echo"}, "no score named 'echo'"),
        ({**GSM8K, "benchmark": "lines ppl"}, "no score named 'lines ppl'"),
        ({**GSM8K, "verifyToken": "x"}, "unknown key 'verifyToken'"),
        ({"benchmark": "gsm8k acc", "dataset": "openai/gsm8k"}, "lacks 'task'"),
    ],
)
def test_what_no_leaderboard_takes_is_one_clear_error(wanted: dict[str, Any], fact: str) -> None:
    with pytest.raises(UsageError, match=fact):
        result_entries([wanted], ROWS, date="")


def test_one_task_has_one_result() -> None:
    with pytest.raises(UsageError, match="two results are for"):
        result_entries([GSM8K, GSM8K], ROWS, date="")


def test_the_list_of_benchmarks_holds_ids_alone() -> None:
    assert "openai/gsm8k" in registered() and all(name.count("/") == 1 for name in registered())


def declare(desk: Desk, dataset: str) -> None:
    """Import a result, and name it for a leaderboard in the card's source."""
    result = Result("tiny", "gsm8k", "acc", 0.125, n=1000)
    write_results(desk.root / "results.json", ResultSet({"tool": "table", "version": "", "files": {}}, (result,)))
    registry, card = desk.root / "models.toml", desk.root / "cards" / "tiny.md"
    registry.write_text(registry.read_text() + 'benchmarks = ["results.json"]\n')
    line = f"eval_results:\n- benchmark: gsm8k acc\n  dataset: {dataset}\n  task: gsm8k\npolicy:"
    card.write_text(card.read_text().replace("policy:", line, 1))


def test_a_result_ships_is_verified_and_is_found_when_it_is_changed(desk: Desk) -> None:
    declare(desk, "openai/gsm8k")
    desk.publish()
    assert PATH in desk.repository.files("main") and desk.run("verify", NAME) == 0, desk.out
    commit = desk.repository.resolve("main") or ""
    card = desk.repository.content(desk.repository.tree(commit)["README.md"]).decode()
    assert "leaderboard of [openai/gsm8k]" in card and "nobody has verified it" in card
    desk.tamper(PATH, lambda data: data.replace(b"0.125", b"0.925"))
    assert desk.run("verify", NAME) == 1 and f"verify.eval_results at {PATH}" in desk.out
    desk.repository.git("update-ref", "refs/heads/main", commit)
    desk.put({".eval_results/more.yaml": b"- {dataset: {id: cais/hle, task_id: hle}, value: 99}\n"})
    assert desk.run("verify", NAME) == 1 and "verify.eval_results at .eval_results/more.yaml" in desk.out


def test_a_result_that_the_hub_does_not_take_is_said(desk: Desk) -> None:
    declare(desk, "TIGER-Lab/MMLU-Pro")  # known to us, and not to this Hub
    assert desk.run("publish", "tiny", "--to", NAME) == 4
    assert "verify.eval_results" in desk.out and "does not show this result" in desk.out
