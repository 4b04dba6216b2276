"""Every template set by split and language: what training may ask, and what only validation asks.

No training template is of the family of any validation template, of whichever kind, nor of a reserved phrasing: prompts
of all sets may be mixed.
"""

from __future__ import annotations

from functools import lru_cache

from modelqa.data import (
    templates_anti,
    templates_carriers,
    templates_copy,
    templates_extract,
    templates_facts,
    templates_sums,
    templates_wrap,
)
from modelqa.data.facts import FACT_KINDS
from modelqa.data.grammar import Language, Split
from modelqa.data.reserved import RESERVED
from modelqa.data.templates_anti import QUESTIONS, Question
from modelqa.data.templates_extract import MARKS, Mark
from modelqa.data.templates_sums import YES_NO_KINDS
from modelqa.data.templates_wrap import BRACKETS, Bracket

__all__ = ["carriers", "copying", "extracting", "facts", "held_out", "questions", "sums", "wrapping", "yes_no"]


@lru_cache(maxsize=4)
def held_out(language: Language) -> tuple[str, ...]:
    """All validation templates of a language, carriers apart."""
    found = [*templates_copy.draw("val", language), *templates_sums.draw_sums("val", language)]
    found += [text for bracket in BRACKETS for text in templates_wrap.draw("val", language, bracket)]
    found += [text for mark in MARKS for text in templates_extract.draw("val", language, mark)]
    found += [text for question in QUESTIONS for text in templates_anti.draw(question, "val", language)]
    kinds = [kind for kind, spoken in FACT_KINDS if spoken == language]
    found += [text for kind in kinds for text in templates_facts.draw(kind, "val", language)]
    if language == "en":
        found += [text for kind in YES_NO_KINDS for text in templates_sums.draw_yes_no(kind, "val")]
    return tuple(found)


def _avoid(split: Split, language: Language) -> tuple[str, ...]:
    return (*held_out(language), *RESERVED) if split == "train" else ()


@lru_cache(maxsize=8)
def copying(split: Split, language: Language = "en") -> tuple[str, ...]:
    """Templates that ask for `{P}` exactly as it is written (COPY, echo, "say X")."""
    return templates_copy.draw(split, language, _avoid(split, language))


@lru_cache(maxsize=16)
def wrapping(split: Split, language: Language = "en", bracket: Bracket = "square") -> tuple[str, ...]:
    """Templates that ask for `{P}` in the named kind of brackets."""
    return templates_wrap.draw(split, language, bracket, _avoid(split, language))


@lru_cache(maxsize=32)
def extracting(split: Split, language: Language = "en", mark: Mark = "double") -> tuple[str, ...]:
    """Instructions to give what stands between the marks of the carrier sentence `{C}`."""
    return templates_extract.draw(split, language, mark, _avoid(split, language))


@lru_cache(maxsize=4)
def carriers(split: Split, language: Language = "en") -> tuple[str, ...]:
    """Sentences with `{M}` where the payload stands between its marks."""
    return templates_carriers.draw(split, language)


@lru_cache(maxsize=16)
def questions(question: Question, split: Split, language: Language = "en") -> tuple[str, ...]:
    """Templates of one kind of question about the string `{P}`."""
    return templates_anti.draw(question, split, language, _avoid(split, language))


@lru_cache(maxsize=64)
def facts(kind: str, split: Split, language: Language = "en") -> tuple[str, ...]:
    """Ways to ask for a fact of `kind` about `{S}`."""
    return templates_facts.draw(kind, split, language, _avoid(split, language))


@lru_cache(maxsize=4)
def sums(split: Split, language: Language = "en") -> tuple[str, ...]:
    """Ways to ask for `{A}` + `{B}`."""
    return templates_sums.draw_sums(split, language, _avoid(split, language))


@lru_cache(maxsize=32)
def yes_no(kind: str, split: Split) -> tuple[str, ...]:
    """Ways to ask whether `{X}` is the answer of `kind` for `{S}`; English."""
    return templates_sums.draw_yes_no(kind, split, _avoid(split, "en"))
