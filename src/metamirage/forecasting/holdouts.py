"""Fits that have not seen the largest sizes, and what they say about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import named_stream
from metamirage.base.thresholds import MIN_SIZES
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve, rescaled
from metamirage.fitting.engines import Effort, integrate_all, model_weights
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.settings import FitSettings
from metamirage.fitting.verdicts import levels
from metamirage.forecasting.predictives import LeftOut, Predictive, average, left_out, observe

LEFT_OUT = (1, 2)
# Twice the draws of an evidence: they make a density of their own, whose spread is compared.
PREDICTIVE = Effort(n_first=64, target_error=0.03)


class HoldOut(NamedTuple):
    """Sizes left out of a curve: all from ``cutoff`` on, largest first."""

    n_left_out: int
    cutoff: float
    sizes: tuple[float, ...]


def hold_outs(curve: Curve) -> list[HoldOut]:
    """Ways to leave the largest sizes out that keep three."""
    sizes = np.unique(curve.size)
    return [
        HoldOut(n, float(sizes[-n]), tuple(sizes[: -n - 1 : -1].tolist()))
        for n in LEFT_OUT
        if len(sizes) - n >= MIN_SIZES
    ]


class Fit(NamedTuple):
    """A curve fitted to its smaller sizes.

    Parameters
    ----------
    train
        The points it was fitted to, on the scale that these set.
    whole
        All points on that scale; their sizes are the window.
    posteriors
        By candidate.
    weights
        Of ``tables.CANDIDATES``, in their order.
    """

    train: Curve
    whole: Curve
    posteriors: dict[str, Posterior]
    weights: FloatArray


class HeldOutFits:
    """Fits of the curves of a block to their smaller sizes, and their forecasts, each made once.

    Parameters
    ----------
    curves
        By name.
    settings
        As in ``fits.fit_curves``.
    """

    def __init__(
        self,
        curves: Mapping[str, Curve],
        settings: FitSettings,
    ) -> None:
        self.curves = curves
        self.settings = settings
        self._made: dict[tuple[str, int], Fit] = {}
        self._averaged: dict[tuple[str, int, float], Predictive] = {}

    def below(self, name: str, cutoff: float) -> Fit:
        """Fit of a curve to its sizes under a cut-off."""
        curve, key = self.curves[name], self._key(name, cutoff)
        if key not in self._made:
            # The scale of an unbounded metric must not know the scores that are left out.
            train = rescaled(curve.take(curve.size < cutoff))
            whole = rescaled(curve, origin=train.origin, unit=train.unit)
            self._made[key] = self.of(train, whole)
        return self._made[key]

    def _key(self, name: str, cutoff: float) -> tuple[str, int]:
        # Points are sorted by size: how many they are tells which they are.
        return name, int((self.curves[name].size < cutoff).sum())

    def outlook(self, name: str, cutoff: float, size: float) -> dict[str, Predictive]:
        """Predict the score of a curve at one size from its sizes under a cut-off."""
        fit = self.below(name, cutoff)
        found = outlook(fit, left_out(fit.whole, size), self.stream(name))
        self._averaged[*self._key(name, cutoff), size] = found["averaged"]
        return found

    def averaged(self, name: str, cutoff: float, size: float) -> Predictive:
        """Predict as ``outlook`` does, by the average of the candidates."""
        key = (*self._key(name, cutoff), size)
        if key not in self._averaged:
            self.outlook(name, cutoff, size)
        return self._averaged[key]

    def of(self, train: Curve, whole: Curve) -> Fit:
        """Fit of a curve to some points, under the window of a whole curve."""
        posteriors = integrate_all(train, whole, self.settings, effort=PREDICTIVE)
        return Fit(train, whole, posteriors, model_weights(posteriors))

    def stream(self, name: str) -> np.random.Generator:
        """Random numbers of one forecast; the same for each size, which none compares."""
        return np.random.default_rng(named_stream(self.settings.seed, "forecasts", name))


def outlook(fit: Fit, left: LeftOut, rng: np.random.Generator) -> dict[str, Predictive]:
    """Predict a left-out score by every candidate and by their average over the evidence.

    Parameters
    ----------
    fit
        To sizes below the left-out one.
    left
        On the scale of ``fit.whole``.
    rng
        Draws the simulated scores.
    """
    by_candidate = {c: predict(fit.whole, fit.posteriors[c], left, rng) for c in CANDIDATES}
    averaged = average([by_candidate[c] for c in CANDIDATES], fit.weights)
    return {**by_candidate, "averaged": averaged}


def predict(
    whole: Curve, posterior: Posterior, left: LeftOut, rng: np.random.Generator
) -> Predictive:
    """Predict a left-out score from draws that have not seen it.

    Parameters
    ----------
    whole
        The curve whose sizes were the posterior's window.
    posterior
        Of one candidate.
    left
        On the scale of ``whole``.
    rng
        Draws the simulated scores.
    """
    floor, top = levels(whole, posterior)
    ends = (whole.size[0], whole.size[-1])
    h = shape_at(CODES[posterior.candidate], left.size, *ends, posterior.theta)
    mean = floor + (top - floor) * h
    dispersion = np.exp(posterior.theta[:, 1])
    return observe(left, mean, dispersion, weights=posterior.weights, rng=rng)


def mean_by_size(curve: Curve) -> dict[float, float]:
    """Mean score over the replicates of each size, on the scale of ``Curve.z``."""
    sizes = np.unique(curve.size)
    return {float(size): float(curve.z[curve.size == size].mean()) for size in sizes}
