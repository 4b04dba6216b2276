"""What is going to be asked: every gate that was collected, with its threshold and its cases.

A pure function of the suites' files, the phase and the case seed: each worker and each run comes to the same plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from modelqa import family, stats
from modelqa.errors import DataError, UsageError
from modelqa.gates import LADDER, Case, Every, Gate, read_cases
from modelqa.phases import TABLE, Later, Phases, read_phases, suite_files
from modelqa.plugin.code import suite_digest
from modelqa.thresholds import stated

POWER_CASES = 200  # a rate gate asks at least so many: about what 0.80 against 0.88 needs
Keep = Callable[[Any, Callable[[], Any], str], Any]  # identity, how it is made, hash of the code that makes it
STREAM_LIMIT = 100_000  # drawn from a stream before its `where` is called unsatisfiable


@dataclass(frozen=True)
class Planned:
    """One collected gate or check. `spec` is None for an ordinary test on files or measurements.

    function   the test's own; file: where it stands
    compares   whether it lays gates beside the baseline's
    threshold  the rate to prove, None when the gate has none (plural, informational, a check)
    margin     how much worse than the baseline is still no worse; None: not compared
    later      set when the phase table asks it only from a later phase on
    """

    name: str
    node: str
    rung: str
    spec: Gate | None
    plural: bool
    file: Path
    function: Callable[..., Any]
    threshold: float | None = None
    later: Later | None = None
    margin: float | None = None
    compares: bool = False

    @property
    def code(self) -> str:
        """The hash of the code of its suite."""
        return suite_digest(self.file.parent)


def rung_of(path: Path) -> str | None:
    """The rung of a test file: the nearest folder above it that is named like one."""
    return next((part for part in reversed(path.parts[:-1]) if part in LADDER), None)


def spec_of(item: pytest.Item) -> Gate | None:
    """The gate that an item's mark holds; None for an ordinary test."""
    mark = item.get_closest_marker("modelqa_gate")
    return mark.args[0] if mark else None


def compares(item: pytest.Item) -> bool:
    """Whether a test asks for the fixture `baseline`: it is judged after the gates of its rung."""
    return "baseline" in getattr(item, "fixturenames", ())


def plan(items: Sequence[pytest.Item], phase: str | None) -> tuple[list[Planned], Phases, str]:
    """(the plan in ladder order, the phase table, the phase) of all collected items."""
    tables = {path for item in items if (path := _table_of(item.path))}
    if len(tables) > 1:
        raise UsageError(
            "two phase tables apply: " + ", ".join(sorted(str(table) for table in tables)),
            reason="thresholds live in one table",
            remedy="run one suites folder at a time",
        )
    phases = read_phases(tables.pop()) if tables else Phases()
    if phase is not None and phases.order and phase not in phases.order:
        raise UsageError(
            f"the phase {phase!r} has no column in phases.toml",
            reason=f"the table knows {', '.join(phases.order)}",
            remedy="add the phase to the table, or mend the model's phase in models.toml",
        )
    chosen = phase or phases.default
    planned = [_planned(item, phases, chosen) for item in items]
    names = Counter(entry.name for entry in planned)
    if twice := [name for name, count in names.items() if count > 1]:
        raise UsageError(
            f"two gates are named {twice[0]!r}",
            reason="a gate's name is its row in the phase table and in the record",
            remedy="rename one of the tests",
        )
    return planned, phases, chosen


def _table_of(path: Path) -> Path | None:
    return next((table for folder in path.parents if (table := folder / TABLE).is_file()), None)


def suite_of(planned: Sequence[Planned]) -> dict[str, Any]:
    """What a record keeps of the suites folder, where the phase table lies: the hashes of its files, its thresholds."""
    table = next((found for entry in planned if (found := _table_of(entry.file))), None)
    if table is None:
        return {"suite": {}, "thresholds": {}}
    return {"suite": suite_files(table.parent), "thresholds": stated(table.parent)}


def _planned(item: pytest.Item, phases: Phases, phase: str) -> Planned:
    spec = spec_of(item)
    name = item.name.removeprefix("test_")
    entry = phases.entry(name, phase)
    return Planned(
        name=name,
        node=item.nodeid,
        rung=rung_of(item.path) or "behaviour",
        spec=spec,
        plural="replies" in getattr(item, "fixturenames", ()),
        file=item.path,
        function=getattr(item, "function", item.runtest),
        threshold=(
            spec.threshold if spec and spec.threshold is not None else entry if isinstance(entry, float) else None
        ),
        later=entry if isinstance(entry, Later) else None,
        margin=phases.margins.get(name),
        compares=compares(item),
    )


def draw(planned: Sequence[Planned], seed: int, keep: Keep) -> dict[str, list[Case]]:
    """{gate: its cases}, drawn as prefixes of the seeded streams; file checks have none.

    A gate of a later phase asks nothing and draws nothing. Whether this model's training data hold its cases is asked
    where it matters: of the model of that phase, whose ancestors' data are looked through too. A model of whom nothing
    is asked yet, a base, is held to the cases of all phases: its data are where every later model begins.

    `keep` is `Lab.kept`: a stream is drawn again only when its code, its seed or what is asked of it changed.
    """
    asked = [entry for entry in planned if entry.spec]
    due = any(not entry.later and _draws_for_behaviour(entry) for entry in asked)
    gates = [entry for entry in asked if not entry.later or not due]
    drawn: dict[str, list[Case]] = {}
    for entry in gates:
        if entry.spec and not isinstance(entry.spec.cases, Every):
            drawn[entry.name] = _draw(entry, entry.spec, seed, keep)
    rungs = {entry.name: entry.spec.cases.rung for entry in gates if entry.spec and isinstance(entry.spec.cases, Every)}
    unions = {rung: _union(gates, drawn, rung) for rung in set(rungs.values())}  # one list, however many gates ask it
    return drawn | {name: unions[rung] for name, rung in rungs.items()}


def _draws_for_behaviour(entry: Planned) -> bool:
    return entry.spec is not None and entry.rung == "behaviour" and not isinstance(entry.spec.cases, Every)


def _union(gates: Sequence[Planned], drawn: Mapping[str, list[Case]], rung: str) -> list[Case]:
    """The cases of the candidate's gates on a rung, each question once."""
    cases: dict[tuple[Any, ...], Case] = {}
    for entry in gates:
        if entry.spec and entry.rung == rung and entry.spec.of == "candidate" and entry.name in drawn:
            for case in drawn[entry.name]:
                cases.setdefault(_question(case), case)
    return list(cases.values())


def _question(case: Case) -> tuple[Any, ...]:
    return tuple((message["role"], message["content"]) for message in case.messages)


def _draw(entry: Planned, spec: Gate, seed: int, keep: Keep) -> list[Case]:
    if isinstance(spec.cases, str):
        cases = [case for case in read_cases(entry.file.parent / spec.cases) if _fits(case, spec)]
        _refuse_twins(entry.name, cases)
        return cases
    wanted = _count(entry, spec)
    identity = ["cases", entry.node, seed, wanted, dict(spec.where)]
    return [_case(row) for row in keep(identity, lambda: _first(entry, spec, seed, wanted), entry.code)]


def _first(entry: Planned, spec: Gate, seed: int, wanted: int) -> list[dict[str, Any]]:
    """The fields of the first cases of a stream that the gate asks for."""
    assert callable(spec.cases)
    stream = islice(spec.cases(seed), STREAM_LIMIT)
    cases = list(islice((case for case in stream if _fits(case, spec)), wanted))
    if len(cases) < wanted:
        raise DataError(
            f"{entry.name}: the case stream gave {len(cases)} of {wanted} cases",
            reason="a gate asks a fixed number of cases",
            remedy="make the stream longer, or lower n",
        )
    _refuse_twins(entry.name, cases)
    return [vars(case) for case in cases]


def _case(row: Mapping[str, Any]) -> Case:
    """A case from the JSON value of its fields, in which tuples are lists."""
    expect = row["expect"]
    texts = {"expect": tuple(expect) if isinstance(expect, list) else expect, "forbid": tuple(row["forbid"])}
    return Case(**{**row, **texts, "messages": tuple(row["messages"])})


def _fits(case: Case, spec: Gate) -> bool:
    return all(case.meta.get(key) == value for key, value in spec.where.items())


def _count(entry: Planned, spec: Gate) -> int:
    if spec.n is not None:
        return spec.n
    if entry.threshold is not None and entry.threshold >= 1.0:
        return stats.all_pass_cases(0.99)
    if entry.threshold is not None and spec.rate is not None:
        return max(POWER_CASES, stats.cases_needed(entry.threshold, spec.rate))
    if entry.later or (spec.rate is None and entry.threshold is not None):
        return POWER_CASES
    raise DataError(
        f"{entry.name}: nothing says how many cases to ask",
        reason="a seeded stream has no end, and the gate has neither n nor a threshold with a rate",
        remedy="give the gate n=..., or a row in phases.toml and rate=...",
    )


def _refuse_twins(gate: str, cases: Sequence[Case]) -> None:
    """`DataError` when two cases share an id or ask the same after normalisation: they would count twice."""
    ids = Counter(case.id for case in cases)
    asked = Counter(family.normalise(" ".join(str(part) for part in _question(case))) for case in cases)
    for what, counts in (("id", ids), ("question", asked)):
        if twice := [value for value, count in counts.items() if count > 1]:
            raise DataError(
                f"{gate}: two cases have the {what} {twice[0]!r}",
                reason="a case that is asked twice counts twice",
                remedy="make each case of a gate different",
            )


def family_names(cases: Sequence[Case]) -> list[str]:
    """The template family of each case, computed from its text (see `modelqa.family`), as a short name."""
    signatures = [family.signature(case.user, payload=case.payload, answer=case.answer or None) for case in cases]
    first: dict[int, str] = {}
    names = []
    for signature, number in zip(signatures, family.families(signatures), strict=True):
        names.append(first.setdefault(number, signature))
    return names
