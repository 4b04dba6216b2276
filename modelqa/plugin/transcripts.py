"""The worst transcripts of a gate: the cases that said no, as they were really asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelqa.gates import Case
from modelqa.plugin.table import Transcript
from modelqa.record import Outcome
from modelqa.reply import Prompt, Reply


def reply_row(role: str, prompt: Prompt, reply: Reply) -> dict[str, Any]:
    """A line of the record's replies: what was asked and said; `cases` {gate: its case} is filled as gates ask."""
    asked = {"ids": list(prompt.ids), "text": prompt.text}
    return {"model": role, "key": prompt.key, "prompt": asked, "reply": reply.to_json(), "cases": {}}


def transcripts(
    cases: Sequence[Case], prompts: Sequence[Prompt], replies: Sequence[Reply | None], outcomes: Sequence[Outcome]
) -> list[Transcript]:
    """The cases that said no, one a template family first."""
    rows = [
        (
            outcome.family,
            Transcript(case.id, prompt.text, case.answer, reply.raw if reply else "(none)", outcome.detail),
        )
        for case, prompt, reply, outcome in zip(cases, prompts, replies, outcomes or (), strict=False)
        if outcome.result != "yes"
    ]
    seen: set[str] = set()
    first = [row for row in rows if not (row[0] in seen or seen.add(row[0]))]  # type: ignore[func-returns-value]
    return [row[1] for row in first + [row for row in rows if row not in first]]
