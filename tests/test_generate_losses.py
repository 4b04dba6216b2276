"""Losses and logits of given text, against transformers' own loss and a forward pass of each text alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny_model
import torch

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import GenerationError
from modelqa.generate import LocalEngine, Loss

TOLERANCE = 2e-4  # float32 logits of size about 10, summed in another order


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def engine(request, tmp_path_factory):
    folder = tiny_model.write_model(tmp_path_factory.mktemp("model"), request.param, seed=5)
    return LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)


def rows_of(*lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(5, 200, (length,), generator=generator).tolist() for length in lengths]


def transformers_loss(model, ids, mask):
    """The mean loss that a trainer would see: labels -100 where nothing is supervised."""
    labels = [number if supervised else -100 for number, supervised in zip(ids, mask, strict=True)]
    with torch.inference_mode():
        return float(model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss)


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_losses_are_those_of_transformers_in_the_given_order(engine, batch_size):
    sequences = [(ids, [0] * (len(ids) // 2) + [1] * (len(ids) - len(ids) // 2)) for ids in rows_of(9, 30, 2, 17, 64)]
    found = engine.losses(sequences, batch_size=batch_size)
    for loss, (ids, mask) in zip(found, sequences, strict=True):
        assert loss.count == sum(mask)
        assert loss.mean == pytest.approx(transformers_loss(engine.model, ids, mask), abs=TOLERANCE)


def test_a_mask_on_the_first_token_counts_for_nothing(engine):
    (ids,) = rows_of(6)
    assert engine.losses([(ids, [1] * 6)]) == engine.losses([(ids, [0, 1, 1, 1, 1, 1])])


def test_a_sequence_without_supervision_has_no_loss(engine):
    (loss,) = engine.losses([(rows_of(5)[0], [0] * 5)])
    assert loss == Loss(0.0, 0) and math.isnan(loss.mean)


def test_train_mode_without_dropout_is_eval_mode_and_with_dropout_is_not(tmp_path):
    sequences = [(ids, [1] * len(ids)) for ids in rows_of(20, 12)]
    for dropout in (0.0, 0.3):
        folder = tiny_model.write_model(
            tmp_path / str(dropout), "gpt2", resid_pdrop=dropout, embd_pdrop=0.0, attn_pdrop=0.0
        )
        engine = LocalEngine.open(open_checkpoint(folder), stop_ids=[], pad_id=0)
        quiet, noisy = engine.losses(sequences), engine.losses(sequences, train_mode=True)
        assert not engine.model.training
        assert (quiet == noisy) is (dropout == 0)
        assert noisy == engine.losses(sequences, train_mode=True)  # the same dropout masks each time


def test_logits_through_the_cache_are_those_without_it(engine):
    (ids,) = rows_of(30)
    whole, cached = engine.logits(ids), engine.logits(ids, cached=True)
    assert whole.shape == (30, engine.vocabulary) and whole.dtype == np.float32
    np.testing.assert_allclose(cached, whole, atol=TOLERANCE)


def test_packed_episodes_do_not_see_each_other(engine):
    segments = rows_of(7, 1, 19)
    packed = engine.packed_logits(segments)
    for part, segment in zip(packed, segments, strict=True):
        np.testing.assert_allclose(part, engine.logits(segment), atol=TOLERANCE)


def test_without_isolation_packed_logits_would_differ(engine):
    one, two = rows_of(7, 19)
    joined = engine.logits(one + two)[len(one) :]
    assert np.abs(joined - engine.logits(two)).max() > 100 * TOLERANCE


def test_bits_per_byte_are_the_loss_over_the_bytes_of_the_text(engine):
    (ids,) = rows_of(10)
    text = "zwölf Bytes"  # eleven characters, twelve bytes
    expected = transformers_loss(engine.model, ids, [1] * 10) * 9 / math.log(2) / 12
    assert engine.bits_per_byte(text, ids) == pytest.approx(expected, abs=TOLERANCE)


def test_bits_per_byte_of_nothing_are_refused(engine):
    with pytest.raises(GenerationError, match="empty"):
        engine.bits_per_byte("", [5, 6])


@pytest.mark.parametrize(
    ("ids", "mask", "word"),
    [
        ([], [], "empty"),
        ([5, 6], [1], "mask of 1"),
        ([5] * 65, [1] * 65, "65 tokens"),
        ([5, 100_000], [1, 1], "100000"),
    ],
)
def test_a_sequence_that_cannot_be_scored_whole_is_refused(engine, ids, mask, word):
    with pytest.raises(GenerationError, match=word) as caught:
        engine.losses([([5, 6], [1, 1]), (ids, mask)])
    assert "sequence 1" in caught.value.fact
