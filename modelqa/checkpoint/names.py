"""What architectures call their input embedding and their output matrix, and whether they tie the two by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelqa.checkpoint.header import Stored, TensorInfo
from modelqa.errors import CheckpointError

# the last parts of tensor names, the most specific first
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "tok_embeddings.weight",
              "embeddings.weight", "embedding.weight")  # fmt: skip
HEADS = ("lm_head.weight", "embed_out.weight", "output.weight")

# Causal language models whose transformers config class has tie_word_embeddings=True. Every other class says False or
# nothing, which transformers reads as False. Needed only for configs without the key (transformers before 5 did not
# write a value equal to the default). A test compares this table with transformers.
_TIED = """
bart bert bert-generation big_bird bigbird_pegasus biogpt blenderbot blenderbot-small bloom camembert cohere cohere2
cohere2_moe cohere_compass_text cpmant ctrl data2vec-text electra ernie ernie4_5 ernie4_5_moe falcon falcon_mamba
gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text gemma4 gemma4_assistant gemma4_text gemma4_unified
gemma4_unified_assistant gemma4_unified_text got_ocr2 gpt-sw3 gpt2 gpt_bigcode gpt_neo gpt_neox_japanese granite_swa
jetmoe lfm2 lfm2_moe lfm3 mamba marian mbart megatron-bert minicpm3 modernbert-decoder moss_transcribe_diarize mpt
mvp openai-gpt opt pegasus plbart prophetnet recurrent_gemma roberta roberta-prelayernorm roc_bert roformer smollm3
starcoder2 trocr vaultgemma whisper xglm xlm xlm-roberta xlm-roberta-xl xlnet xmod youtu zamba zamba2 zaya
"""
TIED_BY_DEFAULT = frozenset(_TIED.split())


def tie_flag(config: Mapping[str, Any]) -> bool:
    """Whether the config asks for tied embeddings, as transformers would read it.

    `tie_word_embeddings` of the whole, else of the nested text_config, else the default of the model type.
    """
    nested = config.get("text_config")
    for part in (config, nested if isinstance(nested, dict) else {}):
        if isinstance(part.get("tie_word_embeddings"), bool):
            return bool(part["tie_word_embeddings"])
    return config.get("model_type") in TIED_BY_DEFAULT


def find(checkpoint: Stored, endings: Sequence[str]) -> TensorInfo | None:
    """The matrix whose name is, or ends in, one of `endings`: by their order, then the shortest name."""
    for ending in endings:
        names = [name for name, tensor in checkpoint.tensors.items()
                 if (name == ending or name.endswith(f".{ending}")) and len(tensor.shape) == 2]  # fmt: skip
        if names:
            return checkpoint.tensors[min(names, key=lambda name: (len(name), name))]
    return None


def find_either(checkpoint: Stored) -> tuple[TensorInfo | None, TensorInfo | None]:
    """(embedding, head) as stored, at least one of them; `CheckpointError` when neither has a known name."""
    embedding, head = find(checkpoint, EMBEDDINGS), find(checkpoint, HEADS)
    if embedding is None and head is None:
        raise CheckpointError(
            f"{checkpoint.path} has neither an embedding nor an output matrix under a known name",
            reason=f"known endings are {', '.join((*EMBEDDINGS, *HEADS))}",
            remedy="check that the file holds a whole language model; other names cannot be judged here",
        )
    return embedding, head
