"""Widths under the prior that the curves of a benchmark share, learnt from all of them.

A fit's own prior pulls every width towards 1.5 decades, and the noisier of two metrics more. On
simulated benchmarks whose two metrics differ in noise only (``selfcheck``, worlds W0 and W1) sign
flips of such posterior means reject far too often; under a prior learnt from the curves themselves
the pull has no side on average. Classes play no part in it, so labels stay exchangeable. Empirical
Bayes as of Efron and Morris (1973, doi:10.1080/01621459.1973.10481350). What is left of the pull
comes from pairs of which one curve says little: the paired test weighs them by ``width_known``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import softmax

from metamirage.base.arrays import FloatArray
from metamirage.fitting.priors import LOG10_WIDTH_NODES, WIDTH_PRIORS

# Steps of the iteration, far more than the marginal likelihood still moves.
N_STEPS = 200
CONVERGED = 1e-4
# ASSUME: widths of a benchmark differ by 0.05 in log10 at least: a narrower prior could not be told
# from a point on nodes 0.08 apart.
MIN_SD = 0.05


# What is known of a curve's width: the column of ``add_own_widths`` by which pairs are weighed.
KNOWN = "width_known"


class WidthPrior(NamedTuple):
    """Normal prior of log10 width, decades."""

    mean: float
    sd: float


DEFAULT = WidthPrior(*(value / float(np.log(10)) for value in WIDTH_PRIORS["default"]))


def learn_prior(log_marginal: FloatArray) -> WidthPrior:
    """Find the Normal prior under which the profiles are most probable together.

    Parameters
    ----------
    log_marginal
        Shape (curves, 36): log marginal likelihood on ``priors.LOG10_WIDTH_NODES``.
    """
    prior = DEFAULT
    for _ in range(N_STEPS):
        weights = _posterior(log_marginal, prior)
        mean = float((weights @ LOG10_WIDTH_NODES).mean())
        spread = float((weights @ (LOG10_WIDTH_NODES - mean) ** 2).mean())
        found = WidthPrior(mean, max(float(np.sqrt(spread)), MIN_SD))
        if max(abs(found.mean - prior.mean), abs(found.sd - prior.sd)) < CONVERGED:
            return found
        prior = found
    return prior


def _posterior(log_marginal: FloatArray, prior: WidthPrior) -> FloatArray:
    log_prior = -0.5 * ((LOG10_WIDTH_NODES - prior.mean) / prior.sd) ** 2
    return np.asarray(softmax(log_marginal + log_prior, axis=1))


def add_own_widths(
    curves: pd.DataFrame, profiles: pd.DataFrame, *, min_sizes: int = 0
) -> pd.DataFrame:
    """Add each curve's width under the prior of all of them.

    Parameters
    ----------
    curves
        Curves of one benchmark, with ``n_sizes`` where some are asked for.
    profiles
        Table ``tables.PROFILES`` of the same.
    min_sizes
        The prior is learnt from curves of so many sizes; without any such, it is that of the fits.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``log10_width_own`` and ``log10_width_own_sd``, posterior mean and sd;
        ``own_prior_sd``, the same for all; and ``width_known``, the share of the prior's variance
        that the scores of a curve take away, from 0 to 1.
    """
    if curves.empty:
        names = ("log10_width_own", "log10_width_own_sd", "own_prior_sd", KNOWN)
        return curves.assign(**dict.fromkeys(names, np.nan))
    table = profiles.pivot(index="curve_id", columns="log10_width", values="log_marginal")
    log_marginal = table.loc[curves["curve_id"]].to_numpy(float)
    enough = curves["n_sizes"].to_numpy() >= min_sizes if min_sizes else np.full(len(curves), True)
    prior = learn_prior(log_marginal[enough]) if enough.any() else DEFAULT
    weights = _posterior(log_marginal, prior)
    mean = weights @ LOG10_WIDTH_NODES
    variance = weights @ LOG10_WIDTH_NODES**2 - mean**2
    return curves.assign(
        log10_width_own=mean,
        log10_width_own_sd=np.sqrt(np.maximum(variance, 0.0)),
        own_prior_sd=prior.sd,
        **{KNOWN: np.clip(1.0 - variance / prior.sd**2, 0.0, 1.0)},
    )


def known_of_both(pairs: pd.DataFrame) -> pd.Series[float]:
    """Weigh pairs of curves: the product of what is known of the two widths.

    ASSUME: a pair says as much of widths as its two curves do together. If one of them says
    nothing, the pair compares the other with the prior, and an error of the prior looks like a
    difference between the classes. The product is the same when the two swap places, so that sign
    flips stay exact.

    Parameters
    ----------
    pairs
        With ``KNOWN`` of the first and the second curve, suffixes ``_1`` and ``_0``.
    """
    return pairs[f"{KNOWN}_1"] * pairs[f"{KNOWN}_0"]
