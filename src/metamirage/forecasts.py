"""Stage forecasts: whether the smaller models tell the score of the largest.

Each candidate is fitted without the largest size and asked for it; so is their average by
evidence, and the straight line through the two sizes before, whose residual is the discontinuity D
of the PaLM paper (Chowdhery et al. 2022, section 6.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln, logsumexp

from metamirage._parallel import map_curves
from metamirage.curves import Curve, FloatArray, curve_seed, rescaled
from metamirage.densities import CODES, shape_at
from metamirage.engine import Posterior
from metamirage.fits import before_last, integrate_all, model_weights
from metamirage.tables import CANDIDATES, MIN_SIZES
from metamirage.verdicts import levels

# ASSUME: a mean extrapolated out of a bounded metric's range stops this far inside it.
EDGE = 1e-4
LEVELS_80 = (0.1, 0.9)


@dataclass(frozen=True)
class Predictive:
    """Predictive distribution of one left-out score, as weighted draws.

    Parameters
    ----------
    log_density
        Shape (m,): log density of the observed score under each draw, per unit of the scale.
    sample
        Shape (m,): one simulated score a draw.
    weights
        Shape (m,), summing to one.
    """

    log_density: FloatArray
    sample: FloatArray
    weights: FloatArray


def forecast_curves(
    curves: Sequence[Curve],
    *,
    seed: int,
    width_prior: str = "default",
    engine: str = "quadrature",
    threads: int = 1,
) -> pd.DataFrame:
    """Forecast the largest size of every curve that keeps three sizes without it.

    Parameters
    ----------
    curves, seed, width_prior, engine, threads
        As in ``fits.fit_curves``.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.FORECASTS``, one row a curve and predictor, on the scale of ``Curve.z``.
    """
    long_enough = [curve for curve in curves if curve.n_sizes > MIN_SIZES]
    rows = map_curves(
        lambda curve: forecast_curve(curve, seed=seed, width_prior=width_prior, engine=engine),
        long_enough,
        threads=threads,
        label="forecasts",
    )
    flat = [row for curve_rows in rows for row in curve_rows]
    # Named types, so that a benchmark without a curve of four sizes still has its (empty) table.
    return pd.DataFrame(flat, columns=COLUMNS).astype(DTYPES)


COLUMNS = (
    "curve_id", "predictor", "n_train", "observed", "mean", "sd", "q10", "q90",
    "log_score", "log_score_se", "crps", "pit", "inside_80", "discontinuity",
)  # fmt: skip
DTYPES = dict.fromkeys(COLUMNS, "float64") | {
    "curve_id": "str",
    "predictor": "str",
    "n_train": "int64",
    "inside_80": "boolean",
}


def forecast_curve(
    curve: Curve, *, seed: int, width_prior: str = "default", engine: str = "quadrature"
) -> list[dict[str, object]]:
    """Forecast the largest size of one curve: a row a predictor."""
    train = before_last(curve)
    # The scale of an unbounded metric must not know the score that is left out.
    train, whole = rescaled(train), _on_scale_of(rescaled(train), curve)
    posteriors = integrate_all(train, whole, seed=seed, width_prior=width_prior, engine=engine)
    rng = np.random.default_rng(curve_seed(seed, f"forecast|{curve.curve_id}"))
    predictives = {c: predict_last(whole, posteriors[c], rng) for c in CANDIDATES}
    predictives["averaged"] = average(
        [predictives[c] for c in CANDIDATES], model_weights(posteriors)
    )
    ratio = whole.unit / curve.unit
    shift = (whole.origin - curve.origin) / curve.unit
    target = last_score(whole)
    rows = [
        _row(name, predictive, target, ratio, shift) for name, predictive in predictives.items()
    ]
    rows.append(_two_point_row(train, whole, ratio, shift))
    return [{"curve_id": curve.curve_id, "n_train": train.n_sizes, **row} for row in rows]


def _on_scale_of(train: Curve, curve: Curve) -> Curve:
    return rescaled(curve, origin=train.origin, unit=train.unit)


def last_score(curve: Curve) -> float:
    """Score at the largest size, averaged over replicates, on the scale of ``Curve.z``."""
    return float(curve.z[curve.size == curve.size[-1]].mean())


def predict_last(curve: Curve, posterior: Posterior, rng: np.random.Generator) -> Predictive:
    """Predict the score at the curve's largest size from draws that have not seen it.

    Parameters
    ----------
    curve
        The whole curve.
    posterior
        Fitted without the largest size, with this curve as window.
    rng
        Draws the simulated scores.
    """
    left, right = levels(curve, posterior)
    ends = (curve.size[0], curve.size[-1])
    h = shape_at(CODES[posterior.candidate], curve.size[-1], *ends, posterior.theta)
    mean = left + (right - left) * h
    if curve.bounded:
        mean = np.clip(mean, EDGE, 1 - EDGE)
    observe = _predict_count if curve.observation == "beta_binomial" else _predict_score
    log_density, sample = observe(curve, mean, np.exp(posterior.theta[:, 1]), rng)
    return Predictive(log_density, sample, posterior.weights)


def _predict_count(
    curve: Curve, mean: FloatArray, phi: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    n = round(float(curve.n_items[curve.size == curve.size[-1]].mean()))
    k = round(last_score(curve) * n)
    a, b = mean * phi, (1 - mean) * phi
    choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    log_p = choose + betaln(k + a, n - k + b) - betaln(a, b)
    # The beta distribution wants positive parameters also where rounding made one zero.
    rate = rng.beta(np.maximum(a, 1e-12), np.maximum(b, 1e-12))
    return log_p + np.log(n), rng.binomial(n, rate) / n


def _predict_score(
    curve: Curve, mean: FloatArray, sigma: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    stderr = float(curve.stderr[curve.size == curve.size[-1]].mean())
    sd = np.hypot(stderr, sigma)
    t = (last_score(curve) - mean) / sd
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

    ``E|X - y| - E|X - X'| / 2`` (Gneiting and Raftery 2007, Eq. 21), by sorting.

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


def _row(name: str, p: Predictive, target: float, ratio: float, shift: float) -> dict[str, object]:
    """Scores of one predictive, carried from the training scale to the curve's."""
    w = p.weights
    mean = float(w @ p.sample)
    log_score = float(logsumexp(p.log_density, b=w))
    relative = np.exp(p.log_density - log_score)
    q10, q90 = _quantiles(p.sample, w)
    tie = np.isclose(p.sample, target, rtol=0, atol=1e-12)
    return {
        "predictor": name,
        "observed": target * ratio + shift,
        "mean": mean * ratio + shift,
        "sd": float(np.sqrt(w @ (p.sample - mean) ** 2)) * ratio,
        "q10": q10 * ratio + shift,
        "q90": q90 * ratio + shift,
        "log_score": log_score - np.log(ratio),
        "log_score_se": float(np.sqrt(np.sum((w * (relative - 1)) ** 2))),
        "crps": crps(p.sample, w, target) * ratio,
        "pit": float(np.clip(w @ ((p.sample < target) & ~tie) + 0.5 * (w @ tie), 0, 1)),
        "inside_80": bool(q10 <= target <= q90),
        "discontinuity": (target - mean) * ratio,
    }


def _quantiles(sample: FloatArray, weights: FloatArray) -> FloatArray:
    order = np.argsort(sample, kind="stable")
    ranks = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(LEVELS_80, ranks, sample[order])


def two_point(x: FloatArray, y: FloatArray, target: float) -> float:
    """Extend the line through the last two points to ``target``.

    The projection behind PaLM's discontinuity; x and y have shape (n,), n >= 2, sizes distinct.
    """
    slope = (y[-1] - y[-2]) / (x[-1] - x[-2])
    return float(y[-1] + slope * (target - x[-1]))


def _two_point_row(train: Curve, whole: Curve, ratio: float, shift: float) -> dict[str, object]:
    by_size = pd.Series(train.z).groupby(train.size).mean()
    mean = two_point(by_size.index.to_numpy(float), by_size.to_numpy(float), whole.size[-1])
    target = last_score(whole)
    row: dict[str, object] = dict.fromkeys(COLUMNS[5:12], np.nan)
    return row | {
        "predictor": "two_point",
        "observed": target * ratio + shift,
        "mean": mean * ratio + shift,
        "inside_80": None,
        "discontinuity": (target - mean) * ratio,
    }
