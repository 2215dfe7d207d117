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


def flip_row(
    pairs: pd.DataFrame, estimand: str, *, rng: np.random.Generator, n_draws: int
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

    Returns
    -------
    dict
        A row of ``findings.CONCENTRATION`` without its place, and ``stderr``, the standard error
        over tasks.
    """
    by_task = task_means(pairs, estimand)
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
    test = flip_test(by_task, rng=rng, n_draws=n_draws)
    return row | {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
        "p_value": test.p_value,
        "stderr": float(by_task.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan,
        "note": "" if n >= MIN_TASKS else f"{MIN_TASKS} tasks are needed to reject at 0.05",
    }
