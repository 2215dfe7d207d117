"""Preferred scores of a benchmark under the readings that the original papers leave open.

Schaeffer et al. (2023) do not print which families, shots and subtasks entered their figures, nor
the threshold of the emergence score, nor what became of infinite scores and of metrics of which
less is better. Each open choice is an axis here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from metamirage.base.thresholds import MIN_SIZES, MIN_SIZES_VERDICT
from metamirage.curves.scores import breakthroughness
from metamirage.ingest.bigbench.metrics import NORMALISED

GRADE = "multiple_choice_grade"
SUBTASKS = ("subtasks apart", "subtasks averaged")
SHOTS = ("each shot count", "best shot count", "mean over shot counts")
# No threshold was printed. The 95 % reference of a flat curve of twelve sizes is 5.4, a straight
# line scores 12.9 on BIG-G's sizes, and a step has no upper limit.
THRESHOLDS = (50, 25, 100)
INFINITE = ("infinite counted", "infinite not counted")
DIRECTION = ("less-is-better metrics flipped", "metrics as published")
ALL = "all families"
LONG = f"families with {MIN_SIZES_VERDICT} sizes or more"


@dataclass(frozen=True)
class Reading:
    """One reading of "emergent by the emergence score".

    Parameters
    ----------
    threshold
        S above it is called emergent.
    families, shots, subtasks, infinite, direction
        Words of the constants above, or a family's name.
    """

    threshold: int
    families: str
    shots: str
    subtasks: str
    infinite: str
    direction: str

    def __str__(self) -> str:
        parts = (self.families, self.shots, self.subtasks, self.infinite, self.direction)
        return "; ".join((f"S > {self.threshold}", *parts))


def readings(families: list[str]) -> Iterator[Reading]:
    """Yield all readings, the one behind the estimate first."""
    # ASSUME: the estimate counts every published curve, infinite scores too, with the middle
    # threshold; no choice of it was printed.
    axes = product(THRESHOLDS, [ALL, LONG, *families], SHOTS, SUBTASKS, INFINITE, DIRECTION)
    yield from (Reading(*choice) for choice in axes)


def preferred_scores(tidy: pd.DataFrame, tags: pd.DataFrame, subtasks: str) -> pd.DataFrame:
    """Select the preferred scores, subtasks apart or averaged as BIG-bench does.

    A task of which every subtask prefers the multiple-choice grade is averaged in that metric; any
    other mixture becomes the normalised aggregate score, 100 (score - low) / (high - low).

    Parameters
    ----------
    tidy, tags
        Tables of those names.
    subtasks
        One of ``SUBTASKS``.

    Returns
    -------
    pandas.DataFrame
        task, subtask, metric, family, n_shots (float), n_params, score, normalised, sign.
    """
    chosen = tidy[tidy["is_preferred"].fillna(False).astype(bool)]
    up = tags.assign(sign=np.where(tags["direction"] == "down", -1, 1))
    signs = up[["task", "metric", "sign"]]
    rows = chosen.merge(signs, on=["task", "metric"], validate="many_to_one")
    span = rows["high_score"] - rows["low_score"]
    normalised = 100 * (rows["score"] - rows["low_score"]) / span.where(span != 0)
    rows = rows.assign(normalised=normalised, n_shots=rows["n_shots"].astype("float64"))
    columns = ["task", "subtask", "metric", "family", "n_shots", "n_params"]
    rows = rows[[*columns, "score", "normalised", "sign"]]
    return rows if subtasks == SUBTASKS[0] else _averaged(rows)


def _averaged(rows: pd.DataFrame) -> pd.DataFrame:
    split = rows.groupby("task")["subtask"].transform("nunique") > 1
    whole, parts = rows[~split], rows[split]
    graded = (parts["metric"] == GRADE).groupby(parts["task"]).transform("all")
    mixed = parts.assign(
        metric=parts["metric"].where(graded, NORMALISED),
        score=parts["score"].where(graded, parts["normalised"]),
        sign=parts["sign"].where(graded, 1),
    )
    key = ["task", "metric", "family", "n_shots", "n_params", "sign"]
    means = mixed.groupby(key, dropna=False, sort=True)[["score", "normalised"]].mean()
    return pd.concat([whole, means.reset_index().assign(subtask="")], ignore_index=True)


def over_shots(rows: pd.DataFrame, shots: str) -> pd.DataFrame:
    """Keep shot counts apart, or take the best or mean of them at each size."""
    key = ["task", "subtask", "metric", "family", "n_params", "sign"]
    if shots == SHOTS[0]:
        # Several models of one size are replicates.
        return _means(rows, [*key, "n_shots"])
    one = rows.assign(n_shots=np.nan)
    if shots == SHOTS[2]:
        return _means(one, [*key, "n_shots"])
    oriented = one.assign(score=one["score"] * one["sign"])
    best = oriented.groupby(key, sort=True)[["score", "normalised"]].max().reset_index()
    return best.assign(score=best["score"] * best["sign"], n_shots=np.nan)


def _means(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    means = rows.groupby(key, dropna=False, sort=True)[["score", "normalised"]].mean()
    return means.reset_index()


def curve_scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Compute S of every curve of at least three sizes, as published.

    Parameters
    ----------
    rows
        One score per curve and size.

    Returns
    -------
    pandas.DataFrame
        task, metric, family, sign, n_sizes, s; S of a flipped metric is ``sign * s``.
    """
    key = ["task", "subtask", "metric", "family", "n_shots"]
    ordered = rows.sort_values([*key, "n_params"], kind="stable")
    groups = ordered.groupby(key, dropna=False, sort=False)
    heads = groups[["sign"]].first().assign(n_sizes=groups.size()).reset_index()
    value = ordered["score"].to_numpy(float)
    start = np.concatenate([[0], np.cumsum(heads["n_sizes"])])[:-1].astype(int)
    s = np.full(len(heads), np.nan)
    for n in sorted(set(heads["n_sizes"]) - set(range(MIN_SIZES))):
        here = (heads["n_sizes"] == n).to_numpy()
        s[here] = breakthroughness(value[start[here, None] + np.arange(n)])
    kept = heads["n_sizes"] >= MIN_SIZES
    return heads.assign(s=s)[kept][["task", "metric", "family", "sign", "n_sizes", "s"]]


def emergent_curves(curves: pd.DataFrame, reading: Reading) -> tuple[pd.DataFrame, pd.Series[bool]]:
    """Select the curves that a reading admits, and mark those that it calls emergent.

    Parameters
    ----------
    curves
        From `curve_scores`, for the shots and subtasks of the reading.
    reading
        The reading.
    """
    admitted = pd.Series(data=True, index=curves.index)
    if reading.families == LONG:
        admitted = curves["n_sizes"] >= MIN_SIZES_VERDICT
    elif reading.families != ALL:
        admitted = curves["family"] == reading.families
    chosen = curves[admitted]
    s = chosen["s"] * (chosen["sign"] if reading.direction == DIRECTION[0] else 1)
    called = s > reading.threshold
    return chosen, called if reading.infinite == INFINITE[0] else called & np.isfinite(s)
