"""A posterior that NUTS has sampled, and what must hold before it is believed."""

from __future__ import annotations

from dataclasses import dataclass

from metamirage.engine import Posterior

# What counts as converged (Vehtari et al. 2021, Bayesian Anal. 16): r_hat and bulk size of each
# parameter. A few divergent transitions are no sign of a part that the chains could not enter.
MAX_R_HAT = 1.01
MIN_ESS = 400
MAX_DIVERGENT_SHARE = 0.001


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
