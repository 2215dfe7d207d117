"""Smooth or broken: what the posterior of one curve says, beside what its prior said.

A curve *breaks* if it is a sigmoid whose 10-90 % width is under a decade, centred within its
sizes. It is *smooth* if it is linear in size, a power whose rise takes a decade or more, a
quadratic that does not turn within its sizes, or a sigmoid wider than two decades. Both must rise
by more than ``verdicts.JUMP_MIN``. Widths between belong to neither, so that a curve of unclear
width supports no side.

The Bayes factor of such a statement against the average of all candidates is its posterior over its
prior probability (encompassing priors: Klugkist and Hoijtink 2007, doi:10.1016/j.csda.2007.01.024),
so no model has to be fitted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from metamirage.base.arrays import FloatArray
from metamirage.base.thresholds import JUMP_MIN, SHARP_WIDTH, SMOOTH_WIDTH
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting.engines import model_weights
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.priors import PARAMETERS, priors_for
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.verdicts import levels, measures

# Draws that stand for a prior: 2^12 quasi-random ones.
LOG2_PRIOR_DRAWS = 12
# 10^(c x) makes the last 80 % of a long rise within log10(9) / c decades.
MAX_EXPONENT = float(np.log10(9.0)) / SHARP_WIDTH


@dataclass(frozen=True)
class Shares:
    """Probabilities of the statements about one curve, under its posterior or its prior.

    Parameters
    ----------
    smooth
        Probability that the curve is smooth.
    location, weight
        Draws that break, in ascending order of their location (log10 parameters), and their
        probabilities: shape (m,) each, summing to that of a break.
    """

    smooth: float
    location: FloatArray
    weight: FloatArray

    @property
    def broken(self) -> float:
        """Probability of a break."""
        return float(self.weight.sum())


@dataclass(frozen=True)
class Reading:
    """What one curve says about smooth and broken.

    Parameters
    ----------
    posterior, prior
        Probabilities after and before the scores.
    p_jump, p_sharp
        Of the sigmoid, as in ``tables.FITS``: a rise, and a sharp one.
    """

    posterior: Shares
    prior: Shares
    p_jump: float
    p_sharp: float


def read_curve(window: Curve, posteriors: dict[str, Posterior], *, width_prior: str) -> Reading:
    """Read the posteriors of all candidates.

    Parameters
    ----------
    window
        The whole curve, whatever part was fitted: the priors are made for its sizes, and a break
        must lie within them.
    posteriors
        By candidate.
    width_prior
        One of ``priors.WIDTH_PRIORS``, as in the fit.
    """
    weights = dict(zip(CANDIDATES, model_weights(posteriors), strict=True))
    priors = {c: prior_draws(window, c, width_prior=width_prior) for c in CANDIDATES}
    even = dict.fromkeys(CANDIDATES, 1 / len(CANDIDATES))
    sigmoid = posteriors["sigmoid"]
    jump = measures(window, sigmoid)["jump"] > JUMP_MIN
    return Reading(
        posterior=_shares(window, posteriors, weights),
        prior=_shares(window, priors, even),
        p_jump=float(sigmoid.weights @ jump),
        p_sharp=float(sigmoid.weights @ _breaks(window, sigmoid)),
    )


def agreeing(one: Shares, location: FloatArray, weight: FloatArray, *, within: float) -> float:
    """Probability that a curve breaks within some decades of a place that is itself uncertain.

    Parameters
    ----------
    one
        The curve.
    location, weight
        The place: draws, and their probabilities summing to one; shape (m,) each.
    within
        Decades.
    """
    ends = np.concatenate([[0.0], np.cumsum(one.weight)])
    low = np.searchsorted(one.location, location - within, side="left")
    high = np.searchsorted(one.location, location + within, side="right")
    return float(weight @ (ends[high] - ends[low]))


def prior_draws(window: Curve, candidate: str, *, width_prior: str) -> Posterior:
    """Draw a candidate's parameters from its priors, in the form of a posterior.

    Parameters
    ----------
    window, width_prior
        As in ``read_curve``.
    candidate
        One of ``tables.CANDIDATES``.
    """
    mean, sd = priors_for(window, candidate, width_prior=width_prior).as_array().T
    theta = mean + sd * _normals()
    theta[:, len(PARAMETERS[candidate]) :] = 0.0
    n = len(theta)
    return Posterior(candidate, theta, np.full(n, 1 / n), 0.0, 0.0, float(n), np.empty(0))


@cache
def _normals() -> FloatArray:
    # The midpoints of a Sobol sequence never reach zero or one, where a Normal is infinite.
    points = qmc.Sobol(5, scramble=False).random_base2(LOG2_PRIOR_DRAWS)
    return np.asarray(ndtri(points + 0.5 ** (LOG2_PRIOR_DRAWS + 1)))


def _shares(
    window: Curve, posteriors: Mapping[str, Posterior], weights: Mapping[str, float]
) -> Shares:
    smooth = sum(weights[c] * _p_smooth(window, posteriors[c]) for c in CANDIDATES)
    sigmoid = posteriors["sigmoid"]
    broken = np.flatnonzero(_breaks(window, sigmoid))
    order = broken[np.argsort(sigmoid.theta[broken, 3], kind="stable")]
    weight = weights["sigmoid"] * sigmoid.weights[order]
    return Shares(float(smooth), sigmoid.theta[order, 3], weight)


def _breaks(window: Curve, sigmoid: Posterior) -> FloatArray:
    m = measures(window, sigmoid)
    inside = (m["location"] >= window.size[0]) & (m["location"] <= window.size[-1])
    return np.asarray((m["jump"] > JUMP_MIN) & (m["width"] < SHARP_WIDTH) & inside)


def _p_smooth(window: Curve, posterior: Posterior) -> float:
    if posterior.candidate == "flat":
        return 0.0
    if posterior.candidate == "sigmoid":
        m = measures(window, posterior)
        return float(posterior.weights @ ((m["jump"] > JUMP_MIN) & (m["width"] > SMOOTH_WIDTH)))
    shape = posterior.theta[:, 3]
    first, last = (_mean_at(window, posterior, x) for x in (window.size[0], window.size[-1]))
    if posterior.candidate == "quadratic":
        left, right = levels(window, posterior)
        # The part beyond the turning point, as in ``verdicts.p_turns``.
        beyond = np.clip((0.5 - np.abs(shape)) / (0.5 + np.abs(shape)), 0.0, 1.0) ** 2
        gentle = np.abs(right - left) * beyond < JUMP_MIN
    else:
        # ASSUME: a power that makes its rise within a decade is no smooth latent: an explosion at
        # the last sizes would else explain every late break.
        gentle = np.abs(shape) < MAX_EXPONENT
    return float(posterior.weights @ (gentle & (last - first > JUMP_MIN)))


def _mean_at(window: Curve, posterior: Posterior, x: float) -> FloatArray:
    left, right = levels(window, posterior)
    ends = (window.size[0], window.size[-1])
    return left + (right - left) * shape_at(CODES[posterior.candidate], x, *ends, posterior.theta)
