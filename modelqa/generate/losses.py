"""What a model makes of given text: losses, logits, packed against single rows, bits per byte."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from modelqa.errors import GenerationError
from modelqa.generate.loading import position_limit

Scored = tuple[Sequence[int], Sequence[int]]  # (ids, mask): mask 1 where the token is supervised, else 0
BATCH_LOGITS = 1 << 24  # numbers in the logits of one batch, 64 MiB of float32: what a larger batch may not exceed
BATCH_SIZES = (8, 32)  # fewer leave the processor idle between layers; more are no faster with a small model
_DROPOUT_SEED = 0  # train mode draws dropout masks; the same ones each time


class Loaded(Protocol):
    """A model in memory: what is needed of `LocalEngine` here, whose fields say what these are."""

    @property
    def model(self) -> Any: ...

    @property
    def pad_id(self) -> int: ...

    @property
    def device(self) -> str: ...

    @property
    def vocabulary(self) -> int: ...


@dataclass(frozen=True)
class Loss:
    """The summed negative log-likelihood of a sequence's supervised tokens, in nats, and how many those are."""

    nll: float
    count: int

    @property
    def mean(self) -> float:
        """Nats per supervised token; NaN when there is none."""
        return self.nll / self.count if self.count else math.nan


def losses(
    engine: Loaded, sequences: Sequence[Scored], *, batch_size: int | None = None, train_mode: bool = False
) -> list[Loss]:
    """One `Loss` for each (ids, mask), in their order; what has the same ids is run once, however many masks it has.

    A token is predicted from those before it, so a mask on the first token counts for nothing. Batches are sorted by
    length and right-padded under an attention mask; sums are kept in float64. `train_mode` leaves dropout on (one fixed
    seed): with dropout 0 the losses must be those of eval mode. `GenerationError` for a sequence that is empty, too
    long, or whose mask has another length.
    """
    for index, (ids, mask) in enumerate(sequences):
        _check(engine, index, ids, len(mask))
    found: dict[int, Loss] = {}
    with _mode(engine.model, train_mode):
        for row, ids, places in _run(engine, [ids for ids, _ in sequences], batch_size):
            found |= {index: _loss(row, ids, sequences[index][1]) for index in places}
    return [found[index] for index in range(len(sequences))]


def _run(
    engine: Loaded, rows: Sequence[Sequence[int]], batch_size: int | None
) -> Iterator[tuple[Any, Sequence[int], list[int]]]:
    """(logits (width, vocabulary), ids, places in `rows`) of each different row, batch by batch, the shortest first."""
    places: dict[tuple[int, ...], list[int]] = {}
    for index, ids in enumerate(rows):
        places.setdefault(tuple(ids), []).append(index)
    order = sorted(places, key=len)
    size = batch_size or _batch_size(engine, len(order[-1]) if order else 1)
    for first in range(0, len(order), size):
        batch = order[first : first + size]
        yield from zip(_forward(engine, batch), batch, [places[ids] for ids in batch], strict=True)


def _batch_size(engine: Loaded, width: int) -> int:
    least, most = BATCH_SIZES
    return max(least, min(most, BATCH_LOGITS // (width * engine.vocabulary)))


def logits(engine: Loaded, ids: Sequence[int], *, cached: bool = False) -> NDArray[np.float32]:
    """Logits of shape (len(ids), vocabulary) of one sequence; `cached` feeds token by token through the KV cache."""
    import torch

    _check(engine, 0, ids, len(ids))
    rows = torch.tensor([list(ids)], device=engine.device)
    with torch.inference_mode():
        if not cached:
            return _numpy(engine.model(input_ids=rows, use_cache=False).logits[0])
        past, steps = None, []
        for place in range(len(ids)):
            out = engine.model(input_ids=rows[:, place : place + 1], past_key_values=past, use_cache=True)
            past = out.past_key_values
            steps.append(out.logits[0, -1])
        return _numpy(torch.stack(steps))


@dataclass(frozen=True)
class Best:
    """The likeliest token at each supervised place of a sequence, and how far it is above the second, in logits.

    largest  the largest logit in absolute value at these places
    """

    best: tuple[int, ...]
    gap: tuple[float, ...]
    largest: float


def best(engine: Loaded, sequences: Sequence[Scored]) -> list[Best]:
    """One `Best` for each (ids, mask), in their order: what the model would say where the mask is 1, the text given.

    Where logits are no numbers the gap is 0, and the token is -1: no token is preferred. Errors as in `losses`.
    """
    for index, (ids, mask) in enumerate(sequences):
        _check(engine, index, ids, len(mask))
    found: dict[int, Best] = {}
    for row, _, places in _run(engine, [ids for ids, _ in sequences], None):
        found |= {index: _best(row, sequences[index][1]) for index in places}
    return [found[index] for index in range(len(sequences))]


def _best(row: Any, mask: Sequence[int]) -> Best:
    import torch

    places = [place for place in range(1, len(mask)) if mask[place]]
    scores = row[[place - 1 for place in places]].float().cpu()
    if not places:
        return Best((), (), 0.0)
    two = torch.nan_to_num(scores, nan=-math.inf).topk(2, dim=-1)
    whole = torch.isfinite(scores).all(dim=-1)
    tokens = torch.where(whole, two.indices[:, 0], torch.full_like(two.indices[:, 0], -1)).tolist()
    gaps = torch.where(whole, two.values[:, 0] - two.values[:, 1], torch.zeros(len(places))).tolist()
    finite = scores[whole]
    return Best(tuple(tokens), tuple(gaps), float(finite.abs().max()) if len(finite) else 0.0)


def fed_logits(
    engine: Loaded,
    ids: Sequence[int],
    *,
    positions: Sequence[int] | None = None,
    attention: Sequence[int] | None = None,
    use_cache: bool = False,
) -> NDArray[np.float32]:
    """Logits (len(ids), vocabulary) of one row fed exactly so: what is None is not passed to the model at all."""
    import torch

    _check(engine, 0, ids, len(ids), packed=positions is not None)
    given = {"input_ids": ids, "position_ids": positions, "attention_mask": attention}
    inputs = {name: torch.tensor([list(row)], device=engine.device) for name, row in given.items() if row is not None}
    with torch.inference_mode():
        return _numpy(engine.model(**inputs, use_cache=use_cache).logits[0])


def packed_logits(engine: Loaded, segments: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
    """Logits of each segment, (its length, vocabulary), when all are packed into one row and isolated from each other.

    Isolation is transformers' own: position ids that start again at 0, no attention mask and no KV cache. With any of
    the three otherwise, segments see each other. Compare with `logits` of each segment alone.
    """
    for index, segment in enumerate(segments):
        _check(engine, index, segment, len(segment))
    ids = [number for segment in segments for number in segment]
    positions = [place for segment in segments for place in range(len(segment))]
    ends = np.cumsum([len(segment) for segment in segments])[:-1]
    return np.split(fed_logits(engine, ids, positions=positions), ends)


def bits_per_byte(engine: Loaded, text: str, ids: Sequence[int]) -> float:
    """Bits that the model needs for each UTF-8 byte of `text`, given as `ids`; comparable across tokenizers.

    The first id is given, not predicted: begin with the model's BOS so that the whole text counts.
    """
    size = len(text.encode("utf-8"))
    if size == 0:
        raise GenerationError("the text is empty", reason="bits per byte divide by its bytes", remedy="give some text")
    return losses(engine, [(ids, [1] * len(ids))])[0].nll / math.log(2) / size


def _check(engine: Loaded, index: int, ids: Sequence[int], mask_length: int, *, packed: bool = False) -> None:
    """`packed`: positions start again, so that a row may be longer than the model has positions."""
    limit = None if packed else position_limit(engine.model)
    rows = engine.vocabulary
    outside = [number for number in ids if not 0 <= number < rows]
    if not ids:
        fact, reason = "is empty", "there is nothing to predict"
    elif mask_length != len(ids):
        fact, reason = f"has {len(ids)} ids and a mask of {mask_length}", "each id needs its mask"
    elif limit is not None and len(ids) > limit:
        fact, reason = f"has {len(ids)} tokens", f"the model has {limit} positions, and nothing is cut silently"
    elif outside:
        fact, reason = f"holds the id {outside[0]}", f"the model has {rows} rows"
    else:
        return
    raise GenerationError(
        f"sequence {index} {fact}", reason=reason, remedy="check tokenizer, mask and length of the rows"
    )


def _forward(engine: Loaded, batch: Sequence[Sequence[int]]) -> Any:
    """Logits (rows, width, vocabulary) of sequences padded on the right."""
    import torch

    width = max(map(len, batch))
    rows = torch.tensor([[*ids, *[engine.pad_id] * (width - len(ids))] for ids in batch], device=engine.device)
    attention = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in batch], device=engine.device)
    with torch.inference_mode():
        return engine.model(input_ids=rows, attention_mask=attention, use_cache=False).logits


def _loss(row: Any, ids: Sequence[int], mask: Sequence[int]) -> Loss:
    """The loss of one row of logits (width, vocabulary): only supervised positions are turned into float64."""
    import torch

    places = [place for place in range(1, len(ids)) if mask[place]]
    if not places:
        return Loss(0.0, 0)
    scores = row[[place - 1 for place in places]].float().cpu().double().log_softmax(-1)
    picked = scores[torch.arange(len(places)), torch.tensor([ids[place] for place in places])]
    return Loss(-float(picked.sum()), len(places))


def _numpy(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)


@contextmanager
def _mode(model: Any, train: bool) -> Iterator[None]:
    import torch

    if not train:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(_DROPOUT_SEED)
        model.train()
        try:
            yield
        finally:
            model.eval()
