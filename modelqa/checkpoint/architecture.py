"""What a config makes of the weights: the fields that decide what is computed, beside those of the parent.

Weights fit many configs: another activation, norm, rotary base or pairing of heads changes no shape, and the checkpoint
loads without a word. Fine-tuning changes none of these fields, so those of the parent are known to be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelqa.checkpoint.opening import Checkpoint

# Fields of the causal language models of transformers that decide what is computed from the same tensors. Left out is
# what saving and fine-tuning change: types, versions, token ids, dropout, caches, and what other gates ask (the size of
# the vocabulary, tied matrices, numbers of layers, sizes that a tensor shows).
COMPUTED_BY = (
    "model_type",
    *("hidden_act", "hidden_activation", "activation_function"),
    *("num_attention_heads", "num_key_value_heads", "n_head", "head_dim"),
    *("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps"),
    *("max_position_embeddings", "n_positions", "rope_parameters", "partial_rotary_factor"),
    *("rotary_pct", "rotary_emb_base", "alibi", "position_embedding_type"),
    *("layer_types", "sliding_window", "use_sliding_window", "max_window_layers"),
    *("use_parallel_residual", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "query_pre_attn_scalar"),
    *("attn_logit_softcapping", "final_logit_softcapping"),
    *("attention_multiplier", "embedding_multiplier", "residual_multiplier", "logits_scaling", "logit_scale"),
    *("num_experts_per_tok", "norm_topk_prob", "routed_scaling_factor"),
)
_TOP_LEVEL = "rope_theta"  # where transformers 4 keeps what is a part of rope_parameters in 5


def same_fields(own: Checkpoint, parent: Checkpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """({"config": the fields of COMPUTED_BY}, the same of the parent): those that both configs name.

    A field that one of them leaves to the default of its transformers is not compared. Rotary positions are read as
    transformers 5 writes them, however they are written.
    """
    mine, theirs = _fields(own.text_config), _fields(parent.text_config)
    shared = [key for key in COMPUTED_BY if key in mine and key in theirs]
    return {"config": {key: mine[key] for key in shared}}, {"config": {key: theirs[key] for key in shared}}


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with numbers in one spelling, and rotary positions in that of transformers 5."""
    found = {key: _number(value) for key, value in config.items()}
    if "rope_parameters" not in found and _TOP_LEVEL in found:
        scaling = found.get("rope_scaling")
        scaling = dict(scaling) if isinstance(scaling, Mapping) else {}
        kind = scaling.pop("type", None) or scaling.get("rope_type") or "default"
        found["rope_parameters"] = {**scaling, "rope_type": kind, _TOP_LEVEL: found[_TOP_LEVEL]}
    return found


def _number(value: Any) -> Any:
    """10000.0 as 10000, within objects too."""
    if isinstance(value, Mapping):
        return {key: _number(entry) for key, entry in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
