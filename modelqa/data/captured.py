"""Captured batches: what a trainer really fed, as `modelqa.training.capture` stored it. Read without torch.

A capture holds the first rows as they were fed, padding included, and counters over the whole run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data.arrays import IGNORED, damaged, header, read_tensors
from modelqa.errors import DataError
from modelqa.files import write_bytes
from modelqa.record import Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]

FORMAT = "modelqa.capture.1"


@dataclass(frozen=True)
class FedRow:
    """One row of a batch, all of its slots: int64 arrays of one length.

    labels, positions, attention are None where the trainer passed the model none.
    """

    ids: Ints
    labels: Ints | None = None
    positions: Ints | None = None
    attention: Ints | None = None

    def episodes(self, pad: int | None) -> Iterator[tuple[Ints, Ints | None]]:
        """(ids, labels) of each episode, without padding: cut where positions restart."""
        import numpy as np

        kept = self._kept(pad)
        for start, end in self.spans(pad):
            inside = np.flatnonzero(kept[start:end]) + start
            yield self.ids[inside], None if self.labels is None else self.labels[inside]

    def spans(self, pad: int | None) -> list[tuple[int, int]]:
        """(first slot, slot after the last) of each episode, padding at either end left out."""
        import numpy as np

        kept = self._kept(pad)
        starts = [0]
        if self.positions is not None:
            starts = [0, *(np.flatnonzero(np.diff(self.positions) != 1) + 1).tolist()]
        found = []
        for start, end in zip(starts, [*starts[1:], len(self.ids)], strict=True):
            inside = np.flatnonzero(kept[start:end]) + start
            if len(inside):
                found.append((int(inside[0]), int(inside[-1]) + 1))
        return found

    def _kept(self, pad: int | None) -> Any:
        """Which slots hold text: the attention mask says so; without one, all but unsupervised padding at the end."""
        import numpy as np

        if self.attention is not None:
            return self.attention > 0
        idle = np.zeros(len(self.ids), bool) if pad is None else self.ids == pad
        if self.labels is not None:
            idle &= self.labels == IGNORED
        last = int(np.flatnonzero(~idle)[-1]) if not idle.all() else -1
        return np.arange(len(self.ids)) <= last


@dataclass(frozen=True)
class Captured:
    """The first rows that a trainer fed, and what it fed over the run.

    counters  rows_seen, episodes_seen, distinct_episodes, tokens_seen, supervised_tokens, batches_seen, dataset_rows
    about     collator, dataset, model: class names; world_size (the counters are of one process); pad_id;
              template_sha256: of the chat template that the trainer's tokenizer had; use_cache: whether the model was
              run with its key-value cache; attention: "4-D" where the mask was none of one value a slot
    """

    rows: tuple[FedRow, ...]
    counters: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pad(self) -> int | None:
        """The padding id of the trainer's tokenizer."""
        value = self.about.get("pad_id")
        return int(value) if isinstance(value, int) else None

    def episodes(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """(ids, mask) of every captured episode: 1 where the loss counted, else 0.

        Raises `DataError` when the trainer did not pass labels to the model, so that nothing is known of the loss.
        """
        found = []
        for row in self.rows:
            for ids, labels in row.episodes(self.pad):
                if labels is None:
                    raise DataError(
                        "the capture holds no labels", reason="the trainer keeps them from the model (label smoothing "
                        "or a loss function of its own), so what the loss counted was not seen",
                        remedy="call capture.see(input_ids=..., labels=...) where the loss is computed",
                    )
                found.append((tuple(ids.tolist()), tuple((labels != IGNORED).astype(int).tolist())))
        return found

    def label_problems(self) -> list[Problem]:
        """The first row whose labels are not its ids: labels that somebody has shifted already (code data.mask)."""
        import numpy as np

        for number, row in enumerate(self.rows):
            if row.labels is None:
                continue
            wrong = np.flatnonzero((row.labels != IGNORED) & (row.labels != row.ids))
            if len(wrong):
                at = int(wrong[0])
                text = (f"the label is {int(row.labels[at])} where the id is {int(row.ids[at])}: labels stand beside "
                        "their own ids, the model shifts them itself; shifted twice, it learns to skip a token")
                return [Problem("data.mask", f"captured row {number}, token {at}", text)]
        return []


def write_capture(
    path: Path, rows: Sequence[FedRow], *, counters: Mapping[str, int], about: Mapping[str, Any]
) -> None:
    """Store captured rows as safetensors: flat int32 arrays, row offsets, counters as JSON in the header."""
    import numpy as np
    from safetensors.numpy import save

    tensors = {"row_starts": np.cumsum([0, *(len(row.ids) for row in rows)]).astype(np.int64)}
    for name in ("ids", "labels", "positions", "attention"):
        parts = [getattr(row, name) for row in rows]
        if parts and all(part is not None for part in parts):
            tensors[name] = np.concatenate(parts).astype(np.int32)
    meta = {"format": FORMAT, "counters": dict(counters), "about": dict(about)}
    write_bytes(path, save(tensors, metadata=header(meta)))


CAPTURE = ("a capture", "modelqa's Capture callback", "train again with trainer.add_callback(Capture(path))")
"""The words of errors about a capture, as in `modelqa.data.arrays.PREPARED`."""


def read_capture(path: Path) -> Captured:
    """The capture stored at `path`; `DataError` when it is missing, damaged or of another format."""
    tensors, meta = read_tensors(path, CAPTURE)
    try:
        if not isinstance(meta, dict) or meta.get("format") != FORMAT:
            raise ValueError(f"its header does not name the format {FORMAT!r}")
        return Captured(tuple(_rows(tensors)), dict(meta["counters"]), dict(meta["about"]))
    except (KeyError, ValueError, TypeError) as error:
        raise damaged(path, str(error), CAPTURE) from None


def _rows(tensors: Mapping[str, Ints]) -> Iterator[FedRow]:
    import numpy as np

    starts = tensors["row_starts"]
    names = [name for name in ("ids", "labels", "positions", "attention") if name in tensors]
    size = len(tensors["ids"]) if "ids" in tensors else 0
    if not len(starts) or starts[0] != 0 or starts[-1] != size or (np.diff(starts) < 0).any() or any(
        len(tensors[name]) != size for name in names
    ):
        raise ValueError("its arrays do not fit together")
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        yield FedRow(**{name: tensors[name][start:end].astype(np.int64) for name in names})
