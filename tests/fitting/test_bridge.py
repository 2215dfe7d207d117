"""Bridge sampling against evidences that are known exactly."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from metamirage.base.arrays import FloatArray
from metamirage.fitting.bridge import Proposal, bridge, draw_proposal, fit_proposal, log_proposal

LOG_EVIDENCE = -3.25
COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 2.0, -0.5], [0.0, -0.5, 0.3]])
MEAN = np.array([3.0, -1.0, 0.5])
SEEDS = range(40)


def gaussian(points: FloatArray) -> FloatArray:
    return np.asarray(LOG_EVIDENCE + multivariate_normal.logpdf(points, MEAN, COVARIANCE))


def chains(seed: int, *, n: int = 250, correlation: float = 0.0) -> FloatArray:
    """Four chains of draws from the Gaussian, each an autoregression of order one."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((4, n, 3))
    for i in range(1, n):
        steps[:, i] = correlation * steps[:, i - 1] + np.sqrt(1 - correlation**2) * steps[:, i]
    return np.asarray(MEAN + steps @ np.linalg.cholesky(COVARIANCE).T)


@cache
def errors(correlation: float) -> tuple[FloatArray, FloatArray]:
    """Misses of the evidence, and their reported 95 % half-widths."""
    found = [
        bridge(
            gaussian, chains(seed, correlation=correlation), rng=np.random.default_rng([seed, 1])
        )
        for seed in SEEDS
    ]
    misses = [evidence.log_evidence - LOG_EVIDENCE for evidence in found]
    return np.array(misses), np.array([evidence.error for evidence in found])


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_the_evidence_of_a_gaussian_lies_within_its_error(correlation: float) -> None:
    miss, half_width = errors(correlation)
    # A root mean square of 40 is known within 11 %; four of these.
    ratio = np.sqrt(np.mean((1.96 * miss / half_width) ** 2))
    assert 0.56 < ratio < 1.44
    assert abs(miss.mean()) < 4 * miss.std() / np.sqrt(len(miss))


def test_draws_that_follow_each_other_are_less_sure() -> None:
    # Half of the variance comes from the proposals, which are independent either way.
    assert errors(0.9)[1].mean() > 1.4 * errors(0.0)[1].mean()


def two_hills(points: FloatArray) -> FloatArray:
    hills = [multivariate_normal.logpdf(points, m, 0.01) for m in (-3.0, 3.0)]
    return np.asarray(logsumexp(hills, axis=0))


def test_two_narrow_hills_far_apart_are_both_counted() -> None:
    rng = np.random.default_rng(5)
    sides = np.sign(rng.random((4, 1000, 1)) - 0.5)
    found = bridge(two_hills, 3 * sides + 0.1 * rng.standard_normal((4, 1000, 1)), rng=rng)
    # Two densities of mass one each.
    assert found.log_evidence == pytest.approx(np.log(2), abs=2 * found.error)
    assert found.error < 0.1


def test_equal_generators_give_equal_bits() -> None:
    first, second = (bridge(gaussian, chains(1), rng=np.random.default_rng(2)) for _ in range(2))
    assert first == second


def test_points_without_density_are_no_trouble() -> None:
    def half_normal(points: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(norm.logpdf(points[:, 0]) + np.log(points[:, 0] > 0))

    draws = np.abs(np.random.default_rng(3).standard_normal((4, 1000, 1)))
    found = bridge(half_normal, draws, rng=np.random.default_rng(4))
    assert found.log_evidence == pytest.approx(np.log(0.5), abs=2 * found.error)


def test_chains_that_never_moved_are_no_crash() -> None:
    found = bridge(gaussian, np.tile(MEAN, (4, 100, 1)), rng=np.random.default_rng(1))
    assert np.isfinite(found).all()


def test_the_proposal_is_a_density() -> None:
    proposal = Proposal(np.array([[-1.0], [0.5]]), np.array([[0.7]]))
    x = np.linspace(-400, 400, 800_001)[:, None]
    # Beyond 400 a Student-t of 5 degrees of freedom has 1e-12 of its mass.
    assert np.exp(log_proposal(proposal, x)).sum() * 1e-3 == pytest.approx(1.0, abs=1e-9)


def test_proposed_points_follow_the_proposal() -> None:
    proposal = fit_proposal(chains(7).reshape(-1, 3))
    points = draw_proposal(proposal, 40_000, np.random.default_rng(8))
    # An expectation under the proposal of another density's ratio to it is that density's mass.
    ratios = np.exp(gaussian(points) - LOG_EVIDENCE - log_proposal(proposal, points))
    assert ratios.mean() == pytest.approx(1.0, abs=4 * ratios.std() / np.sqrt(len(ratios)))
