"""Defects of results that another harness measured. The healthy half of each pair declares the tables made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelqa.benchmarks.result import Item, Result, ResultSet, complete, rows_path, write_results
from modelqa.files import write_json, write_jsonl
from modelqa.mutants.captures import first_fed_otherwise
from modelqa.mutants.datasets import rows_of
from modelqa.mutants.kind import WARNED, Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.scaling import parameters

Table = dict[str, Result]
SMALLER = "smaller"  # a shipped model that costs less; it is the parent's checkpoint under another name
TEXT, OTHER_TEXT = "a" * 64, "b" * 64  # hashes of two held-out texts
LINES = 500  # of either text
LINE = (-6.35, -5.6, -4.91)  # points that three smaller members of a family lost to chat tuning
ON_LINE, OFF_LINE = -4.2, 2.04  # what the largest member is said to have lost, and gained
ABLATED = (-3.36, -3.24)  # what it lost when it was trained again with the evaluated template
SOURCE = {"tool": "lm_eval", "version": "0.4.13", "files": {}}


def rate(task: str, value: float, n: int = 1000, *, control: str = "", stated: float = 0.25) -> Result:
    """A share of right answers on four options, as a table states it."""
    return complete(Result("", task, "acc", value, n=n, stated=stated, control=control))


def asked(task: str, gold: str, options: tuple[int, ...], wrong_every: int = 5, **fields: object) -> Result:
    """A result with its questions: one for each letter of `gold`; every fifth is answered with the next letter."""
    items = []
    for number, letter in enumerate(gold):
        count = options[number % len(options)]
        wrong = number % wrong_every == 0
        given = chr(ord("A") + (ord(letter) - ord("A") + 1) % count) if wrong else letter
        items.append(Item(str(number), float(given == letter), letter, given, count, f"{task} {number}"))
    score = sum(item.score or 0.0 for item in items) / len(items)
    return complete(replace(Result("", task, "acc", score, items=tuple(items)), **fields))  # type: ignore[arg-type]


def loss(task: str, value: float, *, metric: str = "perplexity", text: str = TEXT, tokenizer: str = "own") -> Result:
    """A perplexity, or another number of which less is better, on a text."""
    unit = "perplexity" if metric == "perplexity" else "score"
    return complete(Result("", task, metric, value, unit=unit, n=LINES, items_sha256=text, tokenizer=tokenizer,
                           higher_is_better=False))  # fmt: skip


def healthy_table() -> Table:
    """What the model is said to score: nothing in it can be objected to."""
    return {
        "quiz": rate("quiz", 0.62), "rotated": rate("quiz", 0.61, control="rotated"),
        "options_only": rate("quiz", 0.27, control="options_only"),
        "exam": rate("exam", 0.55), "rationales": rate("rationales", 0.362, 2500),
        "arc": rate("arc_easy", 0.5989, 2376),
        "classes": asked("classes", "ABCDE" * 20, (5,)), "letters": asked("letters", "ABCD" * 25, (4,)),
        "facts": asked("facts", "ABCDEF" * 10, (6, 8), stated=0.146),
        "passages": loss("passages", 18.0), "news": loss("news", 41.0),
        "heldout": loss("heldout", 3.45, metric="loss"),
    }  # fmt: skip


def others_table() -> Table:
    """What the baseline and the smaller model score on the same questions."""
    return {
        "quiz": rate("quiz", 0.60), "rationales": rate("rationales", 0.369, 2500),
        "arc": rate("arc_easy", 0.5812, 2376),
        "passages": loss("passages", 31.0), "heldout": loss("heldout", 3.78, metric="loss"),
    }  # fmt: skip


def _written(sibling: Sibling, name: str, table: Table, weights: str = "") -> Path:
    path = sibling.declared / "results" / f"{name}.json"
    results = tuple(replace(result, model=name) for result in table.values())
    write_results(path, ResultSet(SOURCE, results, weights=weights))
    return path


def with_results(sibling: Sibling) -> Damage:
    """The healthy half: tables of the model, its parent as baseline, a smaller model, and the family's line."""
    parent = sibling.parent
    if parent is None:
        raise NotApplicable("it has no parent to be compared with")
    table = (_written(sibling, "other", others_table()),)
    beside = (replace(parent, benchmarks=table), replace(parent, name=SMALLER, benchmarks=table))
    own = _written(sibling, "own", healthy_table(), sibling.checkpoint.weights_digest)
    line = [{"model": str(step), "step": step, "delta": delta} for step, delta in enumerate((*LINE, ON_LINE))]
    trend = sibling.declared / "results" / "trend.json"
    write_json(trend, {"schema": 1, "task": "ifeval", "unit": "points", "candidate": "3", "points": line})
    return replace(sibling, others=beside).damaged(
        "", benchmarks=(own,), baseline=parent.name, cheaper=(SMALLER,), trend=trend
    )


def _table(change: Callable[[Table], str], sibling: Sibling) -> Damage:
    """One entry of the model's own table is another; `change` gives the place."""
    table = healthy_table()
    locus = change(table)
    _written(sibling, "own", table, sibling.checkpoint.weights_digest)
    return sibling.damaged(locus)


def _entry(name: str, result: Result | None, locus: str, table: Table) -> str:
    assert result is not None
    table[name] = result
    return locus


def _changed(name: str, locus: str, values: dict[str, object], table: Table) -> str:
    table[name] = complete(replace(table[name], **values))  # type: ignore[arg-type]
    return locus


def _unscored(table: Table) -> str:
    first, *rest = table["classes"].items
    table["classes"] = complete(replace(table["classes"], items=(replace(first, score=None), *rest)))
    return "classes acc"


def _always_b(table: Table) -> str:
    items = [replace(item, answer="B", score=float(item.gold == "B")) for item in table["letters"].items]
    score = sum(item.score or 0.0 for item in items) / len(items)
    table["letters"] = complete(replace(table["letters"], items=tuple(items), value=score))
    return "letters acc"


def _other_weights(sibling: Sibling) -> Damage:
    """The table is of the weights before the last evaluation."""
    _written(sibling, "own", healthy_table(), "0" * 64)
    return sibling.damaged("own")


def _trend(ablated: bool, sibling: Sibling) -> Damage:
    """The model gains where its family loses; with the ablation the gain does not stand."""
    line = [{"model": str(step), "step": step, "delta": delta} for step, delta in enumerate((*LINE, OFF_LINE))]
    path = sibling.declared / "results" / "trend.json"
    write_json(path, {"schema": 1, "task": "ifeval", "unit": "points", "candidate": "3", "points": line})
    if not ablated:
        return sibling.damaged("3")
    ablation = sibling.declared / "results" / "ablation.json"
    arms = [{"recipe": str(number), "delta": delta, "same_format": True} for number, delta in enumerate(ABLATED)]
    write_json(ablation, {"schema": 1, "task": "ifeval", "arms": arms})
    return sibling.damaged("3", ablation=ablation)


def _jump(evidence: str, sibling: Sibling) -> Damage:
    """A gain of twenty points; `evidence`: "" none, "leaked" a question in the training data, "format" another one."""
    table = healthy_table() | {"quiz": rate("quiz", 0.82)}
    path = _written(sibling, "own", table, sibling.checkpoint.weights_digest)
    if evidence == "format":
        return first_fed_otherwise(sibling)
    if evidence == "leaked":
        first = rows_of(sibling.model.train, "training")[0]
        question = next(message["content"] for message in first["messages"] if message["role"] == "user")
        write_jsonl(rows_path(path), [{"task": "quiz", "id": "0", "row": {"doc": {"q": question}}}])
        return sibling.damaged("quiz")
    return sibling.damaged("quiz acc")


def _smaller(name: str, result: Result, locus: str, sibling: Sibling) -> Damage:
    """The smaller model's table has another entry, and the baseline's has not."""
    path = _written(sibling, SMALLER, others_table() | {name: result})
    others = [replace(each, benchmarks=(path,)) if each.name == SMALLER else each for each in sibling.others]
    return replace(sibling, others=tuple(others)).damaged(locus)


def _kind(name: str, story: str, failures: tuple[str, ...], code: str, make: Callable[[Sibling], Damage]) -> Kind:
    return Kind(name, "results", story, failures, (Expected(f"benchmarks.{code}"),), make, ground=with_results)


def _own(name: str, story: str, failures: tuple[str, ...], code: str, change: Callable[[Table], str]) -> Kind:
    return _kind(name, story, failures, code, partial(_table, change))


def _tokens_declared(times: float, sibling: Sibling) -> Damage:
    return sibling.damaged("scale", training_tokens=int(times * parameters(sibling.checkpoint)))


RESULTS = (
    Kind("starved", "results", "the model saw one token for each of its parameters", ("F08",),
         (Expected(WARNED, by="scale"),), partial(_tokens_declared, 1.0), ground=partial(_tokens_declared, 30.0)),
    _own("score_missing", "a score is named and not given", ("F23",), "missing",
         partial(_changed, "exam", "exam acc", {"value": None})),
    _own("n_missing", "a score is given without the number of questions", ("F23",), "n",
         partial(_changed, "exam", "exam acc", {"n": None})),
    _own("unscored_questions", "a question that could not be scored is left out of the average", ("F18",), "unscored",
         _unscored),
    _own("wrong_chance", "the chance level that is stated is not that of the questions", ("F65",), "chance_level",
         partial(_changed, "facts", "facts acc", {"stated": 0.33})),
    _kind("scored_before", "the scores are those of the weights before", ("F57",), "other_weights", _other_weights),
    _own("unparsed_answers", "a score lies below chance", ("F18",), "below_chance",
         partial(_entry, "exam", rate("exam", 0.171), "exam acc")),
    _own("few_questions", "a score at chance is told as a result", ("F14",), "at_chance",
         partial(_entry, "exam", rate("exam", 0.30, 40), "exam acc")),
    _own("one_label", "a task with one question a label cannot show that a model always says the same", ("F66",),
         "blind", partial(_entry, "classes", asked("classes", "ABCDE", (5,), 99), "classes acc")),
    _own("no_better_than_constant", "a score that saying always the same would get", ("F66",), "constant",
         partial(_entry, "classes", asked("classes", "AAAAB" * 20, (5,), 3), "classes acc")),
    _own("letter_shortcut", "the score is lost when the options are rotated", ("F17",), "letters",
         partial(_entry, "rotated", rate("quiz", 0.25, control="rotated"), "quiz acc")),
    _own("question_not_read", "the score stays when the question is left out", ("F17",), "options_only",
         partial(_entry, "options_only", rate("quiz", 0.60, control="options_only"), "quiz acc")),
    _own("always_b", "every question gets the letter B", ("F17",), "one_letter", _always_b),
    _own("taxed", "chat tuning cost a third of a benchmark", ("F05", "F22"), "tax",
         partial(_entry, "quiz", rate("quiz", 0.42), "quiz acc")),
    _own("other_quiz", "the base was asked another number of questions", ("F70",), "tax_set",
         partial(_entry, "quiz", rate("quiz", 0.62, 900), "quiz acc")),
    _own("worse_data", "rationales in the training data cost a small model six points", ("F22",),
         "worse_than_baseline", partial(_entry, "rationales", rate("rationales", 0.308, 2500), "rationales acc")),
    _own("other_validation", "the validation text is not the one of the phase before", ("F70",), "baseline_set",
         partial(_changed, "heldout", "heldout loss", {"items_sha256": OTHER_TEXT})),
    _kind("jump", "a gain of twenty points, and nobody looked for the questions in the data", ("F04",), "too_good",
          partial(_jump, "")),
    _kind("jump_leaked", "a gain of twenty points, and a question stands in the training data", ("F39",), "leaked",
          partial(_jump, "leaked")),
    _kind("jump_other_format", "a gain of twenty points of a model that was trained in another format", ("F04",),
          "other_format", partial(_jump, "format")),
    _own("worse_than_smaller", "the larger model is shipped, and scores less than the smaller one", ("F05",),
         "worse_than_cheaper", partial(_entry, "arc", rate("arc_easy", 0.4983, 2376), "arc_easy acc")),
    _kind("smaller_asked_less", "the smaller model was asked other questions", ("F70",), "cheaper_set",
          partial(_smaller, "arc", rate("arc_easy", 0.5812, 1000), "arc_easy acc")),
    _kind("off_the_line", "the largest member gains where its family loses", ("F04",), "trend", partial(_trend, False)),
    _kind("outlier_told", "a gain off the family's line is told, and training again does not give it", ("F04",),
          "trend_not_reproduced", partial(_trend, True)),
    _own("other_text", "perplexities on two texts stand side by side", ("F15",), "perplexity_set",
         partial(_entry, "passages", loss("passages", 18.0, text=OTHER_TEXT), "passages perplexity")),
    _own("other_vocabulary", "perplexities by two tokenizers stand side by side", ("F15",), "perplexity_tokenizer",
         partial(_entry, "passages", loss("passages", 18.0, tokenizer="new"), "passages perplexity")),
    _own("contradiction", "the perplexity on one text contradicts that on another", ("F71",), "contradiction",
         partial(_entry, "news", loss("news", 2184.0), "passages, news")),
)  # fmt: skip
