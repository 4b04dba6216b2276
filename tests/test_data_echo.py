"""Echo and format-lock datasets: ratios, modes, one answer a prompt, the right answer, the right language."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from modelqa.data import echo, facts, format_lock, pools
from modelqa.data.rows import Row, answer_of, defect, duplicates, user_of
from modelqa.errors import UsageError
from modelqa.family import overlapping, payload_split, signature

MODES: tuple[echo.Gibberish, ...] = ("exclude", "include", "only")


def made(mode: echo.Gibberish, **options: object) -> list[Row]:
    return list(echo.rows(seed=1, gibberish=mode, count_tokens=lambda text: 1, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_mode() -> dict[str, list[Row]]:
    return {mode: made(mode) for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
def test_sizes_are_the_guides(by_mode: dict[str, list[Row]], mode: echo.Gibberish) -> None:
    low, high = {"exclude": (3000, 5000), "include": (3000, 8000), "only": (2000, 3000)}[mode]
    assert low <= len(by_mode[mode]) <= high


@pytest.mark.parametrize("mode", MODES)
def test_both_ratios_are_met_within_a_row_in_every_mode(by_mode: dict[str, list[Row]], mode: echo.Gibberish) -> None:
    counted = Counter(row["meta"]["category"] for row in by_mode[mode])
    wanted = 0.2 * len(by_mode[mode])
    assert abs(counted["anti_echo"] - wanted) <= 1
    assert abs(counted["contrast"] - wanted) <= 1


@pytest.mark.parametrize(("anti", "contrast"), [(0.0, 0.0), (0.35, 0.1), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("total", [1, 7, 100, 333])
def test_counts_fill_the_total_and_meet_the_ratios(anti: float, contrast: float, total: int) -> None:
    found = echo.counts(total, anti, contrast)
    assert sum(found.values()) == total and min(found.values()) >= 0
    assert abs(found["anti_echo"] - anti * total) <= 1
    assert abs(found["contrast"] - contrast * total) <= 1.5 and found["contrast"] % 2 == 0


@pytest.mark.parametrize(("anti", "contrast"), [(0.7, 0.4), (-0.1, 0.2), (float("nan"), 0.2), (0.2, float("nan"))])
def test_ratios_that_leave_nothing_or_are_negative_are_refused(anti: float, contrast: float) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        list(echo.rows(seed=1, anti_echo_ratio=anti, contrast_ratio=contrast))


def test_copied_texts_have_as_many_words_as_asked() -> None:
    shares = [0.0, 0.0, 0.0, 0.5, 0.0, 0.5]
    rows = [row for row in made("only", word_shares=shares) if row["meta"]["category"] == "echo"]
    counted = Counter(len(row["meta"]["payload"].split()) for row in rows)
    assert set(counted) == {4, 6} and 0.4 < counted[4] / len(rows) < 0.6


def test_alike_gibberish_is_copied_in_the_share_asked_for_and_else_nothing_changes() -> None:
    def shared(rows: list[Row]) -> float:
        said = [answer_of(row).lower().split() for row in rows if row["meta"]["category"] == "echo"]
        long = [words for words in said if len(words) == 4]
        return sum(len({word[:3] for word in words}) < 4 for words in long) / len(long)

    four = [0.0, 0.0, 0.0, 1.0]
    assert shared(made("only", word_shares=four, alike_share=1.0)) > shared(made("only", word_shares=four)) + 0.3
    assert made("only", alike_share=0.0, word_shares=echo.WORD_SHARES) == made("only")


def test_the_share_of_copied_texts_asked_for_says_one_word_twice() -> None:
    def twice(share: float) -> float:
        rows = made("only", word_shares=[0.0, 0.0, 1.0], repeat_share=share)
        said = [answer_of(row).lower().rstrip(".!?").split() for row in rows if row["meta"]["category"] == "echo"]
        return sum(len(set(words)) < len(words) for words in said) / len(said)

    assert twice(0.0) < 0.05 and 0.3 < twice(0.4) < 0.5 and twice(1.0) == 1.0


def test_a_cap_keeps_the_ratios() -> None:
    counted = Counter(row["meta"]["category"] for row in made("exclude", max_examples=100))
    assert counted == {"echo": 60, "anti_echo": 20, "contrast": 20}


def test_without_gibberish_nothing_copied_is_gibberish(by_mode: dict[str, list[Row]]) -> None:
    nonsense = {word for split in pools.SPLITS for word in pools.nonce_words(split)}
    copied = [row["meta"]["payload"] for row in by_mode["exclude"] if "question" not in row["meta"]]
    assert not [text for text in copied if nonsense & set(re.findall(r"\w+", text.lower()))]


def test_with_gibberish_only_everything_copied_is_gibberish(by_mode: dict[str, list[Row]]) -> None:
    nonsense = set(pools.nonce_words("train"))
    copied = [row["meta"]["payload"] for row in by_mode["only"] if "question" not in row["meta"]]
    assert len(copied) > 1000
    assert not [text for text in copied if set(re.findall(r"\w+", text.lower())) - nonsense]


@pytest.mark.parametrize("mode", MODES)
def test_contrast_rows_come_in_pairs_of_one_string(by_mode: dict[str, list[Row]], mode: echo.Gibberish) -> None:
    rows = [row for row in by_mode[mode] if row["meta"]["category"] == "contrast"]
    for copied, asked in zip(rows[::2], rows[1::2], strict=True):
        assert copied["meta"]["payload"] == asked["meta"]["payload"] == answer_of(copied)
        assert "question" in asked["meta"] and answer_of(asked) != asked["meta"]["payload"]


@pytest.mark.parametrize("mode", MODES)
def test_questions_are_about_real_words_and_gibberish_alike(
    by_mode: dict[str, list[Row]], mode: echo.Gibberish
) -> None:
    asked = [row["meta"]["real"] for row in by_mode[mode] if row["meta"]["category"] == "anti_echo"]
    assert 0.35 < sum(asked) / len(asked) < 0.65


def test_answers_to_questions_follow_from_what_the_string_is(by_mode: dict[str, list[Row]]) -> None:
    yes, no, unknown = {"Yes.", "Ja."}, {"No.", "Nein."}, {"Unknown.", "Unbekannt."}
    for row in (row for rows in by_mode.values() for row in rows if "question" in row["meta"]):
        real, question, answer = row["meta"]["real"], row["meta"]["question"], answer_of(row)
        if question == "meaning":
            assert answer.startswith(("A", "C", "F")) and answer.endswith(".") if real else answer in unknown
        else:
            assert answer in (yes if real != (question == "invented") else no)


def test_no_single_answer_dominates_the_questions(by_mode: dict[str, list[Row]]) -> None:
    for rows in by_mode.values():
        answers = Counter(answer_of(row) for row in rows if "question" in row["meta"])
        assert max(answers.values()) <= 0.5 * sum(answers.values())


def test_a_copied_text_is_answered_exactly_as_written(by_mode: dict[str, list[Row]]) -> None:
    for row in (row for rows in by_mode.values() for row in rows if "question" not in row["meta"]):
        assert answer_of(row) == row["meta"]["payload"] and answer_of(row) in user_of(row)


def test_the_bpe_safe_filter_really_filters() -> None:
    rows = list(echo.rows(seed=1, gibberish="only", count_tokens=len, max_target_tokens=6, n_examples=300))
    copied = [row["meta"]["payload"] for row in rows if "question" not in row["meta"]]
    assert max(len(word.strip(".!?")) for text in copied for word in text.split()) <= 6


@pytest.mark.parametrize("mode", ["only", "include"])
def test_the_bpe_safe_filter_without_a_tokenizer_is_an_error(mode: echo.Gibberish) -> None:
    with pytest.raises(UsageError, match="no tokenizer"):
        list(echo.rows(seed=1, gibberish=mode))


def test_rows_are_chat_rows_and_no_prompt_stands_twice(by_mode: dict[str, list[Row]]) -> None:
    for rows in by_mode.values():
        assert [found for row in rows if (found := defect(row))] == []
        assert duplicates(rows) == []


def test_validation_rows_are_of_other_payloads_and_families() -> None:
    train, val = (list(echo.rows(seed=1, split=split, n_examples=400)) for split in ("train", "val"))
    assert {payload_split(row["meta"]["payload"]) for row in val} == {"val"}
    signed = [[signature(user_of(row), payload=row["meta"]["payload"]) for row in rows] for rows in (train, val)]
    assert overlapping(signed[1], signed[0]) == []


def test_there_are_about_as_many_format_lock_rows_as_the_guide_says() -> None:
    assert sum(format_lock.counts("full", "include").values()) == 11_000
    assert sum(format_lock.counts("minimal", "exclude").values()) == 1_000


@pytest.fixture(scope="module")
def full() -> list[Row]:
    return list(format_lock.rows(seed=1, n_examples=4000))


def test_one_prompt_has_one_answer(full: list[Row]) -> None:
    answers = defaultdict(set)
    for row in full:
        answers[user_of(row)].add(answer_of(row))
    assert len(answers) == len(full) == 4000
    assert max(map(len, answers.values())) == 1


def test_sums_are_right_and_never_of_the_unseen_kind(full: list[Row]) -> None:
    unseen = {item.key for item in facts.sums("unseen")}
    rows = [row for row in full if row["meta"]["category"] == "sum"]
    assert len(rows) > 500
    for row in rows:
        first, second = row["meta"]["sum"].split("+")
        assert row["meta"]["sum"] not in unseen
        assert answer_of(row) == f"{int(first) + int(second)}."
        assert {first, second} <= set(re.findall(r"\d+", user_of(row)))


def test_no_unseen_sum_is_spelled_out_anywhere(full: list[Row]) -> None:
    unseen = {item.key for item in facts.sums("unseen")}
    pairs = [pair for row in full for pair in re.findall(r"(\d+) ?\+ ?(\d+)", user_of(row))]
    written = {"+".join(sorted(pair, key=int)) for pair in pairs}
    assert written and not written & unseen


def test_every_fact_is_taught_before_any_is_repeated() -> None:
    rows = [
        row for row in format_lock.rows(seed=1, mode="minimal", math="exclude") if row["meta"]["category"] == "fact"
    ]
    counted = Counter(row["meta"]["fact"] for row in rows if row["meta"]["language"] == "en")
    english = [fact for fact in facts.FACTS if fact.language == "en"]
    assert len(counted) == len(english) and max(counted.values()) - min(counted.values()) <= 1


def test_facts_are_answered_by_the_table(full: list[Row]) -> None:
    by_key = {fact.key: fact.reply for fact in facts.FACTS}
    rows = [row for row in full if row["meta"]["category"] == "fact"]
    assert rows and all(answer_of(row) == by_key[row["meta"]["fact"]] for row in rows)


def test_yes_and_no_are_true_and_about_equally_common(full: list[Row]) -> None:
    by_key = {fact.key: fact.answer for fact in facts.FACTS}
    rows = [row for row in full if row["meta"]["category"] == "yes_no"]
    for row in rows:
        assert (answer_of(row) == "Yes.") == (row["meta"]["claimed"] == by_key[row["meta"]["fact"]])
    assert 0.4 < sum(answer_of(row) == "Yes." for row in rows) / len(rows) < 0.6


def test_the_language_label_is_the_languages() -> None:
    german = re.compile(
        r"\b(was|ist|das|die|der|den|bitte|und|sag|wort|wie|nenne|kannst|hallo|rechne|ja|nein|gib)\b", re.I
    )
    english = re.compile(r"\b(the|what|is|please|of|you|tell|say|and)\b", re.I)
    for row in format_lock.rows(seed=3, n_examples=1500):
        text = row["meta"]["template"]
        if row["meta"]["language"] == "de":
            assert not re.search(r"\b(what|please|the|of)\b", text, re.I), text
        else:
            assert not (german.search(text) and not english.search(text)) or "was" in text.lower(), text


@pytest.mark.parametrize(("math", "low", "high"), [("exclude", 0, 0), ("minimal", 10, 80), ("only", 300, 300)])
def test_math_modes_say_how_many_sums_there_are(math: format_lock.Math, low: int, high: int) -> None:
    rows = list(format_lock.rows(seed=1, mode="minimal", math=math))
    assert low <= sum(row["meta"]["category"] == "sum" for row in rows) <= high
    assert math != "only" or len(rows) == 300


def test_everyday_words_are_said_as_often_as_asked_in_training_alone() -> None:
    def said(split: format_lock.Split, everyday: int) -> int:
        rows = format_lock.rows(seed=3, n_examples=600, everyday=everyday, split=split)
        answers = [answer_of(row) for row in rows if row["meta"]["category"] == "say"]
        return sum(answer.lower().rstrip(".!") in pools.EVERYDAY for answer in answers)

    assert said("train", 100) == 100
    assert said("train", 0) == 0 and said("val", 100) == 0


def test_validation_has_no_small_talk_since_its_wording_is_fixed() -> None:
    assert "small_talk" not in {
        row["meta"]["category"] for row in format_lock.rows(seed=1, split="val", n_examples=200)
    }


def test_a_seed_decides_everything() -> None:
    for make in (echo.rows, format_lock.rows):
        drawn = [list(make(seed=seed, n_examples=80)) for seed in (5, 5, 6)]
        assert drawn[0] == drawn[1] != drawn[2]
