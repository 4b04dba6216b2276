"""docs/commands.md is what the parsers say, and every command and option says something."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from modelqa.cli import COMMANDS, EXAMPLES, parser_of
from modelqa.help_page import Command, commands, options, page

ROOT = Path(__file__).parents[1]
ALL = list(commands())
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_commands_is_what_the_parsers_say() -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == page(), "make pages"


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.name)
def test_every_command_and_option_has_one_line(command: Command) -> None:
    assert command.about
    for written, said in options(command.parser):
        assert said.strip() and "\n" not in said, f"{command.name} {written}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_its_parser_understands(name: str) -> None:
    words = [word for word in shlex.split(EXAMPLES[name].partition(" > ")[0]) if word != "modelqa"]
    assert words[0] == name
    parsed, rest = parser_of(name).parse_known_args(words[1:])
    assert callable(parsed.handler)
    assert rest == [] or name == "run"  # which hands the rest to pytest


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"`modelqa ([a-z-]+)", README)) | set(re.findall(r"`(verify|rollback|postmortem)`", README))
    assert set(COMMANDS) <= named


def consoles(text: str) -> list[str]:
    """The command lines of a page's console blocks, without their comments; continued lines are one."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_modelqa_line_of_a_page_is_understood_by_its_parser(path: Path) -> None:
    for line in consoles(path.read_text(encoding="utf-8")):
        words = shlex.split(line.partition(" > ")[0])
        if words[:1] != ["modelqa"]:
            continue
        parsed, rest = parser_of(words[1]).parse_known_args(words[2:])
        assert callable(parsed.handler), line
        assert rest == [] or words[1] == "run", line


def test_the_pytest_lines_of_the_pages_use_options_that_exist() -> None:
    known = {"--model", *re.findall(r"`(--modelqa-[a-z-]+)`", page())}
    for path in PAGES:
        for line in consoles(path.read_text(encoding="utf-8")):
            if line.startswith("pytest"):
                assert set(re.findall(r"--model[a-z-]*", line)) <= known, f"{path.name}: {line}"
