"""`modelqa gates [NAME]`: the pages of the gates in the terminal; `--write DIR` as Markdown files."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelqa.errors import UsageError
from modelqa.files import write_text
from modelqa.gates import LADDER
from modelqa.handbook.known import known
from modelqa.handbook.page import Known, index, page
from modelqa.handbook.shipped import Shipped, gates_of
from modelqa.models import nearest

PAGES = Path("docs/gates")
INDEX = "README.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa gates`."""
    parser.add_argument("gate", nargs="?", metavar="NAME", help="print this gate's page; none: list all")
    parser.add_argument("--suites", type=Path, default=Path("suites"), help="the folder of suites (default: suites)")
    parser.add_argument("--zoo", type=Path, default=Path("fixtures/zoo.toml"), help="which failures gates must catch")
    parser.add_argument("--pages", type=Path, default=PAGES, help=f"where failing outputs are kept (default: {PAGES})")
    parser.add_argument("--write", action="store_true", help="write all pages into the folder of --pages")
    parser.set_defaults(handler=show)


def show(parsed: argparse.Namespace) -> int:
    """Print the list or one page, or write them all."""
    gates = gates_of(parsed.suites)
    facts = known(parsed.suites, zoo=parsed.zoo, pages=parsed.pages)
    if parsed.write:
        write_pages(gates, facts, parsed.pages)
        print(f"{parsed.pages}: {len(gates)} pages")
    elif parsed.gate:
        print(page(_named(gates, parsed.gate), facts), end="")
    else:
        print("\n".join(_list(gates)))
    return 0


def _named(gates: list[Shipped], name: str) -> Shipped:
    for gate in gates:
        if name.removeprefix("test_") in (gate.name, gate.page):
            return gate
    raise UsageError(f"there is no gate named {name!r}", reason="modelqa gates lists all of them",
                     remedy=nearest(name, [gate.name for gate in gates]) or "name one of them")  # fmt: skip


def _list(gates: list[Shipped]) -> list[str]:
    width = max(len(gate.name) for gate in gates)
    lines = []
    for rung in LADDER:
        mine = [gate for gate in gates if gate.rung == rung]
        lines += [rung, *(f"  {gate.name:<{width}}  {gate.title}" for gate in mine)] if mine else []
    return lines


def write_pages(gates: list[Shipped], facts: Known, folder: Path) -> None:
    """Write a page for each gate and the index; pages of gates that are gone are removed."""
    texts = {f"{gate.page}.md": page(gate, facts) for gate in gates} | {INDEX: index(gates)}
    for name, text in texts.items():
        write_text(folder / name, text)
    for path in folder.glob("*.md"):
        if path.name not in texts:
            path.unlink()
