"""What a real Trainer feeds is what the capture holds."""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tiny_chat
from behaviour_suite import ROOT  # noqa: F401 - puts the suites on the path

from modelqa.chat import Chat, open_chat
from modelqa.data.arrays import IGNORED, assembled
from modelqa.data.captured import FedRow, read_capture, write_capture
from modelqa.data.pack import packed
from modelqa.errors import DataError
from modelqa.gates import Finding, NotAsked
from modelqa.models import Model
from modelqa.training.capture import Capture, add_arguments
from suites.parity.test_parity import test_packing as compare_packing
from suites.parity.test_parity import test_template_hash as compare_templates


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    return open_chat(tiny_chat.write_checkpoint(tmp_path_factory.mktemp("capture")))


@pytest.fixture(scope="module")
def episodes(chat):
    made = []
    for number in range(24):
        word = ("blue", "river", "seven", "cat", "dog")[number % 5] * (1 + number % 3)
        made.append(chat.episode([{"role": "user", "content": f"Say exactly: {word} {number}"},
                                  {"role": "assistant", "content": f"{word} {number}"}]))
    return made


def features(episode):
    return {"input_ids": list(episode.ids), "attention_mask": [1] * len(episode.ids),
            "labels": [number if on else IGNORED for number, on in zip(episode.ids, episode.mask, strict=True)]}


def train(folder, rows, *, chat, collate, capture=None, steps=10, **options):
    """A short real run; the loss after each step."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=chat.tokens.size, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        pad_token_id=chat.pad_id))
    arguments = TrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=4, report_to=[], logging_steps=1, seed=1,
        save_strategy="no", use_cpu=True, disable_tqdm=True, remove_unused_columns=False, **options)
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collate,
                      processing_class=AutoTokenizer.from_pretrained(chat.path))
    if capture is not None:
        trainer.add_callback(capture)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def padded(pad):
    def collate(rows):
        import torch

        width = max(len(row["input_ids"]) for row in rows)
        fill = {"input_ids": pad, "attention_mask": 0, "labels": IGNORED}
        return {name: torch.tensor([row[name] + [fill[name]] * (width - len(row[name])) for row in rows])
                for name in fill}

    return collate


def test_a_real_run_is_captured_as_it_was_fed(tmp_path, chat, episodes):
    path = tmp_path / "capture.safetensors"
    capture = Capture(path, rows=20)
    with_it = train(tmp_path, [features(e) for e in episodes], chat=chat, collate=padded(chat.pad_id), capture=capture)
    without = train(tmp_path, [features(e) for e in episodes], chat=chat, collate=padded(chat.pad_id))
    assert with_it == without
    held = read_capture(path)
    fed = held.episodes()
    assert len(fed) == 20
    assert set(fed) <= {(episode.ids, episode.mask) for episode in episodes}
    assert held.counters["rows_seen"] == held.counters["episodes_seen"] == 40
    assert held.counters["distinct_episodes"] == len(episodes)
    assert held.counters["dataset_rows"] == len(episodes)
    assert held.counters["batches_seen"] == 10
    assert held.about["collator"] == "collate"
    assert held.about["template_sha256"] == chat.template_sha256
    assert held.label_problems() == []


def test_fewer_rows_than_intended_are_visible_in_the_counters(tmp_path, chat, episodes):
    path = tmp_path / "capture.safetensors"
    train(tmp_path, [features(e) for e in episodes[:8]], chat=chat, collate=padded(chat.pad_id), capture=Capture(path))
    assert read_capture(path).counters["distinct_episodes"] == 8
    assert read_capture(path).counters["rows_seen"] == 40


def test_packed_rows_come_apart_into_their_episodes(tmp_path, chat, episodes):
    import torch

    pairs = [(np.array(e.ids), np.array(e.mask)) for e in episodes]
    blocks = packed([len(e.ids) for e in episodes], 128, shuffle_seed=0)
    arrays = assembled(pairs, [str(n) for n in range(len(pairs))], blocks, meta={"block_size": "128"})
    rows = [{name: torch.tensor(array[0]) for name, array in batch.items()}
            for batch in arrays.batches(1, pad=chat.pad_id)]
    path = tmp_path / "capture.safetensors"
    capture = Capture(path, rows=len(rows))

    def collate(batch):
        return {name: torch.stack([row[name] for row in batch]) for name in batch[0]}

    train(tmp_path, rows, chat=chat, collate=collate, capture=capture, steps=-(-len(rows) // 4), num_train_epochs=1)
    assert sorted(read_capture(path).episodes()) == sorted((e.ids, e.mask) for e in episodes)


def test_a_capture_without_labels_says_so(tmp_path, chat, episodes):
    path = tmp_path / "capture.safetensors"
    train(tmp_path, [features(e) for e in episodes], chat=chat, collate=padded(chat.pad_id), capture=Capture(path),
          label_smoothing_factor=0.1, steps=2)
    with pytest.raises(DataError, match="holds no labels"):
        read_capture(path).episodes()


def test_a_loop_without_a_trainer_calls_see(tmp_path):
    import torch

    capture = Capture(tmp_path / "c.safetensors")
    capture.see(input_ids=torch.tensor([[5, 6, 7]]), labels=torch.tensor([[IGNORED, 6, 7]]))
    capture.save()
    assert read_capture(tmp_path / "c.safetensors").episodes() == [((5, 6, 7), (0, 1, 1))]


def test_labels_that_were_shifted_already_are_a_problem(tmp_path):
    ids = np.array([5, 6, 7, 8])
    write_capture(tmp_path / "c.safetensors", [FedRow(ids, np.array([6, 7, 8, IGNORED]))], counters={}, about={})
    (problem,) = read_capture(tmp_path / "c.safetensors").label_problems()
    assert problem.code == "data.mask"
    assert "shift" in problem.text


def test_padding_is_left_out_but_a_supervised_token_at_the_end_is_not():
    pad = 0
    row = FedRow(np.array([5, 6, pad, pad]), np.array([IGNORED, 6, pad, IGNORED]))
    ((ids, labels),) = row.episodes(pad)
    assert ids.tolist() == [5, 6, pad]
    assert labels.tolist() == [IGNORED, 6, pad]


def test_the_command_shows_what_was_fed(tmp_path, chat, capsys):
    episode = chat.episode([{"role": "user", "content": "Say exactly: blue"}, {"role": "assistant", "content": "blue"}])
    ids, mask = np.array(episode.ids), np.array(episode.mask)
    path = tmp_path / "c.safetensors"
    write_capture(path, [FedRow(ids, np.where(mask > 0, ids, IGNORED))], counters={"rows_seen": 1}, about={"pad_id": 0})
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args([str(path), "--tokenizer", str(chat.path), "--no-color"])
    assert options.handler(options) == 0
    shown = capsys.readouterr().out
    assert "rows_seen: 1" in shown
    assert "assistant\\n⟦blue<|im_end|>⟧" in shown


def test_the_callback_is_imported_without_transformers_and_torch():
    program = ("import sys, modelqa.training.capture\n"
               "print([n for n in ('torch', 'transformers') if n in sys.modules])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\xff" * 100])
def test_a_damaged_capture_is_one_clear_error(tmp_path, content):
    (tmp_path / "c.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"c\.safetensors"):
        read_capture(tmp_path / "c.safetensors")


def test_another_safetensors_file_is_no_capture(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "c.safetensors")
    with pytest.raises(DataError, match="not a capture"):
        read_capture(tmp_path / "c.safetensors")


def test_a_capture_that_is_declared_and_missing_is_no_undeclared_one(tmp_path: Path, chat: Chat) -> None:
    model = Model("m", capture=tmp_path / "none.safetensors")
    for ask in (partial(compare_templates, model, chat), partial(compare_packing, model, None, {})):
        with pytest.raises(DataError, match=r"no file .*none\.safetensors"):
            ask()


@pytest.mark.parametrize(("named", "outcome"), [("own", None), ("0" * 64, Finding), (None, NotAsked)])
def test_the_template_of_training_is_compared_by_hash(
    tmp_path: Path, chat: Chat, named: str | None, outcome: type[BaseException] | None
) -> None:
    path = tmp_path / "c.safetensors"
    about = {} if named is None else {"template_sha256": chat.template_sha256 if named == "own" else named}
    write_capture(path, [FedRow(np.array([5, 6]))], counters={}, about=about)
    model = Model("m", capture=path)
    if outcome is None:
        compare_templates(model, chat)
        return
    with pytest.raises(outcome) as caught:
        compare_templates(model, chat)
    if isinstance(caught.value, Finding):
        assert caught.value.problems[0].code == "parity.template_hash"
