"""Compiled draws of the engine: points from the cells where the mass is, with exact weights."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.quadrature.densities import (
    expand_levels,
    log_likelihood_scores,
    log_prior,
    start_counts,
    sum_counts,
)
from metamirage.fitting.quadrature.grid import Grid, row_masses, rows_of
from metamirage.fitting.quadrature.modes import Problem, Room, fill_shape, make_room
from metamirage.fitting.quadrature.proposal import step_dispersion, step_levels, step_scores
from metamirage.fitting.quadrature.rising import fill_rising, fill_rising_slopes

# Share of the draws spread over the rows of width, so that the profile is known also where the
# posterior is thin: evenly down to about so many nats below the best row.
EVEN_SHARE = 0.1
EVEN_NATS = 4.0
# Draws side by side: enough to keep the widest instructions busy, few enough for the fast memory.
BATCH = 32


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
    room = make_room(problem, BATCH)
    batch = _make_batch(len(problem.x))
    for first in range(0, log_weights.size, BATCH):
        n = min(BATCH, log_weights.size - first)
        for i in range(n):
            r, p = divmod(first + i, len(sobol))
            _shifted(sobol[p], shifts[r], batch.u[i])
            c = _cell_at(ends, batch.u[i, 0])
            cells[r, p] = c
            batch.cells[i] = c
            batch.densities[i] = shares[c] * _step_shape(
                problem, grid.boxes[c], batch.u[i], batch.thetas[i]
            )
            fill_shape(problem, batch.thetas[i, 3], batch.thetas[i, 4], batch.h[i])
        if problem.counted:
            _step_all_counts(problem, room, grid, batch, n)
        else:
            _step_all_scores(problem, room, grid, batch, n)
        for i in range(n):
            r, p = divmod(first + i, len(sobol))
            thetas[r, p] = batch.thetas[i]
            prior = log_prior(problem.candidate, batch.thetas[i], problem.priors)
            log_weights[r, p] = batch.fits[i] + prior - math.log(batch.densities[i])


class Batch(NamedTuple):
    """Draws that are worked out side by side, ``BATCH`` of them.

    Parameters
    ----------
    u
        Points of the unit cube, shape (b, 6).
    cells
        Where they are from, shape (b,).
    thetas
        The draws, shape (b, 5).
    densities
        Of proposing them, shape (b,).
    h
        Shape of each at all sizes, shape (b, n).
    fits
        Log likelihoods, shape (b,).
    """

    u: FloatArray
    cells: NDArray[np.int64]
    thetas: FloatArray
    densities: FloatArray
    h: FloatArray
    fits: FloatArray


@jit
def _make_batch(n_sizes: int) -> Batch:
    return Batch(
        np.empty((BATCH, 6)),
        np.empty(BATCH, dtype=np.int64),
        np.zeros((BATCH, 5)),
        np.empty(BATCH),
        np.empty((BATCH, n_sizes)),
        np.empty(BATCH),
    )


@inlined
def _shifted(point: FloatArray, shift: FloatArray, u: FloatArray) -> None:
    """Shift a point round the unit cube; shapes (6,)."""
    for j in range(6):
        # Half a grain off the faces, where a quantile is infinite.
        moved = point[j] + shift[j]
        u[j] = (moved if moved < 1 else moved - 1) * (1 - 1e-9) + 5e-10


@inlined
def _cell_at(ends: FloatArray, u: float) -> int:
    """Cell at a share of the sum of all, ``ends`` being the running sums."""
    return int(min(np.searchsorted(ends, u * ends[-1]), len(ends) - 1))


@inlined
def _step_shape(problem: Problem, box: FloatArray, u: FloatArray, out: FloatArray) -> float:
    """Draw the shape parameters evenly from a box; return the density."""
    density = 1.0
    for a in range(problem.outer):
        low, high = box[2 * a], box[2 * a + 1]
        out[3 + a] = low + u[1 + a] * (high - low)
        density /= high - low
    return density


@inlined
def _step_all_counts(problem: Problem, room: Room, grid: Grid, batch: Batch, n: int) -> None:
    """Draw the inner parameters of n draws, and work out their likelihoods.

    Each of the two rounds of rising factorials takes all draws at once, a copy of the ladder each.
    """
    ladder = room.ladder
    width = 2 * len(problem.x) + len(ladder.runs)
    for i in range(n):
        c, out = batch.cells[i], batch.thetas[i]
        batch.densities[i] *= step_dispersion(
            problem, grid.modes[c], grid.marginals[c], batch.u[i, 4], out
        )
        start_counts(batch.h[i], out, ladder.start[i * width : (i + 1) * width])
    fill_rising_slopes(ladder.start, ladder.steps, ladder.first, ladder.second)
    for i in range(n):
        copy = slice(i * width, (i + 1) * width)
        h, out = batch.h[i], batch.thetas[i]
        first, second = ladder.first[copy], ladder.second[copy]
        levels = expand_levels(h, out, problem.priors, first, second)
        batch.densities[i] *= step_levels(problem, levels, batch.u[i, 3:], out)
        start_counts(h, out, ladder.start[copy])
    fill_rising(ladder.start, ladder.steps, ladder.value)
    for i in range(n):
        value = ladder.value[i * width : (i + 1) * width]
        batch.fits[i] = sum_counts(problem.base, batch.thetas[i], value, ladder.runs)


@inlined
def _step_all_scores(problem: Problem, room: Room, grid: Grid, batch: Batch, n: int) -> None:
    """Draw the inner parameters of n draws, and work out their likelihoods."""
    for i in range(n):
        room.h[:] = batch.h[i]
        marginal, out = grid.marginals[batch.cells[i]], batch.thetas[i]
        batch.densities[i] *= step_scores(problem, room, marginal, batch.u[i, 3:], out)
        batch.fits[i] = log_likelihood_scores(room.h, problem.y, problem.spread, problem.base, out)


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
