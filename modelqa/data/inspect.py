"""Inspect: what prepared arrays really hold, recounted from the arrays and never from what is said about them.

Counts, fill, the supervised share of content and of slots apart, recommended steps, decoded samples with the loss mask
visible, and every contradiction between the recount and the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.data.arrays import Arrays, load
from modelqa.data.pack import content_hash, lower_bound
from modelqa.errors import DataError
from modelqa.files import read_object, sha256_file
from modelqa.record import Problem
from modelqa.text import visible

if TYPE_CHECKING:
    from modelqa.chat.tokens import Tokens

SPLITS = ("train", "val")
PASSES = (2.0, 3.0, 3.5)  # over the supervised tokens: the guide's minimum, and its best range
RED_LINE = 5.0  # passes; beyond it the guide warns of overfitting
BATCH = 16  # rows a step, the guide's standard
_ON, _OFF = "\x1b[32m", "\x1b[2m"  # supervised text green, the rest faint
_RESET = "\x1b[0m"


@dataclass(frozen=True)
class Counts:
    """What a split holds.

    slots        tokens that a trainer computes: rows x block, or rows x their longest when they are not packed
    lower_bound  fewest rows of that block size that could hold the episodes (Martello and Toth); rows if not packed
    content      order-independent hash of all episodes and their masks
    """

    rows: int
    episodes: int
    tokens: int
    supervised: int
    slots: int
    longest: int
    lower_bound: int
    content: str

    @property
    def of_content(self) -> float:
        """Supervised share of the tokens that are text."""
        return self.supervised / self.tokens if self.tokens else 0.0

    @property
    def of_slots(self) -> float:
        """Supervised share of what is computed; the only share that packing improves."""
        return self.supervised / self.slots if self.slots else 0.0

    @property
    def fill(self) -> float:
        """Share of the slots that hold text."""
        return self.tokens / self.slots if self.slots else 0.0

    @property
    def over_bound(self) -> float:
        """Rows per row of the lower bound; 1.0 is a perfect packing."""
        return self.rows / self.lower_bound if self.lower_bound else 0.0

    def steps(self, passes: float, *, batch_size: int = BATCH) -> int:
        """Optimiser steps that go over the supervised tokens `passes` times."""
        return -(-int(passes * self.rows * 1000) // (1000 * batch_size))


def count(arrays: Arrays) -> Counts:
    """The counts of `arrays`, each from the arrays themselves."""
    import numpy as np

    lengths = np.diff(arrays.episode_starts)
    widths = np.diff(arrays.row_starts)
    longest = int(widths.max(initial=0))
    return Counts(
        rows=arrays.rows, episodes=arrays.episodes, tokens=len(arrays.ids),
        supervised=int(np.count_nonzero(arrays.mask)),
        slots=arrays.rows * (arrays.block or longest), longest=int(lengths.max(initial=0)),
        lower_bound=lower_bound(lengths, arrays.block) if arrays.block else arrays.rows,
        content=content_hash(arrays.each_episode()),
    )


def unsupervised(arrays: Arrays) -> list[str]:
    """Names of the episodes without a supervised token."""
    import numpy as np

    if not arrays.episodes:
        return []
    sums = np.add.reduceat(arrays.mask, arrays.episode_starts[:-1], dtype=np.int64)
    return [arrays.names[number] for number in np.flatnonzero(sums == 0)]


def load_folder(folder: Path) -> dict[str, Arrays]:
    """{"train": arrays, "val": arrays}, whichever there are; `DataError` when there is none."""
    paths = {name: folder / f"{name}.safetensors" for name in SPLITS}
    found = {name: load(path) for name, path in paths.items() if path.is_file()}
    if not found:
        raise DataError(f"{folder} holds no prepared data", reason="there is no train.safetensors in it",
                        remedy="write it with modelqa data prepare --output_dir")
    return found


def contradictions(folder: Path, found: Mapping[str, Arrays]) -> list[Problem]:
    """Where the manifest says something else than the arrays (code data.rows); a missing manifest is one of them."""
    path = folder / "manifest.json"
    if not path.is_file():
        return [Problem("data.rows", "manifest.json", "there is no manifest, so nothing says where the rows came from")]
    try:
        declared = read_object(path)
        splits, files = dict(declared["splits"]), dict(declared["files"])
    except (DataError, ValueError, KeyError, TypeError) as error:
        return [Problem("data.rows", "manifest.json", f"the manifest cannot be read: {type(error).__name__}: {error}")]
    problems = [Problem("data.rows", name, "the manifest describes this split, but its file is not there")
                for name in sorted(set(splits) - set(found))]
    for name, arrays in found.items():
        problems += _differences(name, arrays, splits.get(name))
        if files.get(f"{name}.safetensors") != sha256_file(folder / f"{name}.safetensors"):
            text = "the file is not the one that the manifest hashed"
            problems.append(Problem("data.rows", f"{name}.safetensors", text))
    return problems


def _differences(name: str, arrays: Arrays, declared: Any) -> Iterator[Problem]:
    said = declared.get("counts") if isinstance(declared, dict) else None
    if not isinstance(said, dict):
        yield Problem("data.rows", name, "the manifest does not describe this split")
        return
    for key, value in asdict(count(arrays)).items():
        if said.get(key) != value:
            yield Problem("data.rows", f"{name}.{key}", f"the manifest says {said.get(key)}, the arrays hold {value}")


def summary(name: str, counts: Counts, *, packed: bool, batch_size: int = BATCH) -> list[str]:
    """Lines about one split for a terminal."""
    kind = f"packed rows (at least {counts.lower_bound} needed, {counts.over_bound:.3f}x)" if packed else "rows"
    steps = "  ".join(f"{passes:g}x: {counts.steps(passes, batch_size=batch_size)}" for passes in PASSES)
    shares = f"{counts.of_content:.1%} of the text, {counts.of_slots:.1%} of the slots"
    limit = counts.steps(RED_LINE, batch_size=batch_size)
    return [
        f"{name}",
        f"  {counts.episodes} episodes in {counts.rows} {kind}, longest {counts.longest} tokens",
        f"  {counts.tokens} tokens in {counts.slots} slots: {counts.fill:.1%} filled",
        f"  {counts.supervised} supervised tokens: {shares}",
        f"  steps at batch {batch_size} for that many passes over the supervised tokens: {steps}",
        f"  red line at {RED_LINE:g}x: {limit} steps; beyond it expect overfitting",
    ]


def sample(arrays: Arrays, tokens: Tokens, row: int, *, color: bool, limit: int = 2000) -> str:
    """One row decoded, control tokens visible, one line for each episode; no further episode after `limit` characters.

    Supervised text is green (the rest faint) with `color`, else between "⟦" and "⟧".
    """
    start, end = int(arrays.row_starts[row]), int(arrays.row_starts[row + 1])
    first, last = (int(found) for found in arrays.episode_starts.searchsorted([start, end]))
    lines: list[str] = []
    for number in range(first, last):
        ids, mask = arrays.episode(number)
        shown = masked_text(tokens, ids.tolist(), mask.tolist(), color=color)
        lines.append(f"  {visible(arrays.names[number])}: {shown}")
        if sum(map(len, lines)) > limit and number + 1 < last:
            lines.append(f"  ... and {last - number - 1} episodes more")
            break
    return "\n".join(lines)


def masked_text(tokens: Tokens, ids: Sequence[int], mask: Sequence[int], *, color: bool) -> str:
    """The decoded ids on one line, runs under the loss mask marked."""
    parts = []
    at = 0
    while at < len(ids):
        end = at
        while end < len(ids) and bool(mask[end]) == bool(mask[at]):
            end += 1
        text = visible(tokens.decode(ids[at:end]))
        if color:
            parts.append(f"{_ON if mask[at] else _OFF}{text}{_RESET}")
        else:
            parts.append(f"⟦{text}⟧" if mask[at] else text)
        at = end
    return "".join(parts)
