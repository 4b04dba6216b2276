"""Make every reply of a session once: the gate's cases to the model that it judges, and to those laid beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelqa.errors import GenerationError
from modelqa.files import write_jsonl
from modelqa.gates import Case
from modelqa.plugin.keep import SessionFolder
from modelqa.plugin.lab import Lab
from modelqa.plugin.plan import Planned
from modelqa.records import REPLIES, case_row, reply_row
from modelqa.reply import Prompt, Reply


@dataclass
class Asking:
    """What was planned, who is asked it, and {role: {prompt key: reply}} once `prepare` has run."""

    lab: Lab
    folder: SessionFolder
    planned: Sequence[Planned]
    cases: Mapping[str, list[Case]]
    deselected: Sequence[str] = ()
    replies: dict[str, dict[str, Reply]] = field(default_factory=dict)
    ready: bool = False
    _prompts: dict[tuple[str, int], list[Prompt]] = field(default_factory=dict)

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

    def prepare(self) -> None:
        """Make every reply that the selected gates need, once; `GenerationError` when an earlier attempt died."""
        if self.ready:
            return
        if self.folder.marked("generating") and not self.folder.marked("generated"):
            raise GenerationError(
                "the worker that made the replies died",
                reason="without replies nothing can be said about the model",
                remedy="run again; the replies already made are kept",
            )
        self.folder.mark("generating")
        wanted = [e for e in self.planned if e.spec and not e.later and self.lab.subject(e.spec.of).chats]
        asked = [(role, entry) for entry in wanted for role in self.roles(entry)]
        for role in sorted({role for role, _ in asked}):
            own = [case.messages for each, entry in asked if each == role for case in self.cases[entry.name]]
            self.lab.render(role, own)
        for (role, length), entries in _by_role(asked).items():
            full = [prompt for entry in entries for prompt in self.prompts(entry, role)]
            chosen = [entry for entry in entries if self._needed(role, entry)]
            needed = {prompt.key for entry in chosen for prompt in self.prompts(entry, role)}
            made = self.lab.ask(role, full, needed=needed, max_new_tokens=length)
            self.replies.setdefault(role, {}).update(made)
        self._keep_replies([(role, entry) for role, entry in asked if self._needed(role, entry)])
        self.folder.mark("generated")
        self.ready = True

    def _needed(self, role: str, entry: Planned) -> bool:
        """Whether the selection needs these replies: the gate's own, or the baseline's for a selected comparison."""
        assert entry.spec is not None
        if entry.node in self.deselected:
            return False
        compared = any(other.compares and other.node not in self.deselected for other in self.planned)
        return compared or role == entry.spec.of or role in entry.spec.beside

    def _keep_replies(self, asked: Sequence[tuple[str, Planned]]) -> None:
        """One row for each question and model: what was asked, what was said, and whose cases it is."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for role, entry in asked:
            for case, prompt in zip(self.cases[entry.name], self.prompts(entry, role), strict=True):
                if (reply := self.replies[role].get(prompt.key)) is not None:
                    row = rows.setdefault((role, prompt.key), reply_row(role, prompt, reply))
                    row["cases"][entry.name] = case_row(case)
        if rows:
            write_jsonl(self.folder.path / REPLIES, (rows[key] for key in sorted(rows)), level=6)


def _by_role(asked: Sequence[tuple[str, Planned]]) -> dict[tuple[str, int | None], list[Planned]]:
    """Entries by whom they ask and how long a reply may get: the controls first, the candidate last."""
    groups: dict[tuple[str, int | None], list[Planned]] = {}
    for role, entry in sorted(asked, key=lambda pair: (pair[0] == "candidate", pair[0])):
        assert entry.spec is not None
        groups.setdefault((role, entry.spec.max_new_tokens), []).append(entry)
    return groups
