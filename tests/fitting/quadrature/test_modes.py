"""The local expansions of the engine: exact levels of scores, modes of counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from builders import GPT_3, make_curve, step
from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.priors import priors_for
from metamirage.fitting.quadrature.densities import CODES, expand_counts, log_base, make_ladder
from metamirage.fitting.quadrature.elementary import expit
from metamirage.fitting.quadrature.modes import Problem, climb, integrate_levels, make_room, spread

SHAPE = np.array([float(expit(2 * (x - 9.3))) for x in GPT_3])
ERRORS = np.array([0.0, 0.01, 0.02, 0.0, 0.1, 0.05, 0.02, 0.3])
SCORES = make_curve(GPT_3, [0.0, 0.1, 0.05, 0.4, 0.5, 0.8, 0.9, 1.2], stderr=ERRORS)
# Sums of eight terms of at most a thousand.
EXACT = 1e-9


def problem_of(curve: Curve, candidate: str = "linear") -> Problem:
    counted = curve.observation == "beta_binomial"
    y, spread_of = (curve.counts, curve.n_items) if counted else (curve.z, curve.stderr)
    return Problem(
        candidate=CODES[candidate],
        inner=2 if candidate == "flat" else 3,
        outer=0,
        counted=counted,
        x=curve.size,
        y=y,
        spread=spread_of,
        base=log_base(counted, y, spread_of),
        window=curve.size[[0, -1]],
        priors=priors_for(curve, candidate).as_array(),
    )


def marginal(problem: Problem, nu: float) -> float:
    """Log density of scores and log noise, levels integrated out by the joint Normal."""
    h, prior = SHAPE, problem.priors
    mean = prior[0, 0] * (1 - h) + prior[2, 0] * h
    levels = np.outer(1 - h, 1 - h) * prior[0, 1] ** 2 + np.outer(h, h) * prior[2, 1] ** 2
    covariance = levels + np.diag(problem.spread**2 + np.exp(2 * nu))
    density = multivariate_normal(mean, covariance).logpdf(problem.y)
    return float(density - 0.5 * ((nu - prior[1, 0]) / prior[1, 1]) ** 2)


def test_levels_are_integrated_exactly() -> None:
    problem, nus = problem_of(SCORES), np.array([-6.0, -3.0, -1.0])
    ours = [integrate_levels(problem, SHAPE, nu, np.empty(3), np.zeros((3, 3))) for nu in nus]
    expected = [marginal(problem, nu) for nu in nus]
    # All but for the same constant.
    np.testing.assert_allclose(np.diff(ours), np.diff(expected), rtol=0, atol=EXACT)


def test_a_tiny_noise_keeps_the_digits_of_the_misfit() -> None:
    exact = make_curve(GPT_3, 0.2 + 0.5 * SHAPE)
    problem = problem_of(exact)
    nus = np.array([-16.0, -15.0])
    ours = [integrate_levels(problem, SHAPE, nu, np.empty(3), np.zeros((3, 3))) for nu in nus]
    # The fit is perfect: six degrees of freedom each gain one nat for a unit of log noise.
    prior = -0.5 * np.diff(((nus - problem.priors[1, 0]) / problem.priors[1, 1]) ** 2)
    assert np.diff(ours)[0] == pytest.approx(-6.0 + prior[0], abs=1e-4)


def test_levels_have_the_mean_of_the_posterior() -> None:
    problem, mean = problem_of(SCORES), np.empty(3)
    integrate_levels(problem, SHAPE, -3.0, mean, np.zeros((3, 3)))
    design = np.column_stack([1 - SHAPE, SHAPE])
    weight = 1 / (ERRORS**2 + np.exp(-6.0))
    prior = problem.priors[[0, 2]]
    precision = design.T @ (design * weight[:, None]) + np.diag(prior[:, 1] ** -2)
    expected = np.linalg.solve(
        precision, design.T @ (weight * SCORES.z) + prior[:, 0] * prior[:, 1] ** -2
    )
    np.testing.assert_allclose(mean[[0, 2]], expected, rtol=EXACT)


COUNTS = {
    "zeros": make_curve(GPT_3, np.zeros(8), items=100, chance=0.0),
    "step": make_curve(GPT_3, 0.02 + 0.6 * step(8, at=5), items=200, chance=0.0),
    "ones": make_curve(GPT_3, np.ones(8), items=2000, chance=0.25),
}


def climbed(curve: Curve) -> tuple[Problem, FloatArray, FloatArray]:
    problem = problem_of(curve)
    room = make_room(problem)
    room.h[:] = SHAPE
    theta = problem.priors[:3, 0].copy()
    climb(problem, room, theta, 1e-9)
    ladder = make_ladder(problem.y, problem.spread)
    around = expand_counts(SHAPE, theta, problem.priors, ladder)[1]
    return problem, theta, np.array(around.gradient)


@pytest.mark.parametrize("name", COUNTS)
def test_a_climb_ends_where_the_density_is_level(name: str) -> None:
    gradient = climbed(COUNTS[name])[2]
    # A gain of 1e-9 nats leaves a slope of some 1e-4 for a curvature of order one.
    assert np.abs(gradient).max() < 1e-3


def test_the_marginal_of_the_dispersion_is_that_of_a_lattice() -> None:
    problem, theta, _ = climbed(COUNTS["step"])
    room, out = make_room(problem), np.empty(4)
    room.h[:] = SHAPE
    climb(problem, room, theta, 1e-9)
    spread(problem, room, theta, out)
    axes = [np.linspace(theta[j] - w, theta[j] + w, 41) for j, w in ((0, 3.0), (1, 4.0), (2, 3.0))]
    density = np.empty((41, 41, 41))
    for index in np.ndindex(density.shape):
        at = np.array([axis[i] for axis, i in zip(axes, index, strict=True)])
        density[index] = expand_counts(SHAPE, at, problem.priors, room.ladder)[0]
    share = np.exp(density - density.max()).sum(axis=(0, 2))
    share /= share.sum()
    mean = share @ axes[1]
    sd = np.sqrt(share @ (axes[1] - mean) ** 2)
    # A proposal, whose weights mend what it misses: a third of an sd and a third of its size.
    assert abs(out[0] - mean) < sd / 3
    assert out[1] == pytest.approx(sd, rel=1 / 3)
