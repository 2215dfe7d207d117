"""Compiled outer work of the engine: where in the shape's plane the mass is.

A cell is a box (low1, high1, low2, high2) in (shape1, shape2) with the inner mode at its centre
and Laplace's approximation of the log mass inside. The boxes of one row share a band of width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.priors import LOG10_WIDTH_NODES
from metamirage.fitting.quadrature.densities import LN2, LN10
from metamirage.fitting.quadrature.modes import Problem, Room, climb, fill_shape, make_room, spread

# Cells that splitting may add to the first ones.
MAX_SPLIT = 6000
MAX_PASSES = 24
# A row is the band about one node of the common grid of widths, in natural logarithms.
N_ROWS = len(LOG10_WIDTH_NODES)
ROW_STEP = LN10 * float(LOG10_WIDTH_NODES[1] - LOG10_WIDTH_NODES[0])
FIRST_WIDTH = LN10 * float(LOG10_WIDTH_NODES[0]) - ROW_STEP / 2
# ASSUME: prior mass beyond five sd of the location (6e-7) is left out, and so it is beyond eight sd
# of the width, the exponent and the turning point (1e-15): scores that fit exactly follow a shape
# far out.
LOCATION_REACH_SD = 5.0
SHAPE_REACH_SD = 8.0
N_OUTSIDE = 5
N_LINE = 40
# Bands of width beyond either end of the common grid; the end rows take their mass.
N_BEYOND = 2
# Narrower transitions than this, in decades, are looked for at each size and between sizes.
NARROW = 1.0
# A Newton step that would gain less than this many nats ends a climb.
ENOUGH = 0.1
# A cell with more than this share of the mass, times the square of the coarseness, is split, and so
# are its neighbours; by the number of shape parameters: a plane needs more cells than a line.
SPLIT_SHARE = (1.0, 0.005, 0.005)
# In a row within so many nats of the best, no cell may hold more than this share of the row.
ROW_SHARE = 0.3
# Cells of scores are this much smaller: few scores are fitted exactly along a thin ridge, beside
# which the noise is another.
SCORES_FINER = 0.35
ROW_NATS = 12.0


class Grid(NamedTuple):
    """Boxes (c, 4), inner modes (c, 3), marginals of the dispersion (c, 4) and log masses (c,).

    The marginals are those of ``_modes.spread`` at the mode.
    """

    boxes: FloatArray
    modes: FloatArray
    marginals: FloatArray
    masses: FloatArray


@jit
def make_grid(problem: Problem) -> Grid:
    """Return an empty grid with room for a curve's first cells and for what they split into."""
    if problem.outer == 0:
        return Grid(np.empty((1, 4)), np.empty((1, 3)), np.empty((1, 4)), np.empty(1))
    edges = max(2 * len(problem.x), _n_wide(problem.x[-1] - problem.x[0], NARROW)) + 2 * N_OUTSIDE
    n = max((N_ROWS + 2 * N_BEYOND) * edges, N_LINE) + MAX_SPLIT
    return Grid(np.empty((n, 4)), np.empty((n, 3)), np.empty((n, 4)), np.empty(n))


@jit
def _n_wide(span: float, width: float) -> int:
    """Count the even edges of location in a window, for a wide transition."""
    return 2 + int(span / min(0.4 * width, 1.5))


@jit
def _add_boxes(boxes: FloatArray, n: int, edges: FloatArray, low: float, high: float) -> int:
    """Append the boxes between edges of shape1; return their new number."""
    for i in range(len(edges) - 1):
        boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3] = edges[i], edges[i + 1], low, high
        n += 1
    return n


@jit
def _inside_edges(x: FloatArray, width: float) -> FloatArray:
    """Find the ends of the first cells of location in the window, for one width."""
    first, last = x[0], x[-1]
    if width >= NARROW:
        return np.linspace(first, last, _n_wide(last - first, width))
    edges = [first]
    before = first
    for i in range(1, len(x)):
        gap = x[i] - before
        if gap > 1e-9:
            reach = min(0.5 * width, 0.3 * gap)
            edges.append(before + reach)
            edges.append(x[i] - reach)
            before = x[i]
    edges.append(last)
    return np.array(edges)


@jit
def _location_edges(problem: Problem, width: float) -> FloatArray:
    """Find the ends of the first cells of location, out to the reach of its prior."""
    inside = _inside_edges(problem.x, width)
    reach = LOCATION_REACH_SD * problem.priors[3, 1]
    m = len(inside)
    edges = np.empty(m + 2 * N_OUTSIDE)
    edges[N_OUTSIDE : N_OUTSIDE + m] = inside
    # The flank of a transition beside the window still touches its first or last size.
    flank = min(0.5 * width, 0.2 * reach)
    # A window longer than the prior's reach still has its flanks.
    low = min(problem.priors[3, 0] - reach, inside[0] - flank - 1.0)
    high = max(problem.priors[3, 0] + reach, inside[m - 1] + flank + 1.0)
    for i in range(N_OUTSIDE):
        away = (i / (N_OUTSIDE - 1)) ** 2
        edges[N_OUTSIDE - 1 - i] = inside[0] - flank - away * (inside[0] - flank - low)
        edges[N_OUTSIDE + m + i] = inside[m - 1] + flank + away * (high - inside[m - 1] - flank)
    return edges


@jit
def first_boxes(problem: Problem, boxes: FloatArray, coarseness: int) -> int:
    """Fill the boxes that the search starts from, so many rows high; return their number."""
    if problem.outer == 0:
        return _add_boxes(boxes, 0, np.array([0.0, 1.0]), 0.0, 1.0)
    if problem.outer == 1:
        reach = SHAPE_REACH_SD * problem.priors[3, 1]
        return _add_boxes(boxes, 0, np.linspace(-reach, reach, N_LINE + 1), 0.0, 1.0)
    n = 0
    bands = _width_edges(problem, coarseness)
    for i in range(len(bands) - 1):
        edges = _location_edges(problem, math.exp(0.5 * (bands[i] + bands[i + 1])))
        n = _add_boxes(boxes, n, edges, bands[i], bands[i + 1])
    return n


@jit
def _width_edges(problem: Problem, rows: int) -> FloatArray:
    """Find the ends of the bands of width: so many rows each, and some to the prior's reach."""
    mean, sd = problem.priors[4]
    last = FIRST_WIDTH + N_ROWS * ROW_STEP
    n_inside = -(-N_ROWS // rows)
    edges = np.empty(n_inside + 1 + 2 * N_BEYOND)
    for i in range(n_inside + 1):
        edges[N_BEYOND + i] = min(FIRST_WIDTH + i * rows * ROW_STEP, last)
    low = min(mean - SHAPE_REACH_SD * sd, FIRST_WIDTH - N_BEYOND * ROW_STEP)
    high = max(mean + SHAPE_REACH_SD * sd, last + N_BEYOND * ROW_STEP)
    for i in range(N_BEYOND):
        away = (i + 1) / N_BEYOND
        edges[N_BEYOND - 1 - i] = FIRST_WIDTH + away * (low - FIRST_WIDTH)
        edges[N_BEYOND + n_inside + 1 + i] = last + away * (high - last)
    return edges


@jit
def row_at(log_width: float) -> int:
    """Row of a width, in natural logarithms; the end rows take what lies beyond them."""
    row = math.floor((log_width - FIRST_WIDTH) / ROW_STEP)
    return int(min(max(row, 0), N_ROWS - 1))


@jit
def rows_of(box: FloatArray) -> tuple[int, int]:
    """First and last row of a box of the sigmoid; rounding of its edges is no row."""
    grain = 1e-6 * ROW_STEP
    return row_at(box[2] + grain), row_at(box[3] - grain)


@inlined
def measure(problem: Problem, room: Room, grid: Grid, c: int) -> None:
    """Find the mode and the log mass of cell c, climbing from the mode that stands there."""
    low1, high1, low2, high2 = grid.boxes[c]
    shape1, shape2 = 0.5 * (low1 + high1), 0.5 * (low2 + high2)
    fill_shape(problem, shape1, shape2, room.h)
    value = climb(problem, room, grid.modes[c], ENOUGH)
    spread(problem, room, grid.modes[c], grid.marginals[c])
    if problem.outer > 0:
        t = (shape1 - problem.priors[3, 0]) / problem.priors[3, 1]
        value += math.log(high1 - low1) - 0.5 * t * t
    if problem.outer > 1:
        t = (shape2 - problem.priors[4, 0]) / problem.priors[4, 1]
        value += math.log(high2 - low2) - 0.5 * t * t
    grid.masses[c] = value


@jit
def measure_first(problem: Problem, room: Room, grid: Grid, n: int) -> None:
    """Measure the first n cells: each climbs from the mode of the cell below, of the last width."""
    boxes = grid.boxes
    grid.modes[0] = problem.priors[:3, 0]
    measure(problem, room, grid, 0)
    # Cells of the row below are [start, stop); the first row has none, and goes from left to right.
    start, stop, below = 0, 0, 0
    for c in range(1, n):
        if boxes[c, 2] > boxes[c - 1, 2]:
            start, stop = stop, c
            below = start
        middle = boxes[c, 0] + boxes[c, 1]
        while below + 1 < stop and boxes[below, 1] + boxes[below + 1, 0] < middle:
            below += 1
        grid.modes[c] = grid.modes[below if stop > 0 else c - 1]
        measure(problem, room, grid, c)


@jit
def _touch(a: FloatArray, b: FloatArray) -> bool:
    return bool(a[0] <= b[1] and b[0] <= a[1] and a[2] <= b[3] and b[2] <= a[3])


@jit
def row_masses(grid: Grid, n: int) -> FloatArray:
    """Log mass of each row of a plane; a cell of several rows gives each the same part."""
    tops = np.full(N_ROWS, -np.inf)
    for c in range(n):
        first, last = rows_of(grid.boxes[c])
        for row in range(first, last + 1):
            tops[row] = max(tops[row], grid.masses[c])
    sums = np.zeros(N_ROWS)
    for c in range(n):
        first, last = rows_of(grid.boxes[c])
        for row in range(first, last + 1):
            # Over the row's own largest: it may lie thousands of nats below the highest of all.
            if grid.masses[c] > -math.inf:
                sums[row] += math.exp(grid.masses[c] - tops[row]) / (1 + last - first)
    return tops + np.log(sums)


@jit
def smooth_rows(grid: Grid, rows: FloatArray) -> FloatArray:
    """Turn the steps that cells of several rows leave in the log masses of rows into slopes.

    A quarter of each neighbour and half of itself is exact where the log mass is a line. Rows
    that are mostly made of cells of their own stay as they are.
    """
    own = np.full(N_ROWS, -np.inf)
    for c in range(len(grid.masses)):
        first, last = rows_of(grid.boxes[c])
        if first == last:
            own[first] = np.logaddexp(own[first], grid.masses[c])
    out = rows.copy()
    for row in range(1, N_ROWS - 1):
        if own[row] < rows[row] - LN2:
            out[row] = 0.5 * rows[row] + 0.25 * (rows[row - 1] + rows[row + 1])
    return out


@jit
def mark(problem: Problem, grid: Grid, n: int, coarseness: int, marked: NDArray[np.bool_]) -> int:
    """Mark cells with too much of the mass, and those of their size or larger beside them."""
    top = grid.masses[:n].max()
    total = top + math.log(np.exp(grid.masses[:n] - top).sum())
    rows = row_masses(grid, n) if problem.outer == 2 else np.empty(0)
    best = rows.max() if problem.outer == 2 else 0.0
    finer = 0.0 if problem.counted else math.log(SCORES_FINER)
    enough = math.log(SPLIT_SHARE[problem.outer] * coarseness**2) + finer
    enough_of_row = math.log(ROW_SHARE) + finer
    marked[:n] = False
    for c in range(n):
        marked[c] = grid.masses[c] - total > enough
        if problem.outer == 2 and not marked[c]:
            first, last = rows_of(grid.boxes[c])
            row = rows[first]
            part = grid.masses[c] - math.log(1.0 + last - first)
            marked[c] = row > best - ROW_NATS and part - row > enough_of_row
    core = np.nonzero(marked[:n])[0]
    if len(core) == 0:
        return 0
    boxes = grid.boxes
    around = np.array(
        [
            boxes[core, 0].min(),
            boxes[core, 1].max(),
            boxes[core, 2].min(),
            boxes[core, 3].max(),
        ]
    )
    for c in range(n):
        # However little the centre of a neighbour holds: the mass may reach into its corner.
        if marked[c] or not _touch(boxes[c], around):
            continue
        for m in core:
            width, other = boxes[c, 1] - boxes[c, 0], boxes[m, 1] - boxes[m, 0]
            if width > 0.99 * other and _touch(boxes[c], boxes[m]):
                marked[c] = True
                break
    return len(core)


@jit
def split(problem: Problem, grid: Grid, n: int, marked: NDArray[np.bool_]) -> int:
    """Replace each marked cell by its 2 or 4 parts, in place; return the new number of cells."""
    end = n
    for c in range(n):
        if not marked[c] or end + 3 > len(grid.boxes):
            marked[c] = False
            continue
        box = grid.boxes[c].copy()
        for part in range(2**problem.outer):
            at = c if part == 0 else end
            end += part > 0
            grid.modes[at] = grid.modes[c]
            for a in range(2):
                middle = 0.5 * (box[2 * a] + box[2 * a + 1])
                upper = (part >> a) & 1
                grid.boxes[at, 2 * a] = middle if upper else box[2 * a]
                halved = a < problem.outer and not upper
                grid.boxes[at, 2 * a + 1] = middle if halved else box[2 * a + 1]
    return end


@jit
def refine(problem: Problem, grid: Grid, coarseness: int) -> int:
    """Measure the first cells, then split where the mass is until no cell holds too much of it.

    Cells of a plane are ``coarseness`` rows of width high at first. Returns their number.
    """
    room = make_room(problem)
    n = first_boxes(problem, grid.boxes, coarseness)
    measure_first(problem, room, grid, n)
    marked = np.zeros(len(grid.boxes), dtype=np.bool_)
    for _ in range(MAX_PASSES if problem.outer > 0 else 0):
        if mark(problem, grid, n, coarseness, marked) == 0:
            break
        end = split(problem, grid, n, marked)
        for c in range(end):
            if c >= n or marked[c]:
                measure(problem, room, grid, c)
        if end == n:
            break
        n = end
    return n
