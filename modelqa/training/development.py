"""The development set: phrasings unseen in training with payloads of the "val" split, and how a model does on them.

Recipes are tuned on this and on nothing else. It is not the certification set, which is written by somebody else.
    python -m modelqa.training.development fixtures/checkpoints/phase3a2

Some 13,000 replies, so that one reply in a thousand that never ends is seen; other seeds draw as many others.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from modelqa.data import facts, pools
from modelqa.family import normalise

PHRASINGS = Path("fixtures/dev/phrasings.toml")
PAYLOADS = ("copy", "wrap", "extract", "echo")  # the behaviours whose answer is made of the prompt's own words
SYSTEM = "Be brief and exact."
ROWS = 24  # cases a phrasing: with 40 phrasings about 960 a behaviour
LONG_WORDS = 4  # of each payload of the behaviours "long ...": invented words, half of them alike, which copies lose
BATCH = 32
MARKED_END = re.compile(r"([\"'`|])\{P\}\1$")
CARRIED = 0.75
UNKNOWN = ("No.", "Unknown.", "Nein.", "Unbekannt.")  # what may be said of an invented word


@dataclass(frozen=True)
class Question:
    """One development case: `accept` are the right answers, `family` is its phrasing."""

    behaviour: str
    family: str
    user: str
    accept: tuple[str, ...]
    group: str = ""


def questions(phrasings: Mapping[str, Any], *, seed: int, rows: int = ROWS) -> list[Question]:
    """All cases of all behaviours."""
    rng = random.Random(seed)
    made = [*_copied(rng, phrasings, rows), *_long(rng, phrasings, rows), *_everyday(rng, phrasings["echo"], rows)]
    made.extend(_twice(random.Random(f"twice {seed}"), phrasings, rows // 2))
    for phrasing in phrasings["anti_echo"]:
        for _ in range(rows):
            word = pools.cased(rng, pools.nonce(rng, split="val"))
            made.append(Question("anti_echo", phrasing, phrasing.replace("{W}", word), UNKNOWN))
    for split in ("seen", "unseen"):
        for phrasing in phrasings["sums"]:
            for item in rng.sample(facts.sums(split), rows):
                user = phrasing.replace("{A}", str(item.a)).replace("{B}", str(item.b))
                made.append(Question(f"sums_{split}", phrasing, user, (item.reply,)))
    made.extend(_fact_questions(rng, phrasings["facts"], rows))
    return made


def _copied(rng: random.Random, phrasings: Mapping[str, Any], rows: int) -> Iterable[Question]:
    """Payloads of 1 to 4 words in turn."""
    for behaviour, phrasing, number in _turns(phrasings, rows):
        kind: pools.Kind = rng.choice(("words", "words", "nonce", "mixed"))
        payload = pools.payload(rng, split="val", words=1 + number % 4, kind=kind)
        yield _payload_question(rng, behaviour, phrasing, payload, phrasings["carriers"])


def _long(rng: random.Random, phrasings: Mapping[str, Any], rows: int) -> Iterable[Question]:
    """Invented words only, as many as a payload of the cases has at most."""
    for behaviour, phrasing, number in _turns(phrasings, rows):
        kind: pools.Kind = "alike" if number % 2 else "nonce"
        payload = pools.payload(rng, split="val", words=LONG_WORDS, kind=kind)
        asked = _payload_question(rng, behaviour, phrasing, payload, phrasings["carriers"])
        yield replace(asked, behaviour=f"long {behaviour}", group=kind)


def _twice(rng: random.Random, phrasings: Mapping[str, Any], rows: int) -> Iterable[Question]:
    """Payloads of 2 to 4 words, one of them said twice: a copy that goes by the last word alone runs in a circle."""
    for behaviour, phrasing, number in _turns(phrasings, rows):
        kind: pools.Kind = rng.choice(("words", "words", "nonce", "mixed"))
        payload = pools.payload(rng, split="val", words=2 + number % 3, kind=kind, repeat_share=1.0)
        asked = _payload_question(rng, behaviour, phrasing, payload, phrasings["carriers"])
        yield replace(asked, behaviour=f"twice {behaviour}", group=kind)


def _turns(phrasings: Mapping[str, Any], rows: int) -> Iterable[tuple[str, str, int]]:
    for behaviour in PAYLOADS:
        yield from ((behaviour, phrasing, number) for phrasing in phrasings[behaviour] for number in range(rows))


def _everyday(rng: random.Random, phrasings: Sequence[str], rows: int) -> Iterable[Question]:
    """Words that prompts begin with, said back in phrasings of echo; training says them in other phrasings."""
    for phrasing in phrasings:
        for word in rng.sample(pools.EVERYDAY, min(rows, len(pools.EVERYDAY))):
            yield replace(_payload_question(rng, "echo", phrasing, pools.cased(rng, word), ()),
                          behaviour="everyday echo")


def _payload_question(
    rng: random.Random, behaviour: str, phrasing: str, payload: str, carriers: Sequence[str]
) -> Question:
    """One payload in one phrasing; three of four marked payloads at a prompt's end stand inside a sentence."""
    accept: tuple[str, ...] = (f"[{payload}]",) if behaviour == "wrap" else (payload,)
    if behaviour == "echo":
        accept = (payload, f"{payload}.")
    template = phrasing
    marked = MARKED_END.search(phrasing)
    if behaviour == "extract" and marked and rng.random() < CARRIED:
        template = phrasing[: marked.start()] + rng.choice(carriers).replace("{M}", marked[0])
    group = f"{len(payload.split())} words" if behaviour != "extract" else "carried" if template != phrasing else "bare"
    return Question(behaviour, phrasing, template.replace("{P}", payload), accept, group)


def _fact_questions(rng: random.Random, table: Mapping[str, Sequence[str]], rows: int) -> Iterable[Question]:
    for kind, phrasings in table.items():
        known = [fact for fact in facts.FACTS if fact.key.startswith(f"{kind}:")]
        for phrasing in phrasings:
            for fact in rng.sample(known, min(rows, len(known))):
                subject, _, whole = fact.subject.partition("|")
                user = phrasing.replace("{S}", subject).replace("{T}", whole)
                yield Question("facts", phrasing, user, (fact.reply,), kind)


def replies(folder: Path, prompts: Sequence[str], *, system: str = SYSTEM) -> list[tuple[str, bool]]:
    """(answer text, whether it stopped) of each user prompt under a system text."""
    return answers(folder, [
        ({"role": "system", "content": system}, {"role": "user", "content": prompt}) for prompt in prompts
    ])  # fmt: skip


def answers(folder: Path, talks: Sequence[Sequence[dict[str, str]]]) -> list[tuple[str, bool]]:
    """(answer text, whether it stopped) of each conversation, greedy, in batches of 32 sorted by length."""
    import torch
    from transformers import GenerationConfig

    from modelqa.training.save import load_model
    from modelqa.training.stage import one_thread
    from modelqa.training.tokenizer import load_tokenizer

    one_thread()
    model, tokenizer = load_model(folder), load_tokenizer(folder)
    model.train(False)
    tokenizer.padding_side = "left"
    texts = [tokenizer.apply_chat_template(list(talk), tokenize=False, add_generation_prompt=True) for talk in talks]
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    found: dict[int, tuple[str, bool]] = {}
    settings = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=64, do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        batch = tokenizer([texts[index] for index in chosen], return_tensors="pt", padding=True,
                          add_special_tokens=False, return_token_type_ids=False)
        with torch.inference_mode():
            out = cast("Any", model).generate(**batch, generation_config=settings)
        for index, ids in zip(chosen, out[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            stop = ids.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in ids else None
            found[index] = (str(tokenizer.decode(ids[:stop], skip_special_tokens=False)).strip(), stop is not None)
    return [found[index] for index in range(len(texts))]


@dataclass(frozen=True)
class Score:
    """k of n for a behaviour, its weakest families first: (rate, phrasing, a wrong prompt and its reply)."""

    behaviour: str
    right: int
    total: int
    stopped: int
    families: tuple[tuple[float, str, str], ...]
    groups: Mapping[str, tuple[int, int]]

    def __str__(self) -> str:
        bad = sum(rate < 0.5 for rate, _, _ in self.families)
        return (
            f"{self.behaviour:13} {self.right:5}/{self.total:<5} {self.right / self.total:6.1%}  "
            f"not stopped {self.total - self.stopped:3}  families {len(self.families)}, under half right {bad}"
        )


def score(asked: Sequence[Question], answered: Sequence[tuple[str, bool]]) -> list[Score]:
    """One score a behaviour, in order of first appearance."""
    by: defaultdict[str, list[tuple[Question, str, bool]]] = defaultdict(list)
    for question, (text, stopped) in zip(asked, answered, strict=True):
        by[question.behaviour].append((question, text, stopped))
    return [_score(behaviour, rows) for behaviour, rows in by.items()]


def _score(behaviour: str, rows: Sequence[tuple[Question, str, bool]]) -> Score:
    families: defaultdict[str, list[bool]] = defaultdict(list)
    groups: defaultdict[str, list[bool]] = defaultdict(list)
    wrong: dict[str, str] = {}
    for question, text, stopped in rows:
        right = stopped and is_right(question, text)
        families[question.family].append(right)
        groups[question.group].append(right)
        if not right:
            wrong.setdefault(question.family, f"{question.user!r} -> {text!r}")
    rates = sorted((sum(v) / len(v), family, wrong.get(family, "")) for family, v in families.items())
    right_ones = sum(sum(v) for v in families.values())
    counts = {group: (sum(v), len(v)) for group, v in sorted(groups.items())}
    return Score(behaviour, right_ones, len(rows), sum(stopped for _, _, stopped in rows), tuple(rates), counts)


def is_right(question: Question, text: str) -> bool:
    """Exact for payloads; facts, sums and admissions of ignorance up to case and punctuation."""
    if question.behaviour.split()[-1] in PAYLOADS:
        return text in question.accept
    return normalise(text) in {normalise(answer) for answer in question.accept}


def parser(module: str, told: str) -> argparse.ArgumentParser:
    """The options of the commands that ask checkpoints a development set."""
    made = argparse.ArgumentParser(prog=f"python -m modelqa.training.{module}", description=told.splitlines()[0])
    made.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    made.add_argument("--seed", type=int, default=1, help="which cases are drawn (default 1)")
    made.add_argument("-v", "--verbose", action="store_true", help="show wrong replies")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores of the checkpoint folders named; `-v` adds the weak families."""
    options = parser("development", __doc__).parse_args(arguments)
    asked = questions(tomllib.loads(PHRASINGS.read_text(encoding="utf-8")), seed=options.seed)
    for folder in options.checkpoints:
        sys.stdout.write(f"{folder}\n")
        for found in score(asked, replies(folder, [question.user for question in asked])):
            sys.stdout.write(f"  {found}\n")
            if options.verbose:
                sys.stdout.write(f"      {', '.join(f'{group} {k}/{n}' for group, (k, n) in found.groups.items())}\n")
                sys.stdout.writelines(f"      {rate:.0%} {wrong}\n" for rate, _, wrong in found.families if rate < 0.9)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
