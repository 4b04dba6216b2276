"""`modelqa card`, `modelqa postmortem`: the publisher's commands that touch no network."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import UsageError
from modelqa.files import write_json, write_text
from modelqa.models import find_registry, load_registry, resolve
from modelqa.text import escape

from .card import render
from .inputs import Inputs, open_inputs
from .lint import facts_of, lint, readme_of
from .postmortem import check_id, figures_path, read_figures, read_postmortem
from .postmortem_check import problems
from .postmortem_new import draft
from .records import UNKNOWN, open_run
from .report import gate_values, make_report, read_report
from .suite import gate_names


def add_card_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa card`."""
    parser.add_argument("model", help="a name in models.toml")
    add_source_arguments(parser)
    parser.add_argument(
        "--reference", type=Path, metavar="RECORD", help="run.json of the reference's run (default: its newest)"
    )
    parser.add_argument("--previous", type=Path, metavar="REPORT", help="report.json of the last release, to compare")
    parser.add_argument("--lint", action="store_true", help="check the README.md in the model's folder instead")
    parser.set_defaults(handler=card)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Where record, registry and words are: the same for every command that makes a card."""
    parser.add_argument("--run", type=Path, metavar="RECORD", help="run.json (default: the model's newest record)")
    parser.add_argument("--cards", type=Path, default=Path("cards"), help="folder of cards (default: cards)")
    parser.add_argument("--suites", type=Path, default=Path("suites"), help="the gates (default: suites)")
    parser.add_argument("--models", type=Path, help="the model registry")
    parser.add_argument("--modelqa-dir", type=Path, default=Path(".modelqa"), help="where records are kept")


def inputs_of(parsed: argparse.Namespace) -> Inputs:
    """What the options of `add_source_arguments` name, opened."""
    return open_inputs(
        parsed.model,
        run=parsed.run,
        cards=parsed.cards,
        registry=parsed.models,
        home=parsed.modelqa_dir,
        suites=parsed.suites,
    )


def card(parsed: argparse.Namespace) -> int:
    """Print the card of a run, or check one that is there; nothing is written, nobody is asked."""
    return lint_card(parsed) if parsed.lint else print_card(parsed)


def lint_card(parsed: argparse.Namespace) -> int:
    """Print what is wrong with the README.md beside a model's weights; 0 when nothing is."""
    registry = load_registry(find_registry(Path.cwd(), parsed.models))
    checkpoint = open_checkpoint(resolve(registry, parsed.model).location)
    found = lint(readme_of(checkpoint.path), facts_of(checkpoint))
    for problem in found:
        print(escape(f"{problem.code} at {problem.locus}: {problem.text}", "terminal"))
    print(f"{len(found)} problem(s)")
    return 1 if found else 0


def print_card(parsed: argparse.Namespace) -> int:
    """Print the card of a run; stderr says when the history does not list its record, which `publish` refuses."""
    inputs = inputs_of(parsed)
    if not inputs.stored.known:
        print(f"modelqa: {inputs.stored.path}: {UNKNOWN}; `modelqa publish` refuses it", file=sys.stderr)
    report = make_report(
        inputs.stored,
        inputs.evidence,
        inputs.settings,
        waivers=inputs.model.waivers,
        previous=read_report(parsed.previous) if parsed.previous else None,
        reference=gate_values(open_run(parsed.reference).run) if parsed.reference else inputs.reference,
        postmortems=inputs.postmortem_entries,
    )
    sys.stdout.write(render(report, inputs.settings.prose).text)
    return 0


def add_postmortem_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa postmortem`."""
    commands = parser.add_subparsers(dest="postmortem_command", required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="begin one from two run records")
    new.add_argument("run_a", type=Path, metavar="RUN_A", help="run.json of the canonical model")
    new.add_argument("run_b", type=Path, metavar="RUN_B", help="run.json of the other")
    new.add_argument("--id", required=True, help="its name: small letters, digits and dashes")
    new.set_defaults(handler=new_postmortem)
    check = commands.add_parser("check", help="compare them with their records")
    check.add_argument("files", nargs="*", type=Path, help="default: all of cards/postmortems")
    check.set_defaults(handler=check_postmortems)
    for command in (new, check):
        command.add_argument("--cards", type=Path, default=Path("cards"), help="folder of cards (default: cards)")
        command.add_argument("--suites", type=Path, default=Path("suites"), help="whose gates exist (default: suites)")


def new_postmortem(parsed: argparse.Namespace) -> int:
    """Write cards/postmortems/ID.md and its figures; what is there already stays."""
    folder = parsed.cards / "postmortems"
    target, records = folder / f"{parsed.id}.md", folder / "records" / f"{parsed.id}.json"
    check_id(parsed.id)
    for path in (target, records):
        if path.exists():
            raise UsageError(f"{path} exists", reason="nothing is overwritten", remedy="choose another --id")
    runs = [open_run(path) for path in (parsed.run_a, parsed.run_b)]
    names = [f"{run.run.model['name']}-{run.run.digest[:8]}" for run in runs]
    day = max(run.date for run in runs) or date.today().isoformat()
    text, figures = draft(parsed.id, (names[0], runs[0].run), (names[1], runs[1].run), day=day)
    write_json(records, figures)
    write_text(target, text)
    print(f"{target}\n{records}")
    return 0


def check_postmortems(parsed: argparse.Namespace) -> int:
    """Print every contradiction; 0 when there is none."""
    files = parsed.files or sorted((parsed.cards / "postmortems").glob("*.md"))
    gates = gate_names(parsed.suites)
    found = 0
    for path in files:
        for problem in problems(read_postmortem(path), read_figures(figures_path(path)), gates):
            found += 1
            print(escape(f"{path}: {problem.code} at {problem.locus}: {problem.text}", "terminal"))
    print(f"{len(files)} postmortem(s), {found} problem(s)")
    return 1 if found else 0
