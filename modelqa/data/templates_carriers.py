"""The sentences that carry a marked payload in EXTRACT prompts: English and German grammars.

Instructions and carriers are split apart into training and validation, so a validation prompt is new in both.
"""

from __future__ import annotations

from modelqa.data.grammar import Language, Split, templates

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
    "{who}: {M}", "{noun}: {M}", "{M}, {said} {who}.", "{M}, {said} {who}{tail}.", "{thing}: {M}",
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


def draw(split: Split, language: Language) -> tuple[str, ...]:
    """Sentences with `{M}` where the payload stands between its marks: some 2,500 English, 500 German ones."""
    if language == "de":
        return templates("carrier de", _GERMAN_CARRIERS, _GERMAN_CARRIER_SLOTS, split=split, train=500, val=40)
    return templates("carrier en", _CARRIERS, _CARRIER_SLOTS, split=split, train=2500, val=80)
