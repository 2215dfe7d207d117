"""Invented benchmarks whose log widths come from the hierarchical model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from builders import GPT_3, make_curve, simulate
from metamirage.base.arrays import FloatArray
from metamirage.curves.classes import classify
from metamirage.fitting.priors import LOG10_WIDTH_NODES, priors_for
from metamirage.fitting.quadrature.integrate import integrate
from metamirage.robustness.hierarchy.design import LOG_WIDTH_NODES as NODES
from metamirage.robustness.hierarchy.design import Design, make_design, modelled_curves

# Posterior sd of a log width, given one curve.
BLUR = 0.35
SPREADS = {"task": 0.3, "metric": 0.2, "family": 0.2}
SCATTER = 0.5
# Class 1 is scored item by item, class 0 by a mean with its standard error.
TEMPLATES = (
    make_curve(GPT_3, 0 * GPT_3, stderr=0.02),
    make_curve(GPT_3, 0 * GPT_3, items=200, chance=0.0),
)


class Benchmark(NamedTuple):
    """Tables of one benchmark, as the stage reads them."""

    fits: pd.DataFrame
    profiles: pd.DataFrame
    tags: pd.DataFrame


def log_widths(
    rng: np.random.Generator, *, beta: float, n_tasks: int = 20, n_families: int = 1
) -> pd.DataFrame:
    """Draw ``log_width`` of every task under ten metrics, five a class, families in turn."""
    task, family = rng.normal(0, SPREADS["task"], n_tasks), rng.normal(0, SPREADS["family"], 9)
    metric = rng.normal(0, SPREADS["metric"], 10) + beta * (np.arange(10) < 5)
    t, m = (a.ravel() for a in np.indices((n_tasks, 10)))
    f = (t + m) % n_families
    mean = np.log(1.5) + task[t] + metric[m] + family[f]
    return pd.DataFrame(
        {
            "curve_id": [f"b|t{i}||m{j}|F{k}|0" for i, j, k in zip(t, m, f, strict=True)],
            "benchmark": "b",
            "task": [f"t{i}" for i in t],
            "metric": [f"m{j}" for j in m],
            "family": [f"F{k}" for k in f],
            "n_sizes": 8,
            "excluded": "",
            "log_width": mean + SCATTER * rng.standard_normal(len(t)),
        }
    )


def benchmark(
    rng: np.random.Generator, *, beta: float, n_tasks: int = 20, n_families: int = 1
) -> Benchmark:
    """Curves whose profiles are Normal bumps about a blurred log width."""
    drawn = log_widths(rng, beta=beta, n_tasks=n_tasks, n_families=n_families)
    seen = drawn["log_width"].to_numpy() + BLUR * rng.standard_normal(len(drawn))
    bumps = -0.5 * ((NODES - seen[:, None]) / BLUR) ** 2
    return tables_of(drawn, bumps)


def fitted_benchmark(
    rng: np.random.Generator, *, beta: float, n_tasks: int = 20, n_families: int = 2
) -> Benchmark:
    """Curves drawn with these widths, all else from the priors, and fitted by the engine."""
    drawn = log_widths(rng, beta=beta, n_tasks=n_tasks, n_families=n_families)
    discontinuous = drawn["metric"].isin([f"m{j}" for j in range(5)])
    profiles = []
    for width, class_ in zip(drawn["log_width"], discontinuous, strict=True):
        priors = priors_for(TEMPLATES[class_], "sigmoid")
        theta = rng.normal(*priors.as_array().T)
        theta[4] = width
        curve = simulate(TEMPLATES[class_], theta, rng)
        profiles.append(integrate(curve, "sigmoid", priors, rng=rng).profile)
    return tables_of(drawn, np.array(profiles))


def tables_of(drawn: pd.DataFrame, profiles: FloatArray) -> Benchmark:
    """Tables from drawn curves and profiles of shape (curves, nodes)."""
    rows = pd.DataFrame(
        {
            "curve_id": np.repeat(drawn["curve_id"].to_numpy(), len(NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, len(drawn)),
            "log_marginal": profiles.ravel(),
        }
    )
    tags = drawn[["benchmark", "task", "metric"]].drop_duplicates()
    tag = np.where(tags["metric"].isin([f"m{j}" for j in range(5)]), "yes", "no")
    tags = tags.assign(discontinuous=tag, nonlinear=tag, query="generate")
    return Benchmark(drawn.drop(columns="log_width"), rows, tags)


def design_of(made: Benchmark) -> Design:
    """Group the curves by the tag discontinuous."""
    curves = modelled_curves(made.fits, made.tags)
    return make_design(curves.assign(label=classify(curves, "discontinuous")), made.profiles)
