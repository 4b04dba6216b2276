"""Preflight: what is wrong with data, template, mask, stop tokens and counts, before money is spent on training.

`modelqa preflight MODEL` needs the tokenizer folder and the dataset alone; nothing is trained, no weights are read.
With `--memorise` the weights are read too, and a copy of them has to learn sixteen rows by heart.
`assert_trainable` is the same question in one line of a notebook.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.errors import CheckpointError, DataError, TemplateError, UsageError
from modelqa.files import read_object
from modelqa.record import Problem
from modelqa.text import escape
from modelqa.trainable import assert_trainable

if TYPE_CHECKING:
    from modelqa.chat import Chat

__all__ = ["CHECKS", "Preflight", "assert_trainable", "preflight"]

MEMORISE = "training.memorise"
CHECKS = {
    "harness.template": "chat template", "harness.stop_ids": "stop tokens", "data.rows": "rows",
    "data.duplicates": "duplicates", "data.conflicts": "one answer per prompt", "data.truncated": "length",
    "parity.render": "training form = asked form", "parity.bos": "beginning token", "data.mask": "loss mask",
    "parity.stop_supervised": "end of turn supervised", MEMORISE: "16 rows by heart",
}  # code -> what the table calls it, in order of trust
TOLERATED = 0.01  # share of rows that repeat, or contradict, another row: below it they are counted and let pass
_NAMED = 5  # rows named in one problem


@dataclass(frozen=True)
class Preflight:
    """What was found.

    problems  at most one for each code, with the rows concerned
    facts     {name: value}: rows, tokens, supervised tokens, their share, the longest row, duplicates, conflicts
    unchecked codes that could not be looked at because something before them failed
    """

    problems: tuple[Problem, ...]
    facts: Mapping[str, Any]
    unchecked: frozenset[str] = frozenset()

    def table(self) -> list[str]:
        """One line for each check, then the facts."""
        wrong = {problem.code: problem for problem in self.problems}
        lines = []
        for code, name in CHECKS.items():
            state = "NO" if code in wrong else "-" if code in self.unchecked else "ok"
            text = f"{wrong[code].locus}: {wrong[code].text}" if code in wrong else ""
            lines.append(f"{state:>3}  {name:<27} {escape(text, 'terminal', limit=400)}".rstrip())
        return [*lines, "  ".join(f"{name} {value}" for name, value in self.facts.items())]


def preflight(
    folder: Path, train: Sequence[Path], *, intended_rows: int | None = None, max_length: int | None = None,
    memorise: bool = False, progress: bool = False,
) -> Preflight:
    """Every check of `CHECKS` on the rows of `train`, rendered with the tokenizer and template in `folder`.

    intended_rows  how many rows training is meant to see; None: not compared
    max_length     tokens after which training cuts a row; default: max_position_embeddings of config.json, if any
    memorise       also try whether a copy of the weights in `folder` learns rows by heart, once all else holds
    """
    from modelqa.chat import open_chat

    try:
        chat = open_chat(folder)
        problems = chat.stop_problems()
    except TemplateError as error:
        problem = Problem("harness.template", str(folder.name), f"{error.fact}: {error.reason}")
        return Preflight((problem,), {}, frozenset(CHECKS) - {"harness.template"})
    try:
        rows = _read(train)
    except DataError as error:
        problems.append(Problem("data.rows", "file", f"{error.fact}: {error.reason}"))
        return Preflight(tuple(problems), {}, frozenset(CHECKS) - {"harness.template", "harness.stop_ids", "data.rows"})
    repeated, facts = _repeats(rows)
    limit = max_length if max_length is not None else _context(folder)
    by_row, tokens = _each_row(chat, rows, limit, progress=progress)
    problems += [*_counted(len(rows), intended_rows), *repeated, *_gathered(by_row)]
    tried = memorise and not problems
    if tried:
        problems += _memorised(folder, chat, rows)
    unchecked = frozenset() if tried else frozenset({MEMORISE})
    return Preflight(tuple(sorted(problems, key=lambda p: list(CHECKS).index(p.code))), {**facts, **tokens}, unchecked)


def _memorised(folder: Path, chat: Chat, rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """What a copy of the weights does not learn by heart, named by file and line."""
    from modelqa.checkpoint import open_checkpoint
    from modelqa.training.memorise import chosen, memorise

    numbers = chosen(chat, [row["messages"] for row in rows])
    problems = memorise(open_checkpoint(folder), chat, [rows[number]["messages"] for number in numbers])
    places = _locus([rows[number]["place"] for number in numbers])
    return [Problem(problem.code, places, f"{problem.locus}: {problem.text}") for problem in problems]


def _read(paths: Sequence[Path]) -> list[dict[str, Any]]:
    from modelqa.data.rows import read_rows

    if not paths:
        raise DataError("no training data is named", reason="rows are checked before training",
                        remedy="name a file with --train, or train = [...] in models.toml")
    return [{**row, "place": f"{path.name}:{number}"} for path in paths for number, row in read_rows(path)]


def _context(folder: Path) -> int | None:
    path = folder / "config.json"
    if not path.is_file():
        return None
    value = read_object(path, error=CheckpointError).get("max_position_embeddings")
    return value if isinstance(value, int) else None


def _counted(found: int, intended: int | None) -> list[Problem]:
    if intended is None or intended == found:
        return []
    return [Problem("data.rows", f"{found} of {intended}", f"{intended} rows are intended, the files hold {found}")]


def _repeats(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Problem], dict[str, Any]]:
    """Problems when repeated or contradicting rows exceed what is tolerated; their counts."""
    from modelqa.data.rows import answer_of, prompt_of, row_hash

    seen: set[str] = set()
    answers: dict[str, str] = {}
    copies, conflicts = [], []
    for row in rows:
        digest, prompt, answer = row_hash(dict(row)), prompt_of(dict(row)), answer_of(dict(row))
        if digest in seen:
            copies.append(row["place"])
        elif answers.setdefault(prompt, answer) != answer:
            conflicts.append(row["place"])
        seen.add(digest)
    problems = []
    for code, places, what in (("data.duplicates", copies, "repeat an earlier row"),
                               ("data.conflicts", conflicts, "give another answer to an earlier row's prompt")):
        if len(places) > TOLERATED * len(rows):
            text = f"{len(places)} of {len(rows)} rows {what}, more than {TOLERATED:.0%}"
            problems.append(Problem(code, _locus(places), text))
    return problems, {"rows": len(rows), "duplicates": len(copies), "conflicts": len(conflicts)}


def _each_row(
    chat: Chat, rows: Sequence[Mapping[str, Any]], limit: int | None, *, progress: bool
) -> tuple[list[tuple[str, Problem]], dict[str, Any]]:
    """([(place, problem)], counts of tokens) over every row."""
    from tqdm import tqdm

    found: list[tuple[str, Problem]] = []
    tokens = supervised = longest = 0
    for row in tqdm(rows, desc="preflight", unit="row", disable=not progress):
        try:
            problems, episode = chat.mask_problems(row["messages"]), chat.episode(row["messages"])
        except TemplateError as error:
            found.append((row["place"], Problem("harness.template", row["place"], f"{error.fact}: {error.reason}")))
            continue
        found += ((row["place"], problem) for problem in problems)
        if limit is not None and len(episode.ids) > limit:
            text = f"{len(episode.ids)} tokens where training cuts at {limit}: its end of turn is lost"
            found.append((row["place"], Problem("data.truncated", row["place"], text)))
        tokens, supervised = tokens + len(episode.ids), supervised + episode.supervised
        longest = max(longest, len(episode.ids))
    share = f"{supervised / tokens:.1%}" if tokens else "0%"
    return found, {"tokens": tokens, "supervised": supervised, "share": share, "longest": longest}


def _gathered(found: Iterable[tuple[str, Problem]]) -> list[Problem]:
    """One problem for each code: the first row's text, all rows counted."""
    by_code: dict[str, list[tuple[str, Problem]]] = {}
    for place, problem in found:
        by_code.setdefault(problem.code, []).append((place, problem))
    return [Problem(code, _locus([place for place, _ in each]),
                    f"{len(each)} rows; {each[0][0]}, {each[0][1].locus}: {each[0][1].text}")
            for code, each in by_code.items()]


def _locus(places: Sequence[str]) -> str:
    more = f" +{len(places) - _NAMED}" if len(places) > _NAMED else ""
    return ", ".join(places[:_NAMED]) + more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa preflight`."""
    parser.add_argument("model", help="a name in models.toml, or a folder with tokenizer and chat template")
    parser.add_argument("--models", type=Path, metavar="FILE", help="models.toml (default: ./ or ./fixtures/)")
    parser.add_argument("--train", type=Path, nargs="+", default=[], help="training files (default: models.toml's)")
    parser.add_argument("--intended-rows", type=int, help="how many rows training is meant to see")
    parser.add_argument("--max-length", type=int, help="tokens after which training cuts a row")
    parser.add_argument("--memorise", action="store_true",
                        help="also train a copy of the weights until it knows 16 rows by heart (about a minute)")
    parser.set_defaults(handler=run)


def run(options: argparse.Namespace) -> int:
    """Print the table; 1 when something is wrong."""
    from modelqa.models import Model, find_registry, load_registry, resolve

    registry = load_registry(find_registry(Path.cwd(), options.models))
    if options.model not in registry.models and (Path(options.model) / "tokenizer.json").is_file():
        model = Model(options.model, Path(options.model))  # a tokenizer without weights is enough here
    else:
        model = resolve(registry, options.model)
    if model.path is None:
        raise UsageError(f"{options.model} is no folder", reason="preflight reads tokenizer and template from a folder",
                         remedy="download it first: hf download " + model.hub)
    found = preflight(
        model.path, options.train or list(model.train), max_length=options.max_length, progress=sys.stderr.isatty(),
        intended_rows=options.intended_rows if options.intended_rows is not None else model.intended_rows,
        memorise=options.memorise,
    )
    sys.stdout.write("\n".join(found.table()) + "\n")
    return 1 if found.problems else 0
