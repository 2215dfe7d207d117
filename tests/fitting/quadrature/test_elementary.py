"""The functions that vectorise, against those of NumPy and SciPy."""

from __future__ import annotations

import numpy as np
from scipy.special import expit as scipy_expit

from metamirage.fitting.quadrature.elementary import LOWEST, expit, plain_exp, plain_log

# A few roundings of a number near one.
ROUNDING = 1e-15


def test_plain_log_is_the_logarithm() -> None:
    values = np.concatenate([np.logspace(-300, 300, 2001), np.linspace(0.5, 2.0, 2001)])
    np.testing.assert_allclose([plain_log(v) for v in values], np.log(values), rtol=ROUNDING)
    assert plain_log(1.0) == 0.0


def test_plain_exp_is_the_exponential() -> None:
    values = -np.concatenate([np.logspace(-18, np.log10(-LOWEST), 2001), [0.0]])
    np.testing.assert_allclose([plain_exp(v) for v in values], np.exp(values), rtol=ROUNDING)


def test_expit_is_that_of_scipy_without_overflow() -> None:
    values = np.concatenate([np.linspace(-700, 700, 2001), [-800.0, 800.0, 0.0]])
    np.testing.assert_allclose([expit(v) for v in values], scipy_expit(values), rtol=ROUNDING)
