"""Simulation-based calibration: parameters from the prior, curves from them, ranks uniform."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from builders import BIG_G, GPT_3, PALM, make_curve, simulate
from metamirage.base.arrays import FloatArray
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.priors import PARAMETERS, priors_for
from metamirage.fitting.quadrature.integrate import integrate

N_CURVES = 1000
# Five parameters are looked at: a right engine fails here once in a hundred seeds.
ALPHA = 0.002
N_POINTS, N_SIMULATED = 100, 20_000
TEMPLATES = [
    make_curve(size, 0 * size, items=items, stderr=stderr, chance=chance, bounded=bounded)
    for size in (BIG_G, GPT_3, PALM)
    for items, stderr, chance, bounded in (
        (50, 0.0, 0.25, True),
        (1000, 0.0, 0.0, True),
        (0, 0.02, 0.25, True),
        (0, 0.0, np.nan, True),
        (0, 0.0, np.nan, False),
    )
]


def rank(posterior: Posterior, axis: int, truth: float, u: float) -> float:
    """Rank of the truth among the draws as if it were one more of them, ties broken by ``u``."""
    values, weights = posterior.theta[:, axis], posterior.weights
    count = 1 / np.sum(weights**2)
    below, at = weights[values < truth].sum(), weights[values == truth].sum()
    return float((count * (below + u * at) + u) / (count + 1))


@pytest.fixture(scope="module")
def ranks() -> FloatArray:
    """Ranks, shape (N_CURVES, 5)."""
    found = np.empty((N_CURVES, 5))
    for index in range(N_CURVES):
        rng = np.random.default_rng([7, index])
        template = TEMPLATES[index % len(TEMPLATES)]
        priors = priors_for(template, "sigmoid")
        theta = rng.normal(*priors.as_array().T)
        posterior = integrate(simulate(template, theta, rng), "sigmoid", priors, rng=rng)
        found[index] = [rank(posterior, axis, theta[axis], rng.random()) for axis in range(5)]
    return found


def excursion(counts: FloatArray, size: int) -> FloatArray:
    """Smallest two-sided binomial probability along the ECDF, counts of shape (..., N_POINTS - 1).

    Säilynoja, Bürkner and Vehtari (2022): the ECDF of ``size`` uniform values at z is binomial,
    and the band of simultaneous level 1 - a is the pointwise one whose level is the a quantile of
    this minimum under uniformity, here found by simulation.
    """
    z = np.arange(1, N_POINTS) / N_POINTS
    grid = np.arange(size + 1)[:, None]
    sides = np.minimum(binom.cdf(grid, size, z), binom.sf(grid - 1, size, z))
    return np.asarray(2 * sides[counts, np.arange(N_POINTS - 1)].min(axis=-1))


def p_value(values: FloatArray, rng: np.random.Generator) -> float:
    """Probability of an ECDF as far from uniform as that of ``values``."""
    size = len(values)
    cells = rng.multinomial(size, np.full(N_POINTS, 1 / N_POINTS), size=N_SIMULATED)
    null = excursion(cells.cumsum(axis=1)[:, :-1], size)
    cells = np.histogram(values, np.linspace(0, 1, N_POINTS + 1))[0]
    return float(np.mean(null <= excursion(cells.cumsum()[:-1], size)))


@pytest.mark.parametrize("axis", range(5), ids=PARAMETERS["sigmoid"])
def test_ranks_of_the_truth_are_uniform(ranks: FloatArray, axis: int) -> None:
    p = p_value(ranks[:, axis], np.random.default_rng(1))
    deciles = np.histogram(ranks[:, axis], 10, (0, 1))[0]
    assert p > ALPHA, f"p = {p:.5f}; ranks by tenth {deciles.tolist()}"


def test_the_bands_know_uniform_ranks_from_others() -> None:
    rng = np.random.default_rng(2)
    uniform = rng.random(N_CURVES)
    assert p_value(uniform, rng) > ALPHA
    # A shift of a tenth of a posterior sd, or posteriors a tenth too narrow.
    assert p_value(uniform**1.2, rng) < ALPHA
    assert p_value(0.5 + 0.5 * np.sin(np.pi * (uniform - 0.5)), rng) < ALPHA
