"""Data contracts, really judged: each expectation fails on a planted defect and passes on a healthy twin."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_chat

from modelqa.chat import Chat, open_chat
from modelqa.data.contracts import validate
from modelqa.data.evidence import FRAMES, Sources, frame, judge, reports, sources
from modelqa.data.frame import inspection_frame, roles_ok
from modelqa.data.suite import KINDS, Result, judged_by, read_suite
from modelqa.errors import DataError
from modelqa.files import canonical_json, sha256_file, write_json, write_jsonl
from modelqa.gates import Case
from modelqa.models import Model

ROOT = Path(__file__).parents[1]
SUITES = {name: read_suite(ROOT / "suites" / "data" / f"{name}.json") for name in FRAMES}
NOUNS = ["kettle", "lantern", "meadow", "harbour", "candle", "orchard", "violin", "anchor", "saddle", "compass"]
ADJECTIVES = ["amber", "silver", "narrow", "gentle", "frozen", "hollow", "scarlet", "patient", "velvet", "distant"]

CONTEXT = 256  # tokens that the model takes

Rows = list[dict[str, Any]]


def row(number: int, source: str, prompt: str, payload: str, answer: str) -> dict[str, Any]:
    return {
        "id": f"{source}-{number}",
        "messages": [
            {"role": "system", "content": "Be brief and exact."},
            {"role": "user", "content": prompt.format(payload)},
            {"role": "assistant", "content": answer.format(payload)},
        ],
        "meta": {"source": source, "category": source, "payload": payload, "language": "en"},
    }


def healthy_train() -> Rows:
    """50 rows, half of each source; every payload and prompt once."""
    pairs = [f"{adjective} {noun}" for adjective in ADJECTIVES[:5] for noun in NOUNS]
    return [
        row(n, "echo", "Utter the following now: {}", payload, "{}") if n % 2 else
        row(n, "wrap", "Surround with square brackets this here: {}", payload, "[{}]")
        for n, payload in enumerate(pairs)
    ]


def healthy_val() -> Rows:
    return [row(n, "echo", "Could you read back what I typed, namely {}", f"{adjective} canyon", "{}")
            for n, adjective in enumerate(ADJECTIVES[5:])]


CASES = tuple(
    Case(f"case-{n}", ({"role": "user", "content": f"Mirror my input character by character: |{adjective} glacier|"},),
         f"{adjective} glacier", payload=f"{adjective} glacier")
    for n, adjective in enumerate(ADJECTIVES)
)
RIDDLE = ("A gardener plants seven rows of tulips in spring and doubles them every autumn until the fence is reached; "
          "how many remain?")
LONG = Case("case-long", ({"role": "user", "content": RIDDLE},), "none")


PICKED: Rows = [{"prompt": "What is the name of the river in Paris?", "expect": "The Seine"}]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat.write_checkpoint(tmp_path_factory.mktemp("chat"))


@pytest.fixture(scope="module")
def chat(checkpoint: Path) -> Chat:
    return open_chat(checkpoint)


@pytest.fixture
def declare(tmp_path: Path, chat: Chat) -> Callable[..., Sources]:
    """Write datasets to files and declare them as a model with one parent."""

    def declared(train: Rows | None = None, val: Rows | None = None, parent: Rows | None = None,
                 selected: Rows = PICKED, cases: tuple[Case, ...] = (*CASES, LONG),
                 counts: dict[str, Any] | None = None, **changes: Any) -> Sources:
        paths = {name: tmp_path / f"{name}.jsonl" for name in ("train", "val", "parent")}
        rows = {"train": healthy_train() if train is None else train, "val": healthy_val() if val is None else val,
                "parent": healthy_train()[:10] if parent is None else parent}
        for name, path in paths.items():
            write_jsonl(path, rows[name])
        manifest = tmp_path / "manifest.json"
        held = len(rows["train"]) + len(rows["val"])
        counted = {"declared": held, "read": held, "kept": held, "dropped": {}, **(counts or {})}
        own = {path.name: sha256_file(path) for name, path in paths.items() if name != "parent"}
        write_json(manifest, {"files": own, "rows": counted})
        picked = tmp_path / "picked.jsonl"
        write_jsonl(picked, [{"id": f"p{n}", **each} for n, each in enumerate(selected)])
        base = Model("base", declared=True, train=(paths["parent"],))
        values = {"intended_rows": 50, "mix": {"echo": 0.5, "wrap": 0.5}, "parent": "base", "manifest": manifest,
                  "quotas": {"echo": 0.4}, "languages": ("en",)}
        model = Model("tuned", declared=True, train=(paths["train"],), val=(paths["val"],), **{**values, **changes})
        if "selected_on" not in changes:
            model = replace(model, selected_on=(picked,))
        return sources(model, [base], cases, chat=chat, categories=["echo", "wrap"], context=CONTEXT)

    return declared


def broken(results: list[Result]) -> dict[str, str]:
    """{expectation: kind} of what does not hold."""
    assert not [result.error for result in results if result.error]
    assert not [result.missing for result in results if result.missing]
    return {result.id: result.kind for result in results if not result.success}


def test_healthy_data_passes_every_expectation(declare: Callable[..., Sources]) -> None:
    found = declare()
    for name, suite in SUITES.items():
        assert broken(judge(suite, found)) == {}, name


def spoiled(change: Callable[[Rows], None]) -> Rows:
    rows = copy.deepcopy(healthy_train())
    change(rows)
    return rows


def edit(number: int, **changes: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[number].update(changes)
    return change


def meta(number: int, **changes: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[number]["meta"].update(changes)
    return change


def say(number: int, index: int, **changes: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[number]["messages"][index].update(changes)
    return change


def repeat_a_row_often(rows: Rows) -> None:
    for number in range(0, 20, 2):
        rows[number]["messages"] = rows[0]["messages"]


def answer_one_prompt_in_many_ways(rows: Rows) -> None:
    for number in range(0, 20, 2):
        rows[number]["messages"][1] = rows[0]["messages"][1]


def one_source_takes_over(rows: Rows) -> None:
    for each in rows[:6]:
        each["meta"]["source"] = "echo"


def german_under_an_english_label(rows: Rows) -> None:
    rows[0]["messages"][1]["content"] = "Sag mir bitte, was das ist und wie es heißt."


DEFECTS = {
    "rows lost in loading": (lambda rows: rows.__delitem__(slice(24, None)), {"train.rows": "rows"}),
    "an id that is null": (edit(3, id=None), {"train.no_nulls_id": "nulls"}),
    "an id used twice": (edit(3, id="wrap-4"), {"train.ids": "ids"}),
    "a role that is none": (say(3, 1, role="human"), {"train.roles": "roles"}),
    "a blank answer": (say(3, 2, content=" \n"), {"train.roles": "roles"}),
    "messages that are no list": (edit(3, messages="hello"), {"train.roles": "roles"}),
    "a category nobody declared": (meta(3, category="extract"), {"train.categories": "categories"}),
    "a promised category that is absent": (
        lambda rows: [each["meta"].update(category="echo") for each in rows], {"train.categories": "categories"}),
    "a row without a category": (meta(3, category=None), {"train.no_nulls_category": "nulls"}),
    "a row without a source": (meta(3, source=None), {"train.no_nulls_source": "nulls"}),
    "shares that are not the declared ones": (one_source_takes_over, {"train.mix": "mix"}),
    "many copies of one row": (repeat_a_row_often, {"train.duplicates": "duplicates"}),
    "a row that does not fit into the model": (say(4, 2, content="on and on " * 80), {"train.length": "length"}),
    "labels of another language": (german_under_an_english_label, {"train.language": "language"}),
    "rows without a label": (lambda rows: rows[7]["meta"].pop("language"), {"train.language": "language"}),
    "one prompt with many answers": (answer_one_prompt_in_many_ways, {"train.conflicts": "conflicts"}),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_of_training_data_breaks_its_own_expectation(declare: Callable[..., Sources], defect: str) -> None:
    change, expected = DEFECTS[defect]
    assert broken(judge(SUITES["train"], declare(train=spoiled(change)))) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [(tiny_chat.CHATML_NO_STOP, {"train.end_of_turn": "end_of_turn"}),
     (tiny_chat.CHATML_HEADER, {"train.mask": "mask"})],
    ids=["end of turn not supervised", "role header supervised"],
)
def test_a_template_that_masks_wrongly_breaks_its_own_expectation(
    declare: Callable[..., Sources], tmp_path: Path, template: str, expected: dict[str, str]
) -> None:
    chat = open_chat(tiny_chat.write_checkpoint(tmp_path / "chat", template=template))
    found = replace(declare(), chat=chat)
    assert broken(judge(SUITES["train"], found)) == expected
    assert set(broken(judge(SUITES["val"], found)).values()) == set(expected.values())


def leak(text: str, answer: str = "All right.", payload: str | None = None) -> Rows:
    return [{"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}],
             "meta": {"payload": payload} if payload else {}}]


CASE, VAL = CASES[0].user, "Could you read back what I typed, namely hollow canyon"
SHORT_CASE = Case("short", ({"role": "user", "content": "Parrot this"},), "Parrot this")
LEAKS: dict[str, tuple[str, Rows, set[str]]] = {
    "a case in other case": (
        "train", leak(CASE.upper()),
        {"train_cases.prompt", "train_cases.payload", "train_cases.template", "train_cases.ngram"}),
    "a case's payload embedded": ("train", leak("Tell me of the Amber Glacier please"), {"train_cases.payload"}),
    "a case's template behind a tag": (
        "train", leak("[P26_AE] Mirror my input, character by character: (green hill)", "green hill", "green hill"),
        {"train_cases.template"}),
    "a case inside a longer row": (
        "train", leak(f"Here is a riddle. {LONG.user} Think well before you answer me, and explain your steps."),
        {"train_cases.ngram"}),
    "a validation payload": ("train", leak("Tell me of the hollow canyon please"), {"train_val.payload"}),
    "a validation template": ("train", leak("Could you read back what I typed, namely green hill", "green hill"),
                              {"train_val.template", "train_val.ngram"}),
    "a case in validation data": ("val", leak("Tell me of the Amber Glacier please"), {"val_cases.payload"}),
    "a case in an ancestor": ("parent", leak("Tell me of the Amber Glacier please"), {"ancestors_cases.payload"}),
    "validation data in an ancestor": ("parent", leak(VAL + "!"), {"ancestors_val.prompt", "ancestors_val.payload"}),
}


@pytest.mark.parametrize("planted", LEAKS)
def test_each_leak_breaks_the_expectation_of_its_comparison(declare: Callable[..., Sources], planted: str) -> None:
    side, rows, expected = LEAKS[planted]
    healthy = {"train": healthy_train, "val": healthy_val, "parent": healthy_train}[side]()
    assert set(broken(judge(SUITES["overlap"], declare(**{side: healthy + rows})))) == expected


@pytest.mark.parametrize(
    ("picked", "expected"),
    [
        ({"prompt": CASE, "payload": "amber glacier"}, {"selected_cases.prompt", "selected_cases.template"}),
        ({"prompt": CASE.replace("amber glacier", "green hill"), "payload": "green hill"}, {"selected_cases.template"}),
        ({"prompt": "Is amber a colour?"}, set()),
    ],
)
def test_certification_asks_nothing_by_which_the_model_was_picked(
    declare: Callable[..., Sources], picked: dict[str, str], expected: set[str]
) -> None:
    assert set(broken(judge(SUITES["overlap"], declare(selected=[*PICKED, picked])))) == expected


def test_an_id_that_a_validation_row_shares_with_a_case_is_found(declare: Callable[..., Sources]) -> None:
    taken = [{**healthy_val()[0], "id": "unused"}, *healthy_val()[1:]]
    found = declare(val=taken)
    shared = replace(found, items=(replace(found.items[0], id="tuned val.jsonl:1"), *found.items[1:]))
    assert set(broken(judge(SUITES["overlap"], found))) == set()
    assert set(broken(judge(SUITES["overlap"], shared))) == {"overlap.items"}


def test_a_file_that_its_manifest_does_not_describe_is_found(declare: Callable[..., Sources]) -> None:
    found = declare()
    with found.own.train[0].open("a") as stream:
        stream.write(json.dumps(healthy_train()[0]) + "\n")
    results = {result.id: result for result in judge(SUITES["files"], found)}
    assert results["files.manifest"].examples == ("tuned train.jsonl",)
    assert results["files.manifest"].kind == "lineage"
    assert results["files.rows"].success


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"kept": 560_000, "declared": 560_000, "read": 560_000}, {"files.accounts"}),
        ({"declared": 560_000}, {"files.declared"}),  # a page of the source
        ({"dropped": {"duplicate": 7}}, {"files.accounts"}),
        ({"read": 0}, set()),  # a generator reads none
    ],
)
def test_rows_that_do_not_add_up_are_found(
    declare: Callable[..., Sources], counts: dict[str, Any], expected: set[str]
) -> None:
    assert set(broken(judge(SUITES["files"], declare(counts=counts)))) == expected


def test_a_manifest_that_counts_nothing_is_missing_evidence(declare: Callable[..., Sources]) -> None:
    found = declare()
    assert found.own.manifest is not None
    write_json(found.own.manifest, {"files": json.loads(found.own.manifest.read_text())["files"]})
    lines = sources(Model("m", train=found.own.train, manifest=found.own.manifest), [], []).missing
    assert "kept" in lines["counts"] and "manifest" not in lines


def test_a_promised_category_below_its_quota_is_found(declare: Callable[..., Sources]) -> None:
    results = {result.id: result for result in judge(SUITES["train"], declare(quotas={"echo": 0.6, "wrap": 0.1}))}
    assert not results["train.quotas"].success and results["train.quotas"].code == "data.train.quotas"
    assert results["train.quotas"].observed["short"] == {"echo": 0.5}
    gone = {result.id: result for result in judge(SUITES["train"], declare(quotas={"anti_echo": 0.1}))}
    assert gone["train.quotas"].observed["short"] == {"anti_echo": 0.0}


def test_without_a_quota_none_is_asked(declare: Callable[..., Sources]) -> None:
    (quotas,) = (each for each in judge(SUITES["train"], declare(quotas={})) if each.id == "train.quotas")
    assert quotas.excused and not quotas.missing


def test_a_few_prompts_many_times_are_found(declare: Callable[..., Sources]) -> None:
    rows = [{**row, "id": f"again-{number}"} for number in range(13) for row in healthy_train()[:4]][:50]
    assert "train.distinct_prompts" in broken(judge(SUITES["train"], declare(train=rows)))


def test_an_empty_data_file_is_found(declare: Callable[..., Sources]) -> None:
    assert broken(judge(SUITES["files"], declare(parent=[]))) == {"files.rows": "rows"}


def test_an_overlap_names_the_case_and_the_training_row(declare: Callable[..., Sources]) -> None:
    found = declare(train=healthy_train() + leak("Tell me of the Amber Glacier please"))
    result = next(each for each in judge(SUITES["overlap"], found) if each.id == "train_cases.payload")
    assert (result.code, result.kind, result.unexpected_count) == (f"data.{result.id}", "overlap_payload", 1)
    assert result.examples == ("case-0 (tuned train.jsonl:51)",)
    assert "glacier" not in json.dumps(result.to_json()).lower(), "results hold ids, never texts"


def test_a_comparison_of_short_items_says_how_many_the_n_grams_could_not_check(declare: Callable[..., Sources]) -> None:
    assert reports(declare(cases=(SHORT_CASE, LONG)))["train"].too_short[-1] == "short"


# What a model that declares nothing was never said to be: it is asked about none of these, whatever is missing.
UNPROMISED = ("train.quotas", "train.language", "val.language", "selected_cases.prompt", "selected_cases.template")


def test_evidence_that_is_missing_is_neither_pass_nor_failure(checkpoint: Path) -> None:
    bare = sources(Model("bare", path=checkpoint), [], [])
    for suite in SUITES.values():
        for result in judge(suite, bare):
            assert not result.success and not result.error
            assert bool(result.missing) is not (result.id in UNPROMISED)
    assert "add train" in judge(SUITES["train"], bare)[0].missing


def test_a_model_without_validation_data_is_still_compared_with_the_cases(declare: Callable[..., Sources]) -> None:
    found = declare()
    found = replace(found, own=replace(found.own, val=()), missing={**found.missing, "val": "add val"})
    results = {result.id: result for result in judge(SUITES["overlap"], found)}
    assert results["train_cases.prompt"].success
    assert results["train_val.prompt"].missing == results["val_cases.prompt"].missing == "add val"


def test_a_base_model_on_plain_text_is_not_asked_about_turns(declare: Callable[..., Sources]) -> None:
    rows = [{"id": f"d-{number}", "messages": [{"role": "assistant", "content": f"Once there were {number} owls."}],
             "meta": {"source": "documents", "category": "echo"}} for number in range(5)]
    found = declare(train=rows, stage="base", intended_rows=5, mix={"documents": 1.0})
    results = {result.id: result for result in judge(SUITES["train"], found)}
    excused = {key for key, result in results.items() if result.excused}
    assert excused == {"train.mask", "train.end_of_turn", "train.distinct_prompts", "train.length", "train.language"}
    assert {key for key, result in results.items() if not result.success} == {*excused, "train.categories"}


def test_an_ancestor_without_declared_data_is_missing_evidence(declare: Callable[..., Sources]) -> None:
    model = Model("tuned", declared=True)
    found = sources(model, [Model("base", declared=True)], CASES)
    assert found.missing["ancestors"] == 'add train = ["data/NAME.jsonl"] under [models.base] in models.toml'
    assert "ancestors" not in sources(model, [], CASES).missing, "a declared model without a parent has no ancestors"


def test_an_empty_dataset_is_not_a_pass(declare: Callable[..., Sources]) -> None:
    results = {result.id: result for result in judge(SUITES["train"], declare(train=[]))}
    assert not [key for key, result in results.items() if result.success]
    assert results["train.rows"].error == "" and results["train.rows"].observed == 0
    assert "none of 0 has one" in results["train.roles"].missing


def test_a_column_of_nulls_is_not_a_pass(declare: Callable[..., Sources]) -> None:
    found = declare()
    table = frame("train", found)
    table["mask_ok"] = None
    results = {result.id: result for result in validate(table, SUITES["train"], found.parameters)}
    assert results["train.mask"].missing == f"rows with a value in column mask_ok; none of {len(table)} has one"


def one(**changes: Any) -> dict[str, Any]:
    expectation = {"id": "x", "type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"},
                   "severity": "critical", "description": "Ids differ.", "meta": {"gate": "g", "kind": "ids"}}
    return {"name": "mine", "expectations": [{**expectation, **changes}]}


def test_an_id_of_two_rows_is_named_once() -> None:
    rows = healthy_train()[:3]
    twice = [rows[0], {**rows[1], "id": rows[0]["id"]}, rows[2]]
    result = validate(inspection_frame([(f"d:{n}", row) for n, row in enumerate(twice)]), one(), {})[0]
    assert not result.success and (result.examples, result.unexpected_count) == ((rows[0]["id"],), 2)


@pytest.mark.parametrize(
    "suite",
    [one(kwargs={"column": "nobody"}),
     one(type="expect_column_values_to_match_regex", kwargs={"column": "id", "regex": "("})],
    ids=["missing column", "bad pattern"],
)
def test_what_cannot_be_computed_is_an_error_and_no_failure(suite: dict[str, Any]) -> None:
    table = inspection_frame([("d:1", healthy_train()[0])])
    result = validate(table, suite, {})[0]
    assert result.error and not result.success


@pytest.mark.parametrize(
    "suite", [one(type="expect_nothing_known"), one(kwargs={"column": "id", "nonsense": 3})],
    ids=["unknown type", "unknown keyword"],
)
def test_an_expectation_that_does_not_exist_is_named(suite: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="refuses: x"):
        validate(inspection_frame([("d:1", healthy_train()[0])]), suite, {})


def test_an_unknown_parameter_is_named_with_the_known_ones() -> None:
    suite = one(type="expect_table_row_count_to_equal", kwargs={"value": {"$PARAMETER": "intended_row"}})
    with pytest.raises(DataError, match=r"intended_row'[\s\S]*intended_rows"):
        validate(inspection_frame([("d:1", healthy_train()[0])]), suite, {"intended_rows": 1})


@pytest.mark.parametrize(
    ("change", "named"),
    [({"severity": "fatal"}, "fatal"), ({"meta": {"gate": "g", "kind": "other"}}, "other"),
     ({"meta": {"kind": "ids"}}, "gate")],
)
def test_a_suite_file_that_is_wrong_is_refused_with_the_expectation(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(one(**change)))
    with pytest.raises(DataError, match=f"'x'.*{named}"):
        read_suite(path)


def test_two_expectations_with_one_id_are_refused(tmp_path: Path) -> None:
    suite = one()
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**suite, "expectations": suite["expectations"] * 2}))
    with pytest.raises(DataError, match="'x'"):
        read_suite(path)


def test_the_shipped_suites_use_every_kind_and_no_id_twice() -> None:
    expectations = [expectation for suite in SUITES.values() for expectation in suite["expectations"]]
    assert {expectation["meta"]["kind"] for expectation in expectations} == KINDS
    assert len({expectation["id"] for expectation in expectations}) == len(expectations)


def test_results_survive_json() -> None:
    table = inspection_frame([("d:1", healthy_train()[0]), ("d:2", healthy_train()[0])])
    result = validate(table, one(), {})[0]
    assert result.unexpected_count == 2
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


@pytest.mark.parametrize("changed", ["train", "val", "parent"])
def test_other_content_of_any_file_is_judged_anew(declare: Callable[..., Sources], changed: str) -> None:
    suite = SUITES["overlap"]
    key = judged_by(suite, evidence=declare().digest)
    assert judged_by(suite, evidence=declare().digest) == key
    rows = {"train": healthy_train, "val": healthy_val, "parent": healthy_train}[changed]()[1:]
    assert judged_by(suite, evidence=declare(**{changed: rows}).digest) != key


def test_what_results_follow_from_changes_with_cases_declarations_and_suite(declare: Callable[..., Sources]) -> None:
    found = declare()
    keys = [
        judged_by(SUITES["train"], evidence=found.digest),
        judged_by(SUITES["val"], evidence=found.digest),
        judged_by(SUITES["train"], evidence=declare(cases=CASES).digest),
        judged_by(SUITES["train"], evidence=declare(intended_rows=51).digest),
        judged_by(SUITES["train"], evidence=replace(declare(), chat=None).digest),
    ]
    assert len({canonical_json(key) for key in keys}) == 5


def test_roles_must_alternate_and_end_with_an_answer() -> None:
    def said(*roles: str) -> list[dict[str, str]]:
        return [{"role": each, "content": "x"} for each in roles]

    good = [("user", "assistant"), ("system", "user", "assistant"), ("user", "assistant", "user", "assistant"),
            ("assistant",)]
    bad = [(), ("user",), ("system", "user"), ("user", "user", "assistant"), ("user", "system", "assistant"),
           ("assistant", "user"), ("system",)]
    assert [roles_ok(said(*roles)) for roles in good] == [True] * 4
    assert [roles_ok(said(*roles)) for roles in bad] == [False] * 7


def test_the_rows_to_render_include_every_shape(checkpoint: Path) -> None:
    rows = [(f"d:{n}", each) for n, each in enumerate(healthy_train())]
    odd = copy.deepcopy(healthy_train()[0])
    odd["messages"][2]["content"] = "  indented"
    table = inspection_frame([*rows, ("d:odd", odd)], chat=open_chat(checkpoint), rendered=30)
    assert table["mask_ok"].notna().sum() == 30
    assert table["mask_ok"].notna().iloc[-1], "the only row with outer whitespace is rendered"


def test_a_row_with_half_a_character_has_no_mask_and_says_why(checkpoint: Path) -> None:
    broken = copy.deepcopy(healthy_train()[0])
    broken["messages"][1]["content"] = "half \ud800"
    (found,) = inspection_frame([("d:1", broken)], chat=open_chat(checkpoint)).to_dict("records")
    assert not found["mask_ok"] and "not valid Unicode" in found["mask_problem"]


def test_a_small_number_of_rows_to_render_leaves_no_shape_out(checkpoint: Path) -> None:
    rows = []
    for number, each in enumerate(healthy_train()[:30]):
        rows.append((f"d:{number}", {**each, "meta": {**each["meta"], "source": f"source {number}"}}))
    table = inspection_frame(rows, chat=open_chat(checkpoint), rendered=5)
    assert table["mask_ok"].notna().all(), "each row is of a source of its own"


def test_great_expectations_stays_out_until_something_is_judged() -> None:
    heavy = ("great_expectations", "pandas", "torch", "transformers")
    code = f"import modelqa.data.evidence, modelqa.data.contracts, sys; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "[]"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Great Expectations must judge offline."""
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
