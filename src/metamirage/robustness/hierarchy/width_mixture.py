"""Likelihood of curves whose log width is Normal about a mean, from their profiles alone.

With p_cj the profile of curve c in the cell of node j, curve c has likelihood

    L_c(mu, tau) = sum_j exp(p_cj) P(log width in cell j),   log width ~ Normal(mu, tau),

its own width integrated out. Curves of a group share mu, so the probabilities of the cells and
their derivatives are made once a group, and a curve costs three sums of products.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import jit

# ASSUME: no profile speaks against a width by more than 60 nats: the engine's are not accurate so
# far down. It also bounds every likelihood from below, so that no sum of products is zero.
MAX_NATS = 60.0
INVERSE_ROOT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
# From here on the tail is a continued fraction.
FAR_TAIL = 7.07


def cell_edges(nodes: FloatArray) -> FloatArray:
    """Edges between the cells of equally spaced nodes, shape (nodes - 1,).

    The outer cells have no outer edge.
    """
    # ASSUME: beyond the grid a profile keeps its end value, since narrower widths are all steps
    # between two sizes and wider ones all straight lines. The probabilities of the cells then sum
    # to one for any mean and sd: a flat profile has likelihood one, and a mean outside the grid
    # gains nothing by moving on.
    return np.asarray((nodes[1:] + nodes[:-1]) / 2)


def profile_weights(profiles: FloatArray) -> FloatArray:
    """Likelihoods relative to each curve's best node, from profiles of shape (curves, nodes)."""
    below = profiles - profiles.max(axis=1, keepdims=True)
    return np.asarray(np.exp(np.maximum(below, -MAX_NATS)))


@jit
def tail_over_density(x: float) -> float:
    """Upper tail of a Normal over exp(-x^2 / 2), for x from zero (Hart et al. 1968, no. 5666).

    Relative error 1e-8 and, times the density, absolute error 1e-15: a fourth of the time of erfc.
    """
    if x >= FAR_TAIL:
        return INVERSE_ROOT_2PI / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65)))))
    above = 3.52624965998911e-02 * x + 0.700383064443688
    above = ((above * x + 6.37396220353165) * x + 33.912866078383) * x + 112.079291497871
    above = (above * x + 221.213596169931) * x + 220.206867912376
    below = (8.83883476483184e-02 * x + 1.75566716318264) * x + 16.064177579207
    below = ((below * x + 86.7807322029461) * x + 296.564248779674) * x + 637.333633378831
    return above / ((below * x + 793.826512519948) * x + 440.413735824752)


@jit
def fill_cells(mu: float, tau: float, edges: FloatArray, cells: FloatArray) -> None:
    """Put the probability of each cell and its derivatives by mu and log tau into (3, cells)."""
    z = (edges - mu) / tau
    height = np.exp(-0.5 * z * z)
    last = len(edges)
    # The smaller tail of each edge: a difference of two such keeps its digits far from the mean.
    tail0, z0, height0 = 0.0, -1.0, 0.0
    for j in range(last + 1):
        tail1, z1, height1 = 0.0, 1.0, 0.0
        if j < last:
            z1, height1 = z[j], height[j]
            tail1 = height1 * tail_over_density(abs(z1))
        if z1 <= 0.0:
            cells[0, j] = tail1 - tail0
        elif z0 > 0.0:
            cells[0, j] = tail0 - tail1
        else:
            cells[0, j] = 1.0 - tail0 - tail1
        cells[1, j] = (height0 - height1) * INVERSE_ROOT_2PI / tau
        cells[2, j] = (z0 * height0 - z1 * height1) * INVERSE_ROOT_2PI
        tail0, z0, height0 = tail1, z1, height1


@jit
def mixture(
    mu: FloatArray,
    tau: float,
    weights: FloatArray,
    starts: NDArray[np.int64],
    edges: FloatArray,
) -> tuple[float, FloatArray, float]:
    """Log likelihood of all curves and its derivatives.

    Parameters
    ----------
    mu
        Shape (groups,): mean of each group.
    tau
        Their common sd, positive.
    weights
        Shape (curves, cells), from ``profile_weights``, curves in the order of their groups.
    starts
        Shape (groups + 1,): first curve of each group, and the number of curves.
    edges
        From ``cell_edges``, same unit as mu.

    Returns
    -------
    tuple
        The log likelihood; its derivatives by mu, shape (groups,), and by tau.
    """
    n_cells = len(edges) + 1
    cells = np.empty((3, n_cells))
    by_mu = np.zeros(len(mu))
    total, by_tau = 0.0, 0.0
    for g in range(len(mu)):
        fill_cells(mu[g], tau, edges, cells)
        for c in range(starts[g], starts[g + 1]):
            likelihood, slope, scale = 0.0, 0.0, 0.0
            for j in range(n_cells):
                likelihood += weights[c, j] * cells[0, j]
                slope += weights[c, j] * cells[1, j]
                scale += weights[c, j] * cells[2, j]
            total += math.log(likelihood)
            by_mu[g] += slope / likelihood
            by_tau += scale / likelihood
    return total, by_mu, by_tau / tau
