"""Whether the places of sharp transitions cluster across tasks more than by chance.

Simultaneous onset over tasks is what thresholds of composition predict (Lubana et al. 2024,
arXiv:2408.12578). Estimated places gather by themselves: a narrow transition is known to lie
between two sizes and no better, sizes lie unevenly, and a transition in a wide gap or at the ends
is seldom found sharp. Chance is therefore simulated: transitions like those found, at places drawn
evenly over the sizes, are observed and fitted like them, and kept if they are SHARP again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.base.threads import map_curves
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.priors import priors_for
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.quadrature.integrate import integrate
from metamirage.fitting.settings import FitSettings
from metamirage.fitting.verdicts import levels, summarise, verdict
from metamirage.forecasting.links import resampled
from metamirage.forecasting.predictives import EDGE
from metamirage.hypotheses.permutation import TIE

# ASSUME: two tasks rise together if they do so within half a decade of parameters.
TOGETHER = 0.5
# Simulated transitions of a family, at least.
N_SIMULATED = 400


@dataclass(frozen=True)
class Places:
    """Estimated places of sharp transitions.

    Parameters
    ----------
    mean, sd
        Posterior mean and sd of the location, log10 parameters, shape (n,).
    """

    mean: FloatArray
    sd: FloatArray


@dataclass(frozen=True)
class Onsets:
    """Places that were found, one a task and family, and those that chance gives.

    Parameters
    ----------
    found
        Shape (n,).
    task, family
        Codes from zero, shape (n,).
    chance
        By family: simulated places that were found, in the order of the true ones.
    """

    found: Places
    task: NDArray[np.int64]
    family: NDArray[np.int64]
    chance: Sequence[Places]


def clustering_test(
    onsets: Onsets, *, rng: np.random.Generator, n_draws: int
) -> tuple[float, float, float]:
    """Test that transitions lie anywhere within the sizes, independently for each task.

    Parameters
    ----------
    onsets
        At least two tasks in one family; some simulated place in each.
    rng, n_draws
        Of the draws from chance.

    Returns
    -------
    (estimate, expected, p_value)
        Share of the pairs of tasks within a family that lie within ``TOGETHER`` of each other, by
        their posteriors; its mean under chance; one-sided Monte Carlo p-value (the data count).
    """
    pairs = _pairs(onsets)
    estimate = closeness(onsets.found, pairs)
    null = np.array([closeness(draw_chance(onsets, rng), pairs) for _ in range(n_draws)])
    p_value = float((1 + (null >= estimate - TIE).sum()) / (1 + n_draws))
    return estimate, float(null.mean()), p_value


def _pairs(onsets: Onsets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    one, two = np.triu_indices(len(onsets.task), k=1)
    kept = (onsets.family[one] == onsets.family[two]) & (onsets.task[one] != onsets.task[two])
    return one[kept], two[kept]


def closeness(places: Places, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
    """Mean probability that the two of a pair lie within ``TOGETHER``, locations being Normal."""
    one, two = pairs
    apart = places.mean[one] - places.mean[two]
    spread = np.maximum(np.hypot(places.sd[one], places.sd[two]), 1e-9)
    within = ndtr((TOGETHER - apart) / spread) - ndtr((-TOGETHER - apart) / spread)
    return float(within.mean())


def draw_chance(onsets: Onsets, rng: np.random.Generator) -> Places:
    """Draw places under chance, shape (n,).

    A task has one quantile of the simulated places in all families, for these are not independent.
    """
    u = rng.random(int(onsets.task.max()) + 1)[onsets.task]
    mean, sd = np.empty(len(u)), np.empty(len(u))
    for code, places in enumerate(onsets.chance):
        here = onsets.family == code
        chosen = (u[here] * len(places.mean)).astype(int)
        mean[here], sd[here] = places.mean[chosen], places.sd[chosen]
    return Places(mean, sd)


def simulate_places(curves: Sequence[Curve], settings: FitSettings) -> Places:
    """Simulate where the transitions of some curves would be found if they lay anywhere.

    Parameters
    ----------
    curves
        Sharp ones of one family, each a pattern for as many simulated ones.
    settings
        Seed, prior and threads, as in ``fits.fit_curves``.

    Returns
    -------
    Places
        Of the simulated curves that are SHARP, in the order of their true places.
    """
    each = -(-N_SIMULATED // len(curves))
    results = map_curves(
        lambda curve: _simulate_curve(curve, each, settings),
        curves,
        threads=settings.threads,
        label="onsets by chance",
    )
    rows = np.array([row for rows in results for row in rows]).reshape(-1, 3)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return Places(rows[:, 1], rows[:, 2])


def _simulate_curve(
    curve: Curve, n: int, settings: FitSettings
) -> list[tuple[float, float, float]]:
    """Give true place, found place and its sd of each simulated curve that is SHARP."""
    rng = np.random.default_rng(named_stream(settings.seed, "onsets", curve.curve_id))
    fitted = _fit(curve, rng, width_prior=settings.prior)
    drawn = resampled(fitted, n, rng)
    places = rng.uniform(curve.size[0], curve.size[-1], n)
    kept = []
    for theta, place in zip(drawn.theta, places, strict=True):
        again = redrawn(curve, theta, place, rng)
        row = summarise(again, _fit(again, rng, width_prior=settings.prior))
        if verdict(row, again.n_sizes) == "SHARP":
            kept.append((float(place), row["location_mean"], row["location_sd"]))
    return kept


def _fit(curve: Curve, rng: np.random.Generator, *, width_prior: str) -> Posterior:
    priors = priors_for(curve, "sigmoid", width_prior=width_prior)
    return integrate(curve, "sigmoid", priors, rng=rng, target_error=0.1)


def redrawn(curve: Curve, theta: FloatArray, place: float, rng: np.random.Generator) -> Curve:
    """Observe a curve anew with its transition elsewhere.

    Parameters
    ----------
    curve
        The pattern: sizes, items, errors.
    theta
        One draw of its sigmoid, shape (5,).
    place
        Location, log10 parameters.
    rng
        Draws the scores.
    """
    moved = theta.copy()
    moved[3] = place
    left, right = levels(curve, _single(moved))
    first, last = curve.size[0], curve.size[-1]
    h = [shape_at(CODES["sigmoid"], x, first, last, moved[None])[0] for x in curve.size]
    mean = left + (right - left) * np.array(h)
    dispersion = float(np.exp(moved[1]))
    if curve.observation == "beta_binomial":
        mu = np.clip(mean, EDGE, 1 - EDGE)
        items = np.rint(curve.n_items).astype(int)
        z = rng.binomial(items, rng.beta(mu * dispersion, (1 - mu) * dispersion)) / items
    else:
        z = rng.normal(mean, np.hypot(curve.stderr, dispersion))
    return replace(curve, z=z)


def _single(theta: FloatArray) -> Posterior:
    return Posterior("sigmoid", theta[None], np.ones(1), 0.0, 0.0, 1.0, np.empty(0))
