"""Predictive distributions of a score, and how well they foresaw it.

A predictive is a set of weighted draws. It is not a sampler: the density at the observed score is
averaged over the draws, and each draw holds one simulated score for means, quantiles and ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln

from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve

# ASSUME: a mean extrapolated out of a bounded metric's range stops this far inside it. Density and
# simulated score both use the stopped mean, so the two describe one distribution.
EDGE = 1e-4
LEVELS = {"q025": 0.025, "q10": 0.1, "q90": 0.9, "q975": 0.975}
# Simulated and observed counts are both k / n, up to rounding.
TIE = 1e-12


@dataclass(frozen=True)
class LeftOut:
    """A left-out score, with what is known about it before it is seen.

    Parameters
    ----------
    size
        log10 parameters.
    observed
        Mean over the replicates, on the scale of the curve's ``z``; NaN if there is no score.
    n_items
        Items behind it; zero for Gaussian scores.
    stderr
        Its published standard error, zero if there is none.
    bounded
        As in ``Curve``.
    """

    size: float
    observed: float
    n_items: int
    stderr: float
    bounded: bool

    @property
    def landing(self) -> float:
        """The observed score as the observation model sees it: for counts the nearest k / n."""
        if self.n_items == 0:
            return self.observed
        return round(self.observed * self.n_items) / self.n_items


def left_out(curve: Curve, size: float) -> LeftOut:
    """Describe the score of a curve at one size.

    Parameters
    ----------
    curve
        On the scale of the forecast.
    size
        log10 parameters; some size of the curve is not larger.
    """
    # ASSUME: the number of items and the published error of a left-out score are known beforehand,
    # as its size is; a curve without that size lends those of the largest size below it.
    source = curve.size == curve.size[curve.size <= size].max()
    counted = curve.observation == "beta_binomial"
    return LeftOut(
        size=size,
        observed=float(curve.z[source].mean()) if (curve.size == size).any() else np.nan,
        n_items=round(float(curve.n_items[source].mean())) if counted else 0,
        stderr=float(curve.stderr[source].mean()),
        bounded=curve.bounded,
    )


@dataclass(frozen=True)
class Predictive:
    """Predictive distribution of one left-out score, as weighted draws.

    Parameters
    ----------
    log_density
        Shape (m,): log density of the observed score under each draw, per unit of the scale; NaN
        if there is none.
    sample
        Shape (m,): one simulated score a draw.
    weights
        Shape (m,), summing to one.
    """

    log_density: FloatArray
    sample: FloatArray
    weights: FloatArray


def observe(
    left: LeftOut,
    mean: FloatArray,
    dispersion: FloatArray,
    *,
    weights: FloatArray,
    rng: np.random.Generator,
) -> Predictive:
    """Turn draws of mean and dispersion into draws of the score.

    Parameters
    ----------
    left
        The score to foresee.
    mean
        Shape (m,), on the scale of the forecast.
    dispersion
        Shape (m,): sum of the beta's parameters for counts, sd of the unknown noise otherwise.
    weights
        Shape (m,), summing to one.
    rng
        Draws the simulated scores.
    """
    if left.bounded:
        mean = np.clip(mean, EDGE, 1 - EDGE)
    observed = _count if left.n_items else _score
    log_density, sample = observed(left, mean, dispersion, rng)
    return Predictive(log_density, sample, weights)


def _count(
    left: LeftOut, mean: FloatArray, phi: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    n = left.n_items
    a, b = mean * phi, (1 - mean) * phi
    # The beta distribution wants positive parameters also where rounding made one zero.
    rate = rng.beta(np.maximum(a, 1e-12), np.maximum(b, 1e-12))
    sample = rng.binomial(n, rate) / n
    if np.isnan(left.observed):
        return np.full(len(mean), np.nan), sample
    k = round(left.observed * n)
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    # SciPy's betabinom takes 1.7 times as long and differs by up to 2e-13.
    # A probability of one count becomes a density of the score: n counts to the unit.
    return choose + betaln(k + a, n - k + b) - betaln(a, b) + np.log(n), sample


def _score(
    left: LeftOut, mean: FloatArray, sigma: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    sd = np.hypot(left.stderr, sigma)
    t = (left.observed - mean) / sd
    log_density = -0.5 * (np.log(2 * np.pi) + t**2) - np.log(sd)
    return log_density, mean + sd * rng.standard_normal(len(mean))


def average(predictives: Sequence[Predictive], weights: FloatArray) -> Predictive:
    """Mix predictive distributions; ``weights`` has one entry each and sums to one."""
    return Predictive(
        np.concatenate([p.log_density for p in predictives]),
        np.concatenate([p.sample for p in predictives]),
        np.concatenate([w * p.weights for p, w in zip(predictives, weights, strict=True)]),
    )


def crps(sample: FloatArray, weights: FloatArray, observed: float) -> float:
    """Continuous ranked probability score of a weighted sample, in the unit of the score.

    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007, Eq. 21), by sorting. Scoringrules
    agrees within 4e-15 and is no faster, but compiles for seconds whenever it is imported.

    Parameters
    ----------
    sample, weights
        Shape (m,); weights sum to one.
    observed
        y.
    """
    order = np.argsort(sample, kind="stable")
    x, w = sample[order], weights[order]
    below = np.cumsum(w) - w
    spread = 2 * float(np.sum(w * x * (2 * below + w - 1)))
    return max(float(w @ np.abs(x - observed)) - spread / 2, 0.0)


def mean_density(p: Predictive) -> tuple[float, float]:
    """Log of the predictive density at the observed score, and its Monte Carlo standard error."""
    # Draws that weigh nothing may be the only likely ones, and their density overflow the rest.
    top = float(p.log_density[p.weights > 0].max())
    parts = p.weights * np.exp(np.minimum(p.log_density - top, 0.0))
    total = float(parts.sum())
    return top + float(np.log(total)), float(np.sqrt(np.sum((parts / total - p.weights) ** 2)))


def pit_ends(p: Predictive, observed: float) -> tuple[float, float]:
    """Predictive probability below the observed score, and up to it.

    The two differ by the probability of a tie, which only counts have. A histogram should spread
    the score's unit mass evenly between them (Czado, Gneiting and Held 2009, Eq. 2): calibrated
    forecasts then give even bars, as a rank drawn at random within the tie does on average, but
    without its noise and without a seed. The mid-point alone would pile up at 1/2 wherever a tie
    is probable, at the floor of a metric above all, and look like forecasts that are too wide.

    Parameters
    ----------
    p
        The predictive.
    observed
        As the observation model sees it: ``LeftOut.landing``.
    """
    low = float(p.weights[p.sample < observed - TIE].sum())
    tie = float(p.weights[np.abs(p.sample - observed) <= TIE].sum())
    # Weights sum to one within rounding only.
    return min(low, 1.0), min(low + tie, 1.0)


def rank_histogram(ends: FloatArray, n_bins: int) -> FloatArray:
    """Count ranks by even bins of [0, 1], each spread evenly from its low to its high end.

    Parameters
    ----------
    ends
        From ``pit_ends``, shape (m, 2).
    n_bins
        Bins.

    Returns
    -------
    ndarray
        Shape (n_bins,), summing to m.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    low, high = ends[:, :1], ends[:, 1:]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        spread = np.clip((edges - low) / (high - low), 0, 1)
    # A rank without a tie is a point and belongs to the bin that it opens, 1 to the last.
    point = (edges > low) | (edges == 1)
    below = np.where(high > low, spread, point)
    return np.asarray(np.diff(below, axis=1).sum(axis=0))


def assess(p: Predictive, left: LeftOut, *, ratio: float, shift: float) -> dict[str, object]:
    """Score a predictive against the left-out score.

    Parameters
    ----------
    p
        The predictive.
    left
        The score, observed.
    ratio, shift
        Carry a value from the scale of the forecast to that of the curve: ``value * ratio +
        shift``.

    Returns
    -------
    dict
        ``observed`` to ``discontinuity`` of ``tables.FORECASTS``.
    """
    p = in_order(p)
    w, target = p.weights, left.observed
    mean = float(w @ p.sample)
    log_score, log_score_se = mean_density(p)
    q = quantiles(p, tuple(LEVELS.values()))
    low, high = pit_ends(p, left.landing)
    return {
        "observed": target * ratio + shift,
        "mean": mean * ratio + shift,
        "sd": float(np.sqrt(w @ (p.sample - mean) ** 2)) * ratio,
        **dict(zip(LEVELS, (q * ratio + shift).tolist(), strict=True)),
        "log_score": log_score - np.log(ratio),
        "log_score_se": log_score_se,
        "crps": crps(p.sample, w, target) * ratio,
        "pit": (low + high) / 2,
        "pit_low": low,
        "pit_high": high,
        "inside_80": bool(q[1] <= left.landing <= q[2]),
        "inside_95": bool(q[0] <= left.landing <= q[3]),
        "discontinuity": (target - mean) * ratio,
    }


def quantiles(p: Predictive, levels: tuple[float, ...]) -> FloatArray:
    """Quantiles of a predictive at ``levels`` in (0, 1), shape of ``levels``."""
    p = in_order(p)
    # NumPy's quantiles take weights only where they do not interpolate.
    return np.asarray(np.interp(levels, np.cumsum(p.weights) - 0.5 * p.weights, p.sample))


def in_order(p: Predictive) -> Predictive:
    """Sort the draws of a predictive by the simulated score."""
    order = np.argsort(p.sample, kind="stable")
    return Predictive(p.log_density[order], p.sample[order], p.weights[order])
