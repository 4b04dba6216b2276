"""How to ask for a copy of a payload: the English and German grammars of COPY, of echo and of "say X".

Where a payload stands undelimited at the end of the prompt, nothing of the template follows it: a final full stop is
then the payload's own and has to be copied. A full stop, dash or line break after a leading payload only separates.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.data.grammar import Language, Split, templates

DELIMITED = ('"{P}"', '"{P}"', '"{P}"', "'{P}'", "'{P}'", "`{P}`", "<<{P}>>", "*{P}*", "|{P}|")
POLITE = (
    "", "", "", "", "", "", "", "", "please ", "please ", "please just ", "just ", "now ", "now please ", "kindly ",
    "simply ", "could you please ", "can you please ", "can you ", "could you ", "would you ", "will you ",
    "i want you to ", "i would like you to ", "i need you to ", "your task is to ", "your task: ", "your job is to ",
    "task: ", "go ahead and ", "hey, ", "ok, ", "now, ", "next, ", "you must ", "you should ", "all you do is ",
    "let me see you ", "be so kind and ", "for this one, ", "instruction: ", "request: ", "quickly ", "do this: ",
)  # fmt: skip
OPENING = ("", "", "", "", "", "", "", "", "hello. ", "hi! ", "listen. ", "a small task. ", "quick one. ",
           "next one. ",
           "one more. ", "thanks for helping. ", "new request. ", "be exact. ", "no comments. ")  # fmt: skip
ASK = ("can you ", "could you ", "would you ", "will you ", "can you please ", "could you please ",
       "would you please ",
       "are you able to ", "may i ask you to ", "do you want to ", "will you please ", "hello, can you ")
GLUE = (": ", ": ", ": ", ": ", ":\n", ":\n", "\n", " - ", " -> ", " = ", ":\n\n", " : ", ".\n", ".\n", ". ", ".\n\n")
END = (".", ".", ".", "", "!", "?", ". thanks.", ". thank you.", ", please.", ", please")
NOUN = ("word", "text", "phrase", "string", "message", "input", "line", "content", "term", "quote", "part", "value",
        "name", "item", "expression", "sentence", "entry", "piece of text")  # fmt: skip
NOUNS = ("words", "characters", "words", "letters", "lines", "terms", "values")

_VERB = (
    "say", "say", "say", "repeat", "repeat", "repeat", "echo", "echo", "copy", "copy", "copy", "print", "print",
    "write",
    "write", "type", "type", "output", "output", "return", "return", "reproduce", "reproduce", "state", "state",
    "read",
    "read out", "read back", "speak", "show", "show me", "display", "send", "send back", "send me", "give", "give me",
    "give back", "tell me", "put down", "write down", "write out", "say back", "repeat back", "answer with",
    "answer only with", "reply with", "reply only with", "respond with", "respond only with", "quote", "copy out",
    "type out", "print out", "type in", "copy down", "state back", "echo back", "output only", "return only",
    "say only",
    "place here", "put here", "set down", "recite", "duplicate", "transcribe", "relay", "deliver", "retype", "utter",
    "voice", "present", "provide", "hand back", "mirror back", "just repeat", "simply echo", "get me", "read aloud",
    "bring back", "record", "note down", "list", "restate", "replicate", "supply", "express", "enter",
)  # fmt: skip
_OBJECT = (
    "the {noun}", "this {noun}", "the following {noun}", "that {noun}", "my {noun}", "the exact {noun}",
    "the {noun} below", "the {noun} that follows", "the next {noun}", "the given {noun}", "exactly this {noun}",
    "just this {noun}", "only the {noun}", "only this {noun}", "these {nouns}", "the following {nouns}",
    "the {nouns} below", "the {noun} here", "the marked {noun}", "the quoted {noun}", "one {noun}", "a {noun}",
)  # fmt: skip
_THING = (*_OBJECT, "this", "this", "the following", "the following", "what follows", "what comes next", "it",
          "exactly this", "just this", "only this", "what i write here", "what stands here", "what is written here",
          "what you see here", "whatever comes now", "whatever stands below")  # fmt: skip
_THAT = ("that", "it", "this", "this {noun}", "that {noun}", "the {noun}", "the {noun} above", "what is above",
         "what stands above", "the text above", "the above", "these {nouns}", "the line above", "what i wrote",
         "what you see above", "my {noun}")  # fmt: skip
_MANNER = (
    "", "", "", "", "", "", " exactly", " verbatim", " word for word", " as is", " as it is", " as written", " once",
    " back", " back to me", " to me", " for me", " please", " again", " unchanged", " without changes",
    " without any change", " without changing it", " without anything else", " with nothing added",
    " with no extra text",
    " and nothing else", " and nothing more", " only", " in your answer", " in your reply", " exactly as it is",
    " exactly as given", " just as it stands", " now", " one time", " as your answer", " as your reply",
    " as the answer",
    " before anything else", " after me", " with no changes", " without more words", " in full", " precisely",
)  # fmt: skip
_TAIL = (" to me", " to me, please", " back", " for me, please", " one more time", " as your answer",
         " in your reply",
         " and no more", " just like that", ", no other word", " and then stop", " and be done", " right now",
         " once more",
         " and nothing else", " and nothing more", " for me", " back to me", " once", " please", ", please",
         ", nothing else", ", nothing more", " without anything else", " exactly", " verbatim", " as is",
         " without any changes", " again", " now", " and stop", " only", ", just that", ", only that")  # fmt: skip
_HERE = ("here is", "this is", "i give you", "look at", "below is", "here comes", "take", "you get", "i have")

_PATTERNS = (
    "{opening}{polite}{verb} {thing}{manner}{glue}{P}",
    "{opening}{polite}{verb} {thing}{manner}{glue}{P}",
    "{opening}{polite}{verb} {thing}{manner}{glue}{P}",
    "{polite}{verb} {thing}{glue}{P}",
    "{polite}{verb} {thing}{glue}{q}{end}",
    "{polite}{verb} {thing}{manner}{glue}{q}",
    "{opening}{polite}{verb} {q}{manner}{end}",
    "{polite}{verb} {q}{end}",
    "{polite}{verb} {object} {q}{manner}{end}",
    "{polite}{verb} {object} {q}{end}",
    "{gently}{verb} {P}",
    "{gently}{verb} {P}",
    "{gently}{verb} {object} {P}",
    "{ask}{verb} {P}?",
    "{ask}{verb} {object} {P}?",
    "{ask}{verb} {P}{tail}?",
    "{ask}{verb} {object} {P}{tail}?",
    "{polite}{verb} {P}{tail}{stop}",
    "{polite}{verb} {P}{tail}{stop}",
    "{polite}{verb} {P}{tail}{stop}",
    "{polite}{verb} {object} {P}{tail}{stop}",
    "{polite}{verb} {object} {P}{tail}{stop}",
    "the {noun} is {P}. {polite}{verb} it{manner}{end}",
    "my {nouns} are {P}. {polite}{verb} them{manner}{end}",
    "my {noun} is {P}, {polite}{verb} it{manner}{end}",
    "my {noun} is {P} and {want} {see} it{tail}{stop}",
    "i {said} {P}. {polite}{verb} {that}{manner}{end}",
    "i {said} {P} and you {verb} it{tail}{stop}",
    "if i {said} {P}, you {verb} it{tail}{stop}",
    "{intro}: {P}. {polite}{verb} it{manner}{end}",
    "{all_i_want} {P}",
    "{all_i_want} {P}{tail}{stop}",
    "{all_i_want} {thing}{glue}{P}",
    "{all_i_want} {q}{stop}",
    "{verb}{glue}{P}",
    "{verb}{manner}{glue}{P}",
    "{opening}{polite}{verb}{manner}{glue}{q}",
    "{q}{dash}{polite}{verb} {that}{manner}{end}",
    "{P}\n{polite}{verb} {that}{manner}{end}",
    "{P}{dash}{verb} {that}{manner}{end}",
    "{P}. {polite}{verb} {that}{manner}{end}",
    "{here} {object}{glue}{P}\n{polite}{verb} it{manner}{end}",
    "{here} {object}: {q}. {polite}{verb} it{manner}{end}",
    "{noun}: {P}\n{polite}{verb} the {noun}{manner}{end}",
    "{noun}: {q}. {polite}{verb} {that}{manner}{end}",
    "the {noun} is {q}. {polite}{verb} it{manner}{end}",
    "{noun} to {verb}{glue}{P}",
    "{verb} the {noun} after the colon{manner}: {P}",
    "your {reply} {must} be{exact}{glue}{P}",
    "your {reply} {must} be{exact} {q}{stop}",
    "{verb} what is {between} the {marks}{manner}: {q}",
    "{verb} what i {said}{manner}{glue}{P}",
    "i {said} {q}. {polite}{verb} {that}{manner}{end}",
    "when i say {q}, you {verb} it{manner}{stop}",
    "{intro}. {polite}{verb} it{manner}. {it_is}{glue}{P}",
    "{intro}. {polite}{verb} it{manner}. {it_is} {q}{stop}",
    "{rule}. {polite}{verb} {thing}{glue}{P}",
    "{rule}. {polite}{verb} {q}{end}",
    "{P}\n{rule}. {polite}{verb} {that}{end}",
    "{want} {see} {thing}{manner}{glue}{P}",
    "{want} {see} {q}{manner}{stop}",
    "{same}{glue}{P}",
    "{same}: {q}{stop}",
    "{polite}make {a_copy} {thing}{glue}{P}",
    "{polite}make {a_copy} {q}{end}",
    "the {reply} {must} be the same as {thing}{glue}{P}",
    "what i {said}, you {verb} too{glue}{P}",
    "you {verb} {thing}, {rule}{glue}{P}",
    "{gently}{verb} nothing but {P}",
    "{polite}{verb} nothing else but {thing}{glue}{P}",
    "do nothing but {verb} {thing}{glue}{P}",
    "{polite}take {thing} and {verb} it{manner}{glue}{P}",
    "{polite}take {q} and {verb} it{manner}{end}",
    "{P} is the {noun}. {polite}{verb} it{manner}{end}",
)

_SLOTS = {
    "polite": POLITE, "opening": OPENING, "glue": GLUE, "end": END, "noun": NOUN, "nouns": NOUNS, "q": DELIMITED,
    "verb": _VERB, "object": _OBJECT, "thing": _THING, "that": _THAT, "manner": _MANNER, "tail": _TAIL, "here": _HERE,
    "ask": ASK, "gently": tuple(front for front in POLITE if front not in ASK),
    "all_i_want": ("i only want to {see}", "all i want to {see} is", "i just want to {see}", "your {reply} is only",
                   "you only have to {verb}",
                   "the only thing to {verb} is", "in your {reply}, only {verb}", "it is enough to {verb}",
                   "just answer",
                   "you can simply {verb}", "there is only one thing to {verb}:", "for your {reply}, {verb}"),
    "stop": (".", ".", "", "!"), "dash": (" - ", "\n", ": ", " <- ", "\n\n", ", "), "reply": ("answer", "reply",
                                                                                              "output", "response"),
    "must": ("must", "should", "has to", "is to", "will"), "exact": ("", "", " exactly", " just", " only",
                                                                     " exactly this"),
    "between": ("between", "inside", "within", "in"), "marks": ("marks", "quotes", "quotation marks"),
    "intro": ("i will give you {object}", "there is {object} below", "you will see {object}",
              "i have {object} for you",
              "{object} comes next", "here comes {object}", "below stands {object}", "i send you {object}"),
    "it_is": ("it is", "here it is", "this is it", "the {noun} is", "{noun}", "here is the {noun}", "it reads"),
    "rule": ("no changes", "no changes, please", "do not add anything", "add nothing", "keep every letter",
             "do not change a word", "one line only", "no extra words", "nothing else is needed", "this is a test",
             "for my test", "no explanation", "do not explain", "keep it as it is", "without comment",
             "short answer"),
    "want": ("i want to", "i would like to", "let me", "i need to", "we want to", "may i", "can i", "i wish to"),
    "see": ("see", "hear", "read", "get", "have", "see", "hear again", "read again", "get back", "see once more"),
    "same": ("same {noun}", "same {noun} again", "same {noun} back", "the same again", "exactly the same",
             "an exact copy",
             "the same {nouns} back", "once more", "once again", "again", "back to me", "a copy, please",
             "one more time",
             "only this, unchanged", "this and nothing else", "just this", "word for word", "no more than this"),
    "a_copy": ("a copy of", "an exact copy of", "one copy of", "a second copy of", "your answer out of",
               "your reply of"),
    "said": ("say", "write", "type", "tell you", "send", "give you", "show you"),
}  # fmt: skip

_GERMAN_SLOTS = {
    "bitte": ("", "", "", "bitte ", "jetzt ", "nun ", "bitte nur ", "Aufgabe: ", "hallo, ", "und jetzt "),
    "verb": ("sag", "sage", "wiederhole", "schreib", "schreibe", "kopiere", "gib zurück", "antworte mit", "tippe",
             "lies vor",
             "zeige", "drucke", "sprich nach", "gib aus", "nenne", "übernimm", "schick mir", "gib mir",
             "antworte nur mit"),
    "ding": ("das", "dies", "folgendes", "das Wort", "den Text", "diesen Satz", "den Ausdruck", "diese Worte",
             "die Zeile",
             "das folgende", "den folgenden Text", "das folgende Wort", "diese Zeile", "die Eingabe", "genau das",
             "nur das"),
    "wie": ("", "", "", " genau", " wörtlich", " noch einmal", " einmal", " ohne Änderung", " und sonst nichts",
            " bitte",
            " genau so", " unverändert", " für mich", " ohne etwas anderes", " und nichts weiter"),
    "glue": (": ", ": ", ":\n", "\n", " - "),
    "q": ('"{P}"', '"{P}"', "'{P}'", "`{P}`"),
    "ende": (".", ".", "", "!", ". danke."),
    "nomen": ("Wort", "Text", "Satz", "Zeile", "Eingabe", "Ausdruck"),
    "frage": ("kannst du", "könntest du", "würdest du", "kannst du bitte", "möchtest du"),
    "tun": ("sagen", "wiederholen", "schreiben", "kopieren", "ausgeben", "tippen", "zeigen"),
}  # fmt: skip
_GERMAN = (
    "{bitte}{verb} {ding}{wie}{glue}{P}",
    "{bitte}{verb} {ding}{wie}{glue}{P}",
    "{bitte}{verb}{wie}{glue}{P}",
    "{bitte}{verb} {q}{wie}{ende}",
    "{bitte}{verb} {ding} {q}{wie}{ende}",
    "{bitte}{verb} {P}",
    "{nomen}: {P}\n{bitte}{verb} {ding}{wie}{ende}",
    "{q} - {bitte}{verb} {ding}{wie}{ende}",
    "{frage} {q} {tun}?",
    "{frage} das {tun}: {P}",
    "{frage} {ding}{wie} {tun}{glue}{P}",
    "{nomen} zum {tun}{glue}{P}",
)


def draw(split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Templates that ask for `{P}` exactly as it is written: some 2,500 English and 500 German ones for training."""
    if language == "de":
        return templates("copy de", _GERMAN, _GERMAN_SLOTS, split=split, train=500, val=40, avoid=avoid)
    return templates("copy en", _PATTERNS, _SLOTS, split=split, train=2500, val=80, avoid=avoid)
