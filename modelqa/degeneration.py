"""Replies that are no answers, each with the way in which it is none: what a broken chat looks like tells what broke.

A loop comes from a model that was never shown where to stop; garbage comes from what it was pre-trained on. Both look
like "a broken chat", and neither's cure helps the other, so they are never counted together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from modelqa import ask
from modelqa.family import normalise
from modelqa.form import Grammar, form_problem, is_garbage, loops
from modelqa.gates import Case
from modelqa.reply import Reply

KINDS = ("empty", "looping", "garbage", "role_tags", "unending", "copying")
"""empty: nothing visible; looping: one thing over and over; garbage: no language; role_tags: tags or a turn of somebody
else; unending: language that never stops; copying: the question said back where that is not the answer."""

_POLITE = ("case", "final_punctuation", "quotes", "markdown", "lead", "closing", "emoji", "sentence")
_COMMON = """
a about additional again ai all also am an and any anything are as ask asked assist assistance at be been being but
by can certainly clarification clarify context could course currently das dem den der des details die do does echo
ein eine else english feel for free from further german given glad good had happy has have hello help helpful here
hi hier hope how however i ich if im in information input instead is ist it its just know language let letters like
long may me mean meaning means message might mit more my need nicht no not of on one only or other output please
provide provided question questions recognized reference repeat repeated request requested response right said say
sentence so some something sorry spell spelling standard string sure term text thank thanks that the their there
these they thing this to today type und unknown using want was way well what when where which will wir with word
words would write yes you your
"""


def kind(reply: Reply, case: Case, grammar: Grammar) -> str:
    """Which of `KINDS` a reply is, "" for none; a loop is a loop whether or not it stops."""
    problem = form_problem(reply, grammar) or ""
    if problem in ("empty", "nothing readable") or not reply.text.strip():
        return "empty"
    if loops(reply):
        return "looping"
    if is_garbage(reply.text):
        return "garbage"
    if problem.startswith(("second turn", "special token", "foreign tag")):
        return "role_tags"
    if not reply.stopped:
        return "unending"
    right = case.expect is not None and ask.exact(reply, case.expect, forgive=_POLITE)
    return "copying" if not right and ask.copies(reply, case.user) else ""


def attractor(replies: Sequence[Reply], cases: Sequence[Case]) -> tuple[str, float]:
    """The word that most replies hold although no question and no answer has it, and their share; ("", 0.0) for none.

    Words of courtesy and grammar do not count. A model whose pre-training held junk puts the same few tokens into
    replies to everything.
    """
    asked = " ".join([case.user for case in cases] + [_answers(case) for case in cases])
    known = {*_COMMON.split(), *normalise(asked).split()}
    held = Counter(word for reply in replies for word in set(normalise(reply.text).split()) - known)
    if not held:
        return "", 0.0
    word, count = min(held.items(), key=lambda item: (-item[1], item[0]))
    return word, count / len(replies)


def _answers(case: Case) -> str:
    return case.expect if isinstance(case.expect, str) else " ".join(case.expect or ())
