"""`modelqa import FILES --out NAME.json`: what other harnesses measured, as a record that gates can read."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelqa.benchmarks.reading import import_files
from modelqa.benchmarks.result import Result, write_results
from modelqa.errors import UsageError
from modelqa.text import escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa import`."""
    parser.add_argument("files", nargs="+", type=Path, help="results file with its sample files, inspect log, or CSV")
    parser.add_argument("--out", type=Path, required=True, help="the record to write: NAME.json")
    parser.add_argument("--model", default="", help="the model's name, when the files call it by a path")
    parser.add_argument("--checkpoint", help="the folder or Hub id that was scored: binds the record to its weights")
    parser.set_defaults(handler=run)


def run(parsed: argparse.Namespace) -> int:
    """Read, write, and print one line for each result."""
    if parsed.out.suffix != ".json":
        raise UsageError(
            f"{parsed.out} is no .json file", reason="records of results are JSON", remedy="name NAME.json"
        )
    weights = ""
    if parsed.checkpoint:
        from modelqa.checkpoint import open_checkpoint

        weights = open_checkpoint(parsed.checkpoint).weights_digest
    found = import_files(parsed.files, model=parsed.model, weights=weights)
    write_results(parsed.out, found)
    for result in found.results:
        print(line(result))
    print(f"{len(found.results)} results of {found.source['tool']} -> {parsed.out}")
    return 0


def line(result: Result) -> str:
    """ "phase3a2  tiny_mcq acc  95.0% [78.4%, 99.7%]  n 20  chance 25.0%": what is known, and what is not."""
    interval = f" [{_bound(result, result.lower)}, {_bound(result, result.upper)}]" if result.lower is not None else ""
    chance = f"  chance {result.chance:.1%}" if result.chance is not None else ""
    count = result.n if result.n is not None else "not stated"
    shown = f"{result.model}  {result.name}  {result.shown}{interval}  n {count}{chance}"
    return escape(shown, "terminal")


def _bound(result: Result, bound: float | None) -> str:
    return "?" if bound is None else f"{bound:.1%}" if result.unit == "rate" else f"{bound:.4g}"
