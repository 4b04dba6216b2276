"""How to ask for sums, and whether a fact is so: phrasings in English, of sums in German too."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.data.grammar import Language, Split, templates
from modelqa.data.templates_facts import FRONT, GERMAN_FRONT, SLOTS

_SUM_SLOTS: dict[str, tuple[str, ...]] = {
    "front": FRONT, "back": ("?", "?", "?", ", please?", "? just the number.", "? tell me.", "? be exact."),
    "ask": SLOTS["ask"], "end": SLOTS["end"],
    "e": ("{A} + {B}", "{A} + {B}", "{A}+{B}", "{A} plus {B}", "{A} plus {B}", "{A} and {B} together",
          "the sum of {A} and {B}", "the total of {A} and {B}",
          "the result of {A} + {B}", "the result of {A} plus {B}", "the sum {A} + {B}", "{A} added to {B}",
          "{A} and {B} added together"),
    "s": ("{A} + {B}", "{A} + {B}", "{A}+{B}", "{A} plus {B}"),
    "one": ("anna has", "tom has", "a man has", "my sister has", "she has", "he has", "we have", "you have",
            "a box has"),
    "things": ("apples", "books", "coins", "eggs", "stones", "cards", "cups", "dogs", "trees", "cars", "balls",
               "birds"),
    "buys": ("buys", "finds", "gets", "takes", "receives", "wins"), "more": ("more", "more of them", "new ones"),
    "are_there": ("are there", "is that", "in all", "together", "are there now", "in total", "does that make"),
    "give": ("give me", "give", "tell me", "state", "find", "work out", "compute", "calculate", "name", "show me",
             "write", "return", "answer with", "get"),
}  # fmt: skip
_SUM_FRAMES = (
    "{front}what is {e}{back}", "{front}what is {e}{back}", "{front}what is {s}{back}", "{front}what's {s}{back}",
    "{front}how much is {e}{back}",
    "{front}how much is {s}{back}", "{ask}compute {e}{end}", "{ask}calculate {e}{end}", "{ask}{give} {e}{end}",
    "{ask}{give} the result: {s}", "{s} =",
    "{s} = ?", "{s}?", "{s}", "{front}{s} is what?", "{front}{s} equals what?", "{s} equals", "{s} makes",
    "{front}{s} makes how many?", "{ask}add {A} and {B}{end}",
    "{ask}add {A} to {B}{end}", "{ask}add up {A} and {B}{end}", "add: {A}, {B}", "sum: {s}", "total: {s}",
    "compute: {s}", "calculate: {s}", "sum of {A} and {B}?",
    "{front}what do {A} and {B} make{back}", "{front}what do {A} and {B} make together{back}",
    "{front}how many are {e}{back}", "{front}how many is {s}{back}",
    "{front}what do you get if you add {A} and {B}{back}", "{front}what do we get from {s}{back}",
    "i have {A} and get {B} more. how many do i have?",
    "there are {A} cats and {B} dogs. how many animals?", "{A} apples and {B} apples make how many apples?",
    "{one} {A} {things} and {buys} {B} {more}. how many {are_there}?",
    "{one} {A} {things}, then {buys} {B} {more}. how many {are_there}?",
    "{A} {things} and then {B} {more}. how many {are_there}?",
    "there are {A} {things} here and {B} {things} there. how many {are_there}?",
    "if {one} {A} {things} and {buys} {B} {more}, how many {are_there}?",
    "begin at {A} and go up by {B}. which number is it?", "take {A}, then add {B}. what comes out?",
    "from {A} go {B} up. where are you?",
    "two numbers: {A} and {B}. {ask}add them{end}", "two numbers: {A} and {B}. what is the sum?",
    "the numbers are {A} and {B}. {ask}{give} the sum{end}",
    "the numbers are {A} and {B}. what is the total?", "one number is {A}, the other is {B}. what do they make?",
    "a task for you: {s}", "here is a sum: {s}",
    "write the answer to {s}{end}", "i add {A} and {B}. what do i get?", "i need {e}{end}", "i want to know {e}{end}",
    "{front}do you know {e}{back}",
    "first number: {A}\nsecond number: {B}\nsum:", "{A} more than {B} is what?", "which number is {B} more than {A}?",
    "increase {A} by {B}{end}",
    "{front}what number is {e}{back}",
    "{front}which number equals {s}{back}", "{front}what does {s} make{back}", "{front}what does {s} equal{back}",
    "{front}what is the answer to {s}{back}",
    "{ask}solve {s}{end}", "solve: {s}", "math: {s}", "complete: {s} =",
    "{front}if you add {B} to {A}, what is the result{back}", "{ask}work out {e}{end}",
    "{ask}tell me how much {s} is{end}", "{front}what total do {A} and {B} give{back}",
    "{A} and {B} are how many together?", "{ask}put {A} and {B} together: how many?",
)  # fmt: skip
_GERMAN_SUM_FRAMES = (
    "{front}was ist {A} plus {B}?", "{front}was ist {A} + {B}?", "{front}wie viel ist {A} plus {B}?",
    "{front}wie viel ist {A} + {B}?", "{front}wie viel sind {A} und {B}?",
    "rechne {A} + {B}.", "berechne {A} plus {B}.", "bitte rechne {A} + {B}.", "{front}was ergibt {A} plus {B}?",
    "{front}was ergibt {A} + {B}?",
    "die Summe von {A} und {B}?", "{front}was ist die Summe von {A} und {B}?", "addiere {A} und {B}.",
    "bitte addiere {A} und {B}.", "rechne: {A} plus {B}",
    "{A} plus {B} ist", "{A} plus {B} macht", "{front}wie viel macht {A} plus {B}?",
)  # fmt: skip

_YES_NO = (
    "{front}is {st}{back}", "{front}is {st}{back}", "{front}is it true that {st_is}{back}",
    "{front}is it right that {st_is}{back}",
    "{front}is it correct that {st_is}{back}", "yes or no: is {st}?", "yes or no: {st_is}?", "{st_is}. yes or no?",
    "{st_is}, is that true?",
    "{st_is}. is that right?", "{st_is}, right?", "{st_is}, correct?", "{ask}tell me if {st_is}{end}",
    "{ask}answer yes or no: is {st}?", "check: is {st}?",
    "{front}would you say that {st_is}{back}", "i think {st_is}. am i right?",
    "somebody said that {st_is}. is it true?", "{front}can we say that {st_is}{back}",
    "is this true: {st_is}?", "{front}do you agree that {st_is}{back}", "{ask}say yes or no: is {st}?",
    "{front}is it a fact that {st_is}{back}",
    "{ask}tell me whether {st_is}{end}", "true fact: {st_is}?",
)  # fmt: skip
_STATEMENTS: dict[str, tuple[str, str]] = {
    "capital": ("{X} the capital of {S}", "{X} is the capital of {S}"),
    "opposite": ("{X} the opposite of {S}", "{X} is the opposite of {S}"),
    "next_day": ("{X} the day after {S}", "{X} is the day after {S}"),
    "next_month": ("{X} the month after {S}", "{X} is the month after {S}"),
    "plural": ("{X} the plural of {S}", "{X} is the plural of {S}"),
    "past": ("{X} the past tense of {S}", "{X} is the past tense of {S}"),
    "german": ("{X} the German word for {S}", "{X} is the German word for {S}"),
    "young": ("{X} the young of {S}", "{X} is the young of {S}"),
}
YES_NO_KINDS = tuple(_STATEMENTS)


def draw_sums(split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask for `{A}` + `{B}`: some 400 English and 60 German ones."""
    if language == "de":
        slots = {"front": GERMAN_FRONT}
        return templates("sum de", _GERMAN_SUM_FRAMES, slots, split=split, train=60, val=5, avoid=avoid)
    return templates("sum en", _SUM_FRAMES, _SUM_SLOTS, split=split, train=400, val=20, avoid=avoid)


def draw_yes_no(kind: str, split: Split, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask whether `{X}` is the answer for `{S}`: some 120 English ones a kind."""
    bare, full = _STATEMENTS[kind]
    slots = {**SLOTS, "st": (bare,), "st_is": (full,)}
    return templates(f"yes-no {kind}", _YES_NO, slots, split=split, train=120, val=4, avoid=avoid)
