"""How to ask for facts: phrasings by kind of fact, English and German."""

from __future__ import annotations

from collections.abc import Sequence

from modelqa.data.facts import Fact
from modelqa.data.grammar import Language, Split, templates

FRONT = ("", "", "", "", "", "question: ", "quick question: ", "hello, ", "please tell me: ", "answer this: ", "q: ",
          "tell me: ",
          "in one word: ", "in short: ", "answer in one word: ", "answer briefly: ", "just the answer: ", "now, ",
          "next question: ",
          "an easy one: ", "quiz: ", "i wonder: ", "do you know this: ", "answer please: ", "for me: ")  # fmt: skip
SLOTS: dict[str, tuple[str, ...]] = {
    "front": FRONT,
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
    "i have a question. what is {np}?", "can you help me? i need {np}.", "{front}what is the name of {np}{back}",
    "do you remember {np}? {ask}say it{end}", "i am looking for {np}. {ask}tell me{end}",
    "i must write down {np}. what is it?",
    "my friend asks for {np}. what do i say?", "my teacher wants {np}. what is it?",
    "we need {np}. which word is it?", "think of {np}. what is it?",
    "somebody asked me for {np}. what should i answer?", "you know {np}. {ask}say what it is{end}",
    "{np} has to be named. what is it?", "my question is about {np}. what is it?", "we are looking for {np}.",
    "{front}can you name {np}{back}",
    "everybody knows {np}. what is it?", "a question in school: what is {np}?", "help me with {np}{end}",
    "{np}, please.",
    "{ask}show me {np}{end}",
)  # fmt: skip

# noun phrases that fit the frames, and whole questions of the kind, by (kind, language)
_PHRASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "capital": (
        ("the capital of {S}", "the capital city of {S}", "{S}'s capital", "{S}'s capital city",
         "the city that is capital of {S}"),
        ("{front}which city is the capital of {S}{back}", "{front}what city is {S}'s capital{back}",
         "{S} has which capital?",
         "country: {S}\ncapital:", "country: {S}. capital?", "{S} is a country. {front}which city is its capital?",
         "{S} is a country. its capital is", "i travel to {S}. which city is the capital?",
         "i am in {S}. what is the capital here?", "where is the government of {S}? name the city.",
         "{S} has one capital. what is it called?", "{front}which city is capital in {S}{back}",
         "capital of {S}"),
    ),
    "country": (
        ("the country whose capital is {S}", "the country of which {S} is the capital",
         "the country that has {S} as its capital"),
        ("{front}{S} is the capital of which country{back}", "{front}{S} is the capital of what country{back}",
         "{S} is the capital of",
         "{front}which country has the capital {S}{back}", "{S} is a capital. of which country?",
         "i live in {S}, a capital. in which country do i live?",
         "{S} is a city. {front}which country has it as capital?", "the city {S} is a capital. what is the country?",
         "{front}which country has {S} as its capital{back}",
         "capital: {S}\ncountry:",
         "{front}of which country is {S} the capital{back}", "{front}in which country is {S} the capital{back}"),
    ),
    "opposite": (
        ("the opposite of {S}", 'the opposite of "{S}"', "the opposite of the word {S}", "the opposite word of {S}",
         "the antonym of {S}",
         "the contrary of {S}"),
        ("{front}which word is the opposite of {S}{back}", "not {S} but", "not {S} but the opposite. which word?",
         "{S} has an opposite. which word is it?", "it is not {S}, it is the opposite. so what is it?",
         "you hear {S}. say the opposite.", "i need a word that means not {S}. which one?",
         "my word is {S}. what is its opposite?", "{S} is the opposite of what?",
         "{front}what word means the opposite of {S}{back}",
         "word: {S}\nopposite:", "opposite of {S}", "{S} and its opposite: {S} and",
         "{ask}give the word that is the opposite of {S}{end}"),
    ),
    "colour": (
        ("the colour of {S}", "the color of {S}", "the usual colour of {S}", "the colour that {S} has",
         "the normal color of {S}"),
        ("{front}what colour is {S}{back}", "{front}which colour is {S}{back}", "{front}what color is {S}{back}",
         "{front}what colour does {S} have{back}",
         "{S}: which colour?", "i paint {S}. which colour do i need?", "think of {S}. what colour is it?",
         "i see {S}. which colour do i see?",
         "{S} has a colour. which one?", "a child draws {S}. in which colour?",
         "{front}which color does {S} have{back}", "thing: {S}\ncolour:",
         "{front}of what colour is {S}{back}"),
    ),
    "next_day": (
        ("the day after {S}", "the day that comes after {S}", "the day following {S}", "the next day after {S}",
         "the weekday after {S}"),
        ("{front}which day comes after {S}{back}", "{front}what day follows {S}{back}",
         "{front}what comes after {S}{back}", "after {S} comes",
         "today is {S}. what is tomorrow?", "it is {S}. what day comes tomorrow?",
         "yesterday was {S}. what is today?",
         "{S} is over. which day begins?", "we met on {S}. which day came next?",
         "{front}which day is next after {S}{back}",
         "if today is {S}, tomorrow is"),
    ),
    "next_month": (
        ("the month after {S}", "the month that comes after {S}", "the month following {S}",
         "the next month after {S}"),
        ("{front}which month comes after {S}{back}", "{front}what month follows {S}{back}",
         "{front}what comes after {S}{back}", "after {S} comes",
         "{front}which month is next after {S}{back}", "this month is {S}. which month is next?",
         "it is {S}. what is the next month?", "{S} is over. which month begins?",
         "{S} ends. what month starts then?", "last month was {S}. which month is it now?"),
    ),
    "sound": (
        ("the sound of {S}", "the sound that {S} makes", "the noise of {S}", "the noise that {S} makes"),
        ("{front}what sound does {S} make{back}", "{front}what does {S} say{back}",
         "{front}which sound does {S} make{back}", "{S} makes which sound?", "you hear {S}. what sound is it?",
         "i hear {S}. what does it sound like?", "{S} opens its mouth. which sound comes out?",
         "{front}how does {S} sound{back}", "animal: {S}\nsound:", "{front}what noise does {S} make{back}"),
    ),
    "young": (
        ("the young of {S}", "the name for the young of {S}", "the baby of {S}", "the name of the baby of {S}",
         "the word for the young of {S}"),
        ("{front}what is the young of {S} called{back}", "{front}what do you call the young of {S}{back}",
         "{front}what is the baby of {S} called{back}",
         "{front}how do you call the baby of {S}{back}", "animal: {S}\nyoung:",
         "{S} has a young one. what is it called?", "{S} has a baby. which word names it?",
         "i see the baby of {S}. what do i see?", "the young of {S} is called"),
    ),
    "plural": (
        ("the plural of {S}", 'the plural of "{S}"', "the plural form of {S}", "the plural of the word {S}",
         "the correct plural of {S}"),
        ("one {S}, two", "one {S}, many", "the singular is {S}. what is the plural?",
         "{S} is singular. its plural is",
            "word in the singular: {S}. {ask}write the plural{end}", "one {S}, two what?",
            "i have one {S}. you have two. two what?",
         "there is one {S} here. there are ten of what there?", "{front}how do you write the plural of {S}{back}",
         "singular: {S}\nplural:",
         "{front}what is {S} in the plural{back}",
         "{S} in plural?", "{front}which word is the plural of {S}{back}", "plural of {S}"),
    ),
    "past": (
        ("the past tense of {S}", 'the past tense of "{S}"', "the past form of {S}", "the simple past of {S}",
         "the past tense of to {S}"),
        ("{front}what is {S} in the past{back}", "today i {S}, yesterday i",
         "i {S} now. what did i do yesterday? one word.", "the verb is {S}. which word is the past?",
         "verb: {S}\npast:",
         "{front}which word is the past of {S}{back}",
         "{front}how do you write {S} in the past tense{back}", "past tense of {S}"),
    ),
    "legs": (
        ("the number of legs of {S}", "the number of legs that {S} has", "the leg count of {S}"),
        ("{front}how many legs does {S} have{back}", "{front}how many legs has {S}{back}", "{S} has how many legs?",
         "i see {S}. how many legs do i see?", "look at {S}. how many legs has it?",
         "{ask}count the legs of {S}{end}",
         "{front}with how many legs does {S} walk{back}", "animal: {S}\nlegs:",
         "{front}how many legs are there on {S}{back}"),
    ),
    "symbol": (
        ("the chemical symbol of {S}", "the chemical formula of {S}", "the symbol for {S}", "the formula for {S}",
         "the chemical symbol for {S}"),
        ("{front}which chemical symbol does {S} have{back}", "{front}how do chemists write {S}{back}",
         "substance: {S}\nsymbol:", "i write {S} as a formula. what do i write?", "{S} in chemistry is written how?",
         "in chemistry, what stands for {S}?",
         "{front}how is {S} written in chemistry{back}", "{front}which symbol stands for {S}{back}"),
    ),
    "amount": (
        ("the number of {S}", "the count of {S}"),
        ("{front}how many {S}{back}", "how many {S}?", "{S}: how many?", "{S}: how many are there?",
         "i count the {S}. how many do i get?", "think of the {S}. how many are there?", "there are how many {S}?",
         "{ask}count the {S}{end}", "{ask}tell me how many {S}{end}"),
    ),
    "keyword": (
        ("the Python word that {S}", "the Python keyword that {S}", "the word in Python that {S}",
         "the name in Python that {S}"),
        ("{front}in Python, what {S}{back}", "{front}which word {S} in Python{back}",
         "{front}what {S} in Python{back}", "{front}which Python word {S}{back}",
         "{front}which keyword {S} in Python code{back}", "code question: what {S} in Python?",
         "i write Python. which word {S}?", "one word of Python {S}. which one?"),
    ),
    "planet": (
        ("the planet that is {S}", "the name of the planet that is {S}", "the planet known as {S}"),
        ("{front}which planet is {S}{back}", "{front}what planet is {S}{back}", "planet, {S}:",
         "one planet is {S}. which one?", "there is a planet that is {S}. what is its name?",
         "{ask}name the planet that is {S}{end}"),
    ),
    "german": (
        ("the German word for {S}", 'the German word for "{S}"', "{S} in German", "the German translation of {S}",
         "German for {S}"),
        ("{front}how do you say {S} in German{back}", "{ask}translate {S} into German{end}",
         "{ask}translate into German: {S}", "{S} -> German:", "my friend speaks German. how do i say {S} to him?",
         "i am in Berlin and need the word for {S}. what is it?",
         "the word is {S}. what is it in German?",
         "{front}what do Germans call {S}{back}", "English: {S}\nGerman:", "{front}how do Germans say {S}{back}"),
    ),
    "english": (
        ("the English word for {S}", 'the English word for "{S}"', "{S} in English", "the English translation of {S}",
         "English for {S}"),
        ("{front}how do you say {S} in English{back}", "{ask}translate {S} into English{end}",
         "{ask}translate into English: {S}", "{S} -> English:", "my friend speaks English. how do i say {S} to her?",
         "the word is {S}. what is it in English?",
         "i read {S} in a German book. which English word is it?",
         "{front}what does the German word {S} mean in English{back}", "German: {S}\nEnglish:",
         "{front}how is {S} called in English{back}"),
    ),
}  # fmt: skip
GERMAN_FRONT = ("", "", "", "Frage: ", "sag mir: ", "kurze Frage: ", "bitte antworte: ", "hallo, ",
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


def draw(kind: str, split: Split, language: Language, avoid: Sequence[str] = ()) -> tuple[str, ...]:
    """Ways to ask for a fact of `kind` about `{S}`: some 260 English and 50 German ones."""
    phrases, questions = (_PHRASES if language == "en" else _GERMAN_PHRASES)[kind]
    if language == "de":
        slots, patterns = {"front": GERMAN_FRONT, "np": phrases}, (*_GERMAN_FRAMES, *questions)
        return templates(f"fact de {kind}", patterns, slots, split=split, train=50, val=3, avoid=avoid)
    few = (*_FRAMES[:3], "i want to know {np}.")
    patterns = questions * 2 + (few if kind == "amount" else _FRAMES)
    slots = {**SLOTS, "np": phrases}
    return templates(f"fact en {kind}", patterns, slots, split=split, train=260, val=4, avoid=avoid)


def ask_fact(fact: Fact, template: str) -> str:
    """The template filled in with the fact's subject; the subject "hours|day" reads "hours in a day"."""
    unit, _, whole = fact.subject.partition("|")
    article = "an" if whole in ("hour", "alphabet") else "a"
    return template.replace("{S}", f"{unit} in {article} {whole}" if whole else unit)
