"""Bootstrap intervals: for scores that are not yes or no, and for cases that come in clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelqa.stats.binomial import ALPHA

if TYPE_CHECKING:
    import numpy as np

DRAWS = 10_000  # resamples: the bounds then move by about 1% of their distance between seeds
BLOCK = 4_000_000  # numbers drawn at a time


def bootstrap_mean(
    values: Sequence[float], *, seed: int, alpha: float = ALPHA, draws: int = DRAWS
) -> tuple[float, float]:
    """One-sided percentile bounds, each at `alpha`, of a mean; for a paired comparison, of the differences.

    Efron (Annals of Statistics 7, 1979). Below about 50 values the interval is too narrow: use `tango` for yes and
    no. `ValueError` for fewer than two values.
    """
    return cluster_bootstrap([[value] for value in values], seed=seed, alpha=alpha, draws=draws)


def cluster_bootstrap(
    clusters: Sequence[Sequence[float]], *, seed: int, alpha: float = ALPHA, draws: int = DRAWS
) -> tuple[float, float]:
    """One-sided percentile bounds, each at `alpha`, of the mean of all values, whole clusters being drawn again.

    A ratio of two sums, so that clusters may differ in size (Davison and Hinkley, "Bootstrap Methods", 1997, 3.8).
    Below some 20 clusters the interval is too narrow (see `few_families`). `ValueError` for fewer than two clusters.
    """
    import numpy as np

    filled = [cluster for cluster in clusters if len(cluster)]
    if len(filled) < 2:
        raise ValueError(f"a bootstrap needs at least two values or clusters: {len(filled)}")
    sums = np.array([sum(cluster) for cluster in filled], dtype=np.float64)
    sizes = np.array([len(cluster) for cluster in filled], dtype=np.float64)
    generator = np.random.default_rng(seed)
    at_once = max(1, BLOCK // len(filled))
    means: list[np.ndarray] = []
    for first in range(0, draws, at_once):
        chosen = generator.integers(len(filled), size=(min(at_once, draws - first), len(filled)))
        means.append(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), [alpha, 1 - alpha])
    return float(low), float(high)
