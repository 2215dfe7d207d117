"""Compiled local work of the engine: modes of the inner parameters, and steps away from them.

Inner parameters are (left, dispersion, right); the shape is held fixed here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from metamirage.curves import FloatArray
from metamirage.densities import LOG_2PI, derivatives, jit, log_likelihood, shape

# Newton stops where a step would gain less than this many nats.
ENOUGH = 1e-7
MAX_DAMPINGS = 40
MAX_HALVINGS = 20
# Longest Newton step in any parameter: beyond it the log gamma function of a huge over-dispersion
# loses all digits and a climb would chase the rounding.
MAX_STEP = 3.0
# Degrees of freedom of the steps: heavier tails than any posterior of a level.
T_DF = 6.0
LOG_T_NORM = np.array(
    [
        math.lgamma((T_DF + d) / 2) - math.lgamma(T_DF / 2) - 0.5 * d * math.log(T_DF * math.pi)
        for d in range(4)
    ]
)


class Problem(NamedTuple):
    """One candidate on one curve, as the compiled code wants it.

    Parameters
    ----------
    candidate
        One of ``densities.CODES``.
    inner
        Inner parameters in use: 2 for flat, 3 otherwise.
    outer
        Shape parameters in use: 0, 1 (power, quadratic) or 2 (sigmoid).
    counted
        Beta-binomial counts, or Gaussian scores.
    x, y, spread
        Size, count or score, items or standard error; shape (n,).
    window
        Smallest and largest size, shape (2,).
    priors
        Means and sds, shape (5, 2).
    """

    candidate: int
    inner: int
    outer: int
    counted: bool
    x: FloatArray
    y: FloatArray
    spread: FloatArray
    window: FloatArray
    priors: FloatArray


@jit
def fill_shape(problem: Problem, shape1: float, shape2: float, h: FloatArray) -> None:
    """Shape at each size, in place."""
    first, last = problem.window[0], problem.window[1]
    for i in range(len(h)):
        h[i] = shape(problem.candidate, problem.x[i], first, last, shape1, shape2)


@jit
def log_inner(problem: Problem, h: FloatArray, theta: FloatArray) -> float:
    """Log likelihood and prior of the inner parameters, up to a constant of the prior."""
    total = log_likelihood(problem.counted, h, problem.y, problem.spread, theta)
    for j in range(problem.inner):
        t = (theta[j] - problem.priors[j, 0]) / problem.priors[j, 1]
        total -= 0.5 * t * t
    return total


@jit
def cholesky(hessian: FloatArray, d: int, damping: float, lower: FloatArray) -> bool:
    """Cholesky factor of -hessian + damping * I, in place; False if not positive definite."""
    for i in range(d):
        for j in range(i + 1):
            total = -hessian[i, j] + (damping if i == j else 0.0)
            for m in range(j):
                total -= lower[i, m] * lower[j, m]
            if i == j:
                if not total > 1e-10:
                    return False
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    return True


@jit
def damped_cholesky(hessian: FloatArray, d: int, lower: FloatArray) -> None:
    """Factor with the smallest of a rising series of dampings that works.

    A Hessian that is not finite has none: the identity stands in, and the weights of the draws
    show what that costs.
    """
    damping = 0.0
    for _ in range(MAX_DAMPINGS):
        if cholesky(hessian, d, damping, lower):
            return
        damping = 1e-3 if damping == 0.0 else damping * 8.0
    lower[:] = 0.0
    for j in range(d):
        lower[j, j] = 1.0


@jit
def newton_step(gradient: FloatArray, lower: FloatArray, d: int, step: FloatArray) -> float:
    """Solve (L L') step = gradient, in place; return the gain of the quadratic model."""
    gain = 0.0
    for i in range(d):
        total = gradient[i]
        for m in range(i):
            total -= lower[i, m] * step[m]
        step[i] = total / lower[i, i]
        gain += 0.5 * step[i] * step[i]
    for i in range(d - 1, -1, -1):
        total = step[i]
        for m in range(i + 1, d):
            total -= lower[m, i] * step[m]
        step[i] = total / lower[i, i]
    return gain


@jit
def line_search(
    problem: Problem, h: FloatArray, theta: FloatArray, step: FloatArray, value: float
) -> float:
    """Move theta along the step as far as it climbs, in place; return the new log inner."""
    d = problem.inner
    trial = theta.copy()
    size = min(1.0, MAX_STEP / np.abs(step[:d]).max())
    for _ in range(MAX_HALVINGS):
        for j in range(d):
            trial[j] = theta[j] + size * step[j]
        there = log_inner(problem, h, trial)
        if there > value:
            theta[:d] = trial[:d]
            return there
        size *= 0.4
    return value


@jit
def climb(
    problem: Problem, h: FloatArray, theta: FloatArray, lower: FloatArray, max_steps: int
) -> float:
    """Newton ascent to the mode of the inner parameters, in place; return log inner there.

    ``lower`` becomes the Cholesky factor of the negative Hessian at the end.
    """
    d = problem.inner
    gradient = np.empty(3)
    hessian = np.empty((3, 3))
    step = np.empty(3)
    value = log_inner(problem, h, theta)
    for i in range(max_steps + 1):
        derivatives(
            problem.counted, h, problem.y, problem.spread, theta, problem.priors, gradient, hessian
        )
        damped_cholesky(hessian, d, lower)
        if newton_step(gradient, lower, d, step) < ENOUGH or i == max_steps:
            break
        there = line_search(problem, h, theta, step, value)
        if there == value:
            break
        value = there
    return value


@jit
def step_count(
    problem: Problem,
    theta: FloatArray,
    lower: FloatArray,
    normals: FloatArray,
    chi: float,
    out: FloatArray,
) -> float:
    """Draw the inner parameters for counts by a joint Student-t step from their mode.

    Fills ``out`` (3,) from standard normals (3,) and a chi-square, and returns the log density of
    the proposal.
    """
    d = problem.inner
    stretch = math.sqrt(T_DF / chi)
    log_q = float(LOG_T_NORM[d])
    square = 0.0
    for j in range(d):
        square += (normals[j] * stretch) ** 2
        log_q += math.log(lower[j, j])
    out[2] = 0.0
    for j in range(d - 1, -1, -1):
        total = normals[j] * stretch
        for m in range(j + 1, d):
            total -= lower[m, j] * (out[m] - theta[m])
        out[j] = theta[j] + total / lower[j, j]
    return log_q - 0.5 * (T_DF + d) * math.log1p(square / T_DF)


@jit
def level_posterior(
    problem: Problem, h: FloatArray, sigma: float, mean: FloatArray, lower: FloatArray
) -> float:
    """Exact Normal posterior of the levels of Gaussian scores, given the noise; in place.

    The levels are (left, right), or left alone for flat. Fills ``mean`` (2,) and ``lower`` (2, 2),
    the Cholesky factor of the precision; returns half the precision's log determinant.
    """
    y, stderr, priors = problem.y, problem.spread, problem.priors
    a = 1.0 / priors[0, 1] ** 2
    b = 0.0
    c = 1.0 / priors[2, 1] ** 2
    u = a * priors[0, 0]
    v = c * priors[2, 0]
    for i in range(len(y)):
        precision = 1.0 / (stderr[i] ** 2 + sigma**2)
        a += (1 - h[i]) ** 2 * precision
        b += (1 - h[i]) * h[i] * precision
        c += h[i] ** 2 * precision
        u += (1 - h[i]) * y[i] * precision
        v += h[i] * y[i] * precision
    lower[0, 0] = math.sqrt(a)
    if problem.inner == 2:
        mean[0] = u / a
        return math.log(lower[0, 0])
    lower[1, 0] = b / lower[0, 0]
    # The subtraction cancels for h near 0 throughout; the prior's part of c bounds it from below.
    lower[1, 1] = math.sqrt(max(c - lower[1, 0] ** 2, 1.0 / priors[2, 1] ** 2))
    top = u / lower[0, 0]
    mean[1] = (v - lower[1, 0] * top) / lower[1, 1] ** 2
    mean[0] = (top - lower[1, 0] * mean[1]) / lower[0, 0]
    return math.log(lower[0, 0]) + math.log(lower[1, 1])


@jit
def noise_variance(problem: Problem, lower: FloatArray) -> float:
    """Marginal variance of the dispersion under Laplace's approximation."""
    variance = float(lower[1, 1] ** -2)
    if problem.inner == 2:
        return variance
    return variance * (1.0 + float(lower[2, 1] / lower[2, 2]) ** 2)


@jit
def step_score(
    problem: Problem,
    h: FloatArray,
    theta: FloatArray,
    lower: FloatArray,
    normals: FloatArray,
    chi: float,
    out: FloatArray,
) -> float:
    """Draw the inner parameters for Gaussian scores: noise by Student-t, then levels exactly.

    The levels' scale follows the noise, which a joint step could not. Otherwise as ``step_count``.
    """
    mean = np.zeros(2)
    factor = np.zeros((2, 2))
    variance = noise_variance(problem, lower)
    # The volume of the levels grows with the noise, and moves the noise's marginal mode.
    up = level_posterior(problem, h, math.exp(theta[1] + 0.1), mean, factor)
    down = level_posterior(problem, h, math.exp(theta[1] - 0.1), mean, factor)
    t = normals[1] * math.sqrt(T_DF / chi)
    out[1] = theta[1] - (up - down) / 0.2 * variance + t * math.sqrt(variance)
    log_q = (
        float(LOG_T_NORM[1])
        - 0.5 * (T_DF + 1) * math.log1p(t * t / T_DF)
        - 0.5 * math.log(variance)
    )
    log_q += level_posterior(problem, h, math.exp(out[1]), mean, factor)
    log_q -= 0.5 * float(normals[0] ** 2 + LOG_2PI)
    out[2] = 0.0
    if problem.inner == 2:
        out[0] = mean[0] + normals[0] / factor[0, 0]
        return log_q
    right = normals[2] / factor[1, 1]
    out[2] = mean[1] + right
    out[0] = mean[0] + (normals[0] - factor[1, 0] * right) / factor[0, 0]
    return log_q - 0.5 * float(normals[2] ** 2 + LOG_2PI)
