"""Posteriors: weighted draws by quadrature, or draws by NUTS with their diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metamirage.base.arrays import FloatArray

# What counts as converged (Vehtari et al. 2021, Bayesian Anal. 16): r_hat and bulk size of each
# parameter. A few divergent transitions are no sign of a part that the chains could not enter.
MAX_R_HAT = 1.01
MIN_ESS = 400
MAX_DIVERGENT_SHARE = 0.001


@dataclass(frozen=True)
class Posterior:
    """Weighted draws of one candidate on one curve.

    Parameters
    ----------
    candidate
        One of ``tables.CANDIDATES``.
    theta
        Shape (m, 5): left, dispersion, right, shape1, shape2; unused entries are zero.
    weights
        Shape (m,), summing to one.
    log_evidence
        Log marginal likelihood, nats; for Gaussian scores a density per unit of ``Curve.z``.
    error
        Half-width of its 95 % interval, from the spread over the randomisations, nats.
    ess
        Effective number of draws, 1 / sum(weights**2).
    profile
        Shape (36,): log marginal likelihood by node of ``LOG10_WIDTH_NODES``, averaged over the
        node's cell under the prior; empty but for the sigmoid.
    """

    candidate: str
    theta: FloatArray
    weights: FloatArray
    log_evidence: float
    error: float
    ess: float
    profile: FloatArray

    def mean(self, values: FloatArray) -> float:
        """Posterior mean of a function of the draws, values of shape (m,)."""
        return float(self.weights @ values)

    def sd(self, values: FloatArray) -> float:
        """Posterior standard deviation, values of shape (m,)."""
        return float(np.sqrt(self.weights @ (values - self.mean(values)) ** 2))

    def quantile(self, values: FloatArray, levels: tuple[float, ...]) -> tuple[float, ...]:
        """Posterior quantiles at ``levels`` in (0, 1), values of shape (m,)."""
        order = np.argsort(values, kind="stable")
        ranks = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
        return tuple(float(q) for q in np.interp(levels, ranks, values[order]))


@dataclass(frozen=True)
class Sampled(Posterior):
    """Draws of one candidate on one curve by NUTS; all weights are equal.

    Parameters
    ----------
    error
        Half-width of the 95 % interval of ``log_evidence``, nats.
    ess
        Smallest bulk effective size of the parameters.
    profile
        From the shares of the draws in the cells of width, each cell given its prior's part of
        one more draw. Where the posterior is, that is as good as the draws are many; in a tail
        that no draw reached it says log_evidence - log(m + 1) and no more: an upper bound.
    r_hat
        Largest split R-hat of the parameters, by ranks; missing if no chain ever moved.
    divergences
        Divergent transitions of all chains.
    """

    r_hat: float
    divergences: int

    @property
    def converged(self) -> bool:
        """Whether the chains agree, are long enough, and hardly ever diverged."""
        few = self.divergences <= MAX_DIVERGENT_SHARE * len(self.weights)
        return self.r_hat < MAX_R_HAT and self.ess > MIN_ESS and few
