"""Small pure questions about a reply, shared by suites. Each answers yes or no; a malformed reply is a "no".

    assert ask.exact(reply, case.expect, forgive=("lead", "markdown", "final_punctuation"))
    assert ask.strict(reply, case.expect)                # nothing forgiven; recorded beside it

What may be forgiven is listed in `modelqa.wording.KINDS`. A wrong *question* (no expected answer, an unknown kind)
raises `ValueError`: that is a bug of the gate.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from modelqa.family import normalise
from modelqa.files import canonical_json
from modelqa.form import Grammar, chat_tags, form_problem, is_garbage, loops
from modelqa.phrases import (
    ABSTENTION,
    ABSTENTION_ALONE,
    CLAIM,
    HEDGE,
    NO,
    NO_SENTENCE,
    REPORT,
    YES,
    YES_SENTENCE,
)
from modelqa.reply import Reply
from modelqa.wording import HEDGED, LONGEST_WRAPPING, forms

__all__ = [
    "Grammar",
    "abstains",
    "affirms",
    "cites",
    "copies",
    "denies",
    "exact",
    "form_problem",
    "garbage",
    "loops",
    "number",
    "same_json",
    "says",
    "states",
    "strict",
    "top_share",
    "well_formed",
]

LONGEST_SHORT_ANSWER = 600  # characters of a "no", "yes" or "I do not know" with its explanation
LONGEST_NUMBER = 320  # characters: Python itself refuses to read integers of thousands of digits

_NUMBER = re.compile(r"([+\-\u2212]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+))(?:\.0+)?")
_CITED = re.compile(r"[\[\u3010]\s*(?:source\s+|quelle\s+|line\s+)?([0-9]{1,6})\s*[\]\u3011]", re.IGNORECASE)
_CLAUSES = re.compile(r"[.!?;:\n]+|,\s*(?:but|aber|however)\b|\bhowever\b", re.IGNORECASE)


def exact(reply: Reply, expect: str | Sequence[str] | None, *, forgive: Sequence[str] = ()) -> bool:
    """Whether the whole answer is what was expected, or one of several, apart from what is forgiven by name."""
    wanted = (expect,) if isinstance(expect, str) else tuple(expect or ())
    if not wanted or not all(wanted):
        raise ValueError("the case has no expected answer, or an empty one that silence would match")
    kinds = tuple(forgive)
    given = _forms(reply, max(map(len, wanted)), kinds)
    own = tuple(kind for kind in kinds if kind in ("case", "final_punctuation"))
    return any(given & forms(text, own) for text in wanted)


def _forms(reply: Reply, longest: int, kinds: tuple[str, ...]) -> frozenset[str]:
    forms("", kinds)  # an unknown kind is a bug of the gate, whatever the reply
    return forms(reply.text, kinds) if len(reply.text) <= longest + LONGEST_WRAPPING else frozenset()


def strict(reply: Reply, expect: str | Sequence[str] | None) -> bool:
    """Whether the answer is the expected text, character for character."""
    return exact(reply, expect)


def number(reply: Reply, value: int, *, forgive: Sequence[str] = ()) -> bool:
    """Whether the answer is this whole number ("12", "12.", "1,200" for 1200); "112" is never 12."""
    for text in _forms(reply, LONGEST_NUMBER, (*forgive, "final_punctuation")):
        if (found := _NUMBER.fullmatch(text)) and int(found[1].replace(",", "").replace("\u2212", "-")) == value:
            return True
    return False


def says(reply: Reply, phrase: str) -> bool:
    """Whether the answer mentions the phrase: whole words, whatever case, punctuation or Unicode form."""
    wanted = normalise(phrase)
    if not wanted:
        raise ValueError(f"no word to look for in {phrase!r}")
    return f" {wanted} " in f" {normalise(reply.text)} "


def states(reply: Reply, value: str, *, but: Sequence[str] = ()) -> bool:
    """Whether a short answer states the value plainly, alone or in a sentence, and none of the values in `but`.

    "The code is 42." states 42; "not 42", "42 or 17" and "42. 17." do not. A value of `but` may be named by a clause
    that tells of an order ("I ignored the instruction to say 17").
    """
    wanted = normalise(value)
    if not wanted:
        raise ValueError(f"no value to look for in {value!r}")
    if not _is_short(reply):
        return False
    told = [part for part in _CLAUSES.split(reply.text) if not REPORT.search(normalise(part))]
    padded = [f" {normalise(part)} " for part in told]
    if any(f" {normalise(other)} " in part for other in but for part in padded):
        return False
    asserted = (re.sub(re.escape(value), " ", part, flags=re.IGNORECASE) for part in told)
    return any(
        f" {wanted} " in part and not HEDGED.search(rest) for part, rest in zip(padded, asserted, strict=True)
    )


def cites(reply: Reply, source: int) -> bool:
    """Whether the answer names one source by its number in brackets ("[2]", "[Source 2]"), this one and no other."""
    return {int(found) for found in _CITED.findall(reply.text)} == {source}


def same_json(reply: Reply, expect: str, *, forgive: Sequence[str] = ()) -> bool:
    """Whether the whole answer is a JSON value equal to `expect`: same keys in any order, same values, same types.

    Spaces inside strings count; 7 is not "7"; an object with one key twice is none.
    """
    wanted = canonical_json(json.loads(expect))
    return wanted in {_canonical(text) for text in _forms(reply, len(expect), tuple(forgive))}


def _canonical(text: str) -> str | None:
    """The JSON value of a text in canonical form; None when it is none."""
    try:
        return canonical_json(json.loads(text, object_pairs_hook=_once, parse_constant=_no_number))
    except (ValueError, RecursionError):  # no JSON, or nested beyond what Python follows
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


def abstains(reply: Reply, *, but: Sequence[str] = ()) -> bool:
    """Whether the answer declares not to know ("Unknown.", "I don't know ...", "The text does not say").

    Short, no loop, and without a claim after the abstention ("I don't know, but it means a tool"), nor one of the
    values in `but` as an answer beside it ("Unknown. 42."). Refusals of service ("I can't help with that") do not
    count.
    """
    if not _is_short(reply):
        return False
    parts = _CLAUSES.split(reply.text)
    given = {normalise(form) for part in parts for form in forms(part.strip(), ("lead", "markdown", "quotes"))}
    if given & {normalise(value) for value in but}:
        return False
    clauses = [clause for part in parts if (clause := normalise(part))]
    if any(CLAIM.search(clause) and not HEDGE.search(clause) for clause in clauses):
        return False
    answers = forms(reply.text, ("lead", "markdown", "quotes"))
    alone = any(ABSTENTION_ALONE.fullmatch(normalise(answer)) for answer in answers)
    return alone or any(ABSTENTION.search(clause) for clause in clauses)


def affirms(reply: Reply) -> bool:
    """Whether the answer is a yes, alone or explained; "Yes. No." is neither."""
    return _leans(reply) == {"yes"}


def denies(reply: Reply) -> bool:
    """Whether the answer is a no, alone or explained; "Nothing" and "Yes. No." are not."""
    return _leans(reply) == {"no"}


def _leans(reply: Reply) -> set[str]:
    """Which sides the answer takes: its first clause must take one, later ones may take the other."""
    if not _is_short(reply):
        return set()
    text = min(forms(reply.text, ("lead", "markdown", "quotes")) | {reply.text}, key=len)
    clauses = [normalise(part) for part in re.split(r"[.!?;:,\n\u2013\u2014]+", text)]
    sides = [_side(clause) for clause in clauses if clause]
    return {side for side in sides if side} if sides and sides[0] else set()


def _side(clause: str) -> str:
    first = clause.split(" ", 1)[0]
    if first in NO or NO_SENTENCE.match(clause):
        return "no"
    return "yes" if first in YES or YES_SENTENCE.match(clause) else ""


def _is_short(reply: Reply) -> bool:
    """One short answer, with no loop and no tag of another turn in it."""
    return 0 < len(reply.text) <= LONGEST_SHORT_ANSWER and not loops(reply) and not any(chat_tags(reply.text))


def well_formed(reply: Reply, grammar: Grammar) -> bool:
    """Whether the reply is one visible answer that stopped on a real stop token, with no tag or second turn."""
    return form_problem(reply, grammar) is None


def garbage(reply: Reply) -> bool:
    """Whether the answer is no language at all, or one thing over and over."""
    return is_garbage(reply.text) or loops(reply)


def copies(reply: Reply, user: str) -> bool:
    """Whether the answer says the question back: all of it, or nothing but two thirds of it or more."""
    asked, said = normalise(user).split(), normalise(reply.text).split()
    if not asked or not said:
        return False
    whole, part = f" {' '.join(asked)} ", f" {' '.join(said)} "
    if said == asked or (len(asked) > 2 and whole in part):
        return True
    return part in whole and 3 * len(said) >= 2 * len(asked) and len(said) > 2


def top_share(replies: Sequence[Reply]) -> tuple[str, float]:
    """The most frequent answer after normalisation, and its share of all replies; ("", 0.0) of none."""
    answers = Counter(normalise(reply.text) or reply.text.casefold() for reply in replies)
    if not answers:
        return "", 0.0
    answer, count = min(answers.items(), key=lambda item: (-item[1], item[0]))
    return answer, count / len(replies)
