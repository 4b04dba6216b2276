"""What may be wrong, as the ladder of explanations knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """One mundane thing that can be wrong.

    shown    codes that name it: enough by themselves
    hinted   codes that it leads to, and others too: evidence beside a code that names it, or when nothing names any
    cleared  gates that together rule it out: the first was judged, and none that was judged did not pass
    mundane  whether red lines of the recipe mean nothing while it stands
    """

    name: str
    text: str
    then: str
    shown: tuple[str, ...] = ()
    hinted: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    mundane: bool = True
