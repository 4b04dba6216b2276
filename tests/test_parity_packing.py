"""Packed episodes on a shipped model: isolated ones pass, each keyword that switches isolation off is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from behaviour_suite import ROOT

from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.data import arrays as stored
from modelqa.data.captured import FedRow, read_capture, write_capture
from modelqa.files import write_jsonl
from modelqa.generate import LocalEngine
from modelqa.models import Model, load_registry
from modelqa.parity import packed_rows, packing_gaps, packing_problems
from modelqa.training.capture import Capture

ALPHA = load_registry(ROOT / "fixtures" / "models.toml").models["phase3a1_alpha"]
WORDS = ("garden", "river", "window", "forest", "lamp", "bread", "stone", "apple", "cloud", "table", "night", "green")


@pytest.fixture(scope="module")
def engine() -> LocalEngine:
    chat = open_chat(Path(ALPHA.location))
    return LocalEngine.open(open_checkpoint(ALPHA.location), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)


@pytest.fixture(scope="module")
def chat() -> Chat:
    return open_chat(Path(ALPHA.location))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> stored.Arrays:
    """A small dataset, packed by the command that the guide names."""
    folder = tmp_path_factory.mktemp("packed")
    rows = [
        {
            "messages": [
                {"role": "system", "content": "Be brief and exact."},
                {"role": "user", "content": f"Say {word}."},
                {"role": "assistant", "content": f"{word}."},
            ],
            "meta": {"id": f"r{number}", "category": "say"},
        }
        for number, word in enumerate(WORDS)
    ]
    write_jsonl(folder / "rows.jsonl", rows)
    command = ["data", "prepare", "--input", folder / "rows.jsonl", "--output_dir", folder / "out", "--tokenizer"]
    options = [ALPHA.location, "--val_split", "0", "--enable_packing", "--pack_block_size", "128"]
    done = subprocess.run(
        [sys.executable, "-m", "modelqa", *map(str, [*command, *options])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return stored.load(folder / "out" / "train.safetensors")


def fed(prepared: stored.Arrays, *, attention: bool = False, positions: bool = True) -> list[FedRow]:
    """The rows as a trainer feeds them: padded to the block, by default the healthy way."""
    rows = []
    for batch in prepared.batches(1, pad=1):
        ids, labels, places = (batch[name][0] for name in ("input_ids", "labels", "position_ids"))
        rows.append(FedRow(ids, labels, places if positions else None, np.ones_like(ids) if attention else None))
    return rows


def problems(engine: LocalEngine, chat: Chat, rows: list[FedRow], *, use_cache: bool = False) -> list[Any]:
    packed = packed_rows(rows, 1, use_cache=use_cache)
    assert packed
    return packing_problems(packing_gaps(engine, chat, packed), packed[0], dtype="float32")


def test_packed_rows_as_prepare_writes_them_are_isolated(
    engine: LocalEngine, chat: Chat, prepared: stored.Arrays
) -> None:
    assert prepared.episodes > prepared.rows, "nothing was packed"
    assert problems(engine, chat, fed(prepared)) == []


def test_an_attention_mask_beside_the_positions_switches_isolation_off(
    engine: LocalEngine, chat: Chat, prepared: stored.Arrays
) -> None:
    (problem,) = problems(engine, chat, fed(prepared, attention=True))
    assert (problem.code, problem.locus) == ("parity.packing", "row 0, episode 1")
    assert "an attention mask was fed" in problem.text


def test_the_key_value_cache_switches_isolation_off(engine: LocalEngine, chat: Chat, prepared: stored.Arrays) -> None:
    (problem,) = problems(engine, chat, fed(prepared), use_cache=True)
    assert (problem.code, problem.locus) == ("parity.packing", "row 0, episode 1")
    assert "use_cache=False" in problem.text


def test_the_gaps_are_those_of_each_episode_alone(engine: LocalEngine, chat: Chat, prepared: stored.Arrays) -> None:
    (row,) = packed_rows(fed(prepared, attention=True)[:1], 1, use_cache=False)
    (first, *_), (start, end) = packing_gaps(engine, chat, [row]), row["spans"][1]
    whole = engine.fed_logits(row["ids"], positions=row["positions"], attention=row["attention"])
    assert first["worst"] == pytest.approx(float(np.abs(whole[start:end] - engine.logits(row["ids"][start:end])).max()))
    assert first["worst"] > 1.0, "the damage is of the size of the logits' differences, not of rounding"


def test_rows_of_one_episode_and_rows_without_positions_are_not_packed(prepared: stored.Arrays) -> None:
    assert packed_rows(fed(prepared, positions=False), 1, use_cache=False) == []
    ids = np.arange(5, 12)
    assert packed_rows([FedRow(ids, ids, np.arange(7))], 1, use_cache=False) == []


def test_padding_is_no_episode(prepared: stored.Arrays) -> None:
    (row, *_) = packed_rows(fed(prepared), 1, use_cache=False)
    assert row["spans"][-1][1] < len(row["ids"])
    assert all(row["positions"][start] == 0 for start, _ in row["spans"])


# -- the gate ----------------------------------------------------------------------------------------------------------


def judged(tmp_path: Path, rows: list[FedRow], about: dict[str, Any]) -> tuple[str, str, str]:
    """(status, code, text) of the gate on a copy of the model whose capture holds `rows`."""
    import json

    write_capture(tmp_path / "capture.safetensors", rows, counters={}, about={"pad_id": 1, **about})
    (tmp_path / "model").symlink_to(Path(ALPHA.location))
    (tmp_path / "models.toml").write_text(
        '[models.packed]\npath = "model"\nstage = "sft"\nphase = "phase3a1_alpha"\ncapture = "capture.safetensors"\n'
    )
    command = [
        *(sys.executable, "-m", "pytest", "suites/parity", "-k", "test_packing", "--model", "packed", "-q"),
        *("--modelqa-models", str(tmp_path / "models.toml"), "--modelqa-dir", str(tmp_path / "home")),
        *("-p", "no:cacheprovider"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ})
    record = json.loads(next((tmp_path / "home" / "runs").rglob("run.json")).read_text())
    verdict = next(gate["verdict"] for gate in record["gates"] if gate["gate"] == "packing")
    assert done.returncode in (0, 1, 6), done.stdout
    return verdict["status"], verdict["code"], verdict["text"]


def test_the_gate_passes_a_model_that_was_trained_on_isolated_packs(tmp_path: Path, prepared: stored.Arrays) -> None:
    assert judged(tmp_path, fed(prepared), {"use_cache": False})[:2] == ("PASS", "")


def test_the_gate_fails_a_model_whose_trainer_left_the_cache_on(tmp_path: Path, prepared: stored.Arrays) -> None:
    status, code, text = judged(tmp_path, fed(prepared), {"use_cache": True})
    assert (status, code) == ("FAIL", "parity.packing")
    assert "it sees its neighbours" in text


def test_the_gate_is_not_asked_where_training_packed_nothing(tmp_path: Path) -> None:
    assert ALPHA.capture is not None
    rows = list(read_capture(ALPHA.capture).rows)
    assert judged(tmp_path, rows, {})[:2] == ("NOT ASKED", "not_asked")


def test_the_gate_cannot_tell_where_a_mask_was_fed_that_the_capture_does_not_hold(
    tmp_path: Path, prepared: stored.Arrays
) -> None:
    assert judged(tmp_path, fed(prepared), {"attention": "4-D"})[:2] == ("INCONCLUSIVE", "unsettled")


# -- what the capture says ---------------------------------------------------------------------------------------------


def test_a_capture_says_whether_the_cache_was_on_and_of_which_kind_the_mask_was(tmp_path: Path) -> None:
    import torch

    capture = Capture(tmp_path / "c.safetensors")
    ids = torch.tensor([[5, 6, 7]])
    capture.see(input_ids=ids, labels=ids, attention_mask=torch.ones(1, 1, 3, 3), use_cache=True)
    capture.save()
    about = read_capture(tmp_path / "c.safetensors").about
    assert (about["use_cache"], about["attention"]) == (True, "4-D")


def test_a_model_without_a_capture_is_not_asked() -> None:
    from modelqa.gates import NotAsked
    from suites.parity.test_parity import test_packing as ask

    with pytest.raises(NotAsked, match="no capture"):
        ask(Model("m"), None, {})
