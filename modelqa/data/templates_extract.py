"""How to ask for the marked part of a sentence: the English and German grammars of EXTRACT.

A prompt is an instruction with a carrier sentence (`modelqa.data.templates_carriers`) in the place `{C}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from modelqa.data.grammar import Language, Split, templates
from modelqa.data.templates_copy import END, NOUN, OPENING, POLITE

Mark = Literal["double", "single", "backtick", "angle", "star", "bar"]

MARKS: dict[Mark, tuple[str, str]] = {
    "double": ('"', '"'), "single": ("'", "'"), "backtick": ("`", "`"), "angle": ("<<", ">>"), "star": ("*", "*"),
    "bar": ("|", "|"),
}  # fmt: skip
MARK_SHARES: tuple[tuple[Mark, float], ...] = (
    ("double", 0.46), ("single", 0.24), ("backtick", 0.12), ("angle", 0.08), ("star", 0.06), ("bar", 0.04),
)  # fmt: skip

_QUOTES = ("quotes", "quotes", "quotes", "quotation marks", "quotation marks", "the quotes", "the quotes",
           "the quotation marks",
           "quote marks", "the quote marks", "the marks")  # fmt: skip
_NAMES: dict[Mark, tuple[str, ...]] = {
    "double": (*_QUOTES, "double quotes", "the double quotes"),
    "single": (*_QUOTES, "single quotes", "the single quotes"),
    "backtick": ("backticks", "backticks", "the backticks", "backtick marks", "the marks", "the backtick marks"),
    "angle": ("the marks", "double angle brackets", "the angle brackets", "<< and >>", "<< >>", "the arrows"),
    "star": ("the marks", "asterisks", "stars", "the stars", "the asterisks", "star marks"),
    "bar": ("the marks", "bars", "the bars", "vertical bars", "the bar marks"),
}  # fmt: skip
_QUOTED: dict[Mark, tuple[str, ...]] = {
    "double": ("quoted", "quoted", "quoted", "marked"), "single": ("quoted", "quoted", "quoted", "marked"),
    "backtick": ("marked", "quoted"), "angle": ("marked",), "star": ("marked",), "bar": ("marked",),
}  # fmt: skip
_PATTERNS = (
    "{opening}{polite}{take} {part}{from}{manner}{glue}{C}",
    "{opening}{polite}{take} {part}{from}{manner}{glue}{C}",
    "{opening}{polite}{take} {part}{from}{manner}{glue}{C}",
    "{opening}{polite}{take} {part}{from}{manner}{glue}{C}",
    "{polite}{take} {part}{glue}{C}",
    "{polite}{take} {part}{glue}{C}",
    "{polite}{take} {what}{manner}{glue}{C}",
    "{polite}{take} {what}{from}{glue}{C}",
    "{take} only {what}{glue}{C}",
    "{C}\n{polite}{take} {part}{manner}{end}",
    "{C}\n{polite}{take} {part}{above}{end}",
    "{C} {polite}{take} {part}{above}{end}",
    "{C}\n{what_is}?",
    "{C} {what_is}?",
    "{what_is}{in_here}? {C}",
    "{what_is}{in_here}?\n{C}",
    "{what_is}{in_here}{glue}{C}",
    "{here} {a_text}: {C}\n{polite}{take} {part}{manner}{end}",
    "sentence: {C}\n{polite}{take} {part}{manner}{end}",
    "{noun}: {C}\n{what_is}?",
    "{noun}: {C}\n{polite}{take} {what}{end}",
    "{quoted} {noun} only{glue}{C}",
    "{quoted} {noun}{glue}{C}",
    "{from_front}, {polite_inner}{take} {part}{glue}{C}",
    "{look} and {take} {part}{glue}{C}",
    "{part}, please{glue}{C}",
    "i need {part}{from}{manner}{glue}{C}",
    "leave out everything but {part}{glue}{C}",
    "ignore the rest, {polite_inner}{take} {part}{glue}{C}",
    "i only want {part}{from}{glue}{C}",
    "{there_is} {in_text}. {polite}{take} {it}{manner}{glue}{C}",
    "{there_is} {in_text}. which one is it? {C}",
    "{C}\n{there_is} {in_text}. {polite}{take} {it}{end}",
    "forget {rest} and {take} {part}{glue}{C}",
    "{polite}{take} {part}, not {rest}{glue}{C}",
    "{rule}. {polite}{take} {part}{from}{glue}{C}",
    "{C}\n{rule}. {polite}{take} {part}{end}",
    "{want} {part}{from}{glue}{C}",
    "{polite}look for {marks} and {take} {what}{glue}{C}",
    "the answer stands {inside} {marks}{glue}{C}",
    "{C}\nthe answer is {part}. {polite}{take} it{end}",
    "{here} {a_text} with {marks}.\n{C}\n{polite}{take} {part}{end}",
    "{here} {a_text} with {marks}: {C} {polite}{take} {part}{end}",
    "{marks} hold {a_part}. {polite}{take} it{manner}{glue}{C}",
    "{inside} {marks} {stands} {a_part}. {polite}{take} it{manner}{glue}{C}",
    "{inside} {marks} of {what_follows} {stands} {a_part}. {polite}{take} {it}{glue}{C}",
    "somebody put {marks} around a {noun}. {what_is}? {C}",
)
_SLOTS: dict[str, tuple[str, ...]] = {
    "polite": POLITE, "opening": OPENING, "end": END, "noun": NOUN, "glue": (": ", ": ", ": ", ":\n", ":\n", "\n",
                                                                             " - ", " -> ", ":\n\n", ".\n", ". "),
    "take": ("extract", "extract", "extract", "extract", "pull out", "pull out", "pull", "take", "take out", "take",
             "pick",
             "pick out", "pick", "find", "find", "find", "get", "get", "get me", "give", "give me", "give me",
             "return", "return",
             "output", "print", "print", "show", "show me", "read", "read out", "tell me", "tell me", "write",
             "write down", "copy",
             "copy out", "quote", "say", "say", "state", "repeat", "echo", "display", "send", "send me", "type",
             "reproduce",
             "answer with", "reply with", "respond with", "select", "fetch", "identify", "report", "name", "lift out",
             "grab",
             "return only", "give back", "speak", "isolate", "locate", "list", "filter out", "read only", "cut out",
             "note"),
    "part": ("the {quoted} {noun}", "the {quoted} {noun}", "the {quoted} {noun}", "the {quoted} part",
             "the {quoted} words",
             "the {noun} {inside} {marks}", "the {noun} {inside} {marks}", "the {noun} {inside} {marks}",
             "what is {inside} {marks}",
             "what is {inside} {marks}", "what stands {inside} {marks}", "whatever stands {inside} {marks}",
             "whatever is {inside} {marks}", "only the {noun} {inside} {marks}", "just the {noun} {inside} {marks}",
             "only the {quoted} {noun}", "just the {quoted} {noun}", "only what is {inside} {marks}",
             "the content of {marks}",
             "the words {inside} {marks}", "the characters {inside} {marks}", "everything {inside} {marks}",
             "the {noun} that is {quoted}", "the {noun} that stands {inside} {marks}",
             "the {noun} given {inside} {marks}",
             "the {noun} {inside} {marks} only", "the part {inside} {marks}", "the exact {quoted} {noun}",
             "what somebody put {inside} {marks}", "the {noun} with {marks} around it",
             "the {noun} surrounded by {marks}"),
    "what": ("what is {quoted}", "whatever is {quoted}", "what was {quoted}", "what is {inside} {marks}",
             "what stands {inside} {marks}",
             "what you find {inside} {marks}", "whatever you see {inside} {marks}", "what has {marks} around it",
             "whatever stands {inside} {marks}", "the {quoted} {noun} and nothing else",
             "what you read {inside} {marks}"),
    "inside": ("in", "in", "inside", "inside", "within", "within", "between", "between", "between"),
    "from": ("", "", "", " from this sentence", " from the sentence", " from the following sentence",
             " from the line below",
             " from the text", " from this text", " out of this sentence", " out of the text", " in this sentence",
             " in the following text", " in the sentence below", " of this sentence", " of the message",
             " from this message",
             " from what follows", " from this", " here", " below", " in the text below", " from the input",
             " from my message"),
    "above": ("", "", " above", " from the sentence above", " from it", " in it", " here", " of this sentence",
              " from this",
              " from that sentence", " from the text above", " out of it"),
    "manner": ("", "", "", "", "", "", " and nothing else", " exactly", " verbatim", " only", " without {marks}",
               " please",
               " for me", " and nothing more", " without changes", " as it is", " as is", " word for word",
               " without the rest",
               " without anything else", " with nothing added", " and drop the rest", " now", " as your answer"),
    "what_is": ("what is {inside} {marks}", "what stands {inside} {marks}", "which {noun} is {quoted}",
                "what is {quoted}",
                "which {noun} is {inside} {marks}", "what is the {quoted} {noun}",
                "which {noun} stands {inside} {marks}",
                "what do you see {inside} {marks}", "which words are {quoted}", "what is written {inside} {marks}",
                "which part is {quoted}", "what does the {quoted} part say", "what was put {inside} {marks}",
                "which {noun} has {marks} around it", "what are the words {inside} {marks}",
                "can you find what is {inside} {marks}",
                "can you tell me what is {quoted}", "what exactly is {inside} {marks}"),
    "in_here": ("", "", " here", " in this sentence", " in the sentence", " in the following", " in the text below",
                " below",
                " in the next sentence", " in this message", " in this line"),
    "a_part": ("a {noun}", "one {noun}", "some words", "the {noun} that i need", "the answer", "something"),
    "stands": ("stands", "is", "you find", "there is", "you see"),
    "what_follows": ("this sentence", "the sentence", "the next line", "the text below", "what follows", "this line"),
    "there_is": ("there is a {quoted} {noun}", "one part is {quoted}", "something is {quoted}",
                 "a {noun} stands {inside} {marks}",
                 "some words are {quoted}", "a {noun} has {marks} around it", "you will find a {quoted} {noun}"),
    "in_text": ("in this sentence", "in the sentence", "here", "in the text", "in the line", "in what i write",
                "in it"),
    "it": ("it", "that part", "this part", "only that", "that {noun}", "just that {noun}", "the {noun}"),
    "rest": ("the rest", "the rest of the sentence", "the other words", "everything else", "the whole sentence",
             "all other words"),
    "rule": ("no changes", "do not add anything", "add nothing", "keep every letter", "one answer only",
             "no extra words",
             "nothing else is needed", "this is a test", "no explanation", "do not explain", "short answer"),
    "want": ("i want", "i would like", "let me have", "let me see", "we need", "may i have", "can i have",
             "can you get me"),
    "here": ("here is", "this is", "look at", "below is", "take", "you get", "read"),
    "a_text": ("a sentence", "a text", "a message", "a line", "the sentence", "the text", "some text"),
    "from_front": ("from this sentence", "from the sentence below", "from the following text", "out of this",
                   "in this sentence",
                   "in the following line", "from what follows", "from the input below"),
    "polite_inner": ("", "", "", "please ", "just ", "only ", "please just "),
    "look": ("look at this", "read this", "read the sentence", "look below", "check the text", "go through the line"),
}  # fmt: skip

_GERMAN = (
    "{bitte}{nimm} {teil}{aus}{wie}{glue}{C}", "{bitte}{nimm} {teil}{aus}{wie}{glue}{C}",
    "{bitte}{nimm} {teil}{glue}{C}",
    "was steht {zwischen}{hier}? {C}", "was steht {zwischen}{hier}: {C}", "{C}\n{bitte}{nimm} {teil}{wie}.",
    "{C}\nwas steht {zwischen}?",
    "welcher {nomen} steht {zwischen}? {C}", "Satz: {C}\n{bitte}{nimm} {teil}.", "{C} {bitte}{nimm} {teil}.",
    "{teil}, bitte: {C}",
)  # fmt: skip
_GERMAN_SLOTS: dict[str, tuple[str, ...]] = {
    "bitte": ("", "", "", "bitte ", "jetzt ", "nun ", "Aufgabe: ", "bitte nur ", "hallo, "),
    "nimm": ("nimm", "finde", "gib", "gib mir", "zeige", "nenne", "schreibe", "kopiere", "extrahiere", "lies", "sage",
             "antworte mit",
             "hole", "suche", "wiederhole"),
    "teil": ("den Text {zwischen}", "das Wort {zwischen}", "den Teil {zwischen}", "den Inhalt {zwischen}",
             "den Ausdruck {zwischen}",
             "nur den Text {zwischen}", "was {zwischen} steht", "nur was {zwischen} steht", "alles {zwischen}"),
    "aus": ("", "", " aus diesem Satz", " aus dem Satz", " aus dem Text", " im folgenden Satz", " in dieser Zeile",
            " hier"),
    "hier": ("", " hier", " in diesem Satz", " im Text", " im folgenden Satz"),
    "wie": ("", "", "", " und sonst nichts", " genau", " bitte", " ohne den Rest", " für mich"),
    "glue": (": ", ": ", ":\n", "\n", " - "), "nomen": ("Text", "Ausdruck", "Teil", "Begriff"),
}  # fmt: skip
_GERMAN_BETWEEN: dict[Mark, tuple[str, ...]] = {
    "double": ("in Anführungszeichen", "zwischen den Anführungszeichen", "zwischen den Zeichen"),
    "single": ("in Anführungszeichen", "zwischen den Anführungszeichen", "zwischen den Zeichen"),
    "backtick": ("zwischen den Zeichen", "zwischen den Backticks"), "angle": ("zwischen den Zeichen",
                                                                              "zwischen << und >>"),
    "star": ("zwischen den Sternen", "zwischen den Zeichen"), "bar": ("zwischen den Strichen",
                                                                      "zwischen den Zeichen"),
}  # fmt: skip


def draw(split: Split, language: Language, mark: Mark, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Instructions with the carrier's place `{C}`, worded for one kind of marks: some 1,000 English ones a kind."""
    if language == "de":
        slots = {**_GERMAN_SLOTS, "zwischen": _GERMAN_BETWEEN[mark]}
        return templates(f"extract de {mark}", _GERMAN, slots, split=split, train=250, val=6, avoid=avoid)
    slots = {**_SLOTS, "marks": _NAMES[mark], "quoted": _QUOTED[mark]}
    return templates(f"extract en {mark}", _PATTERNS, slots, split=split, train=1000, val=30, avoid=avoid)
