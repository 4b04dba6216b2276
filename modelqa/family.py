"""Families: which prompts are one template with another payload, computed from the text and never from a label.

Also the normal form that overlap checks compare, and the one rule that says where a payload may be used.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

from modelqa.likeness import PAYLOAD, SAME_FAMILY, families, overlapping, similarity

__all__ = [
    "NUMBER",
    "PAYLOAD",
    "SAME_FAMILY",
    "begins_with_tag",
    "families",
    "normalise",
    "overlapping",
    "payload_split",
    "signature",
    "similarity",
    "split_bucket",
]

NUMBER = "{N}"
SHORT = 100  # characters of a text whose normal form is remembered: "Yes." stands in thousands of rows
COMPARED_WORDS = 400  # of prompt and answer, when no payload is declared: a template says what it wants early

# scripts written without spaces: every character is a word, or a payload inside a sentence would not be found
_CHARACTER_WORD = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_CHARACTER_WORD}]|[^\s'{_CHARACTER_WORD}]+(?:'[^\s'{_CHARACTER_WORD}]+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_ARITHMETIC = re.compile(r"(?<=\d)\s*([-+*/=\u2212\u00d7\u00f7])\s*(?=\d)")
_TAG = re.compile(
    r"\s*(?:\[\s*[^\s\[\]]{1,40}\s*\]"  # [P26_AE]
    r"|</?[^\s<>]{1,40}>"  # <task>
    r"|\(\s*[a-z]*[\d_][^\s()]{0,40}\)"  # (A1)
    r"|[a-z]*[\d_][\w-]{0,30}\s*:(?=\s))"  # case_7:
)
_OPENING = "\"'`|*_[({<\u201c\u201e\u2018\u201a\u00ab\u00bb\u3008\u300c"
_CLOSING = "\"'`|*_])}>\u201d\u201c\u2019\u2018\u00bb\u00ab\u3009\u300d"
_CLOSES = dict(zip(_OPENING, _CLOSING, strict=True))

# words that say nothing about which text is meant; a run of them alone is not a payload
_FUNCTION_WORD_LIST = """
a an and are as at be by do does for from i in is it its me my no not of on or please so that the this to was what which
who will with yes you your aber als am auf aus bei bitte das dem den der des die ein eine einen es für ich im ist ja mit
nein nicht oder sie und von wie wir zu
"""
# words of which templates are made; a payload that is one of them is masked once, elsewhere it is the template's
_TEMPLATE_WORD_LIST = """
answer back brackets copy echo exactly extract following give just mean means message only out output phrase print put
quote quotes real repeat reply respond return say sentence send tell text type word words wrap write antworte ausgeben
gib genau klammern kopiere nur sag sage satz schreib schreibe wiederhole wort wörter zurück
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())
_TEMPLATE_WORDS = _FUNCTION_WORDS | frozenset(_TEMPLATE_WORD_LIST.split())


class _Table(dict[int, int | None]):
    """A table for `str.translate` that asks `rule` once for each character that occurs."""

    def __init__(self, rule: Callable[[str], str | None]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> int | None:
        character = self._rule(chr(code))
        self[code] = found = None if character is None else ord(character)
        return found


def _plain(character: str) -> str | None:
    return "'" if character == "\u2019" else None if unicodedata.category(character) == "Cf" else character


def _kept(character: str) -> str:
    kind = unicodedata.category(character)
    return character if character == "'" or kind[0] in "LMN" or kind == "So" else " "


_PLAIN = _Table(_plain)
_KEPT = _Table(_kept)


def _shape(text: str) -> str:
    """NFKC and case folding, zero-width characters gone, typographic apostrophes plain."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_PLAIN)


def _blank(text: str) -> str:
    """The text with everything that is not a letter, mark, number, emoji or inner apostrophe turned into a space.

    Same length, so that the words' positions are positions in `text`.
    """
    return text.translate(_KEPT)


def _words(text: str) -> list[tuple[str, int, int]]:
    """(word, start, end) of each word of a shaped text; an arithmetic sign between two numbers is a word."""
    blank = _blank(text)
    found = [(match[0].replace("'", ""), match.start(), match.end()) for match in _WORD.finditer(blank)]
    signs = [(match[1], match.start(1), match.end(1)) for match in _ARITHMETIC.finditer(text)]
    return sorted(found + signs, key=lambda word: word[1]) if signs else found


def normalise(text: str) -> str:
    """The text in NFKC and folded case, punctuation removed and whitespace collapsed.

    Two texts with one normal form are the same question or payload. A sign between two numbers stays ("5 - 3" is
    not "5 + 3"), and so do emoji.
    """
    return _remembered(text) if len(text) <= SHORT else _normal_form(text)


@lru_cache(maxsize=1 << 16)
def _remembered(text: str) -> str:
    return _normal_form(text)


def _normal_form(text: str) -> str:
    if text.isascii() and text.replace(" ", "").isalpha():  # most payloads
        return " ".join(text.lower().split())
    shaped = _shape(text)
    if shaped.isascii() and "'" not in shaped and not _ARITHMETIC.search(shaped):
        return " ".join(_blank(shaped).split())  # the same words; their places are not needed here
    return " ".join(word for word, _, _ in _words(shaped))


def signature(user: str, *, payload: str | None = None, answer: str | None = None) -> str:
    """The template of a prompt: payload `{P}`, numbers `{N}`, no case, punctuation, delimiters or leading tags.

    Without a payload, the longest run of words that prompt and answer share (one content word at least) is masked.
    A payload that is also a word of the template is masked where it is delimited, follows a colon, or stands last.
    """
    text = _shape(user)
    words = _words(text)
    plain = [word for word, _, _ in words]
    size, starts = _payload_runs(plain, payload, answer)
    chosen = _masked(text, words, size, starts)
    begin = _after_tags(text, min((words[start][1] for start in chosen), default=len(text)))
    tokens: list[str] = []
    index = next((i for i, word in enumerate(words) if word[1] >= begin), len(words))
    while index < len(words):
        if index in chosen:
            tokens.append(PAYLOAD)
            index += size
        else:
            index = _append_word(tokens, text, words, index)
    return " ".join(tokens)


def _append_word(tokens: list[str], text: str, words: list[tuple[str, int, int]], index: int) -> int:
    """Append the word at `index`, its digits masked ("3.50" is one number); the index of the next word."""
    word, start, _ = words[index]
    number = _NUMBER.match(text, start)
    if number is None:
        tokens.append(_NUMBER.sub(NUMBER, word))
        return index + 1
    tokens.append(_NUMBER.sub(NUMBER, word))
    index += 1
    while index < len(words) and words[index][1] < number.end():
        index += 1
    return index


def _payload_runs(plain: list[str], payload: str | None, answer: str | None) -> tuple[int, list[int]]:
    """(length in words, start indices) of the run to mask; (0, []) when there is none."""
    if payload is not None:
        wanted = [word for word, _, _ in _words(_shape(payload))]
        return len(wanted), [] if not wanted else _occurrences(plain, wanted)
    if answer is None:
        return 0, []
    return _shared_run(plain[:COMPARED_WORDS], [word for word, _, _ in _words(_shape(answer))][:COMPARED_WORDS])


def _occurrences(plain: list[str], wanted: list[str]) -> list[int]:
    size = len(wanted)
    return [index for index in range(len(plain) - size + 1) if plain[index:index + size] == wanted]


def _shared_run(prompt: Sequence[str], answer: Sequence[str]) -> tuple[int, list[int]]:
    """The longest run of words that both hold, with at least one content word, and where the prompt holds it."""
    places = defaultdict(list)
    for index, word in enumerate(answer):
        places[word].append(index)
    best, starts = 0, list[int]()
    lengths: dict[int, int] = {}  # of the run that ends at answer index, for the prompt word before
    for end, word in enumerate(prompt):
        lengths = {index: lengths.get(index - 1, 0) + 1 for index in places.get(word, ())}
        for size in set(lengths.values()):
            start = end - size + 1
            if size < best or all(prompt[i] in _FUNCTION_WORDS for i in range(start, end + 1)):
                continue
            if size > best:
                best, starts = size, []
            starts.append(start)
    return best, starts


def _masked(text: str, words: list[tuple[str, int, int]], size: int, starts: list[int]) -> frozenset[int]:
    """Which occurrences are the payload: the best placed one, and its repetitions unless it is a template word."""
    if not starts:
        return frozenset()

    def rank(start: int) -> tuple[int, int]:
        return _placement(text, words[start][1], words[start + size - 1][2]), start

    ranked = sorted(starts, key=rank, reverse=True)
    if size == 1 and words[ranked[0]][0] in _TEMPLATE_WORDS:
        return frozenset(ranked[:1])
    chosen: list[int] = []
    for start in ranked:
        if all(abs(start - other) >= size for other in chosen):
            chosen.append(start)
    return frozenset(chosen)


def _placement(text: str, start: int, end: int) -> int:
    """How clearly a span is marked as payload: 3 in delimiters, 2 after a colon, 1 at the end, 0 elsewhere."""
    before, after = text[:start].rstrip(" "), text[end:].lstrip(" .!?,;")
    opening = before[-1:]
    if opening and after[:1] == _CLOSES.get(opening):
        return 3
    return 2 if opening == ":" else 0 if after.strip() else 1


def _after_tags(text: str, limit: int) -> int:
    """Where the text begins once leading tags such as "[P26_AE]" or "<task>" are skipped; never past `limit`."""
    begin = 0
    while (tag := _TAG.match(text, begin)) and tag.end() <= limit and text[tag.end():].strip():
        begin = tag.end()
    return begin


def begins_with_tag(user: str) -> bool:
    """Whether a prompt begins with what may be a tag, such as "[P26_AE]": `signature` may leave it out."""
    return _TAG.match(_shape(user)) is not None


def split_bucket(payload: str, buckets: int = 20) -> int:
    """The bucket of a payload, 0 to `buckets`-1, from the sha256 of its normal form: the same in every program."""
    digest = hashlib.sha256(normalise(payload).encode("utf-8", "surrogatepass")).hexdigest()
    return int(digest, 16) % buckets


def payload_split(payload: str) -> Literal["train", "val", "certify"]:
    """Where a payload may be used: "certify" (bucket 19, suites only), "val" (18, development) or "train" (0-17)."""
    bucket = split_bucket(payload)
    return "certify" if bucket == 19 else "val" if bucket == 18 else "train"
