"""Does the model give exactly what a program is to read: one word, one number, a JSON object with the named keys?"""

from modelqa import ask, gate

from .cases_output import output_cases

# Marks around the whole answer are taken off by every reader; words before or after it are not.
BARE = ("final_punctuation", "quotes", "markdown")
FENCED = ("markdown",)
FLOORS = {"kind": 0.50}  # of words, numbers and both sizes of object


def is_object(case):
    return case.meta["kind"].startswith("object")


@gate(cases=output_cases, rate=0.90, by=("kind",), floors=FLOORS)
def test_strict_output(case, reply):
    """The word or number alone; or JSON with the keys and values that are asked for, each of its type."""
    if is_object(case):
        assert ask.same_json(reply, case.answer, forgive=FENCED)
    else:
        assert ask.exact(reply, case.expect, forgive=BARE)


@gate(cases=output_cases, n=200, informational=True, by=("kind",))
def test_strict_output_to_the_letter(case, reply):
    """The same with nothing forgiven: no fence, no full stop."""
    assert ask.same_json(reply, case.answer) if is_object(case) else ask.exact(reply, case.expect)
