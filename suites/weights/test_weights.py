"""Rung 2: the files. Judged from the bytes of the safetensors and tokenizer files, before any loader mends them."""

from modelqa import deny, not_asked
from modelqa.checkpoint import (
    byte_ids,
    change_problems,
    changes,
    dtype_problems,
    embedding_rows,
    entries,
    finite_problems,
    generation_problems,
    id_map_problems,
    key_problems,
    merge_problems,
    open_adapter,
    open_checkpoint,
    row_problems,
    same_fields,
    shape_problems,
    special_id_problems,
    special_row_problems,
    tie_problems,
    vocabulary_problems,
)
from modelqa.logs.recipes import recipe_problems


def parent_of(model, lab):
    """The checkpoint that the candidate was trained from."""
    if not model.parent:
        not_asked("it names no parent: it was trained from scratch, or nothing is declared")
    return open_checkpoint(lab.registry.models[model.parent].location)


def test_tied_embeddings(checkpoint):
    """The file agrees with the config on whether input and output embeddings are one matrix.

    Both directions are looked at: a config that ties two matrices which the file holds apart, and one that does not tie
    and has no output matrix. A loader mends both silently, so a check on the loaded model is always true.
    """
    deny(tie_problems(checkpoint))


def test_finite_weights(checkpoint):
    """No tensor holds NaN or infinity.

    Every value of every shard is read. The locus is the first such tensor; the loss of such a model may still look fine
    where the value is seldom used.
    """
    deny(finite_problems(checkpoint))


def test_vocabulary(checkpoint):
    """Every token of the tokenizer has an embedding row.

    Nor has a token two ids, or an id two tokens. Rows without a token are fine: vocabularies are padded.
    """
    deny(vocabulary_problems(checkpoint))


def test_special_ids(checkpoint):
    """The special-token ids of the configs are those of the tokenizer.

    bos, eos and pad of config.json, generation_config.json and tokenizer_config.json are compared; an id that no token
    or embedding row has, and two files that disagree, are found before any reply is made.
    """
    deny(special_id_problems(checkpoint))


def test_generation_settings(checkpoint):
    """What generation_config.json tells every user of generate() lets the model speak.

    Replies are judged greedily, without it. Advice to sample passes. A limit of a few tokens, forbidden or forced
    tokens, a hard penalty for repetition and a temperature above 2 are found here, or by nobody before the users.
    """
    deny(generation_problems(checkpoint))


def test_shapes(checkpoint):
    """The tensors have the shapes that the config names.

    Embedding rows against vocab_size, layers that the config counts against those that the file holds, and one matrix
    whose shape or type is unlike that of the same matrix in all other layers (transposed, flattened, whole numbers).
    """
    deny(shape_problems(checkpoint))


def test_keys(checkpoint):
    """No layer lacks a tensor that its like have, and none has one too many.

    A loader fills what is missing with random numbers and drops what it does not know, with a warning at most.
    """
    deny(key_problems(checkpoint))


def test_dtype(checkpoint):
    """The values are stored in the type that the config names.

    Weights that were cast on saving differ from those that were evaluated; a mixed file names the first odd tensor.
    """
    deny(dtype_problems(checkpoint))


def test_embedding_rows(checkpoint):
    """The rows of the tokenizer's ids are neither zero, nor the same, nor of another size altogether.

    Up to one row in a hundred may be zero or equal: large vocabularies hold tokens that nobody trains. Those of single
    bytes beyond ASCII are left out: a vocabulary has all of them, and the text seldom does. A norm of ten times the
    median is an outlier.
    """
    ids = {number for _, number in entries(checkpoint)}
    deny(row_problems(embedding_rows(checkpoint), ids, byte_ids(checkpoint)))


def test_special_rows(model, checkpoint, chat):
    """The rows of the tokens that the template writes were trained, and are of ordinary size.

    A row of a new token that stayed at its start - random, or the mean of all rows - makes the first steps of
    fine-tuning unstable, and the tag that it stands for noise.
    """
    if model.stage == "base":
        not_asked("a base model has not seen the tokens of the chat format")
    deny(special_row_problems(embedding_rows(checkpoint), chat.written_tokens))


def test_change(model, checkpoint, lab, measured):
    """Training changed the weights of the parent, and not only those around the layers.

    The relative change of each group of tensors is printed. No change at all means that step 0, or the wrong file, was
    saved; layers that moved a hundred times less than the rest were frozen, by a flag or by a rate that was too low.
    """
    moved = changes(checkpoint, parent_of(model, lab))
    measured.update({group: round(value, 6) for group, value in moved.items()})
    deny(change_problems(moved))


def test_architecture(model, checkpoint, lab):
    """The config makes of the weights what the parent's config made of them.

    Another activation, norm, rotary base or number of heads fits every shape: the checkpoint loads, and computes what
    nobody trained. More positions than the parent has are a claim. What was meant to change is named by `factors` of
    the model's entry, as "config.max_position_embeddings".
    """
    own, theirs = same_fields(checkpoint, parent_of(model, lab))
    deny(recipe_problems(own, theirs, name=model.parent, factors=model.factors, code="weights.architecture"))


def test_id_map(model, checkpoint, lab):
    """Every token has the id that it had when the parent was trained.

    A tokenizer that was saved anew may move special tokens by a few places: the text looks right, and the weights still
    know the old ids. Parents with another tokenizer are not compared.
    """
    deny(id_map_problems(checkpoint, parent_of(model, lab)))


def test_merge(model, checkpoint, lab):
    """The merged weights are those of the parent plus the adapter, once.

    Base + scale * B A is computed from the three files, within the rounding of the stored type: an adapter that was not
    merged, merged twice, or merged into another base is found.
    """
    if model.adapter is None:
        not_asked("no adapter is declared")
    deny(merge_problems(checkpoint, parent_of(model, lab), open_adapter(model.adapter)))
