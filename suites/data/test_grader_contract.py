"""Rung 3: do the answers that training teaches pass the graders that will judge them?

A model that learns "Hello." is failed by a grader that wants "Hello", and one that learns to refuse everything by none.
"""

from collections import Counter

from modelqa import Problem, Reply, ask, deny, no_evidence, not_asked
from modelqa.data.rows import read_rows

LOOKED_AT = 400  # rows of each category: a contract that is broken is broken in most of them
BROKEN = 0.05  # share of a category's answers that its grader may refuse: rows are made by people too
SAID = ("final_punctuation", "quotes", "case")


def is_number(answer, meta):
    digits = answer.text.strip(" .")
    return digits.lstrip("-").isdecimal() and ask.number(answer, int(digits))


def takes_a_side(answer, meta):
    return ask.affirms(answer) or ask.denies(answer)


def is_no_echo(answer, meta):
    about_a_real_word = meta.get("real") and meta.get("question") == "meaning"  # then the meaning is the answer
    return about_a_real_word or takes_a_side(answer, meta) or ask.abstains(answer)


def is_payload(answer, meta):
    return ask.exact(answer, meta["payload"], forgive=SAID)


GRADERS = {"sum": is_number, "yes_no": takes_a_side, "anti_echo": is_no_echo, "echo": is_payload, "say": is_payload}


def test_grader_contract(model):
    """The answers of the training rows pass the grader of their category."""
    if model.stage == "base":
        not_asked("a base model is trained on plain text")
    if not model.train:
        no_evidence(f'[models.{model.name}] train = ["data/train.jsonl"]')
    seen, refused, example = Counter(), Counter(), {}
    for path in model.train:
        for _, row in read_rows(path):
            meta = row.get("meta") or {}
            category, text = meta.get("category"), row["messages"][-1]["content"].strip()
            if category not in GRADERS or seen[category] >= LOOKED_AT:
                continue
            seen[category] += 1
            if not GRADERS[category](Reply((), text, text, True), meta):
                refused[category] += 1
                example.setdefault(category, (row.get("id"), text))
    if not seen:
        not_asked(f"no row has one of the categories {', '.join(sorted(GRADERS))}")
    deny(
        Problem(
            "data.grader_contract",
            category,
            f"{count} of {seen[category]} answers of {category} fail its grader, {example[category][1]!r} "
            f"(row {example[category][0]}) among them",
        )
        for category, count in sorted(refused.items())
        if count > BROKEN * seen[category]
    )
