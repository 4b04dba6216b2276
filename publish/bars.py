"""What is demanded otherwise than at the last release: read off the report at the target, not off our own notes.

`suites/released.json` may be edited with the thresholds; the report of a published release cannot be edited here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelqa.errors import RecordError
from modelqa.files import canonical_json
from modelqa.record import Problem, Run
from modelqa.thresholds import Change, explained, loosened, stated


def threshold_changes(run: Run, previous: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """A row for each bar that changed since the last release: bar, before, now (as text), because, loosened.

    What a new gate demands is no change.
    Without a released report that holds bars, what became looser since the suites' own note of a release.
    """
    before, bars = (previous or {}).get("bars"), run.thresholds.get("bars", {})
    if not before:
        return [_row(Change(**row), loosened=True) for row in run.thresholds.get("loosened", ())]
    try:
        looser = {each.bar: each for each in explained(loosened(before, bars), run.thresholds.get("reasons", ()))}
    except (TypeError, ValueError, AttributeError, LookupError):
        raise RecordError(
            "the report at the target holds thresholds that cannot be compared",
            reason="they are of another form than any that modelqa writes",
            remedy="look at its modelqa/report.json, and roll back to a sound release first",
        ) from None
    changed = [name for name in sorted({*before, *looser}) if before.get(name) != bars.get(name)]
    rows = [looser.get(name, Change(name, before.get(name), bars.get(name))) for name in changed]
    return [_row(each, loosened=each.bar in looser) for each in rows]


def unexplained(changes: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """What became looser, and nothing says why."""
    for row in changes:
        if row["loosened"] and not row["because"]:
            text = f"{row['before'] or 'nothing'} at the last release, {row['now'] or 'nothing'} now, without a reason"
            yield Problem("release.loosened", row["bar"], text)


def edited_bars(run: Run, suites: Path) -> Iterator[Problem]:
    """A record whose thresholds are not those of the suites that it names by hash."""
    if canonical_json(stated(suites)) != canonical_json(dict(run.thresholds)):
        text = "the thresholds that the record states are not those of the suites' files"
        yield Problem("release.bars", "thresholds", text)


def _row(change: Change, *, loosened: bool) -> dict[str, Any]:
    values = {"before": _text(change.before), "now": _text(change.now)}
    return {"bar": change.bar, **values, "because": change.because, "loosened": loosened}


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else canonical_json(value)
