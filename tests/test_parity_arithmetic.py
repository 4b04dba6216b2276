"""Two arithmetics over one text: rounding is forgiven, overflow is not; a merged adapter is held to the adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model
import torch
from behaviour_suite import ROOT

from modelqa.chat import open_chat
from modelqa.checkpoint import open_adapter, open_checkpoint
from modelqa.errors import CheckpointError
from modelqa.gates import read_cases
from modelqa.generate import LocalEngine
from modelqa.models import load_registry
from modelqa.mutants.catalogue import KINDS
from modelqa.mutants.kind import Sibling
from modelqa.mutants.trial import stage
from modelqa.parity import adapter_problems, best_tokens, dtype_problems, noise, stored_dtype
from modelqa.parity.adapter import adapted_tokens
from modelqa.parity.arithmetic import NOISE, STEPS, flips

MODEL = load_registry(ROOT / "fixtures" / "models.toml").models["phase3a2"]
KIND = {kind.name: kind for kind in KINDS}


def engine_of(folder: Path, dtype: str = "float32") -> LocalEngine:
    chat = open_chat(folder)
    return LocalEngine.open(open_checkpoint(folder), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0, dtype=dtype)


def answers(folder: Path, count: int = 16) -> list[tuple[list[int], list[int]]]:
    """The controls' right answers as (ids, mask), as the suite reads them."""
    chat = open_chat(folder)
    head = [{"role": "system", "content": MODEL.system or ""}]
    episodes = []
    for case in read_cases(ROOT / "suites" / "harness" / "controls.jsonl")[:count]:
        episodes.append(chat.episode([*head, *map(dict, case.messages), {"role": "assistant", "content": case.answer}]))
    return [(list(episode.ids), list(episode.mask)) for episode in episodes]


def tokens(folder: Path, dtype: str = "float32") -> dict[str, Any]:
    return best_tokens(engine_of(folder, dtype), open_chat(folder), answers(Path(MODEL.location)))


# -- the measurement ---------------------------------------------------------------------------------------------------


def test_the_best_tokens_are_those_of_the_logits() -> None:
    engine, episodes = engine_of(Path(MODEL.location)), answers(Path(MODEL.location), 3)
    found = best_tokens(engine, open_chat(Path(MODEL.location)), episodes)
    for (ids, mask), best, gaps in zip(episodes, found["best"], found["gap"], strict=True):
        places = [place for place in range(1, len(ids)) if mask[place]]
        rows = engine.logits(ids)[[place - 1 for place in places]]
        assert best == rows.argmax(axis=1).tolist()
        two = np.sort(rows, axis=1)[:, -2:]
        assert gaps == pytest.approx((two[:, 1] - two[:, 0]).tolist(), abs=2e-4)
        assert found["largest"] >= float(np.abs(rows).max()) - 1e-3


def test_where_logits_are_no_numbers_no_token_is_preferred(tmp_path: Path) -> None:
    folder = tiny_model.write_model(tmp_path / "m")
    engine = engine_of(folder)
    with torch.no_grad():
        engine.model.lm_head.weight[3] = float("nan")
    (row,) = engine.best([([5, 6, 7], [0, 0, 1])])
    assert (row.best, row.gap, row.largest) == ((-1,), (0.0,), 0.0)


def test_noise_grows_with_the_logits_and_with_the_rounding_of_the_type() -> None:
    assert noise("float32", 1000.0) == NOISE
    assert noise("bfloat16", 16.0) == STEPS * 16 / 256
    assert noise("float16", 16.0) == noise("bfloat16", 16.0) / 8


def rows(best: list[int], gap: list[float]) -> dict[str, Any]:
    return {"best": [best], "gap": [gap], "largest": 10.0}


def test_a_toss_up_may_fall_the_other_way_and_a_sure_choice_may_not() -> None:
    sure, other = rows([1, 2, 3], [0.1, 5.0, 5.0]), rows([9, 2, 9], [1.0, 1.0, 1.0])
    assert flips(sure, other, 0.3) == (3, [(0, 2)])
    (problem,) = dtype_problems(sure, other, "bfloat16")
    assert (problem.code, problem.locus) == ("parity.dtype", "control 0, token 2")
    assert dtype_problems(sure, rows([9, 2, 3], [1.0, 1.0, 1.0]), "bfloat16") == []


# -- the stored type ---------------------------------------------------------------------------------------------------


def test_the_stored_type_is_that_of_most_numbers(tmp_path: Path) -> None:
    assert stored_dtype(open_checkpoint(MODEL.location)) == "bfloat16"
    assert stored_dtype(open_checkpoint(tiny_model.write_model(tmp_path / "m"))) == "float32"


def test_a_healthy_model_says_the_same_in_its_own_type() -> None:
    folder = Path(MODEL.location)
    assert dtype_problems(tokens(folder), tokens(folder, "bfloat16"), "bfloat16") == []


def overflowing(tmp_path: Path) -> Path:
    sibling = Sibling(stage(tmp_path, "copy", MODEL))
    KIND["half_overflow"].make(sibling)
    assert sibling.model.path is not None
    return sibling.model.path


def test_a_model_that_overflows_in_its_own_type_is_found_and_is_well_in_float32(tmp_path: Path) -> None:
    folder = overflowing(tmp_path)
    assert stored_dtype(open_checkpoint(folder)) == "float16"
    exact = tokens(folder)
    assert dtype_problems(tokens(Path(MODEL.location)), exact, "bfloat16") == [], "in float32 it is as good as before"
    (problem,) = dtype_problems(exact, tokens(folder, "float16"), "float16")
    assert problem.code == "parity.dtype"
    assert "overflow" in problem.text


# -- an adapter --------------------------------------------------------------------------------------------------------

TARGET = "model.layers.1.mlp.down_proj"


def write_adapter(folder: Path, base: Path, size: float) -> Path:
    """A LoRA adapter of rank 2 beside `base`; `size`: how much it changes a matrix, in its spread."""
    from safetensors.torch import save_file

    torch.manual_seed(1)
    folder.mkdir()
    shape = open_checkpoint(base).tensors[f"{TARGET}.weight"].shape
    spread = float(np.std(tiny_weights(base)[f"{TARGET}.weight"]))
    parts = {"lora_A": torch.randn(2, shape[1]), "lora_B": size * spread * torch.randn(shape[0], 2)}
    save_file(
        {f"base_model.model.{TARGET}.{name}.weight": tensor for name, tensor in parts.items()},
        folder / "adapter_model.safetensors",
    )
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "fan_in_fan_out": False}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def tiny_weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def merged(tmp_path: Path, base: Path, adapter: Path, times: float = 1.0) -> Path:
    """The base with `times` the adapter added, in double precision."""
    import shutil

    folder = tmp_path / f"merged-{times}"
    shutil.copytree(base, folder)
    parts = open_adapter(adapter)
    from modelqa.checkpoint import read

    down, up = (read(parts.files, name).astype(np.float64) for name in parts.targets[f"{TARGET}.weight"])
    value = tiny_weights(base)[f"{TARGET}.weight"] + times * parts.scale * (up @ down)
    tiny_model.retensor(folder, **{f"{TARGET}.weight".replace(".", "__"): torch.tensor(value, dtype=torch.float32)})
    return folder


def compared(base: Path, adapter: Path, model: Path) -> list[Any]:
    chat = open_chat(base)
    episode = chat.episode([{"role": "user", "content": "Say apple."}, {"role": "assistant", "content": "apple bread"}])
    episodes = [(list(episode.ids), [0, *[1] * (len(episode.ids) - 1)])]
    apart = adapted_tokens(engine_of(base), chat, episodes, str(adapter), "digest")
    return adapter_problems(apart, best_tokens(engine_of(model), chat, episodes), "float32")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write_model(tmp_path_factory.mktemp("base") / "base")


def test_a_merged_model_prefers_what_base_and_adapter_prefer(tmp_path: Path, base: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", base, size=0.5)
    assert compared(base, adapter, merged(tmp_path, base, adapter)) == []


@pytest.mark.parametrize("times", [0.0, 2.0])
def test_an_adapter_that_was_lost_or_merged_twice_changes_what_is_preferred(
    tmp_path: Path, base: Path, times: float
) -> None:
    adapter = write_adapter(tmp_path / "adapter", base, size=0.5)
    (problem,) = compared(base, adapter, merged(tmp_path, base, adapter, times))
    assert problem.code == "parity.adapter"


def test_equal_tensors_under_another_config_are_found_by_the_outputs_alone(tmp_path: Path, base: Path) -> None:
    """The merge was right, and the export wrote a default of the architecture into config.json."""
    from modelqa.checkpoint import merge_problems

    adapter = write_adapter(tmp_path / "adapter", base, size=0.5)
    model = merged(tmp_path, base, adapter)
    tiny_model.edit(model / "config.json", rope_parameters={"rope_type": "default", "rope_theta": 10.0})
    assert merge_problems(open_checkpoint(model), open_checkpoint(base), open_adapter(adapter)) == []
    (problem,) = compared(base, adapter, model)
    assert problem.code == "parity.adapter"


def test_the_adapter_is_gone_when_the_measurement_is_over(tmp_path: Path, base: Path) -> None:
    engine, before = engine_of(base), engine_of(base).logits([5, 6, 7])
    with engine.adapted(open_adapter(write_adapter(tmp_path / "adapter", base, size=0.5))):
        assert np.abs(engine.logits([5, 6, 7]) - before).max() > 0.1
    np.testing.assert_array_equal(engine.logits([5, 6, 7]), before)


def test_an_adapter_of_another_architecture_is_one_clear_error(tmp_path: Path, base: Path) -> None:
    other = tiny_model.write_model(tmp_path / "other", "gpt2")
    adapter = open_adapter(write_adapter(tmp_path / "adapter", base, size=0.5))
    with pytest.raises(CheckpointError, match="does not have"), engine_of(other).adapted(adapter):
        pass
