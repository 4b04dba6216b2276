"""Questions about a string that must not be answered by copying it: anti-echo, for real words and for gibberish.

Each kind of question has one rule for its answer, which depends on the string alone, so no prompt gets two answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from modelqa.data.grammar import Language, Split, templates
from modelqa.data.templates_copy import DELIMITED

Question = Literal["exists", "invented", "known", "meaning"]
QUESTIONS: tuple[Question, ...] = ("exists", "invented", "known", "meaning")

_FRONT = ("", "", "", "", "", "", "", "hello, ", "hey, ", "tell me, ", "please tell me: ", "question: ",
          "quick question: ",
          "a question: ", "say, ", "be honest, ", "i wonder, ", "now, ", "next question: ", "one question: ",
          "answer this: ",
          "ok, ", "yes or no: ", "just tell me: ", "one more: ")  # fmt: skip
_FRONT_OPEN = tuple(front for front in _FRONT if front != "yes or no: ")
_BACK = ("?", "?", "?", "?", "?", ", please?", " or not?", "? please answer.", "? answer briefly.", "? yes or no?",
         "? just yes or no.",
         "? tell me.", " now?", " at all?")  # fmt: skip
_BACK_OPEN = ("?", "?", "?", "?", "?", ", please?", "? please answer.", "? answer briefly.", "? tell me.",
              " exactly?", "? be brief.")
_STRING = (*DELIMITED, "{P}", "{P}", "{P}", 'the word "{P}"', "the word {P}", "the term {P}", 'the term "{P}"',
           "the string '{P}'",
           'the text "{P}"', "the thing called {P}")  # fmt: skip
_SLOTS: dict[str, tuple[str, ...]] = {
    "front": _FRONT, "back": _BACK, "front_open": _FRONT_OPEN, "back_open": _BACK_OPEN, "q": (*DELIMITED, "{P}",
                                                                                              "{P}", "{P}"),
    "string": _STRING, "polite": ("", "", "", "please ", "can you ", "could you ", "would you ", "i want you to ",
                                  "now ", "briefly "),
    "real": ("a real word", "a real word", "a word", "an english word", "a real english word", "an existing word",
             "a known word",
             "a true word", "a word that exists", "a proper word", "a correct word", "a real thing", "an actual word",
             "a word in english", "a word people use", "a valid word"),
    "place": ("in english", "in the dictionary", "as a word", "in any language", "in the english language",
              "in real life", "anywhere"),
    "fake": ("a made-up word", "nonsense", "gibberish", "an invented word", "a fake word",
             "a word that does not exist",
             "just noise", "a nonsense word", "made up", "invented"),
    "a_word": ("the word {q}", "the word {q}", "{q}", "the term {q}", "a word like {q}", "the name {q}",
               "this word: {P}"),
    "end": (".", ".", "", "!"),
    "people": ("they wrote", "people here say", "my brother said", "my teacher used", "an old man said",
               "the letter says",
               "in the story they say", "a woman asked me about", "a man asked for", "children say", "the book says"),
    "did": ("did", "could", "do"), "does": ("does", "could", "might", "should"),
    "that_word": ("that", "the word", "that word", "this word", "what that is"),
    "strange": ("here comes a strange word:", "here is a strange word:", "a new word:", "a strange one:",
                "look at this word:", "look at",
                "this is new to me:", "i do not know this word:", "one more word:", "an odd word:", "see this:",
                "my word is"),
    "read_it": ("i read {q}", "i read {q} today", "i found {q} in a book", "somebody said {q}", "my friend said {q}",
                "i heard {q}",
                "on the wall stood {q}", "i see {q} here", "there is {q} in my text", "a child said {q}",
                "here is a word: {q}",
                "the sign says {q}", "they call it {q}"),
}  # fmt: skip
_EXISTS = (
    "{front}is {string} {real}{back}", "{front}is {q} {real}{back}", "{front}is {q} {real}{back}",
    "{front}does {string} exist{back}",
    "{front}does {string} exist {place}{back}", "{front}is there such a word as {q}{back}",
    "{front}is there a word {q}{back}",
    "{front}is there {string} {place}{back}", "{front}can i find {string} {place}{back}",
    "{front}would you find {q} in a dictionary{back}",
    "{polite}tell me if {string} is {real}{end}", "{polite}tell me whether {string} exists{end}",
    "{string}: is it {real}{back}",
    "{string}: {real}{back}", "{q} - is that {real}{back}", "{q} - does it exist{back}",
    "here is a word: {P}\nis it {real}{back}",
    "word: {P}\nis this {real}{back}", "{front}do people use {string}{back}",
    "{front}is what stands here {real}: {P}",
    "{front}is this {real}: {P}", "{front}do we have {string} {place}{back}", "{front}has {string} a meaning{back}",
    "{front}does {string} mean anything{back}", "{front}does {q} have a meaning{back}",
    "{front}is {q} something real{back}",
    "{front}could {q} be {real}{back}", "{front}would you call {q} {real}{back}",
    "{front}does english have {string}{back}",
    "{polite}check if {q} is {real}{end}", "{polite}decide: is {q} {real}{back}", "{front}does this word exist: {P}",
    "{front}is the following {real}: {P}", "{front}is {q} to be found {place}{back}", "{front}{q} is {real}, right?",
    "{front}is {q}, as written here, {real}{back}", "{strange} {q}. is it {real}{back}",
    "{strange} {q}. does it exist{back}", "{people} {q}. is that {real}{back}",
    "do people use a word like {q}{back}", "do people say {q} {place}{back}",
    "{front}is there a word like {q} {place}{back}",
    "does english have a word {q}{back}", "before i write {q}: is it {real}{back}",
    "may i write {q}? does it exist{back}",
    "could {q} be in a book as {real}{back}", "is the thing called {P} real{back}",
    "{read_it}. is it {real}{back}", "{read_it}. does it exist{back}",
    "{read_it}. is there such a word{back}",
    "i want to know if {string} is {real}{end}", "i would like to know whether {q} exists{end}",
    "is it true that {q} is {real}{back}",
    "would an english teacher call {q} {real}{back}", "does anybody say {q}{back}",
    "{front}may i use {q} as {real}{back}",
    "my friend said {q}. is that {real}{back}",
)  # fmt: skip
_INVENTED = (
    "{front}is {string} {fake}{back}", "{front}is {q} {fake}{back}", "{front}is this {fake}: {P}",
    "{string}: {fake}{back}",
    "{q} - is that {fake}{back}", "{polite}tell me if {string} is {fake}{end}",
    "{front}did somebody make up {string}{back}",
    "{front}would you call {q} {fake}{back}", "here is a word: {P}\nis it {fake}{back}",
    "{front}could {q} be {fake}{back}",
)  # fmt: skip
_KNOWN = (
    "{front}do you know {a_word}{back}", "{front}do you know {a_word}{back}",
    "{front}have you heard of {a_word}{back}",
    "{front}have you ever heard {a_word}{back}", "{front}did you ever hear {a_word}{back}",
    "{front}have you ever seen {a_word}{back}",
    "{front}do you know what {q} means{back}", "{front}do you know what {q} is{back}",
    "{front}do you know anything about {q}{back}",
    "{front}are you familiar with {a_word}{back}", "{front}do you understand {a_word}{back}",
    "{front}have you read {a_word} before{back}",
    "{a_word}: do you know it{back}", "{q} - have you heard of it{back}", "{polite}tell me if you know {a_word}{end}",
    "{front}do you recognise {a_word}{back}", "{front}is {q} known to you{back}",
    "{front}did you learn {a_word}{back}",
    "{polite}tell me whether you have ever heard of {q}{end}", "{front}have you come across {a_word}{back}",
    "{strange} {q}. do you know it{back}", "{people} {q}. do you know that word{back}",
    "would you know what {q} is{back}",
    "would you know the word {q}{back}", "does anybody know {q}, do you{back}",
    "can you say that you know {a_word}{back}",
    "{read_it}. do you know it{back}", "{read_it}. have you heard of it{back}", "{read_it}. is it known to you{back}",
    "i want to know if you know {a_word}{end}", "word: {P}\ndo you know it{back}",
    "{front}does {q} tell you anything{back}",
    "{front}does {q} mean something to you{back}",
)  # fmt: skip
_MEANING = (
    "{front_open}what does {string} mean{back_open}", "{front_open}what does {q} mean{back_open}",
    "{front_open}what is {q}{back_open}",
    "{front_open}what is a {P}{back_open}", "{front_open}what is {string}{back_open}",
    "{front_open}what's {q}{back_open}",
    "{polite}define {string}{end}", "{polite}define {q}{end}", "define: {P}", "{polite}explain {string}{end}",
    "explain: {P}",
    "{polite}explain {q} to me{end}", "{polite}explain what {q} means{end}", "{polite}explain the word {q}{end}",
    "{polite}tell me about {q}{end}", "{polite}tell me what {q} means{end}", "{polite}tell me what {string} is{end}",
    "{polite}tell me the meaning of {q}{end}", "{polite}give the meaning of {string}{end}",
    "{polite}give me the definition of {q}{end}",
    "{polite}give a definition of {string}{end}", "{polite}describe {q}{end}", "{polite}describe what {q} is{end}",
    "meaning of {q}?",
    "meaning of {P}?", "definition of {q}?", "definition: {P}", "meaning: {P}",
    "{front_open}what is the meaning of {string}{back_open}",
    "{front_open}what is the definition of {q}{back_open}", "{q} means what?", "{q}: what does it mean{back_open}",
    "{q} - what is that{back_open}", "{P}: what is it?", "{front_open}what do people mean by {q}{back_open}",
    "{front_open}what do you know about {q}{back_open}", "{front_open}what kind of thing is {q}{back_open}",
    "{front_open}how would you define {string}{back_open}", "{front_open}how do you explain {q}{back_open}",
    "word: {P}\nwhat does it mean{back_open}", "i read {q}. what does it mean{back_open}", "what does this mean: {P}",
    "{front_open}what does the following word mean: {P}", "{front_open}what exactly is {q}{back_open}",
    "{polite}say what {q} means{end}", "{polite}write the meaning of {q}{end}",
    "{polite}answer: what is {q}{back_open}",
    "{read_it}. what is that{back_open}",
    "{read_it}. what does it mean{back_open}", "{read_it}. {polite}explain it{end}",
    "{read_it}. {polite}tell me the meaning{end}",
    "{front_open}in english, what is {q}{back_open}", "{front_open}what would {q} mean in english{back_open}",
    "what is {q} in plain words?",
    "{people} {q}. what {did} they mean?", "{people} {q}. what {did} they want?",
    "{people} {q}. {polite}explain {that_word}{end}",
    "{strange} {q}. what {does} it mean?", "{strange} {q}. {polite}tell me what it is{end}",
    "{strange} {q}. what could that be?",
    "a {P}, what is that?", "somebody wants to buy a {P}. what is it?",
    "i cannot find the meaning of {q}. what is it?",
    "can you help me? {read_it}. what is it?", "i do not know {string}. what does it mean{back_open}",
    "i want to know what {q} means{end}",
    "i would like to know the meaning of {q}{end}", "i want to learn about {q}. what is it?",
    "what should i think of when i read {q}?",
    "what would you say {q} means?", "what does a person mean by {q}?", "what is meant by {string}{back_open}",
    "{front_open}what could {q} be{back_open}",
    "{front_open}what sort of thing is a {P}?",
)  # fmt: skip
_PATTERNS: dict[Question, tuple[str, ...]] = {
    "exists": _EXISTS, "invented": _INVENTED, "known": _KNOWN, "meaning": _MEANING,
}  # fmt: skip

_GERMAN_SLOTS: dict[str, tuple[str, ...]] = {
    "vor": ("", "", "", "sag mal, ", "eine Frage: ", "Frage: ", "hallo, ", "und, "),
    "q": ('"{P}"', '"{P}"', "'{P}'", 'das Wort "{P}"', "das Wort {P}", "{P}"),
    "nach": ("?", "?", "?", ", bitte?", "? Antworte kurz.", "? Ja oder nein?"), "nach_frei": ("?", "?", "?",
                                                                                              ", bitte?",
                                                                                              "? Antworte kurz."),
    "echt": ("ein echtes Wort", "ein Wort", "ein deutsches Wort", "ein richtiges Wort", "ein bekanntes Wort"),
    "bitte": ("", "", "bitte ", "jetzt "),
}  # fmt: skip
_GERMAN: dict[Question, tuple[str, ...]] = {
    "exists": ("{vor}ist {q} {echt}{nach}", "{vor}gibt es {q}{nach}", "{vor}gibt es {q} auf Deutsch{nach}",
               "{q}: ist das {echt}{nach}",
               "{vor}steht {q} im Wörterbuch{nach}", "{vor}existiert {q}{nach}", "{vor}ist das {echt}: {P}",
               "{vor}hat {q} eine Bedeutung{nach}"),
    "invented": ("{vor}ist {q} erfunden{nach}", "{vor}ist {q} Unsinn{nach}", "{vor}ist {q} ein erfundenes Wort{nach}",
                 "{q}: ist das erfunden{nach}"),
    "known": ("{vor}kennst du {q}{nach}", "{vor}hast du {q} schon gehört{nach}", "{vor}hast du je {q} gelesen{nach}",
              "{q}: kennst du das{nach}", "{vor}weißt du, was {q} bedeutet{nach}", "{vor}ist {q} dir bekannt{nach}"),
    "meaning": ("{vor}was bedeutet {q}{nach_frei}", "{vor}was ist {q}{nach_frei}", "{bitte}erkläre {q}.",
                "{bitte}definiere {q}.",
                "{bitte}erkläre mir {q}.", "{q}: was bedeutet das{nach_frei}", "{vor}was heißt {q}{nach_frei}",
                "{vor}was soll {q} sein{nach_frei}",
                "{bitte}nenne die Bedeutung von {q}.", "{vor}was ist die Bedeutung von {q}{nach_frei}",
                "{vor}was weißt du über {q}{nach_frei}"),
}  # fmt: skip


def draw(question: Question, split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Templates of one kind of question about `{P}`: some 600 English and 80 German ones a kind."""
    if language == "de":
        slots, patterns = _GERMAN_SLOTS, _GERMAN[question]
        return templates(f"{question} de", patterns, slots, split=split, train=80, val=6, avoid=avoid)
    train = 300 if question == "invented" else 600
    return templates(f"{question} en", _PATTERNS[question], _SLOTS, split=split, train=train, val=30, avoid=avoid)


def answer(question: Question, *, real: bool, language: Language = "en") -> str:
    """The expected reply: "Yes." or "No." for whether the string is known and real, "Unknown." for its meaning.

    The meaning of a real word is not asked this way; see `modelqa.data.echo.KINDS`.
    """
    yes, no, unknown = ("Yes.", "No.", "Unknown.") if language == "en" else ("Ja.", "Nein.", "Unbekannt.")
    if question == "meaning":
        return unknown
    return yes if real != (question == "invented") else no
