"""The fixtures' tokenizers: a small byte-level BPE whose pieces never cross a word border, with chat special tokens.

Letters run together, and every digit, punctuation mark and space stands alone: a word has the same ids wherever it
stands, so that copying it is pure induction. Two template families, so that nothing is only ever tested on one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelqa.errors import UsageError
from modelqa.files import write_json, write_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

WORD_PIECES = r"\p{L}+|\p{N}|\s|[^\p{L}\p{N}\s]"
DOCUMENT_END = "<|endoftext|>"
MAX_LENGTH = 512  # tokens; the position limit of the fixture models


@dataclass(frozen=True)
class Family:
    """A chat template with the special tokens that it uses; `stop` ends an assistant turn."""

    name: str
    special: tuple[str, ...]
    stop: str
    pad: str
    bos: str | None
    template: str


CHATML = Family(
    name="chatml",
    special=(DOCUMENT_END, "<|pad|>", "<|im_start|>", "<|im_end|>"),
    stop="<|im_end|>",
    pad="<|pad|>",
    bos=None,
    template=(
        "{%- for message in messages -%}\n"
        "    {{- '<|im_start|>' + message['role'] + '\\n' -}}\n"
        "    {%- if message['role'] == 'assistant' -%}\n"
        "        {%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}\n"
        "    {%- else -%}\n"
        "        {{- message['content'] + '<|im_end|>' -}}\n"
        "    {%- endif -%}\n"
        "    {{- '\\n' -}}\n"
        "{%- endfor -%}\n"
        "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}\n"
    ),
)

HEADERS = Family(
    name="headers",
    special=(DOCUMENT_END, "<|pad|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    stop="<|eot_id|>",
    pad="<|pad|>",
    bos="<|begin_of_text|>",
    template=(
        "{{- '<|begin_of_text|>' -}}\n"
        "{%- for message in messages -%}\n"
        "    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' -}}\n"
        "    {%- if message['role'] == 'assistant' -%}\n"
        "        {%- generation -%}{{- message['content'] + '<|eot_id|>' -}}{%- endgeneration -%}\n"
        "    {%- else -%}\n"
        "        {{- message['content'] + '<|eot_id|>' -}}\n"
        "    {%- endif -%}\n"
        "{%- endfor -%}\n"
        "{%- if add_generation_prompt -%}\n"
        "    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}\n"
        "{%- endif -%}\n"
    ),
)

FAMILIES = {family.name: family for family in (CHATML, HEADERS)}


def family_named(name: str) -> Family:
    """The template family of that name; `UsageError` when there is none."""
    if name not in FAMILIES:
        raise UsageError(
            f"there is no template family {name!r}",
            reason="a recipe names one of " + ", ".join(FAMILIES),
            remedy="correct `template` in the recipe",
        )
    return FAMILIES[name]


def train_tokenizer(texts: Iterable[str], family: Family, *, vocab_size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of exactly `vocab_size` entries (special tokens first), learnt from `texts`.

    The same texts in the same order give the same tokenizer. No text is normalised: what is asked is what is encoded.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(family.special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return dressed(tokenizer, family)


def dressed(tokenizer: Tokenizer, family: Family) -> PreTrainedTokenizerFast:
    """A tokenizer that holds the family's special tokens, with their roles and the family's template."""
    from transformers import PreTrainedTokenizerFast

    named = {"eos_token": family.stop, "pad_token": family.pad} | ({"bos_token": family.bos} if family.bos else {})
    others = [token for token in family.special if token not in named.values()]
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        additional_special_tokens=others,
        clean_up_tokenization_spaces=False,
        model_max_length=MAX_LENGTH,
        **named,
    )
    fast.chat_template = family.template
    return fast


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path, *, end: str | None = None) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja, readable by transformers 4.57 and 5.

    `end` is the end-of-sequence token of the model that it is saved with; the tokenizer's own when None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "tokenizer.json", tokenizer.backend_tokenizer.to_str(pretty=False) + "\n")
    write_text(folder / "chat_template.jinja", tokenizer.chat_template)
    roles = {name: getattr(tokenizer, name) for name in ("bos_token", "eos_token", "pad_token")}
    special = {name: value for name, value in {**roles, "eos_token": end or roles["eos_token"]}.items() if value}
    named = set(special.values())
    others = [token for token in tokenizer.all_special_tokens if token not in named]
    config = {
        **special,
        "additional_special_tokens": others,
        "clean_up_tokenization_spaces": False,
        "model_max_length": tokenizer.model_max_length,
        "padding_side": "left",
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    write_json(folder / "tokenizer_config.json", config)


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that `save_tokenizer` wrote."""
    from transformers import AutoTokenizer

    return cast("PreTrainedTokenizerFast", AutoTokenizer.from_pretrained(str(folder)))
