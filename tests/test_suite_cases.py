"""The certification cases: balanced, fresh, and unlike whatever training may hold."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib import import_module
from itertools import islice

import pytest
from behaviour_suite import BODIES, DRAWN, PREFIX, READING, STREAMS, drawn, every_seed, every_stream, said, spec

from modelqa import Case
from modelqa.data import contexts, echo, facts, format_lock, instructions, phrasings, pools, templates_instructions
from modelqa.data.items import item_of_case, items_of_row
from modelqa.data.operators import rows as operator_rows
from modelqa.data.rows import Row, user_of
from modelqa.family import families, normalise, overlapping, payload_split, signature
from modelqa.plugin.plan import family_names
from modelqa.training import continuations

FEWER = ("new_words", "hierarchy")  # streams whose prompts differ by their phrasing alone; a few dozen are enough
phrasings_copying = import_module("suites.behaviour.phrasings_copying")
phrasings_asking = import_module("suites.behaviour.phrasings_asking")
phrasings_reading = import_module("suites.behaviour.phrasings_reading")


# -- the streams -------------------------------------------------------------------------------------------------------


@every_stream
@every_seed
def test_a_stream_asks_nothing_twice(name: str, seed: int) -> None:
    cases = drawn(name, seed)
    assert len(cases) == DRAWN
    assert len({case.id for case in cases}) == DRAWN
    assert len({said(case) for case in cases}) == DRAWN


@every_stream
def test_a_stream_is_one_fixed_sequence_for_a_seed_and_another_for_another(name: str) -> None:
    assert drawn(name, 0) == tuple(islice(STREAMS[name](0), DRAWN))
    assert {said(c) for c in drawn(name, 0)[:PREFIX]} != {said(c) for c in drawn(name, 1)[:PREFIX]}


@every_stream
@every_seed
def test_every_prefix_has_many_families_evenly(name: str, seed: int) -> None:
    counts = Counter(family_names(drawn(name, seed)[:PREFIX]))
    assert len(counts) >= (20 if name in FEWER else 40)
    assert max(counts.values()) <= 12


@pytest.mark.parametrize("operator", ["COPY", "WRAP", "EXTRACT"])
@every_seed
def test_each_operator_alone_has_forty_families(operator: str, seed: int) -> None:
    cases = [case for case in drawn("operators", seed) if case.meta["operator"] == operator]
    assert len(cases) >= 200
    assert len(set(family_names(cases))) >= 40


@every_stream
@every_seed
def test_meta_values_are_strings_and_every_case_has_an_answer(name: str, seed: int) -> None:
    for case in drawn(name, seed):
        assert all(isinstance(value, str) for value in case.meta.values())
        assert case.answer
        assert not re.search(r"\{[A-Z]\}", case.user)


@pytest.mark.parametrize("name", ["echo", "new_words", "operators", "anti_echo"])
@every_seed
def test_payloads_are_those_of_certification(name: str, seed: int) -> None:
    for case in drawn(name, seed):
        assert case.payload and case.payload in case.user
        assert payload_split(case.payload) == "certify"


@pytest.mark.parametrize("seed", [3, 904795])  # the second once drew "child laugh", where training "made a child laugh"
def test_no_payload_stands_in_a_sentence_that_carries_payloads_in_training(seed: int) -> None:
    sentences = [text for language in ("en", "de") for text in phrasings.carriers("train", language)]
    told = [f" {normalise(text)} " for text in sentences]
    for name in ("echo", "operators"):
        for text in {normalise(case.payload or "") for case in drawn(name, seed)}:
            assert " " not in text or not any(f" {text} " in sentence for sentence in told), text


def test_the_streams_ask_different_things() -> None:
    asked = Counter(said(case) for name in STREAMS for case in drawn(name, 0))
    assert max(asked.values()) == 1


# -- what the subgroups hold -------------------------------------------------------------------------------------------


@every_seed
def test_operators_come_as_triples_of_one_payload(seed: int) -> None:
    cases = drawn("operators", seed)
    for start in range(0, DRAWN, 3):
        triple = cases[start : start + 3]
        assert [case.meta["operator"] for case in triple] == ["COPY", "WRAP", "EXTRACT"]
        assert len({case.payload for case in triple}) == len({case.meta["triple"] for case in triple}) == 1
        assert [case.answer for case in triple] == [triple[0].payload, f"[{triple[0].payload}]", triple[0].payload]
    assert len({normalise(case.payload or "") for case in cases}) == DRAWN // 3


@every_seed
def test_each_word_count_has_a_hundred_operator_cases(seed: int) -> None:
    gate = spec(BODIES["operators"])
    cases = drawn("operators", seed)[: gate.n]
    counts = Counter(case.meta["words"] for case in cases)
    assert set(counts) == {"1", "2", "3", "4"}
    assert min(counts.values()) >= 100
    assert all(len((case.payload or "").split()) == int(case.meta["words"]) for case in cases)


@every_seed
def test_most_echo_payloads_have_several_words_and_some_are_german(seed: int) -> None:
    cases = drawn("echo", seed)[:PREFIX]
    assert sum(len((case.payload or "").split()) > 1 for case in cases) > PREFIX / 2
    last = [case.user.rstrip(" .!?\"'`").endswith((case.payload or "").rstrip(".!?")) for case in cases]
    assert sum(last) < 0.9 * PREFIX
    assert sum(case.meta["language"] == "de" for case in cases) >= 20
    assert {case.meta["kind"] for case in cases} == {"words", "nonce", "mixed", "number"}


@every_seed
def test_half_of_regression_is_facts_and_half_of_the_sums_is_unseen(seed: int) -> None:
    cases = drawn("regression", seed)[:PREFIX]
    assert Counter(case.meta["topic"] for case in cases) == {"fact": PREFIX // 2, "sum": PREFIX // 2}
    assert Counter(c.meta["sums"] for c in cases if "sums" in c.meta) == {"seen": PREFIX // 4, "unseen": PREFIX // 4}


@every_seed
def test_unseen_sums_are_none_that_training_may_hold(seed: int) -> None:
    seen = {(total.a, total.b) for total in facts.sums("seen")}
    for case in drawn("regression", seed):
        if case.meta["topic"] == "sum":
            a, b = (int(number) for number in re.findall(r"\d+", case.user))
            assert int(case.answer.rstrip(".")) == a + b
            assert ((a, b) in seen) == (case.meta["sums"] == "seen")
            assert ((b, a) in seen) == ((a, b) in seen)


@every_seed
def test_facts_and_seen_sums_alone_may_share_their_content_with_training(seed: int) -> None:
    for case in drawn("regression", seed):
        shared = case.meta["topic"] == "fact" or case.meta["sums"] == "seen"
        assert (case.meta.get("disjoint") == "phrasing prompt") == shared


@every_seed
def test_no_answer_is_expected_in_more_than_a_tenth_of_regression(seed: int) -> None:
    for count in (PREFIX, DRAWN):
        right = [{normalise(text) for text in case.expect or ()} for case in drawn("regression", seed)[:count]]
        answers = Counter(text for texts in right for text in texts)
        assert answers.most_common(1)[0][1] <= count / 10


def test_other_right_answers_belong_to_facts_of_the_table() -> None:
    known = {(fact.kind, fact.language, fact.subject) for fact in facts.FACTS}
    assert set(phrasings_asking.ALSO_RIGHT) <= known
    assert set(phrasings_asking.FACTS) <= {(fact.kind, fact.language) for fact in facts.FACTS}


@every_seed
def test_real_and_invented_words_are_asked_about_in_the_same_phrasings(seed: int) -> None:
    cases = drawn("anti_echo", seed)
    by_kind = {kind: [case for case in cases if case.meta["kind"] == kind] for kind in ("meaning", "invented", "real")}
    assert {kind: len(found) for kind, found in by_kind.items()} == {"meaning": 150, "invented": 150, "real": 300}
    assert set(family_names(by_kind["real"])) == set(family_names(by_kind["invented"]))
    known = {word.lower() for word in (*pools.WORDS, *pools.GERMAN_WORDS)}
    assert all((case.payload in known) == (case.meta["kind"] == "real") for case in cases)


# -- cases about a material -------------------------------------------------------------------------------------------

KINDS = {
    "abstention": ("kind", {"known": 100, "unknown": 100}),
    "output": ("kind", {"word": 50, "number": 50, "object of 1": 50, "object of 2": 50}),
    "injection": ("kind", {"injected": 67, "harmless": 67, "direct": 67}),
    "hierarchy": ("kind", {"conflict": 100, "agreed": 100}),
    "turns": ("kind", {"recall": 133, "other": 67}),
}


@pytest.mark.parametrize("name", KINDS)
@every_seed
def test_the_sides_of_a_contrast_are_asked_about_equally_often(name: str, seed: int) -> None:
    key, wanted = KINDS[name]
    counts = Counter(case.meta[key] for case in drawn(name, seed)[:PREFIX])
    assert set(counts) == set(wanted)
    assert all(abs(counts[kind] - count) <= 1 for kind, count in wanted.items())


@every_seed
def test_no_source_is_the_right_one_in_more_than_six_cases_of_ten(seed: int) -> None:
    counts = Counter(case.meta["source"] for case in drawn("citation", seed)[:PREFIX])
    assert set(counts) == {"1", "2", "3"} and max(counts.values()) <= 0.6 * PREFIX and min(counts.values()) >= 20


def values(case: Case) -> list[str]:
    """The words and numbers that a right answer holds, and those that it must not."""
    right = case.answer if case.answer != "Unknown." else ""
    return [*re.findall(r"\w+", re.sub(r"\[\d\]|\w+(?=\": )", "", right)), *case.forbid]


@pytest.mark.parametrize("name", READING)
@every_seed
def test_values_are_payloads_of_certification_and_stand_in_the_conversation(name: str, seed: int) -> None:
    for case in drawn(name, seed):
        text = f" {said(case)} "
        assert values(case)
        for value in values(case):
            assert payload_split(value) == "certify", value
            unsaid = name == "injection" and case.meta["kind"] == "harmless" and value == case.forbid[0]
            assert (f" {normalise(value)} " in text) is not unsaid


@pytest.mark.parametrize("name", ["abstention", "citation", "output", "injection"])
def test_a_material_is_what_is_masked_to_find_a_family(name: str) -> None:
    for case in drawn(name, 0):
        assert case.payload and case.payload in case.user and case.payload != case.user


@every_seed
def test_twins_differ_in_what_decides_and_in_nothing_else(seed: int) -> None:
    conflict, agreed = (drawn("hierarchy", seed)[side::2] for side in (0, 1))
    for one, other in zip(conflict, agreed, strict=True):
        assert one.user == other.user and one.messages[0] != other.messages[0]
        assert one.answer == other.forbid[0] and other.answer == one.forbid[0]
    known, unknown = (drawn("abstention", seed)[side::2] for side in (0, 1))
    assert all(one.payload == other.payload for one, other in zip(known, unknown, strict=True))


# -- apart from training -----------------------------------------------------------------------------------------------

MARKER = "qzxv"  # stands for the payload; no template holds it


def template_signature(template: str) -> str:
    text = template.replace("{A}", "3").replace("{B}", "5")
    text = re.sub(r"\{[A-Z]\}", MARKER, text)
    return signature(text, payload=MARKER if MARKER in text else None)


@cache
def training_templates() -> tuple[str, ...]:
    """Every template that training may use, the carrier of EXTRACT left out."""
    found: list[str] = []
    for language in ("en", "de"):
        found += phrasings.copying("train", language)
        found += [text for bracket in phrasings.BRACKETS for text in phrasings.wrapping("train", language, bracket)]
        found += [text for mark in phrasings.MARKS for text in phrasings.extracting("train", language, mark)]
        found += [text for asked in phrasings.QUESTIONS for text in phrasings.questions(asked, "train", language)]
        found += phrasings.sums("train", language)
    for kind in templates_instructions.KINDS:
        found += templates_instructions.phrasings(kind, "train")
    found += [text for relation in contexts.RELATIONS for text in (*relation.says, *relation.asks)]
    found += contexts.ASKED
    found += [text for kind, language in facts.FACT_KINDS for text in phrasings.facts(kind, "train", language)]
    found += [text for kind in phrasings.YES_NO_KINDS for text in phrasings.yes_no(kind, "train")]
    return tuple(dict.fromkeys(found))


def certification_templates() -> dict[str, tuple[str, ...]]:
    copied = ("ECHO", "ECHO_GERMAN", "COPY", "WRAP", "EXTRACT", "NEW_VERBS")
    lists = {name: getattr(phrasings_copying, name) for name in copied}
    lists |= {name: getattr(phrasings_asking, name) for name in ("MEANING", "IS_WORD", "SUMS")}
    reading = ("READING", "CITING", "ONE_WORD", "ONE_NUMBER", "AS_JSON", "MATERIAL", "ORDERS", "DIRECT", "RULES",
               "FIELD_ASKED", "NEUTRAL", "WISHES", "TOLD")  # fmt: skip
    lists |= {name: getattr(phrasings_reading, name) for name in reading}
    lists["SAYS"] = tuple(text for says, _ in phrasings_reading.FACTS.values() for text in says)
    lists["ASKS"] = tuple(text for _, asks in phrasings_reading.FACTS.values() for text in asks)
    return lists | {"FACTS": tuple(text for texts in phrasings_asking.FACTS.values() for text in texts)}


def test_no_phrasing_is_of_the_family_of_a_training_template() -> None:
    ours = [template_signature(text) for texts in certification_templates().values() for text in texts]
    theirs = [template_signature(text) for text in training_templates()]
    assert len(ours) > 250 and len(theirs) > 5_000
    assert overlapping(ours, theirs) == []


def test_no_extract_prompt_is_of_the_family_of_one_in_training() -> None:
    rows = operator_rows(n=6_000, split="train", seed=7, max_tokens=0)
    theirs = [signature(user_of(row), payload=row["meta"]["payload"]) for row in rows]
    assert overlapping([template_signature(text) for text in phrasings_copying.EXTRACT], theirs) == []


@every_stream
def test_no_case_repeats_a_prompt_or_a_payload_of_training_rows(name: str) -> None:
    items = [item for row in training_rows() for item in items_of_row(row, row["id"])]
    prompts = {normalise(item.prompt) for item in items}
    payloads = {normalise(item.payload) for item in items if item.payload}
    for case in map(item_of_case, drawn(name, 3)):
        assert normalise(case.prompt) not in prompts
        assert "payload" not in case.disjoint or normalise(case.payload or "") not in payloads


@cache
def training_rows() -> tuple[Row, ...]:
    return (
        *echo.rows(seed=5, gibberish="include", bpe_safe=False, n_examples=1_000),
        *format_lock.rows(seed=5, n_examples=1_000),
        *operator_rows(n=1_000, split="train", seed=5, max_tokens=0),
        *instructions.rows(seed=5, n_examples=4_000),
        *continuations.rows(seed=5, n_examples=500),
    )


@pytest.mark.parametrize(
    "names",
    [
        ("ECHO", "ECHO_GERMAN"), ("COPY", "WRAP", "EXTRACT"), ("MEANING", "IS_WORD"), ("SUMS", "FACTS"), ("NEW_VERBS",),
        ("READING",), ("CITING",), ("ONE_WORD",), ("ONE_NUMBER",), ("AS_JSON",), ("MATERIAL",), ("ORDERS", "DIRECT"),
        ("RULES", "NEUTRAL"), ("WISHES",), ("TOLD",), ("SAYS",), ("ASKS",), ("FIELD_ASKED",),
    ],
    ids="+".join,
)
def test_each_phrasing_is_a_family_of_its_own(names: tuple[str, ...]) -> None:
    texts = [text for name in names for text in certification_templates()[name]]
    assert len(set(families([template_signature(text) for text in texts]))) == len(texts)


@cache
def trained_words() -> frozenset[str]:
    """The words that training prompts are made of: templates, carriers and the word pools."""
    carriers = [text for language in ("en", "de") for text in phrasings.carriers("train", language)]
    pooled = (*pools.WORDS, *pools.GERMAN_WORDS, *pools.PHRASES, *pools.SENTENCES, *contexts.PEOPLE)
    texts = (*training_templates(), *carriers, *pooled)
    return frozenset(word for text in texts for word in normalise(re.sub(r"\{[A-Z]\}", " ", text)).split())


def words_of(template: str) -> set[str]:
    return set(normalise(re.sub(r"\{[A-Z]\}", " ", template)).split())


def test_every_phrasing_is_made_of_words_that_training_holds() -> None:
    for name, texts in certification_templates().items():
        if name != "NEW_VERBS":
            unseen = {word for text in texts for word in words_of(text)} - trained_words()
            assert not unseen, f"{name}: {sorted(unseen)}"


def test_every_new_verb_phrasing_holds_a_word_that_no_training_template_does() -> None:
    taught = {word for text in training_templates() for word in words_of(text)}
    for text in phrasings_copying.NEW_VERBS:
        assert words_of(text) - taught, text
