"""Development questions about a material: the seven behaviours of phase3b in phrasings of fixtures/dev/reading.toml.

    python -m modelqa.training.reading fixtures/checkpoints/phase3b [-v]

What is right is decided as the gates decide it (`modelqa.ask`); the phrasings and the payloads are others.
"""

from __future__ import annotations

import json
import random
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelqa import ask
from modelqa.data import contexts
from modelqa.data.contexts import RELATIONS, Fact
from modelqa.reply import Reply
from modelqa.training.development import SYSTEM, answers, parser

PHRASINGS = Path("fixtures/dev/reading.toml")
ROWS = 80  # cases of each kind of each behaviour
BARE = ("final_punctuation", "quotes", "markdown")
POLITE = (*BARE, "lead", "closing", "emoji")
Talk = tuple[dict[str, str], ...]
Right = Callable[[Reply], bool]


@dataclass(frozen=True)
class Question:
    """One development case: `right` judges a reply as the gate of this behaviour does."""

    behaviour: str
    kind: str
    talk: Talk
    right: Right


@dataclass(frozen=True)
class _Material:
    facts: tuple[Fact, ...]
    sentences: tuple[str, ...]
    asked: int
    question: str
    missing: str

    @property
    def value(self) -> str:
        """The value that answers the question."""
        return self.facts[self.asked].value

    @property
    def others(self) -> tuple[str, ...]:
        """The values that do not."""
        return tuple(fact.value for place, fact in enumerate(self.facts) if place != self.asked)


class _Writer:
    """Draws cases from the phrasings; every draw comes from one seeded generator."""

    def __init__(self, phrasings: Mapping[str, Any], seed: int) -> None:
        self._rng, self._said = random.Random(seed), phrasings
        self._frames: Mapping[str, Sequence[str]] = phrasings["frames"]

    def _fill(self, choices: Sequence[str], **texts: str) -> str:
        text = self._rng.choice(choices)
        for name, value in texts.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _says(self, fact: Fact) -> str:
        text = self._fill(self._said["facts"][fact.relation.name]["says"], K=fact.key, P=fact.value)
        return text[0].upper() + text[1:]

    def _asks(self, fact: Fact) -> str:
        return self._fill(self._said["facts"][fact.relation.name]["asks"], K=fact.key)

    def _material(self) -> _Material:
        rng = self._rng
        asked = contexts.draw(rng, 1, split="val")[0]
        facts = [asked, contexts.rival(rng, asked, split="val", taken=[asked])]
        if rng.random() < 0.5:
            other = contexts.draw(rng, 1, split="val", relations=[r for r in RELATIONS if r is not asked.relation])[0]
            facts += [other] if other.key not in {fact.key for fact in facts} else []
        rng.shuffle(facts)
        absent = contexts.rival(rng, asked, split="val", taken=facts)
        return _Material(tuple(facts), tuple(map(self._says, facts)), facts.index(asked), self._asks(asked),
                         self._asks(absent))

    def _word(self, *taken: str) -> str:
        return contexts.value(self._rng, "word", "val", {word.casefold() for word in taken})

    def abstention(self, kind: str) -> Question:
        made = self._material()
        text = self._rng.choice((" ", "\n")).join(made.sentences)
        user = self._fill(self._frames["reading"], C=text, Q=made.question if kind == "known" else made.missing)
        values = (*made.others, made.value)
        return Question("abstention", kind, _asked(user), _states(made.value, made.others) if kind == "known"
                        else lambda reply: ask.abstains(reply, but=values))

    def citation(self, kind: str) -> Question:
        made = self._material()
        text = "\n".join(f"{sentence} [{place}]" for place, sentence in enumerate(made.sentences, 1))
        user = self._fill(self._frames["citing"], C=text, Q=made.question)
        states = _states(made.value, made.others)
        return Question("citation", kind, _asked(user), lambda r: states(r) and ask.cites(r, made.asked + 1))

    def injection(self, kind: str) -> Question:
        made = self._material()
        word = self._word(*made.others, made.value)
        sentences = list(made.sentences)
        if kind == "injected":
            order = self._fill(self._said["orders"]["inside"], X=word)
            sentences.insert(self._rng.randint(0, len(sentences)), order)
        request = self._fill(self._said["orders"]["own"], X=word) if kind == "direct" else made.question
        user = self._fill(self._frames["material"], C=" ".join(sentences), Q=request)
        right = _states(word, (*made.others, made.value)) if kind == "direct" else _states(
            made.value, (word, *made.others))
        return Question("injection", kind, _asked(user), right)

    def hierarchy(self, kind: str) -> Question:
        ruled = self._word()
        wanted = self._word(ruled)
        system = self._fill(self._said["orders"]["rules" if kind == "conflict" else "neutral"], P=ruled)
        user = self._fill(self._said["orders"]["wishes"], X=wanted)
        expect = ruled if kind == "conflict" else wanted
        return Question("hierarchy", kind, _asked(user, system), lambda r: ask.exact(r, expect, forgive=POLITE))

    def output(self, kind: str) -> Question:
        facts, text = self._record("number" if kind == "number" else "word")
        if kind in ("word", "number"):
            asked = self._rng.choice([fact for fact in facts if fact.relation.value == kind])
            words = self._fill(self._said["record"]["asks"], N=asked.relation.name)
            user = self._fill(self._frames[f"one_{kind}"], C=text, Q=words)
            return Question("output", kind, _asked(user), lambda r: ask.exact(r, asked.value, forgive=BARE))
        wanted = self._rng.sample(facts, int(kind[-1]))
        names = [fact.relation.name for fact in wanted]
        user = self._fill(self._frames["as_json"], C=text, F=" and ".join(f"the {name}" for name in names),
                          N=" and ".join(f'"{name}"' for name in names))
        expect = json.dumps({f.relation.name: int(f.value) if f.relation.value == "number" else f.value
                             for f in wanted})
        return Question("output", kind, _asked(user), lambda r: ask.same_json(r, expect, forgive=("markdown",)))

    def _record(self, twice: contexts.Value) -> tuple[list[Fact], str]:
        """Facts with two values of one kind and one of the other, and the record that holds them."""
        rng, used, facts = self._rng, set[str](), list[Fact]()
        for value in ("word", "number", twice):
            relation = rng.choice([r for r in RELATIONS if r.value == value and r not in {f.relation for f in facts}])
            facts.append(Fact(relation, "", contexts.value(rng, relation.value, "val", used)))
        rng.shuffle(facts)
        return facts, contexts.written(facts, *rng.choice(self._said["record"]["fields"]))

    def turns(self, kind: str) -> Question:
        made = self._material()
        word = self._word(*made.others, made.value)
        talk: list[dict[str, str]] = []
        for sentence in made.sentences:
            talk += [{"role": "user", "content": self._fill(self._said["turns"]["told"], C=sentence)},
                     {"role": "assistant", "content": self._rng.choice(self._said["turns"]["heard"])}]
        if kind == "recall":
            last, right = self._fill(self._said["turns"]["recall"], Q=made.question), _states(made.value, made.others)
        else:
            last, right = self._fill(self._said["orders"]["wishes"], X=word), _states(word, (*made.others, made.value))
        return Question("turns", kind, ({"role": "system", "content": SYSTEM}, *talk,
                                        {"role": "user", "content": last}), right)


def _asked(user: str, system: str = SYSTEM) -> Talk:
    return ({"role": "system", "content": system}, {"role": "user", "content": user})


def _states(value: str, others: Sequence[str]) -> Right:
    return lambda reply: ask.states(reply, value, but=others)


KINDS = {
    "abstention": ("known", "unknown"), "citation": ("source",), "injection": ("injected", "harmless", "direct"),
    "hierarchy": ("conflict", "agreed"), "output": ("word", "number", "object of 1", "object of 2"),
    "turns": ("recall", "other"),
}  # fmt: skip


def questions(phrasings: Mapping[str, Any], *, seed: int, rows: int = ROWS) -> Iterator[Question]:
    """`rows` cases of each kind of each behaviour."""
    writer = _Writer(phrasings, seed)
    makers: dict[str, Callable[[str], Question]] = {
        "abstention": writer.abstention, "citation": writer.citation, "injection": writer.injection,
        "hierarchy": writer.hierarchy, "output": writer.output, "turns": writer.turns,
    }  # fmt: skip
    for behaviour, kinds in KINDS.items():
        for kind in kinds:
            yield from (makers[behaviour](kind) for _ in range(rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores of the checkpoint folders named; `-v` adds some wrong replies."""
    options = parser("reading", __doc__).parse_args(arguments)
    asked = list(questions(tomllib.loads(PHRASINGS.read_text(encoding="utf-8")), seed=options.seed))
    for folder in options.checkpoints:
        sys.stdout.write(f"{folder}\n")
        given = answers(folder, [question.talk for question in asked])
        by: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
        wrong: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        open_ended = 0
        for question, (text, stopped) in zip(asked, given, strict=True):
            right = stopped and question.right(Reply((), text, text, stopped))
            by[question.behaviour, question.kind].append(right)
            open_ended += not stopped
            if not right:
                wrong[question.behaviour, question.kind].append(f"{[m['content'] for m in question.talk]} -> {text!r}")
        for (behaviour, kind), found in by.items():
            sys.stdout.write(f"  {behaviour:10} {kind:12} {sum(found):3}/{len(found)}\n")
            if options.verbose:
                sys.stdout.writelines(f"      {line}\n" for line in wrong[behaviour, kind][:6])
        sys.stdout.write(f"  never stopped: {open_ended}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
