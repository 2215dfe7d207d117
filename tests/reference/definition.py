"""The densities of the candidates, written out again from the docstring of ``candidates``.

Nothing of the engine or of its compiled densities is used. ``make_evidence_set.py`` compares these
with the PyMC models before it starts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from builders import TWO_LN_9
from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.priors import priors_for

FLAT, LINEAR, POWER, SIGMOID, QUADRATIC = range(5)
CODES = {
    "flat": FLAT,
    "linear": LINEAR,
    "power": POWER,
    "sigmoid": SIGMOID,
    "quadratic": QUADRATIC,
}
# Free ones of (left, dispersion, right, shape1, shape2).
DIMENSIONS = {"flat": 2, "linear": 3, "power": 4, "sigmoid": 5, "quadratic": 4}
# Beyond, differences of log gamma functions have no digits left; the prior has 1e-50 there.
MAX_LOG_DISPERSION = 20.0
LOG_2_PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Problem:
    """One candidate on one curve, as arrays: ``data`` is (n, 3), ``prior`` (5, 2)."""

    name: str
    code: int
    counts: bool
    x: FloatArray
    data: FloatArray
    prior: FloatArray

    @property
    def arrays(self) -> tuple[int, bool, FloatArray, FloatArray, FloatArray]:
        """What compiled functions take."""
        return self.code, self.counts, self.x, self.data, self.prior

    @property
    def dimensions(self) -> int:
        """Number of free parameters."""
        return DIMENSIONS[self.name]


def problem(curve: Curve, candidate: str) -> Problem:
    """Gather a curve's counts and items, or scores and standard errors, and its priors."""
    counts = curve.observation == "beta_binomial"
    if counts:
        k, n = np.rint(curve.z * curve.n_items), curve.n_items
        choose = [
            math.lgamma(b + 1) - math.lgamma(a + 1) - math.lgamma(b - a + 1)
            for a, b in zip(k, n, strict=True)
        ]
        data = np.column_stack([k, n, choose])
    else:
        data = np.column_stack([curve.z, curve.stderr, np.zeros(len(curve.z))])
    prior = priors_for(curve, candidate).as_array()
    return Problem(candidate, CODES[candidate], counts, curve.size.copy(), data, prior)


@numba.njit
def shape_at(code, x, first, span, s1, s2):  # noqa: ANN001, ANN201
    """Height between the levels at one size."""
    u = (x - first) / span
    if code == LINEAR:
        return u
    if code == POWER:
        bend = s1 * math.log(10.0) * span
        return u if bend == 0.0 else math.expm1(bend * u) / math.expm1(bend)
    if code == SIGMOID:
        return 1 / (1 + math.exp(-TWO_LN_9 * (x - s1) / math.exp(s2)))
    if code == QUADRATIC:
        return ((u - 0.5 - s1) / (0.5 + abs(s1))) ** 2
    return 0.0


@numba.njit
def log_count(k, n, choose, mu, rest, phi):  # noqa: ANN001, ANN201
    """Beta-binomial log probability; ``rest`` is 1 - mu."""
    a, b = mu * phi, rest * phi
    # The limits, where the mean is 0 or 1 to all digits.
    if a <= 0.0:
        return 0.0 if k == 0 else -np.inf
    if b <= 0.0:
        return 0.0 if k == n else -np.inf
    top = math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + phi)
    return choose + top - (math.lgamma(a) + math.lgamma(b) - math.lgamma(phi))


@numba.njit
def log_counts(code, x, data, theta):  # noqa: ANN001, ANN201
    """Log likelihood of counts."""
    if theta[1] > MAX_LOG_DISPERSION:
        return -np.inf
    low, off_low = 1 / (1 + math.exp(-theta[0])), 1 / (1 + math.exp(theta[0]))
    high, off_high = 1 / (1 + math.exp(-theta[2])), 1 / (1 + math.exp(theta[2]))
    phi, first, span = math.exp(theta[1]), x[0], x[-1] - x[0]
    total = 0.0
    for i in range(len(x)):
        h = shape_at(code, x[i], first, span, theta[3], theta[4])
        mu, rest = low * (1 - h) + high * h, off_low * (1 - h) + off_high * h
        total += log_count(data[i, 0], data[i, 1], data[i, 2], mu, rest, phi)
    return total


@numba.njit
def log_scores(code, x, data, theta):  # noqa: ANN001, ANN201
    """Log likelihood of scores."""
    first, span, noise = x[0], x[-1] - x[0], math.exp(2 * theta[1])
    total = 0.0
    for i in range(len(x)):
        h = shape_at(code, x[i], first, span, theta[3], theta[4])
        variance = data[i, 1] ** 2 + noise
        off = data[i, 0] - theta[0] - (theta[2] - theta[0]) * h
        total -= 0.5 * (off * off / variance + math.log(variance) + LOG_2_PI)
    return total


@numba.njit
def log_density(code, counts, x, data, prior, dimensions, theta):  # noqa: ANN001, ANN201
    """Log prior plus log likelihood; only the first ``dimensions`` parameters are free."""
    total = log_counts(code, x, data, theta) if counts else log_scores(code, x, data, theta)
    for j in range(dimensions):
        t = (theta[j] - prior[j, 0]) / prior[j, 1]
        total -= 0.5 * (t * t + LOG_2_PI) + math.log(prior[j, 1])
    return total
