"""Rung 1: does the path from a question to a reply work at all? Nothing above is judged until it does.

A known-good reference, which is no relative of the candidate, and a random-weights twin of it go through the same
path as the candidate. A failure here is the harness's fault, never the model's.
"""

from pathlib import Path

from modelqa import ask, deny, gate, not_asked, parity, stats
from modelqa.gates import read_cases

CONTROLS = "controls.jsonl"
TEXT = Path(__file__).with_name("text.txt")  # fixed English prose, for references that cannot chat
FORGIVEN = ("case", "final_punctuation", "quotes", "markdown", "lead")  # controls ask whether it works, not how exactly
SAME_LOGITS = 0.01  # a good model forgives a doubled token in front; its logits do not. float32 noise is below 1e-3
TWIN_CHANCE = 0.05  # share of controls that random weights may answer by luck
LEARNT = 0.8  # a reference that cannot chat must need at most this share of the random twin's bits


def is_right(case, reply):
    return ask.exact(reply, case.expect, forgive=FORGIVEN)


@gate(cases=CONTROLS, of="reference")
def test_reference_ids(cases, replies, lab):
    """The reference gives, through our path, the ids that plain unbatched `generate` gave, and as surely."""
    known = lab.control_replies("reference")
    asked = list(zip(cases, replies, strict=True))
    different = [case.id for case, reply in asked if list(reply.ids) != known[case.id]["ids"]]
    assert not different, f"other ids than plain generate gave for {', '.join(different[:5])} ({len(different)} in all)"
    told = [(case, reply.margin) for case, reply in asked if reply.margin is not None]  # a server may not tell
    assert told or lab.served("reference"), "no margin was measured"
    moved = [case.id for case, margin in told if abs(margin - known[case.id]["margin"]) > SAME_LOGITS]
    assert not moved, f"the same ids, but other logits than plain generate's for {', '.join(moved[:5])} ({len(moved)})"


@gate(cases=CONTROLS, of="reference", threshold=0.8)
def test_reference_floor(case, reply):
    """The reference, known to be good, answers the controls.

    Case, punctuation, quotes and a courtesy around the answer are forgiven: it is asked whether the path works, not how
    exactly a model answers.
    """
    assert is_right(case, reply)


@gate(cases=CONTROLS, of="random", allows={"*": "a policy that knows nothing is what this control is for"})
def test_random_twin(cases, replies):
    """Random weights stay at chance: what they get right, the graders give away.

    The twin has the reference's shape and tokenizer. At most one control in twenty may be right by luck.
    """
    right = [case.id for case, reply in zip(cases, replies, strict=True) if is_right(case, reply)]
    assert len(right) <= TWIN_CHANCE * len(cases), f"random weights answer {', '.join(right)}"


def test_told_apart(lab, measured):
    """The same controls tell the reference from its random twin (exact sign test on the discordant ones)."""
    cases = read_cases(Path(__file__).with_name(CONTROLS))
    if lab.subject("reference").model.stage == "base":
        not_asked("this reference cannot chat; it is held to bits per byte instead")
    good, blind = (
        [is_right(case, reply) for case, reply in zip(cases, lab.replies(role, cases), strict=True)]
        for role in ("reference", "random")
    )
    only_good = sum(a and not b for a, b in zip(good, blind, strict=True))
    only_blind = sum(b and not a for a, b in zip(good, blind, strict=True))
    measured["text"] = f"reference alone right on {only_good}, random twin alone on {only_blind}"
    told = only_good + only_blind > 0 and stats.cp_lower(only_good, only_good + only_blind) > 0.5
    assert told, f"reference alone right on {only_good}, random twin alone on {only_blind}: they look alike"


def test_reference_bits(lab, measured):
    """A reference that cannot chat knows a fixed text better than its random twin does, in bits per byte."""
    if lab.subject("reference").model.stage != "base":
        not_asked("this reference chats; it is held to its answers")
    text = TEXT.read_text(encoding="utf-8")
    bits = {role: lab.measure(parity.bits_per_byte, text, role=role) for role in ("reference", "random")}
    measured.update(bits)
    assert bits["reference"] <= LEARNT * bits["random"]


def test_stop_ids(chat, model):
    """What ends an answer in the template is what generation stops at.

    The token that the template writes after an answer, found by rendering, against the ids at which generation stops
    (generation_config.json, else the tokenizer's). No stop id at all, and a template that writes none, fail too.
    """
    if model.stage == "base":
        not_asked("a base model ends documents, not answers")
    deny(chat.stop_problems())
