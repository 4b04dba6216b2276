"""Defects of the rows of embedding and output matrix: tokens that have lost, share or never got their row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from modelqa.checkpoint import read
from modelqa.mutants.chat_files import turn_tokens
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.places import embedding, head_name, ordinary_rows, untied
from modelqa.mutants.tensors import Array, put


def _fewer_rows(sibling: Sibling) -> Damage:
    tensor = embedding(sibling.checkpoint)
    put(sibling.checkpoint, {tensor.name: read(sibling.checkpoint, tensor.name)[:-1]})
    return sibling.damaged(tensor.name)


def _rows(share: float, change: Callable[[Array, list[int]], list[int]], sibling: Sibling) -> Damage:
    """Change the rows of a share of the ordinary tokens, one at least; the locus is the first row that was changed."""
    tensor = embedding(sibling.checkpoint)
    rows = sorted(ordinary_rows(sibling, 1 + int(share * tensor.shape[0])))
    values = read(sibling.checkpoint, tensor.name).copy()
    changed = change(values, rows)
    put(sibling.checkpoint, {tensor.name: values})
    return sibling.damaged(f"row {min(changed)}")


def _duplicate(values: Array, rows: list[int]) -> list[int]:
    values[rows] = values[rows[0]]
    return rows[1:]


def _zero(values: Array, rows: list[int]) -> list[int]:
    values[rows] = 0.0
    return rows


def _outlier(values: Array, rows: list[int]) -> list[int]:
    values[rows[0]] *= 20.0
    return rows[:1]


def _random_special_rows(sibling: Sibling) -> Damage:
    """Rows of the tokens around turns, six times as wide as the others: a resize without an initialisation."""
    tensor = embedding(sibling.checkpoint)
    ids = sorted(turn_tokens(sibling.chat))
    values = read(sibling.checkpoint, tensor.name).copy()
    rng = np.random.default_rng(sibling.seed)
    values[ids] = rng.normal(0.0, 6 * values.std(), (len(ids), values.shape[1]))
    put(sibling.checkpoint, {tensor.name: values})
    return sibling.damaged(sibling.chat.decode(ids[:1]))


def _untrained_special_rows(sibling: Sibling) -> Damage:
    """Rows of the tokens around turns at the mean of all rows, as a resize leaves them before any training."""
    tensor = embedding(sibling.checkpoint)
    ids = sorted(turn_tokens(sibling.chat))
    values = read(sibling.checkpoint, tensor.name).copy()
    values[ids] = values.mean(axis=0)
    put(sibling.checkpoint, {tensor.name: values})
    return sibling.damaged(sibling.chat.decode(ids[:1]))


def _damped_stop(sibling: Sibling) -> Damage:
    """The output row of the token that ends an answer, turned away: the model no longer says it."""
    stop = sibling.chat.turn_end_id
    if stop is None:
        raise NotApplicable("its template ends an answer with no token")
    values = untied(sibling)
    values[stop] = -values[stop]
    put(sibling.checkpoint, {head_name(sibling.checkpoint): values})
    return sibling.damaged("stop_token")


_STOP = (Expected("stop_token.below", "cases"),)
_MANY = 0.02  # of the rows: more than a large vocabulary has of tokens that nobody trains

ROWS = (
    Kind("fewer_rows", "weights", "the embedding lost its last row", ("F54",), (Expected("weights.shapes"),),
         _fewer_rows),
    Kind("duplicated_rows", "weights", "two tokens in a hundred share one embedding row", ("F54",),
         (Expected("weights.duplicate_rows"),), partial(_rows, _MANY, _duplicate)),
    Kind("zero_rows", "weights", "the embedding rows of two tokens in a hundred are zero", ("F26",),
         (Expected("weights.zero_rows"),), partial(_rows, _MANY, _zero)),
    Kind("outlier_row", "weights", "a token's embedding row is twenty times too long", ("F26",),
         (Expected("weights.outlier_row"),), partial(_rows, 0.0, _outlier)),
    Kind("random_special_rows", "weights", "the rows of new special tokens were left as random numbers", ("F26",),
         (Expected("weights.special_norm"),), _random_special_rows),
    Kind("untrained_special_rows", "weights", "the rows of new special tokens were never trained", ("F26",),
         (Expected("weights.untrained_row"),), _untrained_special_rows),
    Kind("damped_stop", "weights", "the model never learnt to say the token that ends an answer", ("F02", "F07"),
         _STOP, _damped_stop),
)  # fmt: skip
