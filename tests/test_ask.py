"""modelqa.ask: what counts as an answer, shown on replies in the style of common chat models and on hostile ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelqa import ask
from modelqa.reply import Reply
from modelqa.wording import KINDS

STOP = "<|im_end|>"
GRAMMAR = ask.Grammar(stops=frozenset({STOP}), special=frozenset({STOP, "<|im_start|>", "<|pad|>"}))
POLITE = tuple(KINDS)
SAMPLES = [json.loads(line) for line in Path(__file__).with_name("chat_style_replies.jsonl").open(encoding="utf-8")]


def reply(text: str, *, stopped: bool = True, raw: str | None = None) -> Reply:
    return Reply((), raw if raw is not None else text + STOP * stopped, text.strip(), stopped)


def judgements(sample: dict) -> set[str]:
    """The names of the graders that say yes to a sample."""
    answer, expect = reply(sample["reply"], raw=sample.get("raw")), sample.get("expect")
    graders = {
        "strict": expect is not None and ask.strict(answer, expect),
        "polite": expect is not None and ask.exact(answer, expect, forgive=POLITE),
        "number": expect is not None and expect.isdigit() and ask.number(answer, int(expect), forgive=POLITE),
        "abstains": ask.abstains(answer),
        "affirms": ask.affirms(answer),
        "denies": ask.denies(answer),
        "copies": ask.copies(answer, sample["user"]),
        "loops": ask.loops(answer),
        "garbage": ask.garbage(answer),
    }
    return {name for name, says_yes in graders.items() if says_yes}


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{index}-{s['reply'][:24]!a}" for index, s in enumerate(SAMPLES)])
def test_every_grader_judges_a_reply_as_a_person_would(sample):
    assert judgements(sample) == set(sample["yes"])
    answer = reply(sample["reply"], stopped=sample.get("stopped", True), raw=sample.get("raw"))
    assert ask.form_problem(answer, GRAMMAR) == sample.get("form")
    assert ask.well_formed(answer, GRAMMAR) is (sample.get("form") is None)


def test_there_are_many_samples_and_every_grader_says_yes_and_no():
    assert len(SAMPLES) >= 60
    for grader in ("strict", "polite", "number", "abstains", "affirms", "denies", "copies", "loops", "garbage"):
        assert 2 <= sum(grader in sample["yes"] for sample in SAMPLES) < len(SAMPLES)


READINGS = [json.loads(line) for line in Path(__file__).with_name("chat_style_readings.jsonl").open(encoding="utf-8")]


READ_AS = [f"{number}-{sample['ask']}-{sample['reply'][:24]!a}" for number, sample in enumerate(READINGS)]


@pytest.mark.parametrize("sample", READINGS, ids=READ_AS)
def test_what_an_answer_from_a_material_says_is_judged_as_a_person_would(sample):
    said, value, but = reply(sample["reply"]), sample.get("value"), sample.get("but", ())
    graders = {
        "states": lambda: ask.states(said, value, but=but),
        "abstains": lambda: ask.abstains(said, but=but),
        "cites": lambda: ask.cites(said, int(value)),
        "same_json": lambda: ask.same_json(said, value, forgive=("markdown",)),
    }
    assert graders[sample["ask"]]() is sample["yes"]


def test_each_grader_of_readings_says_yes_and_no():
    for grader in ("states", "abstains", "cites", "same_json"):
        assert {sample["yes"] for sample in READINGS if sample["ask"] == grader} == {True, False}


def test_a_fence_is_forgiven_only_where_it_is_named():
    fenced = reply('```json\n{"a": 1}\n```')
    assert ask.same_json(fenced, '{"a": 1}', forgive=("markdown",)) and not ask.same_json(fenced, '{"a": 1}')


def test_json_nested_without_end_is_a_no():
    assert not ask.same_json(reply("[" * 600), '{"a": 1}')


def test_a_value_of_nothing_is_a_bug_of_the_gate():
    with pytest.raises(ValueError, match="no value"):
        ask.states(reply("hello"), "...")


FORGIVEN = [
    ("case", "Hello", "hello"),
    ("final_punctuation", "hello.", "hello"),
    ("final_punctuation", "hello", "hello."),
    ("quotes", "'hello'", "hello"),
    ("markdown", "**hello**", "hello"),
    ("markdown", "- hello", "hello"),
    ("lead", "Sure! hello", "hello"),
    ("lead", "Answer: hello", "hello"),
    ("closing", "hello Let me know if you need more!", "hello"),
    ("emoji", "hello 🎉", "hello"),
    ("sentence", "7 plus 5 is 12", "12"),
]


@pytest.mark.parametrize(("kind", "text", "expect"), FORGIVEN)
def test_a_kind_is_forgiven_when_it_is_named_and_only_then(kind, text, expect):
    assert ask.exact(reply(text), expect, forgive=(kind,))
    assert not ask.exact(reply(text), expect, forgive=tuple(other for other in KINDS if other != kind))


def test_one_of_several_answers_is_enough():
    assert ask.exact(reply("Nope"), ("No", "Nope"))
    assert not ask.exact(reply("Maybe"), ("No", "Nope"), forgive=POLITE)


@pytest.mark.parametrize("nothing", [None, "", (), ("yes", "")])
def test_a_case_that_silence_could_answer_is_a_bug_of_the_gate(nothing):
    with pytest.raises(ValueError, match="no expected answer"):
        ask.exact(reply(""), nothing)


def test_an_unknown_kind_is_a_bug_of_the_gate():
    with pytest.raises(ValueError, match="tpyo"):
        ask.exact(reply("hello"), "hello", forgive=("tpyo",))


def test_a_mention_is_whole_words():
    assert ask.says(reply("The capital is BERLIN, of course."), "Berlin")
    assert ask.says(reply("Straße"), "strasse")
    assert not ask.says(reply("Berliners eat"), "Berlin")
    assert ask.says(reply("a green   river."), "Green River")
    with pytest.raises(ValueError, match="no word"):
        ask.says(reply("x"), "!!")


def test_numbers_are_compared_as_numbers():
    assert ask.number(reply("-3"), -3) and ask.number(reply("−3."), -3)
    assert ask.number(reply("1,200"), 1200) and ask.number(reply("012"), 12)
    assert not ask.number(reply("1,2"), 12)
    assert not ask.number(reply("The answer is 12."), 12)
    assert ask.number(reply("The answer is 12."), 12, forgive=("lead",))
    assert not ask.number(reply("9" * 5000), 12)


def test_the_most_frequent_answer_and_its_share():
    assert ask.top_share([reply("Yes."), reply("yes"), reply("No"), reply("Bern")]) == ("yes", 0.5)
    assert ask.top_share([reply("b"), reply("a")]) == ("a", 0.5)
    assert ask.top_share([reply("")]) == ("", 1.0)
    assert ask.top_share([]) == ("", 0.0)


def test_an_allowed_special_token_may_stand_inside():
    thinking = ask.Grammar(GRAMMAR.stops, GRAMMAR.special | {"<think>"}, allowed=frozenset({"<think>"}))
    assert ask.form_problem(reply("<think>so: yes"), thinking) is None
    assert ask.form_problem(reply("<think>so: yes"), GRAMMAR) == "foreign tag <think>"


def test_ids_that_repeat_are_a_loop_even_when_the_text_hides_it():
    assert ask.loops(Reply((5, 6, 7) * 5 + (0,), "x", "x", True))
    assert not ask.loops(Reply((5, 6, 7, 8, 9, 10, 0), "x", "x", True))


HOSTILE = [
    "\ud800 lone surrogate \udfff",
    "\x00\x1b[31m\x07",
    "\u202eevil\u202c",
    "a" * 200_000,
    "\n" * 1_000_000,
    "<" * 100_000,
    "**" * 30_000,
    "No. " * 30_000,
    "e\u0301" * 1000,
    "ﷺ" * 500,
    "\u2028",
    "9" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_malformed_reply_is_a_no_and_never_an_exception(text):
    sample = {"user": "Say 'hello'.", "reply": text, "expect": "12"}
    assert not judgements(sample) & {"strict", "polite", "number", "abstains", "affirms", "denies"}
    assert not ask.says(reply(text), "hello")
    assert ask.form_problem(reply(text, stopped=False), GRAMMAR) == "never stopped"
    assert ask.form_problem(reply(text), GRAMMAR) in (None, "empty", "nothing readable")


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(codec=None), max_size=80), st.text(max_size=20))
def test_no_text_raises_and_a_text_is_always_itself(text, user):
    judgements({"user": user, "reply": text, "expect": "12"})
    stripped = text.strip()
    if stripped:
        assert ask.exact(reply(stripped), stripped) and ask.exact(reply(stripped), stripped, forgive=POLITE)
    assert not ask.exact(reply(stripped), f"{stripped}x", forgive=POLITE)
