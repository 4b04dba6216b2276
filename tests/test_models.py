"""models.toml and command-line names: what is known of a model, and each way in which a registry is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from modelqa.errors import UsageError
from modelqa.models import Model, Registry, ancestors, find_registry, load_registry, relatives, resolve

FULL = """
[models.base]
path = "checkpoints/base"
stage = "base"

[models.chat]
path = "checkpoints/chat"
stage = "sft"
phase = "phase3a2"
parent = "base"
reference = "other"
baseline = "base"
system = "Be brief."
train = ["data/train.jsonl.zst"]
val = ["data/val.jsonl"]
manifest = "data/manifest.json"
intended_rows = 1234
trainer_log = "checkpoints/chat/trainer_state.json"
capture = "checkpoints/chat/capture.safetensors"
repo = "someone/chat"
experimental_repo = "someone/chat-next"
adapter = "lora"
step = 900
passes = 2.5
recipe = "recipe.toml"
sibling = "other"
factors = ["lr", "seed"]
quotas = { anti_echo = 0.1 }
mix = {echo = 0.25, facts = 1}
waivers = {anti_echo = "measured elsewhere"}

[models.grandchild]
path = "checkpoints/grandchild"
parent = "chat"

[models.sibling]
path = "checkpoints/sibling"
parent = "base"

[models.other]
hub = "someone/other"

[controls]
reference = "other"
"""


def registry_of(folder, text):
    path = folder / "models.toml"
    path.write_text(text)
    return load_registry(path)


@pytest.fixture
def registry(tmp_path):
    for name in ("base", "chat", "unlisted"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "config.json").write_text("{}")
    return registry_of(tmp_path, FULL)


def refusal(action, *arguments):
    with pytest.raises(UsageError) as caught:
        action(*arguments)
    assert caught.value.fact and caught.value.reason and caught.value.remedy
    return str(caught.value)


def test_every_key_of_a_model_is_read(registry, tmp_path):
    assert registry.models["chat"] == Model(
        name="chat",
        path=tmp_path / "checkpoints/chat",
        root=tmp_path,
        declared=True,
        stage="sft",
        phase="phase3a2",
        parent="base",
        reference="other",
        baseline="base",
        system="Be brief.",
        train=(tmp_path / "data/train.jsonl.zst",),
        val=(tmp_path / "data/val.jsonl",),
        manifest=tmp_path / "data/manifest.json",
        intended_rows=1234,
        trainer_log=tmp_path / "checkpoints/chat/trainer_state.json",
        capture=tmp_path / "checkpoints/chat/capture.safetensors",
        repo="someone/chat",
        experimental_repo="someone/chat-next",
        adapter=tmp_path / "lora",
        step=900,
        passes=2.5,
        recipe=tmp_path / "recipe.toml",
        sibling="other",
        factors=("lr", "seed"),
        quotas={"anti_echo": 0.1},
        mix={"echo": 0.25, "facts": 1.0},
        waivers={"anti_echo": "measured elsewhere"},
    )
    assert registry.controls == {"reference": "other"}


def test_an_absent_system_message_is_none_and_an_empty_one_is_empty(tmp_path):
    models = registry_of(tmp_path, '[models.a]\npath = "a"\n[models.b]\npath = "b"\nsystem = ""\n').models
    assert (models["a"].system, models["b"].system) == (None, "")


def test_a_registered_name_comes_first(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "checkpoints")
    assert resolve(registry, "chat") is registry.models["chat"]


def test_the_folder_of_a_registered_model_is_that_model(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("checkpoints/chat", "./checkpoints/chat/", str(tmp_path / "checkpoints" / "chat")):
        assert resolve(registry, name) is registry.models["chat"]


def test_a_renamed_copy_is_a_bare_model_that_declares_nothing(registry, tmp_path):
    model = resolve(registry, str(tmp_path / "checkpoints" / "unlisted"))
    assert model == Model(name="unlisted", path=tmp_path / "checkpoints" / "unlisted", root=tmp_path / "checkpoints")
    assert not model.declared and model.stage is None


def test_a_hub_id_is_a_bare_model(registry):
    model = resolve(registry, "someone/something-else")
    assert (model.location, model.path, model.declared) == ("someone/something-else", None, False)
    assert registry.models["other"].location == "someone/other"


@pytest.mark.parametrize("name", ["chta", "Chat", "cha"])
def test_an_unknown_name_is_refused_with_the_nearest_ones(registry, name):
    assert "chat" in refusal(resolve, registry, name).split("remedy:")[1]


def test_a_name_like_no_other_is_refused_with_what_can_be_given(registry):
    assert "Hub id" in refusal(resolve, registry, "zzzzzz")


def test_a_mistyped_path_is_no_hub_id(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "checkpoints/chat" in refusal(resolve, registry, "checkpoints/chatt").split("remedy:")[1]


def test_a_folder_without_a_config_is_refused(registry, tmp_path):
    assert "config.json" in refusal(resolve, registry, str(tmp_path))


def test_without_a_registry_only_folders_and_hub_ids_resolve(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert resolve(Registry(), str(tmp_path)).path == tmp_path
    assert "there is no models.toml" in refusal(resolve, Registry(), "chat")


def test_ancestors_are_given_nearest_first(registry):
    assert [model.name for model in ancestors(registry, registry.models["grandchild"])] == ["chat", "base"]
    assert ancestors(registry, registry.models["base"]) == []


@pytest.mark.parametrize(
    ("one", "two", "related"),
    [("chat", "base", True), ("base", "grandchild", True), ("sibling", "grandchild", True), ("chat", "chat", True),
     ("chat", "other", False)],
)  # fmt: skip
def test_models_of_one_line_are_relatives(registry, one, two, related):
    assert relatives(registry, registry.models[one], registry.models[two]) is related


def test_a_bare_folder_that_shares_only_a_name_is_no_relative(registry, tmp_path):
    (tmp_path / "elsewhere" / "chat").mkdir(parents=True)
    (tmp_path / "elsewhere" / "chat" / "config.json").write_text("{}")
    bare = resolve(registry, str(tmp_path / "elsewhere" / "chat"))
    assert bare.name == "chat" and not relatives(registry, bare, registry.models["chat"])


A = '[models.a]\npath = "a"\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("models = 3", "models"),
        ("[models]\na = 3", "models"),
        ("[model.a]\npath = 'a'", "unknown key model"),
        (A + "stagge = 'sft'", "models.a.stagge"),
        (A + "stage = 'stf'", "nearest: sft"),
        (A + "stage = 3", "models.a.stage"),
        (A + "intended_rows = '5'", "models.a.intended_rows"),
        (A + "intended_rows = true", "models.a.intended_rows"),
        (A + "intended_rows = 0", "models.a.intended_rows"),
        (A + "training_tokens = 0", "models.a.training_tokens"),
        (A + "benchmarks = ['../out.json']", "models.a.benchmarks"),
        (A + "cheaper = ['nobody']", "models.a.cheaper"),
        (A + "trend = '/etc/passwd'", "models.a.trend"),
        (A + "step = 0", "models.a.step"),
        (A + "passes = 0", "models.a.passes"),
        (A + "passes = nan", "models.a.passes"),
        (A + "sibling = 'b'", "models.a.sibling"),
        (A + "quotas = { echo = 'all' }", "models.a.quotas.echo"),
        (A + "train = 'x'", "models.a.train"),
        (A + "train = [3]", "models.a.train"),
        (A + "system = ['x']", "models.a.system"),
        (A + "mix = {a = 'x'}", "models.a.mix.a"),
        (A + "mix = 3", "models.a.mix"),
        (A + "waivers = {gate = 3}", "models.a.waivers.gate"),
        (A + "parent = 'b'", "models.a.parent"),
        (A + "reference = 'aa'", "nearest: a"),
        (A + "baseline = 'b'", "models.a.baseline"),
        (A + "[controls]\nreference = 'b'", "controls.reference"),
        (A + "[controls]\nreferenze = 'a'", "nearest: reference"),
        (A + "hub = 'x/y'", "one of path and hub"),
        ("[models.a]\nstage = 'sft'", "one of path and hub"),
        ("[models.a]\npath = '../a'", "models.a.path"),
        ("[models.a]\npath = 'b/../../a'", "models.a.path"),
        ("[models.a]\npath = '/a'", "models.a.path"),
        ("[models.a]\npath = ''", "models.a.path"),
        (A + "train = ['../x']", "models.a.train"),
        (A + "parent = 'a'", "a -> a"),
        (A + "parent = 'b'\n[models.b]\npath = 'b'\nparent = 'a'", "a -> b -> a"),
        ("[models.a", "cannot be read"),
    ],
)
def test_a_wrong_registry_is_refused_by_its_key(tmp_path, text, word):
    assert word in refusal(registry_of, tmp_path, text)


def test_a_registry_that_is_not_utf8_is_refused(tmp_path):
    for content in (b"\xff", b"[models.a]\nstep = " + b"1" * 5000, b"a = " + b"[" * 100_000):
        (tmp_path / "models.toml").write_bytes(content)
        assert "cannot be read" in refusal(load_registry, tmp_path / "models.toml")


def test_the_registry_of_the_root_comes_before_that_of_fixtures(tmp_path):
    assert find_registry(tmp_path) is None
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "models.toml").write_text("")
    assert find_registry(tmp_path) == tmp_path / "fixtures" / "models.toml"
    (tmp_path / "models.toml").write_text("")
    assert find_registry(tmp_path) == tmp_path / "models.toml"
    (tmp_path / "mine.toml").write_text("")
    assert find_registry(tmp_path, tmp_path / "mine.toml") == tmp_path / "mine.toml"


def test_a_named_registry_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "models.toml").write_text("")
    assert "mine.toml" in refusal(find_registry, tmp_path, tmp_path / "mine.toml")


def test_the_registry_needs_the_standard_library_alone():
    code = "import sys, modelqa.models; print([m for m in ('numpy', 'torch', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
