"""Tests of paired differences whose units are tasks: the rows of H2 and H4."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metamirage.curves import FloatArray
from metamirage.pairs import BLOCK
from metamirage.permutation import flip_test

# Fewer tasks can't reject at 0.05 by sign flips: 2 / 2**5 > 0.05.
MIN_TASKS = 6
NO_PAIRS = "no task has metrics of both classes here"


def weigh_tasks(pairs: pd.DataFrame, column: str, *, weight: str | None = None) -> pd.DataFrame:
    """Average a column of pairs to one value a task, and say how much each task counts.

    Blocks come first: a task with more metrics a block should not outweigh its other blocks.

    Parameters
    ----------
    pairs
        One row a pair, with ``pairs.BLOCK``.
    column
        To average; pairs where it is missing are left out.
    weight
        Column of the pairs' weights, which must not change when the two metrics swap their classes;
        without one all tasks count alike.

    Returns
    -------
    pandas.DataFrame
        By task, ``value`` and ``weight``.
    """
    known = pairs.dropna(subset=column)
    weights = known[weight] if weight else pd.Series(1.0, index=known.index)
    parts = known[list(BLOCK)].assign(total=weights * known[column], weight=weights)
    blocks = parts.groupby(list(BLOCK), dropna=False)[["total", "weight"]].mean()
    tasks = blocks.groupby(level="task").mean()
    return tasks.assign(value=tasks["total"] / tasks["weight"])[["value", "weight"]]


def flip_row(
    pairs: pd.DataFrame,
    estimand: str,
    *,
    rng: np.random.Generator,
    n_draws: int,
    weight: str | None = None,
) -> dict[str, object]:
    """Test that one column of differences is centred on zero, by one sign a task.

    Parameters
    ----------
    pairs, weight
        As in ``weigh_tasks``.
    estimand
        Column of the differences.
    rng, n_draws
        Of the sign flips.

    Returns
    -------
    dict
        A row of ``tables.CONCENTRATION`` without its place, and ``stderr``, the standard error over
        tasks.
    """
    by_task = weigh_tasks(pairs, estimand, weight=weight)
    n = len(by_task)
    row: dict[str, object] = {
        "estimand": estimand,
        "n_tasks": n,
        "n_curves": int(pairs[estimand].notna().sum()),
        "method": "sign flips by task; interval of the shifts not rejected",
    }
    if weight:
        row["method"] = f"tasks weighted by {weight}; {row['method']}"
    if not n:
        empty = dict.fromkeys(["estimate", "lower", "upper", "p_value", "stderr"], np.nan)
        return row | empty | {"note": NO_PAIRS}
    value, weights = by_task["value"].to_numpy(float), by_task["weight"].to_numpy(float)
    test = flip_test(value, weights=weights, rng=rng, n_draws=n_draws)
    return row | {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
        "p_value": test.p_value,
        "stderr": _stderr(value, weights),
        "note": "" if n >= MIN_TASKS else f"{MIN_TASKS} tasks are needed to reject at 0.05",
    }


def _stderr(value: FloatArray, weight: FloatArray) -> float:
    """Take the standard error of a weighted mean over tasks from their scatter."""
    n, share = len(value), weight / weight.sum()
    if n < 2:
        return float("nan")
    return float(np.sqrt(n / (n - 1) * (share**2 @ (value - share @ value) ** 2)))
