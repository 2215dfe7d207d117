"""The densities of ``candidates`` once more, compiled, with the derivatives that Newton needs.

Parameters stand in one vector theta = (left, dispersion, right, shape1, shape2), of which flat uses
the first two, linear three, power and quadratic four, sigmoid five. Functions here take plain
arrays of shape (n,): ``x``; ``y``, count or score; ``spread``, items or standard error; and
``base``, from ``log_base``, what a point's density holds besides.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.priors import LOGISTIC_WIDTH
from metamirage.fitting.quadrature.elementary import expit
from metamirage.fitting.quadrature.newton import Expansion, Vector
from metamirage.fitting.quadrature.rising import LANES, fill_rising, fill_rising_terms

FLAT, LINEAR, POWER, SIGMOID, QUADRATIC = 0, 1, 2, 3, 4
CODES = {"flat": FLAT, "linear": LINEAR, "power": POWER, "sigmoid": SIGMOID, "quadratic": QUADRATIC}
N_FREE = np.array([2, 3, 4, 5, 4])
LOG_2PI = math.log(2 * math.pi)
LN2, LN10 = math.log(2.0), math.log(10.0)
# ASSUME: beyond, counts are plain binomial and the density is cut off: the prior leaves 1e-50 of
# its mass there.
MAX_LOG_DISPERSION = 20.0


@jit
def shape(
    candidate: int, x: float, first: float, last: float, shape1: float, shape2: float
) -> float:
    """Shape h of a candidate at one size; ``first`` and ``last`` bound the window."""
    if candidate == FLAT:
        return 0.0
    if candidate == SIGMOID:
        return expit(LOGISTIC_WIDTH * math.exp(-shape2) * (x - shape1))
    u = (x - first) / (last - first)
    if candidate == QUADRATIC:
        # Rounding must not carry a mean out of its range.
        return float(min(((u - 0.5 - shape1) / (0.5 + abs(shape1))) ** 2, 1.0))
    k = shape1 * LN10 * (last - first)
    if candidate == LINEAR or k == 0.0:
        return u
    return math.expm1(k * u) / math.expm1(k)


@inlined
def fill_sigmoid(x: FloatArray, location: float, log_width: float, h: FloatArray) -> None:
    """Shape of the sigmoid at each size, in place; shapes (n,)."""
    steepness = LOGISTIC_WIDTH * math.exp(-log_width)
    for i in range(len(x)):
        h[i] = expit(steepness * (x[i] - location))


@jit
def shapes_at(
    candidate: int, x: FloatArray, first: float, last: float, thetas: FloatArray
) -> FloatArray:
    """Shape at a size of each draw's own; x has shape (m,), ``thetas`` (m, 5), the result (m,)."""
    out = np.empty(len(thetas))
    for i in range(len(thetas)):
        out[i] = shape(candidate, x[i], first, last, thetas[i, 3], thetas[i, 4])
    return out


def shape_at(candidate: int, x: float, first: float, last: float, thetas: FloatArray) -> FloatArray:
    """Shape at one size under each draw; ``thetas`` has shape (m, 5), the result (m,)."""
    return shapes_at(candidate, np.full(len(thetas), x), first, last, thetas)


@jit
def log_normal(value: float, mean: float, sd: float) -> float:
    """Log density of a Normal."""
    t = (value - mean) / sd
    return -0.5 * (LOG_2PI + t * t) - math.log(sd)


def log_base(counted: bool, y: FloatArray, spread: FloatArray) -> FloatArray:
    """Parameter-free part of each point's log density, shape (n,).

    The binomial coefficient of counts, the Normal's constant of scores.
    """
    if not counted:
        return np.full(len(y), -0.5 * LOG_2PI)
    k, n = y, spread
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))


class Ladder(NamedTuple):
    """The rising factorials of a curve's counts side by side, where they are worked out at once.

    Each copy serves one theta: successes of all n sizes, then failures of all, then items, once for
    each run of sizes with the same number. Nothing over any argument fills up to a multiple of
    ``LANES``.

    Parameters
    ----------
    steps
        Successes, failures or items, shape (m,).
    start
        Arguments, filled anew for each theta, shape (m,).
    value, first, second
        Results: ``_rising.rising_terms``, shape (m,).
    runs
        Sizes in each run, shape (q,).
    """

    steps: FloatArray
    start: FloatArray
    value: FloatArray
    first: FloatArray
    second: FloatArray
    runs: FloatArray


@jit
def make_ladder(k: FloatArray, n: FloatArray, copies: int = 1) -> Ladder:
    """Lay out counts k of n, shapes (n,)."""
    # Items are mostly the same at all sizes.
    starts = np.array([i for i in range(len(n)) if i == 0 or n[i] != n[i - 1]], dtype=np.int64)
    width = 2 * len(k) + len(starts)
    m = -(-copies * width // LANES) * LANES
    runs = np.ones(len(starts))
    for j in range(len(starts)):
        runs[j] = (starts[j + 1] if j + 1 < len(starts) else len(n)) - starts[j]
    ladder = Ladder(np.zeros(m), np.ones(m), np.zeros(m), np.zeros(m), np.zeros(m), runs)
    for copy in range(copies):
        steps = ladder.steps[copy * width : (copy + 1) * width]
        steps[: len(k)] = k
        steps[len(k) : 2 * len(k)] = n - k
        steps[2 * len(k) :] = n[starts]
    return ladder


@inlined
def start_counts(h: FloatArray, theta: FloatArray, start: FloatArray) -> None:
    """Fill in the arguments of one copy: mean times phi, the rest of phi, and phi.

    The shape h has shape (n,), theta (3,) or more.
    """
    left, right, phi = expit(theta[0]), expit(theta[2]), math.exp(theta[1])
    for i in range(len(h)):
        mu = left + (right - left) * h[i]
        start[i] = mu * phi
        start[len(h) + i] = (1.0 - mu) * phi
    for j in range(2 * len(h), len(start)):
        start[j] = phi


@inlined
def sum_counts(base: FloatArray, theta: FloatArray, value: FloatArray, runs: FloatArray) -> float:
    """Log likelihood of all counts from the rising factorials of their copy.

    Counts k of n are beta-binomial of mean mu, their parameters summing to phi: log Gamma ratios of
    mu phi over k, (1 - mu) phi over n - k, less phi over n.
    """
    total = 0.0
    for i in range(len(base)):
        total += base[i] + value[i] + value[len(base) + i]
    for j in range(len(runs)):
        total -= runs[j] * value[2 * len(base) + j]
    return -math.inf if theta[1] > MAX_LOG_DISPERSION else total


@jit
def log_likelihood_counts(
    h: FloatArray, base: FloatArray, theta: FloatArray, ladder: Ladder
) -> float:
    """Log likelihood of all counts, given the shape h at each; shapes (n,)."""
    start_counts(h, theta, ladder.start[: 2 * len(h) + len(ladder.runs)])
    fill_rising(ladder.start, ladder.steps, ladder.value)
    return sum_counts(base, theta, ladder.value, ladder.runs)


@jit
def log_likelihood_scores(
    h: FloatArray, y: FloatArray, stderr: FloatArray, base: FloatArray, theta: FloatArray
) -> float:
    """Log likelihood of all Gaussian scores, given the shape h at each; shapes (n,)."""
    noise = math.exp(theta[1])
    total = 0.0
    for i in range(len(y)):
        mu = theta[0] + (theta[2] - theta[0]) * h[i]
        v = stderr[i] ** 2 + noise**2
        total += base[i] - 0.5 * ((y[i] - mu) ** 2 / v + math.log(v))
    return total


@inlined
def log_prior(candidate: int, theta: FloatArray, priors: FloatArray) -> float:
    """Log prior of the candidate's own parameters; ``priors`` has shape (5, 2)."""
    total = 0.0
    for j in range(N_FREE[candidate]):
        total += log_normal(theta[j], priors[j, 0], priors[j, 1])
    return total


@jit
def expand_counts(
    h: FloatArray,
    theta: FloatArray,
    priors: FloatArray,
    ladder: Ladder,
) -> tuple[float, Expansion]:
    """Log joint of counts and (left, log phi, right), but for constants; with its derivatives.

    The constants are ``base`` and those of the priors.
    """
    # Without what fills up: a loop of unknown length costs a seventh of the engine's time.
    start_counts(h, theta, ladder.start[: 2 * len(h) + len(ladder.runs)])
    fill_rising_terms(ladder.start, ladder.steps, ladder.value, ladder.first, ladder.second)
    left, right, phi = expit(theta[0]), expit(theta[2]), math.exp(theta[1])
    slope_left, slope_right = left * (1 - left), right * (1 - right)
    bend_left, bend_right = slope_left * (1 - 2 * left), slope_right * (1 - 2 * right)
    # Sums of their own, not elements of arrays: those would go through memory at each size.
    total, to_0, to_1, to_2 = 0.0, 0.0, 0.0, 0.0
    to_00, to_11, to_22, to_01, to_12, to_02 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(h)):
        down = len(h) + i
        mu = left + (right - left) * h[i]
        total += ladder.value[i] + ladder.value[down]
        # In the mean mu and in phi, by the chain rule.
        up1, down1 = ladder.first[i], ladder.first[down]
        up2, down2 = phi * ladder.second[i], phi * ladder.second[down]
        d_mu = phi * (up1 - down1)
        d_mu_mu = phi * (up2 + down2)
        d_mu_phi = d_mu + phi * (mu * up2 - (1 - mu) * down2)
        to_left = (1 - h[i]) * slope_left
        to_right = h[i] * slope_right
        to_0 += d_mu * to_left
        to_1 += mu * up1 + (1 - mu) * down1
        to_2 += d_mu * to_right
        to_00 += d_mu_mu * to_left * to_left + d_mu * (1 - h[i]) * bend_left
        to_11 += mu * mu * up2 + (1 - mu) * (1 - mu) * down2
        to_22 += d_mu_mu * to_right * to_right + d_mu * h[i] * bend_right
        to_01 += d_mu_phi * to_left
        to_12 += d_mu_phi * to_right
        to_02 += d_mu_mu * to_left * to_right
    for j in range(len(ladder.runs)):
        at = 2 * len(h) + j
        total -= ladder.runs[j] * ladder.value[at]
        to_1 -= ladder.runs[j] * ladder.first[at]
        to_11 -= ladder.runs[j] * phi * ladder.second[at]
    # From phi to log phi.
    to_1 *= phi
    to_11 = phi * to_11 + to_1
    t0, t1, t2 = _from_priors(theta, priors)
    total -= 0.5 * (t0 * t0 + t1 * t1 + t2 * t2)
    sd0, sd1, sd2 = priors[0, 1], priors[1, 1], priors[2, 1]
    gradient = to_0 - t0 / sd0, to_1 - t1 / sd1, to_2 - t2 / sd2
    c00, c11, c22 = 1.0 / sd0**2 - to_00, 1.0 / sd1**2 - to_11, 1.0 / sd2**2 - to_22
    return total, Expansion(gradient, (c00, -to_01, c11, -to_02, -to_12, c22))


@inlined
def _from_priors(theta: FloatArray, priors: FloatArray) -> Vector:
    """Inner parameters in sds of their priors from the means."""
    return (
        (theta[0] - priors[0, 0]) / priors[0, 1],
        (theta[1] - priors[1, 0]) / priors[1, 1],
        (theta[2] - priors[2, 0]) / priors[2, 1],
    )


@inlined
def expand_levels(
    h: FloatArray, theta: FloatArray, priors: FloatArray, first: FloatArray, second: FloatArray
) -> Expansion:
    """Expand counts in the levels alone, log phi standing still: derivatives of ``expand_counts``.

    ``first`` and ``second`` are the slopes of theta's copy of the ladder. The equation of log phi
    is gradient zero and curvature one: a Newton step leaves it where it is.
    """
    left, right, phi = expit(theta[0]), expit(theta[2]), math.exp(theta[1])
    slope_left, slope_right = left * (1 - left), right * (1 - right)
    bend_left, bend_right = slope_left * (1 - 2 * left), slope_right * (1 - 2 * right)
    to_0, to_2, to_00, to_22, to_02 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(h)):
        d_mu = phi * (first[i] - first[len(h) + i])
        d_mu_mu = phi * phi * (second[i] + second[len(h) + i])
        to_left = (1 - h[i]) * slope_left
        to_right = h[i] * slope_right
        to_0 += d_mu * to_left
        to_2 += d_mu * to_right
        to_00 += d_mu_mu * to_left * to_left + d_mu * (1 - h[i]) * bend_left
        to_22 += d_mu_mu * to_right * to_right + d_mu * h[i] * bend_right
        to_02 += d_mu_mu * to_left * to_right
    t0, _, t2 = _from_priors(theta, priors)
    sd0, sd2 = priors[0, 1], priors[2, 1]
    gradient = to_0 - t0 / sd0, 0.0, to_2 - t2 / sd2
    curvature = 1.0 / sd0**2 - to_00, 0.0, 1.0, -to_02, 0.0, 1.0 / sd2**2 - to_22
    return Expansion(gradient, curvature)
