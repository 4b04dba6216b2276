"""How to ask for the marked part of a sentence (EXTRACT), and the sentences that carry it.

A prompt is an instruction with a carrier sentence in the place `{C}`; the carrier holds the payload between two marks.
Instructions and carriers are split apart into training and validation, so a validation prompt is new in both.
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
)
_SLOTS: dict[str, tuple[str, ...]] = {
    "polite": POLITE, "opening": OPENING, "end": END, "noun": NOUN, "glue": (": ", ": ", ": ", ":\n", "\n", " - ",
                                                                             " -> ", ":\n\n"),
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
    "here": ("here is", "this is", "look at", "below is", "take", "you get", "read"),
    "a_text": ("a sentence", "a text", "a message", "a line", "the sentence", "the text", "some text"),
    "from_front": ("from this sentence", "from the sentence below", "from the following text", "out of this",
                   "in this sentence",
                   "in the following line", "from what follows", "from the input below"),
    "polite_inner": ("", "", "", "please ", "just ", "only ", "please just "),
    "look": ("look at this", "read this", "read the sentence", "look below", "check the text", "go through the line"),
}  # fmt: skip

_CARRIERS = (
    "{who} {said} {M}{tail}.", "{who} {said} {M}{tail}.", "{who} {said} {M}{tail}.", "{when} {who} {said} {M}{tail}.",
    "{when} {who} {said} {M}.", "the {thing} {showed} {M}{tail}.", "the {adj} {thing} {showed} {M}{tail}.",
    "on the {thing} {stood} {M}{tail}.", "on the {adj} {thing} {stood} {M}.", "{who} found {M} on the {thing}{tail}.",
    "nobody knew why {M} was {written} on the {thing}.", "{M} is what {who} {said}{tail}.",
    "{M} was {written} on the {thing}{tail}.",
    "{M} was {written} {where}.", "we read {M} {where}{tail}.", "i think {M} is {opinion}.",
    "{who} thinks that {M} is {opinion}.",
    "{who} asked what {M} was doing {where}.", "{who} could not forget {M}{tail}.",
    "the {noun} {M} was {written} {where}.",
    "the {noun} {M} made {who} laugh{tail}.", "{when} the {noun} {M} came up {where}.",
    "my favourite {noun} is {M}, said {who}.",
    "{weather} {who} {said} {M}{tail}.", "{weather} the {thing} {showed} {M}.", "{who} {said} {M}, and {who} agreed.",
    "{who} {said} {M} and {then}.", "first {who} {said} {M}, then {who} {left}.",
    "if {who} {says} {M}, {who} will be glad.",
    "there was {M} {where}, but {who} did not see it.", "they called the {thing} {M}{tail}.",
    "{who} named the {animal} {M}{tail}.",
)  # fmt: skip
_CARRIER_SLOTS: dict[str, tuple[str, ...]] = {
    "who": ("the teacher", "my friend", "she", "he", "Anna", "Tom", "the old man", "a child", "our guide",
            "the captain", "Maria",
            "Peter", "the nurse", "a stranger", "my sister", "the baker", "the pilot", "Lena", "someone", "the boss",
            "a farmer",
            "the singer", "Jonas", "the driver", "grandma", "the king", "a waiter", "the coach", "Emma", "the doctor",
            "everybody",
            "my neighbor", "the author", "Sam", "the whole class", "one visitor"),
    "said": ("said", "said", "wrote", "shouted", "read", "whispered", "typed", "printed", "mentioned", "called out",
             "answered",
             "repeated", "sang", "asked for", "painted", "heard", "liked", "yelled", "noted", "remembered", "spelled",
             "told us",
             "used", "put down", "ordered", "muttered"),
    "says": ("says", "writes", "reads", "types", "answers", "hears"),
    "tail": ("", "", "", "", " yesterday", " twice", " and left", " in the garden", " before lunch",
             " when it rained",
             " to the crowd", " and smiled", " for no reason", " last week", " after the game", " on the phone",
             " at dinner",
             " without a smile", " in the meeting", " many times", " in a low voice", " by mistake", " this morning",
             " again"),
    "when": ("yesterday", "this morning", "last night", "after lunch", "in the evening", "on monday", "at noon",
             "before the trip",
             "long ago", "in winter", "during class", "one day", "later", "at last", "in the end", "on the train"),
    "thing": ("sign", "door", "box", "wall", "letter", "screen", "note", "poster", "label", "card", "page", "board",
              "menu", "bottle",
              "shirt", "ticket", "envelope", "map", "banner", "window", "bag", "cup", "report", "list"),
    "adj": ("old", "new", "red", "small", "big", "broken", "blue", "dirty", "first", "last", "wooden", "white",
            "torn"),
    "showed": ("said", "showed", "read", "displayed", "had", "told us", "spelled", "stated"),
    "stood": ("stood", "was", "we saw", "somebody wrote", "they printed", "she painted", "it said", "was written"),
    "written": ("written", "printed", "painted", "scratched", "found", "typed", "carved", "drawn", "shown"),
    "where": ("on the wall", "in the book", "in the kitchen", "at school", "on the table", "near the river",
              "in the report",
              "under the bridge", "in the newspaper", "at the station", "in the middle of the page",
              "in the first line", "outside"),
    "opinion": ("nice", "strange", "too long", "a good name", "wrong", "funny", "important", "a bad idea",
                "hard to read", "old"),
    "noun": ("word", "phrase", "text", "line", "name", "term", "message", "title", "expression"),
    "weather": ("it was late.", "it rained.", "the sun was out.", "nothing happened.", "the room was quiet.",
                "we waited."),
    "then": ("left", "smiled", "sat down", "went home", "closed the door", "drank some tea", "nobody answered",
             "we all laughed"),
    "left": ("left", "slept", "went away", "laughed", "nodded", "wrote a letter"),
    "animal": ("dog", "cat", "horse", "boat", "robot", "parrot", "ship", "band"),
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
_GERMAN_CARRIERS = (
    "{wer} {sagte} {M}{rest}.", "{wer} {sagte} {M}{rest}.", "{wann} {sagte} {wer} {M}{rest}.",
    "auf {ding} stand {M}{rest}.",
    "auf {ding} war {M} zu lesen.", "{M} stand auf {ding}{rest}.", "{wer} fand {M} auf {ding}.",
    "{wer} mag {M}{rest}.",
    "das Wort {M} gefiel {wem}{rest}.", "niemand weiß, warum {M} auf {ding} steht.",
)  # fmt: skip
_GERMAN_CARRIER_SLOTS: dict[str, tuple[str, ...]] = {
    "wer": ("der Lehrer", "sie", "er", "Anna", "mein Freund", "das Kind", "die Mutter", "der Bäcker", "jemand",
            "Peter", "der Chef",
            "die Ärztin", "ein Gast", "Lena"),
    "wem": ("dem Lehrer", "ihr", "ihm", "Anna", "dem Kind", "der Mutter", "allen"),
    "sagte": ("sagte", "schrieb", "rief", "las", "flüsterte", "tippte", "sang", "antwortete", "hörte"),
    "rest": ("", "", "", " gestern", " zweimal", " am Abend", " im Garten", " vor dem Essen", " ohne Grund",
             " am Telefon"),
    "wann": ("gestern", "heute", "am Morgen", "nach dem Spiel", "am Montag", "später", "in der Nacht"),
    "ding": ("dem Schild", "der Tür", "dem Zettel", "der Karte", "der Wand", "dem Brief", "dem Plakat", "der Kiste"),
}  # fmt: skip


def draw(split: Split, language: Language, mark: Mark, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Instructions with the carrier's place `{C}`, worded for one kind of marks: some 1,000 English ones a kind."""
    if language == "de":
        slots = {**_GERMAN_SLOTS, "zwischen": _GERMAN_BETWEEN[mark]}
        return templates(f"extract de {mark}", _GERMAN, slots, split=split, train=250, val=6, avoid=avoid)
    slots = {**_SLOTS, "marks": _NAMES[mark], "quoted": _QUOTED[mark]}
    return templates(f"extract en {mark}", _PATTERNS, slots, split=split, train=1000, val=30, avoid=avoid)


def draw_carriers(split: Split, language: Language) -> tuple[str, ...]:
    """Sentences with `{M}` where the payload stands between its marks: some 2,500 English, 500 German ones."""
    if language == "de":
        return templates("carrier de", _GERMAN_CARRIERS, _GERMAN_CARRIER_SLOTS, split=split, train=500, val=40)
    return templates("carrier en", _CARRIERS, _CARRIER_SLOTS, split=split, train=2500, val=80)
