"""Healthy twins: the same model written another way. Every gate must pass them; a naive gate would not.

Each transform keeps what the model computes, exactly or up to the order of a sum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modelqa.checkpoint import read
from modelqa.checkpoint.names import find_either, tie_flag
from modelqa.files import read_json
from modelqa.mutants.chat_files import folder, rewrite_tokenizer, set_json, write_template
from modelqa.mutants.kind import Damage, Kind, NotApplicable, Sibling
from modelqa.mutants.places import HEAD, embedding, layers, set_config, untied
from modelqa.mutants.tensors import put, rewrite, shard, store

PADDING = 64  # rows: vocabularies are padded to multiples of it, for the speed of matrix products


def _sharded(sibling: Sibling) -> None:
    if len({tensor.file for tensor in sibling.checkpoint.tensors.values()}) > 1:
        raise NotApplicable("its weights are sharded already")
    shard(sibling.checkpoint)


def _float32(sibling: Sibling) -> None:
    checkpoint = sibling.checkpoint
    if not {tensor.dtype for tensor in checkpoint.tensors.values()} <= {"BF16", "F16"}:
        raise NotApplicable("it is not stored in 16 bits")
    rewrite(checkpoint, {name: store(read(checkpoint, name), "F32") for name in checkpoint.tensors})
    set_config(sibling, dtype="float32")


def _stored_twice(sibling: Sibling) -> None:
    found, head = find_either(sibling.checkpoint)
    if head is not None or found is None or not tie_flag(sibling.checkpoint.config):
        raise NotApplicable("its embeddings are not tied")
    put(sibling.checkpoint, {HEAD: read(sibling.checkpoint, found.name)})


def _untied_on_purpose(sibling: Sibling) -> None:
    if not tie_flag(sibling.checkpoint.config):
        raise NotApplicable("its embeddings are not tied")
    untied(sibling)


def _padded_vocabulary(sibling: Sibling) -> None:
    checkpoint = sibling.checkpoint
    _, head = find_either(checkpoint)
    for tensor in {embedding(checkpoint), head or embedding(checkpoint)}:
        values = read(checkpoint, tensor.name)
        put(checkpoint, {tensor.name: np.pad(values, ((0, PADDING), (0, 0)))})
    set_config(sibling, vocab_size=embedding(sibling.checkpoint).shape[0])


def _reserved_token(sibling: Sibling) -> None:
    """A reserved token that nobody uses yet, in a padded row."""
    number = embedding(sibling.checkpoint).shape[0]
    _padded_vocabulary(sibling)
    token = {"id": number, "content": "<|reserved_0|>", "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}  # fmt: skip
    rewrite_tokenizer(sibling, lambda content: content["added_tokens"].append(token))


def _several_stops(sibling: Sibling) -> None:
    """A second stop token that the model never writes, as chat models list one for tools."""
    others = sorted(set(sibling.chat.special_tokens.values()) - set(sibling.chat.stop_ids))
    if not others:
        raise NotApplicable("it has no special token but its stop tokens")
    set_json(folder(sibling) / "generation_config.json", eos_token_id=[*sibling.chat.stop_ids, others[0]])


def _sampling_defaults(sibling: Sibling) -> None:
    """Advice for those who chat with it; gates decode greedily whatever it says."""
    set_json(folder(sibling) / "generation_config.json", do_sample=True, temperature=0.6, top_p=0.9)


def _template_moved(sibling: Sibling) -> None:
    path = folder(sibling) / "chat_template.jinja"
    if not path.is_file():
        raise NotApplicable("its template is no file of its own")
    set_json(folder(sibling) / "tokenizer_config.json", chat_template=sibling.chat.template)
    path.unlink()


def _template_reworded(sibling: Sibling) -> None:
    write_template(sibling, "{#- the same conversation, the same text -#}" + sibling.chat.template)


def _older_config(sibling: Sibling) -> None:
    """The key of the dtype as transformers before 5 wrote it."""
    config = read_json(folder(sibling) / "config.json")
    if "dtype" not in config:
        raise NotApplicable("its config names no dtype")
    set_json(folder(sibling) / "config.json", torch_dtype=config["dtype"], dtype=None, transformers_version="4.57.1")


def _of_layer(sibling: Sibling, *endings: str) -> list[list[str]]:
    """The tensors of these endings, layer by layer; `NotApplicable` where an architecture has other names."""
    found = []
    for names in layers(sibling.checkpoint).values():
        mine = [next((name for name in names if name.endswith(ending)), "") for ending in endings]
        if not all(mine):
            raise NotApplicable("its layers have other names than Llama's")
        found.append(mine)
    return found


def _neurons_permuted(sibling: Sibling) -> None:
    """The hidden units of each MLP in another order: every output is the same sum in another order."""
    checkpoint = sibling.checkpoint
    rng = np.random.default_rng(sibling.seed)
    for gate, up, down in _of_layer(sibling, "mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight"):
        order = rng.permutation(checkpoint.tensors[gate].shape[0])
        put(sibling.checkpoint, {gate: read(checkpoint, gate)[order], up: read(checkpoint, up)[order],
                                 down: read(checkpoint, down)[:, order]})  # fmt: skip
        checkpoint = sibling.checkpoint


def _rescaled(sibling: Sibling) -> None:
    """Norm weights doubled, the matrices behind them halved: exact in binary floating point."""
    attention = ("self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight")
    before = {"input_layernorm.weight": attention,
              "post_attention_layernorm.weight": ("mlp.gate_proj.weight", "mlp.up_proj.weight")}  # fmt: skip
    checkpoint = sibling.checkpoint
    changed = {}
    for norm, behind in before.items():
        for first, *rest in _of_layer(sibling, norm, *behind):
            changed[first] = read(checkpoint, first) * np.float32(2)
            changed |= {name: read(checkpoint, name) * np.float32(0.5) for name in rest}
    put(checkpoint, changed)


def _twin(name: str, story: str, change: Callable[[Sibling], None]) -> Kind:
    def make(sibling: Sibling) -> Damage:
        change(sibling)
        return sibling.damaged("")

    return Kind(name, "twin", story, (), (), make)


TWINS = (
    _twin("sharded", "the weights lie in two shards with an index", _sharded),
    _twin("float32", "the same numbers in 32 bits, and the config says so", _float32),
    _twin("stored_twice", "both tied matrices are stored, and they are equal", _stored_twice),
    _twin("untied_on_purpose", "the output matrix is stored apart, equal so far, and the config says so",
          _untied_on_purpose),
    _twin("padded_vocabulary", "the embedding has 64 more rows than the tokenizer has ids", _padded_vocabulary),
    _twin("reserved_token", "the tokenizer has a reserved token that nobody uses yet", _reserved_token),
    _twin("several_stops", "generation stops at two tokens", _several_stops),
    _twin("sampling_defaults", "generation_config.json advises to sample", _sampling_defaults),
    _twin("template_moved", "the chat template stands in tokenizer_config.json", _template_moved),
    _twin("template_reworded", "the chat template is another text that writes the same", _template_reworded),
    _twin("older_config", "config.json is as transformers 4 wrote it", _older_config),
    _twin("neurons_permuted", "the hidden units of each MLP stand in another order", _neurons_permuted),
    _twin("rescaled", "norms are twice as large, and the matrices behind them half as large", _rescaled),
)  # fmt: skip
