"""Rung 2: the files. Judged from the bytes of the safetensors and tokenizer files, before any loader mends them."""

from modelqa import deny, not_asked
from modelqa.checkpoint import (
    change_problems,
    changes,
    dtype_problems,
    embedding_rows,
    entries,
    finite_problems,
    id_map_problems,
    key_problems,
    merge_problems,
    open_adapter,
    open_checkpoint,
    row_problems,
    shape_problems,
    special_id_problems,
    special_row_problems,
    tie_problems,
    vocabulary_problems,
)


def parent_of(model, lab):
    """The checkpoint that the candidate was trained from."""
    if not model.parent:
        not_asked("it names no parent: it was trained from scratch, or nothing is declared")
    return open_checkpoint(lab.registry.models[model.parent].location)


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


def test_keys(checkpoint):
    """No layer lacks a tensor that its like have, and none has one too many."""
    deny(key_problems(checkpoint))


def test_dtype(checkpoint):
    """The values are stored in the type that the config names."""
    deny(dtype_problems(checkpoint))


def test_embedding_rows(checkpoint):
    """The rows of the tokenizer's ids are neither zero, nor the same, nor of another size altogether."""
    deny(row_problems(embedding_rows(checkpoint), {number for _, number in entries(checkpoint)}))


def test_special_rows(model, checkpoint, chat):
    """The rows of the tokens that the template writes were trained, and are of ordinary size."""
    if model.stage == "base":
        not_asked("a base model has not seen the tokens of the chat format")
    deny(special_row_problems(embedding_rows(checkpoint), chat.written_tokens))


def test_change(model, checkpoint, lab, measured):
    """Training changed the weights of the parent, and not only those around the layers."""
    moved = changes(checkpoint, parent_of(model, lab))
    measured.update({group: round(value, 6) for group, value in moved.items()})
    deny(change_problems(moved))


def test_id_map(model, checkpoint, lab):
    """Every token has the id that it had when the parent was trained."""
    deny(id_map_problems(checkpoint, parent_of(model, lab)))


def test_merge(model, checkpoint, lab):
    """The merged weights are those of the parent plus the adapter, once."""
    if model.adapter is None:
        not_asked("no adapter is declared")
    deny(merge_problems(checkpoint, parent_of(model, lab), open_adapter(model.adapter)))
