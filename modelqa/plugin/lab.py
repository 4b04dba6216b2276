"""The models of one session - candidate, reference, random twin - and everything that is asked of them.

Replies and measurements are looked up by content before a model is loaded: a run that finds them all imports no torch.
One model is in memory at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import GenerationError, UsageError
from modelqa.files import canonical_json, read_object, sha256_file, sha256_text
from modelqa.gates import BESIDE, Case, no_evidence, not_asked
from modelqa.models import Model, Registry, ancestors, load_registry, relatives, resolve
from modelqa.parity import captured_problems
from modelqa.plugin.code import own_digest
from modelqa.plugin.engines import PROBE, Engines
from modelqa.plugin.subject import LabSettings, Subject, shipped_reference
from modelqa.plugin.versus import find_baseline, find_beside
from modelqa.record import Problem
from modelqa.records import Stored
from modelqa.reply import Prompt, Reply

if TYPE_CHECKING:
    from modelqa.generate import ReplyCache, ServedEngine, Setup


@dataclass
class Lab:
    """Who is judged and by which controls; `replies` and `measure` ask them, through one cache."""

    settings: LabSettings
    registry: Registry
    candidate: Subject
    engines: Engines
    _subjects: dict[str, Subject] = field(default_factory=dict)
    _made: dict[str, Reply] = field(default_factory=dict)
    _measured: set[str] = field(default_factory=set)
    _captured: list[Problem] | None = None

    @classmethod
    def open(cls, settings: LabSettings) -> Lab:
        """Find the candidate; `UsageError` or `CheckpointError` when there is none that can be judged."""
        registry = load_registry(settings.registry) if settings.registry else Registry()
        model = resolve(registry, settings.model)
        return cls(settings, registry, Subject("candidate", model, open_checkpoint(model.location)), Engines(settings))

    # -- who ---------------------------------------------------------------------------------------------------------

    def subject(self, role: str) -> Subject:
        """The model in `role`; random is the reference's shape with random weights, base the oldest ancestor."""
        if role == "candidate":
            return self.candidate
        if role not in self._subjects:
            model = self.beside[role] if role in BESIDE else self._base() if role == "base" else self._reference_model()
            self._subjects[role] = Subject(role, model, open_checkpoint(model.location))
        return self._subjects[role]

    @property
    def has_base(self) -> bool:
        """Whether the candidate's ancestors are declared back to a base model, which is then `subject("base")`."""
        line = ancestors(self.registry, self.candidate.model)
        return bool(line) and line[-1].stage == "base"

    def _base(self) -> Model:
        return ancestors(self.registry, self.candidate.model)[-1]

    @cached_property
    def baseline(self) -> Model | Stored | None:
        """What the candidate is compared with: see `modelqa.plugin.versus`."""
        return find_baseline(self.settings, self.registry, self.candidate.model)

    @cached_property
    def beside(self) -> dict[str, Model]:
        """{"baseline", "parent": the model}, as far as there are models in these roles."""
        return find_beside(self.baseline, self.registry.models.get(self.candidate.model.parent))

    def _reference_model(self) -> Model:
        own = self.candidate.model
        name = own.reference or self.registry.controls.get("reference", "")
        model = self.registry.models[name] if name else shipped_reference()
        if relatives(self.registry, own, model):
            raise UsageError(
                f"the reference {model.name!r} is a relative of {own.name!r}",
                reason="a fault that both share would stay unseen",
                remedy=f'give [models.{own.name}] a reference = "..." of another family',
            )
        return model

    def control_replies(self, role: str) -> dict[str, dict[str, Any]]:
        """{control: ids, margin} that plain unbatched `generate` gave, from control_replies.json beside the weights."""
        checkpoint = self.subject(role).checkpoint
        path = checkpoint.path / "control_replies.json"
        if not path.is_file():
            no_evidence(f"{path.name} beside the reference's weights, made by fixtures/plain_generate.py")
        made = read_object(path)
        if made.get("weights") != checkpoint.weights:
            no_evidence(f"{path.name} of these weights, not of others: fixtures/plain_generate.py makes it again")
        return dict(made["replies"])

    def served(self, role: str) -> ServedEngine | None:
        """The server's engine of a role; None when it is asked in this process."""
        subject = self.subject(role)
        if not subject.chats:
            return None
        self.render(role, [PROBE])
        return self.engines.served(subject, self.prompt(role, PROBE))

    # -- asking ------------------------------------------------------------------------------------------------------

    def messages(self, role: str, messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """The conversation as this model is asked it: with its declared system message, unless it brings its own."""
        system = self.subject(role).model.system
        own = any(message["role"] == "system" for message in messages)
        head = [{"role": "system", "content": system}] if system and not own else []
        return [*head, *(dict(message) for message in messages)]

    def prompt(self, role: str, messages: Sequence[Mapping[str, str]]) -> Prompt:
        """What the model in `role` is really asked."""
        asked = canonical_json(list(messages))
        if (role, asked) not in self._prompts:
            self._prompts[role, asked] = self.subject(role).chat.render(self.messages(role, messages))
        return self._prompts[role, asked]

    def render(self, role: str, conversations: Iterable[Sequence[Mapping[str, str]]]) -> None:
        """Have `prompt` of these conversations at hand: as an earlier run of the same files rendered them, or anew."""
        subject = self.subject(role)
        if subject.chat.uses_clock:
            return  # what it writes today is not what it wrote yesterday
        asked = {canonical_json(list(messages)): messages for messages in conversations}
        asked = {key: messages for key, messages in asked.items() if (role, key) not in self._prompts}
        if not asked:
            return
        identity = ["prompts", subject.checkpoint.digest, subject.model.system, list(asked)]
        prompts = (self.prompt(role, messages) for messages in asked.values())
        rows = self.kept(identity, lambda: [[prompt.ids, prompt.text] for prompt in prompts])
        self._prompts |= {(role, key): Prompt(tuple(ids), text) for key, (ids, text) in zip(asked, rows, strict=True)}

    @cached_property
    def _prompts(self) -> dict[tuple[str, str], Prompt]:
        return {}

    def replies(self, role: str, cases: Sequence[Case]) -> list[Reply]:
        """The replies to a few cases, in their order; made now when no gate has asked for them."""
        prompts = [self.prompt(role, case.messages) for case in cases]
        made = self.ask(role, prompts, needed={prompt.key for prompt in prompts}, max_new_tokens=None)
        if refused := [case.id for case, prompt in zip(cases, prompts, strict=True) if prompt.key not in made]:
            raise GenerationError(
                f"{len(refused)} prompts do not fit the model, {refused[0]} among them",
                reason="nothing is cut off silently",
                remedy="ask for fewer new tokens with --modelqa-max-new-tokens",
            )
        return [made[prompt.key] for prompt in prompts]

    def ask(
        self, role: str, prompts: Sequence[Prompt], *, needed: Collection[str], max_new_tokens: int | None
    ) -> dict[str, Reply]:
        """{prompt key: reply} for the `needed` prompts, from the cache or from the model; without those it refuses.

        Batches are planned with all of `prompts`, whatever is needed or cached: a reply does not depend on the
        selection. Each finished batch is kept at once, so that an interrupt loses at most one.
        """
        self.served(role)
        setup = self.engines.setup(self.subject(role), max_new_tokens or self.settings.max_new_tokens)
        planned = list({prompt.key: prompt for prompt in prompts}.values())
        keys = {prompt.key: setup.key(prompt) for prompt in planned}
        known = {key: self._made[long] for key, long in keys.items() if key in needed and long in self._made}
        if not self.settings.release:
            kept = self.cache.get_many([keys[key] for key in needed if key not in known])
            known |= {key: kept[keys[key]] for key in needed if keys[key] in kept}
        missing = [index for index, prompt in enumerate(planned) if prompt.key in needed and prompt.key not in known]
        known |= self._generate(role, planned, missing, setup)
        self._made |= {keys[key]: reply for key, reply in known.items()}
        return known

    def _generate(self, role: str, planned: Sequence[Prompt], missing: Sequence[int], setup: Setup) -> dict[str, Reply]:
        if not missing:
            return {}
        from tqdm import tqdm

        made: dict[str, Reply] = {}
        with tqdm(
            total=len(missing), desc=f"{role} {self.subject(role).model.name}", unit="reply", disable=None, leave=False
        ) as bar:
            batch: dict[str, Reply] = {}
            subject = self.subject(role)
            self.engines.exercised = True
            for index, reply in (self.served(role) or self.engines.local(subject)).replies(
                planned,
                max_new_tokens=setup.max_new_tokens,
                decode=subject.chat.decode,
                wanted=missing,
                progress=lambda count: self._keep(batch, count, bar),
            ):
                prompt = planned[index]
                made[prompt.key] = batch[setup.key(prompt)] = reply
            self._keep(batch, 0, bar)
        return made

    def _keep(self, batch: dict[str, Reply], count: int, bar: Any) -> None:
        """Put the replies of the batch before this one into the cache."""
        if batch:
            self.cache.put_many(batch)
            batch.clear()
        bar.update(count)

    def measure(
        self, function: Callable[..., Any], *values: Any, role: str = "candidate", dtype: str = "", **options: Any
    ) -> Any:
        """`function(engine, chat, *values, **options)`, kept by content of model, values and code.

        The engine is always the local one, in the session's arithmetic or in `dtype`: what is measured needs weights.
        Its two sides are always computed anew and never read from kept replies; a later run may read the numbers.
        """
        name = f"{function.__module__}.{function.__qualname__}"
        subject = self.subject(role)
        setup = self.engines.setup(subject, 0, local=True, dtype=dtype)
        asked = [asdict(setup), name, _plain(values), {k: _plain(v) for k, v in options.items()}]
        return self.kept(asked, lambda: function(self.engines.local(subject, dtype), subject.chat, *values, **options))

    def beside_server(self, prompts: Sequence[Prompt], *, max_new_tokens: int, floor: float) -> dict[str, Any]:
        """The candidate's replies of the server against those of its weights in this process, asked the same prompts.

        As `modelqa.parity.reply_differences`, and "unknown": how many the server gave no usable reply to.
        """
        setups = [asdict(self.engines.setup(self.candidate, max_new_tokens, local=here)) for here in (True, False)]
        compare = partial(self.engines.compare, self.candidate, prompts, max_new_tokens=max_new_tokens, floor=floor)
        return dict(self.kept(["beside_server", setups, _plain(prompts), floor], compare))

    def kept(self, identity: Any, make: Callable[[], Any], code: str = "") -> Any:
        """`make()`, a JSON value; or what an earlier run of the same code kept of the same `identity`, a JSON value.

        `code` is the hash of code outside modelqa that `make` runs. A release run makes everything anew, once.
        """
        key = sha256_text(canonical_json([identity, own_digest(), code]))
        found = None if self.settings.release and key not in self._measured else self.cache.measurement(key)
        if found is None:
            found = json.loads(canonical_json(make()))  # what a later run will read, to the order of its keys
            self.cache.put_measurement(key, found)
            self._measured.add(key)
        return found

    @cached_property
    def cache(self) -> ReplyCache:
        """The content-addressed store of replies and measurements."""
        from modelqa.generate import ReplyCache

        return ReplyCache(self.settings.home / "cache")

    # -- what training fed -------------------------------------------------------------------------------------------

    def captured_problems(self) -> list[Problem]:
        """How what training fed differs from what evaluation renders; see `modelqa.parity.captured_problems`."""
        if self._captured is None:
            if not self.candidate.chats:
                not_asked("a base model is trained on plain text: no template renders it")
            model, chat = self.candidate.model, self.candidate.chat
            if model.capture is None or not model.train:
                no_evidence(f"[models.{model.name}] train = [...] and capture = ..., from modelqa.training.Capture")
            files = [sha256_file(path) for path in (model.capture, *model.train)]
            identity = ["captured", chat.template_sha256, chat.tokenizer_sha256, files]
            found = self.kept(identity, lambda: [asdict(problem) for problem in self._compare_capture()])
            self._captured = [Problem(**problem) for problem in found]
        return self._captured

    def _compare_capture(self) -> list[Problem]:
        from modelqa.data.captured import read_capture
        from modelqa.data.rows import read_rows

        model = self.candidate.model
        assert model.capture is not None
        fed = read_capture(model.capture).episodes()
        rows = (row["messages"] for path in model.train for _, row in read_rows(path))
        return captured_problems(self.candidate.chat, fed, rows)


def _plain(value: Any) -> Any:
    """A JSON value that identifies an argument of a measurement."""
    if isinstance(value, Prompt):
        return value.key
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
