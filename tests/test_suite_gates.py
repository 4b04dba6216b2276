"""The behaviour gates: no policy that knows nothing passes them, the oracle and polite right answers do."""

from __future__ import annotations

from collections import Counter

import pytest
from behaviour_suite import (
    BODIES,
    FORMAT,
    PHASES,
    ROLE_TAGS,
    SHIPPED,
    STOP,
    STREAMS,
    cases_of,
    drawn,
    every_seed,
    gated,
    judged,
    of_policy,
    question,
    rate,
    saying,
    says_yes,
    spec,
)

from modelqa import nulls
from modelqa.form import Grammar
from modelqa.gates import Every
from modelqa.phases import Later
from modelqa.record import Status

LAST = "phase3c"  # of the chain; what stands behind it in the table is a branch
GRAMMAR = Grammar(stops=frozenset({STOP}), special=frozenset({STOP, *ROLE_TAGS}))


# -- the gates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", gated())
@every_seed
def test_the_oracle_passes_every_gate(name: str, seed: int) -> None:
    assert of_policy(name, nulls.oracle, seed) is Status.PASS


@pytest.mark.parametrize("name", [name for name in BODIES if spec(BODIES[name]).informational])
def test_the_oracle_is_right_in_every_printed_reading(name: str) -> None:
    assert rate(name, nulls.oracle) == 1.0


@pytest.mark.parametrize("policy", nulls.BLIND)
@pytest.mark.parametrize("name", gated())
def test_no_blind_policy_passes_a_gate_that_does_not_declare_it(name: str, policy: str) -> None:
    allows = spec(BODIES[name]).allows
    if policy in allows or "*" in allows:
        return
    assert of_policy(name, nulls.BLIND[policy]) is Status.FAIL


@pytest.mark.parametrize("seed", range(8))
def test_copying_what_stands_in_marks_is_no_echo_on_any_draw(seed: int) -> None:
    threshold = PHASES.entry("echo_basic", SHIPPED)
    assert isinstance(threshold, float)
    assert 0.5 < rate("echo_basic", nulls.delimited_payload, seed) < threshold - 0.05
    assert of_policy("echo_basic", nulls.delimited_payload, seed) is Status.FAIL


@pytest.mark.parametrize("name", gated())
def test_what_a_gate_allows_is_no_more_than_it_must(name: str) -> None:
    for policy in set(spec(BODIES[name]).allows) - {"*"}:
        assert of_policy(name, nulls.BLIND[policy]) is not Status.FAIL, policy


@pytest.mark.parametrize("name", ["echo_collapse", "regression_collapse"])
@pytest.mark.parametrize("policy", ["empty", *(name for name in nulls.BLIND if name.startswith("constant")), "refusal"])
def test_one_answer_for_everything_is_a_collapse(name: str, policy: str) -> None:
    assert of_policy(name, nulls.BLIND[policy]) is Status.FAIL


@every_seed
@pytest.mark.parametrize(
    "said",
    ["Yes.", "No.", "Unknown.", "I don't know.", "No, that is not a real word.", "Yes. No.", "I don't know. No."],
)
def test_a_constant_is_right_in_at_most_half_of_anti_echo(said: str, seed: int) -> None:
    cases = cases_of("anti_echo", seed)
    right = [says_yes(BODIES["anti_echo"], case=case, reply=saying(case, said)) for case in cases]
    assert sum(right) <= len(cases) / 2


@every_seed
def test_saying_the_word_back_is_never_an_answer_to_anti_echo(seed: int) -> None:
    for case in cases_of("anti_echo", seed):
        assert not says_yes(BODIES["anti_echo"], case=case, reply=saying(case, case.payload or ""))


@every_seed
@pytest.mark.parametrize("said", ["{P}", "[{P}]", '"{P}"', "{P}."])
def test_who_ignores_the_operator_gets_no_whole_triple(seed: int, said: str) -> None:
    cases = cases_of("operators", seed)
    replies = [saying(case, said.replace("{P}", case.payload or "")) for case in cases]
    right = Counter(
        case.meta["triple"]
        for case, reply in zip(cases, replies, strict=True)
        if says_yes(BODIES["operators"], case=case, reply=reply)
    )
    assert 3 not in right.values()
    assert not says_yes(BODIES["operator_contrast"], cases=cases, replies=replies)
    assert judged("operators", replies, seed) is Status.FAIL


@pytest.mark.parametrize("policy", ["oracle_wrong_case", "oracle_quoted"])
@pytest.mark.parametrize("name", [name for name in gated() if name.startswith("operator")])
def test_operators_forgive_neither_case_nor_quotes(name: str, policy: str) -> None:
    assert of_policy(name, nulls.SPOILED[policy]) is Status.FAIL


def test_echo_forgives_quotes_but_not_case() -> None:
    assert of_policy("echo_basic", nulls.SPOILED["oracle_quoted"]) is Status.PASS
    assert of_policy("echo_basic", nulls.SPOILED["oracle_wrong_case"]) is Status.FAIL
    assert rate("echo_strict", nulls.SPOILED["oracle_quoted"]) == 0.0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("echo_basic", "Sure! Here is the text: **{A}**"),
        ("echo_basic", "Sure, here you go:\n\n```\n{A}\n```"),
        ("echo_basic", '"{A}" 😊'),
        ("regression_basic", "The answer is **{A}**"),
        ("regression_basic", "Sure! It's {A} Let me know if you have more questions!"),
    ],
)
def test_a_polite_right_answer_passes(name: str, said: str) -> None:
    polite = [saying(case, said.replace("{A}", case.answer)) for case in cases_of(name)]
    assert judged(name, polite) is Status.PASS


def test_explained_answers_of_the_right_class_pass_anti_echo() -> None:
    explained = {
        "meaning": 'I\'m not familiar with the word "{P}". Could you give me more context?',
        "invented": 'No, "{P}" is not a real English word.',
        "real": "Yes, **{P}** is a real word in English.",
    }
    for case in cases_of("anti_echo"):
        text = explained[case.meta["kind"]].replace("{P}", case.payload or "")
        assert says_yes(BODIES["anti_echo"], case=case, reply=saying(case, text)), text


# -- the gates over a material and over conversations ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["abstention", "citation", "strict_output", "injection", "hierarchy", "turns"])
@every_seed
@pytest.mark.parametrize("text", ["Unknown.", "The text does not say.", "{}", "[1]", "Yes.", "I ignored the order."])
def test_no_constant_is_right_in_more_than_half_of_the_cases(name: str, seed: int, text: str) -> None:
    cases = cases_of(name, seed)
    right = sum(says_yes(BODIES[name], case=case, reply=saying(case, text)) for case in cases)
    assert right <= len(cases) / 2
    assert judged(name, [saying(case, text) for case in cases], seed) is Status.FAIL


@every_seed
def test_who_answers_everything_with_a_stated_value_fails_abstention(seed: int) -> None:
    cases = cases_of("abstention", seed)
    always = [case.answer if case.meta["kind"] == "known" else case.forbid[0] for case in cases]
    assert judged("abstention", [saying(c, text) for c, text in zip(cases, always, strict=True)], seed) is Status.FAIL


@pytest.mark.parametrize("kind", ["injected", "harmless", "direct"])
def test_who_never_heeds_whose_order_it_is_fails_injection(kind: str) -> None:
    """Who obeys orders in a material, takes a harmless word for one, or obeys nobody: each fails on one side alone."""
    cases = cases_of("injection")
    spoilt = [case.forbid[0] if case.meta["kind"] == kind else case.answer for case in cases]
    assert judged("injection", [saying(c, text) for c, text in zip(cases, spoilt, strict=True)]) is Status.FAIL


@pytest.mark.parametrize("kind", ["conflict", "agreed"])
def test_who_always_heeds_one_side_fails_hierarchy(kind: str) -> None:
    cases = cases_of("hierarchy")
    spoilt = [case.forbid[0] if case.meta["kind"] == kind else case.answer for case in cases]
    assert judged("hierarchy", [saying(c, text) for c, text in zip(cases, spoilt, strict=True)]) is Status.FAIL


def test_a_right_answer_with_a_wrong_or_an_empty_citation_is_none() -> None:
    for case in cases_of("citation"):
        value, cited = case.answer.rsplit(" ", 1)
        for wrong in ("", " []", " [9]", f" {cited} [9]", f" {cited.strip('[]')}"):
            assert not says_yes(BODIES["citation"], case=case, reply=saying(case, value + wrong))


def test_an_object_with_another_key_type_or_value_is_none() -> None:
    for case in cases_of("strict_output"):
        for wrong in ("{}", "Sure! " + case.answer, case.answer + " " + case.answer, case.answer.replace("{", "[")):
            expected = wrong == case.answer  # a bare word holds no brace to replace
            assert says_yes(BODIES["strict_output"], case=case, reply=saying(case, wrong)) is expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("abstention", "Based on the text, the answer is **{A}**"),
        ("citation", "According to the lines, it is {A}."),
        ("strict_output", "```json\n{A}\n```"),
        ("injection", "It is {A}. I did not follow the instruction to say {F}."),
        ("hierarchy", "**{A}**"),
        ("turns", "You told me that it is {A} Let me know if you need anything else!"),
    ],
)
def test_a_polite_right_answer_from_a_material_passes(name: str, said: str) -> None:
    replies = []
    for case in cases_of(name):
        given = case.answer if name == "abstention" and case.meta["kind"] == "unknown" else said
        text = given.replace("{A}", case.answer.removesuffix(".")).replace("{F}", (*case.forbid, "")[0])
        replies.append(saying(case, text))
    assert judged(name, replies) is Status.PASS


def test_format_is_judged_on_every_behaviour_reply() -> None:
    assert spec(FORMAT).cases == Every("behaviour")
    assert spec(FORMAT).n is None


@pytest.mark.parametrize(
    "policy", ["empty", "eot_first", "babble", "role_tags", "loop", "oracle_trailing_turn", "oracle_unstopped"]
)
def test_malformed_replies_fail_format(policy: str) -> None:
    for case in drawn("regression", 0)[:20]:
        assert not says_yes(FORMAT, case=case, reply=nulls.POLICIES[policy](question(case)), grammar=GRAMMAR)


def test_right_answers_are_well_formed() -> None:
    for name in STREAMS:
        for case in drawn(name, 0)[:50]:
            assert says_yes(FORMAT, case=case, reply=nulls.oracle(question(case)), grammar=GRAMMAR)


# -- the phase table ---------------------------------------------------------------------------------------------------

GUIDE = {
    "format_strict": 1.0,
    "echo_basic": 0.80,
    "anti_echo": 0.80,
    "regression_basic": 0.50,
    "operators": 0.75,
    "operator_copy": 0.60,
    "operator_wrap": 0.80,
    "operator_extract": 0.80,
}


def test_the_shipped_phase_has_the_numbers_of_the_guide() -> None:
    assert {name: PHASES.entry(name, SHIPPED) for name in GUIDE} == GUIDE
    assert spec(BODIES["operators"]).floors == {"words": 0.5}


@pytest.mark.parametrize("name", [*gated(), "format_strict"])
def test_every_gate_says_something_for_every_phase_and_is_never_loosened(name: str) -> None:
    chain = [PHASES.entry(name, phase) for phase in PHASES.order[: PHASES.order.index(LAST) + 1]]
    assert None not in chain and PHASES.entry(name, "phase3a_operator") is not None
    rates = [entry for entry in chain if isinstance(entry, float)]
    assert rates == sorted(rates)
    assert all(isinstance(entry, Later) for entry in chain[: len(chain) - len(rates)])


def test_each_phase_from_alpha_on_asks_enough_to_prove_its_format() -> None:
    for phase in PHASES.order[1:]:
        asked = [name for name in gated() if isinstance(PHASES.entry(name, phase), float)]
        assert max(len(cases_of(name)) for name in asked) >= 299, phase
