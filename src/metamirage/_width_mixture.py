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

from metamirage._compiled import jit
from metamirage.curves import FloatArray

# ASSUME: no profile speaks against a width by more than 60 nats: the engine's are not accurate so
# far down. It also bounds every likelihood from below, so that no sum of products is zero.
MAX_NATS = 60.0
# Farther out, in sds, a Normal density is zero in double precision.
FAR = 38.0


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
def fill_cells(mu: float, tau: float, edges: FloatArray, cells: FloatArray) -> None:
    """Put the probability of each cell and its derivatives by mu and log tau into (3, cells)."""
    last = len(edges)
    tail0, z0, density0 = 0.0, -np.inf, 0.0
    for j in range(last + 1):
        tail1, z1, density1 = 0.0, np.inf, 0.0
        if j < last:
            z1 = (edges[j] - mu) / tau
            # The smaller tail: a difference of two such keeps its digits far from the mean.
            tail1 = 0.5 * math.erfc(abs(z1) / math.sqrt(2.0))
            if abs(z1) < FAR:
                density1 = math.exp(-0.5 * z1 * z1) / math.sqrt(2.0 * math.pi)
        if z1 <= 0.0:
            cells[0, j] = tail1 - tail0
        elif z0 > 0.0:
            cells[0, j] = tail0 - tail1
        else:
            cells[0, j] = 1.0 - tail0 - tail1
        moment0 = z0 * density0 if density0 > 0.0 else 0.0
        moment1 = z1 * density1 if density1 > 0.0 else 0.0
        cells[1, j] = (density0 - density1) / tau
        cells[2, j] = moment0 - moment1
        tail0, z0, density0 = tail1, z1, density1


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

