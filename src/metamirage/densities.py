"""The densities of ``candidates`` once more, compiled, with the derivatives that Newton needs.

Parameters stand in one vector theta = (left, dispersion, right, shape1, shape2), of which flat uses
the first two, linear three, power and quadratic four, sigmoid five. Functions here take plain
arrays of shape (n,): ``x``; ``y``, count or score; ``spread``, items or standard error; and
``base``, from ``log_base``, what a point's density holds besides.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

from metamirage._compiled import jit
from metamirage._rising import rising, rising_terms
from metamirage.curves import FloatArray
from metamirage.priors import LOGISTIC_WIDTH

FLAT, LINEAR, POWER, SIGMOID, QUADRATIC = 0, 1, 2, 3, 4
CODES = {"flat": FLAT, "linear": LINEAR, "power": POWER, "sigmoid": SIGMOID, "quadratic": QUADRATIC}
N_FREE = np.array([2, 3, 4, 5, 4])
LOG_2PI = math.log(2 * math.pi)
LN2, LN10 = math.log(2.0), math.log(10.0)
# ASSUME: beyond, counts are plain binomial and the density is cut off: the prior leaves 1e-50 of
# its mass there.
MAX_LOG_DISPERSION = 20.0

type Terms = tuple[float, float, float, float, float, float]


@jit
def expit(value: float) -> float:
    """Logistic function, without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    e = math.exp(value)
    return e / (1.0 + e)


@jit
def shape(
    candidate: int, x: float, first: float, last: float, shape1: float, shape2: float
) -> float:
    """Shape h of a candidate at one size; ``first`` and ``last`` bound the window."""
    if candidate == FLAT:
        return 0.0
    if candidate == SIGMOID:
        return expit(LOGISTIC_WIDTH * (x - shape1) * math.exp(-shape2))
    u = (x - first) / (last - first)
    if candidate == QUADRATIC:
        # Rounding must not carry a mean out of its range.
        return float(min(((u - 0.5 - shape1) / (0.5 + abs(shape1))) ** 2, 1.0))
    k = shape1 * LN10 * (last - first)
    if candidate == LINEAR or k == 0.0:
        return u
    return math.expm1(k * u) / math.expm1(k)


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


@jit
def log_likelihood(
    counted: bool,
    h: FloatArray,
    y: FloatArray,
    spread: FloatArray,
    base: FloatArray,
    theta: FloatArray,
) -> float:
    """Log likelihood of all points, given the shape h at each; shape of h is (n,).

    Counts k of n are beta-binomial of mean mu, their parameters summing to phi: log Gamma ratios of
    mu phi over k, (1 - mu) phi over n - k, less phi over n.
    """
    if counted and theta[1] > MAX_LOG_DISPERSION:
        return -math.inf
    left = expit(theta[0]) if counted else theta[0]
    right = expit(theta[2]) if counted else theta[2]
    scale = math.exp(theta[1])
    whole = 0.0
    total = 0.0
    for i in range(len(y)):
        mu = left + (right - left) * h[i]
        if counted:
            # Items are mostly the same at all sizes.
            if i == 0 or spread[i] != spread[i - 1]:
                whole = rising(scale, spread[i])
            up, down = rising(mu * scale, y[i]), rising((1.0 - mu) * scale, spread[i] - y[i])
            total += base[i] + up + down - whole
        else:
            v = spread[i] ** 2 + scale**2
            total += base[i] - 0.5 * ((y[i] - mu) ** 2 / v + math.log(v))
    return total


@jit
def log_prior(candidate: int, theta: FloatArray, priors: FloatArray) -> float:
    """Log prior of the candidate's own parameters; ``priors`` has shape (5, 2)."""
    total = 0.0
    for j in range(N_FREE[candidate]):
        total += log_normal(theta[j], priors[j, 0], priors[j, 1])
    return total


@jit
def _count_terms(
    k: float, n: float, mu: float, phi: float, whole: tuple[float, float, float]
) -> Terms:
    """Log probability of a count; its first and second derivatives in mu and log phi.

    ``whole`` are the ``rising_terms`` of phi over n.
    """
    up, up1, up2 = rising_terms(mu * phi, k)
    down, down1, down2 = rising_terms((1.0 - mu) * phi, n - k)
    d_mu = phi * (up1 - down1)
    d_mu_mu = phi * phi * (up2 + down2)
    d_phi = mu * up1 + (1 - mu) * down1 - whole[1]
    d_phi_phi = mu * mu * up2 + (1 - mu) ** 2 * down2 - whole[2]
    d_mu_phi = (up1 - down1) + phi * (mu * up2 - (1 - mu) * down2)
    # Chain rule to log phi.
    return (
        up + down - whole[0],
        d_mu,
        d_mu_mu,
        phi * d_phi,
        phi * phi * d_phi_phi + phi * d_phi,
        phi * d_mu_phi,
    )


@jit
def expand_counts(
    h: FloatArray,
    k: FloatArray,
    n: FloatArray,
    theta: FloatArray,
    priors: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> float:
    """Log joint of counts and (left, log phi, right), but for constants; with its derivatives.

    Fills gradient (3,) and Hessian (3, 3). The constants are ``base`` and those of the priors.
    """
    left, right, phi = expit(theta[0]), expit(theta[2]), math.exp(theta[1])
    slope_left, slope_right = left * (1 - left), right * (1 - right)
    bend_left, bend_right = slope_left * (1 - 2 * left), slope_right * (1 - 2 * right)
    total = 0.0
    hessian[:] = 0.0
    for j in range(3):
        t = (theta[j] - priors[j, 0]) / priors[j, 1]
        total -= 0.5 * t * t
        gradient[j] = -t / priors[j, 1]
        hessian[j, j] = -1.0 / priors[j, 1] ** 2
    whole = (0.0, 0.0, 0.0)
    for i in range(len(k)):
        if i == 0 or n[i] != n[i - 1]:
            whole = rising_terms(phi, n[i])
        mu = left + (right - left) * h[i]
        value, d1, d2, e1, e2, de = _count_terms(k[i], n[i], mu, phi, whole)
        total += value
        to_left = (1 - h[i]) * slope_left
        to_right = h[i] * slope_right
        gradient[0] += d1 * to_left
        gradient[1] += e1
        gradient[2] += d1 * to_right
        hessian[0, 0] += d2 * to_left**2 + d1 * (1 - h[i]) * bend_left
        hessian[1, 1] += e2
        hessian[2, 2] += d2 * to_right**2 + d1 * h[i] * bend_right
        hessian[0, 1] += de * to_left
        hessian[1, 2] += de * to_right
        hessian[0, 2] += d2 * to_left * to_right
    hessian[1, 0] = hessian[0, 1]
    hessian[2, 0] = hessian[0, 2]
    hessian[2, 1] = hessian[1, 2]
    return total
