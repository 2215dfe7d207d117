"""The density of ``hierarchy_model`` once more, compiled, with its gradient.

A position is a vector on the whole line: ``b0, beta``, ``gamma`` of the queries after the first,
logs of ``s_metric, s_task, s_family, tau``, then the coordinates of metrics, tasks and families
(no ``s_family`` and no families where there is one). Coordinates are the effects themselves where
the level is centred, else multiples of its spread; those of tasks and families lack one, since
these sum to zero.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.compiled import jit
from metamirage.robustness.hierarchy.width_mixture import mixture

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


class Scales(NamedTuple):
    """Of the priors, natural log units: mean and sd of b0, sds of effects, spreads, log scatter."""

    intercept: float
    intercept_sd: float
    effect: float
    spread: float
    log_scatter: float
    log_scatter_sd: float


class Layout(NamedTuple):
    """Numbers of levels, and which of them are centred."""

    n_queries: int
    n_metrics: int
    n_tasks: int
    n_families: int
    metric_centred: bool
    task_centred: bool
    family_centred: bool


class Data(NamedTuple):
    """Arguments of ``mixture``, levels of each group, and class and query of each metric.

    ``side`` is 1/2 for class 1 and -1/2 for class 0.
    """

    weights: FloatArray
    starts: NDArray[np.int64]
    edges: FloatArray
    metric: NDArray[np.int64]
    task: NDArray[np.int64]
    family: NDArray[np.int64]
    side: FloatArray
    query: NDArray[np.int64]


@jit
def with_last(free: FloatArray) -> FloatArray:
    """Turn n - 1 coordinates into n effects that sum to zero, lengths kept (as PyMC does)."""
    n = len(free) + 1
    total = free.sum()
    shift = total / (math.sqrt(n) + n)
    full = np.empty(n)
    full[:-1] = free - shift
    full[-1] = -total / math.sqrt(n)
    return full


@jit
def without_last(gradient: FloatArray) -> FloatArray:
    """Carry a gradient back through ``with_last``."""
    n = len(gradient)
    head = gradient[:-1]
    back: FloatArray = head - head.sum() / (math.sqrt(n) + n) - gradient[-1] / math.sqrt(n)
    return back


@jit
def normal(x: float, mean: float, sd: float) -> tuple[float, float]:
    """Log density and its derivative."""
    z = (x - mean) / sd
    return -0.5 * z * z - math.log(sd) - HALF_LOG_2PI, -z / sd


@jit
def half_normal_of_log(log_sd: float, scale: float) -> tuple[float, float]:
    """Log density of log sd, for sd half-Normal, and its derivative."""
    ratio = (math.exp(log_sd) / scale) ** 2
    constant = math.log(2.0) - HALF_LOG_2PI - math.log(scale)
    return constant - 0.5 * ratio + log_sd, 1.0 - ratio


@jit
def effects_prior(
    free: FloatArray, centre: FloatArray, sd: float, centred: bool
) -> tuple[float, FloatArray, float]:
    """Log prior of coordinates about ``centre``, and its derivatives by them and by log sd."""
    if not centred:
        return -0.5 * (free * free).sum() - len(free) * HALF_LOG_2PI, -free, 0.0
    z = (free - centre) / sd
    squares = (z * z).sum()
    value = -0.5 * squares - len(free) * (math.log(sd) + HALF_LOG_2PI)
    return value, -z / sd, squares - len(free)


@jit
def metric_means(q: FloatArray, layout: Layout, data: Data) -> FloatArray:
    """Means of the metrics: what class and query say of them."""
    means: FloatArray = q[0] + q[1] * data.side
    for m in range(layout.n_metrics):
        if data.query[m] > 0:
            means[m] += q[1 + data.query[m]]
    return means


@jit
def first_spread(layout: Layout) -> int:
    """Place of log s_metric in a position."""
    return 1 + layout.n_queries


@jit
def first_metric(layout: Layout) -> int:
    """Place of the first metric in a position."""
    return first_spread(layout) + (4 if layout.n_families > 1 else 3)


@jit
def dimension(layout: Layout) -> int:
    """Length of a position."""
    return first_metric(layout) + layout.n_metrics + layout.n_tasks + layout.n_families - 2


@jit
def all_effects(
    q: FloatArray, layout: Layout, data: Data
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Levels of the metrics, and effects of tasks and families, at a position."""
    at, of = first_spread(layout), first_metric(layout)
    metric = q[of : of + layout.n_metrics].copy()
    if not layout.metric_centred:
        metric = metric_means(q, layout, data) + math.exp(q[at]) * metric
    of += layout.n_metrics
    task = with_last(q[of : of + layout.n_tasks - 1])
    if not layout.task_centred:
        task = math.exp(q[at + 1]) * task
    family: FloatArray = np.zeros(1)
    if layout.n_families > 1:
        family = with_last(q[of + layout.n_tasks - 1 :])
        if not layout.family_centred:
            family = math.exp(q[at + 2]) * family
    return metric, task, family


@jit
def log_density(
    q: FloatArray, scales: Scales, layout: Layout, data: Data
) -> tuple[float, FloatArray]:
    """Log posterior density, up to the constant of the data, and its gradient.

    Parameters
    ----------
    q
        Position, shape (dimension,).
    scales, layout, data
        As in their classes.
    """
    gradient = np.zeros(len(q))
    at, of = first_spread(layout), first_metric(layout)
    tau = math.exp(q[of - 1])
    metric, task, family = all_effects(q, layout, data)
    mu = metric[data.metric] + task[data.task] + family[data.family]
    total, by_mu, by_tau = mixture(mu, tau, data.weights, data.starts, data.edges)
    gradient[of - 1] = by_tau * tau
    total += add_hyper_priors(q, gradient, scales, layout)

    by_level = np.bincount(data.metric, by_mu, layout.n_metrics)
    total += add_metrics(q, gradient, by_level, layout, data)
    of += layout.n_metrics
    by_level = np.bincount(data.task, by_mu, layout.n_tasks)
    total += add_level(q, gradient, by_level, at + 1, of, layout.task_centred)
    if layout.n_families > 1:
        by_level = np.bincount(data.family, by_mu, layout.n_families)
        of += layout.n_tasks - 1
        total += add_level(q, gradient, by_level, at + 2, of, layout.family_centred)
    return total, gradient


@jit
def add_hyper_priors(q: FloatArray, gradient: FloatArray, scales: Scales, layout: Layout) -> float:
    """Log priors of b0, beta, gamma, spreads and scatter; adds to the gradient."""
    at, last = first_spread(layout), first_metric(layout) - 1
    total, slope = normal(q[last], scales.log_scatter, scales.log_scatter_sd)
    gradient[last] += slope
    for i in range(last):
        if i >= at:
            value, slope = half_normal_of_log(q[i], scales.spread)
        elif i > 0:
            value, slope = normal(q[i], 0.0, scales.effect)
        else:
            value, slope = normal(q[0], scales.intercept, scales.intercept_sd)
        total += value
        gradient[i] += slope
    return total


@jit
def add_metrics(
    q: FloatArray, gradient: FloatArray, by_level: FloatArray, layout: Layout, data: Data
) -> float:
    """Log prior of the metrics; adds their part, and that of their means, to the gradient."""
    at, of = first_spread(layout), first_metric(layout)
    free = q[of : of + layout.n_metrics]
    sd = math.exp(q[at])
    means = metric_means(q, layout, data)
    value, by_free, by_log_sd = effects_prior(free, means, sd, layout.metric_centred)
    # A centred metric leans on its mean through its prior, another through its own level.
    by_mean = -by_free if layout.metric_centred else by_level
    if layout.metric_centred:
        by_data = by_level
    else:
        by_log_sd += sd * (by_level * free).sum()
        by_data = sd * by_level
    gradient[of : of + layout.n_metrics] += by_free + by_data
    gradient[at] += by_log_sd
    gradient[0] += by_mean.sum()
    gradient[1] += (by_mean * data.side).sum()
    for m in range(layout.n_metrics):
        if data.query[m] > 0:
            gradient[1 + data.query[m]] += by_mean[m]
    return value


@jit
def add_level(
    q: FloatArray, gradient: FloatArray, by_level: FloatArray, spread: int, of: int, centred: bool
) -> float:
    """Log prior of the tasks or families; adds their part to the gradient."""
    free = q[of : of + len(by_level) - 1]
    sd = math.exp(q[spread])
    value, by_free, by_log_sd = effects_prior(free, np.zeros(len(free)), sd, centred)
    by_data = without_last(by_level)
    if not centred:
        by_log_sd += sd * (by_data * free).sum()
        by_data = sd * by_data
    gradient[of : of + len(free)] += by_free + by_data
    gradient[spread] += by_log_sd
    return value
