"""The hierarchical model of all log widths as a PyMC model: this defines it.

    log width of a curve = metric + task + family + scatter,
    metric ~ Normal(b0 + beta * (class - 1/2) + gamma[query], s_metric),
    task ~ Normal(0, s_task), family ~ Normal(0, s_family), scatter ~ Normal(0, tau).

Tasks and families each sum to zero, so that b0 is about those of the benchmark, midway between the
classes. Each curve enters through its whole profile, its own width integrated out: with p_cj the
profile of curve c in the cell of node j, its likelihood is sum_j exp(p_cj) P(width in cell j).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from metamirage.robustness.hierarchy.density import Data, Layout, Scales


def build_model(scales: Scales, layout: Layout, data: Data) -> pm.Model:
    """Build the PyMC model.

    Parameters
    ----------
    scales, layout, data
        As the compiled density takes them.

    Returns
    -------
    pymc.Model
        ``b0, beta, gamma, s_metric, s_task, s_family, tau`` and the effects ``metric``, ``task``
        and ``family``, or ``metric_z`` and so on where the level is not centred. ``gamma`` lacks
        the query with most curves; a single query has no ``gamma``, a single family no ``family``.
    """
    with pm.Model() as model:
        mean = pm.Normal("b0", scales.intercept, scales.intercept_sd)
        mean = mean + pm.Normal("beta", 0, scales.effect) * data.side
        if layout.n_queries > 1:
            gamma = pm.Normal("gamma", 0, scales.effect, shape=layout.n_queries - 1)
            mean = mean + pt.concatenate([[0.0], gamma])[data.query]
        mu = _metrics(mean, scales, layout)[data.metric]
        mu = mu + _levels("task", layout.n_tasks, layout.task_centred, scales)[data.task]
        if layout.n_families > 1:
            family = _levels("family", layout.n_families, layout.family_centred, scales)
            mu = mu + family[data.family]
        tau = pm.LogNormal("tau", scales.log_scatter, scales.log_scatter_sd)
        group = np.repeat(np.arange(len(data.starts) - 1), np.diff(data.starts))
        likelihood = (data.weights * _cells(mu, tau, data.edges)[group]).sum(axis=1)
        pm.Potential("profiles", pt.log(likelihood).sum())
    return model


def _metrics(mean: Any, scales: Scales, layout: Layout) -> Any:
    sd = pm.HalfNormal("s_metric", scales.spread)
    if layout.metric_centred:
        return pm.Normal("metric", mean, sd, shape=layout.n_metrics)
    return mean + sd * pm.Normal("metric_z", shape=layout.n_metrics)


def _levels(name: str, n: int, centred: bool, scales: Scales) -> Any:
    sd = pm.HalfNormal(f"s_{name}", scales.spread)
    if centred:
        return pm.ZeroSumNormal(name, sd, shape=n)
    return sd * pm.ZeroSumNormal(f"{name}_z", 1.0, shape=n)


def _cells(mu: Any, tau: Any, edges: Any) -> Any:
    """Probabilities of the cells of each group, shape (groups, cells)."""
    z = (edges - mu[:, None]) / (tau * np.sqrt(2.0))
    ends = pt.zeros_like(mu[:, None])
    below = pt.concatenate([ends, pt.erfc(-z) / 2, ends + 1], axis=1)
    return below[:, 1:] - below[:, :-1]
