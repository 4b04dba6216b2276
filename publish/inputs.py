"""What a card is made from, opened and checked against each other: model, checkpoint, record, words, postmortems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa.checkpoint import Checkpoint, open_checkpoint
from modelqa.errors import RecordError, ReleaseError, UsageError
from modelqa.models import Model, Registry, find_registry, load_registry, resolve
from modelqa.record import Run
from modelqa.records import find_stored, history_rows, read_stored
from modelqa.text import escape

from .evidence import Evidence, gather
from .postmortem import Postmortem, figures_path, read_figures, read_postmortem
from .postmortem_check import problems
from .records import StoredRun, checked, open_run, sound_run
from .report import gate_values
from .settings import CardSettings, read_settings
from .suite import gate_names

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")


@dataclass(frozen=True)
class Inputs:
    """Everything a release is made from. The record is of the checkpoint's very files.

    reference   `gate_values` of the known-good model's own run of the same cases, None when there is none
    """

    model: Model
    registry: Registry
    checkpoint: Checkpoint
    stored: StoredRun
    settings: CardSettings
    evidence: Evidence
    postmortems: tuple[Postmortem, ...] = ()
    reference: Mapping[str, Any] | None = None

    @property
    def own_postmortems(self) -> list[Postmortem]:
        """Those that are about this model."""
        return [entry for entry in self.postmortems if self.model.name in entry.models]

    @property
    def postmortem_entries(self) -> list[Mapping[str, Any]]:
        """What the report says of the postmortems."""
        return [entry.report_entry for entry in self.postmortems]


def open_inputs(
    name: str,
    *,
    run: Path | None = None,
    cards: Path = Path("cards"),
    registry: Path | None = None,
    home: Path = Path(".modelqa"),
    suites: Path = Path("suites"),
) -> Inputs:
    """The inputs for a model's card; `RecordError` when the record is of other files than the checkpoint's.

    `suites` is the folder whose gates the postmortems may name. `ReleaseError` for one that contradicts its figures.
    """
    known = load_registry(find_registry(Path.cwd(), registry))
    model = resolve(known, name)
    if not _NAME.fullmatch(model.name):
        raise UsageError(
            f"{escape(model.name, 'terminal', limit=80)!r} is no name for a release",
            reason="it becomes a file's name and the title of a commit",
            remedy="use letters, digits, dots, dashes and underscores in models.toml",
        )
    stored = open_run(run) if run else checked(find_stored(home, model.name))
    checkpoint = open_checkpoint(model.location)
    if problem := other_files(stored, checkpoint):
        raise RecordError(
            f"{stored.path} is the record of another checkpoint than {model.name}",
            reason=problem,
            remedy=f"run the gates on what you want to describe: pytest suites/ --model {model.name}",
        )
    settings = read_settings(cards / f"{model.name}.md")
    postmortems = tuple(_postmortem(cards / "postmortems" / f"{each}.md", suites) for each in settings.postmortems)
    evidence = gather(checkpoint, model, known, home=home)
    return Inputs(model, known, checkpoint, stored, settings, evidence, postmortems, _reference(stored.run, home))


def _reference(run: Run, home: Path) -> Mapping[str, Any] | None:
    """What the newest run of the known-good model says of its gates, if it was asked the same by the same suites."""
    name = run.controls.get("reference", {}).get("name")
    for row in reversed(history_rows(home)):
        if row.name == name and (home / row.record).is_file():
            other = sound_run(read_stored(home / row.record))
            if (other.suite, other.settings.get("case_seed")) == (run.suite, run.settings.get("case_seed")):
                return gate_values(other)
    return None


def _postmortem(path: Path, suites: Path) -> Postmortem:
    found = read_postmortem(path)
    wrong = problems(found, read_figures(figures_path(path)), gate_names(suites))
    if wrong or found.status != "final":
        raise ReleaseError(
            f"the postmortem {path.name} cannot ship",
            reason=f"{wrong[0].code} at {wrong[0].locus}: {wrong[0].text}" if wrong else "it is a draft",
            remedy="modelqa postmortem check names everything; mend it, and set status: final",
        )
    return found


def other_files(stored: StoredRun, checkpoint: Checkpoint) -> str:
    """How the files that were judged differ from the checkpoint's now: the first of them; "" when they are the same."""
    judged, now = stored.run.model["fingerprint"], checkpoint.fingerprint
    for file in sorted({*judged, *now}):
        if file not in judged or file not in now:
            return f"{file} is {'there now but was not judged' if file in now else 'missing now but was judged'}"
        if judged[file] != now[file]:
            return f"{file} has other bytes than when it was judged"
    return ""
