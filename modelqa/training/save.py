"""A trained stage as a checkpoint folder: bf16 weights, configs, tokenizer, trainer log and where it all came from."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelqa.files import canonical_json, sha256_file, sha256_text, write_bytes, write_json
from modelqa.training.tokenizer import DOCUMENT_END, save_tokenizer

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.trainer_callback import TrainerState

WEIGHTS = "model.safetensors"
PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "accelerate")


def save_checkpoint(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path, *, chat: bool) -> None:
    """Write weights in bfloat16 (tied matrices once), config.json, generation_config.json and the tokenizer.

    `chat` says what generation stops at: the template's end of turn, or for a base model the end of a document.
    """
    import torch
    from safetensors.torch import save

    end = str(tokenizer.eos_token) if chat else DOCUMENT_END
    stop = tokenizer.convert_tokens_to_ids(end)
    tensors = {
        name: value.detach().to(torch.bfloat16).contiguous()
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    write_bytes(folder / WEIGHTS, save(tensors, metadata={"format": "pt"}))
    config = model.config.to_diff_dict()
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": stop, "pad_token_id": tokenizer.pad_token_id}
    config |= {"architectures": ["LlamaForCausalLM"], "dtype": "bfloat16", "use_cache": True, **ids}
    write_json(folder / "config.json", config)
    known = {name: value for name, value in ids.items() if value is not None}
    write_json(folder / "generation_config.json", {"do_sample": False, "max_new_tokens": 64, **known})
    save_tokenizer(tokenizer, folder, end=end)


def save_log(state: TrainerState, folder: Path) -> None:
    """Write the Trainer's own state as trainer_state.json."""
    from dataclasses import asdict

    write_json(folder / "trainer_state.json", asdict(state))


def save_provenance(folder: Path, *, name: str, recipe: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write recipe.json: the recipe and its sha256, the facts of the run and the versions it ran with.

    Nothing that differs between two runs of one recipe on one machine is in it: no times, no paths.
    """
    versions = {package: version(package) for package in PACKAGES} | {"python": platform.python_version()}
    value = {
        "schema": 1,
        "name": name,
        "recipe": dict(recipe),
        "recipe_sha256": sha256_text(canonical_json(recipe)),
        "weights_sha256": sha256_file(folder / WEIGHTS),
        "versions": versions,
        **facts,
    }
    write_json(folder / "recipe.json", value)


def load_model(folder: Path) -> LlamaForCausalLM:
    """The model of a checkpoint folder in float32, on the CPU."""
    import torch
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
