"""Chat: messages -> token ids and loss mask; the only renderer of evaluation prompts and of data that we prepare.

`open_chat(folder)` reads the tokenizer, the template and the stop tokens of a checkpoint. Neither transformers nor
torch is imported: tokenizer.json is read by `tokenizers`, the template is rendered by jinja2 in a child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelqa.chat.chat import Chat
from modelqa.chat.episode import Episode, check_messages
from modelqa.chat.template import MAX_TEMPLATE_BYTES, RENDER_SECONDS, Message, Renderer, find_template
from modelqa.chat.tokens import Tokens
from modelqa.errors import CheckpointError
from modelqa.files import read_object

__all__ = ["Chat", "Episode", "Message", "check_messages", "open_chat"]

_MAX_CONFIG_BYTES = 16 * MAX_TEMPLATE_BYTES  # tokenizer_config.json lists added tokens beside the template


def open_chat(
    path: Path | str,
    *,
    template: str | None = None,
    template_name: str = "default",
    options: Mapping[str, Any] | None = None,
    today: str | None = None,
    render_seconds: float = RENDER_SECONDS,
) -> Chat:
    """How the checkpoint in folder `path` is talked to.

    template  text that replaces the folder's template; template_name chooses among several named ones
    options   further variables for the template, such as {"enable_thinking": False}
    today     an ISO date that stops the clock of templates that write the date

    Raises `CheckpointError` (no folder, damaged file) or `TemplateError` (no template).
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CheckpointError(
            f"there is no checkpoint folder {folder}", reason="a tokenizer and a template are read from a folder",
            remedy="check the path; download a Hub model first with hf download",
        )
    config = _read(folder / "tokenizer_config.json")
    config = {**_read(folder / "special_tokens_map.json"), **config}
    text = template if template is not None else find_template(folder, config, name=template_name)
    tokens = Tokens(folder / "tokenizer.json", config)
    return Chat(
        folder, tokens, text, _stop_ids(folder, tokens), dict(options or {}),
        renderer=Renderer(text, today=today, seconds=render_seconds),
    )


def _stop_ids(folder: Path, tokens: Tokens) -> tuple[int, ...]:
    declares = next((each for each in ("generation_config.json", "config.json") if (folder / each).is_file()), None)
    declared = _read(folder / declares).get("eos_token_id") if declares else None
    listed = declared if isinstance(declared, list) else [declared]
    own = tokens.id_of(tokens.declared.get("eos_token", ""))
    numbers = [number for number in (*listed, own) if isinstance(number, int) and not isinstance(number, bool)]
    return tuple(dict.fromkeys(numbers))


def _read(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; an absent file is an empty one."""
    if not path.is_file():
        return {}
    remedy = "save the tokenizer or the model again with save_pretrained"
    return read_object(path, limit=_MAX_CONFIG_BYTES, error=CheckpointError, remedy=remedy)
