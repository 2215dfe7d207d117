"""Deterministic integration of the candidate densities: evidence, posterior draws, width profile.

Given the shape, the inner parameters (levels and dispersion) have a smooth mode. Laplace's
approximation about the highest that is found, over cells of shapes that are split where the mass
is, gives a proposal. Points of a randomised Sobol sequence are drawn from the cells, each stepping
away from its own local mode, and are weighted by the exact density. The weights make the result
independent of Laplace's approximation; their spread over independent randomisations is the error
reported.

Not for levels of several modes, and not a sampler: draws carry weights and must be used with them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import qmc

from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.priors import LOG10_WIDTH_NODES, PARAMETERS, Priors
from metamirage.fitting.quadrature import draws as _draws
from metamirage.fitting.quadrature import grid as _cells
from metamirage.fitting.quadrature.densities import CODES, LN10, log_base
from metamirage.fitting.quadrature.grid import Grid
from metamirage.fitting.quadrature.modes import Problem

# Independent randomisations of the point set; their spread is the reported error.
N_REPLICATES = 8
# Student's t with 14 degrees of freedom: 95 % lie within.
T_95 = 2.145
# Points of one randomisation: at first, by the number of shape parameters, for those of the sigmoid
# are what is reported; and at most. Powers of two, as Sobol sequences want. They grow by a half,
# then by a third to the next power, until the error is under the target. Few scores need more, for
# the spread of few points misses their thin ridges.
N_FIRST = {"beta_binomial": (32, 32, 96), "gaussian": (64, 64, 96)}
N_MOST = 4096
TARGET_ERROR = 0.04
# Rows of width in one of the first cells: fewer cells, and more draws for the same error.
COARSENESS = 2
# The part of the profile that Laplace's approximation misses is smoothed over so many nodes (sd of
# a Normal kernel): it varies slowly with width, and a node of thin posterior has few draws.
SMOOTH_NODES = 2.0


def integrate(
    curve: Curve,
    candidate: str,
    priors: Priors,
    *,
    rng: np.random.Generator,
    window: Curve | None = None,
    n_first: int | None = None,
    target_error: float = TARGET_ERROR,
    coarseness: int = COARSENESS,
) -> Posterior:
    """Integrate one candidate on one curve.

    Parameters
    ----------
    curve
        At least two points.
    candidate
        One of ``tables.CANDIDATES``.
    priors
        From ``priors.priors_for``.
    rng
        Randomises the point set; the result depends on it only within ``Posterior.error``.
    window
        Curve whose first and last size anchor linear and power; the curve itself by default. A
        forecast keeps the window of the whole curve, sizes being known before scores are.
    n_first
        Points of each randomisation to start from, a power of two up to ``N_MOST``; by default
        that of ``N_FIRST``.
    target_error
        Points are added while ``Posterior.error`` is above this, nats.
    coarseness
        Rows of width in one of the first cells, from 1.
    """
    problem = _problem(curve, candidate, priors, window or curve)
    grid = _grid(problem, coarseness)
    shares = _draws.cell_shares(problem, grid)
    shifts = rng.random((N_REPLICATES, _SOBOL.shape[1]))
    n_first = n_first or N_FIRST[curve.observation][problem.outer]
    draws = _draw(problem, grid, shares, _SOBOL[:n_first], shifts)
    evidence = _evidence(draws)
    while evidence.error > target_error and draws.points < N_MOST:
        more = _SOBOL[draws.points : _next(draws.points)]
        draws = _joined(draws, _draw(problem, grid, shares, more, shifts))
        evidence = _evidence(draws)
    profile: FloatArray = np.empty(0)
    if problem.outer == 2:
        profile = _profile(problem, _row_masses(grid, shares, draws), evidence)
    return _posterior(candidate, draws, evidence, profile)


def _next(points: int) -> int:
    """Return the next number of points after a power of two or three halves of one."""
    power = points & (points - 1) == 0
    return 3 * points // 2 if power else 4 * points // 3


class Draws(NamedTuple):
    """Weighted draws by randomisation: theta (r, p, 5), log weights (r, p), cells (r, p)."""

    theta: FloatArray
    log_weights: FloatArray
    cells: NDArray[np.int64]

    @property
    def points(self) -> int:
        """Points of one randomisation."""
        return int(self.log_weights.shape[1])


class Evidence(NamedTuple):
    """Log evidence, and the half-width of its 95 % interval, nats."""

    value: float
    error: float


def _problem(curve: Curve, candidate: str, priors: Priors, window: Curve) -> Problem:
    counted = curve.observation == "beta_binomial"
    y, spread = (curve.counts, curve.n_items) if counted else (curve.z, curve.stderr)
    return Problem(
        candidate=CODES[candidate],
        inner=min(len(PARAMETERS[candidate]), 3),
        outer=max(len(PARAMETERS[candidate]) - 3, 0),
        counted=counted,
        x=curve.size,
        y=y,
        spread=spread,
        base=log_base(counted, y, spread),
        window=np.array([window.size[0], window.size[-1]]),
        priors=priors.as_array(),
    )


def _grid(problem: Problem, coarseness: int) -> Grid:
    """Cells where the mass is, in order of width and location."""
    grid = _cells.make_grid(problem)
    n = _cells.refine(problem, grid, coarseness)
    order = np.lexsort((grid.boxes[:n, 0], grid.boxes[:n, 2]))
    return Grid(*(part.take(order, axis=0) for part in grid))


_SOBOL = qmc.Sobol(6, scramble=False).random(N_MOST)


def _draw(
    problem: Problem, grid: Grid, shares: FloatArray, points: FloatArray, shifts: FloatArray
) -> Draws:
    size = (len(shifts), len(points))
    draws = Draws(np.zeros((*size, 5)), np.empty(size), np.empty(size, dtype=np.int64))
    _draws.draw(problem, grid, shares, points, shifts, *draws)
    return draws


def _joined(first: Draws, second: Draws) -> Draws:
    pairs = zip(first, second, strict=True)
    return Draws(*(np.concatenate(pair, axis=1) for pair in pairs))


def _evidence(draws: Draws) -> Evidence:
    """Estimate the evidence and its error.

    Eight randomisations alone often agree better than they should, and the adding of points stops
    just then. Their variance is therefore averaged with the one that as many independent draws
    would have: an upper bound for a Sobol sequence, and far steadier.
    """
    top, mean, between, independent = _draws.moments(draws.log_weights)
    error = T_95 * np.sqrt((between + max(independent, 0.0)) / 2) / mean
    return Evidence(float(np.log(mean) + top), float(error))


def _posterior(candidate: str, draws: Draws, evidence: Evidence, profile: FloatArray) -> Posterior:
    log_weights = draws.log_weights.ravel()
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    # A far tail draw may be so large that even its weight of zero would leave a NaN in a mean.
    stand_in = np.where(weights > 0, np.arange(len(weights)), np.argmax(weights))
    return Posterior(
        candidate=candidate,
        theta=draws.theta.reshape(-1, 5)[stand_in],
        weights=weights,
        log_evidence=evidence.value,
        error=evidence.error,
        ess=float(1.0 / np.sum(weights**2)),
        profile=profile,
    )


def _row_masses(grid: Grid, shares: FloatArray, draws: Draws) -> FloatArray:
    """Log posterior mass of each row of width, but for a constant.

    Laplace's mass of the row's cells, times what the draws say it misses: the mean over the row's
    draws of (exact density / proposal within the cell) / (Laplace's mass of the cell), smoothed
    over neighbouring rows.
    """
    parts = _cells.row_masses(grid, len(grid.masses))
    rows = _cells.smooth_rows(grid, parts)
    cells = draws.cells.ravel()
    row = _rows(draws.theta[:, :, 4].ravel())
    missed = draws.log_weights.ravel() + np.log(shares[cells]) - grid.masses[cells]
    missed += (parts - rows)[row]
    top = missed.max()
    # The kernel is nowhere zero: a row far from every draw takes what all draws miss.
    sums = _KERNEL @ np.bincount(row, np.exp(missed - top), minlength=_cells.N_ROWS)
    counts = _KERNEL @ np.bincount(row, minlength=_cells.N_ROWS)
    return np.asarray(rows + np.log(sums / counts))


def _profile(problem: Problem, masses: FloatArray, evidence: Evidence) -> FloatArray:
    """Log marginal likelihood of each node of width: its mass, of the evidence, per prior."""
    scale = evidence.value - np.logaddexp.reduce(masses)
    return np.asarray(masses + scale - _log_row_priors(problem))


def _rows(log_widths: FloatArray) -> NDArray[np.int64]:
    """Row of each width, in natural logarithms."""
    rows = np.floor((log_widths - _cells.FIRST_WIDTH) / _cells.ROW_STEP)
    return np.clip(rows, 0, _cells.N_ROWS - 1).astype(np.int64)


_APART = np.subtract.outer(np.arange(len(LOG10_WIDTH_NODES)), np.arange(len(LOG10_WIDTH_NODES)))
_KERNEL = np.exp(-0.5 * (_APART / SMOOTH_NODES) ** 2) + 1e-9


def _log_row_priors(problem: Problem) -> FloatArray:
    """Log prior probability of each node's band of widths."""
    mean, sd = problem.priors[4]
    step = LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0]
    ends = np.append(LOG10_WIDTH_NODES - step / 2, LOG10_WIDTH_NODES[-1] + step / 2)
    edges = (LN10 * ends - mean) / sd
    # The end nodes stand for all that lies beyond them.
    edges[0], edges[-1] = -np.inf, np.inf
    # In the upper tail from the right, where the difference of two ones would be zero.
    upper = edges[:-1] > 0
    mass = np.where(upper, -np.diff(ndtr(-edges)), np.diff(ndtr(edges)))
    return np.asarray(np.log(mass))
