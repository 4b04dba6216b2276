"""Fixed prompts to be read, not counted: the model, its baseline and its parent beside each other, greedily decoded.

A number can rise while the text gets worse. Edit reading.jsonl to what your model is for: five to ten prompts. The
replies stand in the record; `modelqa compare` prints them side by side.
"""

from modelqa import gate


@gate(
    cases="reading.jsonl",
    informational=True,
    beside=("baseline", "parent"),
    allows={"*": "these replies are for a reader: nothing is judged"},
)
def test_side_by_side(case, reply):
    """Something is said to each prompt; how well is for a reader to see."""
    assert reply.text
