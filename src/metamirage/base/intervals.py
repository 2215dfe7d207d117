"""Intervals of shares."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.proportion import proportion_confint

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
    # Without cases the rate is 0 / 0.
    with np.errstate(invalid="ignore"):
        lower, upper = proportion_confint(hits, cases, alpha=1 - level, method="beta")
    return lower, upper
