"""Defects of the rows that a trainer was seen to feed: masks, templates, packs, counts. One event each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from modelqa.data.arrays import IGNORED
from modelqa.data.captured import FedRow, read_capture, write_capture
from modelqa.mutants.kind import Damage, Expected, Kind, NotApplicable, Sibling


def _capture(change: Callable[[list[FedRow], dict[str, int], Sibling], str], sibling: Sibling) -> Damage:
    """Change what a trainer was seen to feed; `change` gives the locus."""
    path = sibling.model.capture
    if path is None:
        raise NotApplicable("models.toml declares no capture")
    held = read_capture(path)
    rows, counters = list(held.rows), dict(held.counters)
    locus = change(rows, counters, sibling)
    write_capture(path, rows, counters=counters, about=held.about)
    return sibling.damaged(locus)


def _labels(row: FedRow) -> Any:
    if row.labels is None:
        raise NotApplicable("its capture holds no labels")
    return row.labels.copy()


def _stop_masked(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """The end-of-turn token of the first episode is masked out of the loss."""
    labels = _labels(rows[0])
    stops = np.flatnonzero(labels == sibling.chat.turn_end_id)
    if not len(stops):
        raise NotApplicable("its first captured row supervises no end of turn")
    labels[stops[0]] = IGNORED
    rows[0] = FedRow(rows[0].ids, labels, rows[0].positions, rows[0].attention)
    return "episode 0"


def _no_mask(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """The loss of the first row counts every token: what the user said is learnt too."""
    labels = _labels(rows[0])
    where = labels == IGNORED if rows[0].attention is None else (labels == IGNORED) & (rows[0].attention > 0)
    labels[where] = rows[0].ids[where]
    rows[0] = FedRow(rows[0].ids, labels, rows[0].positions, rows[0].attention)
    return "episode 0, token 0"


def _mask_early(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """The mask of the first row begins one token early: the end of the role's tag is learnt."""
    labels = _labels(rows[0])
    first = int(np.flatnonzero(labels != IGNORED)[0])
    if not first:
        raise NotApplicable("its first captured row is all answer")
    labels[first - 1] = rows[0].ids[first - 1]
    rows[0] = FedRow(rows[0].ids, labels, rows[0].positions, rows[0].attention)
    return f"episode 0, token {first - 1}"


def _fed_otherwise(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """The first row was fed with another first token."""
    ids = rows[0].ids.copy()
    ids[0] += 1
    rows[0] = FedRow(ids, rows[0].labels, rows[0].positions, rows[0].attention)
    return "episode 0, token 0"


def first_fed_otherwise(sibling: Sibling) -> Damage:
    """The capture's first row begins with another token than evaluation would render."""
    return _capture(_fed_otherwise, sibling)


def packed_capture(sibling: Sibling) -> Damage:
    """The healthy half of defects in packs: two rows were fed as one, each with its own positions."""
    return _capture(_packed, sibling)


def _packed(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    pad = sibling.chat.pad_id
    parts = [_unpadded(row, pad) for row in rows[:2]]
    labels = np.concatenate([_labels(part) for part in parts])
    positions = np.concatenate([np.arange(len(part.ids)) for part in parts])
    packed = FedRow(np.concatenate([part.ids for part in parts]), labels, positions)
    rows[:] = [packed, *(_with_positions(_unpadded(row, pad)) for row in rows[2:])]
    return ""


def _unpadded(row: FedRow, pad: int | None) -> FedRow:
    """The row without the slots at its end that hold padding; what the template writes behind an answer stays."""
    spans = row.spans(pad)
    kept = slice(spans[0][0], spans[-1][1])
    return FedRow(row.ids[kept], _labels(row)[kept])


def _with_positions(row: FedRow) -> FedRow:
    return FedRow(row.ids, row.labels, np.arange(len(row.ids)))


def _pack_unmasked(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """The mask was made for the first episode of a pack: the second one counts from its first token."""
    labels, positions = _labels(rows[0]), rows[0].positions
    if positions is None:
        raise NotApplicable("its first captured row is no pack")
    second = int(np.flatnonzero(positions == 0)[1])
    hidden = np.flatnonzero(labels[second:] == IGNORED) + second
    labels[hidden] = rows[0].ids[hidden]
    rows[0] = FedRow(rows[0].ids, labels, positions)
    return "episode 1, token 0"


def template_named(sibling: Sibling) -> Damage:
    """The healthy half: the capture names the template of training, and it is the checkpoint's."""
    return _template(sibling.chat.template_sha256, sibling)


def _template(sha256: str, sibling: Sibling) -> Damage:
    path = sibling.model.capture
    if path is None:
        raise NotApplicable("models.toml declares no capture")
    held = read_capture(path)
    about = {**held.about, "template_sha256": sha256}
    write_capture(path, held.rows, counters=held.counters, about=about)
    return sibling.damaged("chat_template")


def _fed_too_few(rows: list[FedRow], counters: dict[str, int], sibling: Sibling) -> str:
    """A tenth of the rows was fed, over and over."""
    if sibling.model.intended_rows is None:
        raise NotApplicable("models.toml declares no intended_rows")
    counters["distinct_episodes"] = sibling.model.intended_rows // 11
    return f"{counters['distinct_episodes']} of {sibling.model.intended_rows} rows"


def _of_capture(name: str, story: str, failures: tuple[str, ...], code: str, change: Callable[..., str]) -> Kind:
    return Kind(name, "capture", story, failures, (Expected(code),), partial(_capture, change))


CAPTURES = (
    _of_capture("stop_masked", "the end-of-turn token does not count in the loss", ("F02", "F52"),
                "parity.stop_supervised", _stop_masked),
    _of_capture("no_mask", "the loss counts what the user said", ("F75",), "parity.mask", _no_mask),
    _of_capture("mask_early", "the mask begins one token early, in the role's tag", ("F52",), "parity.mask",
                _mask_early),
    _of_capture("fed_too_few", "a tenth of the rows was fed, over and over", ("F11",), "training.samples",
                _fed_too_few),
    Kind("pack_unmasked", "capture", "in a pack of two rows the mask covers the first one's question only", ("F51",),
         (Expected("parity.mask"),), partial(_capture, _pack_unmasked), ground=packed_capture),
    Kind("template_since_changed", "capture", "the trainer's tokenizer had another chat template", ("F48",),
         (Expected("parity.template_hash"),), partial(_template, "0" * 64), ground=template_named),
    _of_capture("fed_otherwise", "the first row was fed with another first token", ("F01",), "parity.render",
                _fed_otherwise),
)  # fmt: skip
