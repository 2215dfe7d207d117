"""Logarithm, exponential and logistic function of one number, as arithmetic without a branch.

The system's functions are calls, which a compiler cannot take several of at a time. A loop over
these is vectorised; its results are the same to the last bit however many the processor takes.
"""

from __future__ import annotations

import math

import numpy as np

from metamirage.base.compiled import inlined

_LN2 = math.log(2.0)
_MANTISSA_BITS = np.int64(52)
_EXPONENT_OF_ONE = np.int64(1023)
# The bits of the root of a half: mantissas are taken from there to the root of two.
_ROOT_HALF = np.int64(np.float64(math.sqrt(0.5)).view(np.int64))
# The log of two in two parts. The first has 32 bits, so that its product with an exponent is exact.
_LN2_HIGH = float(np.int64(_LN2 * 2**32)) / 2**32
_LN2_LOW = 1.9082149292705877e-10
# Exponentials are of normal numbers from here up.
LOWEST = -708.0


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
def plain_exp(value: float) -> float:
    """Exponential of a number from ``LOWEST`` to 0.

    The series at the rest r of a whole number of halvings, |r| below 0.35: after r**13 it leaves
    1e-17 of the sum.
    """
    exponent = np.floor(value / _LN2 + 0.5)
    r = (value - exponent * _LN2_HIGH) - exponent * _LN2_LOW
    series = 1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r / 6227020800))
    series = 1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r * series)))
    series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * series)))))
    power = np.int64((np.int64(exponent) + _EXPONENT_OF_ONE) << _MANTISSA_BITS).view(np.float64)
    return float(series * power)


@inlined
def expit(value: float) -> float:
    """Logistic function; zero below ``LOWEST``."""
    size = -abs(value)
    e = plain_exp(size if size > LOWEST else LOWEST)
    e = e if size > LOWEST else 0.0
    return (1.0 if value >= 0 else e) / (1.0 + e)
