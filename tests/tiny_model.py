"""Tiny random checkpoints, really made by transformers, and safetensors files written by hand to be wrong."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import tiny_chat


def write_model(folder: Path, kind: str = "llama", *, tied: bool = True, seed: int = 0, **changes: Any) -> Path:
    """A checkpoint with tokenizer and random weights: hidden 32, 2 layers, 64 positions. `changes` go to the config."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    tiny_chat.write_checkpoint(folder)
    generation = (folder / "generation_config.json").read_text()
    ids = special_ids(folder)
    shared = {
        "vocab_size": vocabulary_size(folder),
        "initializer_range": 0.5,  # wide, so that random replies differ from prompt to prompt
        "tie_word_embeddings": tied,
        "bos_token_id": None,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|pad|>"],
    }
    torch.manual_seed(seed)
    if kind == "llama":
        sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(**{**sizes, "max_position_embeddings": 64, **shared, **changes}))
    else:
        model = GPT2LMHeadModel(
            GPT2Config(**{"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, **shared, **changes})
        )
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(generation)
    return folder


def special_ids(folder: Path) -> dict[str, int]:
    """{special token: id} of the folder's tokenizer.json."""
    return {entry["content"]: entry["id"] for entry in read(folder / "tokenizer.json")["added_tokens"]}


def vocabulary_size(folder: Path) -> int:
    """One more than the highest id of the folder's tokenizer.json."""
    content = read(folder / "tokenizer.json")
    return 1 + max([*content["model"]["vocab"].values(), *(entry["id"] for entry in content["added_tokens"])])


def read(path: Path) -> dict[str, Any]:
    """A JSON file."""
    value: dict[str, Any] = json.loads(path.read_text())
    return value


def edit(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file; None removes one."""
    content = {**read(path), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def retensor(folder: Path, **changes: Any) -> None:
    """Replace tensors of model.safetensors (dots of names written as two underscores); None removes one."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    for name, tensor in changes.items():
        tensors.pop(name.replace("__", "."), None)
        if tensor is not None:
            tensors[name.replace("__", ".")] = tensor.contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write_raw(path: Path, header: Any, data: bytes = b"", *, length: int | None = None) -> None:
    """A safetensors file from a header (object or JSON text) and data; `length` lies about the header's size."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
