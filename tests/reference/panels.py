"""Integrals of one and more lines by Gauss-Legendre panels that are halved as needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from metamirage.base.arrays import FloatArray

# Log density at (tag, point): each tag has a line of its own.
Evaluate = Callable[[NDArray[np.int64], FloatArray], FloatArray]

# A panel this many nats below the total is not halved.
CUT_PANEL = 22.0
# Halvings in the search for the best point of a line.
SEARCH_STEPS = 40
# No number lies within a narrower panel.
NARROWEST = 1e-13


@dataclass(frozen=True)
class Resolution:
    """How fine: points a panel, noise steps, what halving a panel may change of the total."""

    points: int
    noise: float
    tolerance: float


def nodes_of(panels: FloatArray, points: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre points and log weights of panels, a row a panel (tag, from, to)."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    half = (panels[:, 2] - panels[:, 1])[:, None] / 2
    return panels[:, 1:2] + half * (1 + nodes), np.log(half * weights)


def panel_integrals(evaluate: Evaluate, panels: FloatArray, points: int) -> FloatArray:
    """Log integral over each panel."""
    nodes, log_weights = nodes_of(panels, points)
    tags = np.repeat(panels[:, 0].astype(np.int64), points)
    values = evaluate(tags, nodes.ravel()).reshape(nodes.shape)
    return np.asarray(logsumexp(values + log_weights, axis=1))


def halved(panels: FloatArray) -> FloatArray:
    """Both halves of each panel, one after the other."""
    middle = (panels[:, 1] + panels[:, 2]) / 2
    left = np.column_stack([panels[:, 0], panels[:, 1], middle])
    right = np.column_stack([panels[:, 0], middle, panels[:, 2]])
    return np.stack([left, right], axis=1).reshape(-1, 3)


def adaptive(
    evaluate: Evaluate, panels: FloatArray, resolution: Resolution, top: float = -np.inf
) -> tuple[NDArray[np.int64], FloatArray]:
    """Halve panels until that changes nothing of the total; return tags and log integrals."""
    tags, done = [], []
    whole = panel_integrals(evaluate, panels, resolution.points)
    top = max(top, float(logsumexp(whole)))
    while len(panels):
        light = whole < top - CUT_PANEL
        tags.append(panels[light, 0])
        done.append(whole[light])
        panels, whole = panels[~light], whole[~light]
        parts = halved(panels)
        values = panel_integrals(evaluate, parts, resolution.points)
        pairs = logsumexp(values.reshape(-1, 2), axis=1)
        settled = np.abs(np.exp(pairs - top) - np.exp(whole - top)) < resolution.tolerance
        # No number lies between the ends of such a panel's halves.
        settled |= panels[:, 2] - panels[:, 1] < NARROWEST
        tags.append(panels[settled, 0])
        done.append(pairs[settled])
        again = np.repeat(~settled, 2)
        panels, whole = parts[again], values[again]
    return np.concatenate(tags).astype(np.int64), np.concatenate(done)


def best_points(evaluate: Evaluate, panels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Best point of each tag, and how far from it two nats are lost."""
    nodes, _ = nodes_of(panels, 3)
    tags = np.repeat(panels[:, 0].astype(np.int64), 3)
    values = evaluate(tags, nodes.ravel())
    order = np.lexsort((-values, tags))
    first = order[np.unique(tags[order], return_index=True)[1]]
    which, reach = tags[first], (panels[first // 3, 2] - panels[first // 3, 1])
    low, high = nodes.ravel()[first] - reach, nodes.ravel()[first] + reach
    for _ in range(SEARCH_STEPS):
        third = (high - low) / 3
        left, right = evaluate(which, low + third), evaluate(which, high - third)
        low = np.where(left < right, low + third, low)
        high = np.where(left < right, high, high - third)
    best = (low + high) / 2
    height, scale = evaluate(which, best), reach.copy()
    for _ in range(SEARCH_STEPS):
        near = np.minimum(evaluate(which, best - scale), evaluate(which, best + scale))
        scale = np.where(near < height - 2.0, scale / 2, scale)
    return best, scale


def graded(edges: FloatArray, best: float, scale: float) -> FloatArray:
    """Panel ends drawn closer and closer about the best point, down to ``scale``."""
    steps = scale * 2.0 ** np.arange(60)
    steps = np.append(0.0, steps[steps < 2 * np.diff(edges).max()])
    close = np.concatenate([best - steps, best + steps])
    close = close[(close > edges[0]) & (close < edges[-1])]
    merged = np.unique(np.concatenate([edges, close]))
    return merged[np.append(True, np.diff(merged) > NARROWEST)]


def tagged(edges: list[FloatArray]) -> FloatArray:
    """Panels between the ends of each tag."""
    rows = [np.column_stack([np.full(len(e) - 1, t), e[:-1], e[1:]]) for t, e in enumerate(edges)]
    return np.concatenate(rows)


def line_integrals(
    evaluate: Evaluate, edges: list[FloatArray], resolution: Resolution, top: float = -np.inf
) -> FloatArray:
    """Log integral of each tag over its line."""
    best, scale = best_points(evaluate, tagged(edges))
    close = [graded(e, b, s) for e, b, s in zip(edges, best, scale, strict=True)]
    tags, values = adaptive(evaluate, tagged(close), resolution, top)
    return np.array([logsumexp(values[tags == tag]) for tag in range(len(edges))])
