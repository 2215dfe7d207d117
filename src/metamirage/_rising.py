"""Logarithm of the rising factorial, and its derivatives: what a beta-binomial is made of.

``rising(a, k) = log Gamma(a + k) - log Gamma(a)`` for a > 0 and whole k >= 0. Up to ``DIRECT``
factors it is a product; beyond, Stirling's series of the two gamma functions, subtracted term by
term, so that a large ``a`` costs no digits.
"""

from __future__ import annotations

import math

from metamirage._compiled import jit

# Factors multiplied out: above, two logarithms cost less. Their product stays within the range of
# a float for any dispersion that densities.MAX_LOG_DISPERSION allows.
DIRECT = 24
# Stirling's series is used from here on, where its first omitted term is 8e-13.
SERIES_FROM = 10.0


@jit
def _tail(z: float) -> float:
    """Stirling's series beyond its leading terms."""
    r = 1.0 / z
    r2 = r * r
    return r * (1 / 12 - r2 * (1 / 360 - r2 * (1 / 1260 - r2 / 1680)))


@jit
def rising(a: float, k: float) -> float:
    """Log of a (a + 1) ... (a + k - 1)."""
    product = 1.0
    if k <= DIRECT:
        for i in range(int(k)):
            product *= a + i
        return math.log(product)
    z = a
    while z < SERIES_FROM:
        product *= z
        z += 1.0
    end = a + k
    steps = end - z
    total = steps * (math.log(end) - 1.0) + (z - 0.5) * math.log1p(steps / z)
    total += _tail(end) - _tail(z)
    return total + math.log(product) if z > a else total


@jit
def _digamma_tail(r: float) -> float:
    """Log z minus digamma z, r = 1 / z."""
    r2 = r * r
    return 0.5 * r + r2 * (1 / 12 - r2 * (1 / 120 - r2 * (1 / 252 - r2 / 240)))


@jit
def _trigamma(r: float) -> float:
    """Trigamma by its series, r = 1 / z."""
    r2 = r * r
    return r + 0.5 * r2 + r * r2 * (1 / 6 - r2 * (1 / 30 - r2 * (1 / 42 - r2 / 30)))


@jit
def rising_terms(a: float, k: float) -> tuple[float, float, float]:
    """``rising`` and its first and second derivative in ``a``."""
    product = 1.0
    first = 0.0
    second = 0.0
    if k <= DIRECT:
        for i in range(int(k)):
            r = 1.0 / (a + i)
            product *= a + i
            first += r
            second -= r * r
        return math.log(product), first, second
    z = a
    while z < SERIES_FROM:
        r = 1.0 / z
        product *= z
        first += r
        second -= r * r
        z += 1.0
    end = a + k
    steps = end - z
    growth = math.log1p(steps / z)
    value = steps * (math.log(end) - 1.0) + (z - 0.5) * growth + _tail(end) - _tail(z)
    if z > a:
        value += math.log(product)
    first += growth + _digamma_tail(1.0 / z) - _digamma_tail(1.0 / end)
    second += _trigamma(1.0 / end) - _trigamma(1.0 / z)
    return value, first, second
