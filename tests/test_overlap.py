"""Overlap finds training text in evaluation items, tier by tier, and finds nothing on a clean set."""

from __future__ import annotations

import random

import pytest

from modelqa.data.items import Item, item_of_case, items_of_row
from modelqa.data.overlap import TIERS, Report, overlaps
from modelqa.errors import DataError
from modelqa.family import overlapping
from modelqa.gates import Case

ECHO = Item("case-1", "Please send back the phrase between the bars: |amber lantern|", "amber lantern", "amber lantern")
LONG = Item(
    "case-2",
    "A gardener plants seven rows of tulips in spring and doubles them every autumn until the fence; how many remain?",
    "None",
)
CLEAN = [
    Item("t1", 'Repeat exactly: "silver kettle"', "silver kettle", "silver kettle"),
    Item("t2", "What is the boiling point of water at sea level?", "100 degrees Celsius."),
    Item("t3", "Wrap this in square brackets: copper door", "[copper door]", "copper door"),
]


def tiers(report: Report) -> set[str]:
    return {overlap.tier for overlap in report.overlaps}


def found(train: Item, item: Item = ECHO, **options: object) -> set[str]:
    return tiers(overlaps([*CLEAN, train], [item], **options))  # type: ignore[arg-type]


def test_a_clean_set_has_no_overlap() -> None:
    report = overlaps(CLEAN, [ECHO, LONG])
    assert report.overlaps == ()
    assert (report.rows, report.items) == (3, 2)
    assert set(report.counts) == set(TIERS)
    assert not any(report.counts.values())


def test_a_verbatim_copy_is_found_on_every_tier_but_the_short_one() -> None:
    copied = Item("leak", LONG.prompt, LONG.answer)
    report = overlaps([*CLEAN, copied], [ECHO, LONG])
    assert tiers(report) == {"exact", "prompt", "answer", "template", "ngram"}
    assert {(hit.train, hit.item) for hit in report.overlaps} == {("leak", "case-2")}
    assert report.of("ngram")[0].coverage == 1.0


def test_a_prompt_in_other_case_and_punctuation_is_the_same_prompt() -> None:
    hits = found(Item("leak", "PLEASE send back the phrase, between the bars - |Amber  Lantern|!", "no"))
    assert "prompt" in hits
    assert "exact" not in hits and "answer" not in hits


def test_a_payload_in_other_case_is_the_same_payload() -> None:
    assert "payload" in found(Item("leak", "Say: AMBER LANTERN", "AMBER LANTERN", "AMBER LANTERN"))


def test_a_payload_in_full_width_letters_is_the_same_payload() -> None:
    text = "\uff21\uff4d\uff42\uff45\uff52 lantern"  # "Amber" in full-width letters
    assert "payload" in found(Item("leak", f"Say: {text}", text, text))


def test_a_payload_embedded_in_a_row_that_declares_none_is_found() -> None:
    assert found(Item("leak", "Tell me a story of the amber lantern in the attic.", "Once upon a time.")) == {"payload"}
    assert found(Item("leak", "Tell me a story.", "It began with the amber lantern in the attic.")) == {"payload"}


def test_a_payload_embedded_beside_the_declared_one_is_found() -> None:
    row = Item("leak", "First amber lantern. Now say green hill", "green hill", "green hill")
    assert found(row) == {"payload"}


def test_a_payload_that_a_row_declares_but_does_not_hold_hides_nothing() -> None:
    assert found(Item("leak", "Utter amber lantern", "amber lantern", "green hill")) >= {"payload"}


def test_another_payload_that_contains_the_words_is_another_payload() -> None:
    longer = "the amber lantern burns"
    assert found(Item("ok", f"Utter now {longer}", longer, longer)) == set()
    assert found(Item("ok", f"Utter now {longer}", longer)) == set()


def test_a_payload_of_one_word_is_found_quoted_or_echoed_but_not_as_a_common_word() -> None:
    item = Item("case", "Give me this word back, please: |orchard|", "orchard", "orchard")
    assert found(Item("leak", 'Do not say "Orchard".', "All right."), item) == {"payload"}
    assert found(Item("leak", "Utter orchard", "Orchard."), item) == {"payload"}
    assert found(Item("ok", "Who owns the orchard in the valley?", "A farmer owns the orchard."), item) == set()


@pytest.mark.parametrize(
    "prompt",
    [
        "[P26_AE] Please send back the phrase between the bars: |green hill|",
        "<task> please send back the phrase between the bars: |green hill|",
        'Please send back the phrase between the bars: "green hill"',
        "PLEASE SEND BACK THE PHRASE BETWEEN THE BARS: (green hill)",
    ],
    ids=["tag prefix", "markup prefix", "delimiters swapped", "case"],
)
def test_a_template_in_disguise_is_the_same_template(prompt: str) -> None:
    assert "template" in found(Item("leak", prompt, "green hill", "green hill"))
    assert "template" in found(Item("leak", prompt, "green hill")), "the payload is inferred when it is not declared"


def test_a_template_with_one_word_in_ten_changed_is_the_same_family() -> None:
    row = Item("leak", "Please send back the words between the bars: |green hill|", "green hill", "green hill")
    hit = overlaps([row], [ECHO]).of("template")[0]
    assert 0.8 <= hit.coverage < 1.0


def test_ruling_rows_out_by_their_words_loses_no_template() -> None:
    draw = random.Random(7)
    words = ["say", "the", "word", "back", "now", "please", "copy", "exactly", "3", "3.50", "12", "item2", "fox", "owl"]

    def question(name: str) -> Item:
        payload = draw.choice(["fox", "owl hill", "a b", "3"])
        prompt = " ".join([*draw.choices(words, k=draw.randint(0, 9)), payload])
        return Item(name, prompt, payload, draw.choice([payload, None]))

    rows, items = [question(f"r{n}") for n in range(400)], [question(f"c{n}") for n in range(200)]
    similar = {a: score for a, _, score in overlapping([i.template for i in items], [r.template for r in rows])}
    expected = {item.id: similar[item.template] for item in items if item.template in similar}
    assert {hit.item: hit.coverage for hit in overlaps(rows, items).of("template")} == expected
    assert 0 < len(expected) < len(items)


def test_half_of_an_item_inside_a_longer_row_is_found_and_a_fifth_is_not() -> None:
    words = LONG.prompt.split()
    half = " ".join(words[: len(words) * 3 // 5])
    report = overlaps([Item("leak", f"Summarise the following. {half} and so on", "Fine.")], [LONG])
    assert tiers(report) == {"ngram"}
    assert 0.5 <= report.of("ngram")[0].coverage < 0.7
    few = " ".join(words[:8])
    assert overlaps([Item("ok", f"Summarise the following. {few} and so on", "Fine.")], [LONG]).overlaps == ()


def test_an_item_cut_in_pieces_over_two_rows_is_not_covered_by_one() -> None:
    words = LONG.prompt.split()
    rows = [Item("a", " ".join(words[:8]), "."), Item("b", " ".join(words[8:17]), ".")]
    assert overlaps(rows, [LONG]).of("ngram") == ()


def test_grams_of_few_distinct_words_are_no_evidence() -> None:
    item = Item("case", "Fill the grid with one one one one one one one one one one", "ok")
    report = overlaps([Item("ok", "one one one one one one one one one one", "two")], [item])
    assert report.of("ngram") == ()


def test_items_too_short_for_n_grams_are_counted() -> None:
    assert overlaps(CLEAN, [Item("short", "What is seven times six?", "42"), LONG]).too_short == ("short",)


def test_only_what_is_declared_disjoint_is_reported() -> None:
    row = Item("leak", ECHO.prompt, ECHO.answer, ECHO.payload)
    assert found(row, disjoint={"payload"}) == {"payload"}
    assert found(row, disjoint={"phrasing", "prompt"}) == {"exact", "prompt", "answer", "template", "ngram"}


def test_facts_may_share_the_content_but_not_the_phrasing() -> None:
    fact = item_of_case(Case("f", ({"role": "user", "content": "Name the town where France is governed"},), "Paris",
                             payload="France", meta={"disjoint": "phrasing prompt"}))
    assert found(Item("ok", "France", "France", "France"), fact) == set()
    assert found(Item("leak", "Name the town where Spain is governed", "Madrid", "Spain"), fact) == {"template"}


def test_where_phrasing_may_be_shared_the_template_alone_is_no_n_gram_overlap() -> None:
    stem = "In the small village by the long river the old miller counts his sacks of"
    item = Item("case", f"{stem} barley", "ok")
    shared = {"disjoint": {"prompt"}}
    assert found(Item("ok", f"{stem} rye", "no"), item, **shared) == set()
    assert found(Item("leak", f"Read this and judge it with great care and patience: {stem} rye and so on and so forth",
                      "no"), item, **shared) == {"ngram"}


def test_an_overlap_counts_the_rows_and_names_the_first() -> None:
    rows = [Item(f"r{number}", ECHO.prompt, "x") for number in range(800)]
    hit = overlaps(rows, [ECHO]).of("prompt")[0]
    assert (hit.train, hit.rows) == ("r0", 800)


def test_a_plain_text_row_is_searched_for_prompts_and_payloads() -> None:
    text = f"Quoted: {LONG.prompt} And: amber lantern."
    row = next(items_of_row({"messages": [{"role": "assistant", "content": text}]}, "d:1"))
    assert {(hit.tier, hit.item) for hit in overlaps([row], [LONG, ECHO]).overlaps} == {
        ("ngram", "case-2"), ("payload", "case-1")}


def test_two_words_inside_a_sentence_of_plain_text_are_no_payload_but_three_are() -> None:
    def text(content: str) -> Item:
        return next(items_of_row({"messages": [{"role": "assistant", "content": content}]}, "d:1"))

    three = Item("case", "Send back, please: old amber lantern", "old amber lantern", "old amber lantern")
    assert found(text("In the attic an amber lantern burns.")) == set()
    assert found(text("In the attic (amber lantern) it burns.")) == {"payload"}
    assert found(text("In the attic an old amber lantern burns."), three) == {"payload"}


def test_each_exchange_of_a_conversation_is_compared() -> None:
    row = {"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": LONG.prompt}, {"role": "assistant", "content": "None"},
    ]}
    items = list(items_of_row(row, "train.jsonl:7"))
    assert [(item.prompt, item.answer) for item in items] == [("Hello", "Hi"), (LONG.prompt, "None")]
    assert overlaps(items, [LONG]).of("answer")[0].train == "train.jsonl:7#2"


def test_a_wrong_declaration_is_an_error_that_names_the_case() -> None:
    case = Case("case-9", ({"role": "user", "content": "Hello"},), meta={"disjoint": "wording"})
    with pytest.raises(DataError, match=r"case-9.*wording"):
        item_of_case(case)


def test_the_report_as_json_keeps_counts_and_first_examples() -> None:
    items = [Item(f"c{number}", ECHO.prompt, ECHO.answer, ECHO.payload) for number in range(9)]
    value = overlaps([Item("leak", ECHO.prompt, "x")], items).to_json(examples=2)
    assert value["counts"]["prompt"] == 9
    assert [hit["item"] for hit in value["examples"]["prompt"]] == ["c0", "c1"]
    assert value["examples"]["prompt"][0]["train"] == "leak"
