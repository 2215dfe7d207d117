"""The rising factorial against SciPy: its value and both derivatives, at every size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma, gammaln, polygamma

from metamirage.base.arrays import FloatArray
from metamirage.fitting.quadrature.rising import (
    LANES,
    SHIFT,
    fill_rising,
    fill_rising_terms,
    rising,
    rising_terms,
)

ARGUMENTS = np.logspace(-8, 4, 97)
STEPS = [0, 1, 2, 7, SHIFT, SHIFT + 1, 100, 5000]
# SciPy's own difference of log gammas near 4e4 keeps eleven digits.
SAME = 1e-10


def scipy_terms(a: FloatArray, k: int) -> list[FloatArray]:
    return [
        gammaln(a + k) - gammaln(a),
        digamma(a + k) - digamma(a),
        polygamma(1, a + k) - polygamma(1, a),
    ]


@pytest.mark.parametrize("k", STEPS)
def test_value_and_derivatives_are_those_of_scipy(k: int) -> None:
    ours = np.array([rising_terms(a, float(k)) for a in ARGUMENTS]).T
    for found, expected in zip(ours, scipy_terms(ARGUMENTS, k), strict=True):
        np.testing.assert_allclose(found, expected, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("n", [1, LANES - 1, LANES, 3 * LANES + 2])
def test_many_at_once_are_each_alone_to_the_last_bit(n: int) -> None:
    rng = np.random.default_rng(3)
    a, k = 10 ** rng.uniform(-3, 4, n), np.floor(10 ** rng.uniform(-1, 3, n))
    value, first, second, alone = np.empty((4, n))
    fill_rising_terms(a, k, value, first, second)
    fill_rising(a, k, alone)
    each = np.array([rising_terms(*pair) for pair in zip(a, k, strict=True)]).T
    assert (np.array([value, first, second]) == each).all()
    assert (alone == value).all()


def test_a_factorial_by_hand() -> None:
    # 3 * 4 * 5
    assert rising(3.0, 3.0) == pytest.approx(np.log(60.0), rel=1e-15)


@pytest.mark.parametrize("k", [10, 1000])
def test_a_huge_argument_keeps_its_digits(k: int) -> None:
    # log Gamma(1e12 + k) is 3e13, so its difference would keep two digits; the factors are all
    # 1e12 but for 1e-9.
    expected = k * np.log(1e12) + k * (k - 1) / 2 * 1e-12
    assert rising(1e12, float(k)) == pytest.approx(expected, rel=1e-14)


def test_nothing_is_impossible_but_a_count_where_the_mean_is_zero() -> None:
    assert rising(0.0, 0.0) == 0.0
    assert rising(0.0, 3.0) == -np.inf
    assert rising(0.0, 100.0) == -np.inf
