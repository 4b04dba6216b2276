"""From chat rows to arrays: options, splits that share nothing, nothing lost, manifests that say what happened."""

from __future__ import annotations

import argparse
import json
import tracemalloc

import pytest
import tiny_chat

from modelqa.chat import open_chat
from modelqa.data.arrays import load
from modelqa.data.division import divided, read_rows
from modelqa.data.prepare import prepare, write_split
from modelqa.data.prepare_command import add_prepare_parsers
from modelqa.data.prepared import Settings
from modelqa.errors import DataError, OutputError, UsageError
from modelqa.files import sha256_file, write_json, write_jsonl

NOUNS = ("river", "stone", "lantern", "meadow", "copper", "violin", "harbor", "ladder", "pepper", "saddle",
         "orchid", "walnut", "tunnel", "blanket", "candle", "marble", "ribbon", "thunder", "velvet", "window")
TEMPLATES = ("Say exactly: {}", "Please repeat the following word for me: {}", "Give back {} and nothing else at all",
             "Echo this one token now -> {}", "Write down once more what I typed, which was {}")


def row(number, prompt, answer, **meta):
    messages = [{"role": "system", "content": "Be brief and exact."}, {"role": "user", "content": prompt},
                {"role": "assistant", "content": answer}]
    return {"id": f"r{number}", "messages": messages, "meta": {"category": "echo", **meta}}


def echo_rows(count=60, *, nouns=NOUNS, templates=TEMPLATES):
    made = []
    for number in range(count):
        payload = f"{nouns[number % len(nouns)]} {nouns[(number // len(nouns) + 3 * number + 1) % len(nouns)]}"
        text = templates[number % len(templates)].format(payload)
        made.append(row(number, text, payload, payload=payload, operator="COPY" if number % 2 else "WRAP"))
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_chat.write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, echo_rows())
    return path


def settings(source, model, **options):
    return Settings(source, source.parent / "out", model, **{"val_split": 0.0, **options})


def sides(options):
    division = divided(options)
    return list(division.train()), list(division.val())


def test_every_row_is_in_the_arrays_as_evaluation_renders_it(source, model):
    splits = prepare(settings(source, model))
    arrays = load(splits["train"].path)
    chat = open_chat(model)
    expected = {item["id"]: chat.episode(item["messages"]) for item in echo_rows()}
    for number, name in enumerate(arrays.names):
        ids, mask = arrays.episode(number)
        assert tuple(ids.tolist()) == expected[name].ids
        assert tuple(mask.tolist()) == expected[name].mask
    assert sorted(arrays.names) == sorted(expected)
    assert set(splits) == {"train"}


def test_packing_keeps_the_same_episodes_in_fewer_rows(source, model):
    alone = prepare(settings(source, model))["train"].counts
    together = prepare(settings(source, model, packing=True, block=256))["train"].counts
    assert together.content == alone.content
    assert together.supervised == alone.supervised
    assert together.rows < alone.rows / 3
    assert together.of_slots > alone.of_slots
    assert together.of_content == alone.of_content


def test_a_field_keeps_its_values_in_blocks_of_their_own(source, model):
    arrays = load(prepare(settings(source, model, packing=True, block=256, pack_by="_meta.operator"))["train"].path)
    operator = {item["id"]: item["meta"]["operator"] for item in echo_rows()}
    kinds = {}
    for number, name in enumerate(arrays.names):
        block = int((arrays.row_starts <= arrays.episode_starts[number]).sum())
        kinds.setdefault(block, set()).add(operator[name])
    assert all(len(values) == 1 for values in kinds.values())
    assert {"COPY", "WRAP"} == set().union(*kinds.values())


def test_a_field_that_a_row_lacks_is_an_error_with_its_line(source, model):
    with pytest.raises(DataError, match=r"rows\.jsonl:1 has no meta\.nothing"):
        prepare(settings(source, model, packing=True, pack_by="nothing"))


def test_a_longer_row_is_an_error_unless_dropping_is_asked_for_and_then_it_is_counted(source, model):
    rows = [*echo_rows(), row(99, "Say exactly: " + "stone " * 200, "stone " * 200)]
    write_jsonl(source, rows)
    with pytest.raises(DataError, match=r"rows\.jsonl:61 has \d+ tokens, more than 128"):
        prepare(settings(source, model, max_length=128))
    split = prepare(settings(source, model, max_length=128, on_overlong="drop"))["train"]
    assert split.dropped == {"overlong": 1}
    manifest = json.loads((source.parent / "out" / "manifest.json").read_text())
    assert manifest["rows"] == {"declared": None, "read": 61, "kept": 60, "dropped": {"overlong": 1}}


def test_a_block_is_a_limit_too(source, model):
    with pytest.raises(DataError, match="more than 16"):
        prepare(settings(source, model, packing=True, block=16))


@pytest.mark.parametrize("variant", ["Say exactly: river stone", "say EXACTLY   river, stone!"])
def test_a_prompt_in_both_files_fails_with_both_rows(tmp_path, source, model, variant):
    write_jsonl(source, [row(1, "Say exactly: river stone", "river stone")])
    write_jsonl(tmp_path / "val.jsonl", [row(2, variant, "river stone")])
    with pytest.raises(DataError) as caught:
        prepare(settings(source, model, val_file=tmp_path / "val.jsonl", val_split=None))
    assert "rows.jsonl:1" in str(caught.value)
    assert "val.jsonl:1" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_payload_in_both_files_fails_whatever_its_case(tmp_path, source, model):
    write_jsonl(source, [row(1, "Say exactly: River Stone", "River Stone", payload="River Stone")])
    write_jsonl(tmp_path / "val.jsonl",
                [row(2, "Kindly type out «river  stone» a single time", "river stone", payload="river  stone")])
    with pytest.raises(DataError, match="payload"):
        prepare(settings(source, model, val_file=tmp_path / "val.jsonl", val_split=None))


def test_a_template_in_both_files_fails_even_behind_a_tag(tmp_path, source, model):
    write_jsonl(source, [row(1, "Say exactly: river stone", "river stone", payload="river stone")])
    write_jsonl(tmp_path / "val.jsonl",
                [row(2, "[P26_AE] Say exactly: copper violin", "copper violin", payload="copper violin")])
    with pytest.raises(DataError, match="template"):
        prepare(settings(source, model, val_file=tmp_path / "val.jsonl", val_split=None))
    splits = prepare(settings(source, model, val_file=tmp_path / "val.jsonl", val_split=None,
                              disjoint=frozenset({"payload", "prompt"})))
    assert splits["val"].counts.episodes == 1


def test_a_split_shares_neither_payload_nor_prompt_with_training(source, model):
    wanted = frozenset({"payload", "prompt"})
    train, val = sides(settings(source, model, val_split=0.2, disjoint=wanted))
    assert 6 <= len(val) <= 14
    assert len(train) + len(val) == 60
    assert not {r.meta["payload"] for r in train} & {r.meta["payload"] for r in val}
    assert sides(settings(source, model, val_split=0.2, disjoint=wanted)) == (train, val)


def test_a_split_of_templates_keeps_families_on_one_side(source, model):
    pairs = [(template, NOUNS[4 * i + j]) for i, template in enumerate(TEMPLATES) for j in range(4)]
    rows = [row(number, template.format(a), a, payload=a) for number, (template, a) in enumerate(pairs)]
    write_jsonl(source, rows)
    train, val = sides(settings(source, model, val_split=0.2))
    assert len(val) == 4
    words = [{r.messages[1]["content"].split()[0] for r in side} for side in (train, val)]
    assert not words[0] & words[1]


def test_a_split_that_cannot_be_disjoint_says_how_many_rows_hang_together(source, model):
    every = [(template, noun) for template in TEMPLATES for noun in NOUNS[:4]]
    write_jsonl(source, [row(n, template.format(a), a, payload=a) for n, (template, a) in enumerate(every)])
    with pytest.raises(DataError, match=r"20 of 20 rows hang together"):
        prepare(settings(source, model, val_split=0.1))


def test_without_options_a_tenth_is_set_aside(source, model):
    train, val = sides(Settings(source, source.parent / "out", model, disjoint=frozenset({"prompt"})))
    assert len(val) == 6
    assert len(train) == 54


def test_a_val_file_and_a_val_split_exclude_each_other(source, model):
    with pytest.raises(UsageError, match="both given"):
        settings(source, model, val_file=source, val_split=0.1)


@pytest.mark.parametrize("options", [{"val_split": 1.0}, {"val_split": -0.1}, {"block": 1}])
def test_options_out_of_range_are_a_usage_error(source, model, options):
    with pytest.raises(UsageError):
        settings(source, model, **options)


@pytest.mark.parametrize("bad", [
    {"text": "plain"}, {"messages": []}, {"messages": [{"role": "user", "content": "a"}]},
    {"messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": "a"}]},
])
def test_a_row_of_another_schema_is_an_error_with_its_line(source, bad):
    write_jsonl(source, [*echo_rows(3), bad])
    with pytest.raises(DataError, match=r"rows\.jsonl, line 4"):
        list(read_rows(source))


def test_a_file_without_rows_is_an_error(source):
    source.write_text("\n\n")
    with pytest.raises(DataError, match="no rows"):
        list(read_rows(source))


def test_the_same_input_gives_the_same_bytes(source, model):
    prepare(settings(source, model, packing=True))
    first = sha256_file(source.parent / "out" / "train.safetensors")
    prepare(settings(source, model, packing=True))
    assert sha256_file(source.parent / "out" / "train.safetensors") == first
    prepare(settings(source, model, packing=True, seed=7))
    assert sha256_file(source.parent / "out" / "train.safetensors") != first


def test_the_text_of_a_dataset_is_never_held_at_once(source, model):
    wanted = settings(source, model, packing=True, block=8192)
    chat = open_chat(model)
    write_split(chat, "train", divided(wanted).train(), wanted)  # what is imported and cached once does not count
    long, peaks = " ".join(NOUNS * 25), []  # some 3,500 characters; a name and a few numbers a row are held
    for rows in (10, 110):
        write_jsonl(source, (row(n, f"Say {n}: {long}", f"{n}", payload=f"{n}") for n in range(rows)))
        tracemalloc.start()
        assert write_split(chat, "train", divided(wanted).train(), wanted).counts.episodes == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 100 * len(long) / 2


def test_a_failed_preparation_leaves_no_litter(source, model):
    out = settings(source, model).output
    with pytest.raises(DataError, match="more than 5"):
        prepare(settings(source, model, max_length=5))
    assert list(out.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_one_clear_error(source, model):
    (source.parent / "out").write_text("in the way")
    with pytest.raises(OutputError, match="out cannot be written"):
        prepare(settings(source, model))
    assert (source.parent / "out").read_text() == "in the way"


def test_the_manifest_binds_sources_and_their_manifests(source, model):
    beside = {"schema": 1, "name": "echo", "files": {"rows.jsonl": sha256_file(source)}}
    write_json(source.parent / "manifest.json", beside)
    prepare(settings(source, model))
    manifest = json.loads((source.parent / "out" / "manifest.json").read_text())
    (found,) = manifest["parents"]
    assert found["sha256"] == sha256_file(source)
    assert found["manifest"]["name"] == "echo"
    assert manifest["files"]["train.safetensors"] == sha256_file(source.parent / "out" / "train.safetensors")
    assert str(source.parent) not in json.dumps(manifest)


def test_a_source_that_was_changed_after_its_manifest_is_refused(source, model):
    write_json(source.parent / "manifest.json", {"files": {"rows.jsonl": "0" * 64}})
    with pytest.raises(DataError, match="changed after it was made"):
        prepare(settings(source, model))


def run_command(*words):
    parser = argparse.ArgumentParser()
    add_prepare_parsers(parser.add_subparsers())
    options = parser.parse_args([str(word) for word in words])
    return options.handler(options)


def test_the_command_prepares_packs_and_inspects(tmp_path, source, model, capsys):
    out = tmp_path / "packed"
    code = run_command("prepare", "--input", source, "--output_dir", out, "--tokenizer", model, "--val_split", "0",
                       "--enable_packing", "--pack_block_size", 128, "--pack_by_field", "_meta.operator")
    assert code == 0
    assert "60 episodes" in capsys.readouterr().out
    code = run_command("inspect", "--dataset_dir", out, "--tokenizer", model, "--show_samples", 2, "--no-color")
    shown = capsys.readouterr().out
    assert code == 0
    assert "<|im_start|>assistant\\n⟦" in shown
    assert "<|im_end|>⟧" in shown
    assert "red line at 5x" in shown
