"""Stage multiverse: would the paired answer be another one, had other choices been made.

A specification curve (Simonsohn, Simmons and Nelson 2020, doi:10.1038/s41562-020-0912-z): every
specification of ``specifications`` is estimated, and the whole curve is set against what it would
be if class labels meant nothing. For that, the labels of all pairs of a task are swapped together,
with one sign a task for all specifications: within a swap these depend on each other as they do in
the data.

Not a test of more than the specifications share: a measure whose noise differs between metrics, as
S, is not exchangeable however labels are swapped.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_SIZES_VERDICT, MIN_TASKS
from metamirage.contracts.multiverse import MULTIVERSE, MULTIVERSE_JOINT
from metamirage.hypotheses.permutation import TIE, sign_patterns
from metamirage.hypotheses.shared_width_prior import add_own_widths
from metamirage.hypotheses.strata import describe_curves
from metamirage.robustness.specifications import (
    AXES,
    MEASURES,
    Mask,
    Pairs,
    admitted,
    axis_masks,
    filters,
    measure_curves,
    pair_curves,
    task_differences,
)

N_SWAPS = 500
# Up to this many tasks all sign patterns are visited: no more than the swaps would be.
ALL_PATTERNS_UP_TO = 8
# ASSUME: this many filters, drawn at random beyond the first, show the shape of the curve; each is
# measured in every way.
N_FILTERS = 500
LEVEL = 0.05
ALL = "all"
STATISTICS = ("median_effect", "share_predicted", "share_significant")
Choices = tuple[str, ...]
KEYS = ("measure", "threshold", *AXES)


def assess_multiverse(
    fits: pd.DataFrame,
    scores: pd.DataFrame,
    forecasts: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    tidy: pd.DataFrame,
    profiles: pd.DataFrame,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimate every specification on one benchmark, and test the curve as a whole.

    Parameters
    ----------
    fits, scores, forecasts, tags, tidy, profiles
        Tables of one benchmark.
    seed
        Of the swaps, and of the draw of filters.

    Returns
    -------
    (specifications, joint)
        Tables ``findings.MULTIVERSE`` and ``findings.MULTIVERSE_JOINT``.
    """
    benchmark = str(fits["benchmark"].iloc[0])
    rng = stage_stream(seed, "multiverse")
    described = describe_curves(measure_curves(fits, scores, forecasts, tags), tidy=tidy, tags=tags)
    # The prior that H2 learns, from the same curves; shorter ones have their widths under it too.
    curves = add_own_widths(described, profiles, min_sizes=MIN_SIZES_VERDICT)
    judged = tidy.loc[tidy["is_preferred"].eq(True).fillna(False), ["task", "metric"]]
    pairs = pair_curves(curves, preferred=judged.drop_duplicates())
    masks = axis_masks(pairs)
    found = list(filters(masks, pairs.task))
    named, differences = _measured(pairs, masks, _drawn(found, rng))
    curve = specification_curve(differences, rng=rng)
    specifications = named.assign(benchmark=benchmark, **curve.rows)
    joint = pd.DataFrame(joint_rows(curve, named["measure"].to_numpy(str))).assign(
        benchmark=benchmark,
        n_possible=len(found) * len(MEASURES),
        n_swaps=len(curve.null) - 1,
        seed=seed,
    )
    return specifications[list(MULTIVERSE.columns)], joint[list(MULTIVERSE_JOINT.columns)]


def _drawn(found: list[Choices], rng: np.random.Generator) -> list[Choices]:
    """Draw filters if there are too many; the first, that of the tests, always stays."""
    if len(found) <= N_FILTERS:
        return found
    others = rng.choice(np.arange(1, len(found)), N_FILTERS - 1, replace=False)
    return [found[i] for i in [0, *sorted(others)]]


def _measured(
    pairs: Pairs, masks: Mapping[str, Mapping[str, Mask]], found: list[Choices]
) -> tuple[pd.DataFrame, FloatArray]:
    """Names of the specifications that can be tested, and their task differences."""
    n_tasks = int(pairs.task.max()) + 1 if len(pairs.task) else 0
    by_task = [task_differences(pairs, admitted(masks, c), n_tasks) for c in found]
    differences = np.concatenate(by_task, axis=1) if by_task else np.empty((n_tasks, 0))
    rows = [(*measure, *choices) for choices in found for measure in MEASURES]
    named = pd.DataFrame(rows, columns=list(KEYS)).astype("str")
    enough = np.isfinite(differences).sum(axis=0) >= MIN_TASKS
    # S orders sizes: of three or four it says nothing.
    enough &= ~((named["measure"] == "S") & (named["min_sizes"] == "3")).to_numpy(bool)
    return named[enough].reset_index(drop=True), differences[:, enough]


class Curve:
    """Estimates of all specifications, and what they are under the swaps.

    Parameters
    ----------
    rows
        Columns of ``findings.MULTIVERSE`` that are estimated.
    null
        Shape (1 + swaps, specifications): standardised effects, those of the data first.
    significant
        Same shape: p-values at most 0.05 with the predicted sign.
    """

    def __init__(
        self, rows: dict[str, FloatArray], null: FloatArray, significant: NDArray[np.bool_]
    ) -> None:
        self.rows = rows
        self.null = null
        self.significant = significant


def specification_curve(differences: FloatArray, *, rng: np.random.Generator) -> Curve:
    """Estimate and standardise every specification, and swap the labels of whole tasks.

    The standardised effect is the mean over the root mean square of the task differences: between
    -1 and 1, the same scale for all measures, and its denominator does not change with the swaps.

    Parameters
    ----------
    differences
        Shape (tasks, specifications), missing where a task has no pair.
    rng
        Draws the swaps if there are more than eight tasks.
    """
    known = np.isfinite(differences)
    n = known.sum(axis=0)
    filled = np.where(known, differences, 0.0)
    size = np.sqrt((filled**2).sum(axis=0) / np.maximum(n, 1))
    # A specification in which no pair differs has no effect, under any swap.
    scaled = filled / np.where(size > 0, size, 1.0) / np.maximum(n, 1)
    null = _patterns(len(differences), rng) @ scaled
    p_values = swap_p_values(null)
    low, high = _envelope(null)
    rows = {
        "estimate": filled.sum(axis=0) / np.maximum(n, 1),
        "effect": null[0],
        "p_value": p_values[0],
        "null_low": low,
        "null_high": high,
        "n_tasks": n,
    }
    return Curve(rows, null, (p_values <= LEVEL) & (null > 0))


def _patterns(n_tasks: int, rng: np.random.Generator) -> FloatArray:
    if n_tasks <= ALL_PATTERNS_UP_TO:
        return sign_patterns(n_tasks, N_SWAPS, rng)[0]
    drawn = rng.choice([-1.0, 1.0], size=(N_SWAPS, n_tasks))
    return np.vstack([np.ones(n_tasks), drawn])


def swap_p_values(null: FloatArray) -> FloatArray:
    """Two-sided p-value of every specification under every swap, each among all others.

    Parameters
    ----------
    null
        Shape (patterns, specifications).
    """
    size = np.abs(null)
    ordered = np.sort(size, axis=0)
    below = [
        np.searchsorted(ordered[:, k], size[:, k] - TIE, side="left") for k in range(size.shape[1])
    ]
    return 1 - np.array(below, dtype=np.float64).reshape(size.shape[::-1]).T / len(null)


def _envelope(null: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Central 95 % of the curve under the swaps, at the rank that each specification has."""
    if not null.shape[1]:
        return np.empty(0), np.empty(0)
    low, high = np.quantile(np.sort(null, axis=1), [0.025, 0.975], axis=0)
    rank = np.argsort(np.argsort(null[0], kind="stable"), kind="stable")
    return low[rank], high[rank]


def joint_rows(curve: Curve, measure: NDArray[np.str_]) -> list[dict[str, object]]:
    """Test the curve as a whole, and the part of it under each measure.

    Parameters
    ----------
    curve
        From ``specification_curve``.
    measure
        Shape (specifications,): name of the measure.

    Returns
    -------
    list of dict
        A row a measure (or all) and one of ``STATISTICS``.
    """
    names = [ALL, *sorted(set(measure))]
    return [
        {"measure": name, "n_specifications": int(here.sum())} | row
        for name in names
        for here in [np.ones(len(measure), dtype=np.bool_) if name == ALL else measure == name]
        for row in _statistics(curve.null[:, here], curve.significant[:, here])
    ]


def _statistics(null: FloatArray, significant: NDArray[np.bool_]) -> list[dict[str, object]]:
    if not null.shape[1]:
        return [{"statistic": s, "observed": np.nan, "p_value": np.nan} for s in STATISTICS]
    median = np.median(null, axis=1)
    # Effects of exactly zero have no sign.
    ahead = ((null > TIE).mean(axis=1), (null < -TIE).mean(axis=1))
    surplus = ahead[0] - ahead[1]
    share = significant.mean(axis=1)
    found = (
        (median[0], np.abs(median) >= abs(median[0]) - TIE),
        (ahead[0][0], np.abs(surplus) >= abs(surplus[0]) - TIE),
        (share[0], share >= share[0] - TIE),
    )
    return [
        {"statistic": s, "observed": float(observed), "p_value": float(extreme.mean())}
        for s, (observed, extreme) in zip(STATISTICS, found, strict=True)
    ]
