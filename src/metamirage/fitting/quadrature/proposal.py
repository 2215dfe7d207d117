"""Compiled steps of the engine's draws away from a mode, and the density of taking them."""

from __future__ import annotations

import math

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.quadrature.densities import LOG_2PI
from metamirage.fitting.quadrature.elementary import expit
from metamirage.fitting.quadrature.modes import Problem, Room, integrate_levels
from metamirage.fitting.quadrature.newton import Expansion, damped_factor, newton_step

# Scale of the logistic steps, in standard deviations of Laplace's Normal: 10 % wider than a
# logistic of that deviation. Their tails are exponential, those of the priors Normal.
STEP_SCALE = 1.1 * math.sqrt(3.0) / math.pi
# How much longer than a Normal's the long side of a count's level is made, and how much shorter its
# short side, by unit of skewness; found by trying, for the fewest draws.
LONGER, SHORTER, MAX_SKEW = 1.0, 0.25, 2.0
# Share of the levels of counts, and of the noise of scores, that follow their prior: a level near 0
# or 1 on the logit scale, and a noise below the published error, have a tail there that no
# expansion about a mode foresees.
PRIOR_SHARE = 0.03
NOISE_PRIOR_SHARE = 0.1


@jit
def logistic_step(u: float) -> tuple[float, float]:
    """Turn a uniform into a logistic step, and its density."""
    return STEP_SCALE * math.log(u / (1 - u)), u * (1 - u) / STEP_SCALE


@jit
def _logistic_density(t: float) -> float:
    """Density of a logistic step."""
    e = math.exp(-abs(t) / STEP_SCALE)
    return e / ((1 + e) * (1 + e) * STEP_SCALE)


@jit
def _normal_density(t: float) -> float:
    return math.exp(-0.5 * (t * t + LOG_2PI))


@jit
def mixed_step(
    u: float, centre: float, sides: tuple[float, float], prior: FloatArray, share: float
) -> tuple[float, float]:
    """Turn a uniform into a value about its mode, or about its prior; return its density too.

    ``sides`` are the sds below and above the mode; ``prior`` (2,) is mean and sd; ``share`` of the
    values follow it.
    """
    below, above = sides
    both = below + above
    v = (u - share) / (1 - share) * both
    if u < share:
        value = prior[0] + prior[1] * logistic_step(u / share)[0]
    elif v < below:
        value = centre + below * logistic_step(0.5 * v / below)[0]
    else:
        value = centre + above * logistic_step(1 - 0.5 * (both - v) / above)[0]
    sd = below if value < centre else above
    near = 2 * (1 - share) / both * _logistic_density((value - centre) / sd)
    far = share / prior[1] * _logistic_density((value - prior[0]) / prior[1])
    return value, near + far


@jit
def level_sides(centre: float, sd: float, prior_sd: float) -> tuple[float, float]:
    """Return the sds of a count's level, on the logit scale, below its mode and above.

    Its likelihood levels off towards the near end of (0, 1). The third derivative there, in units
    of the curvature, says how much: (1 - 2 p) sd, less the prior's part of the curvature.
    """
    skew = (1 - 2 * expit(centre)) * (1 - (sd / prior_sd) ** 2) * sd
    size = min(abs(skew), MAX_SKEW)
    long, short = sd * (1 + LONGER * size), sd * (1 - SHORTER * size)
    return (long, short) if skew > 0 else (short, long)


@inlined
def step_dispersion(
    problem: Problem, theta: FloatArray, marginal: FloatArray, u: float, out: FloatArray
) -> float:
    """Draw log phi for counts by a logistic step, and follow the ridge of the levels to there.

    The ridge leads through the mode ``theta`` (3,); ``marginal`` (4,) is from ``_modes.spread``.
    Fills ``out`` (3,) from a uniform, and returns the density of the proposal.
    """
    step, density = logistic_step(u)
    out[1] = marginal[0] + marginal[1] * step
    for j in range(0, problem.inner, 2):
        out[j] = theta[j] + marginal[2 + j // 2] * (out[1] - theta[1])
    return float(density / marginal[1])


@inlined
def step_levels(problem: Problem, levels: Expansion, u: FloatArray, out: FloatArray) -> float:
    """Draw the levels for counts from their own mode under a log phi.

    That mode is one Newton step away from where ``out`` (3,) stands, by the expansion there.
    Replaces the levels in ``out`` by uniforms (3,), and returns the density of the proposal.
    """
    priors = problem.priors
    factor = damped_factor(levels.curvature)
    root_left, both, root_right = factor[0], factor[3], factor[5]
    step, _ = newton_step(levels.gradient, factor)
    density, above = 1.0, 0.0
    if problem.inner == 3:
        mode, sd = out[2] + step[2], 1.0 / root_right
        sides = level_sides(mode, sd, priors[2, 1])
        out[2], density = mixed_step(u[2], mode, sides, priors[2], PRIOR_SHARE)
        above = both * (out[2] - mode)
    sd = 1.0 / root_left
    centre = out[0] + step[0] - above * sd
    sides = level_sides(centre, sd, priors[0, 1])
    out[0], there = mixed_step(u[0], centre, sides, priors[0], PRIOR_SHARE)
    return density * there


@jit
def step_scores(
    problem: Problem, room: Room, marginal: FloatArray, u: FloatArray, out: FloatArray
) -> float:
    """Draw the noise of scores by a logistic step, then the levels exactly given the noise.

    Fills ``out`` (3,) from uniforms (3,), and returns the density of the proposal; ``marginal``
    (4,) is from ``_modes.spread``. The levels' standard normals are those of Box and Muller (1958).
    """
    sides = (marginal[1], marginal[1])
    out[1], density = mixed_step(u[1], marginal[0], sides, problem.priors[1], NOISE_PRIOR_SHARE)
    mean, lower = room.step, room.lower
    integrate_levels(problem, room.h, out[1], mean, lower)
    radius = math.sqrt(-2 * math.log(u[0]))
    first, second = radius * math.cos(2 * math.pi * u[2]), radius * math.sin(2 * math.pi * u[2])
    density *= lower[0, 0] * _normal_density(first)
    out[2] = 0.0
    if problem.inner == 3:
        out[2] = mean[2] + second / lower[2, 2]
        first -= lower[2, 0] * (out[2] - mean[2])
        density *= lower[2, 2] * _normal_density(second)
    out[0] = mean[0] + first / lower[0, 0]
    return float(density)
