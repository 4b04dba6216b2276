"""Rung 3: do the answers that training teaches pass the graders that will judge them?

A model that learns "Hello." is failed by a grader that wants "Hello", and one that learns to refuse everything by none.
"""

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


def graded(paths):
    """{category: [answers looked at, answers refused, id of the first refused row, its text]}."""
    found = {}
    for path in paths:
        for _, row in read_rows(path):
            meta = row.get("meta") or {}
            category, text = meta.get("category"), row["messages"][-1]["content"].strip()
            if category not in GRADERS:
                continue
            counts = found.setdefault(category, [0, 0, None, None])
            if counts[0] >= LOOKED_AT:
                continue
            counts[0] += 1
            if not GRADERS[category](Reply((), text, text, True), meta):
                counts[1:] = [counts[1] + 1, *([row.get("id"), text] if not counts[1] else counts[2:])]
    return found


def test_grader_contract(model, kept):
    """The answers of the training rows pass the grader of their category."""
    if model.stage == "base":
        not_asked("a base model is trained on plain text")
    if not model.train:
        no_evidence(f'[models.{model.name}] train = ["data/train.jsonl"]')
    found = kept(model.train, lambda: graded(model.train))
    if not found:
        not_asked(f"no row has one of the categories {', '.join(sorted(GRADERS))}")
    deny(
        Problem(
            "data.grader_contract",
            category,
            f"{refused} of {seen} answers of {category} fail its grader, {text!r} (row {row}) among them",
        )
        for category, (seen, refused, row, text) in sorted(found.items())
        if refused > BROKEN * seen
    )
