"""Logarithm of the rising factorial, and its derivatives: what a beta-binomial is made of.

``rising(a, k) = log Gamma(a + k) - log Gamma(a)`` for a >= 0 and whole k >= 0. Both gamma functions
are moved up by ``SHIFT`` factors, to where Stirling's series holds, and the series are subtracted
term by term, so that a large ``a`` costs no digits.

Nothing here branches (see ``_elementary``), so that loops over many arguments are vectorised.
"""

from __future__ import annotations

import math

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.quadrature.elementary import plain_log

# From here on the first omitted term of the shifted series is below 1e-12.
SHIFT = 8
# Arguments at a time of the widest instructions (512 bits). Arrays of a multiple are fastest: what
# is left over is taken one by one.
LANES = 8
# Stands for smaller arguments, whose squared reciprocal would overflow.
LEAST = 1e-150


@inlined
def _tail(r: float) -> float:
    """Stirling's series of log Gamma(z) beyond its leading terms, r = 1 / z."""
    r2 = r * r
    return r * (1 / 12 - r2 * (1 / 360 - r2 * (1 / 1260 - r2 * (1 / 1680 - r2 / 1188))))


@inlined
def _digamma_tail(r: float) -> float:
    """Log z minus digamma z, r = 1 / z."""
    r2 = r * r
    return 0.5 * r + r2 * (1 / 12 - r2 * (1 / 120 - r2 * (1 / 252 - r2 * (1 / 240 - r2 / 132))))


@inlined
def _trigamma(r: float) -> float:
    """Trigamma by its series, r = 1 / z."""
    r2 = r * r
    inner = r2 * (1 / 30 - r2 * (1 / 42 - r2 * (1 / 30 - r2 * 5 / 66)))
    return r + 0.5 * r2 + r * r2 * (1 / 6 - inner)


@inlined
def _log_ratio(low: float, steps: float, r_low: float, r_high: float) -> float:
    """Log of (low + steps) / low; ``r_low`` and ``r_high`` are the reciprocals."""
    ratio = 1.0 + steps * r_low
    # What the sum has rounded off is put back, as log1p would.
    return plain_log(ratio) + (steps * r_low - (ratio - 1.0)) * low * r_high


@inlined
def _by_series(low: float, high: float, steps: float, growth: float) -> float:
    """Log of Gamma(high) / Gamma(low), where high = low + steps; ``growth`` is their log ratio."""
    value = steps * (plain_log(high) - 1.0) + (low - 0.5) * growth
    return value + _tail(1.0 / high) - _tail(1.0 / low)


@inlined
def _first_factors(z: float) -> float:
    """Product z (z + 1) ... (z + 7), whose factors pair to z (z + 7) plus 0, 6, 10 and 12."""
    t = z * (z + 7)
    return t * (t + 6) * ((t + 10) * (t + 12))


@inlined
def _first_factors_terms(z: float) -> tuple[float, float, float]:
    """``_first_factors``, and the first and second derivative of its log."""
    t = z * (z + 7)
    one, two = t * (t + 6), (t + 10) * (t + 12)
    one_t, two_t = 2 * t + 6, 2 * t + 22
    product = one * two
    r = 1.0 / product
    first = (one_t * two + one * two_t) * r
    second = 2 * (one + two + one_t * two_t) * r - first * first
    t_z = 2 * z + 7
    return product, first * t_z, second * t_z * t_z + 2 * first


@inlined
def rising(a: float, k: float) -> float:
    """Log of a (a + 1) ... (a + k - 1)."""
    z = a if a > LEAST else LEAST
    low, high = z + SHIFT, z + k + SHIFT
    growth = _log_ratio(low, k, 1.0 / low, 1.0 / high)
    value = _by_series(low, high, k, growth)
    value += plain_log(_first_factors(z) / _first_factors(z + k))
    return -math.inf if (a == 0.0) & (k > 0.0) else value


@inlined
def rising_slopes(a: float, k: float) -> tuple[float, float]:
    """First and second derivative of ``rising`` in ``a``."""
    z = a if a > LEAST else LEAST
    low, high = z + SHIFT, z + k + SHIFT
    r_low, r_high = 1.0 / low, 1.0 / high
    _, below1, below2 = _first_factors_terms(z)
    _, above1, above2 = _first_factors_terms(z + k)
    first = _log_ratio(low, k, r_low, r_high) + _digamma_tail(r_low) - _digamma_tail(r_high)
    second = _trigamma(r_high) - _trigamma(r_low)
    return first + (below1 - above1), second + (below2 - above2)


@inlined
def rising_terms(a: float, k: float) -> tuple[float, float, float]:
    """``rising`` and its first and second derivative in ``a``."""
    first, second = rising_slopes(a, k)
    return rising(a, k), first, second


@jit
def fill_rising(a: FloatArray, k: FloatArray, value: FloatArray) -> None:
    """``rising`` of each argument; shapes (m,)."""
    for i in range(len(a)):
        value[i] = rising(a[i], k[i])


@jit
def fill_rising_terms(
    a: FloatArray, k: FloatArray, value: FloatArray, first: FloatArray, second: FloatArray
) -> None:
    """``rising_terms`` of each argument; shapes (m,)."""
    for i in range(len(a)):
        value[i], first[i], second[i] = rising_terms(a[i], k[i])


@jit
def fill_rising_slopes(a: FloatArray, k: FloatArray, first: FloatArray, second: FloatArray) -> None:
    """``rising_slopes`` of each argument; shapes (m,)."""
    for i in range(len(a)):
        first[i], second[i] = rising_slopes(a[i], k[i])
