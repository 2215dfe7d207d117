"""The compiled densities and their derivatives, against SciPy and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import betabinom, norm

from builders import GPT_3
from metamirage.base.arrays import FloatArray
from metamirage.fitting.priors import PARAMETERS
from metamirage.fitting.quadrature.densities import (
    CODES,
    MAX_LOG_DISPERSION,
    expand_counts,
    expand_levels,
    log_base,
    log_likelihood_counts,
    log_normal,
    log_prior,
    make_ladder,
    shape,
    shape_at,
    start_counts,
)
from metamirage.fitting.quadrature.newton import Triangle
from metamirage.fitting.quadrature.rising import fill_rising_slopes

# Log gammas of arguments up to 1e4, whose values are about 1e5.
LOG_GAMMA = 1e-9
PRIORS = np.array([[-1.0, 0.4], [4.6, 1.0], [-0.6, 1.5], [9.6, 2.0], [0.4, 0.7]])


def log_count(k: float, n: float, mu: float, log_phi: float) -> float:
    """Log probability of one count, by way of a flat curve of one point."""
    y, items, theta = np.array([k]), np.array([n]), np.array([logit(mu), log_phi, 0.0])
    return log_counts(np.zeros(1), y, items, theta)


def log_counts(h: FloatArray, y: FloatArray, items: FloatArray, theta: FloatArray) -> float:
    base = log_base(True, y, items)
    return log_likelihood_counts(h, base, theta, make_ladder(y, items))


@pytest.mark.parametrize("n", [1, 7, 1000])
@pytest.mark.parametrize("mu", [1e-6, 0.3, 0.999])
@pytest.mark.parametrize("phi", [0.5, 40.0, 3000.0])
def test_the_density_of_counts_is_that_of_scipy(n: int, mu: float, phi: float) -> None:
    k = np.unique([0, n // 3, n])
    expected = betabinom.logpmf(k, n, mu * phi, (1 - mu) * phi)
    ours = [log_count(float(value), float(n), mu, np.log(phi)) for value in k]
    np.testing.assert_allclose(ours, expected, rtol=LOG_GAMMA, atol=LOG_GAMMA)


@pytest.mark.parametrize(("level", "sure"), [(-800.0, 0.0), (800.0, 10.0)])
def test_a_mean_at_the_edge_leaves_no_doubt(level: float, sure: float) -> None:
    items, theta = np.array([10.0]), np.array([level, np.log(50.0), 0.0])
    for k, expected in ((sure, 0.0), (5.0, -np.inf)):
        found = log_counts(np.zeros(1), np.array([k]), items, theta)
        assert found == pytest.approx(expected, abs=1e-12)


def test_log_normal_is_that_of_scipy() -> None:
    assert log_normal(0.3, -1.0, 0.2) == pytest.approx(norm.logpdf(0.3, -1.0, 0.2), rel=1e-14)


@pytest.mark.parametrize("log_phi", [MAX_LOG_DISPERSION, 35.0, 40.0, 60.0, 300.0])
def test_rounding_at_a_huge_dispersion_cannot_pass_for_evidence(log_phi: float) -> None:
    # At 40 the log gamma functions alone come to +1024 nats.
    y, items, h = np.full(8, 30.0), np.full(8, 100.0), np.zeros(8)
    theta = np.array([np.log(3 / 7), log_phi, 0.0])
    assert log_counts(h, y, items, theta) < 0.0


@pytest.mark.parametrize("candidate", CODES)
def test_log_prior_counts_the_candidates_own_parameters(candidate: str) -> None:
    theta = np.array([0.1, 4.0, 0.7, 9.0, -0.3])
    n = len(PARAMETERS[candidate])
    expected = norm.logpdf(theta, *PRIORS.T)[:n].sum()
    assert log_prior(CODES[candidate], theta, PRIORS) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("candidate", ["linear", "power"])
@pytest.mark.parametrize("exponent", [-1.5, -1e-9, 0.0, 1e-9, 1.5])
def test_window_shapes_run_from_zero_to_one(candidate: str, exponent: float) -> None:
    ends = [shape(CODES[candidate], x, 7.0, 11.0, exponent, 0.0) for x in (7.0, 11.0)]
    assert ends == pytest.approx([0.0, 1.0], abs=1e-14)


def test_power_bends_upwards_with_its_exponent() -> None:
    at_middle = [shape(CODES["power"], 9.0, 7.0, 11.0, c, 0.0) for c in (-0.5, 0.0, 0.5)]
    # 1 / (1 + 10 ** (2 c)) in the middle of four decades.
    assert at_middle == pytest.approx([10 / 11, 0.5, 1 / 11], rel=1e-14)


def test_flat_has_no_shape() -> None:
    assert shape(CODES["flat"], 9.0, 7.0, 11.0, 0.5, 0.5) == 0.0


def test_shape_at_takes_each_draw_by_itself() -> None:
    thetas = np.zeros((3, 5))
    thetas[:, 3] = [8.0, 9.0, 10.0]
    # One decade wide: the 10 and 90 % points lie half a decade from the location.
    expected = expit(np.array([2, 0, -2]) * np.log(9))
    assert shape_at(CODES["sigmoid"], 9.0, 7.0, 11.0, thetas) == pytest.approx(expected, rel=1e-14)


ITEMS = np.array([10.0, 10.0, 100.0, 1000.0, 5.0, 50.0, 50.0, 250.0])
COUNTS = np.array([0.0, 1.0, 30.0, 450.0, 5.0, 40.0, 50.0, 249.0])
SHAPE = np.asarray(expit(2 * (GPT_3 - 9.3)))
THETAS = [(-1.0, 4.0, 0.5), (0.3, 1.0, -2.0), (2.0, 6.0, 2.0), (-4.0, -1.0, 3.0)]


BASE = log_base(True, COUNTS, ITEMS)


def expanded(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Value, gradient and Hessian."""
    value, around = expand_counts(SHAPE, theta, PRIORS, make_ladder(COUNTS, ITEMS))
    return value, np.array(around.gradient), -unfolded(around.curvature)


def unfolded(triangle: Triangle) -> FloatArray:
    """Symmetric matrix of a lower triangle."""
    matrix = np.zeros((3, 3))
    matrix[np.tril_indices(3)] = triangle
    return matrix + np.tril(matrix, -1).T


@pytest.mark.parametrize("theta", THETAS)
def test_the_expansion_is_of_the_density_but_for_constants(
    theta: tuple[float, float, float],
) -> None:
    at = np.array(theta)
    joint = log_counts(SHAPE, COUNTS, ITEMS, at)
    joint += norm.logpdf(at, *PRIORS[:3].T).sum()
    constants = BASE.sum() + norm.logpdf(PRIORS[:3, 0], *PRIORS[:3].T).sum()
    assert expanded(at)[0] == pytest.approx(joint - constants, abs=LOG_GAMMA)


@pytest.mark.parametrize("theta", THETAS)
def test_derivatives_equal_finite_differences(theta: tuple[float, float, float]) -> None:
    _, gradient, hessian = expanded(np.array(theta))
    around = [[expanded(np.array(theta) + sign * d) for sign in (1, -1)] for d in 1e-5 * np.eye(3)]
    slopes = [(up[0] - down[0]) / 2e-5 for up, down in around]
    rows = [(up[1] - down[1]) / 2e-5 for up, down in around]
    # The step squared times a third derivative of some hundreds, relative to slopes of some tens.
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(hessian, rows, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("theta", THETAS)
def test_the_expansion_of_the_levels_is_that_of_all(theta: tuple[float, float, float]) -> None:
    _, gradient, hessian = expanded(np.array(theta))
    ladder = make_ladder(COUNTS, ITEMS)
    start_counts(SHAPE, np.array(theta), ladder.start)
    fill_rising_slopes(ladder.start, ladder.steps, ladder.first, ladder.second)
    around = expand_levels(SHAPE, np.array(theta), PRIORS, ladder.first, ladder.second)
    levels, curved = np.array(around.gradient), -unfolded(around.curvature)
    keep = np.ix_([0, 2], [0, 2])
    # The same sums; the curvature is made of the same products in another order.
    np.testing.assert_allclose(levels[[0, 2]], gradient[[0, 2]], rtol=1e-12)
    np.testing.assert_allclose(curved[keep], hessian[keep], rtol=1e-12)
    assert levels[1] == 0.0
    assert (curved[1] == [0.0, -1.0, 0.0]).all()
    assert (curved[:, 1] == [0.0, -1.0, 0.0]).all()
