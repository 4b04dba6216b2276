"""More defects of data: one for each expectation of the data suites that `datasets` leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from modelqa.data.language import contradicts
from modelqa.files import read_json, sha256_file, write_json, write_jsonl, write_text
from modelqa.mutants.chat_files import write_template
from modelqa.mutants.datasets import TOUCHED, Row, put_rows, rows_of, same_id
from modelqa.mutants.kind import WARNED, Damage, Expected, Kind, NotApplicable, Sibling
from modelqa.mutants.suites import suites_themselves

FEW = 29  # prompts that everything is asked with: what somebody's twelve thousand rows had
LONG = "on and on "
OTHER_PAYLOAD = "goose lamp"
OTHER = {"en": "de", "de": "en"}


def changed(which: str, change: Callable[[list[Row]], str], sibling: Sibling) -> Damage:
    """Change the rows of the first training or validation file; `change` gives the locus."""
    paths: tuple[Path, ...] = getattr(sibling.model, which)
    rows = rows_of(paths, which)
    locus = change(rows)
    put_rows(sibling, paths[0], rows)
    return sibling.damaged(locus)


def _null_id(rows: list[Row]) -> str:
    rows[len(rows) // 2]["id"] = None
    return ""


def _nothing_left(rows: list[Row]) -> str:
    rows.clear()
    return "val.rows"


def _without(key: str, rows: list[Row]) -> str:
    """The middle row's metadata lack a key."""
    row = rows[len(rows) // 2]
    if key not in row["meta"]:
        raise NotApplicable(f"its rows have no {key}")
    row["meta"].pop(key)
    return str(row["id"])


def _foreign_role(rows: list[Row]) -> str:
    rows[0]["messages"][-1]["role"] = "gpt"
    return str(rows[0]["id"])


def _unknown_category(rows: list[Row]) -> str:
    rows[0]["meta"]["category"] = "unheard_of"
    return "val.categories"


def _other_language(rows: list[Row]) -> str:
    """One row in twenty is labelled as the other language."""
    told = [row for row in rows if contradicts(OTHER.get(row["meta"].get("language", "")), _said(row))]
    if len(told) < TOUCHED * len(rows):
        raise NotApplicable("too few of its rows have a language that can be told")
    for row in told[: int(TOUCHED * len(rows))]:
        row["meta"]["language"] = OTHER[row["meta"]["language"]]
    return ""


def _said(row: Row) -> str:
    return " ".join(each["content"] for each in row["messages"] if each["role"] != "system")


def _too_long(sibling: Sibling, which: str) -> Damage:
    """One answer goes on for longer than the model's context."""
    limit = sibling.checkpoint.text_config.get("max_position_embeddings")
    if not isinstance(limit, int):
        raise NotApplicable("its config states no length")

    def change(rows: list[Row]) -> str:
        rows[0]["messages"][-1]["content"] = LONG * limit
        return str(rows[0]["id"])

    return changed(which, change, sibling)


def _copied(rows: list[Row]) -> str:
    """One row in eight is a copy of the first."""
    for row in rows[:: 8]:
        row["messages"] = rows[0]["messages"]
    return "train.duplicates"


def _contradicted(rows: list[Row]) -> str:
    """One row in eight asks what the first one asks, and is answered otherwise."""
    for row in rows[:: 8]:
        row["messages"] = [*rows[0]["messages"][:-1], row["messages"][-1]]
    return "train.conflicts"


def _few_prompts(rows: list[Row]) -> str:
    """All rows ask one of a few questions."""
    asked = [row["messages"][:-1] for row in rows[:FEW]]
    for number, row in enumerate(rows):
        row["messages"] = [*asked[number % FEW], row["messages"][-1]]
    return "train.distinct_prompts"


def _val_again(make: Callable[[str, str], str], sibling: Sibling) -> Damage:
    """One training row says a part of a validation row's question; the locus is that row."""
    asked = [row for row in rows_of(sibling.model.val, "validation") if row["meta"].get("category") in ("say", "echo")]
    if not asked:
        raise NotApplicable("no validation row asks for a text")
    longest = max(asked, key=lambda row: len(row["messages"][-2]["content"]))
    question, payload = longest["messages"][-2]["content"], longest["meta"]["payload"]
    rows = rows_of(sibling.model.train, "training")
    row = rows[len(rows) // 2]
    said = make(question, payload)
    answer = OTHER_PAYLOAD if OTHER_PAYLOAD in said else "All right."
    row["messages"] = [*(each for each in row["messages"] if each["role"] == "system"),
                       {"role": "user", "content": said}, {"role": "assistant", "content": answer}]  # fmt: skip
    row["meta"] = {key: value for key, value in row["meta"].items() if key in ("source", "category", "language")}
    put_rows(sibling, sibling.model.train[0], rows)
    return sibling.damaged("")


def _ancestor_val(make: Callable[[str, str], str], sibling: Sibling) -> Damage:
    """One training row of the parent asks what a validation row asks, or says its payload."""
    parent = sibling.parent
    if parent is None or not parent.train:
        raise NotApplicable("models.toml declares no parent with training data")
    if parent.stage == "base":
        raise NotApplicable("the parent was trained on plain text, where nothing is asked")
    asked = [row for row in rows_of(sibling.model.val, "validation") if row["meta"].get("payload")]
    if not asked:
        raise NotApplicable("no validation row asks for a text")
    said = make(asked[0]["messages"][-2]["content"], asked[0]["meta"]["payload"])
    rows = rows_of(parent.train, "training")
    rows[len(rows) // 2]["messages"] = [{"role": "user", "content": said}, {"role": "assistant", "content": "Yes."}]
    path = sibling.declared / "ancestor.jsonl"
    write_jsonl(path, rows)
    return replace(sibling, others=(replace(parent, train=(path, *parent.train[1:]), manifest=None),)).damaged("")


def picked(question: str, answer: str, sibling: Sibling) -> Damage:
    """The model was picked among others by a question that certification asks too."""
    path = sibling.declared / "picked.jsonl"
    write_jsonl(path, [{"id": "picked", "prompt": question, "expect": answer, "payload": answer}])
    return sibling.damaged("", selected_on=(path,))


def picked_elsewhere(sibling: Sibling) -> Damage:
    """The healthy half: it was picked by a question that certification does not ask."""
    return picked("Which of the two bridges over the river is the older one?", "Nobody knows.", sibling)


def _empty_file(sibling: Sibling) -> Damage:
    """A second training file holds nothing."""
    path = sibling.declared / "train" / "more.jsonl"
    write_jsonl(path, [])
    manifest = sibling.model.manifest
    if manifest is not None:
        content = read_json(manifest)
        content["files"][path.name] = sha256_file(path)
        write_json(manifest, content)
    return sibling.damaged("", train=(*sibling.model.train, path))


def _miscounted(change: Callable[[Row], None], sibling: Sibling) -> Damage:
    if sibling.model.manifest is None or "rows" not in (content := read_json(sibling.model.manifest)):
        raise NotApplicable("models.toml declares no manifest that counts rows")
    change(content["rows"])
    write_json(sibling.model.manifest, content)
    return sibling.damaged("")


def _kept_more(counts: Row) -> None:
    counts["kept"] += 1000


def _clashing(sibling: Sibling) -> Damage:
    """Two gates have a case of one id that ask different things: one of them would be compared with nothing."""
    for name, question in (("one", "What floats on a pond?"), ("two", "Who mends a clock?")):
        write_jsonl(sibling.declared / "suite" / "behaviour" / f"{name}.jsonl", [{"id": "clash", "prompt": question}])
    write_text(sibling.declared / "suite" / "behaviour" / "test_clash.py", CLASH)
    return sibling.damaged("clash")


CLASH = (
    '"""Two gates."""\n\nfrom modelqa import gate\n'
    + "".join(
        f'\n\n@gate(cases="{name}.jsonl", informational=True)\n'
        f"def test_clash_{name}(case, reply):\n    assert reply.text\n"
        for name in ("one", "two")
    )
)


def _page_read(counts: Row) -> None:
    counts["declared"] *= 10


def _retemplated(old: str, new: str, sibling: Sibling) -> Damage:
    template = sibling.chat.template
    if old not in template:
        raise NotApplicable("its template marks what the model writes in another way")
    write_template(sibling, template.replace(old, new))
    return sibling.damaged("")


ANSWER = "{%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}"
STOP_UNMARKED = "{%- generation -%}{{- message['content'] -}}{%- endgeneration -%}{{- '<|im_end|>' -}}"
HEADER = "{{- '<|im_start|>' + message['role'] + '\\n' -}}"


def _header_marked(sibling: Sibling) -> Damage:
    return _retemplated(HEADER, "{%- generation -%}" + HEADER + "{%- endgeneration -%}", sibling)


def _of(which: str, name: str, story: str, change: Callable[[list[Row]], str], expectation: str,
        failures: tuple[str, ...], locus: str = "rows") -> Kind:  # fmt: skip
    expected = (Expected(f"data.{which}.{expectation}", locus),)
    return Kind(f"{which}_{name}", "data", story, failures, expected, partial(changed, which, change))


def _made(name: str, story: str, make: Callable[[Sibling], Damage], code: str, failures: tuple[str, ...]) -> Kind:
    return Kind(name, "data", story, failures, (Expected(f"data.{code}", "rows"),), make)


def _warned(name: str, story: str, make: Callable[[Sibling], Damage], gate: str, failures: tuple[str, ...]) -> Kind:
    return Kind(name, "data", story, failures, (Expected(WARNED, "rows", by=f"data[{gate}]"),), make)


DATA_ROWS = (
    _of("train", "null_id", "a row has lost its id", _null_id, "no_nulls_id", ("F68",)),
    _of("train", "no_source", "a row has lost its source", partial(_without, "source"), "no_nulls_source", ("F45",)),
    _of("train", "other_language", "one row in twenty is labelled as another language", _other_language, "language",
        ("F48",)),
    _of("train", "few_prompts", "all rows ask one of 29 questions", _few_prompts, "distinct_prompts", ("F41",),
        "exact"),
    _of("val", "empty", "the validation file holds nothing", _nothing_left, "rows", ("F37",), "exact"),
    _of("val", "null_id", "a validation row has lost its id", _null_id, "no_nulls_id", ("F68",)),
    _of("val", "same_id", "two validation rows have one id", same_id, "ids", ("F68",)),
    _of("val", "no_category", "a validation row has lost its category", partial(_without, "category"),
        "no_nulls_category", ("F46",)),
    _of("val", "foreign_role", "a validation row has a role of another schema", _foreign_role, "roles", ("F48",)),
    _of("val", "unknown_category", "a validation row is of a category that nobody declared", _unknown_category,
        "categories", ("F46",), "exact"),
    _of("val", "other_language", "one validation row in twenty is labelled as another language", _other_language,
        "language", ("F48",)),
    _made("train_too_long", "a training row is longer than the model's context", partial(_too_long, which="train"),
          "train.length", ("F02",)),
    _made("val_too_long", "a validation row is longer than the model's context", partial(_too_long, which="val"),
          "val.length", ("F02",)),
    _made("stop_unmarked", "the template marks the answer, and not the end of its turn",
          partial(_retemplated, ANSWER, STOP_UNMARKED), "train.end_of_turn", ("F02",)),
    _made("header_marked", "the template marks the tag that opens a turn as if the model wrote it", _header_marked,
          "train.mask", ("F52",)),
    _made("val_stop_unmarked", "the same, on validation rows", partial(_retemplated, ANSWER, STOP_UNMARKED),
          "val.end_of_turn", ("F02",)),
    _made("val_header_marked", "the same, on validation rows", _header_marked, "val.mask", ("F52",)),
    _made("empty_file", "a training file holds nothing", _empty_file, "files.rows", ("F11",)),
    _made("kept_more", "the manifest kept a thousand rows more than the files hold", partial(_miscounted, _kept_more),
          "files.accounts", ("F11", "F72")),
    Kind("one_id_twice", "data", "two gates have a case of one id that ask different things", ("F39",),
         (Expected("data.overlap.items", "rows"),), _clashing, ground=suites_themselves),
    _made("page_read", "ten times the rows were asked of the source: a page of it was read",
          partial(_miscounted, _page_read), "files.declared", ("F11", "F72")),
    _made("val_payload_trained", "a payload of a validation row stands in a training row",
          partial(_val_again, lambda question, payload: f"Tell me of the {payload} please"), "train_val.payload",
          ("F44",)),
    _made("val_template_trained", "a validation row's phrasing stands in a training row with another payload",
          partial(_val_again, lambda question, payload: question.replace(payload, OTHER_PAYLOAD)), "train_val.template",
          ("F44", "F68")),
    _made("val_quoted", "a training row quotes a validation row whole",
          partial(_val_again, lambda question, payload: f"Somebody wrote to me: {question} Now what would you do?"),
          "train_val.ngram", ("F44",)),
    _warned("rows_copied", "one row in eight is a copy", partial(changed, "train", _copied), "train.duplicates",
            ("F68",)),
    _warned("answers_contradict", "one row in eight asks the same and is answered otherwise",
            partial(changed, "train", _contradicted), "train.conflicts", ("F49",)),
    _warned("ancestor_asked", "a training row of the parent asks what a validation row asks",
            partial(_ancestor_val, lambda question, payload: question), "ancestors_val.prompt", ("F69",)),
    _warned("ancestor_said", "a training row of the parent holds the payload of a validation row",
            partial(_ancestor_val, lambda question, payload: f"Tell me of the {payload} please"),
            "ancestors_val.payload", ("F69",)),
)  # fmt: skip
