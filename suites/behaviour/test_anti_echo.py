"""Does the model answer a question about a word, instead of saying the word back or always the same?"""

from modelqa import ask, gate

from .cases_anti_echo import anti_echo_cases

# The acceptable answers, a class for each kind of question, explained or not ("No, blorvip is not an English word.");
# quoting the word inside one is fine. Silence, garbage, the bare word, "Yes. No." and another class are not.
ACCEPTABLE = {
    "meaning": ask.abstains,  # nobody knows what an invented word means
    "invented": ask.denies,
    "real": ask.affirms,
}


@gate(cases=anti_echo_cases, rate=0.90, by=("kind",))
def test_anti_echo(case, reply):
    """The answer is of the acceptable class."""
    assert ACCEPTABLE[case.meta["kind"]](reply)


@gate(cases=anti_echo_cases, n=200, informational=True, by=("kind",))
def test_anti_echo_strict(case, reply):
    """The answer is, to the letter, one that the case names ("Unknown.", "No.", "Yes.")."""
    assert ask.exact(reply, case.expect)
