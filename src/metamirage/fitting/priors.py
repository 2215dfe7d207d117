"""Priors of the candidate curves, as named constants with their reasons.

Every parameter lives on an unconstrained scale and has a Normal prior there, so a density needs no
Jacobian and the engine's Newton steps meet a quadratic at worst.

Levels are on the scale of ``Curve.z``: through the logistic for counts, directly for Gaussian
scores. Deviation from a fixed chance floor, on purpose: small models answer off chance by label
bias, so a floor held fixed would be met by a false transition outside the window. The sigmoid's
floor is therefore a narrow prior about chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve

# 2 ln 9: a logistic rises from 10 % to 90 % over 2 ln 9 units of its argument.
LOGISTIC_WIDTH = float(2 * np.log(9.0))
# Free parameters of each candidate, in the engine's order.
PARAMETERS = {
    "flat": ("left", "dispersion"),
    "linear": ("left", "dispersion", "right"),
    "power": ("left", "dispersion", "right", "shape1"),
    "sigmoid": ("left", "dispersion", "right", "shape1", "shape2"),
    "quadratic": ("left", "dispersion", "right", "shape1"),
}
# The common grid of log10 width, decades: at least 32 nodes from 0.05 to 30.
LOG10_WIDTH_NODES = np.linspace(np.log10(0.05), np.log10(30.0), 36)

# ASSUME: log width ~ Normal; the default has its median at 1.5 decades with 68 % in 0.75-3.0, so
# neither a step nor a line is favoured; the two others lean half a decade either way.
# The grid of widths ends at 30 decades: the default leaves 1e-5 of its mass beyond, "smooth" 1 %.
WIDTH_PRIORS = {
    "default": (np.log(1.5), 0.7),
    "smooth": (np.log(3.0), 1.0),
    "sharp": (np.log(0.5), 0.7),
}
# ASSUME: the half-way point lies within four decades of the middle of the window (2 sd).
LOCATION_SD = 2.0
# ASSUME: power-law exponents of language models lie within 0.8 per decade either way (2 sd);
# Kaplan et al. (2020) report 0.076 for the loss.
EXPONENT_SD = 0.4
# ASSUME: the turning point of a curve that turns is as likely inside the observed sizes as outside;
# in spans from the middle of the window.
TURN_SD = 0.741
# ASSUME: over-dispersion of run and subset, as the sum of the beta's parameters: median 100,
# 95 % in 14-700, so two runs of one model may differ by several points.
LOG_DISPERSION = (np.log(100.0), 1.0)
# ASSUME: unknown noise beside the published error: median 3 % of the range, 95 % in 0.3-30 %.
LOG_NOISE = (np.log(0.03), 1.2)
# ASSUME: a level reached by a model lies anywhere in the range: 95 % in 0.03-0.91.
LEVEL_LOGIT = (-0.6, 1.5)
# ASSUME: small models sit at chance, give or take label bias of 0.4 logits (0.25 -> 0.18-0.33).
FLOOR_LOGIT_SD = 0.4
# ASSUME: without known chance, or with chance near zero, the floor is low: median 3 %.
LOW_FLOOR_LOGIT = (-3.5, 1.5)
# ASSUME: the level at the smallest observed size may already be above the floor.
START_LOGIT_SD = 1.2
# Below this chance a logit scale has no meaning for the floor.
CHANCE_MIN = 0.02
# The same four statements for scores with Gaussian noise.
LEVEL_LINEAR = (0.4, 0.4)
FLOOR_LINEAR_SD = 0.06
LOW_FLOOR_LINEAR = (0.1, 0.2)
START_LINEAR_SD = 0.25
# ASSUME: an unbounded metric is scaled to its observed extremes: both ends lie near [0, 1].
UNBOUNDED_LEVEL = (0.5, 0.75)


@dataclass(frozen=True)
class Priors:
    """Normal priors (mean, sd) of one candidate on one curve.

    Parameters
    ----------
    left
        Level at the smallest size (flat, linear, power), the floor (sigmoid) or the level at the
        turning point (quadratic).
    dispersion
        Log over-dispersion (counts) or log unknown noise (Gaussian).
    right
        Level at the largest size (linear, power), the ceiling (sigmoid) or the level at the end
        farther from the turning point (quadratic).
    shape1
        Exponent per decade (power), location in log10 parameters (sigmoid) or turning point in
        spans of the window from its middle (quadratic).
    shape2
        Natural log of the width in decades (sigmoid).
    """

    left: tuple[float, float]
    dispersion: tuple[float, float]
    right: tuple[float, float]
    shape1: tuple[float, float]
    shape2: tuple[float, float]

    def as_array(self) -> FloatArray:
        """Means and sds, shape (5, 2), in the order of the fields."""
        return np.array([self.left, self.dispersion, self.right, self.shape1, self.shape2])


def priors_for(curve: Curve, candidate: str, *, width_prior: str = "default") -> Priors:
    """Choose the priors of a candidate on a curve.

    Parameters
    ----------
    curve
        Enters by its observation model, bounds, chance level and window of sizes only.
    candidate
        One of ``tables.CANDIDATES``.
    width_prior
        One of ``WIDTH_PRIORS``.

    Raises
    ------
    KeyError
        If ``width_prior`` is none of ``WIDTH_PRIORS``.
    """
    floor, start, level = _levels(curve)
    middle = float(curve.size[0] + curve.size[-1]) / 2
    shape1 = {"sigmoid": (middle, LOCATION_SD), "quadratic": (0.0, TURN_SD)}
    return Priors(
        left={"sigmoid": floor, "quadratic": level}.get(candidate, start),
        dispersion=LOG_DISPERSION if curve.observation == "beta_binomial" else LOG_NOISE,
        right=level,
        shape1=shape1.get(candidate, (0.0, EXPONENT_SD)),
        shape2=WIDTH_PRIORS[width_prior],
    )


def _levels(curve: Curve) -> tuple[tuple[float, float], ...]:
    """Priors of floor, start and free level."""
    known = np.isfinite(curve.chance) and curve.chance > CHANCE_MIN
    if curve.observation == "beta_binomial":
        centre = float(np.log(curve.chance / (1 - curve.chance))) if known else 0.0
        floor = (centre, FLOOR_LOGIT_SD) if known else LOW_FLOOR_LOGIT
        return floor, (floor[0], max(START_LOGIT_SD, floor[1])), LEVEL_LOGIT
    if not curve.bounded:
        return UNBOUNDED_LEVEL, UNBOUNDED_LEVEL, UNBOUNDED_LEVEL
    floor = (float(curve.chance), FLOOR_LINEAR_SD) if known else LOW_FLOOR_LINEAR
    return floor, (floor[0], max(START_LINEAR_SD, floor[1])), LEVEL_LINEAR
