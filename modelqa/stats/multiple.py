"""Several claims at once: each further claim is a further chance to be wrong."""

from __future__ import annotations

from collections.abc import Mapping


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """{claim: adjusted p-value}: whoever makes the claims at or below alpha is wrong at all in at most alpha.

    Holm (Scandinavian Journal of Statistics 6, 1979): the i-th smallest of m is multiplied by m - i + 1, never below
    the one before it. Valid under any dependence. Needed for claims ("beats", "regressed"); a release that needs
    *every* gate to pass needs no correction, because one false PASS releases nothing.
    """
    ordered = sorted(p_values, key=lambda claim: p_values[claim])
    adjusted: dict[str, float] = {}
    largest = 0.0
    for rank, claim in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - rank) * p_values[claim]))
        adjusted[claim] = largest
    return {claim: adjusted[claim] for claim in p_values}
