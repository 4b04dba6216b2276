"""Rows, mixing and manifests: shares of the output, no silent shortfall, ancestors whole."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from modelqa.data import manifest as manifests
from modelqa.data import mix
from modelqa.data.manifest import Manifest, Parent, RowCounts
from modelqa.data.rows import Row, chat_row, defect, duplicates, read_rows, sampled
from modelqa.errors import DataError, UsageError
from modelqa.files import write_jsonl


def rows(name: str, count: int) -> list[Row]:
    return [chat_row(f"{name}-{n}", f"{name} {n}?", f"{n}.", system="", meta={"category": name}) for n in range(count)]


def source(folder: Path, name: str, count: int, share: float, *, replay: bool = False) -> mix.Source:
    path = folder / f"{name}.jsonl"
    write_jsonl(path, rows(name, count))
    return mix.Source(name, path, share, replay)


def read(path: Path) -> list[Row]:
    return [row for _, row in read_rows(path)]


def test_weights_are_shares_of_the_output_whatever_the_sources_sizes(tmp_path: Path) -> None:
    big, small = source(tmp_path, "big", 5000, 0.7), source(tmp_path, "small", 400, 0.3)
    mixed = mix.mix([big, small], output=tmp_path / "out.jsonl", size=1000)
    assert Counter(row["meta"]["source"] for row in read(tmp_path / "out.jsonl")) == {"big": 700, "small": 300}
    assert mixed.manifest.shares["realised"] == {"big": 0.7, "small": 0.3}


def test_without_a_size_the_output_is_as_large_as_the_scarcest_source_allows(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 11_000, 0.7), source(tmp_path, "b", 4000, 0.2), source(tmp_path, "c", 1000, 0.1)]
    mixed = mix.mix(sources, output=tmp_path / "out.jsonl")
    assert [part.taken for part in mixed.parts] == [7000, 2000, 1000]


def test_a_shortfall_is_an_error_that_names_the_size_that_fits(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 100, 0.5), source(tmp_path, "b", 40, 0.5)]
    with pytest.raises(DataError, match="b has 40 rows of 50 wanted") as caught:
        mix.mix(sources, output=tmp_path / "out.jsonl", size=100)
    assert "--size 80" in caught.value.remedy
    assert not (tmp_path / "out.jsonl").exists()


def test_a_shortfall_allowed_by_name_is_realised_and_recorded(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 100, 0.5), source(tmp_path, "b", 40, 0.5)]
    mixed = mix.mix(sources, output=tmp_path / "out.jsonl", size=100, allow_shortfall=["b"])
    assert mixed.manifest.rows.kept == 90 and mixed.manifest.rows.declared == 100
    assert mixed.manifest.shares["realised"] == {"a": round(50 / 90, 6), "b": round(40 / 90, 6)}
    assert mixed.manifest.options["allow_shortfall"] == ["b"]


def test_no_row_is_repeated_and_ids_name_their_source(tmp_path: Path) -> None:
    mix.mix([source(tmp_path, "a", 50, 1.0)], output=tmp_path / "out.jsonl", size=50, shuffle=True)
    assert sorted(row["id"] for row in read(tmp_path / "out.jsonl")) == sorted(f"a/a-{n}" for n in range(50))


def test_shuffling_changes_the_order_and_not_the_content(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 60, 0.5), source(tmp_path, "b", 60, 0.5)]
    plain = mix.mix(sources, output=tmp_path / "plain.jsonl")
    mixed = mix.mix(sources, output=tmp_path / "mixed.jsonl", shuffle=True)
    ids = [[row["id"] for row in read(tmp_path / name)] for name in ("plain.jsonl", "mixed.jsonl")]
    assert ids[0] != ids[1] and sorted(ids[0]) == sorted(ids[1])
    assert plain.manifest.content == mixed.manifest.content


def test_the_seed_decides_the_draw(tmp_path: Path) -> None:
    one = source(tmp_path, "a", 200, 1.0)
    drawn = [[mix.mix([one], output=tmp_path / "out.jsonl", size=20, seed=seed), read(tmp_path / "out.jsonl")][1]
             for seed in (1, 1, 2)]  # fmt: skip
    assert drawn[0] == drawn[1] != drawn[2]


def test_replay_takes_its_share_and_the_guides_ratios_hold_among_the_rest(tmp_path: Path) -> None:
    sources = [source(tmp_path, "beta", 4000, 0.85), source(tmp_path, "alpha", 1000, 0.15),
               source(tmp_path, "operators", 900, 0.2, replay=True)]  # fmt: skip
    mixed = mix.mix(sources, output=tmp_path / "out.jsonl", size=1000, replay_reason="copying is forgotten")
    assert [part.taken for part in mixed.parts] == [680, 120, 200]
    assert mixed.manifest.notes == (
        "replay added to the guide's ratios: operators 20.0%, reason: copying is forgotten",
    )


def test_replay_without_a_reason_is_refused(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 10, 1.0), source(tmp_path, "b", 10, 0.1, replay=True)]
    with pytest.raises(UsageError, match="without a reason"):
        mix.mix(sources, output=tmp_path / "out.jsonl", replay_reason="  ")


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.7, 0.7), (1.0, 0.0), (1.5, -0.5)])
def test_weights_that_do_not_sum_to_one_or_are_not_positive_are_refused(
    tmp_path: Path, shares: tuple[float, float]
) -> None:
    sources = [source(tmp_path, "a", 10, shares[0]), source(tmp_path, "b", 10, shares[1])]
    with pytest.raises(UsageError, match="weights sum"):
        mix.mix(sources, output=tmp_path / "out.jsonl")


@pytest.mark.parametrize("size", [0, -1])
def test_a_mix_without_rows_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(UsageError, match=f"--size is {size}"):
        mix.mix([source(tmp_path, "a", 9, 1.0)], output=tmp_path / "out.jsonl", size=size)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_mix_does_not_take_the_place_of_what_it_is_made_of(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", 9, 0.5), source(tmp_path, "b", 9, 0.5)]
    before = (tmp_path / "b.jsonl").read_bytes()
    (tmp_path / "link.jsonl").symlink_to("b.jsonl")
    for name in ("b.jsonl", "link.jsonl", "b.jsonl.zst"):
        with pytest.raises(UsageError, match=rf"{name} is the output, and .*b\.jsonl is an input") as caught:
            mix.mix(sources, output=tmp_path / name)
        assert "--output" in caught.value.remedy
    assert (tmp_path / "b.jsonl").read_bytes() == before


def test_two_inputs_of_one_name_are_refused(tmp_path: Path) -> None:
    one = source(tmp_path, "a", 10, 0.5)
    with pytest.raises(UsageError, match="one name"):
        mix.mix([one, one], output=tmp_path / "out.jsonl")


def test_duplicates_and_ambiguous_prompts_between_sources_are_reported(tmp_path: Path) -> None:
    one = source(tmp_path, "a", 10, 0.5)
    other = tmp_path / "b.jsonl"
    write_jsonl(other, [*rows("a", 4), chat_row("x", "a 9?", "another.", system="", meta={}), *rows("b", 5)])
    mixed = mix.mix([one, mix.Source("b", other, 0.5)], output=tmp_path / "out.jsonl")
    assert Counter(problem.code for problem in mixed.problems) == {"duplicate-row": 4, "ambiguous-prompt": 1}


def test_a_manifest_holds_all_its_ancestors(tmp_path: Path) -> None:
    first = mix.mix([source(tmp_path, "a", 20, 1.0)], output=tmp_path / "first.jsonl")
    second = mix.mix([mix.Source("first", tmp_path / "first.jsonl", 1.0)], output=tmp_path / "second.jsonl")
    parent = second.manifest.parents[0]
    assert parent.manifest is not None and Manifest.from_json(parent.manifest) == first.manifest
    assert parent.manifest["parents"][0]["name"] == "a.jsonl"
    assert manifests.read(tmp_path / "second.manifest.json") == second.manifest


def test_a_source_changed_after_its_manifest_is_refused(tmp_path: Path) -> None:
    mix.mix([source(tmp_path, "a", 20, 1.0)], output=tmp_path / "first.jsonl")
    write_jsonl(tmp_path / "first.jsonl", rows("b", 20))
    with pytest.raises(DataError, match="is not the file"):
        manifests.parent(tmp_path / "first.jsonl")


def test_a_source_without_a_manifest_is_a_parent_by_hash(tmp_path: Path) -> None:
    one = source(tmp_path, "a", 3, 1.0)
    found = manifests.parent(one.path)
    assert found.manifest is None and len(found.sha256) == 64


def test_a_manifest_is_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    made = Manifest("x", "echo", {"x.jsonl": "0" * 64}, RowCounts(3, 3), "f" * 64, {"seed": 1}, {"mode": "full"},
                    parents=(Parent("p", "1" * 64),), notes=("note",))  # fmt: skip
    manifests.write(made, tmp_path / "manifest.json")
    assert manifests.read(tmp_path / "manifest.json") == made
    assert manifests.read(tmp_path / "manifest.json").digest == made.digest


@pytest.mark.parametrize("text", ["[]", "{", '{"schema": 99}', '{"schema": 1}', "\x00"])
def test_a_damaged_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError):
        manifests.read(tmp_path / "manifest.json")


def test_the_content_hash_is_of_the_rows_in_any_order_each_counted() -> None:
    made = rows("a", 5)
    assert manifests.content_hash(made) == manifests.content_hash(reversed(made))
    assert manifests.content_hash(made) != manifests.content_hash([*made, made[0]])
    assert manifests.content_hash(made) != manifests.content_hash(made[:4])


def test_the_content_hash_ignores_ids_and_labels() -> None:
    made = rows("a", 5)
    renamed = [{**row, "id": "x", "meta": {}} for row in made]
    assert manifests.content_hash(made) == manifests.content_hash(renamed)


GOOD = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        ({"text": "a"}, "no list of messages"),
        ({"messages": []}, "no list of messages"),
        ({"messages": ["a"]}, "message 0 is no object"),
        ({"messages": [{"role": "human", "content": "a"}]}, "role 'human'"),
        ({"messages": [{"role": "user", "content": 3}]}, "no text in content"),
        ({"messages": [{"role": "user", "content": "a"}]}, "not assistant"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "nothing was asked"),
        ({"messages": [*GOOD["messages"][:1], {"role": "assistant", "content": " "}]}, "is empty"),
        (
            {"messages": [GOOD["messages"][0], {"role": "system", "content": "s"}, GOOD["messages"][1]]},
            "stands first only",
        ),
        ({**GOOD, "id": 3}, "id is not a text"),
        ({**GOOD, "meta": []}, "meta is no object"),
        ({**GOOD, "meta": {"a": {}}}, "meta.a is not a single value"),
        ({**GOOD, "meta": {"a": "\ud800"}}, "id or meta is not valid Unicode"),
        ({**GOOD, "id": "\udfff"}, "id or meta is not valid Unicode"),
        (
            {"messages": [{"role": "user", "content": "a \ud800"}, GOOD["messages"][1]]},
            "message 0 (user) is not valid Unicode: half a character at place 2",
        ),
    ],
)
def test_a_row_of_another_shape_is_an_error_with_file_and_line(
    tmp_path: Path, row: dict[str, object], fact: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n{json.dumps(row)}\n")
    with pytest.raises(DataError, match="line 3") as caught:
        list(read_rows(path))
    assert fact in caught.value.fact and str(path) in caught.value.fact


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('{"messages": [], "meta": {"score": NaN}}', "NaN is no number"),
        ('{"messages": [], "meta": {"score": -Infinity}}', "-Infinity is no number"),
        ('{"messages": [], "meta": {"score": 1e999}}', "1e999 is no number"),
        ('{"messages": [], "messages": []}', "the key 'messages' stands twice"),
        ('{"meta": {"score": ' + "1" * 5000 + "}}", "Exceeds the limit"),
    ],
)
def test_a_row_that_readers_of_json_disagree_about_is_an_error_with_its_line(
    tmp_path: Path, text: str, fact: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{text}\n")
    with pytest.raises(DataError, match="line 2") as caught:
        list(read_rows(path))
    assert fact in caught.value.fact


def test_a_row_without_id_and_meta_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"\n{json.dumps(GOOD)}\n")
    ((number, row),) = read_rows(path)
    assert (number, row["id"], row["meta"]) == (2, "line 2", {})
    assert defect(row) is None


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n")
    with pytest.raises(DataError, match="no rows"):
        list(read_rows(tmp_path / "rows.jsonl"))


def test_duplicates_count_whole_rows_and_not_labels() -> None:
    one, two = rows("a", 2)
    assert duplicates([one, two]) == []
    (found,) = duplicates([one, two, {**one, "id": "again", "meta": {}}])
    assert (found.code, found.locus) == ("duplicate-row", "a-0, again")


def test_another_system_text_is_another_prompt() -> None:
    one = chat_row("1", "a?", "yes.", system="Be brief.", meta={})
    two = chat_row("2", "a?", "no.", system="Be exact.", meta={})
    three = chat_row("3", "a?", "no.", system="Be brief.", meta={})
    assert duplicates([one, two]) == []
    assert [found.code for found in duplicates([one, three])] == ["ambiguous-prompt"]


def test_a_sample_of_a_stream_is_of_all_its_parts_in_order_and_always_the_same() -> None:
    rows = [f"{source}/{number}" for source in "abcd" for number in range(250)]
    drawn = sampled(iter(rows), 200)
    assert drawn == sampled(iter(rows), 200) and len(set(drawn)) == 200
    assert drawn == sorted(drawn, key=rows.index)
    assert all(35 <= sum(row.startswith(source) for row in drawn) <= 65 for source in "abcd")
    assert sampled(iter(rows), 1000) == sampled(iter(rows), 2000) == rows and sampled([], 5) == []
