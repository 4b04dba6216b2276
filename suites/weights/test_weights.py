"""Rung 2: the files. Judged from the bytes of the safetensors and tokenizer files, before any loader mends them."""

from modelqa import deny
from modelqa.checkpoint import (
    finite_problems,
    shape_problems,
    special_id_problems,
    tie_problems,
    vocabulary_problems,
)


def test_tied_embeddings(checkpoint):
    """The file agrees with the config on whether input and output embeddings are one matrix."""
    deny(tie_problems(checkpoint))


def test_finite_weights(checkpoint):
    """No tensor holds NaN or infinity."""
    deny(finite_problems(checkpoint))


def test_vocabulary(checkpoint):
    """Every token of the tokenizer has an embedding row."""
    deny(vocabulary_problems(checkpoint))


def test_special_ids(checkpoint):
    """The special-token ids of the configs are those of the tokenizer."""
    deny(special_id_problems(checkpoint))


def test_shapes(checkpoint):
    """The tensors have the shapes that the config names."""
    deny(shape_problems(checkpoint))
