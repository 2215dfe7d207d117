"""Compiled draws of the engine: points from the cells where the mass is, with exact weights."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from metamirage._cells import Grid, row_masses, rows_of
from metamirage._compiled import jit
from metamirage._modes import Problem, fill_shape, make_room
from metamirage._steps import step_counts, step_scores
from metamirage.curves import FloatArray
from metamirage.densities import log_likelihood_counts, log_likelihood_scores, log_prior

# Share of the draws spread over the rows of width, so that the profile is known also where the
# posterior is thin: evenly down to about so many nats below the best row.
EVEN_SHARE = 0.1
EVEN_NATS = 4.0


@jit
def cell_shares(problem: Problem, grid: Grid) -> FloatArray:
    """Probability of drawing from each cell: by mass, a part of it spread over the rows."""
    n = len(grid.masses)
    shares = np.exp(grid.masses - grid.masses.max())
    shares /= shares.sum()
    if problem.outer < 2:
        return shares
    rows = row_masses(grid, n)
    even = 1.0 / (1.0 + ((rows.max() - rows) / EVEN_NATS) ** 2)
    even /= even.sum()
    shares *= 1 - EVEN_SHARE
    for c in range(n):
        first, last = rows_of(grid.boxes[c])
        part = grid.masses[c] - math.log(1.0 + last - first)
        for row in range(first, last + 1):
            shares[c] += EVEN_SHARE * even[row] * math.exp(part - rows[row])
    return shares


@jit
def draw(
    problem: Problem,
    grid: Grid,
    shares: FloatArray,
    sobol: FloatArray,
    shifts: FloatArray,
    thetas: FloatArray,
    log_weights: FloatArray,
    cells: NDArray[np.int64],
) -> None:
    """Fill draws (r, p, 5), their log importance weights (r, p) and their cells (r, p).

    The points ``sobol`` (p, 6) in the unit cube are used once under each random shift (r, 6).
    """
    ends = np.cumsum(shares)
    room = make_room(problem)
    u = np.empty(6)
    for at in range(log_weights.size):
        r, p = divmod(at, len(sobol))
        for j in range(6):
            # Half a grain off the faces, where a quantile is infinite.
            shifted = sobol[p, j] + shifts[r, j]
            u[j] = (shifted if shifted < 1 else shifted - 1) * (1 - 1e-9) + 5e-10
        c = min(np.searchsorted(ends, u[0] * ends[-1]), len(shares) - 1)
        cells[r, p] = c
        density = shares[c]
        out = thetas[r, p]
        for a in range(problem.outer):
            low, high = grid.boxes[c, 2 * a], grid.boxes[c, 2 * a + 1]
            out[3 + a] = low + u[1 + a] * (high - low)
            density /= high - low
        fill_shape(problem, out[3], out[4], room.h)
        y, items_or_stderr, base = problem.y, problem.spread, problem.base
        if problem.counted:
            density *= step_counts(problem, room, grid.modes[c], grid.marginals[c], u[3:], out)
            fit = log_likelihood_counts(room.h, items_or_stderr, base, out, room.ladder)
        else:
            density *= step_scores(problem, room, grid.marginals[c], u[3:], out)
            fit = log_likelihood_scores(room.h, y, items_or_stderr, base, out)
        log_prior_there = log_prior(problem.candidate, out, problem.priors)
        log_weights[r, p] = fit + log_prior_there - math.log(density)


@jit
def moments(log_weights: FloatArray) -> tuple[float, float, float, float]:
    """Summarise log weights (r, p) of r randomisations.

    Returns the largest, and of the weights over it the mean, its variance by the spread of the
    randomisations, and by that of as many independent draws.
    """
    n_replicates, n_points = log_weights.shape
    top = log_weights.max()
    means = np.empty(n_replicates)
    squares = 0.0
    for r in range(n_replicates):
        total = 0.0
        for p in range(n_points):
            weight = math.exp(log_weights[r, p] - top)
            total += weight
            squares += weight * weight
        means[r] = total / n_points
    mean = means.mean()
    between = ((means - mean) ** 2).sum() / (n_replicates - 1) / n_replicates
    size = log_weights.size
    return float(top), float(mean), float(between), (squares / size - mean * mean) / size
