"""Ask a model by hand: `modelqa generate --model M --prompt "..."`, or without a prompt line by line.

The question goes the same way as in the gates: through the model's template, with its declared system message.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from modelqa.chat import Chat
from modelqa.checkpoint import open_checkpoint
from modelqa.errors import GenerationError
from modelqa.generate import LocalEngine, ServedEngine
from modelqa.models import find_registry, load_registry, resolve
from modelqa.plugin.engines import PROBE, Engines
from modelqa.plugin.subject import LabSettings, Subject
from modelqa.reply import Prompt
from modelqa.text import escape
from modelqa.typed import whole

MAX_NEW_TOKENS = 256  # a person may wait for a longer answer than a gate
NEW = whole("--max-new-tokens", least=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa generate`."""
    parser.add_argument("--model", required=True, help="a name in models.toml, a folder, or a Hub id")
    parser.add_argument("--prompt", action="append", help="a question (may be given again); none: read lines")
    parser.add_argument("--system", help="another system message than models.toml declares; '' for none")
    parser.add_argument("--raw", action="store_true", help="the prompt is already rendered: send it as it stands")
    limit = f"how long an answer may get (default: {MAX_NEW_TOKENS})"
    parser.add_argument("--max-new-tokens", type=NEW, default=MAX_NEW_TOKENS, metavar="N", help=limit)
    parser.add_argument("--engine", help="a server that replies instead: http://HOST:PORT/v1 (OpenAI-compatible)")
    parser.add_argument("--served", default="", help="the name that the server knows the model by")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--show-ids", action="store_true", help="print the token ids that were asked and replied")
    parser.set_defaults(handler=generate)


def generate(parsed: argparse.Namespace) -> int:
    """Answer each question greedily; special tokens stay visible."""
    model = resolve(load_registry(find_registry(Path.cwd(), parsed.models)), parsed.model)
    subject = Subject("candidate", model, open_checkpoint(model.location))
    chat = subject.chat
    engine = _engine(parsed, subject)
    system = model.system if parsed.system is None else parsed.system
    for question in parsed.prompt or _lines():
        prompt = (
            Prompt(chat.tokens.encode(question).ids, question)
            if parsed.raw
            else chat.render(_messages(question, system))
        )
        if refused := engine.refused([prompt], max_new_tokens=parsed.max_new_tokens):
            raise GenerationError("the question cannot be asked", reason=refused[0], remedy="ask something shorter")
        _, reply = next(engine.replies([prompt], max_new_tokens=parsed.max_new_tokens, decode=chat.decode))
        if parsed.show_ids:
            print(f"asked {list(prompt.ids)}\nreply {list(reply.ids)}")
        end = "" if reply.stopped else f"  ({_endless(chat)})"
        print(f"{escape(reply.raw, 'terminal')}{end}", flush=True)
    return 0


def _endless(chat: Chat) -> str:
    if chat.stop_ids:
        return "never stopped"
    return "never stopped: neither generation_config.json nor the tokenizer declares a stop token"


def _engine(parsed: argparse.Namespace, subject: Subject) -> LocalEngine | ServedEngine:
    """Who replies: this process, or the server that `--engine` names."""
    engines = Engines(LabSettings(parsed.model, Path(), None, engine=parsed.engine or "", served=parsed.served))
    engines.require_askable(subject)
    probe = subject.chat.render(list(PROBE)) if parsed.engine else None
    return engines.served(subject, probe) or engines.local(subject)


def _messages(question: str, system: str | None) -> list[dict[str, str]]:
    head = [{"role": "system", "content": system}] if system else []
    return [*head, {"role": "user", "content": question}]


def _lines() -> Iterable[str]:
    """Questions typed line by line until the end of input; how it ends and the prompt sign only for a person."""
    if sys.stdin.isatty():
        print("one question a line; Ctrl-D ends", file=sys.stderr)
    while True:
        if sys.stdin.isatty():
            print("> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            yield line.rstrip("\n")
