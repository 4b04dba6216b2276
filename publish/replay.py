"""`modelqa verify --replay N`: the published weights are asked again what the report says that they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelqa.errors import DataError
from modelqa.files import canonical_json, sha256_text
from modelqa.record import Problem
from modelqa.reply import Prompt

CUT = 200  # characters of a reply in a message


def replay(folder: Path, report: Mapping[str, Any], wanted: int) -> tuple[int, list[Problem]]:
    """(how many stored prompts were asked again, those whose reply is another one).

    Greedy and one by one, on the CPU. Only prompts whose ids come out as they were count: a conversation of several
    turns, or a text that the report cuts short, cannot be rendered again. `DataError` when the report holds none.
    """
    from modelqa.chat import open_chat
    from modelqa.checkpoint import open_checkpoint
    from modelqa.generate import LocalEngine

    chat, checkpoint = open_chat(folder), open_checkpoint(folder)
    system = report["model"].get("system")
    head = [{"role": "system", "content": str(system)}] if system else []
    again: list[tuple[Mapping[str, Any], Prompt]] = []
    for row in sorted((*report["transcripts"], *report["cases"]), key=lambda row: str(row["prompt_sha256"])):
        prompt = chat.render([*head, {"role": "user", "content": str(row["asked"])}])
        if prompt.key == row["prompt_sha256"] and len(again) < wanted:
            again.append((row, prompt))
    if not again:
        raise DataError(
            "the report holds no prompt that can be asked again",
            reason="none of its transcripts renders to the ids that were asked",
            remedy="publish with transcripts: 1 or more in the card's front matter",
        )
    engine = LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    limit, problems = int(report["settings"]["max_new_tokens"]), []
    for row, prompt in again:
        _, reply = next(engine.replies([prompt], max_new_tokens=limit, decode=chat.decode))
        if sha256_text(canonical_json(list(reply.ids))) != row["reply_sha256"]:
            text = f"said {str(row['said'])[:CUT]!r}; now {reply.raw[:CUT]!r}"
            problems.append(Problem("verify.replay", str(row["gate"]), text))
    return len(again), problems
