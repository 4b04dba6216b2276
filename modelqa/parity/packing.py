"""Packed rows: does an episode inside its pack get the logits that it gets alone, fed the way training fed it?

transformers keeps the episodes of a row apart only where it finds position ids that start again, no attention mask and
no key-value cache; any one of the three otherwise, and each episode sees those before it. Evaluation never packs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelqa.parity.arithmetic import noise
from modelqa.record import Problem

if TYPE_CHECKING:
    from modelqa.chat import Chat
    from modelqa.data.captured import FedRow
    from modelqa.generate import LocalEngine

ROWS = 4  # packed rows that are compared: isolation is a property of the call, not of the row


def packed_rows(rows: Iterable[FedRow], pad: int | None, *, use_cache: bool) -> list[dict[str, Any]]:
    """The first packed rows as plain values: {"ids", "positions", "attention", "use_cache", "spans"}.

    A row is packed when its positions start again; `spans` are [start, end] of its episodes, padding left out.
    """
    found = []
    for number, row in enumerate(rows):
        spans = row.spans(pad)
        if row.positions is None or len(spans) < 2:
            continue
        found.append(
            {
                "row": number,
                "ids": row.ids.tolist(),
                "positions": row.positions.tolist(),
                "attention": None if row.attention is None else row.attention.tolist(),
                "use_cache": use_cache,
                "spans": [list(span) for span in spans],
            }
        )
        if len(found) == ROWS:
            break
    return found


def packing_gaps(engine: LocalEngine, chat: Chat, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each packed row and its second and last episode: {"row", "episode", "worst", "largest"}.

    `worst` is the largest difference of a logit between the episode in its pack and alone, `largest` the largest logit.
    """
    found = []
    for row in rows:
        whole = engine.fed_logits(
            row["ids"], positions=row["positions"], attention=row["attention"], use_cache=row["use_cache"]
        )
        for number in sorted({1, len(row["spans"]) - 1}):
            start, end = row["spans"][number]
            alone = engine.logits(row["ids"][start:end])
            worst = float(abs(whole[start:end] - alone).max())
            largest = float(abs(alone).max())
            found.append({"row": row["row"], "episode": number, "worst": round(worst, 6), "largest": round(largest, 4)})
    return found


def packing_problems(gaps: Sequence[Mapping[str, Any]], row: Mapping[str, Any], *, dtype: str) -> list[Problem]:
    """Code parity.packing: an episode's logits depend on what stands before it in its pack.

    `row` is one of the packed rows, which says how they were fed; `dtype` is the arithmetic of both passes.
    """
    leaking = [gap for gap in gaps if gap["worst"] > noise(dtype, gap["largest"])]
    if not leaking:
        return []
    first = leaking[0]
    if row["attention"] is not None:
        why = "an attention mask was fed beside the position ids, which switches isolation off: feed none"
    elif row["use_cache"]:
        why = "the key-value cache was on, which switches isolation off: train with use_cache=False"
    else:
        why = "this model's attention does not keep the episodes of a row apart"
    text = (
        f"in {len(leaking)} of {len(gaps)} packed episodes the logits differ from those of the episode alone, "
        f"here by {first['worst']:.3g}: it sees its neighbours, evaluation does not have them. {why}"
    )
    return [Problem("parity.packing", f"row {first['row']}, episode {first['episode']}", text)]
