"""Opening a checkpoint: what counts as one, what its hashes are of, and each way in which it is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
import tiny_model

from modelqa.checkpoint import open_checkpoint
from modelqa.errors import CheckpointError


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_model.write_model(tmp_path_factory.mktemp("original") / "model")


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "copy")


def refusal(path, **options):
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path, **options)
    error = caught.value
    assert error.fact and error.reason and error.remedy
    return str(error)


# -- what is opened


def test_the_fingerprint_holds_the_hash_of_every_file_that_decides_a_reply(folder):
    (folder / "README.md").write_text("words")
    (folder / "trainer_state.json").write_text("{}")
    (folder / "capture.safetensors").write_bytes(b"rows")
    fingerprint = open_checkpoint(folder).fingerprint
    assert set(fingerprint) == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja",
    }  # fmt: skip
    for name, value in fingerprint.items():
        assert value == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_the_digest_does_not_depend_on_where_the_folder_is(original, folder):
    assert open_checkpoint(folder).digest == open_checkpoint(original).digest


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"]
)
def test_one_changed_byte_changes_the_digest(original, folder, name):
    data = bytearray((folder / name).read_bytes())
    if name == "model.safetensors":
        data[-1] ^= 1
    else:
        data += b" "
    (folder / name).write_bytes(data)
    one, two = open_checkpoint(original), open_checkpoint(folder)
    assert one.digest != two.digest
    assert (one.weights_digest != two.weights_digest) == (name == "model.safetensors")
    assert (one.tokenizer_digest != two.tokenizer_digest) == (name == "tokenizer.json")


def test_a_readme_does_not_change_the_digest(original, folder):
    (folder / "README.md").write_text("another card")
    assert open_checkpoint(folder).digest == open_checkpoint(original).digest


def test_the_tensors_are_those_that_safetensors_reads(folder):
    from safetensors import safe_open

    checkpoint = open_checkpoint(folder)
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - no mapping
    assert {name: tensor.shape for name, tensor in checkpoint.tensors.items()} == shapes


def test_shards_are_opened_through_their_index(original, tmp_path):
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(original).save_pretrained(tmp_path, max_shard_size="20KB")
    checkpoint = open_checkpoint(tmp_path)
    assert len({tensor.file for tensor in checkpoint.tensors.values()}) > 1
    assert "model.safetensors.index.json" in checkpoint.files
    assert set(checkpoint.tensors) == set(open_checkpoint(original).tensors)


def test_opening_imports_neither_torch_nor_transformers(folder):
    code = (
        "import sys; from modelqa.checkpoint import *; c = open_checkpoint(sys.argv[1]); c.digest; tie_problems(c)\n"
        "finite_problems(c); vocabulary_problems(c)\n"
        "print([m for m in ('torch', 'transformers', 'safetensors', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- what is missing


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert "nothing-here" in refusal(tmp_path / "nothing-here")


def test_a_file_is_no_checkpoint(folder):
    assert "is a file" in refusal(folder / "config.json")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert name in refusal(folder)


def test_a_shard_that_the_index_names_and_nobody_has_is_named(original, tmp_path):
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(original).save_pretrained(tmp_path, max_shard_size="20KB")
    shard = sorted(tmp_path.glob("model-*.safetensors"))[1]
    shard.unlink()
    assert shard.name in refusal(tmp_path)


def test_an_index_that_puts_a_tensor_into_another_shard_is_refused(original, tmp_path):
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(original).save_pretrained(tmp_path, max_shard_size="20KB")
    index = tmp_path / "model.safetensors.index.json"
    mapping = tiny_model.read(index)["weight_map"]
    mapping["model.norm.weight"] = next(file for file in mapping.values() if file != mapping["model.norm.weight"])
    tiny_model.edit(index, weight_map=mapping)
    assert "model.norm.weight" in refusal(tmp_path)


@pytest.mark.parametrize("mapping", [{}, [], "x", {"a": 1}, {"a": "weights.bin"}, None])
def test_an_index_without_a_usable_map_is_refused(folder, mapping):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text("{}")
    tiny_model.edit(folder / "model.safetensors.index.json", weight_map=mapping)
    assert "weight_map" in refusal(folder)


@pytest.mark.parametrize("shard", ["../other/model.safetensors", "/etc/model.safetensors", "a\0.safetensors"])
def test_an_index_cannot_name_files_elsewhere(folder, shard):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    tiny_model.edit(folder / "model.safetensors.index.json", weight_map={"a": shard})
    assert "leads out of its folder" in refusal(folder) or "cannot be followed" in refusal(folder)


# -- what is damaged


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b"\xff\xfe{}", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_config_that_is_no_json_object_is_refused(folder, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refusal(folder)


def test_an_enormous_config_is_refused_before_it_is_read(folder):
    with (folder / "config.json").open("r+b") as stream:
        stream.truncate(1 << 33)  # sparse: takes no space, would take 8 GiB of memory
    assert str(1 << 33) in refusal(folder)


@pytest.mark.parametrize("size", [0, 5, 8, 100, -1, -4000])
def test_truncated_weights_are_refused(folder, size):
    path = folder / "model.safetensors"
    whole = path.stat().st_size
    os.truncate(path, size if size >= 0 else whole + size)
    assert "model.safetensors" in refusal(folder)


ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "data", "word"),
    [
        ({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}, 12, "overlaps"),
        ({"a": ONE, "b": {**ONE, "data_offsets": [12, 20]}}, 20, "hole"),
        ({"a": ONE}, 12, "follow the last tensor"),
        ({"a": {**ONE, "data_offsets": [8, 16]}}, 16, "hole"),
        ({"a": {**ONE, "data_offsets": [8, 0]}}, 8, "contradict"),
        ({"a": {**ONE, "shape": [3]}}, 8, "contradict"),
        ({"a": {**ONE, "shape": [-1, -2]}}, 8, "whole number"),
        ({"a": {**ONE, "shape": [2.0]}}, 8, "whole number"),
        ({"a": {**ONE, "shape": [True, 2]}}, 8, "whole number"),
        ({"a": {**ONE, "shape": [1 << 62, 1 << 62]}}, 8, "contradict"),
        ({"a": {**ONE, "dtype": "Q4"}}, 8, "unknown dtype"),
        ({"a": {**ONE, "data_offsets": [0]}}, 8, "malformed"),
        ({"a": 3}, 8, "malformed"),
        ({}, 0, "no tensor"),
        ({"__metadata__": {"format": "pt"}}, 0, "no tensor"),
        ([], 0, "a JSON list"),
        ("{", 0, "cannot be read"),
        ("[" * 100_000, 0, "cannot be read"),
        (f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(ONE)}}}', 8, "twice"),
    ],
)  # fmt: skip
def test_a_malformed_header_is_refused(folder, header, data, word):
    tiny_model.write_raw(folder / "model.safetensors", header, bytes(data))
    assert word in refusal(folder)


def test_a_header_longer_than_the_file_is_refused(folder):
    tiny_model.write_raw(folder / "model.safetensors", {"a": ONE}, bytes(8), length=(1 << 63) + 5)
    assert "cut short" in refusal(folder)


def test_an_absurd_header_is_refused_before_it_is_read(folder):
    path = folder / "model.safetensors"
    tiny_model.write_raw(path, {"a": ONE}, bytes(8), length=1 << 33)
    os.truncate(path, 1 << 34)
    assert str(1 << 33) in refusal(folder)


def test_a_tensor_in_two_shards_is_refused(folder):
    (folder / "model.safetensors").unlink()
    for name in ("one", "two"):
        tiny_model.write_raw(
            folder / f"{name}.safetensors", {"a": ONE, name: {**ONE, "data_offsets": [8, 16]}}, bytes(16)
        )
    (folder / "model.safetensors.index.json").write_text("{}")
    tiny_model.edit(
        folder / "model.safetensors.index.json", weight_map={"one": "one.safetensors", "two": "two.safetensors"}
    )
    assert "'a' stands in one.safetensors and in two.safetensors" in refusal(folder)


# -- what is refused by kind


def test_pickled_weights_are_refused_with_the_way_to_convert_them(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    text = refusal(folder)
    assert "pickle" in text and "save_pretrained" in text


def test_a_forgotten_pickle_beside_safetensors_is_not_opened(folder):
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert "pytorch_model.bin" not in open_checkpoint(folder).files


def test_an_adapter_is_refused_with_the_way_to_merge_it(folder):
    (folder / "adapter_config.json").write_text("{}")
    assert "merge" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_runs_only_when_asked_for_by_name(folder, name):
    tiny_model.edit(folder / name, auto_map={"AutoModelForCausalLM": "modeling_evil.Evil"})
    (folder / "modeling_evil.py").write_text("raise SystemExit('ran')")
    assert "auto_map" in refusal(folder)
    trusted = open_checkpoint(folder, trust_remote_code=True)
    assert trusted.trust_remote_code and "modeling_evil.py" in trusted.fingerprint


def test_an_attention_kernel_from_a_repository_is_code(folder):
    tiny_model.edit(folder / "config.json", _attn_implementation="someone/their-kernel")
    assert "_attn_implementation" in refusal(folder)


def test_a_config_cannot_name_other_weights(folder):
    tiny_model.edit(folder / "config.json", transformers_weights="other.safetensors")
    assert "transformers_weights" in refusal(folder)


# -- links


def test_a_link_out_of_the_folder_is_refused(folder):
    outside = folder.parent / "secret.json"
    (folder / "tokenizer.json").rename(outside)
    (folder / "tokenizer.json").symlink_to(outside)
    assert "leads out of its folder" in refusal(folder)


def test_a_link_inside_the_folder_is_followed(original, folder):
    (folder / "model.safetensors").rename(folder / "weights")
    (folder / "model.safetensors").symlink_to("weights")
    assert open_checkpoint(folder).digest == open_checkpoint(original).digest


def test_a_loop_of_links_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to("tokenizer.json")
    assert "tokenizer.json" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(folder):
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    assert "config.json" in refusal(folder)


def hub_cache(folder, root):
    """The folder's files as a Hugging Face cache keeps them: blobs by hash, links in a snapshot."""
    repository = root / "models--someone--model"
    snapshot = repository / "snapshots" / "a1b2c3"
    (repository / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in folder.iterdir():
        name = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, repository / "blobs" / name)
        (snapshot / path.name).symlink_to(f"../../blobs/{name}")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a1b2c3")
    return snapshot


def test_links_into_the_blobs_of_the_same_cached_repository_are_followed(original, tmp_path):
    snapshot = hub_cache(original, tmp_path)
    assert open_checkpoint(snapshot).digest == open_checkpoint(original).digest


def test_links_into_the_blobs_of_another_repository_are_refused(original, tmp_path):
    snapshot = hub_cache(original, tmp_path)
    other = tmp_path / "models--other--model" / "blobs"
    other.mkdir(parents=True)
    shutil.copy(original / "tokenizer.json", other / "t")
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "tokenizer.json").symlink_to(other / "t")
    assert "leads out of its folder" in refusal(snapshot)


# -- the Hub


def in_process(code, *arguments, cache):
    """Run code in a new process whose Hugging Face cache is `cache` and whose network is off."""
    environment = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


OPEN = "import sys; from modelqa.checkpoint import open_checkpoint; print(open_checkpoint(sys.argv[1]).digest)"


def test_a_hub_id_in_the_local_cache_is_opened_without_network(original, tmp_path):
    hub_cache(original, tmp_path)
    done = in_process(OPEN, "someone/model", cache=tmp_path)
    assert done.stdout.strip() == open_checkpoint(original).digest, done.stderr


def test_a_hub_id_that_cannot_be_fetched_gives_one_clear_error(tmp_path):
    done = in_process(OPEN, "someone/absent", cache=tmp_path)
    last = done.stderr.strip().splitlines()
    assert any("CheckpointError" in line and "someone/absent" in line for line in last)
    assert any(line.strip().startswith("remedy:") for line in last)
