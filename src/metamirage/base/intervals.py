"""Intervals of shares."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from metamirage.base.arrays import FloatArray


def exact_interval(
    hits: FloatArray, cases: FloatArray, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Interval of a rate by the exact binomial tails (Clopper and Pearson 1934).

    Parameters
    ----------
    hits, cases
        Shape (n,), hits <= cases; without cases the interval is missing.
    level
        Coverage, at least.
    """
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        lower = beta.ppf(tail, hits, cases - hits + 1)
        upper = beta.ppf(1 - tail, hits + 1, cases - hits)
    lower, upper = np.where(hits == 0, 0.0, lower), np.where(hits == cases, 1.0, upper)
    none = cases == 0
    return np.where(none, np.nan, lower), np.where(none, np.nan, upper)
