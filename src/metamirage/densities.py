"""The densities of ``candidates`` once more, compiled, with the derivatives that Newton needs.

Parameters stand in one vector theta = (left, dispersion, right, shape1, shape2), of which flat uses
the first two, linear three, power and quadratic four, sigmoid five. Functions here take plain
arrays: ``x``, ``y`` (count or score) and ``spread`` (items or standard error), each of shape (n,).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import njit

from metamirage.curves import FloatArray
from metamirage.priors import LOGISTIC_WIDTH

FLAT, LINEAR, POWER, SIGMOID, QUADRATIC = 0, 1, 2, 3, 4
CODES = {"flat": FLAT, "linear": LINEAR, "power": POWER, "sigmoid": SIGMOID, "quadratic": QUADRATIC}
N_FREE = np.array([2, 3, 4, 5, 4])
LOG_2PI = math.log(2 * math.pi)
LN10 = math.log(10.0)
# Recurrence carries the argument here, where the asymptotic series is good to 1e-12.
ASYMPTOTIC_FROM = 10.0
# Beyond, the log gamma functions of a count differ by rounding alone and can come out huge and
# positive; the prior leaves 1e-50 of its mass there, the Student-t proposal 1e-8.
MAX_LOG_DISPERSION = 20.0

# What the compiled code is made from. Numba keeps a function until its own file changes, though it
# has copied in what it calls from others: a folder by the content of all keeps no stale copy.
_COMPILED = ("priors.py", "densities.py", "_modes.py", "_cells.py")
_HERE = Path(__file__).parent
_DIGEST = sha256(b"".join((_HERE / name).read_bytes() for name in _COMPILED)).hexdigest()[:16]
vars(numba.config)["CACHE_DIR"] = str(_HERE / "__pycache__" / f"compiled-{_DIGEST}")

type Terms = tuple[float, float, float, float, float]


def jit[F: Callable[..., object]](function: F) -> F:
    """Compile a function, released from the interpreter's lock and cached on disk.

    Floating-point errors give NaN and infinities as NumPy does; no reordering of sums, so that a
    result is the same to the last bit wherever it is computed.
    """
    compile_now: Callable[[Any], Any] = njit(cache=True, nogil=True, error_model="numpy")
    compiled: F = compile_now(function)
    return compiled


@jit
def expit(value: float) -> float:
    """Logistic function, without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    e = math.exp(value)
    return e / (1.0 + e)


@jit
def digamma_trigamma(value: float) -> tuple[float, float]:
    """Digamma and trigamma of a positive number, by recurrence and asymptotic series."""
    first = 0.0
    second = 0.0
    z = value
    while z < ASYMPTOTIC_FROM:
        first -= 1.0 / z
        second += 1.0 / (z * z)
        z += 1.0
    r = 1.0 / z
    r2 = r * r
    first += math.log(z) - 0.5 * r - r2 * (1 / 12 - r2 * (1 / 120 - r2 * (1 / 252 - r2 / 240)))
    second += r + 0.5 * r2 + r * r2 * (1 / 6 - r2 * (1 / 30 - r2 * (1 / 42 - r2 / 30)))
    return first, second


@jit
def shape(
    candidate: int, x: float, first: float, last: float, shape1: float, shape2: float
) -> float:
    """Shape h of a candidate at one size; ``first`` and ``last`` bound the window."""
    if candidate == FLAT:
        return 0.0
    if candidate == SIGMOID:
        return expit(LOGISTIC_WIDTH * (x - shape1) / math.exp(shape2))
    u = (x - first) / (last - first)
    if candidate == QUADRATIC:
        return float(((u - 0.5 - shape1) / (0.5 + abs(shape1))) ** 2)
    k = shape1 * LN10 * (last - first)
    if candidate == LINEAR or k == 0.0:
        return u
    return math.expm1(k * u) / math.expm1(k)


@jit
def shape_at(candidate: int, x: float, first: float, last: float, thetas: FloatArray) -> FloatArray:
    """Shape at one size under each draw; ``thetas`` has shape (m, 5), the result (m,)."""
    out = np.empty(len(thetas))
    for i in range(len(thetas)):
        out[i] = shape(candidate, x, first, last, thetas[i, 3], thetas[i, 4])
    return out


@jit
def log_normal(value: float, mean: float, sd: float) -> float:
    """Log density of a Normal."""
    t = (value - mean) / sd
    return -0.5 * (LOG_2PI + t * t) - math.log(sd)


@jit
def log_count(k: float, n: float, mu: float, phi: float) -> float:
    """Log probability of k of n: beta-binomial of mean mu, its parameters summing to phi."""
    a = mu * phi
    b = (1.0 - mu) * phi
    # A mean that rounds to 0 or 1 has all its mass there; the formula would take inf - inf.
    if a <= 0.0:
        return 0.0 if k == 0 else -math.inf
    if b <= 0.0:
        return 0.0 if k == n else -math.inf
    choose = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
    top = math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + phi)
    return choose + top - math.lgamma(a) - math.lgamma(b) + math.lgamma(phi)


@jit
def log_likelihood(
    counted: bool, h: FloatArray, y: FloatArray, spread: FloatArray, theta: FloatArray
) -> float:
    """Log likelihood of all points, given the shape h at each; shape of h is (n,)."""
    if counted and theta[1] > MAX_LOG_DISPERSION:
        return -math.inf
    left = expit(theta[0]) if counted else theta[0]
    right = expit(theta[2]) if counted else theta[2]
    scale = math.exp(theta[1])
    total = 0.0
    for i in range(len(y)):
        mu = left + (right - left) * h[i]
        if counted:
            total += log_count(y[i], spread[i], mu, scale)
        else:
            total += log_normal(y[i], mu, math.sqrt(spread[i] ** 2 + scale**2))
    return total


@jit
def log_prior(candidate: int, theta: FloatArray, priors: FloatArray) -> float:
    """Log prior of the candidate's own parameters; ``priors`` has shape (5, 2)."""
    total = 0.0
    for j in range(N_FREE[candidate]):
        total += log_normal(theta[j], priors[j, 0], priors[j, 1])
    return total


@jit
def _count_terms(k: float, n: float, mu: float, phi: float) -> Terms:
    """First and second derivatives of log_count in mu and log phi."""
    a = mu * phi
    b = (1.0 - mu) * phi
    ka1, ka2 = digamma_trigamma(k + a)
    a1, a2 = digamma_trigamma(a)
    kb1, kb2 = digamma_trigamma(n - k + b)
    b1, b2 = digamma_trigamma(b)
    p1, p2 = digamma_trigamma(phi)
    n1, n2 = digamma_trigamma(n + phi)
    up1, up2 = ka1 - a1, ka2 - a2
    down1, down2 = kb1 - b1, kb2 - b2
    d_mu = phi * (up1 - down1)
    d_mu_mu = phi * phi * (up2 + down2)
    d_phi = mu * up1 + (1 - mu) * down1 + p1 - n1
    d_phi_phi = mu * mu * up2 + (1 - mu) ** 2 * down2 + p2 - n2
    d_mu_phi = (up1 - down1) + phi * (mu * up2 - (1 - mu) * down2)
    # Chain rule to nu = log phi.
    return d_mu, d_mu_mu, phi * d_phi, phi * phi * d_phi_phi + phi * d_phi, phi * d_mu_phi


@jit
def _score_terms(y: float, stderr: float, mu: float, sigma: float) -> Terms:
    """First and second derivatives of a Normal log density in mu and log sigma."""
    s2 = sigma * sigma
    v = stderr * stderr + s2
    r = y - mu
    d_v = 0.5 * (r * r / v - 1.0) / v
    d_v_v = (0.5 - r * r / v) / (v * v)
    return r / v, -1.0 / v, 2 * s2 * d_v, 4 * s2 * s2 * d_v_v + 4 * s2 * d_v, -2 * s2 * r / (v * v)


@jit
def derivatives(
    counted: bool,
    h: FloatArray,
    y: FloatArray,
    spread: FloatArray,
    theta: FloatArray,
    priors: FloatArray,
    gradient: FloatArray,
    hessian: FloatArray,
) -> None:
    """Fill gradient (3,) and Hessian (3, 3) of the log joint in (left, dispersion, right)."""
    left = expit(theta[0]) if counted else theta[0]
    right = expit(theta[2]) if counted else theta[2]
    slope_left = left * (1 - left) if counted else 1.0
    slope_right = right * (1 - right) if counted else 1.0
    bend_left = slope_left * (1 - 2 * left) if counted else 0.0
    bend_right = slope_right * (1 - 2 * right) if counted else 0.0
    scale = math.exp(theta[1])
    for j in range(3):
        gradient[j] = -(theta[j] - priors[j, 0]) / priors[j, 1] ** 2
        for m in range(3):
            hessian[j, m] = -1.0 / priors[j, 1] ** 2 if j == m else 0.0
    for i in range(len(y)):
        mu = left + (right - left) * h[i]
        if counted:
            d1, d2, e1, e2, de = _count_terms(y[i], spread[i], mu, scale)
        else:
            d1, d2, e1, e2, de = _score_terms(y[i], spread[i], mu, scale)
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
