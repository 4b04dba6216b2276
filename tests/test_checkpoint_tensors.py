"""Values of tensors: read as torch reads them, counted as numpy counts them, whatever the stored type."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_model
import torch
from safetensors.torch import save_file

from modelqa.checkpoint import finite_problems, open_checkpoint, read, statistics, tensors
from modelqa.errors import CheckpointError


def checkpoint_of(folder, **values):
    """A checkpoint with these tensors and no more than a config."""
    (folder / "config.json").write_text("{}")
    save_file(values, folder / "model.safetensors")
    return open_checkpoint(folder)


TYPES = [
    "float64",
    "float32",
    "float16",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
]


@pytest.mark.parametrize("name", TYPES)
def test_each_type_is_read_as_torch_reads_it(tmp_path, name):
    values = (torch.randn(7, 5, generator=torch.Generator().manual_seed(1)) * 20).to(getattr(torch, name))
    found = read(checkpoint_of(tmp_path, a=values), "a")
    assert found.dtype == np.float32 and found.shape == (7, 5)
    np.testing.assert_array_equal(found, values.float().numpy())


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_every_eight_bit_code_has_torchs_value(tmp_path, name):
    codes = torch.arange(256, dtype=torch.uint8).view(getattr(torch, name))
    np.testing.assert_array_equal(read(checkpoint_of(tmp_path, a=codes), "a"), codes.float().numpy())


def test_scalars_and_empty_tensors_keep_their_shape(tmp_path):
    checkpoint = checkpoint_of(tmp_path, scalar=torch.tensor(3.0), empty=torch.zeros(0, 4), flat=torch.zeros(4, 0))
    assert read(checkpoint, "scalar").shape == () and float(read(checkpoint, "scalar")) == 3.0
    assert read(checkpoint, "empty").shape == (0, 4)
    assert read(checkpoint, "flat").shape == (4, 0)


@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_statistics_do_not_depend_on_the_block_size(tmp_path, monkeypatch, block):
    monkeypatch.setattr(tensors, "BLOCK_ELEMENTS", block)
    values = torch.zeros(6, 3)
    values[0] = torch.tensor([1.0, -2.5, 4.0])
    values[2, 1], values[3, 0], values[5] = float("nan"), float("-inf"), 0.5
    found = statistics(checkpoint_of(tmp_path, a=values), "a")
    assert (found.nan, found.infinite, found.minimum, found.maximum) == (1, 1, -2.5, 4.0)
    assert found.zero_rows == 2  # rows 1 and 4


def test_a_vector_has_no_zero_rows_and_all_nan_has_no_range(tmp_path):
    checkpoint = checkpoint_of(tmp_path, zeros=torch.zeros(5), nan=torch.full((2, 2), float("nan")))
    assert statistics(checkpoint, "zeros").zero_rows == 0
    found = statistics(checkpoint, "nan")
    assert (found.nan, found.minimum, found.maximum) == (4, 0.0, 0.0)


def test_a_minimum_above_zero_stays_above_zero(tmp_path):
    found = statistics(checkpoint_of(tmp_path, a=torch.tensor([[3.0], [2.0]])), "a")
    assert (found.minimum, found.maximum) == (2.0, 3.0)


def test_an_unknown_tensor_is_refused_with_the_nearest_names(tmp_path):
    checkpoint = checkpoint_of(tmp_path, lm_head_weight=torch.zeros(1))
    with pytest.raises(CheckpointError, match="lm_head_weight"):
        read(checkpoint, "lm_head.weight")


def test_a_type_without_plain_numbers_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    tiny_model.write_raw(
        tmp_path / "model.safetensors", {"a": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}}, bytes(2)
    )
    with pytest.raises(CheckpointError, match="F4"):
        read(open_checkpoint(tmp_path), "a")


def test_a_file_that_shrinks_after_opening_is_refused(tmp_path):
    checkpoint = checkpoint_of(tmp_path, a=torch.zeros(100))
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="ends inside 'a'"):
        read(checkpoint, "a")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn])
def test_one_nan_is_found_and_named(tmp_path, dtype):
    healthy, broken = torch.ones(4, 4), torch.ones(4, 4)
    broken[2, 3] = float("nan")
    checkpoint = checkpoint_of(tmp_path, healthy=healthy.to(dtype), broken=broken.to(dtype))
    (problem,) = finite_problems(checkpoint)
    assert (problem.code, problem.locus) == ("weights.nonfinite", "broken")
    assert "1 NaN and 0 infinite of 16" in problem.text


def test_finite_weights_and_integers_have_no_problem(tmp_path):
    checkpoint = checkpoint_of(tmp_path, a=torch.randn(3, 3), b=torch.full((2,), -1), c=torch.tensor([True]))
    assert finite_problems(checkpoint) == []


def test_an_infinity_is_found(tmp_path):
    (problem,) = finite_problems(checkpoint_of(tmp_path, a=torch.tensor([1.0, float("inf")])))
    assert "0 NaN and 1 infinite of 2" in problem.text
