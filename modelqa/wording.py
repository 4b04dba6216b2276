"""What polite and Markdown-loving models put around an answer, and the answer without it: declared, kind by kind.

`modelqa.ask.exact(..., forgive=...)` names the kinds; nothing is forgiven that is not named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

MOST_FORMS = 128  # forms of one text that are followed; a plain answer has fewer than ten
LONGEST_WRAPPING = 600  # characters that may stand around an answer; a longer reply is an essay, not an answer

_PAIRS = {'"': '"', "'": "'", "\u201c": "\u201d", "\u201e": "\u201c", "\u2018": "\u2019", "\u201a": "\u2018",
          "\u00ab": "\u00bb", "\u00bb": "\u00ab"}
_COURTESY = re.compile(
    r"(?:sure(?: thing)?|of course|certainly|absolutely|definitely|okay|ok|alright|all right|great(?: question)?"
    r"|good question|got it|understood|no problem|(?:i'd be )?happy to help|here you (?:go|are)|here it is"
    r"|natürlich|klar|gerne|sicher|selbstverständlich|hier bitte|thank you for (?:asking|your question))"
    r"(?:[!.,:]| -| –)(?:\s+|$)",
    re.IGNORECASE,
)
_PRESENTATION = re.compile(
    r"(?:here(?:'s| is| are)|hier ist|hier sind|this is|das ist|you asked(?: me)?|repeating|copying|extracting)"
    r"[^:\n.!?]{0,80}:\s*",
    re.IGNORECASE,
)
_ANNOUNCEMENT = re.compile(
    r"(?:(?:the|your|my|die|der|das)\s+(?:(?:correct|final|right|short|exact|extracted|requested|quoted|repeated|richtige)"
    r"\s+)?(?:answer|result|sum|total|output|word|words|text|phrase|reply|response|message|sentence|antwort|wort"
    r"|ergebnis)"
    r"(?:\s+(?:you (?:asked for|wanted|gave me)|is|was|would be|ist|lautet))+\s*:?\s*"
    r"|(?:answer|result|antwort|ergebnis)\s*:\s*"
    r"|(?:it is|it's|that is|that's|that would be|es ist)\s+)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\s+(?:let me know\b|feel free\b|i hope\b|hope (?:this|that)\b|is there anything\b|would you like\b"
    r"|do you (?:need|want)\b|if you (?:need|have|want|would)\b|anything else\b|happy to help\b|have a (?:great|nice)\b"
    r"|ich hoffe\b|lass (?:es )?mich\b|wenn du\b|kann ich (?:sonst|noch)\b)[^\n]{0,200}$",
    re.IGNORECASE,
)
_EMOJI = re.compile(r"\s*(?:[\u2600-\u27bf\U0001f000-\U0001faff][\ufe0f\u200d]*\s*)+$")
_FENCE = re.compile(r"(?:```|~~~)[\w+-]*[ \t]*\n(?P<inside>.*?)\n?(?:```|~~~)", re.DOTALL)
_SPAN = re.compile(r"(?P<mark>\*\*\*|\*\*|\*|___|__|_|``|`)(?=\S)(?P<inside>[^\n]*?\S)(?P=mark)")
_LINE_MARK = re.compile(r"(?:[-*+>]|#{1,6}|1[.)])\s+(?P<inside>[^\n]*\S)")
_VERB = re.compile(
    r"(?:\s+(?:is|are|was|equals|makes|gives|ist|sind|ergibt|lautet)\b\s*(?:equal to\s+)?:?|\s*=)\s*", re.IGNORECASE
)
HEDGED = re.compile(
    r"\b(?:not|never|no|nor|neither|cannot|or|maybe|perhaps|but|nicht|kein\w*|nie|oder|aber|vielleicht)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
"""A negation, an alternative or a doubt: the text around it asserts nothing plainly."""


def _rest_after(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    """A step that yields the text after a leading match."""

    def step(text: str) -> Iterator[str]:
        if found := pattern.match(text):
            yield text[found.end():].strip()

    return step


def _without(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    """A step that yields the text without a match at its end."""

    def step(text: str) -> Iterator[str]:
        if found := pattern.search(text):
            yield text[: found.start()].strip()

    return step


def _inside(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    """A step that yields what a mark around the whole text holds."""

    def step(text: str) -> Iterator[str]:
        if found := pattern.fullmatch(text):
            yield found["inside"].strip()

    return step


def _unquoted(text: str) -> Iterator[str]:
    if len(text) > 2 and _PAIRS.get(text[0]) == text[-1]:
        yield text[1:-1].strip()


def _unpunctuated(text: str) -> Iterator[str]:
    """One final mark is forgiven; a row of dots is not."""
    if text[-1:] in tuple(".!?…。！？") and text[-2:-1] not in tuple(".!?…"):
        yield text[:-1].rstrip()


def _of_sentence(text: str) -> Iterator[str]:
    """The two ends of one plain sentence with one verb ("7 + 5 is 12"): no negation, no "or", no second claim."""
    verbs = list(_VERB.finditer(text))
    if len(verbs) != 1 or HEDGED.search(text) or re.search(r"[.!?]\s|\n", text):
        return
    head, tail = text[: verbs[0].start()].strip(), text[verbs[0].end():].strip()
    yield tail
    if re.match(r"(?:the|a|an|der|die|das|ein|eine)\s", tail, re.IGNORECASE):
        yield head


Step = Callable[[str], Iterable[str]]
KINDS: dict[str, tuple[Step, ...]] = {
    "case": (),  # compared in folded case
    "final_punctuation": (_unpunctuated,),
    "quotes": (_unquoted,),
    "markdown": (_inside(_FENCE), _inside(_SPAN), _inside(_LINE_MARK)),
    "lead": (_rest_after(_COURTESY), _rest_after(_PRESENTATION), _rest_after(_ANNOUNCEMENT)),
    "closing": (_without(_CLOSING),),
    "emoji": (_without(_EMOJI),),
    "sentence": (_of_sentence,),
}
"""What may be forgiven: the steps that take it away.

case              upper and lower case
final_punctuation one final mark ("12." for "12"), on either side
quotes            one pair of quotation marks around the answer
markdown          **bold**, `code`, a fence, "- ", "> " or "# " around the answer
lead              "Sure! ", "Here is the text:", "The answer is"
closing           "Let me know if ..." after the answer
emoji             emoji after the answer
sentence          one plain sentence around the answer ("7 + 5 = 12", "Paris is the capital of France")
"""


@lru_cache(maxsize=4096)
def forms(text: str, forgive: tuple[str, ...]) -> frozenset[str]:
    """All the answers that `text` may be read as when the named kinds are forgiven; `text` itself is one."""
    unknown = sorted(set(forgive) - set(KINDS))
    if unknown:
        raise ValueError(f"nothing called {', '.join(unknown)} can be forgiven; there are {', '.join(KINDS)}")
    steps = [step for kind in forgive for step in KINDS[kind]]
    found, waiting = {text}, [text]
    while waiting and len(found) < MOST_FORMS:
        current = waiting.pop()
        for step in steps:
            for shorter in step(current):
                if shorter and shorter not in found:
                    found.add(shorter)
                    waiting.append(shorter)
    return frozenset(form.casefold() for form in found) if "case" in forgive else frozenset(found)
