"""The tokenizer of a checkpoint folder, read from tokenizer.json without transformers (and so without torch).

Text that somebody else wrote never becomes a control token: the caller says which pieces are plain, and those are
encoded by a twin of the tokenizer that has no added tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelqa.errors import CheckpointError, DataError, TemplateError
from modelqa.files import read_object, sha256_file
from modelqa.text import half_character

MAX_TOKENIZER_BYTES = 256 << 20  # the largest in common use (a 256k-entry vocabulary) is about 35 MB

Span = tuple[int, int]


@dataclass(frozen=True)
class Encoded:
    """Token ids, and for each the half-open character span of the text that it stands for."""

    ids: tuple[int, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Tokens:
    """A tokenizer: encode, decode, and what its added tokens are. Nothing is truncated, padded or added."""

    path: Path
    config: Mapping[str, Any]

    @cached_property
    def sha256(self) -> str:
        """Hex sha256 of tokenizer.json."""
        return sha256_file(self.path)

    @cached_property
    def _spec(self) -> dict[str, Any]:
        if not self.path.is_file():
            raise CheckpointError(
                f"there is no {self.path}",
                reason="prompts are encoded with tokenizer.json, the format that every library reads",
                remedy="AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes it",
            )
        remedy = "save the tokenizer again with save_pretrained"
        spec = read_object(self.path, limit=MAX_TOKENIZER_BYTES, error=CheckpointError, remedy=remedy)
        if not isinstance(spec.get("model"), dict):
            raise _damaged(self.path, "it has no model")
        # None of these changes an id; a stored truncation would cut rows, and the post-processor trims spans.
        return {**spec, "truncation": None, "padding": None, "post_processor": None}

    @cached_property
    def _tokenizer(self) -> Any:
        return _load(self._spec, self.path)

    @cached_property
    def _plain_tokenizer(self) -> Any:
        return _load({**self._spec, "added_tokens": []}, self.path)

    @cached_property
    def _added(self) -> dict[int, Any]:
        return dict(self._tokenizer.get_added_tokens_decoder())

    @cached_property
    def added(self) -> dict[str, int]:
        """{text: id} of all added tokens, special or not, with the ids that encoding gives."""
        return {token.content: number for number, token in sorted(self._added.items())}

    @cached_property
    def special(self) -> dict[str, int]:
        """{text: id} of the added tokens that are marked special."""
        return {token.content: number for number, token in sorted(self._added.items()) if token.special}

    @cached_property
    def declared(self) -> dict[str, str]:
        """{"bos_token": text, ...}: the named tokens of tokenizer_config.json, as a template sees them."""
        names = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
        found = {}
        for name in names:
            value = self.config.get(name)
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str):
                found[name] = text
        return found

    def read(self) -> None:
        """Read everything now, so that the folder may go away."""
        _ = self.sha256, self._tokenizer, self._plain_tokenizer

    @property
    def size(self) -> int:
        """One more than the largest id."""
        return max(self._tokenizer.get_vocab().values(), default=-1) + 1

    def id_of(self, text: str) -> int | None:
        """The id of one token's exact text, or None."""
        found = self._tokenizer.token_to_id(text)
        return None if found is None else int(found)

    def encode(self, text: str) -> Encoded:
        """`text` as the tokenizer reads it: control tokens in it are control tokens."""
        found = self._tokenizer.encode(_whole(text), add_special_tokens=False)
        return Encoded(tuple(found.ids), tuple(found.offsets))

    def encode_plain(self, text: str) -> tuple[int, ...]:
        """Ids of `text` as plain characters, also where it spells a control token."""
        return tuple(self._plain_tokenizer.encode(_whole(text), add_special_tokens=False).ids)

    def encode_pieces(self, pieces: Iterable[tuple[str, bool]]) -> Encoded:
        """`encode` of (text, plain) pieces that follow each other; raises `TemplateError` if plain text cannot stay so.

        A piece after the first is encoded behind a newline that is removed again, because SentencePiece tokenizers
        put a space in front of a text's start.
        """
        ids: list[int] = []
        spans: list[Span] = []
        offset = 0
        for text, plain in pieces:
            if text:
                found = self._piece(text, plain, first=offset == 0)
                ids += found.ids
                spans += ((start + offset, end + offset) for start, end in found.spans)
            offset += len(text)
        return Encoded(tuple(ids), tuple(spans))

    def _piece(self, text: str, plain: bool, *, first: bool) -> Encoded:
        tokenizer = self._plain_tokenizer if plain else self._tokenizer
        found = tokenizer.encode(_whole(text), add_special_tokens=False)
        ids, spans = found.ids, found.offsets
        newline = tokenizer.encode("\n", add_special_tokens=False).ids
        if not first:
            shifted = tokenizer.encode("\n" + text, add_special_tokens=False)
            if shifted.ids[: len(newline)] == newline:
                ids = shifted.ids[len(newline):]
                spans = [(max(0, a - 1), b - 1) for a, b in shifted.offsets[len(newline):]]
        if plain and set(ids) & set(self.special.values()):
            raise TemplateError(
                f"the tokenizer makes a control token of the plain text {text!r}",
                reason="its vocabulary spells control tokens in ordinary text, so a user could forge a turn",
                remedy="remove that text from the messages",
            )
        return Encoded(tuple(ids), tuple(spans))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`, special tokens kept; an id that the tokenizer does not have shows as <id:N>."""
        parts: list[str] = []
        run: list[int] = []
        for number in ids:
            if number >= 0 and self._tokenizer.id_to_token(number) is not None:
                run.append(number)
                continue
            parts += [self._decode(run), f"<id:{number}>"]
            run = []
        return "".join([*parts, self._decode(run)])

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False)) if ids else ""


def _whole(text: str) -> str:
    """The text itself; `DataError` where it is none that a tokenizer can read."""
    place = half_character(text)
    if place is not None:
        raise DataError(f"the text is not valid Unicode: half a character at place {place}",
                        reason="tokenizers read UTF-8, which cannot say a lone surrogate",
                        remedy="write the text again in UTF-8")  # fmt: skip
    return text


def _load(spec: Mapping[str, Any], path: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(json.dumps(spec))
    except Exception as error:  # tokenizers raises bare Exception, and nothing narrower, for a file it cannot read
        raise _damaged(path, str(error)) from None


def _damaged(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a tokenizer that can be read: {why}",
        reason="the file is damaged or of another kind",
        remedy="save the tokenizer again with save_pretrained",
    )
