"""The instruction dataset: answer from a material, say what it does not say, cite, keep a format, obey who may order.

Six categories. Each holds its own contrast, so that no constant behaviour is right in it: questions with and without an
answer; orders in the material and orders of the user; a system rule with and without something to overrule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from random import Random
from typing import Any

from modelqa.data import contexts, phrasings, statements
from modelqa.data.altered import MOST, altered
from modelqa.data.contexts import RELATIONS, Fact
from modelqa.data.grammar import Split
from modelqa.data.rows import DEFAULT_SYSTEM, Row, prompt_of
from modelqa.data.templates_instructions import phrasings as templates
from modelqa.errors import UsageError

SIZE = 12_000  # rows
SHARES = {"context": 0.22, "citation": 0.11, "format": 0.24, "injection": 0.15, "hierarchy": 0.18, "turns": 0.10}
HEARD = ("Okay.",) * 8 + (
    "Yes.", "Good.", "I see.", "Understood.", "Fine.", "All right.", "Thank you.", "I know.", "Very good.", "Done.",
    "Right.",
)  # what is said to a note; mostly one thing, since the loss is taken on it
MOST_FACTS = 3  # in a material: two to four short sentences with the injected one
MAX_DRAWS = 200  # tries for one more new prompt
RECORDS: tuple[tuple[contexts.Value, ...], ...] = (("word", "word", "number"), ("word", "number", "number"))
"""What kinds of values a record holds: two of one kind, so that the kind alone tells nobody which is asked for."""
SAME_WORDS = 0.35  # of materials say the asked relation of both keys in the same words: a copy keeps to its sentence
MEANING = 0.2  # of the words of an order or a wish may be changed: more would leave nothing of what it means
SLIGHT = 0.12  # of those of a rule, which is lost with a word or two
FIXED = frozenset(relation.name for relation in RELATIONS)  # what is said of them is short, and may say more
RIVAL = 0.85  # of materials state the asked relation of another key too, so that the key has to be read


@dataclass(frozen=True)
class Talk:
    """One conversation, not yet a row: user and assistant texts in turn, and the system text when it is its own."""

    turns: tuple[str, ...]
    meta: dict[str, Any] = field(default_factory=dict)
    system: str | None = None


def rows(
    *,
    seed: int,
    n_examples: int | None = None,
    split: Split = "train",
    system: str = DEFAULT_SYSTEM,
    shares: Mapping[str, float] = SHARES,
) -> Iterator[Row]:
    """The rows, streamed in mixed order, no prompt twice.

    `shares` are weights of categories; one that is not named has no rows. `UsageError` of a category that is not known,
    and of weights that are negative or all 0.
    """
    _check(shares)
    rng = Random(f"instructions {split} {seed}")
    names, weights = list(shares), list(accumulate(shares.values()))
    seen: set[str] = set()
    for number in range(1, (SIZE if n_examples is None else n_examples) + 1):
        category = rng.choices(names, cum_weights=weights)[0]
        yield _new_row(rng, category, f"instructions-{split}-{number:06d}", split, system, seen)


def _check(shares: Mapping[str, float]) -> None:
    weights = shares.values()
    if set(shares) - set(SHARES) or not (all(0 <= weight < math.inf for weight in weights) and sum(weights) > 0):
        raise UsageError(
            f"the shares {dict(shares)!r} are no weights of categories",
            reason=f"the categories are {', '.join(SHARES)}, a weight is a number from 0 up, and one is above 0",
            remedy="correct the names and weights",
        )


def _new_row(rng: Random, category: str, identity: str, split: Split, system: str, seen: set[str]) -> Row:
    for _ in range(MAX_DRAWS):
        talk = _MAKERS[category](rng, split)
        row = _row(talk, identity, category, system)
        if (prompt := prompt_of(row)) not in seen:
            seen.add(prompt)
            return row
    raise UsageError(
        f"after {len(seen)} rows no new {category} prompt was found",
        reason="no prompt may stand twice, and the material is used up",
        remedy="ask for fewer rows (--n_examples)",
    )


def _row(talk: Talk, identity: str, category: str, system: str) -> Row:
    head = system if talk.system is None else talk.system
    roles = ("user", "assistant") * (len(talk.turns) // 2)
    turns = [{"role": role, "content": text} for role, text in zip(roles, talk.turns, strict=True)]
    first = [{"role": "system", "content": head}] if head else []
    return {"id": identity, "messages": [*first, *turns], "meta": {"category": category, "language": "en", **talk.meta}}


@dataclass(frozen=True)
class _Material:
    """Facts with one that is asked about, and their sentences in order; `held` forms are those of validation."""

    facts: list[Fact]
    asked: Fact
    sentences: list[str]
    question: str

    @property
    def answer(self) -> str:
        """The sentence that answers the question."""
        return self.sentences[self.facts.index(self.asked)]


def _relation(rng: Random, split: Split) -> contexts.Relation:
    """Validation has the fixed relations in forms of their own; training has hundreds more."""
    if split == "val":
        return rng.choice(RELATIONS)
    drawn = statements.draw(rng)
    says, asks = (tuple(altered(rng, text) for text in texts) for texts in (drawn.says, drawn.asks))
    return replace(drawn, says=says, asks=asks)


def _template(rng: Random, kind: str, split: Split, most: float = MOST) -> str:
    """A template of one kind; in training with some of its words changed."""
    return _changed(rng, rng.choice(templates(kind, split)), split, most)


def _changed(rng: Random, template: str, split: Split, most: float) -> str:
    return altered(rng, template, most) if split == "train" else template


def _wish(rng: Random, split: Split) -> str:
    """How a user asks for `{X}` or `{P}`, whatever the rules."""
    template = rng.choice(templates("override", split) if rng.random() < 0.5 else phrasings.copying(split))
    return _changed(rng, template, split, MEANING)


def _statement(rng: Random, fact: Fact, split: Split) -> str:
    told = contexts.statement(rng, fact, held=split == "val")
    return statements.later(rng, told) if split == "train" and fact.relation.name in FIXED else told


def _material(rng: Random, split: Split) -> _Material:
    """One to three facts of keys of their own, one of which is asked about."""
    relation = _relation(rng, split)
    if split == "train" and rng.random() < SAME_WORDS:
        relation = replace(relation, says=relation.says[:1])
    first = contexts.draw(rng, 1, split=split, relations=[relation])
    facts = first + ([contexts.rival(rng, first[0], split=split, taken=first)] if rng.random() < RIVAL else [])
    while len(facts) < MOST_FACTS and rng.random() < 0.6:
        extra = contexts.draw(rng, 1, split=split, relations=[_relation(rng, split)])[0]
        if extra.key not in {fact.key for fact in facts} and extra.value not in {fact.value for fact in facts}:
            facts.append(extra)
    rng.shuffle(facts)
    sentences = [_statement(rng, fact, split) for fact in facts]
    return _Material(facts, first[0], sentences, contexts.question(rng, first[0], held=split == "val"))


def _fill(template: str, **texts: str) -> str:
    """The template with `{C}`, `{Q}`, ... replaced in one pass: what is put in is never looked into."""
    for name, text in texts.items():
        template = template.replace(f"{{{name}}}", text)
    return template


def _joined(rng: Random, sentences: list[str]) -> str:
    return rng.choice((" ", " ", "\n")).join(sentences)


def _context(rng: Random, split: Split) -> Talk:
    """A question that the material answers, or does not."""
    made = _material(rng, split)
    template = _template(rng, "frame", split)
    known = rng.random() < 0.5
    question, answer = made.question, made.answer
    if not known:
        missing = contexts.rival(rng, made.asked, split=split, taken=made.facts)
        question = contexts.question(rng, missing, held=split == "val")
        answer = f"{missing.key[0].upper()}{missing.key[1:]} is unknown."
    text = _joined(rng, made.sentences)
    meta = {"kind": "known" if known else "unknown", "template": template, "payload": text}
    return Talk((_fill(template, C=text, Q=question), answer), meta)


def _citation(rng: Random, split: Split) -> Talk:
    """Numbered sources; the answer and the number of the one that gives it."""
    made = _material(rng, split)
    numbers = range(1, len(made.sentences) + 1)
    sources = "\n".join(f"{text} [{number}]" for number, text in zip(numbers, made.sentences, strict=True))
    template = _template(rng, "cited", split)
    cited = made.facts.index(made.asked) + 1
    user = _fill(template, C=sources, Q=made.question)
    meta = {"kind": f"source {cited}", "template": template, "payload": sources}
    return Talk((user, f"{made.answer} [{cited}]"), meta)


def _format(rng: Random, split: Split) -> Talk:
    """One bare word or number of a record, or a JSON object of one or two of its fields."""
    kind = rng.choice(("word", "word", "number", "number", "object", "object", "object"))
    return _object(rng, split) if kind == "object" else _bare(rng, split, kind)


def _record(rng: Random, split: Split, values: Sequence[contexts.Value]) -> tuple[list[Fact], str]:
    """Facts about the same with values of these kinds, shuffled, and the record that holds them."""
    used: set[str] = set()
    named = statements.fields(rng, values, known=split == "val")
    facts = [Fact(relation, "", contexts.value(rng, relation.value, split, used)) for relation in named]
    rng.shuffle(facts)
    return facts, contexts.record(rng, facts)


def _bare(rng: Random, split: Split, kind: str) -> Talk:
    """One of two words (or numbers) of a record is asked for, and nothing around it."""
    facts, text = _record(rng, split, next(values for values in RECORDS if values.count(kind) == 2))
    asked = rng.choice([fact for fact in facts if fact.relation.value == kind])
    template = _template(rng, kind, split)
    user = _fill(template, C=text, Q=contexts.field_question(rng, asked, held=split == "val"))
    return Talk((user, asked.value), {"kind": kind, "template": template, "payload": text})


def _object(rng: Random, split: Split) -> Talk:
    """Fields of a record as JSON, in the order in which they are asked for."""
    facts, text = _record(rng, split, rng.choice(RECORDS))
    asked = rng.sample(facts, rng.choice((1, 2)))
    template = _template(rng, "object", split)
    names = [fact.relation.name for fact in asked]
    user = _fill(template, C=text, F=" and the ".join(names), N=" and ".join(f'"{name}"' for name in names))
    said = {f.relation.name: int(f.value) if f.relation.value == "number" else f.value for f in asked}
    meta = {"kind": f"object of {len(asked)}", "template": template, "payload": text}
    return Talk((user, json.dumps(said, ensure_ascii=False)), meta)


def _injection(rng: Random, split: Split) -> Talk:
    """A material with an order in it, one without, and an order of the user himself."""
    made = _material(rng, split)
    other = contexts.value(rng, "word", split, {fact.value for fact in made.facts})
    kind = rng.choice(("injected", "injected", "harmless", "direct", "direct"))
    sentences, request, answer = list(made.sentences), made.question, made.answer
    if kind == "injected":
        order = _fill(_template(rng, "order", split, MEANING), X=other)
        sentences.insert(rng.randint(0, len(sentences)), order)
    elif kind == "direct":
        request, answer = _fill(_template(rng, "direct", split, MEANING), X=other), other
    template, text = _template(rng, "material", split), _joined(rng, sentences)
    meta = {"kind": kind, "template": template, "payload": text, "ordered": "" if kind == "harmless" else other}
    return Talk((_fill(template, C=text, Q=request), answer), meta)


def _hierarchy(rng: Random, split: Split) -> Talk:
    """A user's request under a system rule that overrules it, and under a system text that does not."""
    used: set[str] = set()
    ruled, wanted = (contexts.value(rng, "word", split, used) for _ in range(2))
    overruled = rng.random() < 0.5
    spoken = _template(rng, "rule", split, SLIGHT) if overruled else _template(rng, "neutral", split)
    system = _fill(spoken, P=ruled)
    template = _wish(rng, split)
    user = _fill(template, X=wanted, P=wanted)
    meta = {"kind": "conflict" if overruled else "agreed", "template": template, "payload": wanted}
    return Talk((user, ruled if overruled else wanted), meta, system)


def _turns(rng: Random, split: Split) -> Talk:
    """What an earlier turn said is asked for in a later one; or something else is, and the earlier turn is let be."""
    made = _material(rng, split)
    kind = rng.choice(("earlier", "other"))
    told = [_fill(_template(rng, "note", split), C=sentence) for sentence in made.sentences]
    before = [text for note in told for text in (note, rng.choice(HEARD))]
    if kind == "earlier":
        question = _fill(_template(rng, "recall", split), Q=made.question)
        return Talk((*before, question, made.answer), {"kind": kind, "payload": made.asked.value})
    wanted = contexts.value(rng, "word", split, {fact.value for fact in made.facts})
    template = _wish(rng, split)
    request = _fill(template, X=wanted, P=wanted)
    return Talk((*before, request, wanted), {"kind": kind, "payload": wanted})


_MAKERS: dict[str, Callable[[Random, Split], Talk]] = {
    "context": _context, "citation": _citation, "format": _format,
    "injection": _injection, "hierarchy": _hierarchy, "turns": _turns,
}  # fmt: skip
