"""Evidence of scores without known errors, whose noise may go to nothing, on plain grids.

Slow, and good to 1e-3. It checks where panels were put by ``quadrature``, whose closed form of the
levels it takes; random draws, which check that too, do not reach posteriors as narrow as these.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from definition import SIGMOID, Problem
from metamirage.base.arrays import FloatArray
from quadrature import Lattice, lattice_of, marginals, noise_bounds

# Noise steps, in units of what n exact scores leave.
NOISE = 1.0
# Sigmoid: decades from the sizes, step of location, prior sds and points of log width.
MARGIN, LOCATION_STEP, WIDTH_REACH, WIDTH_POINTS = 10.0, 0.008, 14.0, 200
# Others: prior sds, points of the even grid, and of the close one on each side of each peak.
REACH, EVEN, CLOSE = 9.0, 20_001, 4_001
NEAREST = 1e-14
MOST_PEAKS, ZOOMS = 10, 14


def grid_evidence(problem: Problem) -> float:
    """Log evidence of scores under power, quadratic or sigmoid."""
    lattice, _ = lattice_of(problem, NOISE, *noise_bounds(problem))
    return (sigmoid_grid if problem.code == SIGMOID else line_grid)(problem, lattice)


def log_joint(problem: Problem, lattice: Lattice, s1: FloatArray, s2: FloatArray) -> FloatArray:
    """Log prior of the shapes plus log marginal likelihood."""
    code, _, x, data, prior = problem.arrays
    values = marginals(code, x, data, prior, s1, s2, *lattice) + norm.logpdf(s1, *prior[3])
    return np.asarray(values + (norm.logpdf(s2, *prior[4]) if code == SIGMOID else 0.0))


def sigmoid_grid(problem: Problem, lattice: Lattice) -> float:
    """Midpoint sum over location and log width."""
    low, high = problem.x[0] - MARGIN, problem.x[-1] + MARGIN
    locations = np.arange(low + LOCATION_STEP / 2, high, LOCATION_STEP)
    mean, sd = problem.prior[4]
    step = 2 * WIDTH_REACH / WIDTH_POINTS
    widths = mean + sd * (step * (np.arange(WIDTH_POINTS) + 0.5) - WIDTH_REACH)
    rows = [
        logsumexp(log_joint(problem, lattice, locations, np.full(len(locations), width)))
        for width in widths
    ]
    return float(logsumexp(rows) + math.log(LOCATION_STEP * step * sd))


def line_grid(problem: Problem, lattice: Lattice) -> float:
    """Trapezoids between the points of an even grid and ever closer ones about each peak."""

    def evaluate(s1: FloatArray) -> FloatArray:
        return log_joint(problem, lattice, s1, np.zeros(len(s1)))

    mean, sd = problem.prior[3]
    points = mean + sd * np.linspace(-REACH, REACH, EVEN)
    values = evaluate(points)
    peaks = np.flatnonzero((values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])) + 1
    close = np.geomspace(NEAREST, points[1] - points[0], CLOSE)
    # A narrow peak between two points shows in the points beside it only: none is too low.
    for peak in peaks[np.argsort(-values[peaks])[:MOST_PEAKS]]:
        best = zoomed(evaluate, points[peak - 1], points[peak + 1])
        points = np.concatenate([points, [best], best - close, best + close])
    points = np.unique(points)
    values = evaluate(points)
    pairs = np.logaddexp(values[1:], values[:-1]) + np.log(np.diff(points) / 2)
    return float(logsumexp(pairs))


def zoomed(evaluate, low: float, high: float) -> float:  # noqa: ANN001
    """Best point between two, by finer and finer grids."""
    for _ in range(ZOOMS):
        points = np.linspace(low, high, 41)
        best = int(evaluate(points).argmax())
        low, high = points[max(best - 2, 0)], points[min(best + 2, 40)]
    return (low + high) / 2
