"""Stage scores: the published heuristics S and L, for fidelity; they never decide anything here.

Sources: BIG-bench paper (arXiv 2206.04615), appendix on linearity and breakthroughness; Schaeffer,
Miranda and Koyejo (arXiv 2304.15004), Eq. 1, for S.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.curves.curve import Curve

# 2,000 flat curves put the 95 % quantile within about one percentage point of its rank.
N_NULL = 2000


def signed_range(y: FloatArray) -> FloatArray:
    """Return I(y) = sign(argmax - argmin) * (max - min) along the last axis; y has shape (…, n)."""
    rising = np.sign(np.argmax(y, axis=-1) - np.argmin(y, axis=-1))
    return rising * (np.max(y, axis=-1) - np.min(y, axis=-1))


def breakthroughness(y: FloatArray) -> FloatArray:
    """Emergence score S of Schaeffer et al. (2023), Eq. 1, along the last axis.

    ``S = I(y) / sqrt(median(d**2))`` with d the successive differences. It ignores the spacing of
    sizes, grows with their number and with the number of items, is largest for a straight line at
    three sizes, and is not for comparing curves of different lengths.

    Parameters
    ----------
    y
        Oriented scores in order of size, shape (…, n), n >= 2.

    Returns
    -------
    ndarray
        Shape (…); infinite where the median difference is zero, NaN where y is constant.
    """
    return _ratio(y, np.median(np.diff(y, axis=-1) ** 2, axis=-1))


def linearity(y: FloatArray) -> FloatArray:
    """BIG-bench linearity ``L = I(y) / sqrt(mean(d**2))`` along the last axis, shape (…)."""
    return _ratio(y, np.mean(np.diff(y, axis=-1) ** 2, axis=-1))


def _ratio(y: FloatArray, mean_square: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(signed_range(y) / np.sqrt(mean_square))


def state_of(s: float, y: FloatArray) -> str:
    """Name what S is for one curve: ``finite``, ``inf``, ``nan`` or ``constant``."""
    if np.isinf(s):
        return "inf"
    if np.isfinite(s):
        return "finite"
    return "constant" if np.ptp(y) == 0 else "nan"


def flat_quantile(curve: Curve, rng: np.random.Generator, *, level: float = 0.95) -> float:
    """Quantile of S for a flat curve with this curve's sizes and items.

    Items known: binomial counts at the pooled rate. Otherwise Gaussian noise, for which S does not
    depend on mean or sd. NaN draws (constant curves) rank lowest.

    Parameters
    ----------
    curve
        The curve whose design is used; its own scores enter only through the pooled rate.
    rng
        Source of the draws.
    level
        Rank of the quantile, in (0, 1).
    """
    sizes, first = np.unique(curve.size, return_index=True)
    shape = (N_NULL, len(sizes))
    if curve.observation == "beta_binomial":
        n = curve.n_items[first]
        rate = np.clip(curve.counts.sum() / curve.n_items.sum(), 0.0, 1.0)
        y = rng.binomial(n.astype(int), rate, size=shape) / n
    else:
        y = rng.standard_normal(shape)
    s = np.nan_to_num(breakthroughness(y), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    return float(np.quantile(s, level, method="inverted_cdf"))


def score_curves(curves: Iterable[Curve], *, seed: int) -> pd.DataFrame:
    """Compute S, L, their state and the flat reference for every curve.

    Parameters
    ----------
    curves
        Any number of curves.
    seed
        Run seed; each curve draws from its own stream.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.SCORES``, one row a curve.
    """
    rows = [
        _score(curve, np.random.default_rng(named_stream(seed, "scores", curve.curve_id)))
        for curve in curves
    ]
    return pd.DataFrame(rows).astype({"n_shots": "Int64", "null_q95": float})


def _score(curve: Curve, rng: np.random.Generator) -> dict[str, object]:
    y = mean_by_size(curve)
    s = float(breakthroughness(y))
    return {
        "curve_id": curve.curve_id,
        **curve.key,
        "n_sizes": curve.n_sizes,
        "span_decades": float(curve.size[-1] - curve.size[0]),
        "breakthroughness": s,
        "linearity": float(linearity(y)),
        "state": state_of(s, y),
        "null_q95": flat_quantile(curve, rng),
        "range": float(np.ptp(y)),
        "excluded": curve.excluded,
    }


def mean_by_size(curve: Curve) -> FloatArray:
    """Oriented score in the source's unit, averaged over replicates of a size; shape (n_sizes,)."""
    means = pd.Series(curve.sign * curve.score).groupby(curve.size).mean()
    return means.to_numpy(float)
