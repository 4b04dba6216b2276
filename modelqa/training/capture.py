"""Capture: one line in a training script that stores what the trainer really feeds.

    trainer.add_callback(Capture("capture.safetensors"))

It looks at each batch as it enters the model, in training mode, after the dataset, the collator and the trainer have
done what they do; nothing is rendered again. Data order and random state are left alone. Read it with
`modelqa.data.captured.read_capture`, or `modelqa capture inspect`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

from modelqa.data.arrays import IGNORED
from modelqa.data.captured import FedRow, read_capture, write_capture
from modelqa.files import sha256_text

MAX_DISTINCT = 5_000_000  # episodes told apart; each costs about 100 bytes of memory, beyond it counting stops
_HASH_BYTES = 8


class Capture:
    """A callback that keeps the first `rows` rows fed to the model and counts all of them.

    The file is written at the end of training and at each checkpoint, by the main process. Where the trainer computes
    the loss outside the model (label smoothing, a loss function of its own), or there is no Trainer at all, call
    `see` for each batch and `save` at the end. It answers to every event of a `transformers.TrainerCallback` without
    being one, so that neither transformers nor torch is needed to import it.
    """

    def __init__(self, path: str | Path, *, rows: int = 512) -> None:
        self.path = Path(path)
        self._wanted = rows
        self._rows: list[FedRow] = []
        self._distinct: set[bytes] = set()
        self._counters = dict.fromkeys(
            ("batches_seen", "rows_seen", "episodes_seen", "tokens_seen", "supervised_tokens", "dataset_rows"), 0)
        self._about: dict[str, Any] = {"world_size": 1, "pad_id": None}
        self._hook: Any = None

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("on_"):
            return _ignore
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Watch the model's forward pass; note what feeds it."""
        model, loader = kwargs["model"], kwargs.get("train_dataloader")
        tokenizer = kwargs.get("processing_class")
        collator = getattr(loader, "collate_fn", None)
        collator = getattr(collator, "data_collator", collator)  # the Trainer wraps it to remove columns
        dataset = getattr(loader, "dataset", None)
        self._counters["dataset_rows"] = len(dataset) if isinstance(dataset, Sized) else 0
        self._about = {
            "model": type(model).__name__, "collator": getattr(collator, "__name__", type(collator).__name__),
            "dataset": type(dataset).__name__, "world_size": args.world_size,
            "pad_id": getattr(tokenizer, "pad_token_id", None),
        }
        template = getattr(tokenizer, "chat_template", None)
        if isinstance(template, str):
            self._about["template_sha256"] = sha256_text(template)
        if self._about["pad_id"] is None:
            self._about["pad_id"] = getattr(model.config, "pad_token_id", None)
        self._hook = model.register_forward_pre_hook(self._before_forward, with_kwargs=True)

    def _before_forward(self, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        batch = {"input_ids": args[0], **kwargs} if args else kwargs
        if model.training and batch.get("input_ids") is not None:
            fed = {name: batch.get(name) for name in ("input_ids", "labels", "position_ids", "attention_mask")}
            use_cache = batch.get("use_cache")
            self.see(**fed, use_cache=model.config.use_cache if use_cache is None else use_cache)

    def see(
        self,
        *,
        input_ids: Any,
        labels: Any = None,
        position_ids: Any = None,
        attention_mask: Any = None,
        use_cache: bool | None = None,
    ) -> None:
        """Count one batch, and keep its rows while there is room. Tensors of shape [rows, slots].

        `use_cache` and the attention mask decide whether packed episodes see each other; None: it was not seen.
        """
        shape = tuple(input_ids.shape)
        if use_cache is not None:
            self._about["use_cache"] = bool(use_cache)
        if attention_mask is not None and attention_mask.ndim != 2:
            self._about["attention"] = f"{attention_mask.ndim}-D"  # its values are not kept
        ids = _numpy(input_ids, shape)
        others = [_numpy(tensor, shape) for tensor in (labels, position_ids, attention_mask)]
        self._counters["batches_seen"] += 1
        for number in range(shape[0]):
            row = FedRow(ids[number], *(None if column is None else column[number] for column in others))
            self._count(row)
            if len(self._rows) < self._wanted:
                self._rows.append(row)

    def _count(self, row: FedRow) -> None:
        self._counters["rows_seen"] += 1
        for ids, labels in row.episodes(self._about["pad_id"]):
            self._counters["episodes_seen"] += 1
            self._counters["tokens_seen"] += len(ids)
            self._counters["supervised_tokens"] += 0 if labels is None else int((labels != IGNORED).sum())
            if len(self._distinct) < MAX_DISTINCT:
                self._distinct.add(hashlib.blake2b(ids.tobytes(), digest_size=_HASH_BYTES).digest())

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write what was seen so far, so that an interrupted run leaves its evidence."""
        if state.is_world_process_zero:
            self.save()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop watching and write the file."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None
        if state.is_world_process_zero:
            self.save()

    def save(self) -> None:
        """Write the capture, whole or not at all."""
        counters = {**self._counters, "distinct_episodes": len(self._distinct)}
        write_capture(self.path, self._rows, counters=counters, about=self._about)


def _ignore(*args: Any, **kwargs: Any) -> None:
    """What the callback does at events that it does not use: nothing."""


def _numpy(tensor: Any, shape: tuple[int, ...]) -> Any:
    """`tensor` as int64 on the host; None when there is none, or it is no value per slot (a 4-D attention mask).

    Position ids may come as one row for the whole batch.
    """
    if tensor is None or tensor.ndim != 2 or tensor.shape[1] != shape[1]:
        return None
    return tensor.detach().expand(shape).cpu().numpy().astype("int64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa capture`."""
    parser.add_argument("file", type=Path, help="what the callback Capture wrote")
    parser.add_argument("--tokenizer", type=Path, help="folder of the model; decodes the rows that are shown")
    parser.add_argument("--show_samples", type=int, default=3, metavar="N", help="episodes shown (default 3)")
    parser.add_argument("--color", action=argparse.BooleanOptionalAction, default=None,
                        help="show the loss mask in colour (default: on a terminal)")
    parser.set_defaults(handler=show)


def show(options: argparse.Namespace) -> int:
    """Print what a capture holds; 1 when its labels are wrong whatever the template says."""
    from modelqa.chat import open_chat
    from modelqa.data.inspect import masked_text

    held = read_capture(options.file)
    lines = [f"{name}: {value}" for name, value in sorted({**held.counters, **held.about}.items())]
    if options.tokenizer is not None:
        tokens = open_chat(options.tokenizer).tokens
        color = sys.stdout.isatty() if options.color is None else options.color
        for ids, mask in held.episodes()[: options.show_samples]:
            lines.append(masked_text(tokens, ids, mask, color=color))
    problems = held.label_problems()
    lines += [f"{problem.code} {problem.locus}: {problem.text}" for problem in problems]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if problems else 0
