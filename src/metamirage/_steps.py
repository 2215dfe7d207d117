"""Compiled steps of the engine's draws away from a mode, and the density of taking them."""

from __future__ import annotations

import math

from metamirage._compiled import jit
from metamirage._modes import Problem, Room, integrate_levels
from metamirage._newton import damped_cholesky, newton_step
from metamirage.curves import FloatArray
from metamirage.densities import LOG_2PI, expand_counts

# Scale of the logistic steps, in standard deviations of Laplace's Normal: 10 % wider than a
# logistic of that deviation. Their tails are exponential, those of the priors Normal.
STEP_SCALE = 1.1 * math.sqrt(3.0) / math.pi
# Share of the levels of counts, and of the noise of scores, that follow their prior: a level near 0
# or 1 on the logit scale, and a noise below the published error, have a tail there that no
# expansion about a mode foresees.
PRIOR_SHARE = 0.03
NOISE_PRIOR_SHARE = 0.1


@jit
def logistic_step(u: float) -> tuple[float, float]:
    """Turn a uniform into a logistic step, and its log density."""
    return STEP_SCALE * math.log(u / (1 - u)), math.log(u * (1 - u) / STEP_SCALE)


@jit
def _log_logistic(t: float) -> float:
    """Log density of a logistic step."""
    a = abs(t) / STEP_SCALE
    return -a - 2 * math.log1p(math.exp(-a)) - math.log(STEP_SCALE)


@jit
def mixed_step(
    u: float, centre: float, sd: float, prior: FloatArray, share: float
) -> tuple[float, float]:
    """Turn a uniform into a value about its mode, or about its prior; return its log density too.

    ``prior`` (2,) is mean and sd; ``share`` of the values follow it.
    """
    if u < share:
        value = prior[0] + prior[1] * logistic_step(u / share)[0]
    else:
        value = centre + sd * logistic_step((u - share) / (1 - share))[0]
    near = math.log((1 - share) / sd) + _log_logistic((value - centre) / sd)
    far = math.log(share / prior[1]) + _log_logistic((value - prior[0]) / prior[1])
    top = max(near, far)
    return value, top + math.log1p(math.exp(-abs(near - far)))


@jit
def step_counts(
    problem: Problem,
    room: Room,
    theta: FloatArray,
    marginal: FloatArray,
    u: FloatArray,
    out: FloatArray,
) -> float:
    """Draw the inner parameters for counts: log phi by a logistic step, then the levels.

    The levels step from their own mode under that log phi, one Newton step away from the ridge
    through the mode ``theta`` (3,). Fills ``out`` (3,) from uniforms (3,), and returns the log
    density of the proposal. ``marginal`` (4,) is from ``spread``.
    """
    d = problem.inner
    step, log_q = logistic_step(u[1])
    log_q -= math.log(marginal[1])
    out[1] = marginal[0] + marginal[1] * step
    for j in range(0, d, 2):
        out[j] = theta[j] + marginal[2 + j // 2] * (out[1] - theta[1])
    expand_counts(
        room.h, problem.y, problem.spread, out, problem.priors, room.gradient, room.hessian
    )
    # With log phi pinned the equations of the levels stand alone.
    room.hessian[1, :] = 0.0
    room.hessian[:, 1] = 0.0
    room.hessian[1, 1] = -1.0
    room.gradient[1] = 0.0
    damped_cholesky(room.hessian, d, room.lower)
    newton_step(room.gradient, room.lower, d, room.step)
    above = 0.0
    for j in range(2 * (d - 2), -1, -2):
        mode = out[j] + room.step[j]
        sd = 1.0 / room.lower[j, j]
        out[j], log_density = mixed_step(
            u[j], mode - above * sd, sd, problem.priors[j], PRIOR_SHARE
        )
        log_q += log_density
        above = room.lower[j, 0] * (out[j] - mode)
    return log_q


@jit
def step_scores(
    problem: Problem, room: Room, marginal: FloatArray, u: FloatArray, out: FloatArray
) -> float:
    """Draw the noise by a logistic step, then the levels exactly given the noise.

    Otherwise as ``step_counts``. The levels' standard normals are those of Box and Muller (1958).
    """
    out[1], log_q = mixed_step(u[1], marginal[0], marginal[1], problem.priors[1], NOISE_PRIOR_SHARE)
    mean, lower = room.step, room.lower
    integrate_levels(problem, room.h, out[1], mean, lower)
    radius = math.sqrt(-2 * math.log(u[0]))
    first, second = radius * math.cos(2 * math.pi * u[2]), radius * math.sin(2 * math.pi * u[2])
    log_q += math.log(lower[0, 0]) - 0.5 * (first * first + LOG_2PI)
    out[2] = 0.0
    if problem.inner == 3:
        out[2] = mean[2] + second / lower[2, 2]
        first -= lower[2, 0] * (out[2] - mean[2])
        log_q += math.log(lower[2, 2]) - 0.5 * (second * second + LOG_2PI)
    out[0] = mean[0] + first / lower[0, 0]
    return log_q
