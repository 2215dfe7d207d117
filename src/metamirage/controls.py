"""Negative controls on real curves: classes that mean nothing must give no effect.

From fits that are there already; no rule calls it yet. Relabelling draws a class for each metric,
so the pairs of a benchmark stay as they are and lose their meaning. The fake class compares two
families that differ in nothing a metric sees, such as sampling temperatures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from metamirage.concentration import PAIRED, make_pairs
from metamirage.curves import FloatArray
from metamirage.pairs import SAME_OUTPUTS
from metamirage.permutation import MIN_UNITS, FlipTest, flip_test

ESTIMAND = "log10_width"


def relabelled(
    curves: pd.DataFrame, *, n_labels: int, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Test the primary measure under classes drawn for metrics by the toss of a coin.

    Parameters
    ----------
    curves
        Tested curves of one benchmark with what ``own_prior.add_own_widths`` adds.
    n_labels
        How often classes are drawn.
    n_draws
        Sign flips behind each p-value.
    rng
        Draws the classes and the flips.

    Returns
    -------
    ndarray
        Shape (n_labels,): p-values; missing where fewer than six tasks have a pair. Few metrics
        give few labellings, so the values repeat and are no independent sample.
    """
    metrics = np.sort(curves["metric"].unique())
    p_values = np.full(n_labels, np.nan)
    for i in range(n_labels):
        classes = dict(zip(metrics, rng.integers(0, 2, len(metrics)).astype(float), strict=True))
        pairs = make_pairs(curves.assign(label=curves["metric"].map(classes)))
        test = _test(pairs[pairs["stratum"] == SAME_OUTPUTS], rng=rng, n_draws=n_draws)
        if test is not None:
            p_values[i] = test.p_value
    return p_values


def fake_class(
    curves: pd.DataFrame, *, one: str, zero: str, n_draws: int, rng: np.random.Generator
) -> FlipTest | None:
    """Test the primary measure between two families as if they were classes of metrics.

    Parameters
    ----------
    curves
        As for ``relabelled``.
    one, zero
        Families of the same models, for example greedy and sampled.
    n_draws, rng
        Of the sign flips.

    Returns
    -------
    FlipTest or None
        None if fewer than six tasks have curves of both on the same metric.
    """
    keys = ["task", "subtask", "metric", "n_shots"]
    column = PAIRED[ESTIMAND].column
    sides = [curves.loc[curves["family"] == name, [*keys, column]] for name in (one, zero)]
    pairs = sides[0].merge(sides[1], on=keys, suffixes=("_1", "_0"))
    difference = PAIRED[ESTIMAND].sign * (pairs[f"{column}_1"] - pairs[f"{column}_0"])
    return _test(pairs.assign(**{ESTIMAND: difference}), rng=rng, n_draws=n_draws)


def _test(pairs: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> FlipTest | None:
    by_task = pairs.groupby("task")[ESTIMAND].mean().dropna().to_numpy(float)
    if len(by_task) < MIN_UNITS:
        return None
    return flip_test(by_task, rng=rng, n_draws=n_draws)
