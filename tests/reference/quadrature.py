"""Evidence of scores: levels in closed form, noise on a lattice, shape by adaptive panels."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import norm

from definition import LOG_2_PI, QUADRATIC, SIGMOID, Problem, shape_at
from metamirage.base.arrays import FloatArray
from panels import (
    CUT_PANEL,
    SEARCH_STEPS,
    Resolution,
    graded,
    halved,
    line_integrals,
    nodes_of,
    tagged,
)

# Precisions (noise, score) and what does not depend on the shape (noise,).
Lattice = tuple[FloatArray, FloatArray]

# A noise this many nats below the best one is cut.
CUT_NOISE = 40.0


STANDARD = Resolution(points=4, noise=1.0, tolerance=1e-5)
FINE = Resolution(points=6, noise=0.5, tolerance=1e-6)


@numba.njit
def reduced(columns, r):  # noqa: ANN001, ANN201
    """Triangular factor of two columns and ``r`` in their basis: r11, r12, r22, c1, c2, rest.

    Orthogonalised twice, so that a residual of rounding size stays one.
    """
    out = np.zeros(6)
    basis = np.zeros_like(columns)
    rest = r.copy()
    for j in range(2):
        column = columns[:, j].copy()
        if j == 1:
            for _ in range(2):
                overlap = (basis[:, 0] * column).sum()
                column -= overlap * basis[:, 0]
                out[1] += overlap
        length = math.sqrt((column * column).sum())
        out[2 * j] = length
        if length > 0:
            basis[:, j] = column / length
    for _ in range(2):
        for j in range(2):
            c = (basis[:, j] * rest).sum()
            rest -= c * basis[:, j]
            out[3 + j] += c
    out[5] = (rest * rest).sum()
    return out


@numba.njit
def log_equal(f, precision):  # noqa: ANN001, ANN201
    """Log density of scores of equal ``precision``, standard Normal levels integrated out.

    Without the constant and the log precisions, which do not depend on the shape.
    """
    a, c = f[0] ** 2 + f[1] ** 2, f[2] ** 2
    det = 1 + precision * (a + c) + (precision * f[0] * f[2]) ** 2
    cross = (f[2] * f[3] - f[1] * f[4]) ** 2 + (f[0] * f[4]) ** 2
    square = (f[3] ** 2 + f[4] ** 2 + precision * cross) / det + f[5]
    return -0.5 * (precision * square + math.log(det))


@numba.njit
def log_unequal(columns, r, precision):  # noqa: ANN001, ANN201
    """Do the same for precisions that differ, none of them huge."""
    p = q = c = u = v = 0.0
    for i in range(len(r)):
        first, second = precision[i] * columns[i, 0], precision[i] * columns[i, 1]
        p += first * columns[i, 0]
        q += first * columns[i, 1]
        c += second * columns[i, 1]
        u += first * r[i]
        v += second * r[i]
    det = (1 + p) * (1 + c) - q * q
    left, right = ((1 + c) * u - q * v) / det, ((1 + p) * v - q * u) / det
    square = left**2 + right**2
    for i in range(len(r)):
        square += precision[i] * (r[i] - columns[i, 0] * left - columns[i, 1] * right) ** 2
    return -0.5 * (square + math.log(det))


@numba.njit
def at_shape(code, x, data, prior, s1, s2, precisions, base):  # noqa: ANN001, ANN201
    """Log density at each noise of the lattice, levels integrated out, given the shape."""
    n = len(x)
    columns, r, out = np.empty((n, 2)), np.empty(n), np.empty(len(base))
    equal = True
    for i in range(n):
        h = shape_at(code, x[i], x[0], x[-1] - x[0], s1, s2)
        columns[i, 0], columns[i, 1] = (1 - h) * prior[0, 1], h * prior[2, 1]
        r[i] = data[i, 0] - (1 - h) * prior[0, 0] - h * prior[2, 0]
        equal = equal and data[i, 1] == data[0, 1]
    factor = reduced(columns, r)
    for j in range(len(base)):
        if equal:
            out[j] = base[j] + log_equal(factor, precisions[j, 0])
        else:
            out[j] = base[j] + log_unequal(columns, r, precisions[j])
    return out


@numba.njit(parallel=True)
def marginals(code, x, data, prior, s1, s2, precisions, base):  # noqa: ANN001, ANN201
    """Log integral over levels and noise at each shape."""
    out = np.empty(len(s1))
    for i in numba.prange(len(s1)):
        values = at_shape(code, x, data, prior, s1[i], s2[i], precisions, base)
        best = values.max()
        out[i] = best + math.log(np.exp(values - best).sum())
    return out


@numba.njit
def envelope(code, x, data, prior, s1, s2, precisions, base):  # noqa: ANN001, ANN201
    """Largest log density at each noise over many shapes."""
    best = np.full(len(base), -np.inf)
    for i in range(len(s1)):
        values = at_shape(code, x, data, prior, s1[i], s2[i], precisions, base)
        best = np.maximum(best, values)
    return best


def noise_bounds(problem: Problem) -> tuple[float, float]:
    """Where log noise can lie: n exact scores move its mode by n prior variances at most."""
    mean, sd = problem.prior[1]
    return mean - sd**2 * len(problem.x) - 10 * sd, mean + 10 * sd


def lattice_of(
    problem: Problem, spacing: float, low: float, high: float
) -> tuple[Lattice, FloatArray]:
    """Precisions of the scores at each noise, what does not depend on the shape, and the noises."""
    # n scores with no other error know their log noise to 1 / sqrt(2 n).
    step = spacing * min(0.25, 1 / math.sqrt(2 * len(problem.x)))
    nus = np.arange(low, high + step, step)
    precisions = 1 / (problem.data[:, 1] ** 2 + np.exp(2 * nus)[:, None])
    base = norm.logpdf(nus, *problem.prior[1]) + math.log(step)
    base += 0.5 * (np.log(precisions) - LOG_2_PI).sum(axis=1)
    return (precisions, base), nus


class Scores:
    """The marginal of the shape, its evaluations counted."""

    def __init__(self, problem: Problem, resolution: Resolution) -> None:
        self.problem, self.resolution = problem, resolution
        self.evaluations = 0
        code, _, x, data, prior = problem.arrays
        self.fixed = (code, x, data, prior)
        self.lattice, nus = lattice_of(problem, 3.0 * resolution.noise, *noise_bounds(problem))
        top = envelope(*self.fixed, *self._best_shapes(), *self.lattice)
        kept = np.flatnonzero(top > top.max() - CUT_NOISE)
        low, high = nus[max(kept[0] - 1, 0)], nus[min(kept[-1] + 1, len(top) - 1)]
        self.lattice, _ = lattice_of(problem, resolution.noise, low, high)

    def __call__(self, s1: FloatArray, s2: FloatArray) -> FloatArray:
        """Log of prior of the shape times marginal likelihood."""
        self.evaluations += len(s1) * len(self.lattice[1])
        values = marginals(*self.fixed, s1, s2, *self.lattice)
        for axis, s in ((3, s1), (4, s2)):
            if self.problem.dimensions > axis:
                values = values + norm.logpdf(s, *self.problem.prior[axis])
        return np.asarray(values)

    def _grid(self) -> tuple[FloatArray, FloatArray]:
        p = self.problem
        if p.dimensions < 4:
            return np.zeros(1), np.zeros(1)
        first = p.prior[3, 0] + p.prior[3, 1] * np.linspace(-7, 7, 281)
        if p.code != SIGMOID:
            return first, np.zeros(len(first))
        middle = (p.x[1:] + p.x[:-1]) / 2
        second = p.prior[4, 0] + p.prior[4, 1] * np.linspace(-10, 10, 61)
        s1, s2 = np.meshgrid(np.concatenate([first, p.x, middle]), second)
        return s1.ravel(), s2.ravel()

    def _best_shapes(self) -> tuple[FloatArray, FloatArray]:
        """The grid, and the best shapes found from its best points."""
        s1, s2 = self._grid()
        if self.problem.dimensions < 4:
            return s1, s2
        found = [self._climb(s1[i], s2[i]) for i in np.argsort(-self(s1, s2))[:4]]
        self.best = max(found, key=lambda s: float(self(np.array([s[0]]), np.array([s[1]]))[0]))
        return np.append(s1, [s[0] for s in found]), np.append(s2, [s[1] for s in found])

    def _climb(self, s1: float, s2: float) -> tuple[float, float]:
        free = self.problem.dimensions - 3

        def loss(s: FloatArray) -> float:
            pair = np.append(s, [s2] * (2 - free))
            return -float(self(pair[:1], pair[1:])[0])

        start = np.array([s1, s2])[:free]
        options = {"xatol": 1e-12, "fatol": 1e-8, "maxiter": 600}
        with np.errstate(invalid="ignore"):
            found = minimize(loss, start, method="Nelder-Mead", options=options).x
        return float(found[0]), float(found[1]) if free == 2 else s2


def first_edges(problem: Problem) -> FloatArray:
    """Panel ends of the first shape parameter: even ones, sizes of a sigmoid, the kink."""
    mean, sd = problem.prior[3]
    even = mean + sd * np.linspace(-9, 9, 73)
    extra = problem.x if problem.code == SIGMOID else np.zeros(int(problem.code == QUADRATIC))
    return np.unique(np.concatenate([even, extra]))


def width_integrals(scores: Scores, panels: FloatArray, top: float) -> FloatArray:
    """Log integral of a sigmoid over each panel of log width."""
    points = scores.resolution.points
    nodes, log_weights = nodes_of(panels, points)
    widths, weights = nodes.ravel(), log_weights.ravel()

    def evaluate(tags: NDArray[np.int64], location: FloatArray) -> FloatArray:
        return scores(location, widths[tags]) + weights[tags]

    edges = [first_edges(scores.problem)] * len(widths)
    values = line_integrals(evaluate, edges, scores.resolution, top)
    return np.asarray(logsumexp(values.reshape(-1, points), axis=1))


def sigmoid_cells(scores: Scores, edges: FloatArray) -> FloatArray:
    """Log integral over each cell of log width between ``edges``, cells halved as needed."""
    panels = tagged([edges])
    cells = np.arange(len(panels))
    total = np.full(len(panels), -np.inf)
    whole = width_integrals(scores, panels, -np.inf)
    top = float(logsumexp(whole))
    while len(panels):
        parts = halved(panels)
        heavy = whole > top - CUT_PANEL
        values = np.repeat(whole - math.log(2), 2)
        chosen = np.repeat(heavy, 2)
        values[chosen] = width_integrals(scores, parts[chosen], top)
        pairs = logsumexp(values.reshape(-1, 2), axis=1)
        settled = np.abs(np.exp(pairs - top) - np.exp(whole - top)) < scores.resolution.tolerance
        np.logaddexp.at(total, cells[settled], pairs[settled])
        again = np.repeat(~settled, 2)
        panels, whole, cells = parts[again], values[again], np.repeat(cells, 2)[again]
    return total


def width_edges(scores: Scores) -> FloatArray:
    """Ends of one prior sd each, closer about the best width found."""
    mean, sd = scores.problem.prior[4]
    even = mean + sd * np.linspace(-14, 14, 29)
    best = scores.best
    height, scale = scores(np.array([best[0]]), np.array([best[1]]))[0], sd
    for _ in range(SEARCH_STEPS):
        ends = scores(np.repeat(best[0], 2), best[1] + scale * np.array([-1.0, 1.0]))
        scale = scale / 2 if ends.min() < height - 2.0 else scale
    return graded(even, best[1], scale)


def score_evidence(problem: Problem, resolution: Resolution) -> tuple[float, int]:
    """Log evidence of scores, and the number of densities evaluated."""
    scores = Scores(problem, resolution)
    if problem.dimensions < 4:
        value = float(scores(np.zeros(1), np.zeros(1))[0])
    elif problem.code == SIGMOID:
        value = float(logsumexp(sigmoid_cells(scores, width_edges(scores))))
    else:

        def evaluate(_: NDArray[np.int64], s1: FloatArray) -> FloatArray:
            return scores(s1, np.zeros(len(s1)))

        value = float(line_integrals(evaluate, [first_edges(problem)], resolution)[0])
    return value, scores.evaluations
