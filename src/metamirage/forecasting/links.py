"""Links: the score under one metric as a function of the score under another.

The second step of a two-step forecast (Gadre et al. 2024, arXiv:2403.08540; Bhagia et al. 2025,
arXiv:2412.04403): the continuous partner is forecast from its own smaller sizes, and a link learnt
on those sizes turns that forecast into one of the discontinuous score.

A link is a curve whose x is not size but the partner's score, laid out along the sizes: the axis
runs from the smallest to the largest size while the partner runs over the scores it had and, by
its own forecast, will get. The candidates, their priors and the engine are thus those of a direct
forecast. If the partner moves evenly with size, the axis is the size axis and both forecasts start
from one prior; the two can only differ by what the partner tells.

Not for inference about the link itself: its scale depends on the partner's forecast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import ROUNDING, Curve
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.quadrature.densities import CODES, shapes_at
from metamirage.fitting.verdicts import levels
from metamirage.forecasting.predictives import LeftOut, Predictive, average, observe, quantiles

# Draws of the partner's forecast that go through each candidate of the link.
N_DRAWS = 2048
# ASSUME: the axis spans the partner's scores on the training sizes and the medians of its
# forecasts, all known before any left-out score. The window of a link thus reaches to where it is
# asked, as that of a curve over size does, and its levels have their priors at both ends.
SPANNED = (0.5,)
# ASSUME: a partner that moves by less than a hundredth of its range does not move: without a
# least stretch, the rounding of a floored partner would be laid out over all sizes.
LEAST_STRETCH = 0.01
# ASSUME: partner's scores farther than a window beyond the window are read as lying there: no
# link is known that far out, and a power would grow without bound.
BEYOND = 1.0


@dataclass(frozen=True)
class Axis:
    """Affine map from the partner's score to the axis of a link.

    Parameters
    ----------
    origin
        Partner's score that lies at ``first``.
    slope
        Decades per unit of the partner's score; negative if the partner falls with size.
    first, last
        Ends of the window of sizes, log10 parameters.
    """

    origin: float
    slope: float
    first: float
    last: float

    def place(self, z: FloatArray) -> FloatArray:
        """Places of partner's scores on the axis, same shape."""
        spare = BEYOND * (self.last - self.first)
        places = self.first + self.slope * (z - self.origin)
        return np.asarray(np.clip(places, self.first - spare, self.last + spare))


def make_axis(
    size: FloatArray, partner: FloatArray, forecasts: Sequence[Predictive], window: FloatArray
) -> Axis:
    """Lay the partner's scores out along the sizes.

    Parameters
    ----------
    size, partner
        Training sizes and the partner's scores there, shape (n,).
    forecasts
        Of the partner at the left-out sizes.
    window
        All sizes of the discontinuous curve, ascending.
    """
    expected = [quantiles(p, SPANNED) for p in forecasts]
    scores = np.concatenate([partner, *expected])
    low, high = float(scores.min()), float(scores.max())
    slope = (window[-1] - window[0]) / max(high - low, LEAST_STRETCH)
    # A partner that falls with size is turned, so that the floor of a link is where small models
    # are, as in a curve over size. Least squares on the training sizes decides.
    falls = float((size - size.mean()) @ partner) < 0
    return Axis(high if falls else low, -slope if falls else slope, window[0], window[-1])


def logged(curve: Curve, name: str) -> Curve:
    """Return a partner of positive scores in logarithms, under another name.

    Links are sought from the loss and not from its exponential, as Gadre et al. do: in perplexity
    the scores of small models lie so far out that those of large ones fall together.
    """
    return replace(
        curve,
        curve_id=name,
        score=np.log(curve.score),
        z=curve.sign * np.log(curve.score),
        # To first order; the error of a perplexity is small beside it.
        stderr=np.hypot(curve.published_stderr * curve.unit / curve.score, ROUNDING),
        origin=0.0,
        unit=1.0,
    )


def link_curve(train: Curve, partner: Mapping[float, float], axis: Axis, *, name: str) -> Curve:
    """Return the training points over the partner's score in place of size.

    Parameters
    ----------
    train
        Discontinuous curve without the left-out sizes.
    partner
        Partner's mean score by size; points of other sizes are dropped.
    axis
        From ``make_axis``.
    name
        Seeds the integration.
    """
    kept = np.nonzero(np.isin(train.size, list(partner)))[0]
    places = axis.place(np.array([partner[size] for size in train.size[kept]]))
    order = np.argsort(places, kind="stable")
    return replace(train.take(kept[order]), size=places[order], curve_id=name)


def through(
    posteriors: Mapping[str, Posterior],
    weights: FloatArray,
    places: FloatArray,
    *,
    whole: Curve,
    left: LeftOut,
    rng: np.random.Generator,
) -> Predictive:
    """Push draws of the partner's score through draws of the link.

    Parameters
    ----------
    posteriors, weights
        Of the link's candidates, and their probabilities in the order of ``tables.CANDIDATES``.
    places
        Equally weighted draws of the partner on the axis, shape (m,).
    whole
        The discontinuous curve, whose sizes are the link's window.
    left
        Its left-out score.
    rng
        Pairs the draws and simulates scores.
    """
    m = len(places)
    parts = []
    for candidate in CANDIDATES:
        drawn = resampled(posteriors[candidate], m, rng)
        # Both sets come in an order that means something; one shuffle makes them independent.
        x = rng.permutation(places)
        floor, top = levels(whole, drawn)
        h = shapes_at(CODES[candidate], x, whole.size[0], whole.size[-1], drawn.theta)
        mean = floor + (top - floor) * h
        dispersion = np.exp(drawn.theta[:, 1])
        parts.append(observe(left, mean, dispersion, weights=drawn.weights, rng=rng))
    return average(parts, weights)


def resampled(posterior: Posterior, m: int, rng: np.random.Generator) -> Posterior:
    """Return m equally weighted draws of a posterior."""
    chosen = systematic(posterior.weights, m, rng)
    return replace(posterior, theta=posterior.theta[chosen], weights=np.full(m, 1 / m))


def systematic(weights: FloatArray, m: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Choose m equally weighted draws from weighted ones (Carpenter et al. 1999): their indices.

    One random number shifts m even steps through the cumulative weights: each draw is taken its
    expected number of times, up to one.
    """
    steps = (np.arange(m) + rng.random()) / m
    ends = np.cumsum(weights)
    return np.asarray(np.searchsorted(ends / ends[-1], steps, side="right"))
