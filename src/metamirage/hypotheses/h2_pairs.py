"""Tests of paired differences whose units are tasks: the rows of H2 and H4."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import MIN_TASKS
from metamirage.base.vocabulary import BLOCK
from metamirage.hypotheses.permutation import flip_test, shares_of

NO_PAIRS = "no task has metrics of both classes here"


def task_means(pairs: pd.DataFrame, column: str) -> FloatArray:
    """Average a column of pairs to one value a task.

    Blocks come first: a task with more metrics a block should not outweigh its other blocks.

    Parameters
    ----------
    pairs
        One row a pair, with ``pairs.BLOCK``; missing values are left out.
    column
        To average.

    Returns
    -------
    FloatArray
        Shape (tasks,), in the order of the tasks' names.
    """
    blocks = pairs.groupby(list(BLOCK), dropna=False)[column].mean().dropna()
    return blocks.groupby(level="task").mean().to_numpy(float)


def weighted_means(pairs: pd.DataFrame, column: str, weight: str) -> tuple[FloatArray, FloatArray]:
    """Average a column of pairs to one value a task by weight; return these and their weights.

    Parameters
    ----------
    pairs
        As in ``task_means``.
    column, weight
        To average, and what each pair counts.
    """
    known = pairs.dropna(subset=column)
    weights = task_means(known, weight)
    sums = task_means(known.assign(product=known[column] * known[weight]), "product")
    plain = task_means(known, column)
    # A task of no weight has a value all the same.
    return np.where(weights > 0, sums / np.where(weights > 0, weights, 1.0), plain), weights


def flip_row(
    pairs: pd.DataFrame,
    estimand: str,
    *,
    rng: np.random.Generator,
    n_draws: int,
    weight: str = "",
) -> dict[str, object]:
    """Test that one column of differences is centred on zero, by one sign a task.

    Parameters
    ----------
    pairs
        As in ``task_means``.
    estimand
        Column of the differences.
    rng, n_draws
        Of the sign flips.
    weight
        Column of what each pair counts; without one all tasks count alike, and so do a block's
        pairs.

    Returns
    -------
    dict
        A row of ``findings.CONCENTRATION`` without its place, and ``stderr``, the standard error
        over tasks.
    """
    by_task, weights = task_means(pairs, estimand), None
    if weight:
        by_task, weights = weighted_means(pairs, estimand, weight)
    n = len(by_task)
    row: dict[str, object] = {
        "estimand": estimand,
        "n_tasks": n,
        "n_curves": int(pairs[estimand].notna().sum()),
        "method": "sign flips by task; interval of the shifts not rejected",
    }
    if not n:
        empty = dict.fromkeys(["estimate", "lower", "upper", "p_value", "stderr"], np.nan)
        return row | empty | {"note": NO_PAIRS}
    test = flip_test(by_task, rng=rng, n_draws=n_draws, weights=weights)
    return row | {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
        "p_value": test.p_value,
        "stderr": _stderr(by_task, weights),
        "note": "" if n >= MIN_TASKS else f"{MIN_TASKS} tasks are needed to reject at 0.05",
    }


def _stderr(values: FloatArray, weights: FloatArray | None) -> float:
    """Estimate the standard error of a weighted mean over tasks; missing for a single one."""
    n = len(values)
    if n < 2:
        return np.nan
    shares = shares_of(weights, n)
    apart = values - shares @ values
    return float(np.sqrt((shares * apart) @ (shares * apart) * n / (n - 1)))
