"""Size and training of a model: counted from the files, placed among public models, drawn."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from modelqa.checkpoint import open_checkpoint
from modelqa.cli import main
from modelqa.data.captured import FedRow, write_capture
from modelqa.errors import CheckpointError
from modelqa.models import load_registry, resolve
from modelqa.plots import Mark, log_log, short
from modelqa.scaling import COMPUTE_OPTIMAL, Position, known_models, parameters, picture, position

FIXTURES = Path(__file__).parents[1] / "fixtures"
SVG = "{http://www.w3.org/2000/svg}"


def checkpoint(folder: Path, *, head: str, **config: object):
    folder.mkdir(exist_ok=True)
    embedding = np.arange(40, dtype=np.float32).reshape(10, 4)
    tensors = {"model.embed_tokens.weight": embedding, "model.norm.weight": np.ones(4, np.float32)}
    if head != "none":
        tensors["lm_head.weight"] = embedding.copy() if head == "copy" else embedding + 1
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(
        json.dumps({"model_type": "llama", "tie_word_embeddings": head != "own", **config})
    )
    return open_checkpoint(folder)


def test_a_stored_copy_of_a_tied_matrix_counts_once(tmp_path):
    assert parameters(checkpoint(tmp_path / "a", head="none")) == 44
    assert parameters(checkpoint(tmp_path / "b", head="copy")) == 44
    assert parameters(checkpoint(tmp_path / "c", head="own")) == 84


def test_packed_numbers_are_not_counted_as_parameters(tmp_path):
    with pytest.raises(CheckpointError, match="quantised"):
        parameters(checkpoint(tmp_path / "a", head="none", quantization_config={"bits": 4}))


def test_the_shipped_model_has_as_many_parameters_as_another_harness_counted():
    log = next((Path(__file__).parent / "data" / "harness_logs" / "lm_eval" / "chat").glob("results_*.json"))
    counted = json.loads(log.read_text())["config"]["model_num_parameters"]
    assert parameters(open_checkpoint(FIXTURES / "checkpoints" / "phase3a2")) == counted


def test_training_tokens_are_those_of_every_stage():
    registry = load_registry(FIXTURES / "models.toml")
    base, chat = (resolve(registry, name) for name in ("base", "phase3a2"))
    small, whole = (position(open_checkpoint(model.path), model, registry) for model in (base, chat))
    assert small.how == whole.how == "counted"
    assert whole.tokens > 2 * small.tokens > 0
    assert whole.ratio < COMPUTE_OPTIMAL


def test_a_stage_without_a_capture_leaves_the_tokens_unknown_unless_they_are_declared(tmp_path):
    checkpoint(tmp_path / "a", head="none")
    lines = (
        '[models.a]\npath = "a"\n[models.b]\npath = "a"\nparent = "a"\n[models.c]\npath = "a"\ntraining_tokens = 880\n'
    )
    (tmp_path / "models.toml").write_text(lines)
    registry = load_registry(tmp_path / "models.toml")
    opened = open_checkpoint(tmp_path / "a")
    assert position(opened, registry.models["b"], registry).tokens is None
    declared = position(opened, registry.models["c"], registry)
    assert (declared.tokens, declared.ratio, declared.how) == (880, 20.0, "declared")
    assert "1 times the compute-optimal 20" in declared.text


@pytest.mark.parametrize(("processes", "tokens"), [(1, 640), (2, None)])
def test_counters_of_one_process_among_several_are_no_count(processes, tokens, tmp_path):
    opened = checkpoint(tmp_path / "a", head="none")
    row = FedRow(np.arange(4))
    about = {"world_size": processes, "pad_id": 0}
    write_capture(tmp_path / "fed.safetensors", [row], counters={"tokens_seen": 640}, about=about)
    (tmp_path / "models.toml").write_text('[models.a]\npath = "a"\ncapture = "fed.safetensors"\n')
    registry = load_registry(tmp_path / "models.toml")
    assert position(opened, registry.models["a"], registry).tokens == tokens


def test_public_models_lie_where_the_scaling_papers_put_them():
    found = {known.name: known.tokens / known.parameters for known in known_models()}
    assert found["Chinchilla"] == pytest.approx(COMPUTE_OPTIMAL)
    assert found["GPT-3"] < 2 < found["TinyLlama"]
    assert all(known.source for known in known_models())
    guide = (FIXTURES.parent / "docs" / "guides" / "benchmarks.md").read_text(encoding="utf-8")
    for known in known_models():
        row = f"| {known.name} | {short(known.parameters)} | {short(known.tokens)} | {known.source.partition(':')[0]}"
        assert row in guide


def test_the_picture_places_points_above_and_below_the_line_rightly():
    root = ElementTree.fromstring(picture([Position("mine", 1_000_000, 5_000_000, "declared")]))
    circles = {(float(c.get("cx")), float(c.get("cy"))): c.get("fill") for c in root.iter(f"{SVG}circle")}
    assert len(circles) == len(known_models()) + 1
    dashed = next(path.get("d") for path in root.iter(f"{SVG}path") if path.get("stroke-dasharray"))
    (x1, y1), (x2, y2) = (map(float, point.split()) for point in dashed[1:].split("L"))

    def height_of_line(x: float) -> float:
        return y1 + (x - x1) * (y2 - y1) / (x2 - x1)

    below = sum(y > height_of_line(x) + 0.5 for x, y in circles)  # SVG counts downwards
    ratios = [known.tokens / known.parameters for known in known_models()] + [5.0]
    assert below == sum(ratio < COMPUTE_OPTIMAL for ratio in ratios)


def test_a_name_cannot_act_in_a_picture():
    hostile = '</text><script>alert(1)</script>"&'
    text = log_log([Mark(hostile, 1.0, 2.0, own=True)], ratio=20, title=hostile, x="x", y="y", line="l")
    root = ElementTree.fromstring(text)
    assert not list(root.iter(f"{SVG}script"))
    assert any(hostile in "".join(element.itertext()) for element in root.iter(f"{SVG}text"))


def test_logarithmic_axes_refuse_what_they_cannot_show():
    for marks in ([], [Mark("a", 0.0, 1.0)]):
        with pytest.raises(ValueError, match="positive"):
            log_log(marks, ratio=20, title="t", x="x", y="y", line="l")


@pytest.mark.parametrize(("value", "text"), [(1_115_264, "1.12M"), (3e11, "300B"), (15e12, "15T"), (950, "950")])
def test_counts_are_written_as_people_write_them(value, text):
    assert short(value) == text


def test_the_command_prints_and_draws(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(FIXTURES)
    assert main(["scaling", "phase3a2", "--out", str(tmp_path / "scale.svg")]) == 0
    assert "1.12M parameters" in capsys.readouterr().out
    ElementTree.parse(tmp_path / "scale.svg")
    assert main(["scaling", "checkpoints/phase3a2/../phase3a2", "--out", str(tmp_path / "again.svg")]) == 0
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "scale.svg").read_bytes()


def test_what_is_not_known_is_not_drawn(tmp_path, capsys):
    checkpoint(tmp_path / "bare", head="none")
    assert main(["scaling", str(tmp_path / "bare")]) == 0
    assert "training tokens not known" in capsys.readouterr().out
    assert main(["scaling", str(tmp_path / "bare"), "--out", str(tmp_path / "x.svg")]) == 4
    assert "training_tokens = N" in capsys.readouterr().err
