"""`modelqa compare A B [C ...]`: stored runs in the order parent, child, grandchild."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelqa.compare.chain import Chain, compare_runs
from modelqa.compare.reading import Reading, columns_of, readings
from modelqa.compare.show import matrix_lines, reading_lines, run_lines, step_lines, transcript_lines
from modelqa.records import HOME, find_stored

WORSE = 1  # exit status when the last run is shown to be worse somewhere than the one before it
LEGEND = (
    "points: difference of the rates with its one-sided 95% bounds (Tango, by template family).\n"
    "p: exact McNemar, after Holm over all gates and steps shown. better, worse: p at most 0.05, and the bounds agree."
)
TRANSCRIPTS = 2  # lost cases shown of one gate, and as many gained ones


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa compare`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a model's name (its newest record), or a run.json")
    parser.add_argument("--dir", type=Path, default=Path(HOME), help=f"where the records are (default: {HOME})")
    parser.add_argument("--transcripts", type=int, default=TRANSCRIPTS, help="discordant cases shown of each gate")
    parser.set_defaults(handler=compare)


def compare(parsed: argparse.Namespace) -> int:
    """Print each step, the matrix of a longer chain, discordant transcripts and the readings.

    0: nothing is shown to be worse in the last step; 1: something is.
    """
    chain = compare_runs([find_stored(parsed.dir, name) for name in parsed.runs])
    sections = [run_lines(chain.runs)]
    if len(chain.runs) > 2:
        sections.append(matrix_lines(chain))
    sections += [step_lines(step) for step in chain.steps]
    sections += [[LEGEND], transcript_lines(chain.steps[-1], limit=parsed.transcripts), reading_lines(_readings(chain))]
    print("\n\n".join("\n".join(lines) for lines in sections if lines))
    return WORSE if chain.steps[-1].seesaw[1] else 0


def _readings(chain: Chain) -> list[Reading]:
    """The fixed prompts: a column for each run that was asked them, then for whoever was asked beside the last run."""
    columns = {run.name: found[run.name] for run in chain.runs if run.name in (found := columns_of(run.run, run.rows))}
    newest = chain.runs[-1]
    return readings(columns | {n: c for n, c in columns_of(newest.run, newest.rows).items() if n not in columns})
