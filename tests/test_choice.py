"""Multiple choice: policies that know, and policies that only look as if, on real and on made-up items."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from sessions import Suite, record, verdicts

from modelqa import choice, nulls
from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.choice import Item, Shown
from modelqa.data import facts
from modelqa.data.rows import read_rows
from modelqa.errors import DataError
from modelqa.generate import LocalEngine
from suites.behaviour.cases_choice import choice_items

CHECKPOINTS = Path(__file__).parents[1] / "fixtures" / "checkpoints"
SYSTEM = "Be brief and exact."
Policy = Callable[[Shown], "int | None"]


def made_up(count: int, *, seed: int = 0, right_is_longest: bool = False, always: int | None = None) -> list[Item]:
    """Items of four options; `always` puts the right one at one place."""
    rng = Random(seed)
    items = []
    for number in range(count):
        options = [f"word{number}x{place}" for place in range(4)]
        right = rng.randrange(4) if always is None else always
        options[right] += " and more" if right_is_longest else ""
        items.append(Item(f"i{number}", f"What is {number}?", tuple(options), right))
    return items


def knows(items: list[Item], share: float = 1.0, *, seed: int = 0, letter_bias: float = 0.0) -> Policy:
    """Reads the question and knows that share of the answers; guesses the others, "C" a little more often."""
    rng = Random(seed)
    known = {item.stem: item.options[item.answer] for item in items if rng.random() < share}

    def choose(shown: Shown) -> int:
        answer = known.get(shown.stem)
        if answer in shown.options:
            return shown.options.index(answer)
        return 2 if rng.random() < letter_bias else rng.randrange(len(shown.options))

    return choose


def sat(items: list[Item], policy: Policy) -> choice.Report:
    sheet = choice.sheet(items)
    return choice.report(sheet, [policy(shown) for shown in sheet])


def codes(found: choice.Report) -> set[str]:
    return {problem.code for problem in choice.shortcut_problems(found)}


# -- policies ----------------------------------------------------------------------------------------------------------


def test_whoever_knows_is_not_accused_and_is_believed() -> None:
    items = made_up(60)
    for share in (0.6, 1.0):
        found = sat(items, knows(items, share))
        assert codes(found) == set() and choice.unproven(found) == ""
    assert (found.rotated.mean, found.always, found.recall_spread) == (1.0, 1.0, 0.0)


def test_a_letter_guesser_that_looks_good_on_a_skewed_set_is_found_out() -> None:
    items = made_up(56, always=1) + made_up(4, seed=1)
    found = sat(items, lambda shown: 1)
    assert found.as_written > 0.9 and found.rotated.mean == 0.25 == found.chance and found.always == 0.0
    assert codes(found) == {"behaviour.letter_prior", "behaviour.place"}
    assert [p.locus for p in choice.shortcut_problems(found)] == ["B", "rotation"]
    assert found.recall == (0.0, 1.0, 0.0, 0.0) and found.recall_spread == pytest.approx(0.433, abs=1e-3)
    assert "not shown to be above chance" in choice.unproven(found)


def test_whoever_goes_by_the_look_of_the_options_is_found_out() -> None:
    items = made_up(60, right_is_longest=True)
    found = sat(items, lambda shown: max(range(4), key=lambda place: len(shown.options[place])))
    assert found.rotated.mean == 1.0, "rotation alone does not see it"
    assert codes(found) == {"behaviour.options_only", "behaviour.stem_blind"}


def test_a_model_that_sees_right_answers_only_beside_some_question_does_not_read_it() -> None:
    items = made_up(60, right_is_longest=True)
    policy = knows(items)  # the longest option under any question; a guess without one

    def choose(shown: Shown) -> int | None:
        longest = max(range(4), key=lambda place: len(shown.options[place]))
        return longest if shown.kind != "options_only" else policy(shown)

    assert codes(sat(items, choose)) == {"behaviour.stem_blind"}


def test_a_score_below_chance_is_an_alarm_and_one_at_chance_is_no_knowledge() -> None:
    items = made_up(80)
    worse = sat(items, lambda shown: (shown.right + 1) % 4)
    assert codes(worse) == {"behaviour.below_chance"}
    rng = Random(5)
    guess = sat(items, lambda shown: rng.randrange(4))
    assert codes(guess) == set() and "not shown to be above chance" in choice.unproven(guess)


def test_replies_that_choose_nothing_are_counted() -> None:
    items = made_up(40)
    policy = knows(items)
    found = sat(items, lambda shown: policy(shown) if shown.item % 2 else None)
    assert "behaviour.unparsed" in codes(found) and found.parsed == pytest.approx(0.5)


def test_few_items_prove_nothing() -> None:
    items = made_up(8)
    assert "at least 20 are needed" in choice.unproven(sat(items, knows(items)))


@pytest.mark.simulation
def test_error_rates_over_many_models() -> None:
    honest = guessing = 0
    for seed in range(200):
        items = made_up(40, seed=seed)
        honest += bool(codes(sat(items, knows(items, 0.5, seed=seed, letter_bias=0.1))))
        rng = Random(seed)
        found = sat(items, lambda shown, rng=rng: rng.randrange(4))  # type: ignore[misc]
        guessing += choice.unproven(found) == ""
    print(f"honest models accused: {honest} of 200; guessing ones believed: {guessing} of 200")
    assert max(honest, guessing) <= 19, "nominal 5%, and three standard errors of 200 draws above it"


# -- items -------------------------------------------------------------------------------------------------------------


def test_each_item_is_shown_at_every_place_in_each_way() -> None:
    items = made_up(5)
    sheet = choice.sheet(items)
    assert len(sheet) == 5 * 3 * 4
    for shown in sheet:
        assert shown.options[shown.right] == items[shown.item].options[items[shown.item].answer]
        foreign = shown.stem != items[shown.item].stem
        assert foreign == (shown.kind != "asked")
    assert {shown.right for shown in sheet if shown.item == 0 and shown.kind == "asked"} == {0, 1, 2, 3}


def test_a_swapped_question_has_another_right_answer() -> None:
    shared = [Item(f"i{n}", f"Q{n}", ("yes", "no"), n % 2) for n in range(6)]
    assert all(shown.stem[1:] != str(shown.item) for shown in choice.sheet(shared) if shown.kind == "swapped")
    swapped = [shown for shown in choice.sheet(shared) if shown.kind == "swapped"]
    assert all(int(shown.stem[1:]) % 2 != shown.item % 2 for shown in swapped)
    with pytest.raises(DataError, match="the right answer of every other item"):
        choice.sheet([Item("a", "Q", ("yes", "no"), 0), Item("b", "R", ("yes", "no"), 0)])


@pytest.mark.parametrize(
    "row",
    [
        {"id": "a", "stem": "Q", "options": ["x"], "answer": 0},
        {"id": "a", "stem": "Q", "options": ["x", "X"], "answer": 0},
        {"id": "a", "stem": "Q", "options": ["x", "y"], "answer": 2},
        {"id": "a", "stem": "Q", "options": ["x", "y"], "answer": "A"},
        {"id": "a", "stem": "Q", "options": ["x", "y"], "answer": True},
        {"id": "a", "options": ["x", "y"], "answer": 0},
        {"id": "a", "stem": "Q", "options": "xy", "answer": 0},
    ],
)
def test_a_line_that_is_no_item_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"id": "g", "stem": "Q", "options": ["x", "y"], "answer": 1}
    (tmp_path / "items.jsonl").write_text(f"{json.dumps(good)}\n{json.dumps(row)}\n")
    with pytest.raises(DataError, match="line 2: not an item"):
        choice.read_items(tmp_path / "items.jsonl")


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ("B", 1),
        ("b", 1),
        ("(B)", 1),
        ("B.", 1),
        ("**B**", 1),
        ("The answer is B.", 1),
        ("Answer: B", 1),
        ("Rome", 1),
        ("Rome.", 1),
        ("B. Rome", 1),
        ("B) Rome.", 1),
        ("Sure! The answer is B. Let me know if you need anything else.", 1),
        ("", None),
        ("E", None),
        ("A or B", None),
        ("B. Paris", None),
        ("Rome is lovely", None),
        ("Banana", None),
        ("not B", None),
        ("AB", None),
    ],
)
def test_what_a_reply_chooses(reply: str, place: int | None) -> None:
    shown = Shown(0, "asked", 0, "Which?", ("Paris", "Rome", "Bonn", "Oslo"), 1)
    assert choice.parse_letter(reply, shown) == place


# -- real models -------------------------------------------------------------------------------------------------------


def real_items(count: int, *, always: int | None = None) -> list[Item]:
    """Capitals and opposites as questions of four options."""
    stems = {"capital": "What is the capital of {}?", "opposite": "What is the opposite of {}?"}
    rng = Random(1)
    items = []
    for kind, stem in stems.items():
        known = [fact for fact in facts.FACTS if (fact.kind, fact.language) == (kind, "en")]
        for fact in known:
            others = sorted({other.reply for other in known} - {fact.reply})
            right = rng.randrange(4) if always is None else always
            options = rng.sample(others, 3)
            options.insert(right, fact.reply)
            items.append(Item(fact.key, stem.format(fact.subject), tuple(options), right))
    return rng.sample(items, count)


def loaded(name: str) -> tuple[LocalEngine, Chat]:
    checkpoint = open_checkpoint(CHECKPOINTS / name)
    chat = open_chat(checkpoint.path)
    return LocalEngine.open(checkpoint, stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0), chat


def by_letters(engine: LocalEngine, chat: Chat, items: list[Item]) -> choice.Report:
    sheet = choice.sheet(items)
    asked = choice.questions(sheet, system=SYSTEM, form="letter")
    return choice.report(sheet, choice.likeliest_letters(engine, chat, asked))


def in_words(engine: LocalEngine, chat: Chat, items: list[Item]) -> choice.Report:
    sheet = choice.sheet(items)
    asked = choice.questions(sheet, system=SYSTEM, form="words")
    return choice.report(sheet, choice.likeliest_texts(engine, chat, asked))


def test_a_model_that_knows_its_facts_shows_it_in_the_cloze_form() -> None:
    engine, chat = loaded("phase3a2")
    sheet = choice.sheet(real_items(24), rotate=False)
    asked = choice.questions(sheet, system=SYSTEM, form="cloze")
    found = choice.report(sheet, choice.likeliest_texts(engine, chat, asked))
    assert found.rotated.lower > 0.8 and codes(found) == set() and choice.unproven(found) == ""
    assert found.letters == (), "nothing was rotated"


def test_a_model_with_a_habit_of_letters_is_found_out() -> None:
    """Alpha was never taught multiple choice: it prefers B wherever the right answer stands."""
    engine, chat = loaded("phase3a1_alpha")
    found = by_letters(engine, chat, real_items(20))
    assert codes(found) == {"behaviour.letter_prior"}
    assert "not shown to be above chance" in choice.unproven(found)


SUITE = """
from pathlib import Path

from modelqa import choice, unsettled
ITEMS = Path(__file__).with_name("items.jsonl")

def test_knowledge(lab, measured):
    sheet = choice.sheet(choice.read_items(ITEMS), rotate=False)
    asked = choice.questions(sheet, system="Be brief and exact.", form="cloze")
    found = choice.report(sheet, lab.measure(choice.likeliest_texts, asked))
    measured["right"] = found.rotated.mean
    deny(choice.shortcut_problems(found))
    if why := choice.unproven(found):
        unsettled(why)
"""


def test_a_suite_asks_for_knowledge_through_the_session(run: Suite, pytester: pytest.Pytester) -> None:
    items = [vars(item) for item in real_items(24)]
    files = {"test_c.py": SUITE, "items.jsonl": "\n".join(json.dumps(item) for item in items)}
    suite = {f"suites/benchmarks/{name}": text for name, text in files.items()}
    copied = shutil.copytree(CHECKPOINTS / "phase3a2", pytester.path / "copied")
    assert run(suite, model=str(copied)).ret == 0
    gate = record(pytester)["gates"][0]
    assert gate["verdict"]["status"] == "PASS" and gate["measured"]["right"] > 0.8
    assert run(suite, model="one").ret == 6, "random weights know nothing"
    assert verdicts(pytester) == {"knowledge": ("INCONCLUSIVE", "unsettled")}


# -- the trained pair --------------------------------------------------------------------------------------------------


def test_the_items_of_the_shipped_gate_are_seeded_and_the_right_option_stands_everywhere() -> None:
    items = choice_items(0, 40)
    assert items == choice_items(0, 40) != choice_items(1, 40)
    assert len({item.stem for item in items}) == 40
    places = [item.answer for item in items]
    assert all(4 <= places.count(place) <= 18 for place in range(4))


def test_no_stem_of_the_shipped_gate_was_asked_in_the_training_of_the_pair() -> None:
    asked = {item.stem for item in choice_items(0, 40)}
    for name in ("choice_honest", "choice_letters"):
        rows = [row for _, row in read_rows(CHECKPOINTS.parent / "data" / name / "train.jsonl.zst")]
        stems = {row["messages"][1]["content"].split("\nA. ")[0] for row in rows}
        assert len(stems) > 1000 and not stems & asked


def test_a_model_that_was_trained_to_say_its_option_passes_the_shipped_items() -> None:
    found = in_words(*loaded("choice_honest"), choice_items(0, 24))
    assert codes(found) == set() and choice.unproven(found) == ""


def test_a_model_that_was_trained_on_letters_alone_is_found_out_on_them() -> None:
    found = by_letters(*loaded("choice_letters"), choice_items(0, 24))
    assert "behaviour.letter_prior" in codes(found)
    assert next(problem.locus for problem in choice.shortcut_problems(found)) == "B"
    assert choice.unproven(found)


def test_no_null_policy_shows_knowledge() -> None:
    sheet = choice.sheet(choice_items(0, 24))
    for name in nulls.BLIND:
        asked = (nulls.Question(choice.lettered_prompt(shown), stop="<|im_end|>", role_tags=()) for shown in sheet)
        said = [nulls.POLICIES[name](question).text for question in asked]
        found = choice.report(sheet, [choice.parse_letter(*pair) for pair in zip(said, sheet, strict=True)])
        assert codes(found) or choice.unproven(found), name
