"""How to ask for a payload in brackets: the English and German grammars of WRAP, for four kinds of brackets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from modelqa.data.grammar import Language, Split, templates
from modelqa.data.templates_copy import ASK, DELIMITED, END, GLUE, NOUN, NOUNS, OPENING, POLITE

Bracket = Literal["square", "round", "angle", "curly"]

BRACKETS: dict[Bracket, tuple[str, str]] = {"square": ("[", "]"), "round": ("(", ")"), "angle": ("<", ">"),
                                            "curly": ("{", "}")}
BRACKET_SHARES: tuple[tuple[Bracket, float], ...] = (("square", 0.85), ("round", 0.07), ("angle", 0.04), ("curly",
                                                                                                          0.04))

_NAMES: dict[Bracket, tuple[str, ...]] = {
    "square": ("square brackets", "square brackets", "square brackets", "brackets", "brackets",
               "a pair of square brackets",
               "a pair of brackets", "[ ]", "[]", "square brackets [ ]", "square brackets []",
               "the square brackets [ ]",
               "these brackets: [ ]", "two square brackets", "[ and ]"),
    "round": ("parentheses", "round brackets", "a pair of parentheses", "( )", "()", "round brackets ( )"),
    "angle": ("angle brackets", "angle brackets < >", "a pair of angle brackets", "pointed brackets", "< >"),
    "curly": ("curly brackets", "curly braces", "braces", "a pair of curly brackets", "{ }"),
}  # fmt: skip
_GERMAN_NAMES: dict[Bracket, tuple[str, ...]] = {
    "square": ("eckige Klammern", "eckige Klammern", "Klammern", "[ ]", "[]"),
    "round": ("runde Klammern", "( )"),
    "angle": ("spitze Klammern", "< >"),
    "curly": ("geschweifte Klammern", "{ }"),
}
_PATTERNS = (
    "{opening}{polite}{wrap} {thing} {in} {br}{manner}{glue}{P}",
    "{opening}{polite}{wrap} {thing} {in} {br}{manner}{glue}{P}",
    "{polite}{wrap} {q} {in} {br}{manner}{end}",
    "{polite}{wrap} {object} {q} {in} {br}{manner}{end}",
    "{polite}{wrap} {P} {in} {br}{manner}{end}",
    "{polite}{wrap} {object} {P} {in} {br}{manner}{end}",
    "{polite}{wrap} {P} {in} {br}{manner}{stop}",
    "{polite}{surround} {thing} with {br}{manner}{glue}{P}",
    "{polite}{surround} {q} with {br}{manner}{end}",
    "{polite}{surround} {P} with {br}{manner}{end}",
    "{polite}{add} {br} {around} {thing}{manner}{glue}{P}",
    "{polite}{add} {br} {around} {q}{manner}{end}",
    "{polite}{add} {br} {around} {object} {q}{end}",
    "{gently}{add} {br} {around} {P}",
    "{ask}{add} {br} {around} {P}?",
    "{ask}{add} {br} {around} {object} {P}?",
    "{ask}{wrap} {P} {in} {br}?",
    "{ask}{wrap} {object} {P} {in} {br}?",
    "{polite}{add} {br} {around} {object} {P}{manner}{stop}",
    "my {nouns} are {P}. {polite}{wrap} them {in} {br}{end}",
    "my {noun} is {P}. {polite}{wrap} it {in} {br}{end}",
    "the {noun} is {P}. {polite}{add} {br} {around} it{end}",
    "{br} are missing {around} {thing}{glue}{P}",
    "{br} {around} {thing}{glue}{P}",
    "{br} {around} {q}, please{stop}",
    "{P} needs {br}{stop}",
    "{P} without {br} is wrong. {polite}{wrap} it {in} {br}{end}",
    "i {want_verb} {P} {in} {br}{stop}",
    "i {want_verb} {P} with {br} {around} it{stop}",
    "{polite}{say} {thing} {in} {br}{manner}{glue}{P}",
    "{polite}{say} {thing} with {br} {around} it{manner}{glue}{P}",
    "{polite}{say} {q} {in} {br}{manner}{end}",
    "{polite}{say} {q} with {br} {around} it{end}",
    "{in} {br}, {say} {thing}{glue}{P}",
    "{in} {br}{glue}{P}",
    "with {br} {around} it{glue}{P}",
    "{P}\n{polite}{wrap} {that} {in} {br}{manner}{end}",
    "{q}{dash}{polite}{wrap} {that} {in} {br}{manner}{end}",
    "{P}{dash}{polite}{add} {br} {around} {that}{end}",
    "{P}. {polite}{wrap} {that} {in} {br}{end}",
    "{q}{dash}{polite}{surround} {that} with {br}{end}",
    "{here} {object}{glue}{P}\n{polite}{wrap} it {in} {br}{manner}{end}",
    "{noun}: {P}\n{polite}{wrap} the {noun} {in} {br}{manner}{end}",
    "{noun}: {q}. {polite}{wrap} {that} {in} {br}{end}",
    "the {noun} is {q}. {polite}{wrap} it {in} {br}{manner}{end}",
    "how does {q} look {in} {br}?",
    "what does {q} look like {in} {br}?",
    "{noun} to {wrap} {in} {br}{glue}{P}",
    "{open} {br}, then {thing}, then close {them}{glue}{P}",
    "your answer is {thing} {in} {br}{glue}{P}",
    "{wrap} {in} {br}{glue}{P}",
    "{wrap} {in} {br} the {noun} {q}{end}",
    "{want} {P} {in} {br}{manner}{stop}",
    "{want} {thing} {in} {br}{manner}{glue}{P}",
    "{want} {q} with {br} {around} it{stop}",
    "{q} {should} {in} {br}{stop}",
    "{P} {should} {in} {br}{stop}",
    "{thing} {should} {in} {br}{glue}{P}",
    "{rule}. {polite}{wrap} {thing} {in} {br}{glue}{P}",
    "{intro}. {polite}{wrap} it {in} {br}{manner}. {it_is}{glue}{P}",
    "{polite}take {thing} and {wrap} it {in} {br}{manner}{glue}{P}",
    "{polite}take {q} and {wrap} it {in} {br}{manner}{end}",
    "{polite}{say} the {nouns} {P} with {br} {around} them{end}",
    "{polite}make {thing} stand {in} {br}{glue}{P}",
    "{polite}make {q} stand {in} {br}{end}",
    "{thing} with {br} {around} it, please{glue}{P}",
)
_BRACKET_ONLY = ("{polite}bracket {thing}{manner}{glue}{P}", "{polite}bracket {q}{manner}{end}",
                 "{polite}bracket {object} {q}{end}", "{polite}bracket {object} {P}", "bracket{glue}{P}",
                 "{q}{dash}{polite}bracket {that}{end}", "{polite}add {one} on {each} of {thing}{glue}{P}",
                 "{polite}put {one} on {each} of {q}{end}", "start with [ and end with ]{glue}{P}",
                 "{polite}{say} {thing} with [ before and ] after it{glue}{P}",
                 "{polite}{say} {thing}, beginning with [ and ending with ]{glue}{P}",
                 "{polite}{say} [, then {thing}, then ]{glue}{P}")  # fmt: skip
_THING = ("this", "this", "the following", "what follows", "it", "the {noun}", "this {noun}", "the following {noun}",
          "the {noun} below", "my {noun}", "the given {noun}", "these {nouns}", "the following {nouns}",
          "the next {noun}",
          "the whole {noun}", "exactly this {noun}", "only this {noun}", "whatever stands here",
          "what is written here",
          "whatever follows")  # fmt: skip
_SLOTS = {
    "polite": POLITE, "opening": OPENING, "glue": GLUE, "end": END, "noun": NOUN, "nouns": NOUNS, "q": DELIMITED,
    "thing": _THING,
    "object": ("the {noun}", "this {noun}", "the {nouns}", "the given {noun}", "my {noun}", "the following {noun}"),
    "that": ("that", "it", "this", "the {noun}", "this {noun}", "the {noun} above", "the Text above",
             "what is above"),
    "wrap": ("wrap", "wrap", "wrap", "put", "put", "put", "enclose", "enclose", "place", "place", "set", "set",
             "write", "write",
             "surround", "type", "print", "enter", "frame", "box", "pack", "bring", "copy", "wrap up", "show",
             "close"),
    "surround": ("surround", "surround", "enclose", "wrap", "frame", "border", "start and end", "mark", "bracket",
                 "fence"),
    "add": ("add", "put", "place", "set", "write", "draw", "put", "type", "wrap", "insert"),
    "say": ("say", "write", "give me", "give", "return", "output", "print", "show", "show me", "repeat", "type",
            "send", "display",
            "reply with", "answer with", "respond with", "state", "tell me", "get me", "return only", "echo", "copy",
            "quote"),
    "in": ("in", "in", "in", "inside", "inside", "within", "within", "between", "into"),
    "around": ("around", "around", "round", "before and after", "on both sides of", "about"),
    "manner": ("", "", "", "", "", " please", " and nothing else", " exactly", " for me", " without changing it",
               " now",
               " without any other change", " as is", " and give it back", " and return it", " and send it back",
               " and stop",
               " and print it", " and nothing more", " without anything else", " and show me the result", " once"),
    "dash": (" - ", "\n", ": ", " <- ", "\n\n", ", "),
    "here": ("here is", "this is", "i give you", "look at", "below is", "take", "you get"),
    "ask": ASK, "gently": tuple(front for front in POLITE if front not in ASK),
    "want_verb": ("need", "want", "would like", "need to see", "want to see", "wish to have", "want to read",
                  "like to see"),
    "one": ("a square bracket", "one square bracket", "one bracket", "a bracket"),
    "each": ("each side", "both sides", "either side", "the left and the right"),
    "want": ("i need", "i want", "i would like", "we need", "show me", "let me see", "please give me", "can i have"),
    "should": ("should stand", "belongs", "must be", "has to be", "should be", "needs to be", "goes", "must stand"),
    "rule": ("no changes", "do not add anything else", "add nothing else", "keep every letter", "keep the words",
             "nothing else is needed", "no extra words", "do not explain", "this is a test", "just the result"),
    "intro": ("i will give you {object}", "there is {object} below", "you will see {object}",
              "i have {object} for you",
              "here comes {object}", "below stands {object}"),
    "it_is": ("it is", "here it is", "this is it", "the {noun} is", "{noun}", "here is the {noun}"),
    "stop": (".", ".", "", "!", ", please."),
    "open": ("open", "start with", "begin with"), "them": ("them", "it", "them again"),
}  # fmt: skip
_GERMAN = (
    "{bitte}{setze} {ding} in {br}{wie}{glue}{P}",
    "{bitte}{setze} {ding} in {br}{wie}{glue}{P}",
    "{bitte}{setze} {q} in {br}{wie}{ende}",
    "{bitte}{setze} {ding} {q} in {br}{ende}",
    "{bitte}{mache} {br} um {ding}{wie}{glue}{P}",
    "{bitte}{mache} {br} um {q}{ende}",
    "{q} - {bitte}{setze} {ding} in {br}{ende}",
    "{nomen}: {P}\n{bitte}{setze} {ding} in {br}{ende}",
    "{frage} {q} in {br} {tun}?",
    "{frage} {ding} in {br} {tun}{glue}{P}",
    "in {br}{glue}{P}",
)
_GERMAN_SLOTS = {
    "bitte": ("", "", "", "bitte ", "jetzt ", "nun ", "Aufgabe: ", "und jetzt ", "hallo, "),
    "setze": ("setze", "setz", "schreibe", "schreib", "packe", "stelle", "tippe", "fasse", "bringe", "gib"),
    "mache": ("mache", "mach", "setze", "schreibe", "füge", "stelle"),
    "ding": ("das", "dies", "folgendes", "das Wort", "den Text", "diesen Satz", "den Ausdruck", "die Zeile",
             "das folgende",
             "den folgenden Text", "diese Worte", "die Eingabe"),
    "wie": ("", "", "", " und sonst nichts", " bitte", " ohne Änderung", " für mich", " und nichts weiter"),
    "glue": (": ", ": ", ":\n", "\n", " - "), "q": ('"{P}"', '"{P}"', "'{P}'", "`{P}`"), "ende": (".", ".", "", "!",
                                                                                                  ". danke."),
    "nomen": ("Wort", "Text", "Satz", "Zeile", "Eingabe"),
    "frage": ("kannst du", "könntest du", "würdest du", "kannst du bitte"),
    "tun": ("setzen", "schreiben", "packen", "stellen"),
}  # fmt: skip


def draw(split: Split, language: Language, bracket: Bracket, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Templates that ask for `{P}` in the named brackets: some 2,000 English ones for square brackets."""
    square = bracket == "square"
    if language == "de":
        slots = {**_GERMAN_SLOTS, "br": _GERMAN_NAMES[bracket]}
        val = 30 if square else 5
        return templates(f"wrap de {bracket}", _GERMAN, slots, split=split, train=300, val=val, avoid=avoid)
    slots = {**_SLOTS, "br": _NAMES[bracket]}
    patterns = _PATTERNS + _BRACKET_ONLY if square else _PATTERNS
    train, val = (2000, 80) if square else (400, 20)
    return templates(f"wrap en {bracket}", patterns, slots, split=split, train=train, val=val, avoid=avoid)
