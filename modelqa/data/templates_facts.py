"""How to ask for facts, sums and yes/no: phrasings by kind of fact, English and German."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.data.facts import Fact
from modelqa.data.grammar import Language, Split, templates

_FRONT = ("", "", "", "", "", "question: ", "quick question: ", "hello, ", "please tell me: ", "answer this: ", "q: ",
          "tell me: ",
          "in one word: ", "in short: ", "answer in one word: ", "answer briefly: ", "just the answer: ", "now, ",
          "next question: ",
          "an easy one: ", "quiz: ", "i wonder: ", "do you know this: ", "answer please: ", "for me: ")  # fmt: skip
_SLOTS: dict[str, tuple[str, ...]] = {
    "front": _FRONT,
    "ask": ("please ", "", "", "", "can you ", "could you ", "would you ", "now ", "just ", "please just ",
            "i want you to "),
    "back": ("?", "?", "?", "?", ", please?", "? answer in one word.", "? just the answer.", "? be brief.",
             "? tell me.", "? thanks."),
    "end": (".", ".", "", ", please.", ". thanks."),
}
_FRAMES = (
    "{front}what is {np}{back}", "{front}what is {np}{back}", "{front}what's {np}{back}", "{ask}tell me {np}{end}",
    "{ask}name {np}{end}",
    "{ask}give {np}{end}", "{ask}give me {np}{end}", "{np}?", "{np}:", "{np} is", "{front}{np} is what?",
    "{ask}state {np}{end}",
    "i need {np}{end}", "i would like to know {np}{end}", "i want to know {np}{end}", "complete: {np} is",
    "complete this: {np} is ...",
    "fill in: {np} is", "fill in the blank: {np} is ___", "{ask}find {np}{end}", "{front}what would be {np}{back}",
    "{ask}answer with {np}{end}", "let me know {np}{end}", "do you know {np}? tell me.",
    "{front}which one is {np}{back}",
    "{ask}tell me what {np} is{end}", "{np}. which one is it?", "{np}, what is it?", "{ask}reply with {np}{end}",
    "{ask}get me {np}{end}",
    "{ask}respond with {np}{end}", "{front}what do we call {np}{back}", "{np} =", "i forgot {np}. what is it?",
    "{ask}show me {np}{end}",
)  # fmt: skip

# noun phrases that fit the frames, and whole questions of the kind, by (kind, language)
_PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "capital": (
        ("the capital of {S}", "the capital city of {S}", "{S}'s capital", "{S}'s capital city",
         "the city that is capital of {S}"),
        ("{front}which city is the capital of {S}{back}", "{front}what city is {S}'s capital{back}",
         "{S} has which capital?",
         "country: {S}\ncapital:", "country: {S}. capital?", "{front}which city is capital in {S}{back}",
         "capital of {S}"),
    ),
    "country": (
        ("the country whose capital is {S}", "the country of which {S} is the capital",
         "the country that has {S} as its capital"),
        ("{front}{S} is the capital of which country{back}", "{front}{S} is the capital of what country{back}",
         "{S} is the capital of",
         "{front}which country has the capital {S}{back}", "{front}which country has {S} as its capital{back}",
         "capital: {S}\ncountry:",
         "{front}of which country is {S} the capital{back}", "{front}in which country is {S} the capital{back}"),
    ),
    "opposite": (
        ("the opposite of {S}", 'the opposite of "{S}"', "the opposite of the word {S}", "the opposite word of {S}",
         "the antonym of {S}",
         "the contrary of {S}"),
        ("{front}which word is the opposite of {S}{back}", "not {S} but", "{S} is the opposite of what?",
         "{front}what word means the opposite of {S}{back}",
         "word: {S}\nopposite:", "opposite of {S}", "{S} and its opposite: {S} and",
         "{ask}give the word that is the opposite of {S}{end}"),
    ),
    "colour": (
        ("the colour of {S}", "the color of {S}", "the usual colour of {S}", "the colour that {S} has",
         "the normal color of {S}"),
        ("{front}what colour is {S}{back}", "{front}which colour is {S}{back}", "{front}what color is {S}{back}",
         "{front}what colour does {S} have{back}",
         "{S}: which colour?", "{front}which color does {S} have{back}", "thing: {S}\ncolour:",
         "{front}of what colour is {S}{back}"),
    ),
    "next_day": (
        ("the day after {S}", "the day that comes after {S}", "the day following {S}", "the next day after {S}",
         "the weekday after {S}"),
        ("{front}which day comes after {S}{back}", "{front}what day follows {S}{back}",
         "{front}what comes after {S}{back}", "after {S} comes",
         "today is {S}. what is tomorrow?", "{front}which day is next after {S}{back}",
         "if today is {S}, tomorrow is"),
    ),
    "next_month": (
        ("the month after {S}", "the month that comes after {S}", "the month following {S}",
         "the next month after {S}"),
        ("{front}which month comes after {S}{back}", "{front}what month follows {S}{back}",
         "{front}what comes after {S}{back}", "after {S} comes",
         "{front}which month is next after {S}{back}", "this month is {S}. which month is next?"),
    ),
    "sound": (
        ("the sound of {S}", "the sound that {S} makes", "the noise of {S}", "the noise that {S} makes"),
        ("{front}what sound does {S} make{back}", "{front}what does {S} say{back}",
         "{front}which sound does {S} make{back}", "{S} makes which sound?",
         "{front}how does {S} sound{back}", "animal: {S}\nsound:", "{front}what noise does {S} make{back}"),
    ),
    "young": (
        ("the young of {S}", "the name for the young of {S}", "the baby of {S}", "the name of the baby of {S}",
         "the word for the young of {S}"),
        ("{front}what is the young of {S} called{back}", "{front}what do you call the young of {S}{back}",
         "{front}what is the baby of {S} called{back}",
         "{front}how do you call the baby of {S}{back}", "animal: {S}\nyoung:", "the young of {S} is called"),
    ),
    "plural": (
        ("the plural of {S}", 'the plural of "{S}"', "the plural form of {S}", "the plural of the word {S}",
         "the correct plural of {S}"),
        ("one {S}, two", "one {S}, many", "{front}how do you write the plural of {S}{back}", "singular: {S}\nplural:",
         "{front}what is {S} in the plural{back}",
         "{S} in plural?", "{front}which word is the plural of {S}{back}", "plural of {S}"),
    ),
    "past": (
        ("the past tense of {S}", 'the past tense of "{S}"', "the past form of {S}", "the simple past of {S}",
         "the past tense of to {S}"),
        ("{front}what is {S} in the past{back}", "today i {S}, yesterday i", "verb: {S}\npast:",
         "{front}which word is the past of {S}{back}",
         "{front}how do you write {S} in the past tense{back}", "past tense of {S}"),
    ),
    "legs": (
        ("the number of legs of {S}", "the number of legs that {S} has", "the leg count of {S}"),
        ("{front}how many legs does {S} have{back}", "{front}how many legs has {S}{back}", "{S} has how many legs?",
         "{ask}count the legs of {S}{end}",
         "{front}with how many legs does {S} walk{back}", "animal: {S}\nlegs:",
         "{front}how many legs are there on {S}{back}"),
    ),
    "symbol": (
        ("the chemical symbol of {S}", "the chemical formula of {S}", "the symbol for {S}", "the formula for {S}",
         "the chemical symbol for {S}"),
        ("{front}which chemical symbol does {S} have{back}", "{front}how do chemists write {S}{back}",
         "substance: {S}\nsymbol:",
         "{front}how is {S} written in chemistry{back}", "{front}which symbol stands for {S}{back}"),
    ),
    "amount": (
        ("the number of {S}", "the count of {S}"),
        ("{front}how many {S}{back}", "how many {S}?", "{S}: how many?", "{S}: how many are there?",
         "{ask}count the {S}{end}", "{ask}tell me how many {S}{end}"),
    ),
    "keyword": (
        ("the Python word that {S}", "the Python keyword that {S}", "the word in Python that {S}",
         "the name in Python that {S}"),
        ("{front}in Python, what {S}{back}", "{front}which word {S} in Python{back}",
         "{front}what {S} in Python{back}", "{front}which Python word {S}{back}",
         "{front}which keyword {S} in Python code{back}", "code question: what {S} in Python?"),
    ),
    "planet": (
        ("the planet that is {S}", "the name of the planet that is {S}", "the planet known as {S}"),
        ("{front}which planet is {S}{back}", "{front}what planet is {S}{back}", "planet, {S}:",
         "{ask}name the planet that is {S}{end}"),
    ),
    "german": (
        ("the German word for {S}", 'the German word for "{S}"', "{S} in German", "the German translation of {S}",
         "German for {S}"),
        ("{front}how do you say {S} in German{back}", "{ask}translate {S} into German{end}",
         "{ask}translate into German: {S}", "{S} -> German:",
         "{front}what do Germans call {S}{back}", "English: {S}\nGerman:", "{front}how do Germans say {S}{back}"),
    ),
    "english": (
        ("the English word for {S}", 'the English word for "{S}"', "{S} in English", "the English translation of {S}",
         "English for {S}"),
        ("{front}how do you say {S} in English{back}", "{ask}translate {S} into English{end}",
         "{ask}translate into English: {S}", "{S} -> English:",
         "{front}what does the German word {S} mean in English{back}", "German: {S}\nEnglish:",
         "{front}how is {S} called in English{back}"),
    ),
}  # fmt: skip
_GERMAN_FRONT = ("", "", "", "Frage: ", "sag mir: ", "kurze Frage: ", "bitte antworte: ", "hallo, ",
                 "in einem Wort: ", "weißt du das: ")
_GERMAN_FRAMES = ("{front}was ist {np}?", "{front}was ist {np}?", "{front}wie heißt {np}?", "nenne {np}.",
                  "bitte nenne {np}.", "sag mir {np}.",
                  "{np}?", "{np} ist", "{np}:", "gib mir {np}.", "ich suche {np}.",
                  "kannst du mir {np} nennen?")  # fmt: skip
_GERMAN_PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "capital": (("die Hauptstadt von {S}", "die Hauptstadt des Landes {S}"),
                ("{front}welche Stadt ist die Hauptstadt von {S}?", "Land: {S}\nHauptstadt:",
                 "{S} hat welche Hauptstadt?")),
    "opposite": (("das Gegenteil von {S}", 'das Gegenteil von "{S}"', "das Gegenteil des Wortes {S}"),
                 ("{front}welches Wort ist das Gegenteil von {S}?", "nicht {S}, sondern", "Wort: {S}\nGegenteil:")),
    "next_day": (("der Tag nach {S}", "der nächste Tag nach {S}"),
                 ("{front}welcher Tag kommt nach {S}?", "{front}welcher Tag folgt auf {S}?",
                  "heute ist {S}. was ist morgen?", "nach {S} kommt")),
}  # fmt: skip

_SUM_SLOTS: dict[str, tuple[str, ...]] = {
    "front": _FRONT, "back": ("?", "?", "?", ", please?", "? just the number.", "? tell me.", "? be exact."),
    "ask": _SLOTS["ask"], "end": _SLOTS["end"],
    "e": ("{A} + {B}", "{A} + {B}", "{A}+{B}", "{A} plus {B}", "{A} plus {B}", "{A} and {B} together",
          "the sum of {A} and {B}", "the total of {A} and {B}",
          "the result of {A} + {B}", "the result of {A} plus {B}", "the sum {A} + {B}", "{A} added to {B}",
          "{A} and {B} added together"),
    "s": ("{A} + {B}", "{A} + {B}", "{A}+{B}", "{A} plus {B}"),
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


def draw_facts(kind: str, split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask for a fact of `kind` about `{S}`: some 150 English and 50 German ones."""
    phrases, questions = (_PHRASES if language == "en" else _GERMAN_PHRASES)[kind]
    if language == "de":
        slots, patterns = {"front": _GERMAN_FRONT, "np": phrases}, (*_GERMAN_FRAMES, *questions)
        return templates(f"fact de {kind}", patterns, slots, split=split, train=50, val=3, avoid=avoid)
    few = (*_FRAMES[:3], "i want to know {np}.")
    patterns = questions * 2 + (few if kind == "amount" else _FRAMES)
    slots = {**_SLOTS, "np": phrases}
    return templates(f"fact en {kind}", patterns, slots, split=split, train=150, val=4, avoid=avoid)


def draw_sums(split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask for `{A}` + `{B}`: some 400 English and 60 German ones."""
    if language == "de":
        slots = {"front": _GERMAN_FRONT}
        return templates("sum de", _GERMAN_SUM_FRAMES, slots, split=split, train=60, val=5, avoid=avoid)
    return templates("sum en", _SUM_FRAMES, _SUM_SLOTS, split=split, train=400, val=20, avoid=avoid)


def draw_yes_no(kind: str, split: Split, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask whether `{X}` is the answer for `{S}`: some 120 English ones a kind."""
    bare, full = _STATEMENTS[kind]
    slots = {**_SLOTS, "st": (bare,), "st_is": (full,)}
    return templates(f"yes-no {kind}", _YES_NO, slots, split=split, train=120, val=4, avoid=avoid)


def ask_fact(fact: Fact, template: str) -> str:
    """The template filled in with the fact's subject; the subject "hours|day" reads "hours in a day"."""
    unit, _, whole = fact.subject.partition("|")
    article = "an" if whole in ("hour", "alphabet") else "a"
    return template.replace("{S}", f"{unit} in {article} {whole}" if whole else unit)
