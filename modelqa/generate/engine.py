"""The local engine: prompts -> greedy replies of one model in this process, in canonical batches or one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelqa.checkpoint import Adapter, Checkpoint
from modelqa.errors import GenerationError, UsageError
from modelqa.generate import loading, losses
from modelqa.generate.losses import Best, Loss, Scored
from modelqa.reply import Prompt, Reply

Decode = Callable[[Sequence[int]], str]

BATCH_SIZE = 32  # measured on one CPU thread with a 1M-parameter model: 8 is slower, 128 no faster
MAX_MARGIN = 3.4e38  # largest float32, for a vocabulary with one finite logit; JSON has no infinity


def plan_batches(prompts: Sequence[Prompt], batch_size: int = BATCH_SIZE) -> list[tuple[int, ...]]:
    """Indices of `prompts` in batches: by length, then by key, then by place. A function of the list and nothing else.

    Padding changes the last bits of the logits, so a reply belongs to its batch: whoever makes only some of the replies
    plans with all prompts and names the wanted ones.
    """
    if batch_size < 1:
        raise UsageError(
            f"the batch size is {batch_size}", reason="a batch holds at least one prompt", remedy="use 1 or more"
        )
    order = sorted(range(len(prompts)), key=lambda index: (len(prompts[index].ids), prompts[index].key, index))
    return [tuple(order[first : first + batch_size]) for first in range(0, len(order), batch_size)]


@dataclass(frozen=True)
class LocalEngine:
    """One loaded model, asked greedily; its own sampling defaults are never used.

    name      "local", or "random-twin-<seed>": part of the cache key
    stop_ids  generation ends at any of them; empty = only at max_new_tokens
    pad_id    fills the left of shorter prompts, masked: any id of the vocabulary
    """

    model: Any = field(repr=False)
    stop_ids: tuple[int, ...]
    pad_id: int
    name: str = "local"
    dtype: str = "float32"
    device: str = "cpu"

    @classmethod
    def open(
        cls,
        checkpoint: Checkpoint,
        *,
        stop_ids: Sequence[int],
        pad_id: int,
        dtype: str = "float32",
        device: str | None = None,
        threads: int = 1,
    ) -> LocalEngine:
        """The engine of a checkpoint, on the CPU unless `device` says otherwise ("cuda", "mps").

        `CheckpointError` when the weights do not fill the architecture, `GenerationError` when memory runs out.
        """
        model = loading.load_model(checkpoint, dtype=dtype, device=device or "cpu", threads=threads)
        return cls(model, tuple(stop_ids), pad_id, dtype=dtype, device=device or "cpu")

    @property
    def vocabulary(self) -> int:
        """How many ids the model can be asked: the rows of its input embedding."""
        return int(self.model.get_input_embeddings().weight.shape[0])

    def refused(self, prompts: Sequence[Prompt], *, max_new_tokens: int) -> dict[int, str]:
        """{index: reason} of the prompts that the model cannot be asked whole; `replies` yields nothing for them."""
        limit = loading.position_limit(self.model)
        room = None if limit is None else limit - max_new_tokens
        rows = self.vocabulary
        reasons = {index: _refusal(prompt.ids, room, rows) for index, prompt in enumerate(prompts)}
        return {index: reason for index, reason in reasons.items() if reason}

    def replies(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        decode: Decode,
        batch_size: int = BATCH_SIZE,
        wanted: Collection[int] | None = None,
        use_cache: bool = True,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[int, Reply]]:
        """(index in `prompts`, Reply) batch by batch, so that an interrupt keeps what was made.

        Left padding under an attention mask. `wanted` limits which replies are made: batches without a wanted prompt
        are skipped, the others run whole, so that a reply does not depend on what else is wanted. `use_cache` False
        computes every token from the whole text. `progress` gets the number of replies of each batch. Prompts that
        `refused` names get no reply. `GenerationError` when the model cannot run.
        """
        refused = self.refused(prompts, max_new_tokens=max_new_tokens)
        askable = [index for index in range(len(prompts)) if index not in refused]
        chosen = set(askable) if wanted is None else set(wanted)
        for batch in plan_batches([prompts[index] for index in askable], batch_size):
            indices = [askable[place] for place in batch]
            if chosen.isdisjoint(indices):
                continue
            made = self._batch([prompts[index].ids for index in indices], max_new_tokens, use_cache, decode)
            kept = [(index, reply) for index, reply in zip(indices, made, strict=True) if index in chosen]
            if progress:
                progress(len(kept))
            yield from kept

    def plain_replies(
        self, prompts: Sequence[Prompt], *, max_new_tokens: int, decode: Decode
    ) -> Iterator[tuple[int, Reply]]:
        """(index, Reply) from nothing but `model.generate`, one prompt at a time: no batch, no padding, no margin.

        What `replies` must agree with. Prompts that `refused` names get no reply.
        """
        import torch

        refused = self.refused(prompts, max_new_tokens=max_new_tokens)
        for index, prompt in enumerate(prompts):
            if index in refused:
                continue
            with _explained():
                ids = torch.tensor([prompt.ids], device=self.device)
                made = self.model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=list(self.stop_ids) or None,
                    pad_token_id=self.pad_id,
                )
            yield index, self._reply(made[0, ids.shape[1] :].tolist(), None, decode)

    def _batch(self, prompts: list[tuple[int, ...]], new: int, use_cache: bool, decode: Decode) -> list[Reply]:
        import torch

        width = max(map(len, prompts))
        ids = torch.tensor([[self.pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts])
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        settings = loading.library().GenerationConfig(
            max_new_tokens=new, do_sample=False, num_beams=1, use_cache=use_cache,
            eos_token_id=list(self.stop_ids) or None, pad_token_id=self.pad_id,
        )  # fmt: skip
        gaps = _TopTwoGaps()
        with _explained():
            made = self.model.generate(
                ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=settings,
                logits_processor=loading.library().LogitsProcessorList([gaps]),
            )
        rows = made[:, width:].tolist()
        return [self._reply(row, gap, decode) for row, gap in zip(rows, gaps.by_row(), strict=True)]

    def _reply(self, ids: list[int], gaps: list[float] | None, decode: Decode) -> Reply:
        end = next((place for place, number in enumerate(ids) if number in self.stop_ids), None)
        kept = ids if end is None else ids[: end + 1]
        margin = min(gaps[: len(kept)], default=None) if gaps is not None else None
        return Reply(tuple(kept), decode(kept), decode(ids[:end]).strip(), end is not None, margin)

    def losses(
        self, sequences: Sequence[Scored], *, batch_size: int | None = None, train_mode: bool = False
    ) -> list[Loss]:
        """See `modelqa.generate.losses.losses`."""
        with _explained():
            return losses.losses(self, sequences, batch_size=batch_size, train_mode=train_mode)

    def logits(self, ids: Sequence[int], *, cached: bool = False) -> NDArray[np.float32]:
        """See `modelqa.generate.losses.logits`."""
        with _explained():
            return losses.logits(self, ids, cached=cached)

    def best(self, sequences: Sequence[Scored]) -> list[Best]:
        """See `modelqa.generate.losses.best`."""
        with _explained():
            return losses.best(self, sequences)

    def fed_logits(self, ids: Sequence[int], **fed: Any) -> NDArray[np.float32]:
        """See `modelqa.generate.losses.fed_logits`."""
        with _explained():
            return losses.fed_logits(self, ids, **fed)

    @contextmanager
    def adapted(self, adapter: Adapter) -> Iterator[None]:
        """See `modelqa.generate.adapted.adapted`."""
        from modelqa.generate import adapted

        with adapted.adapted(self.model, adapter):
            yield

    def packed_logits(self, segments: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """See `modelqa.generate.losses.packed_logits`."""
        with _explained():
            return losses.packed_logits(self, segments)

    def bits_per_byte(self, text: str, ids: Sequence[int]) -> float:
        """See `modelqa.generate.losses.bits_per_byte`."""
        with _explained():
            return losses.bits_per_byte(self, text, ids)


def _refusal(ids: Sequence[int], room: int | None, rows: int) -> str:
    """Why a model with `rows` ids and positions for `room` prompt tokens cannot be asked; "" when it can."""
    if not ids:
        return "the prompt is empty"
    if room is not None and len(ids) > room:
        return f"the prompt has {len(ids)} tokens; with the new ones the model has positions for {max(room, 0)}"
    outside = next((number for number in ids if not 0 <= number < rows), None)
    return "" if outside is None else f"token id {outside} is outside the model's {rows} rows"


class _TopTwoGaps:
    """A logits processor that changes nothing and keeps, per step, how far the best logit is above the second."""

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        best = scores.float().topk(2, dim=-1).values
        self.steps.append(best[:, 0] - best[:, 1])
        return scores

    def by_row(self) -> list[list[float]]:
        """[row][step] gaps. NaN logits decide nothing, so their gap is 0: the reply counts as fragile."""
        import torch

        return torch.nan_to_num(torch.stack(self.steps, dim=1), nan=0.0, posinf=MAX_MARGIN).tolist()


@contextmanager
def _explained() -> Iterator[None]:
    """What torch raises while a model runs, as a `GenerationError` with the original attached."""
    try:
        yield
    except MemoryError as error:
        raise loading.out_of_memory(error) from error
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        if loading.is_out_of_memory(error):
            raise loading.out_of_memory(error) from error
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise GenerationError(
            "the model could not run",
            reason=f"{type(error).__name__}: {first_line}",
            remedy="check config.json against the architecture; the original error is attached",
        ) from error
