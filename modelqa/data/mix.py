"""Mixing datasets by shares of the *output*: realised beside declared, and no silent shortfall.

A source's weight says which part of the mixed file comes from it, whatever the sizes of the sources. A replay source
is an addition to a published recipe: it takes its share first, the others keep their ratios among themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from modelqa.data import manifest as manifests
from modelqa.data.manifest import Manifest, RowCounts
from modelqa.data.rows import Row, duplicates, read_rows
from modelqa.errors import DataError, UsageError
from modelqa.files import sha256_file, write_jsonl
from modelqa.record import Problem

SHARE_TOLERANCE = 1e-6  # that the weights' sum may be away from 1: rounding of what a person types


@dataclass(frozen=True)
class Source:
    """One input. `share` is of the output for a replay source, and of the rest of the output for the others."""

    name: str
    path: Path
    share: float
    replay: bool = False


@dataclass(frozen=True)
class Part:
    """What one source gives: its share of the whole output, rows wanted, rows it has, rows taken."""

    source: Source
    share: float
    wanted: int
    available: int

    @property
    def taken(self) -> int:
        """Rows taken: no row is repeated to fill a share."""
        return min(self.wanted, self.available)


@dataclass(frozen=True)
class Mixed:
    """The outcome of a mix: the parts, the manifest, and duplicates or ambiguous prompts among the rows."""

    parts: tuple[Part, ...]
    manifest: Manifest
    problems: tuple[Problem, ...]


def mix(
    sources: Sequence[Source],
    *,
    output: Path,
    size: int | None = None,
    shuffle: bool = False,
    seed: int = 42,
    allow_shortfall: Collection[str] = (),
    replay_reason: str = "",
) -> Mixed:
    """Write `output` and its manifest; each row carries `meta.source` and an id that names its source.

    size             rows of the output; by default the most that every source can fill without repeating a row
    allow_shortfall  names of sources that may give fewer rows than their share; others raise `DataError`
    """
    _check(sources, replay_reason, allow_shortfall)
    _check_output(sources, output, size)
    parts = plan(sources, [sum(1 for _ in read_rows(source.path)) for source in sources], size)
    _refuse_shortfall(parts, allow_shortfall)
    rows = [row for part in parts for row in _drawn(part, seed)]
    if shuffle:
        Random(f"mix {seed}").shuffle(rows)
    write_jsonl(output, rows)
    options = {"shuffle": shuffle, "size": size, "allow_shortfall": sorted(allow_shortfall),
               "weights": {source.name: source.share for source in sources}}  # fmt: skip
    manifest = Manifest(
        name=output.name,
        kind="mix",
        files={output.name: sha256_file(output)},
        rows=_row_counts(parts),
        content=manifests.content_hash(rows),
        seeds={"seed": seed},
        options=options,
        parents=tuple(manifests.parent(source.path) for source in sources),
        shares=_shares(parts),
        notes=tuple(_replay_note(part, replay_reason) for part in parts if part.source.replay),
    )
    manifests.write(manifest, manifests.path_beside(output))
    return Mixed(parts, manifest, tuple(duplicates(rows)))


def plan(sources: Sequence[Source], available: Sequence[int], size: int | None) -> tuple[Part, ...]:
    """How many rows each source gives: its share of `size`, rounded by largest remainder."""
    shares = output_shares(sources)
    total = size if size is not None else int(
        min(have / share for have, share in zip(available, shares, strict=True)) + SHARE_TOLERANCE
    )
    exact = [share * total for share in shares]
    wanted = [int(value + SHARE_TOLERANCE) for value in exact]
    order = sorted(range(len(exact)), key=lambda index: (wanted[index] - exact[index], index))
    for index in order[: total - sum(wanted)]:
        wanted[index] += 1
    return tuple(map(Part, sources, shares, wanted, available))


def output_shares(sources: Sequence[Source]) -> list[float]:
    """Each source's share of the whole output: replay takes its own, the others share out the rest."""
    rest = 1.0 - sum(source.share for source in sources if source.replay)
    return [source.share if source.replay else source.share * rest for source in sources]


def _check(sources: Sequence[Source], replay_reason: str, allow_shortfall: Collection[str]) -> None:
    names = [source.name for source in sources]
    own = sum(source.share for source in sources if not source.replay)
    replayed = sum(source.share for source in sources if source.replay)
    if len(set(names)) < len(names):
        raise _wrong(f"two inputs have one name: {', '.join(names)}", "name them: --inputs alpha=a.jsonl beta=b.jsonl")
    if not all(source.share > 0 for source in sources) or not abs(own - 1) <= SHARE_TOLERANCE:  # NaN is neither
        raise _wrong(f"the weights sum to {own:g}, or one is not positive", "give positive weights that sum to 1")
    if not replayed < 1:
        raise _wrong(f"replay takes {replayed:g} of the output", "leave a share for the inputs")
    if replayed and not replay_reason.strip():
        raise _wrong("replay without a reason", 'add --replay-reason "why the guide\'s ratios are not enough"')
    if unknown := sorted(set(allow_shortfall) - set(names)):
        raise _wrong(f"no input is named {', '.join(unknown)}", f"the inputs are {', '.join(names)}")


def _check_output(sources: Sequence[Source], output: Path, size: int | None) -> None:
    if size is not None and size < 1:
        raise UsageError(f"--size is {size}", reason="a dataset has rows", remedy="ask for one row or more")
    manifest = manifests.path_beside(output.resolve())  # a.jsonl and a.jsonl.zst have one
    if own := next((each for each in sources if manifests.path_beside(each.path.resolve()) == manifest), None):
        raise UsageError(
            f"{output} is the output, and {own.path} is an input",
            reason="the mix or its manifest would take the place of what it is made of",
            remedy="name another file with --output",
        )


def _wrong(fact: str, remedy: str) -> UsageError:
    return UsageError(fact, reason="weights are shares of the output, declared by name", remedy=remedy)


def _refuse_shortfall(parts: Iterable[Part], allowed: Collection[str]) -> None:
    parts = tuple(parts)
    short = [part for part in parts if part.taken < part.wanted and part.source.name not in allowed]
    if short:
        most = min(int(part.available / part.share) for part in parts)
        raise DataError(
            "; ".join(f"{part.source.name} has {part.available} rows of {part.wanted} wanted" for part in short),
            reason="rows are not repeated, so the declared shares cannot be met at this size",
            remedy=f"--size {most} fits all; or --allow-shortfall {' '.join(part.source.name for part in short)}",
        )


def _drawn(part: Part, seed: int) -> Iterator[Row]:
    """The part's rows in their order in the file, drawn without repetition."""
    name = part.source.name
    chosen = set(Random(f"mix {seed} {name}").sample(range(part.available), part.taken))
    for position, (_, row) in enumerate(read_rows(part.source.path)):
        if position in chosen:
            yield {**row, "id": f"{name}/{row['id']}", "meta": {**row["meta"], "source": name}}


def _row_counts(parts: Iterable[Part]) -> RowCounts:
    parts = tuple(parts)
    read, kept = sum(part.available for part in parts), sum(part.taken for part in parts)
    dropped = {f"not drawn from {part.source.name}": part.available - part.taken for part in parts}
    return RowCounts(
        declared=sum(part.wanted for part in parts), read=read, kept=kept,
        dropped={reason: number for reason, number in dropped.items() if number},
    )  # fmt: skip


def _shares(parts: Iterable[Part]) -> dict[str, dict[str, float]]:
    parts = tuple(parts)
    kept = max(1, sum(part.taken for part in parts))
    return {
        "declared": {part.source.name: round(part.share, 6) for part in parts},
        "realised": {part.source.name: round(part.taken / kept, 6) for part in parts},
    }


def _replay_note(part: Part, reason: str) -> str:
    return f"replay added to the guide's ratios: {part.source.name} {part.share:.1%}, reason: {reason}"
