"""Make every reply of a session once: the gate's cases to the model that it judges, and to those laid beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from modelqa.errors import GenerationError
from modelqa.files import write_jsonl
from modelqa.gates import BESIDE, Case, Stream, cases_sha256
from modelqa.plugin.keep import SessionFolder
from modelqa.plugin.lab import Lab
from modelqa.plugin.plan import Planned, family_names
from modelqa.plugin.stopping import Asked, drawn_places, ended, first_keys, stream_of
from modelqa.records import REPLIES, case_row, reply_row
from modelqa.reply import Prompt, Reply

Pair = tuple[str, Planned]  # who is asked a gate's cases

@dataclass
class Asking:
    """What was planned, who is asked it, and {role: {prompt key: reply}} once `prepare` has run.

    first  how many cases of each of the candidate's gates are asked before anything is decided; None: all
    """

    lab: Lab
    folder: SessionFolder
    planned: Sequence[Planned]
    cases: Mapping[str, list[Case]]
    deselected: Sequence[str] = ()
    first: int | None = None
    replies: dict[str, dict[str, Reply]] = field(default_factory=dict)
    ready: bool = False
    _prompts: dict[tuple[str, int], list[Prompt]] = field(default_factory=dict)
    _ended: set[Stream] = field(default_factory=set)

    def roles(self, entry: Planned) -> list[str]:
        """Who is asked a gate's cases: the model that it judges, and those to be laid beside it."""
        assert entry.spec is not None
        compared = entry.margin is not None and not entry.plural and any(other.compares for other in self.planned)
        beside = {*entry.spec.beside, *(["baseline"] if compared else [])} if entry.spec.of == "candidate" else set()
        return [entry.spec.of, *sorted(r for r in beside & self.lab.beside.keys() if self.lab.subject(r).chats)]

    def prompts(self, entry: Planned, role: str) -> list[Prompt]:
        """What the model in `role` is really asked, in the order of the gate's cases."""
        cases = self.cases[entry.name]
        key = (role, id(cases))  # gates of one rung's cases share the list, and it lives as long as this
        if key not in self._prompts:
            self._prompts[key] = [self.lab.prompt(role, case.messages) for case in cases]
        return self._prompts[key]

    def replies_to(self, entry: Planned, role: str) -> list[Reply | None]:
        """The replies to the gate's cases in their order; None where none was made."""
        made = self.replies.get(role, {})
        return [made.get(prompt.key) for prompt in self.prompts(entry, role)]

    def identity(self, entry: Planned) -> list[Any]:
        """What tells the cases of a gate from others: all that they say, and their order."""
        return [self.hashes[entry.name], [case.id for case in self.cases[entry.name]]]

    @cached_property
    def hashes(self) -> dict[str, str]:
        """{gate: hash of its cases}; a list that several gates share is hashed once."""
        lists = {id(cases): cases for cases in self.cases.values()}
        made = {number: cases_sha256(cases) for number, cases in lists.items()}
        return {gate: made[id(cases)] for gate, cases in self.cases.items()}

    def families(self, entry: Planned) -> list[str]:
        """The template family of each of the gate's cases."""
        cases = self.cases[entry.name]
        return list(self.lab.kept(["families", *self.identity(entry)], lambda: family_names(cases)))

    def looks(self, entry: Planned) -> tuple[int, ...]:
        """See `modelqa.record.GateResult.looks`."""
        return self._asked(entry).looks if self._stops(entry) else ()

    def drawn(self, entry: Planned) -> list[int]:
        """The places of the cases that were drawn, in order: all of them, unless the candidate's were cut short."""
        if not self._stops(entry):
            return list(range(len(self.cases[entry.name])))
        return drawn_places(self._asked(entry), self._drawn_keys)

    def is_whole(self, entry: Planned) -> bool:
        """Whether all of the gate's cases were drawn."""
        return len(self.drawn(entry)) == len(self.cases[entry.name])

    def prepare(self) -> None:
        """Make every reply that the selected gates need, once; `GenerationError` when an earlier attempt died.

        The controls come first, then the candidate, last those beside it, which are asked only what it was asked whole.
        """
        if self.ready:
            return
        if self.folder.marked("generating") and not self.folder.marked("generated"):
            raise GenerationError(
                "the worker that made the replies died",
                reason="without replies nothing can be said about the model",
                remedy="run again; the replies already made are kept",
            )
        self.folder.mark("generating")
        asked = [(role, entry) for entry in self._wanted for role in self.roles(entry)]
        for role in sorted({role for role, _ in asked}):
            own = [case.messages for each, entry in asked if each == role for case in self.cases[entry.name]]
            self.lab.render(role, own)
        self._ask([pair for pair in asked if pair[0] not in ("candidate", *BESIDE)])
        self._ask_candidate([pair for pair in asked if pair[0] == "candidate"])
        self._ask([pair for pair in asked if pair[0] in BESIDE], needed=self.is_whole)
        self._keep_replies([(role, entry) for role, entry in asked if self._needed(role, entry)])
        self.folder.mark("generated")
        self.ready = True

    def _ask_candidate(self, asked: Sequence[Pair]) -> None:
        """The first cases of all gates, then the rest of each stream, unless all its gates have failed."""
        if self._first_keys is None:
            self._ask(asked)
            return
        self._ask(asked, keys=self._first_keys)
        chosen = [self._asked(entry) for role, entry in asked if self._needed(role, entry)]
        self._ended |= ended(chosen, self.replies.get("candidate", {}), self.families)
        for stream, keys in self._rests.items():
            if stream not in self._ended:
                self._ask(asked, keys=keys)

    def _ask(
        self,
        asked: Sequence[Pair],
        *,
        keys: Collection[str] | None = None,
        needed: Callable[[Planned], bool] = lambda entry: True,
    ) -> None:
        """Make the replies of these gates to the prompts of `keys` (None: all), planned together, as far as needed."""
        for (role, length), entries in _by_role(asked).items():
            full = [p for e in entries for p in self.prompts(e, role) if keys is None or p.key in keys]
            chosen = [entry for entry in entries if self._needed(role, entry) and needed(entry)]
            wanted = {prompt.key for entry in chosen for prompt in self.prompts(entry, role)}
            wanted &= {prompt.key for prompt in full}
            made = self.lab.ask(role, full, needed=wanted, max_new_tokens=length) if wanted else {}
            self.replies.setdefault(role, {}).update(made)

    @cached_property
    def _wanted(self) -> list[Planned]:
        """The reply gates that this phase asks."""
        return [e for e in self.planned if e.spec and not e.later and self.lab.subject(e.spec.of).chats]

    @cached_property
    def _own(self) -> list[Planned]:
        return [entry for entry in self._wanted if entry.spec and entry.spec.of == "candidate"]

    @cached_property
    def _first_keys(self) -> set[str] | None:
        return first_keys([(entry, self.prompts(entry, "candidate")) for entry in self._own], self.first)

    @cached_property
    def _rests(self) -> dict[Stream, set[str]]:
        """{stream: keys of its prompts that do not come first}; one that two streams share belongs to the earlier."""
        rests: dict[Stream, set[str]] = {}
        taken = set(self._first_keys or ())
        for entry in self._own:
            if stream := stream_of(entry):
                keys = {prompt.key for prompt in self.prompts(entry, "candidate")} - taken
                rests.setdefault(stream, set()).update(keys)
                taken |= keys
        return rests

    @property
    def _drawn_keys(self) -> set[str]:
        going_on = (keys for stream, keys in self._rests.items() if stream not in self._ended)
        return set(self._first_keys or ()).union(*going_on)

    def _stops(self, entry: Planned) -> bool:
        return self._first_keys is not None and entry in self._own

    def _asked(self, entry: Planned) -> Asked:
        prompts = self.prompts(entry, "candidate")
        head = [place for place, prompt in enumerate(prompts) if prompt.key in (self._first_keys or ())]
        return Asked(entry, self.cases[entry.name], prompts, head)

    def _needed(self, role: str, entry: Planned) -> bool:
        """Whether the selection needs these replies: the gate's own, or the baseline's for a selected comparison."""
        assert entry.spec is not None
        if entry.node in self.deselected:
            return False
        compared = any(other.compares and other.node not in self.deselected for other in self.planned)
        return compared or role == entry.spec.of or role in entry.spec.beside

    def _keep_replies(self, asked: Sequence[Pair]) -> None:
        """One row for each question and model: what was asked, what was said, and whose cases it is."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for role, entry in asked:
            for case, prompt in zip(self.cases[entry.name], self.prompts(entry, role), strict=True):
                if (reply := self.replies[role].get(prompt.key)) is not None:
                    row = rows.setdefault((role, prompt.key), reply_row(role, prompt, reply))
                    row["cases"][entry.name] = case_row(case)
        if rows:
            write_jsonl(self.folder.path / REPLIES, (rows[key] for key in sorted(rows)), level=6)


def _by_role(asked: Sequence[Pair]) -> dict[tuple[str, int | None], list[Planned]]:
    """Entries by whom they ask and how long a reply may get: one model after the other."""
    groups: dict[tuple[str, int | None], list[Planned]] = {}
    for role, entry in sorted(asked, key=lambda pair: pair[0]):
        assert entry.spec is not None
        groups.setdefault((role, entry.spec.max_new_tokens), []).append(entry)
    return groups
