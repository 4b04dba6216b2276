"""Defects of the rows of embedding and output matrix: tokens that have lost, share or never got their row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from modelqa.checkpoint import read
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import embedding, head_name, ordinary_rows, untied
from modelqa.mutants.tensors import Array, edit, put


def _fewer_rows(sibling: Sibling) -> Damage:
    tensor = embedding(sibling.checkpoint)
    put(sibling.checkpoint, {tensor.name: read(sibling.checkpoint, tensor.name)[:-1]})
    return sibling.damaged(tensor.name)


def _rows(change: Callable[[Array, list[int], np.random.Generator], Array], sibling: Sibling) -> Damage:
    """Change the rows of ordinary tokens; the locus is the row that was changed last."""
    tensor = embedding(sibling.checkpoint)
    rows = ordinary_rows(sibling, 2)
    rng = np.random.default_rng(sibling.seed)
    edit(sibling.checkpoint, tensor.name, lambda values: change(values, rows, rng))
    return sibling.damaged(f"{tensor.name}, row {rows[-1]}")


def _duplicate(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] = values[rows[0]]
    return values


def _zero_row(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] = 0.0
    return values


def _outlier_row(values: Array, rows: list[int], rng: np.random.Generator) -> Array:
    values[rows[1]] *= 20.0
    return values


def _random_special_rows(sibling: Sibling) -> Damage:
    """Rows of special tokens, ten times as wide as the others: a resize without an initialisation."""
    tensor = embedding(sibling.checkpoint)
    ids = sorted(set(sibling.chat.special_tokens.values()))
    if not ids:
        raise NotApplicable("its tokenizer has no special tokens")
    rng = np.random.default_rng(sibling.seed)

    def change(values: Array) -> Array:
        values[ids] = rng.normal(0.0, 10 * values.std(), (len(ids), values.shape[1]))
        return values

    edit(sibling.checkpoint, tensor.name, change)
    return sibling.damaged(f"{tensor.name}, row {ids[0]}")


def _damped_stop(sibling: Sibling) -> Damage:
    """The output row of the token that ends an answer, turned away: the model no longer says it."""
    stop = sibling.chat.turn_end_id
    if stop is None:
        raise NotApplicable("its template ends an answer with no token")
    values = untied(sibling)
    values[stop] = -values[stop]
    put(sibling.checkpoint, {head_name(sibling.checkpoint): values})
    return sibling.damaged("stop_token")


_SHAPES = (Expected("shapes", "weights.shapes"),)
_STOP = (Expected("stop_token", "stop_token.below", "cases"),)

ROWS = (
    Kind("fewer_rows", "weights", "the embedding lost its last row", ("F54",), _SHAPES, _fewer_rows),
    Kind("duplicated_row", "weights", "two tokens have one embedding row", ("F54",), _SHAPES,
         partial(_rows, _duplicate)),
    Kind("zero_row", "weights", "a token's embedding row is zero", ("F26",), _SHAPES, partial(_rows, _zero_row)),
    Kind("outlier_row", "weights", "a token's embedding row is twenty times too long", ("F26",), _SHAPES,
         partial(_rows, _outlier_row)),
    Kind("random_special_rows", "weights", "the rows of new special tokens were left as random numbers", ("F26",),
         _SHAPES, _random_special_rows),
    Kind("damped_stop", "weights", "the model never learnt to say the token that ends an answer", ("F02", "F07"),
         _STOP, _damped_stop),
)  # fmt: skip
