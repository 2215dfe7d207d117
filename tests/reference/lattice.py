"""Evidence of counts on lattices: flat and linear directly, the others one shape at a time.

The second is slow. It checks the weighted draws of ``importance`` on some curves.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import norm

from definition import FLAT, LOG_2_PI, SIGMOID, Problem, shape_at
from metamirage.base.arrays import FloatArray
from panels import Resolution, adaptive, nodes_of, tagged

# A box is narrowed to what lies this many nats below the best point, from so many prior sds.
DEPTH, REACH, MAX_NARROWINGS = 20.0, 9.0, 8
# Points a side: while the box is narrowed, and for results.
NARROWING, SIDES, OUTER_SIDE = 12, (28, 40), 18
# Shapes are costly here: fewer of them, good to 1e-3.
OUTER = Resolution(points=4, noise=1.0, tolerance=1e-4)


@numba.njit
def log_levels(data, prior, shape, nu, low, high, values):  # noqa: ANN001, ANN201
    """Fill ``values``, shape (side, side or 1), with the log density on a lattice of the levels."""
    steps = (high - low) / (values.shape[0] - 1)
    k, m, phi = data[:, 0], data[:, 1], math.exp(nu)
    at_nu = -0.5 * ((nu - prior[1, 0]) / prior[1, 1]) ** 2
    for i in range(len(k)):
        at_nu += data[i, 2] + math.lgamma(phi) - math.lgamma(m[i] + phi)
    for a, b in np.ndindex(values.shape):
        left, right = low[0] + steps[0] * a, low[1] + steps[1] * b
        total = at_nu - 0.5 * ((left - prior[0, 0]) / prior[0, 1]) ** 2
        if values.shape[1] > 1:
            total -= 0.5 * ((right - prior[2, 0]) / prior[2, 1]) ** 2
        p, off_p = 1 / (1 + math.exp(-left)), 1 / (1 + math.exp(left))
        q, off_q = 1 / (1 + math.exp(-right)), 1 / (1 + math.exp(right))
        for i in range(len(k)):
            alpha = (p * (1 - shape[i]) + q * shape[i]) * phi
            beta = (off_p * (1 - shape[i]) + off_q * shape[i]) * phi
            if k[i] > 0:
                total += math.lgamma(k[i] + alpha) - math.lgamma(alpha)
            if k[i] < m[i]:
                total += math.lgamma(m[i] - k[i] + beta) - math.lgamma(beta)
        values[a, b] = total


@numba.njit
def heavy_box(values, low, high):  # noqa: ANN001, ANN201
    """Smallest box about the heavy points, one step wider."""
    side = values.shape[0]
    first, last = np.full(2, side), np.full(2, -1)
    least = values.max() - DEPTH
    for a, b in np.ndindex(values.shape):
        if values[a, b] > least:
            first[0], last[0] = min(first[0], a), max(last[0], a)
            first[1], last[1] = min(first[1], b), max(last[1], b)
    steps = (high - low) / (side - 1)
    return low + steps * np.maximum(first - 1, 0), low + steps * np.minimum(last + 1, side - 1)


@numba.njit
def given_noise(data, prior, shape, three, nu, side):  # noqa: ANN001, ANN201
    """Log integral over the levels, given shape and dispersion."""
    centre, sd = prior[:3:2, 0], prior[:3:2, 1]
    low, high = centre - REACH * sd, centre + REACH * sd
    values = np.empty((NARROWING, NARROWING if three else 1))
    for _ in range(MAX_NARROWINGS):
        log_levels(data, prior, shape, nu, low, high, values)
        below, above = heavy_box(values, low, high)
        if not three:
            below[1], above[1] = low[1], high[1]
        narrowed = ((above - below) / (high - low)).min()
        low, high = below, above
        if narrowed > 0.8:
            break
    values = np.empty((side, side if three else 1))
    log_levels(data, prior, shape, nu, low, high, values)
    steps = (high - low) / ((side - 1) * sd)
    constant = math.log(steps[0]) - 0.5 * LOG_2_PI
    constant += math.log(steps[1]) - 0.5 * LOG_2_PI if three else 0.0
    best = values.max()
    return best + math.log(np.exp(values - best).sum()) + constant


@numba.njit
def given_shape(data, prior, shape, three, side):  # noqa: ANN001, ANN201
    """Log integral over levels and dispersion, given the shape."""
    low, high = prior[1, 0] - REACH * prior[1, 1], prior[1, 0] + REACH * prior[1, 1]
    values = np.empty(NARROWING)
    for _ in range(MAX_NARROWINGS):
        step = (high - low) / (NARROWING - 1)
        for j in range(NARROWING):
            values[j] = given_noise(data, prior, shape, three, low + step * j, NARROWING)
        heavy = np.flatnonzero(values > values.max() - DEPTH)
        below = low + step * max(heavy[0] - 1, 0)
        above = low + step * min(heavy[-1] + 1, NARROWING - 1)
        narrowed = (above - below) / (high - low)
        low, high = below, above
        if narrowed > 0.8:
            break
    values = np.empty(side)
    step = (high - low) / (side - 1)
    for j in range(side):
        values[j] = given_noise(data, prior, shape, three, low + step * j, side)
    best = values.max()
    total = best + math.log(np.exp(values - best).sum())
    return total + math.log(step / prior[1, 1]) - 0.5 * LOG_2_PI


@numba.njit(parallel=True)
def given_shapes(code, x, data, prior, s1, s2, side):  # noqa: ANN001, ANN201
    """Log integral over levels and dispersion, for many shapes."""
    out = np.empty(len(s1))
    for s in numba.prange(len(s1)):
        shape = np.empty(len(x))
        for i in range(len(x)):
            shape[i] = shape_at(code, x[i], x[0], x[-1] - x[0], s1[s], s2[s])
        out[s] = given_shape(data, prior, shape, code != FLAT, side)
    return out


def lattice_evidence(problem: Problem) -> tuple[float, float]:
    """Log evidence of flat or linear, and the change from the last but one lattice."""
    zero = np.zeros(1)
    values = [float(given_shapes(*_fixed(problem), zero, zero, side)[0]) for side in SIDES]
    return values[-1], abs(values[-1] - values[-2])


def shape_evidence(problem: Problem) -> float:
    """Log evidence of power, quadratic or sigmoid, good to 2e-3."""
    mean, sd = problem.prior[3]
    extra = problem.x if problem.code == SIGMOID else np.zeros(1)
    edges = np.unique(np.concatenate([mean + sd * np.linspace(-6, 6, 13), extra]))
    if problem.code == SIGMOID:
        lines = tagged([problem.prior[4, 0] + problem.prior[4, 1] * np.linspace(-6, 6, 9)])
        nodes, log_weights = nodes_of(lines, 5)
    else:
        nodes, log_weights = np.zeros((1, 1)), np.zeros((1, 1))
    widths = nodes.ravel()
    weights = log_weights.ravel()
    if problem.code == SIGMOID:
        weights = weights + norm.logpdf(widths, *problem.prior[4])

    def evaluate(tags: NDArray[np.int64], s1: FloatArray) -> FloatArray:
        values = given_shapes(*_fixed(problem), s1, widths[tags], OUTER_SIDE)
        return np.asarray(values + norm.logpdf(s1, mean, sd) + weights[tags])

    return float(logsumexp(adaptive(evaluate, tagged([edges] * len(widths)), OUTER)[1]))


def _fixed(problem: Problem) -> tuple[int, FloatArray, FloatArray, FloatArray]:
    return problem.code, problem.x, problem.data, problem.prior
