"""Whether the places of sharp transitions cluster across tasks more than by chance.

Simultaneous onset over tasks is what thresholds of composition predict (Lubana et al. 2024,
arXiv:2408.12578). Sizes lie unevenly, and a narrow transition between two sizes is known to lie
between them and no better, so estimated places cluster at the middles of wide gaps by themselves:
chance must be drawn with the sizes and uncertainties at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from metamirage.curves import FloatArray
from metamirage.permutation import TIE

# ASSUME: two tasks rise together if they do so within half a decade of parameters.
TOGETHER = 0.5


@dataclass(frozen=True)
class Onsets:
    """Estimated places of sharp transitions, one a task and family.

    Parameters
    ----------
    mean, sd
        Posterior mean and sd of the location, log10 parameters, shape (n,).
    task, family
        Codes from zero, shape (n,).
    sizes
        By family: its sizes, log10 parameters, ascending.
    """

    mean: FloatArray
    sd: FloatArray
    task: NDArray[np.int64]
    family: NDArray[np.int64]
    sizes: Sequence[FloatArray]


def clustering_test(
    onsets: Onsets, *, rng: np.random.Generator, n_draws: int
) -> tuple[float, float, float]:
    """Test that transitions lie anywhere within the sizes, independently for each task.

    Parameters
    ----------
    onsets
        At least two tasks in one family.
    rng, n_draws
        Of the simulated places.

    Returns
    -------
    (estimate, expected, p_value)
        Share of the pairs of tasks within a family that lie within ``TOGETHER`` of each other, by
        their posteriors; its mean under chance; one-sided Monte Carlo p-value (the data count).
    """
    pairs = _pairs(onsets)
    estimate = closeness(onsets.mean, onsets.sd, pairs)
    null = np.array([closeness(draw_chance(onsets, rng), onsets.sd, pairs) for _ in range(n_draws)])
    p_value = float((1 + (null >= estimate - TIE).sum()) / (1 + n_draws))
    return estimate, float(null.mean()), p_value


def _pairs(onsets: Onsets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    one, two = np.triu_indices(len(onsets.mean), k=1)
    kept = (onsets.family[one] == onsets.family[two]) & (onsets.task[one] != onsets.task[two])
    return one[kept], two[kept]


def closeness(
    mean: FloatArray, sd: FloatArray, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> float:
    """Mean probability that the two of a pair lie within ``TOGETHER``, locations being Normal."""
    one, two = pairs
    apart, spread = mean[one] - mean[two], np.hypot(sd[one], sd[two])
    spread = np.maximum(spread, 1e-9)
    within = ndtr((TOGETHER - apart) / spread) - ndtr((-TOGETHER - apart) / spread)
    return float(within.mean())


def draw_chance(onsets: Onsets, rng: np.random.Generator) -> FloatArray:
    """Draw estimated places under chance, shape (n,).

    The true place is uniform between the smallest and the largest size of the family. A task has
    one quantile in all families, for these are not independent. The estimate is the middle of the
    gap between two sizes, and an error with what the posterior variance holds beyond that of the
    gap.
    """
    u = rng.random(int(onsets.task.max()) + 1)[onsets.task]
    noise = rng.standard_normal(len(u))
    drawn = np.empty(len(u))
    for code, sizes in enumerate(onsets.sizes):
        here = onsets.family == code
        true = sizes[0] + u[here] * (sizes[-1] - sizes[0])
        right = np.clip(np.searchsorted(sizes, true), 1, len(sizes) - 1)
        gap = sizes[right] - sizes[right - 1]
        # ASSUME: a location is uniform in its gap as far as its posterior sd allows for.
        within = np.minimum(gap / np.sqrt(12.0), onsets.sd[here])
        middle = (sizes[right] + sizes[right - 1]) / 2
        # A posterior narrower than the gap follows the true place as closely as it says.
        known = 1.0 - within / (gap / np.sqrt(12.0))
        rest = np.sqrt(np.maximum(onsets.sd[here] ** 2 - within**2, 0.0))
        drawn[here] = middle + known * (true - middle) + rest * noise[here]
    return drawn
