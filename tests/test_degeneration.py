"""Ways of being no answer: each policy that knows nothing is named for what it does, and real chat replies are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelqa import Case, Reply, degeneration, nulls
from modelqa.form import Grammar

STOP = "<|im_end|>"
GRAMMAR = Grammar(frozenset({STOP}), frozenset({STOP, "<|im_start|>"}))
ROWS = [json.loads(line) for line in Path(__file__).with_name("chat_style_replies.jsonl").open(encoding="utf-8")]
ANSWERS = [row for row in ROWS if {"polite", "number", "abstains", "affirms", "denies"} & set(row["yes"])
           and not {"loops", "garbage"} & set(row["yes"])]  # fmt: skip


def case(user: str = "What is the capital of France?", expect: str | None = "Paris") -> Case:
    return Case("c", ({"role": "user", "content": user},), expect)


def reply(text: str, *, stopped: bool = True) -> Reply:
    return Reply(tuple(range(len(text.split()))), text + STOP * stopped, text, stopped)


def kind(text: str, *, stopped: bool = True, **values: str) -> str:
    return degeneration.kind(reply(text, stopped=stopped), case(**values), GRAMMAR)


@pytest.mark.parametrize(
    ("text", "stopped", "expected"),
    [
        ("", True, "empty"),
        ("", False, "empty"),
        ("\u200b", True, "empty"),
        ("the train the train the train the train the train", False, "looping"),
        ("the train the train the train the train the train", True, "looping"),
        ("#### @@ ;; ## @@ !! ~~", True, "garbage"),
        ("Paris.\nuser: and Rome?\nassistant: Rome.", True, "role_tags"),
        ("<|im_start|>assistant Paris", True, "role_tags"),
        ("</myPT_user> Paris", True, "role_tags"),
        ("Paris is a city and it has a river and many", False, "unending"),
        ("What is the capital of France?", True, "copying"),
        ("Rome", True, ""),
        ("Paris", True, ""),
    ],
)
def test_each_way_has_its_name(text: str, stopped: bool, expected: str) -> None:
    assert kind(text, stopped=stopped) == expected


def test_a_right_answer_that_is_most_of_the_question_is_no_copying() -> None:
    question = "Repeat: green river stone cloud"
    assert kind("green river stone cloud", user=question, expect="green river stone cloud") == ""
    assert kind("Repeat: green river stone cloud", user=question, expect="green river stone cloud") == "copying"


@pytest.mark.parametrize(("policy", "expected"), [("empty", "empty"), ("role_tag", "role_tags"), ("loop", "looping")])
def test_null_policies_are_named_for_what_they_do(policy: str, expected: str) -> None:
    known = {name: name for name in nulls.POLICIES}
    name = next((name for name in known if policy in name), None)
    assert name is not None, sorted(nulls.POLICIES)
    asked = case()
    said = nulls.POLICIES[name](nulls.Question(asked.user, STOP, ("<|im_start|>",), asked.answer))
    assert degeneration.kind(said, asked, GRAMMAR) == expected


@pytest.mark.parametrize("row", ANSWERS, ids=[f"{index}-{row['reply'][:24]!a}" for index, row in enumerate(ANSWERS)])
def test_no_answer_in_the_style_of_a_common_chat_model_is_degenerate(row: dict[str, str]) -> None:
    asked = case(row["user"], row.get("expect"))
    assert degeneration.kind(reply(row["reply"]), asked, GRAMMAR) == ""


def test_a_junk_word_in_replies_to_everything_is_found() -> None:
    cases = [case(f"What is item {number}?", f"Answer {number}") for number in range(20)]
    clean = [reply(f"Sure! It is answer {number}. Let me know if I can help you further.") for number in range(20)]
    assert degeneration.attractor(clean, cases)[1] <= 0.1
    junk = [reply(f"Answer {number} asilinna") if number % 3 == 0 else r for number, r in enumerate(clean)]
    assert degeneration.attractor(junk, cases) == ("asilinna", 7 / 20)


def test_courtesy_is_no_junk() -> None:
    cases = [case(row["user"], row.get("expect")) for row in ANSWERS]
    word, share = degeneration.attractor([reply(row["reply"]) for row in ANSWERS], cases)
    assert share <= 0.1, word
