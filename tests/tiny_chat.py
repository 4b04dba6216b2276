"""Tiny tokenizers and chat templates in the styles of common model families, written into a folder as a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

CHATML = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "<|im_start|>assistant\n{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}{{ '\n' }}"
    "{% else %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHATML_BARE = CHATML.replace("{% generation %}", "").replace("{% endgeneration %}", "")
CHATML_NO_STOP = CHATML.replace("<|im_end|>{% endgeneration %}", "{% endgeneration %}<|im_end|>")
CHATML_HEADER = CHATML.replace("<|im_start|>assistant\n{% generation %}", "{% generation %}<|im_start|>assistant\n")
LLAMA3 = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>'"
    " }}{%- endfor %}{%- if add_generation_prompt %}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{{ ' ' + message['content'] + eos_token }}{% else %}{{ raise_exception('Only user and assistant') }}"
    "{% endif %}{% endfor %}"
)
PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)

# name: (template, special tokens, bos, eos, tokenizer kind)
STYLES: dict[str, tuple[str, tuple[str, ...], str | None, str, str]] = {
    "chatml": (CHATML, ("<|pad|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>", "bytes"),
    "chatml_bare": (CHATML_BARE, ("<|pad|>", "<|im_start|>", "<|im_end|>"), None, "<|im_end|>", "bytes"),
    "llama3": (LLAMA3, ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
               "<|begin_of_text|>", "<|eot_id|>", "bytes"),
    "gemma": (GEMMA, ("<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), "<bos>", "<end_of_turn>",
              "words"),
    "mistral": (MISTRAL, ("<s>", "</s>", "[INST]", "[/INST]"), "<s>", "</s>", "words"),
}

SENTENCES = [
    "Be brief and exact.", "Repeat after me: cat dog tree house", "What is two plus two? Four.",
    "system user assistant", "The capital of France is Paris.", "Sag nur das Wort Haus, bitte.",
    "User: hello there\nAssistant: hello",
    "Say exactly: blue river seven", "model role content Instruction Response",
] * 4


def write_tokenizer(folder: Path, *, special: tuple[str, ...], kind: str = "bytes") -> None:
    """Train a small BPE tokenizer ("bytes": as GPT-2; "words": SentencePiece-like) into folder/tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    folder.mkdir(parents=True, exist_ok=True)
    if kind == "bytes":
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
        alphabet, special = list("abcdefghijklmnopqrstuvwxyz\n0123456789<>|_[]/"), (*special, "<unk>")
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=list(special), initial_alphabet=alphabet,
                                  show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))


def write_checkpoint(folder: Path, style: str = "chatml", *, template: str | None = None) -> Path:
    """A folder with tokenizer.json, tokenizer_config.json, chat_template.jinja and generation_config.json."""
    own, special, bos, eos, kind = STYLES[style]
    write_tokenizer(folder, special=special, kind=kind)
    spec = json.loads((folder / "tokenizer.json").read_text())
    ids = {entry["content"]: entry["id"] for entry in spec["added_tokens"]}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": eos, "pad_token": special[0],
              "clean_up_tokenization_spaces": False}
    if bos:
        config["bos_token"] = bos
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(template if template is not None else own)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids[eos]}))
    return folder
