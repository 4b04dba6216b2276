"""A straight line through few points, and where the next one may lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modelqa.stats.beta import t_quantile
from modelqa.stats.binomial import ALPHA


@dataclass(frozen=True)
class Line:
    """Least squares: y = intercept + slope x. spread: residual standard deviation, None for two points (df 0)."""

    slope: float
    intercept: float
    spread: float | None
    df: int
    mean_x: float
    squares_x: float

    def at(self, x: float) -> float:
        """The line's value at x."""
        return self.intercept + self.slope * x


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """The least-squares line through (x, y); `ValueError` for fewer than two different x."""
    if len({x for x, _ in points}) < 2:
        raise ValueError("a line needs two different x")
    n = len(points)
    mean_x, mean_y = math.fsum(x for x, _ in points) / n, math.fsum(y for _, y in points) / n
    squares = math.fsum((x - mean_x) ** 2 for x, _ in points)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / squares
    intercept = mean_y - slope * mean_x
    residual = math.fsum((y - intercept - slope * x) ** 2 for x, y in points)
    return Line(slope, intercept, math.sqrt(residual / (n - 2)) if n > 2 else None, n - 2, mean_x, squares)


def prediction_interval(line: Line, x: float, alpha: float = ALPHA) -> tuple[float, float]:
    """One-sided bounds, each at `alpha`, of a new observation at x.

    line(x) -+ t(df) * spread * sqrt(1 + 1/n + (x - mean)^2 / Sxx) (Draper and Smith, "Applied Regression Analysis",
    1998, section 3.1). It takes the points to scatter alike and independently about a line. `ValueError` for df 0.
    """
    if line.spread is None:
        raise ValueError("two points leave no degree of freedom: their scatter is unknown")
    n = line.df + 2
    half = t_quantile(alpha, line.df) * line.spread * math.sqrt(1 + 1 / n + (x - line.mean_x) ** 2 / line.squares_x)
    return line.at(x) - half, line.at(x) + half
