"""The recount trusts the arrays alone, and says where the manifest says something else."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tiny_chat
from test_prepare import echo_rows, run_command

from modelqa.chat import open_chat
from modelqa.data.arrays import assembled, load, save
from modelqa.data.inspect import Counts, contradictions, count, load_folder, masked_text, sample, unsupervised
from modelqa.data.prepare import prepare
from modelqa.data.prepared import Settings
from modelqa.errors import DataError
from modelqa.files import write_jsonl


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_chat.write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(tmp_path, model):
    write_jsonl(tmp_path / "rows.jsonl", echo_rows())
    prepare(Settings(tmp_path / "rows.jsonl", tmp_path / "out", model, val_split=0.0, packing=True, block=256))
    return tmp_path / "out"


def small(masks, *, block=None):
    pairs = [(np.arange(len(mask)) + 1, np.array(mask)) for mask in masks]
    names = [f"e{number}" for number in range(len(masks))]
    rows = [list(range(len(masks)))] if block else [[number] for number in range(len(masks))]
    return assembled(pairs, names, rows, meta={"block_size": str(block or 0)})


def test_counts_are_those_of_a_case_counted_by_hand():
    counts = count(small([[0, 0, 1, 1], [0, 1]]))
    assert (counts.rows, counts.episodes, counts.tokens, counts.supervised, counts.slots) == (2, 2, 6, 3, 8)
    assert counts.of_content == 3 / 6
    assert counts.of_slots == 3 / 8
    assert counts.fill == 6 / 8
    packed = count(small([[0, 0, 1, 1], [0, 1]], block=10))
    assert (packed.rows, packed.slots, packed.lower_bound, packed.longest) == (1, 10, 1, 4)
    assert packed.content == counts.content


@pytest.mark.parametrize("passes", [2, 3, 3.5, 5])
def test_recommended_steps_go_over_the_supervised_tokens_that_many_times(passes):
    counts = Counts(rows=1000, episodes=1000, tokens=1, supervised=1, slots=1, longest=1, lower_bound=1, content="")
    assert counts.steps(passes, batch_size=16) == math.ceil(passes * 1000 / 16)


def test_an_honest_manifest_has_no_contradictions(folder):
    assert contradictions(folder, load_folder(folder)) == []


def test_a_manifest_that_says_another_number_is_contradicted(folder, capsys):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["splits"]["train"]["counts"]["supervised"] += 1
    path.write_text(json.dumps(manifest))
    (problem,) = contradictions(folder, load_folder(folder))
    assert (problem.code, problem.locus) == ("data.rows", "train.supervised")
    assert run_command("inspect", "--dataset_dir", folder) == 1
    assert "train.supervised" in capsys.readouterr().out


def test_arrays_that_were_changed_contradict_the_manifest_even_with_equal_counts(folder):
    path = folder / "train.safetensors"
    arrays = load(path)
    swapped = arrays.ids.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    save(path, type(arrays)(swapped, arrays.mask, arrays.episode_starts, arrays.row_starts, arrays.names, arrays.meta))
    loci = {problem.locus for problem in contradictions(folder, load_folder(folder))}
    assert loci == {"train.content", "train.safetensors"}


def test_a_split_that_is_gone_and_a_manifest_that_is_gone_are_problems(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["splits"]["val"] = manifest["splits"]["train"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert [problem.locus for problem in contradictions(folder, load_folder(folder))] == ["val"]
    (folder / "manifest.json").unlink()
    assert [problem.locus for problem in contradictions(folder, load_folder(folder))] == ["manifest.json"]


def test_an_empty_folder_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match="holds no prepared data"):
        load_folder(tmp_path)


def test_an_episode_without_supervision_is_named():
    assert unsupervised(small([[0, 1], [0, 0, 0], [1, 1]])) == ["e1"]


def test_the_mask_is_visible_with_and_without_colour(model):
    tokens = open_chat(model).tokens
    ids = [*tokens.encode("blue").ids, *tokens.encode(" river<|im_end|>").ids]
    mask = [0] * len(tokens.encode("blue").ids) + [1] * len(tokens.encode(" river<|im_end|>").ids)
    assert masked_text(tokens, ids, mask, color=False) == "blue⟦ river<|im_end|>⟧"
    assert "\x1b[32m river<|im_end|>\x1b[0m" in masked_text(tokens, ids, mask, color=True)


def test_a_sample_of_hostile_text_cannot_act_on_the_terminal(model):
    chat = open_chat(model)
    episode = chat.episode([{"role": "user", "content": "\x1b[2J::error::"}, {"role": "assistant", "content": "a"}])
    arrays = assembled([(np.array(episode.ids), np.array(episode.mask))], ["\x1b]0;x"], [[0]], meta={})
    assert "\x1b" not in sample(arrays, chat.tokens, 0, color=False)
