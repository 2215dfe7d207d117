"""Evidence from draws of a posterior: bridge sampling.

The identity of Meng and Wong (1996) with their optimal bridge, iterated as by Gronau et al. (2017,
J. Math. Psychol. 81, Eq. 15). The proposal is a mixture of Student-t kernels about some of the
draws: a single Student-t leaves the bent posteriors of a sigmoid to chance. Each half of the draws
serves once to make the proposal and once to be bridged to it, so that no draw meets a proposal
made from itself.

Not for draws that miss a mode: their evidence is too small, and its error does not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import arviz as az
import numpy as np
from scipy.special import gammaln, logsumexp

from metamirage.base.arrays import FloatArray

N_KERNELS = 500
# Heavier tails than any posterior of ours, so that the ratios to be averaged stay bounded.
T_DF = 5.0
MAX_ITERATIONS = 1000
ENOUGH = 1e-9
NORMAL_95 = 1.96


class Evidence(NamedTuple):
    """Log evidence, nats, and the half-width of its 95 % interval."""

    log_evidence: float
    error: float


class Proposal(NamedTuple):
    """Equal mixture of Student-t kernels: centres (k, d) and the factor of their scale (d, d)."""

    centres: FloatArray
    lower: FloatArray


def bridge(
    log_joint: Callable[[FloatArray], FloatArray], draws: FloatArray, *, rng: np.random.Generator
) -> Evidence:
    """Estimate the evidence of a density from draws of its posterior.

    Parameters
    ----------
    log_joint
        Log density of points (m, d), not normalised, as an array (m,).
    draws
        Shape (chains, n, d), n >= 4, unconstrained.
    rng
        Draws from the proposal.

    Returns
    -------
    Evidence
        The mean over both halves. Its error takes in the autocorrelation of the draws
        (Frühwirth-Schnatter 2004, Econom. J. 7, Eq. 19).
    """
    values = log_joint(draws.reshape(-1, draws.shape[2])).reshape(draws.shape[:2])
    middle = draws.shape[1] // 2
    first, second = slice(0, middle), slice(middle, 2 * middle)
    logs, variances = zip(
        *(
            _half(log_joint, draws[:, made], draws[:, used], values[:, used], rng)
            for made, used in ((first, second), (second, first))
        ),
        strict=True,
    )
    return Evidence(float(np.mean(logs)), NORMAL_95 * float(np.sqrt(sum(variances))) / 2)


def _half(
    log_joint: Callable[[FloatArray], FloatArray],
    made: FloatArray,
    used: FloatArray,
    values: FloatArray,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Log evidence and its variance from one half of the draws, under the other's proposal."""
    proposal = fit_proposal(made.reshape(-1, made.shape[2]))
    points = used.reshape(-1, used.shape[2])
    proposed = draw_proposal(proposal, len(points), rng)
    here = values - log_proposal(proposal, points).reshape(values.shape)
    there = log_joint(proposed) - log_proposal(proposal, proposed)
    n_effective = min(_ess(here), float(len(points)))
    log_share = np.log(n_effective / (n_effective + len(proposed)))
    log_rest = np.log1p(-np.exp(log_share))
    log_evidence = _iterate(here, there, log_share, log_rest)
    # The two averages whose ratio is one at the solution.
    over = np.exp(-np.logaddexp(log_share + here - log_evidence, log_rest))
    under = np.exp(-np.logaddexp(log_share, log_rest - (there - log_evidence)))
    variance = _relative_variance(under) / len(proposed) + _relative_variance(over) / _ess(over)
    return log_evidence, variance


def _iterate(here: FloatArray, there: FloatArray, log_share: float, log_rest: float) -> float:
    """Solve for the log evidence; ``here`` at draws, ``there`` at proposals, both log ratios."""
    guess = float(np.median(here))
    for _ in range(MAX_ITERATIONS):
        above = there - np.logaddexp(log_share + there, log_rest + guess)
        below = -np.logaddexp(log_share + here, log_rest + guess)
        better = logsumexp(above) - np.log(above.size) - logsumexp(below) + np.log(below.size)
        if abs(better - guess) < ENOUGH:
            break
        guess = float(better)
    return float(better)


def _relative_variance(values: FloatArray) -> float:
    return float(np.var(values) / np.mean(values) ** 2)


def _ess(values: FloatArray) -> float:
    """Effective number of draws for a mean; shape (chains, n)."""
    return float(az.ess(values, method="mean"))


def fit_proposal(draws: FloatArray) -> Proposal:
    """Make a proposal from draws of shape (m, d)."""
    m, d = draws.shape
    centres = draws[np.linspace(0, m - 1, min(N_KERNELS, m)).astype(int)]
    # Silverman's width for a Normal of this covariance: too wide for a bent one, on the safe side.
    width = (4 / ((d + 2) * len(centres))) ** (1 / (d + 4))
    covariance = np.atleast_2d(np.cov(draws.T))
    # Chains that never moved have none.
    ridge = 1e-12 * (1 + np.trace(covariance)) * np.eye(d)
    return Proposal(centres, width * np.linalg.cholesky(covariance + ridge))


def draw_proposal(proposal: Proposal, m: int, rng: np.random.Generator) -> FloatArray:
    """Draw m points, each kernel in turn; shape (m, d)."""
    centres, lower = proposal
    d = len(lower)
    steps = rng.standard_normal((m, d)) * np.sqrt(T_DF / rng.chisquare(T_DF, (m, 1)))
    return np.asarray(centres[np.arange(m) % len(centres)] + steps @ lower.T)


def log_proposal(proposal: Proposal, points: FloatArray) -> FloatArray:
    """Log density of points (m, d); shape (m,)."""
    d = len(proposal.lower)
    centres, scaled = (np.linalg.solve(proposal.lower, a.T).T for a in (proposal.centres, points))
    squares = (scaled**2).sum(1)[:, None] + (centres**2).sum(1) - 2 * scaled @ centres.T
    kernels = -0.5 * (T_DF + d) * np.log1p(np.maximum(squares, 0) / T_DF)
    constant = gammaln((T_DF + d) / 2) - gammaln(T_DF / 2) - 0.5 * d * np.log(T_DF * np.pi)
    constant -= np.log(np.diag(proposal.lower)).sum()
    return np.asarray(logsumexp(kernels, axis=1) - np.log(len(centres)) + constant)
