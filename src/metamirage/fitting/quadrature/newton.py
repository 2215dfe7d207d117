"""Compiled Newton steps in three dimensions, damped where the function is not concave.

Vectors and triangles are tuples of numbers: these stay in registers, where arrays of so few would
be written and read back.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from metamirage.base.compiled import inlined

type Vector = tuple[float, float, float]
# Lower triangle of a symmetric matrix or of its Cholesky factor, by rows: 00, 10, 11, 20, 21, 22.
type Triangle = tuple[float, float, float, float, float, float]

MAX_DAMPINGS = 40
# Longest Newton step in any parameter, on scales where a prior's sd is about one.
MAX_STEP = 3.0
# Smaller squares of a factor's diagonal are taken for rounding.
LEAST_CURVATURE = 1e-10


class Expansion(NamedTuple):
    """Gradient of a function, and its negative Hessian."""

    gradient: Vector
    curvature: Triangle


@inlined
def damped_factor(curvature: Triangle) -> Triangle:
    """Cholesky factor with the smallest of a rising series of dampings that works.

    A matrix that is not finite has none: the identity stands in, and the weights of the draws show
    what that costs.
    """
    c00, c10, c11, c20, c21, c22 = curvature
    damping = 0.0
    for _ in range(MAX_DAMPINGS):
        square0 = c00 + damping
        l00 = math.sqrt(square0)
        l10, l20 = c10 / l00, c20 / l00
        square1 = c11 + damping - l10 * l10
        l11 = math.sqrt(square1)
        l21 = (c21 - l20 * l10) / l11
        square2 = c22 + damping - l20 * l20 - l21 * l21
        # No number, from the root of a negative one, is not larger either.
        if square0 > LEAST_CURVATURE and square1 > LEAST_CURVATURE and square2 > LEAST_CURVATURE:
            return l00, l10, l11, l20, l21, math.sqrt(square2)
        damping = 1e-3 if damping == 0.0 else damping * 8.0
    return 1.0, 0.0, 1.0, 0.0, 0.0, 1.0


@inlined
def solve(right: Vector, factor: Triangle) -> Vector:
    """Solve L L' step = right."""
    l00, l10, l11, l20, l21, l22 = factor
    y0 = right[0] / l00
    y1 = (right[1] - l10 * y0) / l11
    y2 = (right[2] - l20 * y0 - l21 * y1) / l22
    s2 = y2 / l22
    s1 = (y1 - l21 * s2) / l11
    return (y0 - l10 * s1 - l20 * s2) / l00, s1, s2


@inlined
def newton_step(gradient: Vector, factor: Triangle) -> tuple[Vector, float]:
    """Return the step to the top of the quadratic model, cut in length, and what it gains uncut."""
    s0, s1, s2 = solve(gradient, factor)
    gain = 0.5 * (s0 * gradient[0] + s1 * gradient[1] + s2 * gradient[2])
    cut = MAX_STEP / max(MAX_STEP, abs(s0), abs(s1), abs(s2))
    return (cut * s0, cut * s1, cut * s2), gain
