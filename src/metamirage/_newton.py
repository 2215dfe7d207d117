"""Compiled Newton steps in up to three dimensions, damped where the function is not concave."""

from __future__ import annotations

import math

from metamirage._compiled import jit
from metamirage.curves import FloatArray

MAX_DAMPINGS = 40
# Longest Newton step in any parameter, on scales where a prior's sd is about one.
MAX_STEP = 3.0


@jit
def cholesky(hessian: FloatArray, d: int, damping: float, lower: FloatArray) -> bool:
    """Cholesky factor of -hessian + damping * I, in place; False if not positive definite."""
    for i in range(d):
        for j in range(i + 1):
            total = -hessian[i, j] + (damping if i == j else 0.0)
            for m in range(j):
                total -= lower[i, m] * lower[j, m]
            if i == j:
                if not total > 1e-10:
                    return False
                lower[i, i] = math.sqrt(total)
            else:
                lower[i, j] = total / lower[j, j]
    return True


@jit
def damped_cholesky(hessian: FloatArray, d: int, lower: FloatArray) -> None:
    """Factor with the smallest of a rising series of dampings that works.

    A Hessian that is not finite has none: the identity stands in, and the weights of the draws
    show what that costs.
    """
    damping = 0.0
    for _ in range(MAX_DAMPINGS):
        if cholesky(hessian, d, damping, lower):
            return
        damping = 1e-3 if damping == 0.0 else damping * 8.0
    lower[:] = 0.0
    for j in range(d):
        lower[j, j] = 1.0


@jit
def newton_step(gradient: FloatArray, lower: FloatArray, d: int, step: FloatArray) -> float:
    """Solve (L L') step = gradient, in place; return the gain of the quadratic model."""
    gain = 0.0
    for i in range(d):
        total = gradient[i]
        for m in range(i):
            total -= lower[i, m] * step[m]
        step[i] = total / lower[i, i]
        gain += 0.5 * step[i] * step[i]
    longest = MAX_STEP
    for i in range(d - 1, -1, -1):
        total = step[i]
        for m in range(i + 1, d):
            total -= lower[m, i] * step[m]
        step[i] = total / lower[i, i]
        longest = max(longest, abs(step[i]))
    for i in range(d):
        step[i] *= MAX_STEP / longest
    return gain
