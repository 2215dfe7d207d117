"""Logarithm of the rising factorial, and its derivatives: what a beta-binomial is made of.

``rising(a, k) = log Gamma(a + k) - log Gamma(a)`` for a >= 0 and whole k >= 0. Both gamma functions
are moved up by ``SHIFT`` factors, to where Stirling's series holds, and the series are subtracted
term by term, so that a large ``a`` costs no digits.

Nothing here branches or calls the system's logarithm: a loop over many arguments is then compiled
to instructions that take several at a time. Its results are the same to the last bit however many
they are.
"""

from __future__ import annotations

import math

import numpy as np

from metamirage._compiled import inlined, jit
from metamirage.curves import FloatArray

# From here on the first omitted term of the shifted series is below 1e-12.
SHIFT = 8
# Arguments at a time of the widest instructions (512 bits). Arrays of a multiple are fastest: what
# is left over is taken one by one.
LANES = 8
# Stands for smaller arguments, whose squared reciprocal would overflow.
LEAST = 1e-150
_LN2 = math.log(2.0)
# The bits of the root of a half: mantissas are taken from there to the root of two.
_ROOT_HALF = np.int64(np.float64(math.sqrt(0.5)).view(np.int64))
_MANTISSA_BITS = np.int64(52)


@inlined
def plain_log(value: float) -> float:
    """Natural logarithm of a normal positive number.

    The series of 2 artanh((m - 1) / (m + 1)) at the mantissa m, whose square argument is below
    0.0295, so that ten terms leave 1e-17 of it.
    """
    bits = np.float64(value).view(np.int64)
    exponent = (bits - _ROOT_HALF) >> _MANTISSA_BITS
    mantissa = np.int64(bits - (exponent << _MANTISSA_BITS)).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = 1 / 15 + z * (1 / 17 + z * (1 / 19 + z / 21))
    series = 1 / 7 + z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * series)))
    series = 1 / 3 + z * (1 / 5 + z * series)
    return float(np.float64(exponent) * _LN2 + (2 * s + 2 * s * z * series))


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
def _by_series(low: float, high: float, steps: float) -> tuple[float, float]:
    """Log of Gamma(high) / Gamma(low), and of high / low, where high = low + steps."""
    r_low, r_high = 1.0 / low, 1.0 / high
    ratio = 1.0 + steps * r_low
    # What the sum has rounded off is put back, as log1p would.
    growth = plain_log(ratio) + (steps * r_low - (ratio - 1.0)) * low * r_high
    value = steps * (plain_log(high) - 1.0) + (low - 0.5) * growth
    return value + _tail(r_high) - _tail(r_low), growth


@inlined
def _first_factors(z: float) -> float:
    """z (z + 1) ... (z + 7), whose factors pair to z (z + 7) plus 0, 6, 10 and 12."""
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
    value, _ = _by_series(z + SHIFT, z + k + SHIFT, k)
    value += plain_log(_first_factors(z) / _first_factors(z + k))
    return -math.inf if (a == 0.0) & (k > 0.0) else value


@inlined
def rising_terms(a: float, k: float) -> tuple[float, float, float]:
    """``rising`` and its first and second derivative in ``a``."""
    z = a if a > LEAST else LEAST
    low, high = z + SHIFT, z + k + SHIFT
    value, growth = _by_series(low, high, k)
    below, below1, below2 = _first_factors_terms(z)
    above, above1, above2 = _first_factors_terms(z + k)
    value += plain_log(below / above)
    value = -math.inf if (a == 0.0) & (k > 0.0) else value
    first = growth + _digamma_tail(1.0 / low) - _digamma_tail(1.0 / high) + (below1 - above1)
    second = _trigamma(1.0 / high) - _trigamma(1.0 / low) + (below2 - above2)
    return value, first, second


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
