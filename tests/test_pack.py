"""Packing: nothing cut, lost or doubled; close to the lower bound; episodes that do not see each other."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from modelqa.data.arrays import IGNORED, assembled, header, load, save
from modelqa.data.pack import best_fit_decreasing, content_hash, lower_bound, packed, require_conserved
from modelqa.errors import DataError


def fewest_blocks(lengths, capacity):
    """The optimum, by trying everything."""
    best = len(lengths)

    def place(at, blocks):
        nonlocal best
        if len(blocks) >= best:
            return
        if at == len(lengths):
            best = len(blocks)
            return
        for number in range(len(blocks)):
            if blocks[number] + lengths[at] <= capacity:
                place(at + 1, [*blocks[:number], blocks[number] + lengths[at], *blocks[number + 1:]])
        place(at + 1, [*blocks, lengths[at]])

    place(0, [])
    return best


def episodes_of(lengths, *, seed=0):
    chance = np.random.default_rng(seed)
    return [(chance.integers(3, 90, n), (np.arange(n) > n // 2).astype(np.uint8)) for n in lengths]


def test_the_lower_bound_never_exceeds_the_optimum_and_packing_stays_within_theory():
    chance = random.Random(1)
    for _ in range(200):
        capacity = chance.randint(5, 20)
        lengths = [chance.randint(1, capacity) for _ in range(chance.randint(1, 8))]
        optimum = fewest_blocks(lengths, capacity)
        blocks = best_fit_decreasing(lengths, capacity)
        assert -(-sum(lengths) // capacity) <= lower_bound(lengths, capacity) <= optimum <= len(blocks)
        assert len(blocks) <= 11 / 9 * optimum + 6 / 9
        assert all(sum(lengths[n] for n in block) <= capacity for block in blocks)
        assert sorted(itertools.chain(*blocks)) == list(range(len(lengths)))


def test_the_lower_bound_sees_that_long_episodes_cannot_share_a_block():
    assert lower_bound([1025] * 100, 2048) == 100
    assert lower_bound([], 2048) == 0


def test_packing_many_short_episodes_comes_within_two_percent_of_the_bound():
    chance = random.Random(2)
    lengths = [min(1024, int(chance.lognormvariate(4, 0.6)) + 8) for _ in range(5000)]
    bound = lower_bound(lengths, 1024)
    assert bound <= len(packed(lengths, 1024, shuffle_seed=3)) <= 1.02 * bound


@pytest.mark.parametrize("length", [0, 17])
def test_an_episode_that_does_not_fit_is_an_error_and_not_cut(length):
    with pytest.raises(DataError, match="does not fit"):
        best_fit_decreasing([4, length], 16)


def test_groups_do_not_share_a_block():
    groups = ["a", "b"] * 50
    blocks = packed([3] * 100, 16, groups=groups, shuffle_seed=1)
    assert all(len({groups[n] for n in block}) == 1 for block in blocks)


def test_without_shuffling_the_source_order_is_kept_and_with_a_seed_it_is_repeatable():
    lengths = [5, 3, 8, 2, 9, 4, 7]
    blocks = packed(lengths, 10)
    assert all(block == sorted(block) for block in blocks)
    assert [block[0] for block in blocks] == sorted(block[0] for block in blocks)
    assert packed(lengths, 10, shuffle_seed=1) == packed(lengths, 10, shuffle_seed=1)
    many = [3] * 200
    assert packed(many, 10, shuffle_seed=1) != packed(many, 10, shuffle_seed=2)


def test_the_content_hash_ignores_order_and_sees_loss_doubling_and_a_changed_mask():
    episodes = episodes_of([5, 6, 7])
    whole = content_hash(episodes)
    assert content_hash(reversed(episodes)) == whole
    (ids, mask), *rest = episodes
    changed = [[(ids, 1 - mask), *rest], [(ids + 1, mask), *rest]]
    for wrong in (rest, [*episodes, episodes[0]], [episodes[1], *rest], *changed):
        assert content_hash(wrong) != whole
        with pytest.raises(DataError, match="packing changed the data"):
            require_conserved(whole, content_hash(wrong))
    require_conserved(whole, content_hash(episodes))


def test_a_packer_that_repeats_a_part_is_caught_although_the_counts_are_equal():
    episodes = episodes_of([6] * 50)
    repeated = episodes[:10] * 5
    assert sum(len(ids) for ids, _ in repeated) == sum(len(ids) for ids, _ in episodes)
    with pytest.raises(DataError):
        require_conserved(content_hash(episodes), content_hash(repeated))


@pytest.fixture
def arrays():
    lengths = [5, 3, 8, 2, 9, 4, 7, 6]
    blocks = packed(lengths, 16, shuffle_seed=5)
    names = [f"row-{n}é" for n in range(len(lengths))]
    return assembled(episodes_of(lengths), names, blocks, meta={"block_size": "16"})


def test_arrays_come_back_from_disk_as_they_were(tmp_path, arrays):
    save(tmp_path / "a.safetensors", arrays)
    again = load(tmp_path / "a.safetensors")
    assert again.names == arrays.names
    assert again.block == 16
    assert content_hash(again.each_episode()) == content_hash(arrays.each_episode())
    assert content_hash(again.each_episode()) == content_hash(episodes_of([5, 3, 8, 2, 9, 4, 7, 6]))
    assert again.ids.dtype == np.uint16


def test_large_ids_are_kept():
    arrays = assembled([(np.array([1, 150_000]), np.array([0, 1]))], ["a"], [[0]], meta={})
    assert arrays.ids.tolist() == [1, 150_000]


def test_other_tools_read_the_file(tmp_path, arrays):
    from safetensors.torch import load_file

    save(tmp_path / "a.safetensors", arrays)
    assert load_file(tmp_path / "a.safetensors")["input_ids"].tolist() == arrays.ids.tolist()


def test_positions_restart_and_the_first_token_of_an_episode_is_no_label(arrays):
    starts = {int(start) for start in arrays.episode_starts[:-1]}
    at = 0
    for number in range(arrays.rows):
        row = arrays.row(number)
        for offset in range(len(row["input_ids"])):
            assert (row["position_ids"][offset] == 0) == (at in starts)
            if at in starts or not arrays.mask[at]:
                assert row["labels"][offset] == IGNORED
            else:
                assert row["labels"][offset] == arrays.ids[at]
            at += 1
    assert at == len(arrays.ids)


def test_batches_are_padded_without_supervision_and_hold_every_row(arrays):
    batches = list(arrays.batches(2, pad=0))
    assert sum(len(batch["input_ids"]) for batch in batches) == arrays.rows
    for batch in batches:
        assert set(batch) == {"input_ids", "labels", "position_ids"}
        assert {array.shape[1] for array in batch.values()} == {16}
    real = sum(int((batch["input_ids"] != 0).sum()) for batch in batches)
    assert real == len(arrays.ids)


def tiny_model():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)).eval()


def largest_gap(arrays, model, **arguments):
    """The largest difference of a logit between an episode in its packed row and the same episode alone."""
    import torch

    gap = 0.0
    first = 0
    for number, batch in enumerate(arrays.batches(1, pad=0)):
        with torch.no_grad():
            given = {name: torch.tensor(batch[name]) for name in ("input_ids", "position_ids")}
            extra = {name: make(given["input_ids"]) for name, make in arguments.items()}
            together = model(**given, **extra).logits[0]
            begin = int(arrays.row_starts[number])
            while arrays.episode_starts[first] < arrays.row_starts[number + 1]:
                ids, _ = arrays.episode(first)
                alone = model(input_ids=torch.tensor(ids.astype(np.int64))[None], use_cache=False).logits[0]
                at = int(arrays.episode_starts[first]) - begin
                gap = max(gap, float((together[at: at + len(ids)] - alone).abs().max()))
                first += 1
    return gap


def test_packed_logits_equal_the_logits_of_each_episode_alone(arrays):
    assert largest_gap(arrays, tiny_model(), use_cache=lambda ids: False) < 1e-4


@pytest.mark.parametrize("wrong", ["attention_mask", "use_cache"])
def test_one_wrong_keyword_lets_episodes_see_each_other_and_the_comparison_shows_it(arrays, wrong):
    import torch

    arguments = {"attention_mask": {"attention_mask": torch.ones_like, "use_cache": lambda ids: False},
                 "use_cache": {"use_cache": lambda ids: True}}[wrong]
    assert largest_gap(arrays, tiny_model(), **arguments) > 1e-2


def test_batches_of_several_packed_rows_are_isolated_too(arrays):
    import torch

    model = tiny_model()
    (batch,) = arrays.batches(arrays.rows, pad=0)
    with torch.no_grad():
        given = {name: torch.tensor(batch[name]) for name in ("input_ids", "position_ids")}
        together = model(**given, use_cache=False).logits
        for number in range(arrays.rows):
            row = {name: tensor[number: number + 1] for name, tensor in given.items()}
            assert torch.allclose(together[number], model(**row, use_cache=False).logits[0], atol=1e-4)


@pytest.mark.parametrize("damage", ["truncated", "offsets", "format", "missing", "mask", "inside"])
def test_damaged_arrays_are_one_clear_error(tmp_path, arrays, damage):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "a.safetensors"
    save(path, arrays)
    tensors = load_file(path)
    meta = header({**arrays.meta, "format": "other" if damage == "format" else "modelqa.tokens.1"})
    if damage == "offsets":
        tensors["row_starts"][-1] += 10**12
    elif damage == "mask":
        tensors["loss_mask"] = tensors["loss_mask"][:-1]
    elif damage == "inside":
        tensors["row_starts"][1] += 1
    elif damage == "missing":
        del tensors["name_starts"]
    save_file(tensors, path, metadata=meta)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a\.safetensors is not tokenised data"):
        load(path)


def test_an_absent_file_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        load(tmp_path / "none.safetensors")
