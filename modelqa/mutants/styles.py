"""Chat templates in the styles of Llama 3, Gemma, Mistral and Phi, for twins of a model that speaks ChatML.

A twin keeps the ids of the parent's special tokens and gives them other texts. What its style needs beyond them is
added at the end of the vocabulary; each new row starts as that of the token which opens a turn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from modelqa.errors import UsageError
from modelqa.training.tokenizer import CHATML, HEADERS, Family, dressed

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True)
class Style:
    """A template family whose first special tokens take the ids of CHATML's: end of a text, padding, start and end of a
    turn; the others are new.

    ends  tokens at which generation stops: the end of a turn, and in some styles the end of a text too
    """

    family: Family
    ends: tuple[str, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """The tokens that the parent has no row for."""
        return self.family.special[len(CHATML.special) :]


OPENS_A_TURN = 2  # place among CHATML's special tokens: the row that new tokens start from

# A token before and after each role's name, and one at the beginning of the text.
LLAMA = Style(
    Family(
        name="llama",
        special=("<|end_of_text|>", "<|pad|>", "<|start_header_id|>", "<|eot_id|>", "<|begin_of_text|>",
                 "<|end_header_id|>"),
        stop="<|eot_id|>",
        pad="<|pad|>",
        bos="<|begin_of_text|>",
        template=HEADERS.template,
    ),
    ends=("<|eot_id|>", "<|end_of_text|>"),
)  # fmt: skip


# No system role: what the system says stands before what the user says first. The model's role is called model.
GEMMA = Style(
    Family(
        name="gemma",
        special=("<eos>", "<pad>", "<start_of_turn>", "<end_of_turn>", "<bos>"),
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
        special=("<unk>", "<pad>", "[INST]", "</s>", "[/INST]", "<s>"),
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
        special=("<|endoftext|>", "<|placeholder1|>", "<|user|>", "<|end|>", "<|system|>", "<|assistant|>"),
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

STYLES = {style.family.name: style for style in (LLAMA, GEMMA, MISTRAL, PHI)}


def style_named(name: str) -> Style:
    """The style of that name; `UsageError` when there is none."""
    if name not in STYLES:
        raise UsageError(f"there is no style {name!r}", reason=f"styles are {', '.join(STYLES)}",
                         remedy="name one of them")  # fmt: skip
    return STYLES[name]


def retold(parent: PreTrainedTokenizerFast, style: Style) -> PreTrainedTokenizerFast:
    """The parent's tokenizer with the style's special tokens, in the ids of CHATML's and behind all others, and with
    its template. `UsageError` when the parent has other special tokens than CHATML.
    """
    from tokenizers import AddedToken, Tokenizer

    content = json.loads(parent.backend_tokenizer.to_str())
    if [token["content"] for token in content["added_tokens"]] != list(CHATML.special):
        raise UsageError("the parent's special tokens are not those of ChatML",
                         reason="a style's tokens take their ids", remedy="name another parent")  # fmt: skip
    texts = dict(zip(CHATML.special, style.family.special, strict=False))
    tokenizer = Tokenizer.from_str(json.dumps(_renamed(content, texts)))
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in style.added])
    return dressed(tokenizer, style.family)


def grow(model: LlamaForCausalLM, style: Style) -> None:
    """Give the model's embedding a row for each token that the style adds, equal to that of the token which opens a
    turn."""
    import torch

    rows = model.config.vocab_size
    model.resize_token_embeddings(rows + len(style.added), mean_resizing=False)
    table = cast("torch.Tensor", model.get_input_embeddings().weight)
    with torch.no_grad():
        table[rows:] = table[OPENS_A_TURN]


def _renamed(content: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """tokenizer.json with other texts for some tokens, in the same places."""
    added = [{**token, "content": texts[token["content"]]} for token in content["added_tokens"]]
    vocabulary = {texts.get(token, token): number for token, number in content["model"]["vocab"].items()}
    return {**content, "added_tokens": added, "model": {**content["model"], "vocab": vocabulary}}
