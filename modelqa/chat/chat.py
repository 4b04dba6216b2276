"""Chat: messages -> the exact ids that a model is asked, and the loss mask of a training row.

The only renderer of evaluation prompts and of data that modelqa prepares. The ids are those of transformers'
apply_chat_template, with one difference on purpose: text inside a message never becomes a control token (one that is
marked special, or that the template itself writes around turns). Other added tokens, such as <think>, stay tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.chat.episode import Episode, check_messages
from modelqa.chat.marks import Rendered, marked, unmarked, unused_marks
from modelqa.chat.template import Message, Renderer
from modelqa.chat.tokens import Encoded, Tokens
from modelqa.errors import TemplateError
from modelqa.files import sha256_text
from modelqa.record import Problem
from modelqa.reply import Prompt

_PROBE = "zqprobe"  # a word that no template writes itself


@dataclass(frozen=True)
class Chat:
    """How one checkpoint is talked to: its template, its tokenizer and its stop tokens.

    stop_ids  what generation really stops at: generation_config.json's eos_token_id (config.json's where there is no
              generation_config.json) and the tokenizer's eos token
    """

    path: Path
    tokens: Tokens
    template: str
    stop_ids: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    renderer: Renderer = field(repr=False, compare=False, kw_only=True)

    @property
    def template_sha256(self) -> str:
        """Hex sha256 of the template's text."""
        return sha256_text(self.template)

    @property
    def tokenizer_sha256(self) -> str:
        """Hex sha256 of tokenizer.json."""
        return self.tokens.sha256

    @property
    def special_tokens(self) -> dict[str, int]:
        """{text: id} of the tokens that are marked special."""
        return self.tokens.special

    def _named_id(self, name: str) -> int | None:
        text = self.tokens.declared.get(name)
        return None if text is None else self.tokens.id_of(text)

    @property
    def bos_id(self) -> int | None:
        """The tokenizer's beginning-of-sequence id."""
        return self._named_id("bos_token")

    @property
    def eos_id(self) -> int | None:
        """The tokenizer's end-of-sequence id."""
        return self._named_id("eos_token")

    @property
    def pad_id(self) -> int | None:
        """The tokenizer's padding id."""
        return self._named_id("pad_token")

    @property
    def has_generation_markers(self) -> bool:
        """Whether the template marks what the model writes with {% generation %}."""
        return re.search(r"\{%-?\s*generation\s*-?%\}", self.template) is not None

    @property
    def uses_clock(self) -> bool:
        """Whether the template may write today's date, so that its prompts change from day to day."""
        return "strftime_now" in self.template

    @cached_property
    def turn_end(self) -> str:
        """The text that the template writes after an assistant's answer, up to its first control token; "" if none."""
        text = self._text([{"role": "user", "content": "a"}, {"role": "assistant", "content": _PROBE}])
        if _PROBE not in text:
            raise TemplateError(
                "the chat template does not write what the assistant said",
                reason="an answer in a conversation is missing from the rendered text, so it cannot be trained on",
                remedy="mend the template: it must write the content of messages with the role assistant",
            )
        tail = text[text.rfind(_PROBE) + len(_PROBE):]
        found = self.tokens.encode(tail)
        added = set(self.tokens.added.values())
        end = next((end for number, (_, end) in zip(found.ids, found.spans, strict=True) if number in added), 0)
        return tail[:end]

    @cached_property
    def turn_end_id(self) -> int | None:
        """The token that the template writes after an assistant's answer; None when it writes none."""
        ids = self.tokens.encode(self.turn_end).ids if self.turn_end else ()
        return ids[-1] if ids else None

    @cached_property
    def written_tokens(self) -> dict[str, int]:
        """{text: id} of the added tokens that the template writes around one exchange."""
        text = self._text([{"role": "user", "content": "a"}, {"role": "assistant", "content": _PROBE}])
        written = set(self.tokens.encode(text).ids)
        return {token: number for token, number in self.tokens.added.items() if number in written}

    @cached_property
    def control_tokens(self) -> frozenset[str]:
        """Texts that never count as tokens inside a message: special tokens, and those the template writes itself."""
        turn = self._text([{"role": "user", "content": "a"}]) + self.turn_end
        written = set(self.tokens.encode(turn).ids)
        return frozenset(
            {*self.tokens.special, *(text for text, number in self.tokens.added.items() if number in written)}
        )

    @cached_property
    def _control_pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.control_tokens, key=lambda text: (-len(text), text))
        return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def _text(self, messages: Sequence[Message]) -> str:
        return self._render(messages, add_generation_prompt=False, marks=("", ""))

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool, marks: tuple[str, str]) -> str:
        variables = {"messages": list(messages), "tools": None, "documents": None,
                     "add_generation_prompt": add_generation_prompt, **self.tokens.declared, **self.options}
        return self.renderer.render(variables, marks=marks)

    def rendered(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> Rendered:
        """The template's text for `messages` and its plain and generated spans.

        Raises `DataError` for a row that is no list of messages, `TemplateError` when the template does not render it.
        """
        check_messages(messages)
        marks = unused_marks(self.template, messages)
        messages = [marked(message, self._control_pattern, marks[2], marks[3]) for message in messages]
        text = self._render(messages, add_generation_prompt=add_generation_prompt, marks=(marks[0], marks[1]))
        return unmarked(text, marks, self._control_pattern)

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> Prompt:
        """The ids that the model is asked; no token is added to what the template writes."""
        found = self.rendered(messages, add_generation_prompt=add_generation_prompt)
        return Prompt(self.tokens.encode_pieces(found.pieces()).ids, found.text)

    def episode(self, messages: Sequence[Message]) -> Episode:
        """The training row of a whole conversation; its mask comes from the markers, without them from the oracle."""
        from modelqa.chat.mask import mask_of, oracle_spans

        found = self.rendered(messages, add_generation_prompt=False)
        encoded = self.tokens.encode_pieces(found.pieces())
        spans = found.generated if self.has_generation_markers else oracle_spans(self, messages, found.text)
        return Episode(encoded.ids, mask_of(encoded, spans), found.text)

    encode_episode = episode

    def encoded(self, messages: Sequence[Message]) -> tuple[Encoded, Rendered]:
        """What `episode` starts from: ids with character spans, and the rendered text with its marks."""
        found = self.rendered(messages, add_generation_prompt=False)
        return self.tokens.encode_pieces(found.pieces()), found

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids` with special tokens kept."""
        return self.tokens.decode(ids)

    def reply_text(self, ids: Sequence[int]) -> str:
        """The answer: text before the first stop token, surrounding whitespace removed, other special tokens kept."""
        stop = next((at for at, number in enumerate(ids) if number in self.stop_ids), len(ids))
        return self.decode(ids[:stop]).strip()

    def stop_problems(self) -> list[Problem]:
        """Why generation would not end where training ended an answer; empty when it does."""
        from modelqa.chat.mask import stop_problems

        return stop_problems(self)

    def mask_problems(self, messages: Sequence[Message]) -> list[Problem]:
        """What is wrong with the loss mask of one conversation, by two independent ways of finding it."""
        from modelqa.chat.mask import mask_problems

        return mask_problems(self, messages)

    def alternatives(self) -> dict[str, Callable[[Sequence[Message]], Episode]]:
        """Other common prompt formats by name; the answer is what the mask covers, without a stop token."""
        from modelqa.chat.formats import alternatives

        return alternatives(self)
