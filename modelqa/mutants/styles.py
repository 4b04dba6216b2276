"""Chat templates in the styles of Gemma, Mistral and Phi, for twins of a model that has Llama 3's.

A twin keeps the ids of the parent's special tokens and gives them other texts, so that every embedding row was trained
as something; what the row stands for now is learnt from the twin's own rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelqa.errors import UsageError
from modelqa.training.tokenizer import HEADERS, Family, dressed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


@dataclass(frozen=True)
class Style:
    """A template family whose special tokens take the ids of HEADERS' in this order.

    ends  tokens at which generation stops: the end of a turn, and in some styles the end of a text too
    """

    family: Family
    ends: tuple[str, ...]


# No system role: what the system says stands before what the user says first. The model's role is called model.
GEMMA = Style(
    Family(
        name="gemma",
        special=("<eos>", "<pad>", "<bos>", "<start_of_turn>", "<unused0>", "<end_of_turn>"),
        stop="<end_of_turn>",
        pad="<pad>",
        bos="<bos>",
        template=(
            "{{- '<bos>' -}}\n"
            "{%- set ns = namespace(before='') -%}\n"
            "{%- for message in messages -%}\n"
            "    {%- if message['role'] == 'system' -%}\n"
            "        {%- set ns.before = message['content'] + '\\n\\n' -%}\n"
            "    {%- elif message['role'] == 'assistant' -%}\n"
            "        {{- '<start_of_turn>model\\n' -}}\n"
            "        {%- generation -%}{{- message['content'] + '<end_of_turn>' -}}{%- endgeneration -%}\n"
            "        {{- '\\n' -}}\n"
            "    {%- else -%}\n"
            "        {{- '<start_of_turn>user\\n' + ns.before + message['content'] + '<end_of_turn>\\n' -}}\n"
            "        {%- set ns.before = '' -%}\n"
            "    {%- endif -%}\n"
            "{%- endfor -%}\n"
            "{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}\n"
        ),
    ),
    ends=("<end_of_turn>", "<eos>"),
)

# No line breaks and no tag before an answer; an answer begins with a space and ends with the end of the text.
MISTRAL = Style(
    Family(
        name="mistral",
        special=("<unk>", "<pad>", "<s>", "[INST]", "[/INST]", "</s>"),
        stop="</s>",
        pad="<pad>",
        bos="<s>",
        template=(
            "{{- '<s>' -}}\n"
            "{%- set ns = namespace(before='') -%}\n"
            "{%- for message in messages -%}\n"
            "    {%- if message['role'] == 'system' -%}\n"
            "        {%- set ns.before = message['content'] + '\\n\\n' -%}\n"
            "    {%- elif message['role'] == 'assistant' -%}\n"
            "        {%- generation -%}{{- ' ' + message['content'] + '</s>' -}}{%- endgeneration -%}\n"
            "    {%- else -%}\n"
            "        {{- '[INST] ' + ns.before + message['content'] + ' [/INST]' -}}\n"
            "        {%- set ns.before = '' -%}\n"
            "    {%- endif -%}\n"
            "{%- endfor -%}\n"
        ),
    ),
    ends=("</s>",),
)

# No beginning-of-sequence token; each role has a token of its own, and what ends a turn is not what ends a text.
PHI = Style(
    Family(
        name="phi",
        special=("<|endoftext|>", "<|placeholder1|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        stop="<|end|>",
        pad="<|placeholder1|>",
        bos=None,
        template=(
            "{%- for message in messages -%}\n"
            "    {{- '<|' + message['role'] + '|>\\n' -}}\n"
            "    {%- if message['role'] == 'assistant' -%}\n"
            "        {%- generation -%}{{- message['content'] + '<|end|>' -}}{%- endgeneration -%}\n"
            "    {%- else -%}\n"
            "        {{- message['content'] + '<|end|>' -}}\n"
            "    {%- endif -%}\n"
            "    {{- '\\n' -}}\n"
            "{%- endfor -%}\n"
            "{%- if add_generation_prompt -%}{{- '<|assistant|>\\n' -}}{%- endif -%}\n"
        ),
    ),
    ends=("<|end|>", "<|endoftext|>"),
)

STYLES = {style.family.name: style for style in (GEMMA, MISTRAL, PHI)}


def style_named(name: str) -> Style:
    """The style of that name; `UsageError` when there is none."""
    if name not in STYLES:
        raise UsageError(f"there is no style {name!r}", reason=f"styles are {', '.join(STYLES)}",
                         remedy="name one of them")  # fmt: skip
    return STYLES[name]


def retold(parent: PreTrainedTokenizerFast, style: Style) -> PreTrainedTokenizerFast:
    """The parent's tokenizer with the style's special tokens under the ids of HEADERS', and with its template.

    `UsageError` when the parent has other special tokens than HEADERS.
    """
    from tokenizers import Tokenizer

    content = json.loads(parent.backend_tokenizer.to_str())
    if [token["content"] for token in content["added_tokens"]] != list(HEADERS.special):
        raise UsageError("the parent's special tokens are not those of Llama 3's headers",
                         reason="a style's tokens take their ids", remedy="name another parent")  # fmt: skip
    texts = dict(zip(HEADERS.special, style.family.special, strict=True))
    return dressed(Tokenizer.from_str(json.dumps(_renamed(content, texts))), style.family)


def _renamed(content: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """tokenizer.json with other texts for some tokens, in the same places."""
    added = [{**token, "content": texts[token["content"]]} for token in content["added_tokens"]]
    vocabulary = {texts.get(token, token): number for token, number in content["model"]["vocab"].items()}
    return {**content, "added_tokens": added, "model": {**content["model"], "vocab": vocabulary}}
