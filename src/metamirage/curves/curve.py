"""Curves: the scores of one task, metric, family and shot count over model size, made ready to fit.

Orientation: y is turned so that larger is better. Scale: a bounded metric is mapped from
[lower, upper] to [0, 1]; an unbounded one from its own observed extremes. Nothing is clipped.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.errors import InputError, Offence
from metamirage.base.thresholds import MIN_SIZES
from metamirage.base.vocabulary import CURVE_KEY

# ASSUME: scores are printed to a ten-thousandth of their range: rounding has this sd (uniform, 1e-4
# over the root of 12). Without it twelve equal scores would have no noise at all.
ROUNDING = 3e-5
# ASSUME: these subtasks are means over their siblings and would count the same items twice.
AGGREGATE_SUBTASKS = frozenset({"overall"})


@dataclass(frozen=True)
class Curve:
    """One curve, sorted by size; replicates at one size stay as separate points.

    Parameters
    ----------
    curve_id
        Stable name: the key's parts joined by ``|``.
    key
        Values of ``tables.CURVE_KEY``.
    size
        log10 parameters, shape (n,), ascending.
    score
        As published, shape (n,).
    z
        Oriented and scaled score, shape (n,).
    stderr
        Published standard error on the scale of ``z``, if any, joined with the sd of rounding;
        shape (n,).
    n_items
        Items behind each score, shape (n,); zero where unknown.
    observation
        ``beta_binomial`` or ``gaussian``.
    chance
        Score of guessing on the scale of ``z``; NaN if unknown.
    bounded
        Whether [0, 1] are the metric's own bounds.
    origin, unit
        ``z = (oriented score - origin) / unit``; ``unit`` carries the unit of the source.
    sign
        +1 if larger is better as published, -1 otherwise.
    excluded
        Why the curve stays out of the tests, or empty.
    """

    curve_id: str
    key: dict[str, object]
    size: FloatArray
    score: FloatArray
    z: FloatArray
    stderr: FloatArray
    n_items: FloatArray
    observation: str
    chance: float
    bounded: bool
    origin: float
    unit: float
    sign: int
    excluded: str

    @property
    def n_sizes(self) -> int:
        """Distinct sizes."""
        return len(np.unique(self.size))

    @property
    def published_stderr(self) -> FloatArray:
        """Standard error without the sd of rounding, on the scale of ``z``, shape (n,)."""
        return np.asarray(np.sqrt(np.maximum(self.stderr**2 - ROUNDING**2, 0.0)))

    @property
    def counts(self) -> FloatArray:
        """Right answers behind each score, shape (n,): the nearest whole number of items.

        For a bounded metric that is no count of items this is the count with the same mean:
        its variance bounds the true one from above (Bhatia and Davis 2000).
        """
        return np.clip(np.rint(self.z * self.n_items), 0, self.n_items)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Curve:
        """Return the curve of some of its points, on the same scale: a mask (n,) or indices."""
        return replace(
            self,
            size=self.size[keep],
            score=self.score[keep],
            z=self.z[keep],
            stderr=self.stderr[keep],
            n_items=self.n_items[keep],
        )


def rescaled(curve: Curve, *, origin: float | None = None, unit: float | None = None) -> Curve:
    """Return a curve on another scale.

    Parameters
    ----------
    curve
        Any curve.
    origin, unit
        The new scale. By default a bounded metric keeps its own, and an unbounded one takes the
        extremes of the points it has, as ``build_curves`` does.
    """
    if origin is None or unit is None:
        if curve.bounded:
            return curve
        origin, unit = _scale(curve.sign * curve.score, np.empty(0), bounded=False)
    return replace(
        curve,
        z=(curve.sign * curve.score - origin) / unit,
        # The sd of rounding belongs to the scale and is not carried along: through the unit of the
        # whole curve, the smaller sizes would learn of the score that is left out.
        stderr=np.hypot(curve.published_stderr * curve.unit / unit, ROUNDING),
        origin=origin,
        unit=unit,
    )


def curve_name(key: Mapping[str, Any]) -> str:
    """Join the curve key into the stable ``curve_id``."""
    return "|".join("" if pd.isna(key[c]) else str(key[c]) for c in CURVE_KEY)


def build_curves(tidy: pd.DataFrame, tags: pd.DataFrame) -> list[Curve]:
    """Group tidy scores into curves of at least three sizes.

    Parameters
    ----------
    tidy
        Table ``tables.TIDY``.
    tags
        Table ``tables.TAGS`` of the same benchmark.

    Returns
    -------
    list of Curve
        In the order of their names.

    Raises
    ------
    InputError
        If no curve has three sizes.
    """
    tagged = tidy.merge(tags, on=["benchmark", "task", "metric"], validate="many_to_one")
    number = tagged.groupby(list(CURVE_KEY), dropna=False, sort=False).ngroup()
    tagged = tagged.assign(_number=number).sort_values(["_number", "n_params", "model"])
    # Arrays cut at the first row of each curve: a frame for each would cost a hundred times more.
    starts = np.flatnonzero(np.diff(tagged["_number"], prepend=-1))
    heads = tagged.iloc[starts].to_dict("records")
    points = np.split(_points(tagged), starts[1:], axis=1)
    curves = [
        _build_curve(head, *arrays)
        for head, arrays in zip(heads, points, strict=True)
        if len(np.unique(arrays[0])) >= MIN_SIZES
    ]
    if not curves:
        raise InputError([_no_curves(tidy)])
    return sorted(curves, key=lambda curve: curve.curve_id)


def _no_curves(tidy: pd.DataFrame) -> Offence:
    sizes = tidy.groupby(list(CURVE_KEY), dropna=False)["n_params"].nunique()
    return Offence(
        where=", ".join(sorted(set(tidy["source_file"]))[:3]),
        problem=f"no task, metric, family and shot count has {MIN_SIZES} model sizes; the most is",
        value=int(sizes.max()) if len(sizes) else 0,
        allowed=f"{MIN_SIZES} distinct n_params in one family at least",
        remedy="Check that the models of one family share its name and differ in n_params",
    )


def _points(tagged: pd.DataFrame) -> FloatArray:
    """Size, score, items and standard error of all rows, zero where unknown; shape (4, rows)."""
    return np.stack(
        [
            np.log10(tagged["n_params"].to_numpy(float)),
            tagged["score"].to_numpy(float),
            tagged["n_samples"].to_numpy(float, na_value=0.0),
            tagged["stderr"].fillna(0.0).to_numpy(float),
        ]
    )


def _build_curve(
    head: Mapping[Hashable, Any],
    size: FloatArray,
    score: FloatArray,
    n_items: FloatArray,
    published: FloatArray,
) -> Curve:
    """Build one curve from its first row and the points of all, sorted by size."""
    key = {c: head[c] for c in CURVE_KEY}
    sign = 1 if head["direction"] == "up" else -1
    bounded = bool(np.isfinite(head["lower"]) and np.isfinite(head["upper"]))
    origin, unit = _scale(sign * score, sign * np.array([head["lower"], head["upper"]]), bounded)
    stderr = published / unit
    return Curve(
        curve_id=curve_name(key),
        key=key,
        size=size.copy(),
        score=score.copy(),
        z=(sign * score - origin) / unit,
        stderr=np.hypot(stderr, ROUNDING),
        n_items=n_items.copy(),
        observation=_observation(head, bounded, n_items, stderr),
        chance=(sign * float(head["chance"]) - origin) / unit if bounded else np.nan,
        bounded=bounded,
        origin=origin,
        unit=unit,
        sign=sign,
        excluded=_exclusion(head),
    )


def _scale(oriented: FloatArray, bounds: FloatArray, bounded: bool) -> tuple[float, float]:
    # ASSUME: an unbounded metric is scaled by its own extremes, so priors and the jump threshold
    # are relative to the observed range there.
    ends = bounds if bounded else oriented
    spread = float(ends.max() - ends.min())
    return float(ends.min()), spread if spread > 0 else 1.0


def _observation(
    head: Mapping[Hashable, Any], bounded: bool, n_items: FloatArray, stderr: FloatArray
) -> str:
    # ASSUME: a graded metric with a published standard error keeps that error; its count bound
    # would be wider than the truth.
    graded = head["discontinuous"] == "no" and bool((stderr > 0).all())
    counted = bounded and bool((n_items > 0).all())
    return "beta_binomial" if counted and not graded else "gaussian"


def _exclusion(head: Mapping[Hashable, Any]) -> str:
    if head["excluded"]:
        return str(head["excluded"])
    return "aggregate over subtasks" if head["subtask"] in AGGREGATE_SUBTASKS else ""
