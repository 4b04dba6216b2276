"""Every behaviour reply is well formed: it ends on the model's own stop token, is not empty, and opens no role."""

from modelqa import ask, every, gate

CONTENT_IS_JUDGED_ELSEWHERE = "a well-formed reply can be wrong: what it says is judged by the other behaviour gates"


@gate(cases=every("behaviour"), allows={"*": CONTENT_IS_JUDGED_ELSEWHERE})
def test_format_strict(case, reply, grammar):
    """No malformed, foreign or missing special token in any reply of this rung."""
    problem = ask.form_problem(reply, grammar)
    assert problem is None, problem
