"""Does a text contradict the language that its row is labelled with? By function words, which no text of a few words
of a language does without for long. Says nothing of languages that it does not know, and of texts without such words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ENOUGH = 3  # different function words of another language, and none of the label's own: no name or quotation has that

_FREQUENT: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and of is are was were what which how you your with this that it its not from have has please do "
              "does who when where why would can should my say write tell give exactly only one word answer",
        "de": "der die das und ist sind nicht ein eine einen einem mit wie was wer ich du sie wir bitte auf für von "
              "dem den zu im sag schreib wort genau nur heißt welche welcher kannst aber oder auch",
        "fr": "le la les et est sont une des du dans pour avec que qui vous nous je il elle ce cette ne pas sur plus "
              "mais ou",
        "es": "el los las y es son una del en para con que usted nosotros yo él ella este esta no más pero por su al",
        "it": "il lo gli e è sono una del della per con che voi noi io lui lei questo questa non più ma nel di",
    }.items()
}  # fmt: skip
# Of these, the ones that no other of the languages has.
_OWN: Mapping[str, frozenset[str]] = {
    language: words - frozenset().union(*(each for name, each in _FREQUENT.items() if name != language))
    for language, words in _FREQUENT.items()
}
_LETTERS = re.compile(r"[^\W\d_]+")


def contradicts(label: str | None, text: str) -> bool | None:
    """Whether `text` is of another language than `label` (as "en", "de-AT"); None where neither can be told."""
    language = (label or "").split("-")[0].lower()
    if language not in _OWN:
        return None
    words = set(_LETTERS.findall(text.casefold()))
    if not words.isdisjoint(_OWN[language]):
        return False
    strangers = max(len(words & own) for own in _OWN.values())
    return True if strangers >= ENOUGH else None
