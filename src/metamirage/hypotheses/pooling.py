"""Random effects over benchmarks: what the paired estimates say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.meta_analysis import combine_effects

from metamirage.base.arrays import FloatArray
from metamirage.contracts.concentration import CONCENTRATION

# ASSUME: three tasks are the fewest whose spread says anything of a standard error.
MIN_TASKS_POOLED = 3


@dataclass(frozen=True)
class Pooled:
    """Random-effects mean over benchmarks with its 95 % interval and two-sided p-value."""

    estimate: float
    lower: float
    upper: float
    p_value: float


def pool_concentration(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Pool the paired estimates of H2 and H4 over benchmarks by random effects.

    A benchmark enters with at least three tasks. Benchmarks that share tasks are treated as
    independent, which makes the interval too short; the note says which entered.

    Parameters
    ----------
    tables
        Concentration tables with the column ``stderr``, one a benchmark.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.CONCENTRATION`` with benchmark ``pooled``.
    """
    every = pd.concat(tables, ignore_index=True)
    paired = every[every["hypothesis"].isin(("H2", "H4"))]
    keys = ["hypothesis", "estimand", "scheme", "stratum"]
    rows = [
        dict(zip(keys, key, strict=True)) | _pool_row(group)
        for key, group in paired.groupby(keys, sort=True)
    ]
    return pd.DataFrame(rows)[list(CONCENTRATION.columns)]


def _pool_row(group: pd.DataFrame) -> dict[str, object]:
    enough = group[(group["n_tasks"] >= MIN_TASKS_POOLED) & (group["stderr"] > 0)]
    pooled = _random_effects(enough["estimate"].to_numpy(), enough["stderr"].to_numpy() ** 2)
    names = ", ".join(sorted(enough["benchmark"]))
    few = "fewer than two benchmarks have three tasks with pairs"
    return {
        "benchmark": "pooled",
        "estimate": pooled.estimate,
        "lower": pooled.lower,
        "upper": pooled.upper,
        "p_value": pooled.p_value,
        "p_adjusted": np.nan,
        "correction": "",
        "n_tasks": int(enough["n_tasks"].sum()),
        "n_curves": int(enough["n_curves"].sum()),
        "method": "random effects, iterated Paule-Mandel, Hartung-Knapp interval",
        "seed": int(group["seed"].iloc[0]),
        "note": f"of {names}" if len(enough) > 1 else few,
    }


def _random_effects(effects: FloatArray, variances: FloatArray) -> Pooled:
    if len(effects) < 2:
        return Pooled(np.nan, np.nan, np.nan, np.nan)
    result = combine_effects(effects, variances, method_re="iterated")
    # Hartung, Knapp, Sidik and Jonkman: with few studies the Normal interval is far too short.
    mean, sd = float(result.mean_effect_re), float(result.sd_eff_w_re_hksj)
    df = len(effects) - 1
    reach = float(student.ppf(0.975, df)) * sd
    return Pooled(mean, mean - reach, mean + reach, float(2 * student.sf(abs(mean) / sd, df)))
