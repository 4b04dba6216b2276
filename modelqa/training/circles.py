"""Answers that run on: what a model has to be shown so that it comes out of a circle.

In training every token before the next is right, so a model never meets an answer that has gone past its end. When a
copy goes wrong it does, and nothing then tells it to stop. A circle is a right answer, or its beginning, in which the
last few tokens are said over and over until it is longer than the answer. Where it is longer, the end of the turn is
what should come next; the circling tokens themselves are not learnt. The rows stay as they are: this is a second term
of the loss.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from modelqa.training.encode import IGNORED, Encoded

WEIGHT = 0.2  # of the loss on circles, beside the loss on the answers
SPAN = 8  # tokens that are said over, at most
PAST = (3, 16)  # tokens that a circle is longer than the right answer: at least, at most
WHOLE = 0.5  # share of the circles that begin after the whole answer; the others begin within it


def circle(row: Encoded, rng: random.Random) -> Encoded | None:
    """The row with its last answer running in a circle; None where what was drawn is too short to say its span twice.

    An answer of one token has nothing to say over and is None too. The last supervised token is the end of the turn: it
    is the label of every place past the right answer's length at which the span has been said at least twice. Nothing
    else is supervised.
    """
    last = max(place for place, label in enumerate(row.labels) if label != IGNORED)
    first = last
    while first and row.labels[first - 1] != IGNORED:
        first -= 1
    answer, end = row.ids[first:last], row.ids[last]
    if len(answer) < 2:
        return None
    kept = len(answer) if rng.random() < WHOLE else rng.randint(1, len(answer))
    span = rng.randint(1, min(kept, SPAN))
    length = len(answer) + rng.randint(*PAST)
    said = list(answer[:kept])
    while len(said) < length:
        said.append(said[-span])
    silent = max(len(answer) + 1, kept + span)  # tokens of the circle before the end is wanted
    labels = [IGNORED] * first + [IGNORED if place < silent else end for place in range(len(said))]
    made = Encoded((*row.ids[:first], *said), tuple(labels))
    return made if made.supervised else None


def circles(rows: Sequence[Encoded], *, share: float, rng: random.Random) -> list[Encoded]:
    """About `share` of the rows, each running in a circle."""
    drawn = [circle(row, rng) for row in rows if rng.random() < share]
    return [row for row in drawn if row]
