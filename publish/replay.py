"""`modelqa verify --replay N`: the published weights are asked again what the report says that they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelqa.errors import DataError
from modelqa.files import canonical_json, sha256_text
from modelqa.record import Problem
from modelqa.reply import Prompt

LONGEST = 4096  # tokens of a reply that is asked for again, whatever a report says
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
    system, limit, rows = _stored(report)
    head = [{"role": "system", "content": system}] if system else []
    again: list[tuple[dict[str, str], Prompt]] = []
    for row in sorted(rows, key=lambda row: row["prompt_sha256"]):
        prompt = chat.render([*head, {"role": "user", "content": row["asked"]}])
        if prompt.key == row["prompt_sha256"] and len(again) < wanted:
            again.append((row, prompt))
    if not again:
        raise DataError(
            "the report holds no prompt that can be asked again",
            reason="none of its transcripts renders to the ids that were asked",
            remedy="publish with transcripts: 1 or more in the card's front matter",
        )
    engine = LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    problems = []
    for row, prompt in again:
        _, reply = next(engine.replies([prompt], max_new_tokens=limit, decode=chat.decode))
        if sha256_text(canonical_json(list(reply.ids))) != row["reply_sha256"]:
            text = f"said {row['said'][:CUT]!r}; now {reply.raw[:CUT]!r}"
            problems.append(Problem("verify.replay", row["gate"], text))
    return len(again), problems


def _stored(report: Mapping[str, Any]) -> tuple[str, int, list[dict[str, str]]]:
    """(system message, longest reply in tokens, stored prompts) of a report that anybody may have written."""
    keys = ("gate", "asked", "said", "prompt_sha256", "reply_sha256")
    try:
        rows = [{key: str(row[key]) for key in keys} for row in (*report["transcripts"], *report["cases"])]
        limit = int(report["settings"]["max_new_tokens"])
        if not 1 <= limit <= LONGEST:
            raise ValueError(f"replies of {limit} tokens")
        return str(report["model"].get("system") or ""), limit, rows
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"the report holds no prompts that can be asked again: {type(error).__name__}",
            reason="its transcripts, settings or model are not as modelqa writes them",
            remedy="publish the release again",
        ) from None
