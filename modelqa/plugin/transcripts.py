"""The worst transcripts of a gate: the cases that said no, as they were really asked and answered."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.gates import Case
from modelqa.plugin.table import Transcript
from modelqa.record import NOT_DRAWN, Outcome
from modelqa.reply import Prompt, Reply


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
        if outcome.result not in ("yes", NOT_DRAWN)
    ]
    seen: set[str] = set()
    first = [row for row in rows if not (row[0] in seen or seen.add(row[0]))]  # type: ignore[func-returns-value]
    return [row[1] for row in first + [row for row in rows if row not in first]]
