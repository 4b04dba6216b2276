"""Stopping early: the first cases of every gate are asked first, and a stream of cases whose gates all fail ends there.

Nothing here depends on what is selected or kept: which cases come first follows from the plan, and what ends from the
replies to them. See docs/decisions/0030.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from modelqa.gates import Case, Every, Stream
from modelqa.judge import fails_early
from modelqa.plugin.body import Body, ask_each, outcomes_of
from modelqa.plugin.plan import Planned
from modelqa.reply import Prompt, Reply

JUDGED_FROM = {"case", "reply"}  # a gate that asks for more is judged in its own item alone, where its fixtures are


@dataclass(frozen=True)
class Asked:
    """A gate of the candidate: its cases and prompts in their order; `head`: the places of those that come first."""

    entry: Planned
    cases: Sequence[Case]
    prompts: Sequence[Prompt]
    head: Sequence[int]

    @property
    def looks(self) -> tuple[int, ...]:
        """At how many cases it may be looked at: (first, all); () when only at all of them.

        The rate of a gate over `every` is looked at too, but ends no stream: it has none of its own.
        """
        early = is_rate(self.entry) and (ends_its_stream(self.entry) or stream_of(self.entry) is None)
        return (len(self.head), len(self.cases)) if early and len(self.head) < len(self.cases) else ()


def stream_of(entry: Planned) -> Stream | None:
    """The seeded stream that a gate's cases are drawn from; None for a file's cases and for those of other gates."""
    source = entry.spec.cases if entry.spec else None
    return None if source is None or isinstance(source, str | Every) else source


def is_rate(entry: Planned) -> bool:
    """Whether a gate proves a rate, case by case."""
    assert entry.spec is not None
    return entry.threshold is not None and not entry.plural and not entry.spec.informational


def ends_its_stream(entry: Planned) -> bool:
    """Whether a gate's first cases can decide it: it proves a rate on a stream, from case and reply alone."""
    wanted = set(inspect.signature(entry.function).parameters)
    return stream_of(entry) is not None and is_rate(entry) and wanted <= JUDGED_FROM


def first_keys(gates: Sequence[tuple[Planned, Sequence[Prompt]]], first: int | None) -> set[str] | None:
    """The keys of the prompts that are asked first: `first` of each stream's gates, and files whole; None: of all."""
    if first is None:
        return None
    return {
        prompt.key
        for entry, prompts in gates
        if entry.spec and not isinstance(entry.spec.cases, Every)
        for prompt in (prompts[:first] if stream_of(entry) else prompts)
    }


def ended(
    asked: Sequence[Asked], replies: Mapping[str, Reply], families: Callable[[Planned], Sequence[str]]
) -> set[Stream]:
    """The streams whose further cases are not drawn: every gate that can decide on one of them failed on its first.

    A stream on which no gate decides ends when all others did. `families`: the template family of each case of a gate.
    """
    failed: dict[Stream, bool] = {}
    for gate in asked:
        if (stream := stream_of(gate.entry)) and ends_its_stream(gate.entry):
            failed[stream] = failed.get(stream, True) and _fails(gate, replies, families(gate.entry))
    streams = {stream for gate in asked if (stream := stream_of(gate.entry))}
    rest = streams - failed.keys() if failed and all(failed.values()) else set()
    return {stream for stream, all_failed in failed.items() if all_failed} | rest


def _fails(gate: Asked, replies: Mapping[str, Reply], families: Sequence[str]) -> bool:
    entry = gate.entry
    assert entry.threshold is not None
    cases = [gate.cases[place] for place in gate.head]
    answers = ask_each(
        Body(entry.function, {}, entry.file), cases, [replies.get(gate.prompts[place].key) for place in gate.head]
    )
    outcomes = outcomes_of(cases, answers, [families[place] for place in gate.head], set())
    return fails_early(outcomes, threshold=entry.threshold, looks=gate.looks)


def drawn_places(gate: Asked, asked: Collection[str]) -> list[int]:
    """The places of the cases that count: all that were asked, or the first look's where only some were.

    One failure decides a gate that allows none, so it counts every reply there is.
    """
    there = [place for place, prompt in enumerate(gate.prompts) if prompt.key in asked]
    whole = len(there) == len(gate.prompts)
    zero_failures = gate.entry.threshold is not None and gate.entry.threshold >= 1.0
    return there if whole or zero_failures or not is_rate(gate.entry) else [p for p in there if p in set(gate.head)]
