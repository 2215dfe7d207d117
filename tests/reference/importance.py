"""Evidence by importance sampling from a mixture that was fitted to earlier weighted draws.

One part of the mixture is the prior, so that no weight can exceed the largest likelihood by more
than ``1 / PRIOR_SHARE``; the others are Student t distributions. Each round tempers the weights
until enough draws count, fits the mixture to them by expectation maximisation, and draws anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from arviz_stats.base import array_stats
from scipy.special import logsumexp
from scipy.stats import qmc

from definition import LOG_2_PI, Problem, log_density
from metamirage.base.arrays import FloatArray

PRIOR_SHARE = 0.1
COMPONENTS = 16
DF = 6.0
# Student t of a component over the covariance of its draws.
INFLATION = 1.2
PILOT_DRAWS = 2**15
# Draws that have to count before a mixture is fitted to them.
ENOUGH = 1_500.0
# Draws a mixture is fitted to.
FITTED_TO = 8_000
MAX_ROUNDS = 16
# Log weight of a draw of density zero while weights are tempered.
LOWEST = -1e9
# Rounds after the weights need no tempering any more.
POLISH = 2
EM_STEPS = 12
BATCH = 50_000
MAX_BATCHES = 60
# A larger Pareto shape of the weights asks for a wider mixture.
MAX_K_HAT, MAX_WIDENINGS = 0.45, 6


@dataclass(frozen=True)
class Mixture:
    """Weights (k,), means (k, d), Cholesky factors (k, d, d) and their inverses."""

    weights: FloatArray
    means: FloatArray
    factors: FloatArray
    inverses: FloatArray


@dataclass(frozen=True)
class Sample:
    """Draws (m, d) and their log weights (m,)."""

    theta: FloatArray
    log_weights: FloatArray

    @property
    def log_evidence(self) -> float:
        """Log of the mean weight."""
        return float(logsumexp(self.log_weights) - math.log(len(self.log_weights)))

    @property
    def se(self) -> float:
        """Standard error of ``log_evidence``."""
        share = np.exp(self.log_weights - logsumexp(self.log_weights))
        return float(np.sqrt(max(np.sum(share**2) - 1 / len(share), 0.0)))

    @property
    def k_hat(self) -> float:
        """Pareto shape of the upper tail of the weights; below 0.5 their variance is finite."""
        weights = np.exp(self.log_weights - self.log_weights.max())
        return float(array_stats.pareto_khat(weights[None], tail="right"))


@numba.njit(parallel=True)
def log_targets(code, counts, x, data, prior, dimensions, thetas):  # noqa: ANN001, ANN201
    """Log density of many draws."""
    out = np.empty(len(thetas))
    for i in numba.prange(len(thetas)):
        theta = np.zeros(5)
        theta[:dimensions] = thetas[i]
        out[i] = log_density(code, counts, x, data, prior, dimensions, theta)
    return out


@numba.njit(parallel=True)
def log_mixture(prior, share, weights, means, inverses, thetas):  # noqa: ANN001, ANN201
    """Log density of prior and Student t components."""
    d = thetas.shape[1]
    out = np.empty(len(thetas))
    norms = np.empty(len(weights))
    for c in range(len(weights)):
        norms[c] = math.log((1 - share) * weights[c]) + math.lgamma((DF + d) / 2)
        norms[c] -= math.lgamma(DF / 2) + 0.5 * d * math.log(DF * math.pi)
        for j in range(d):
            norms[c] += math.log(inverses[c, j, j])
    for i in numba.prange(len(thetas)):
        parts = np.empty(len(weights) + 1)
        parts[-1] = math.log(share)
        for j in range(d):
            t = (thetas[i, j] - prior[j, 0]) / prior[j, 1]
            parts[-1] -= 0.5 * (t * t + LOG_2_PI) + math.log(prior[j, 1])
        for c in range(len(weights)):
            square = 0.0
            for j in range(d):
                z = 0.0
                for m in range(j + 1):
                    z += inverses[c, j, m] * (thetas[i, m] - means[c, m])
                square += z * z
            parts[c] = norms[c] - 0.5 * (DF + d) * math.log1p(square / DF)
        top = parts.max()
        out[i] = top + math.log(np.exp(parts - top).sum())
    return out


def draw(problem: Problem, mixture: Mixture, size: int, rng: np.random.Generator) -> Sample:
    """Draw from the mixture and weigh."""
    d = problem.dimensions
    prior = problem.prior[:d]
    z = rng.standard_normal((size, d))
    theta = prior[:, 0] + prior[:, 1] * z
    student = rng.random(size) > PRIOR_SHARE
    pick = rng.choice(len(mixture.weights), size, p=mixture.weights)
    stretch = np.sqrt(DF / rng.chisquare(DF, size))
    turned = np.einsum("ijk,ik->ij", mixture.factors[pick], z)
    moved = mixture.means[pick] + turned * stretch[:, None]
    theta[student] = moved[student]
    log_q = log_mixture(prior, PRIOR_SHARE, mixture.weights, mixture.means, mixture.inverses, theta)
    return Sample(theta, log_targets(*problem.arrays, d, theta) - log_q)


def from_prior(problem: Problem, size: int, rng: np.random.Generator) -> Sample:
    """Draws spread evenly over the prior; their log weights are log likelihoods."""
    d = problem.dimensions
    prior = problem.prior[:d]
    z = qmc.MultivariateNormalQMC(np.zeros(d), rng=rng).random(size)
    theta = prior[:, 0] + prior[:, 1] * z
    log_prior = -0.5 * (z**2 + LOG_2_PI).sum(axis=1) - np.log(prior[:, 1]).sum()
    return Sample(theta, log_targets(*problem.arrays, d, theta) - log_prior)


def tempered(log_weights: FloatArray, enough: float) -> tuple[float, FloatArray]:
    """Largest power of the weights at which enough draws count, and the shares then."""
    finite = np.maximum(log_weights - log_weights.max(), LOWEST)
    if 1 / np.sum(shares(finite) ** 2) >= enough:
        return 1.0, shares(finite)
    low, high = 0.0, 1.0
    for _ in range(30):
        power = math.sqrt(max(low, 1e-12) * high)
        counted = 1 / np.sum(shares(power * finite) ** 2)
        low, high = (power, high) if counted >= enough else (low, power)
    return low, shares(low * finite)


def shares(log_weights: FloatArray) -> FloatArray:
    """Weights that sum to one."""
    return np.asarray(np.exp(log_weights - logsumexp(log_weights)))


def fitted(
    theta: FloatArray, share: FloatArray, scale: FloatArray, rng: np.random.Generator
) -> Mixture:
    """Fit the mixture to weighted draws by expectation maximisation."""
    chosen = rng.choice(len(theta), size=min(len(theta), FITTED_TO), p=share)
    points = theta[chosen]
    means = points[rng.choice(len(points), COMPONENTS, replace=False)]
    whole = np.cov(points.T) + np.diag((1e-9 * scale) ** 2)
    covariances = np.repeat(whole[None] / 4, COMPONENTS, axis=0)
    weights = np.full(COMPONENTS, 1 / COMPONENTS)
    for _ in range(EM_STEPS):
        log_parts = np.log(weights) + log_normals(points, means, covariances)
        duty = np.exp(log_parts - logsumexp(log_parts, axis=1, keepdims=True))
        load = duty.sum(axis=0) + 1e-9
        weights = np.maximum(load / load.sum(), 0.2 / COMPONENTS)
        weights /= weights.sum()
        means = (duty.T @ points) / load[:, None]
        for c in range(COMPONENTS):
            off = points - means[c]
            # A hundred draws of the whole keep a component of few draws from collapsing.
            covariances[c] = ((off * duty[:, c : c + 1]).T @ off + 10 * whole) / (load[c] + 10)
    factors = np.linalg.cholesky(INFLATION * covariances)
    return Mixture(weights, means, factors, np.linalg.inv(factors))


def log_normals(points: FloatArray, means: FloatArray, covariances: FloatArray) -> FloatArray:
    """Log Normal density of each point in each component, shape (m, k)."""
    inverses = np.linalg.inv(np.linalg.cholesky(covariances))
    columns = []
    for mean, inverse in zip(means, inverses, strict=True):
        z = (points - mean) @ inverse.T
        columns.append(-0.5 * (z**2).sum(axis=1) + np.log(np.diag(inverse)).sum())
    return np.column_stack(columns)


def adapted(problem: Problem, rng: np.random.Generator) -> Mixture:
    """Mixture fitted round by round."""
    scale = problem.prior[: problem.dimensions, 1]
    sample, polish = from_prior(problem, PILOT_DRAWS, rng), 0
    for _ in range(MAX_ROUNDS):
        power, share = tempered(sample.log_weights, ENOUGH)
        mixture = fitted(sample.theta, share, scale, rng)
        polish += power == 1.0
        if polish > POLISH:
            break
        sample = draw(problem, mixture, PILOT_DRAWS, rng)
    return mixture


def widened(problem: Problem, sample: Sample, rng: np.random.Generator) -> Mixture:
    """Mixture for weights whose tail is heavy: half of it fitted to their square roots."""
    scale = problem.prior[: problem.dimensions, 1]
    parts = [
        fitted(sample.theta, shares(power * sample.log_weights), scale, rng) for power in (0.5, 1.0)
    ]
    fields = ("weights", "means", "factors", "inverses")
    joined = [np.concatenate([getattr(part, field) for part in parts]) for field in fields]
    return Mixture(joined[0] / 2, *joined[1:])


def drawn(problem: Problem, mixture: Mixture, target: float, rng: np.random.Generator) -> Sample:
    """Draw until the standard error is below ``target``."""
    parts: list[Sample] = []
    for _ in range(MAX_BATCHES):
        parts.append(draw(problem, mixture, BATCH, rng))
        sample = Sample(
            np.concatenate([part.theta for part in parts]),
            np.concatenate([part.log_weights for part in parts]),
        )
        if len(parts) > 1 and sample.se < target:
            break
    return sample


def sampled(problem: Problem, target: float, rng: np.random.Generator) -> Sample:
    """Draw from an adapted mixture, and from a wider one while the weights have a heavy tail."""
    mixture = adapted(problem, rng)
    for _ in range(MAX_WIDENINGS):
        sample = drawn(problem, mixture, target, rng)
        if sample.k_hat < MAX_K_HAT:
            break
        mixture = widened(problem, sample, rng)
    return sample
