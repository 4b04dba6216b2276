"""What of the replies ships: a few transcripts a gate, the fixed prompts side by side, counts of degenerate ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from modelqa.compare import READING, columns_of, readings
from modelqa.files import canonical_json, sha256_text
from modelqa.form import is_garbage, loops
from modelqa.record import GateResult, Status
from modelqa.records import Asked, Row

from .records import StoredRun

LONGEST_TEXT = 2000  # characters of one text that ships; what is cut is counted


def transcripts(stored: StoredRun, wanted: int) -> list[dict[str, Any]]:
    """A few cases of each of the candidate's reply gates, chosen by hash and not by hand, with what others said."""
    others = {case.case: case for row in stored.rows if row.role == "reference" for case in row.cases.values()}
    shown: list[dict[str, Any]] = []
    seen: set[str] = set()
    for result in stored.run.gates:
        if result.model != "candidate" or not result.outcomes or result.verdict.status is Status.NOT_ASKED:
            continue
        if result.gate == READING:  # they stand side by side, in a section of their own
            continue
        own = [row for row in stored.rows if row.role == "candidate" and result.gate in row.cases]
        asked = [(row, row.cases[result.gate]) for row in own]
        fresh = [(row, case) for row, case in asked if row.key not in seen]
        for row, case in sorted(fresh, key=lambda pair: sha256_text(pair[0].key))[:wanted]:
            seen.add(row.key)
            entry = _transcript(result, row, case)
            other = others.get(case.case)
            shown.append(entry | ({"reference": other.raw} if other else {}))
    return shown


def _transcript(result: GateResult, row: Row, case: Asked) -> dict[str, Any]:
    return {
        "gate": result.gate,
        "case_sha256": sha256_text(case.case),
        "prompt_sha256": row.key,
        "asked": case.asked,
        "expected": case.expected,
        "said": row.reply.raw,
        "reply_sha256": sha256_text(canonical_json(list(row.reply.ids))),
        "outcome": result.outcomes.get(case.case, "missing"),
    }


def side_by_side(stored: StoredRun) -> dict[str, Any]:
    """The fixed prompts: {models, rows: [{asked, said: a reply for each model}]}; {} when none was asked."""
    columns = columns_of(stored.run, stored.rows)
    rows = [{"asked": row.asked, "said": list(row.said.values())} for row in readings(columns)]
    return {"models": [{"name": name} for name in columns], "rows": rows} if rows else {}


def full_text(stored: StoredRun, gates: Sequence[str]) -> list[dict[str, Any]]:
    """Every case of the gates that the card's source names under full_text."""
    return [
        _transcript(result, row, row.cases[result.gate])
        for result in stored.run.gates
        for row in stored.rows
        if result.gate in gates and row.role == result.model and result.gate in row.cases
    ]


def degeneration(rows: Sequence[Row]) -> dict[str, Any]:
    """How many of the candidate's replies are empty, never stop, loop or are no language; {} without replies."""
    own = [row for row in rows if row.role == "candidate"]
    if not own:
        return {}
    replies = [row.reply for row in own]
    commonest, count = Counter(reply.text for reply in replies).most_common(1)[0]
    return {
        "replies": len(own),
        "empty": sum(not reply.text for reply in replies),
        "unstopped": sum(not reply.stopped for reply in replies),
        "looping": sum(loops(reply) for reply in replies),
        "garbage": sum(is_garbage(reply.text[:LONGEST_TEXT]) for reply in replies),
        "commonest": {"text": commonest, "count": count, "share": count / len(own)},
    }
