"""docs/commands.md: every command with its options and what they do, from the very parsers that read them.

    python -m modelqa.help_page docs/commands.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelqa.cli import COMMANDS, EXAMPLES, parser_of
from modelqa.files import write_text
from modelqa.plugin import FLAGS, MODEL, OPTIONS

HEAD = """# Commands

Every command and option, as `--help` shows them. `modelqa run MODEL` hands what it does not know on to pytest; the
options of the plugin come last. Made by `make pages`.
"""


@dataclass(frozen=True)
class Command:
    """One command as its parser has it: "data mix", what it does, and its parser."""

    name: str
    about: str
    parser: argparse.ArgumentParser


def commands() -> Iterator[Command]:
    """Every command, and the commands below it."""
    for name in COMMANDS:
        yield from _below(Command(name, COMMANDS[name][0], parser_of(name)))


def _below(command: Command) -> Iterator[Command]:
    yield command
    for action in command.parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            abouts = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, parser in action.choices.items():
                yield from _below(Command(f"{command.name} {name}", abouts.get(name, ""), parser))


def options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """(how an option or argument is written, its help) of one command; the help of what is suppressed is not shown."""
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction) or action.help == argparse.SUPPRESS:
            continue
        said = (action.help or "") % {**vars(action), "prog": parser.prog}
        yield _written(action), said


def _written(action: argparse.Action) -> str:
    if action.choices is not None:
        value = "|".join(str(choice) for choice in action.choices)
    else:
        value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return str(action.metavar or action.dest.upper())
    name = ", ".join(action.option_strings)
    return name if action.nargs == 0 else f"{name} {value}"


def page() -> str:
    """The Markdown text of the page."""
    parts = [HEAD]
    for command in commands():
        about = f"{command.about[:1].upper()}{command.about[1:]}."
        example = [f"    {EXAMPLES[command.name]}", ""] if command.name in EXAMPLES else []
        rows = [f"- `{written}`: {said}" for written, said in options(command.parser)]
        parts.append("\n".join([f"## modelqa {command.name}", "", about, "", *example, *rows]))
    plugin = {"--model": MODEL, **OPTIONS, **FLAGS}
    parts.append("\n".join(["## pytest", "", *(f"- `{name}`: {text}" for name, text in plugin.items())]))
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), page())
