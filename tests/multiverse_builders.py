"""Tables of an invented benchmark with pairs of many kinds, for the tests of the multiverse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from builders import profiles_of
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.robustness.multiverse import assess_multiverse

SEED = 5
METRICS = {"exact_str_match": "yes", "likelihood": "no"}


class Tables(NamedTuple):
    """What ``assess_multiverse`` reads."""

    fits: pd.DataFrame
    scores: pd.DataFrame
    forecasts: pd.DataFrame
    tags: pd.DataFrame
    tidy: pd.DataFrame
    profiles: pd.DataFrame


def tables_of(
    n_tasks: int, *, gap: float = 0.0, shots: tuple[int, ...] = (0, 2), n_sizes: int = 8
) -> Tables:
    """An exact match and a likelihood a task; the first is narrower by ``gap`` log10 decades."""
    rng = np.random.default_rng(SEED)
    rows = [
        {
            "curve_id": f"b|t{t}||{metric}|f|{k}",
            "benchmark": "b",
            "task": f"t{t}",
            "subtask": "",
            "metric": metric,
            "family": "f",
            "n_shots": k,
            "n_sizes": n_sizes,
            "verdict": "UNRESOLVED",
            "excluded": "",
            "log10_width_mean": rng.normal(0.2, 0.1) - gap * (step == "yes"),
            "p_sharp": rng.random(),
            "p_jump": 1.0,
            "concentration_index": rng.random(),
            "log10_bf_sigmoid_linear": rng.normal(),
        }
        for t in range(n_tasks)
        for metric, step in METRICS.items()
        for k in shots
    ]
    fits = pd.DataFrame(rows).astype({"n_shots": "Int64"})
    names = fits[["curve_id"]]
    tags = fits[["task", "metric"]].drop_duplicates()
    step = tags["metric"].map(METRICS)
    return Tables(
        fits,
        names.assign(breakthroughness=50.0, null_q95=60.0, range=1.0),
        names.assign(predictor="two_point", n_left_out=1, target=1, discontinuity=0.0),
        tags.assign(discontinuous=step, nonlinear=step, query="generate"),
        pd.concat([fits[list(CURVE_KEY)].assign(n_params=n) for n in (1e8, 1e11)]).assign(
            n_samples=100, is_preferred=None
        ),
        profiles_of(fits),
    )


def assess(tables: Tables, *, seed: int = SEED) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Specifications and joint test of the tables."""
    return assess_multiverse(
        tables.fits,
        tables.scores,
        tables.forecasts,
        tables.tags,
        tidy=tables.tidy,
        profiles=tables.profiles,
        seed=seed,
    )
