"""Compiled local work of the engine: where the inner parameters are, given the shape.

Inner parameters are (left, dispersion, right). For counts all three are expanded about their joint
mode. For Gaussian scores the levels are integrated in closed form and only the log noise is
expanded, about the mode of its marginal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import inlined, jit
from metamirage.fitting.quadrature.densities import (
    SIGMOID,
    Ladder,
    expand_counts,
    fill_sigmoid,
    make_ladder,
    shape,
)
from metamirage.fitting.quadrature.newton import MAX_STEP, damped_factor, newton_step, solve

MAX_HALVINGS = 12
# Step of the differences that give the slope and curvature of the noise's marginal.
NOISE_DELTA = 0.05
# Where a climb of the noise may start, in prior sds from its prior mean: scores that a shape fits
# exactly have a second, tiny noise, which no climb from a common one would find.
NOISE_STARTS = np.array([-24.0, -16.0, -11.0, -7.0, -4.0, -2.0, 0.0])


class Problem(NamedTuple):
    """One candidate on one curve, as the compiled code wants it.

    Parameters
    ----------
    candidate
        One of ``densities.CODES``.
    inner
        Inner parameters in use: 2 for flat, 3 otherwise.
    outer
        Shape parameters in use: 0, 1 (power, quadratic) or 2 (sigmoid).
    counted
        Beta-binomial counts, or Gaussian scores.
    x, y, spread, base
        Size; count or score; items or standard error; ``densities.log_base``. Shape (n,).
    window
        Smallest and largest size, shape (2,).
    priors
        Means and sds, shape (5, 2).
    """

    candidate: int
    inner: int
    outer: int
    counted: bool
    x: FloatArray
    y: FloatArray
    spread: FloatArray
    base: FloatArray
    window: FloatArray
    priors: FloatArray


class Room(NamedTuple):
    """Working memory of one integral.

    Shape (n,), the counts' rising factorials, a step (3,) and a factor (3, 3).
    """

    h: FloatArray
    ladder: Ladder
    step: FloatArray
    lower: FloatArray


@jit
def make_room(problem: Problem, copies: int = 1) -> Room:
    """Make room for a curve's integral, for counts with so many copies of the ladder.

    Scores need no rising factorials.
    """
    n = len(problem.x) if problem.counted else 0
    ladder = make_ladder(problem.y[:n], problem.spread[:n], copies)
    return Room(np.empty(len(problem.x)), ladder, np.empty(3), np.zeros((3, 3)))


@inlined
def fill_shape(problem: Problem, shape1: float, shape2: float, h: FloatArray) -> None:
    """Shape at each size, in place."""
    if problem.candidate == SIGMOID:
        fill_sigmoid(problem.x, shape1, shape2, h)
        return
    first, last = problem.window[0], problem.window[1]
    for i in range(len(h)):
        h[i] = shape(problem.candidate, problem.x[i], first, last, shape1, shape2)


@inlined
def climb_counts(problem: Problem, room: Room, theta: FloatArray, enough: float) -> float:
    """Newton ascent of (left, log phi, right) for counts, in place; return the log joint there.

    Ends where a step would gain less than ``enough`` nats, and takes that last step unseen.
    ``room.lower`` becomes the Cholesky factor of the negative Hessian.
    """
    priors, ladder, trial = problem.priors, room.ladder, room.step
    value, around = expand_counts(room.h, theta, priors, ladder)
    while True:
        factor = damped_factor(around.curvature)
        (s0, s1, s2), gain = newton_step(around.gradient, factor)
        if not gain > enough:
            # A gain that is no number has no step either.
            if gain >= 0:
                theta[0], theta[1], theta[2] = theta[0] + s0, theta[1] + s1, theta[2] + s2
                value += gain
            break
        size = 1.0
        there = -math.inf
        for _ in range(MAX_HALVINGS):
            trial[0] = theta[0] + size * s0
            trial[1] = theta[1] + size * s1
            trial[2] = theta[2] + size * s2
            there, around = expand_counts(room.h, trial, priors, ladder)
            if there > value:
                break
            size *= 0.4
        if not there > value:
            break
        # Rounding can make a climb of ever smaller steps.
        slow = there - value < 0.01 * enough
        value = there
        theta[:] = trial
        if slow:
            break
    lower = room.lower
    lower[0, 0], lower[1, 0], lower[1, 1], lower[2, 0], lower[2, 1], lower[2, 2] = factor
    return value


@jit
def integrate_levels(
    problem: Problem, h: FloatArray, nu: float, mean: FloatArray, lower: FloatArray
) -> float:
    """Integrate the levels of Gaussian scores in closed form, given the log noise ``nu``.

    The levels are (left, right), or left alone for flat. Fills ``mean`` (3,) and ``lower`` (3, 3),
    the Cholesky factor of their posterior precision, at 0 and 2; returns the log marginal and the
    log prior of the noise, but for constants.
    """
    y, stderr, priors = problem.y, problem.spread, problem.priors
    noise = math.exp(2 * nu)
    a = 1.0 / priors[0, 1] ** 2
    b = 0.0
    c = 1.0 / priors[2, 1] ** 2
    u = 0.0
    v = 0.0
    for i in range(len(y)):
        w = 1.0 / (stderr[i] ** 2 + noise)
        right = h[i] * w
        left = w - right
        r = y[i] - priors[0, 0] - (priors[2, 0] - priors[0, 0]) * h[i]
        a += (1 - h[i]) * left
        b += h[i] * left
        c += h[i] * right
        u += left * r
        v += right * r
    lower[0, 0] = math.sqrt(a)
    log_det = math.log(lower[0, 0])
    d_left, d_right = u / a, 0.0
    if problem.inner == 3:
        lower[2, 0] = b / lower[0, 0]
        # The subtraction cancels for h near 0 throughout; the prior's part of c bounds it below.
        lower[2, 2] = math.sqrt(max(c - lower[2, 0] ** 2, 1.0 / priors[2, 1] ** 2))
        log_det += math.log(lower[2, 2])
        d_right = (v - lower[2, 0] * u / lower[0, 0]) / lower[2, 2] ** 2
        d_left = (u / lower[0, 0] - lower[2, 0] * d_right) / lower[0, 0]
    mean[0], mean[2] = priors[0, 0] + d_left, priors[2, 0] + d_right
    # The misfit about the mean: completing the square would cancel where the noise is small.
    square = (d_left / priors[0, 1]) ** 2 + (d_right / priors[2, 1]) ** 2
    square += ((nu - priors[1, 0]) / priors[1, 1]) ** 2
    for i in range(len(y)):
        variance = stderr[i] ** 2 + noise
        r = y[i] - mean[0] - (mean[2] - mean[0]) * h[i]
        square += r * r / variance + math.log(variance)
    return float(-0.5 * square - log_det)


@jit
def climb_noise(problem: Problem, room: Room, theta: FloatArray, enough: float) -> float:
    """Newton ascent of the log noise of Gaussian scores, in place; return its log marginal there.

    ``room.lower[1, 1]`` becomes the root of the negative curvature.
    """
    # ASSUME: the noise's marginal is never expanded as wider than twice its prior.
    least = 0.25 / problem.priors[1, 1] ** 2
    value = integrate_levels(problem, room.h, theta[1], room.step, room.lower)
    for start in NOISE_STARTS:
        nu = problem.priors[1, 0] + start * problem.priors[1, 1]
        there = integrate_levels(problem, room.h, nu, room.step, room.lower)
        if there > value:
            value = there
            theta[1] = nu
    while True:
        up = integrate_levels(problem, room.h, theta[1] + NOISE_DELTA, room.step, room.lower)
        down = integrate_levels(problem, room.h, theta[1] - NOISE_DELTA, room.step, room.lower)
        slope = (up - down) / (2 * NOISE_DELTA)
        curvature = max((2 * value - up - down) / NOISE_DELTA**2, least)
        step = min(max(slope / curvature, -MAX_STEP), MAX_STEP)
        room.lower[1, 1] = math.sqrt(curvature)
        if not 0.5 * slope * step > enough:
            theta[1] += step
            return float(value + 0.5 * slope * step)
        there = -math.inf
        for _ in range(MAX_HALVINGS):
            there = integrate_levels(problem, room.h, theta[1] + step, room.step, room.lower)
            if there > value:
                break
            step *= 0.4
        if not there > value:
            return value
        slow = there - value < 0.01 * enough
        theta[1] += step
        value = there
        if slow:
            return value


@inlined
def climb(problem: Problem, room: Room, theta: FloatArray, enough: float) -> float:
    """Move theta (3,) to the mode given the shape, in place; return the log mass about it.

    Laplace's approximation, but for constants that all shapes of a problem share.
    """
    if not problem.counted:
        value = climb_noise(problem, room, theta, enough)
        return value - math.log(room.lower[1, 1])
    value = climb_counts(problem, room, theta, enough)
    for j in range(problem.inner):
        value -= math.log(room.lower[j, j])
    return value


@inlined
def spread(problem: Problem, room: Room, theta: FloatArray, out: FloatArray) -> None:
    """Describe the marginal of the dispersion after a climb to theta.

    Fills ``out`` (4,): its centre, its sd, and how far the left and the right level of counts move
    with it along the ridge of the joint density.
    """
    lower, priors = room.lower, problem.priors
    out[0], out[1], out[2], out[3] = theta[1], 1.0 / lower[1, 1], 0.0, 0.0
    if not problem.counted:
        return
    factor = lower[0, 0], lower[1, 0], lower[1, 1], lower[2, 0], lower[2, 1], lower[2, 2]
    with_left, variance, with_right = solve((0.0, 1.0, 0.0), factor)
    out[1], out[2], out[3] = math.sqrt(variance), with_left / variance, with_right / variance
    # Levels are freer under a smaller phi, for their precision goes with the effective number of
    # items, n (1 + phi) / (n + phi): the marginal of log phi lies below its joint mode.
    phi = math.exp(theta[1])
    growth = 0.0
    at = 2 * len(room.h)
    for j in range(len(room.ladder.runs)):
        n = room.ladder.steps[at + j]
        growth += room.ladder.runs[j] * phi * (n - 1) / ((1 + phi) * (n + phi))
    growth /= len(room.h)
    informed = 0.0
    for j in range(0, problem.inner, 2):
        precision = 0.0
        for m in range(j + 1):
            precision += lower[j, m] ** 2
        informed += max(0.0, 1.0 - 1.0 / (priors[j, 1] ** 2 * precision))
    out[0] -= 0.5 * informed * growth * variance
