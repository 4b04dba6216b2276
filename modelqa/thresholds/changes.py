"""What of one set of bars is demanded less strictly in another, and along a line of phases. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from modelqa.files import canonical_json
from modelqa.thresholds.bars import ASKED_FROM, JUDGED, PHASE_ORDER, Bars

_MORE_IS_STRICTER = ("mostly", "min_value", "threshold")
_MORE_IS_LOOSER = ("margin", "tolerance", "max_value")


@dataclass(frozen=True)
class Change:
    """A bar that became looser: its values before and now (None: not there), the ledger's reason ("" without one)."""

    bar: str
    before: Any
    now: Any
    because: str = ""

    @property
    def text(self) -> str:
        """ "echo_basic/phase3a1_beta: 0.8 -> 0.6 (measured 75%)"."""
        why = f" ({self.because})" if self.because else ", and nothing says why"
        return f"{self.bar}: {self.values}{why}"

    @property
    def values(self) -> str:
        """ "0.8 -> 0.6"."""
        return f"{_shown(self.before)} -> {_shown(self.now)}"


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else canonical_json(value)


def loosened(before: Bars, now: Bars) -> list[Change]:
    """What is demanded less strictly `now`, by name; what cannot be told to be stricter counts as looser."""
    order = now.get(PHASE_ORDER, [])
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return [Change(name, before.get(name), now.get(name)) for name in names if _is_looser(name, before, now, order)]


def _is_looser(name: str, before: Bars, now: Bars, order: Sequence[str]) -> bool:
    owner, _, key = name.rpartition("/")
    if name not in before:  # a new gate loosens nothing; one that is there may be let off by a new bar
        let_off = str(now[name]).startswith(ASKED_FROM) or (key == "threshold" and now[name] is not None)
        return let_off and f"gates/{owner}" in before
    old = before[name]
    if name not in now:
        return not (str(old).startswith(ASKED_FROM) or key == "allows" or old is None)
    new = now[name]
    if name == PHASE_ORDER:
        return list(old) != [phase for phase in new if phase in old]
    if owner == "gates":
        return bool(old == JUDGED)
    if key == "severity":
        return bool(new != "critical")
    if key == "allows":
        return bool(set(new) - set(old))
    if key == "floors":
        return any(floor > new.get(group, 0) for group, floor in old.items())
    return _lower(key, old, new, order) if owner and old is not None else True


def _lower(key: str, old: Any, new: Any, order: Sequence[str]) -> bool:
    """Whether an entry of the phase table, a margin or a number of an expectation became looser."""
    later = [str(each).removeprefix(ASKED_FROM) if str(each).startswith(ASKED_FROM) else "" for each in (old, new)]
    if all(later):
        return not set(later) <= set(order) or order.index(later[1]) > order.index(later[0])
    if any(later):
        return bool(later[1])
    if not all(isinstance(each, int | float) for each in (old, new)):
        return True
    if key in _MORE_IS_LOOSER:
        return bool(new > old)
    return bool(new < old) if key in (*_MORE_IS_STRICTER, *order) else True


def loosened_along(bars: Bars, phases: Sequence[str]) -> list[Change]:
    """What a later one of `phases`, a line of training from its beginning, demands less than one before it."""
    found = []
    for gate in sorted(name.removeprefix("gates/") for name in bars if name.startswith("gates/")):
        strictest: float | None = None
        for phase in phases:
            name = f"{gate}/{phase}"
            entry = bars.get(name)
            if strictest is not None and (not isinstance(entry, int | float) or entry < strictest):
                found.append(Change(name, strictest, entry))
            elif isinstance(entry, int | float):
                strictest = float(entry)
    return found


def explained(changes: Iterable[Change], reasons: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The changes with the reason of the last row that is about this bar at this value."""
    because = {(row["bar"], canonical_json(row.get("now"))): str(row["because"]) for row in reasons}
    return [replace(each, because=because.get((each.bar, canonical_json(each.now)), "")) for each in changes]
