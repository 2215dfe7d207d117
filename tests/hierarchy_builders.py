"""Invented benchmarks whose log widths come from the hierarchical model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.curves import FloatArray
from metamirage.priors import LOG10_WIDTH_NODES

NODES = LOG10_WIDTH_NODES * np.log(10.0)
# Posterior sd of a log width, given one curve.
BLUR = 0.35


class Benchmark(NamedTuple):
    """Tables of one benchmark, as the stage reads them."""

    fits: pd.DataFrame
    profiles: pd.DataFrame
    tags: pd.DataFrame


def benchmark(
    rng: np.random.Generator, *, beta: float, tau: float = 0.5, n_tasks: int = 20, n_sub: int = 1
) -> Benchmark:
    """Draw curves of every task under ten metrics, five a class, with a blurred log width each."""
    s_task, s_metric = 0.3, 0.2
    task = rng.normal(0, s_task, n_tasks)
    metric = rng.normal(0, s_metric, 10) + beta * (np.arange(10) < 5)
    t, m, s = (a.ravel() for a in np.indices((n_tasks, 10, n_sub)))
    log_width = np.log(1.5) + task[t] + metric[m] + tau * rng.standard_normal(len(t))
    seen = log_width + BLUR * rng.standard_normal(len(t))
    fits = pd.DataFrame(
        {
            "curve_id": [f"b|t{i}|s{k}|m{j}|F|0" for i, j, k in zip(t, m, s, strict=True)],
            "benchmark": "b",
            "task": [f"t{i}" for i in t],
            "metric": [f"m{j}" for j in m],
            "family": "F",
            "n_sizes": 8,
            "excluded": "",
        }
    )
    bumps = -0.5 * ((NODES - seen[:, None]) / BLUR) ** 2
    return Benchmark(fits, profile_rows(fits["curve_id"], bumps), tags_of(fits))


def profile_rows(curve_id: pd.Series[str], profiles: FloatArray) -> pd.DataFrame:
    """Table profiles from an array of shape (curves, nodes)."""
    return pd.DataFrame(
        {
            "curve_id": np.repeat(curve_id.to_numpy(), len(NODES)),
            "log10_width": np.tile(LOG10_WIDTH_NODES, len(curve_id)),
            "log_marginal": profiles.ravel(),
        }
    )


def tags_of(fits: pd.DataFrame) -> pd.DataFrame:
    """Tag metrics m0 to m4 as discontinuous and nonlinear, the others as neither."""
    rows = fits[["benchmark", "task", "metric"]].drop_duplicates()
    tag = np.where(rows["metric"].isin([f"m{j}" for j in range(5)]), "yes", "no")
    return rows.assign(discontinuous=tag, nonlinear=tag, query="generate")
