"""Greetings, thanks, status and readiness: fixed questions with one fixed answer each. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal


@dataclass(frozen=True)
class Talk:
    """One opening and its one answer."""

    prompt: str
    answer: str
    language: Literal["en", "de"] = "en"


_EXPECTED: tuple[tuple[Literal["en", "de"], str, str], ...] = (
    ("en", "Hello.", "hello/hi/hi there/hey/hello there/hey there/greetings/hello to you/hi again/hello again"),
    ("en", "Good morning.", "good morning/good morning to you/a good morning"),
    ("en", "Good evening.", "good evening/good evening to you/a good evening"),
    ("en", "Good night.", "good night/good night to you/sleep well"),
    ("en", "Goodbye.", "goodbye/bye/bye bye/see you/see you later/until next time"),
    ("en", "You are welcome.", "thanks/thank you/many thanks/thanks a lot/thank you very much"),
    ("en", "Ready.", "status/status please/your status/report status/status report/what is your status/system status"),
    ("en", "Yes.", "are you ready/ready/are you there/can you hear me/do you read me/are you online/can we start"),
    ("en", "Yes.", "are you awake/is anybody there/are you a machine/are you a program/shall we begin/do you work"),
    ("en", "No.", "are you a human/are you a person/are you asleep/are you tired/are you hungry/are you busy"),
    ("en", "No.", "do you sleep/do you eat"),
    ("en", "Pong.", "ping"),
    ("en", "An assistant.", "who are you/what are you/who am i talking to/tell me who you are"),
    ("en", "Okay.", "wait/please wait/stop/hold on/one moment/be brief/be exact/be short"),
    ("de", "Hallo.", "hallo/hallo du/servus"),
    ("de", "Guten Morgen.", "guten Morgen"),
    ("de", "Guten Abend.", "guten Abend"),
    ("de", "Gute Nacht.", "gute Nacht/schlaf gut"),
    ("de", "Bitte.", "danke/vielen Dank/danke schön"),
    ("de", "Ja.", "bist du bereit/bist du da/hörst du mich/kannst du mir helfen/können wir anfangen"),
    ("de", "Nein.", "bist du ein Mensch/bist du müde/schläfst du"),
)
_ENDS = ("", "!", ".", "?", "...")


def _written(text: str) -> tuple[str, ...]:
    return text, text[:1].upper() + text[1:]


SMALL_TALK: tuple[Talk, ...] = tuple(
    Talk(opening + end, answer, language)
    for language, answer, openings in _EXPECTED
    for said in openings.split("/")
    for opening, end in product(_written(said), _ENDS)
)
