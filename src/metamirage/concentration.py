"""Stage concentration: whether sharp transitions sit in discontinuous metrics.

H1 (population): curves under metrics of class 1 are sharp more often than under class 0.
Observational: a task's metric is chosen for the task.

H2 (paired, primary): where both classes score the same outputs of the same models, the measures of
the two curves are exchangeable. Every estimand is signed so that the mirage thesis predicts a
positive number.

Not yet here: the shared-latent test (H3), a test of two-step forecasts (H4), translation against
narrowing (H5), and a model that carries each curve's uncertainty instead of its posterior mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.curves import FloatArray
from metamirage.pairs import BLOCK, SAME_MODEL, SAME_OUTPUTS, join_blocks
from metamirage.permutation import Interval, Units, flip_test, label_test
from metamirage.tables import CONCENTRATION, MIN_SIZES_VERDICT

SCHEMES = ("discontinuous", "nonlinear", "either")
# Fewer tasks can't reject at 0.05 by sign flips: 2 / 2**5 > 0.05.
MIN_TASKS = 6


class Estimand(NamedTuple):
    """A measure of a curve and the sign that turns class 1 minus class 0 into "as predicted"."""

    column: str
    sign: int
    meaning: str


PAIRED = {
    "log10_width": Estimand("log10_width_mean", -1, "narrower, in log10 decades"),
    "location": Estimand("location_mean", 1, "later, in decades"),
    "floor_length": Estimand("floor_length", 1, "longer floor, in decades"),
    "concentration_index": Estimand("concentration_index", 1, "more of the jump in one decade"),
    "jump_decade": Estimand("jump_decade", 1, "larger rise within one decade"),
    "p_sharp": Estimand("p_sharp", 1, "more probably sharp"),
    "log_score": Estimand("log_score", -1, "harder to forecast, in nats"),
}
POPULATION = {
    "p_sharp": "mean posterior probability of a sharp transition, class 1 minus class 0",
    "sharp_share": "share of curves with verdict SHARP, class 1 minus class 0",
}


def assess_concentration(
    fits: pd.DataFrame,
    forecasts: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    seed: int,
    n_permutations: int,
) -> pd.DataFrame:
    """Test H1 and H2 on one benchmark under every class scheme.

    Parameters
    ----------
    fits, forecasts, tags
        Tables of one benchmark.
    seed
        Of the permutations.
    n_permutations
        Random ones, where not all can be visited.

    Returns
    -------
    pandas.DataFrame
        Table ``tables.CONCENTRATION`` with the column ``stderr`` besides: the standard error of an
        H2 estimate over tasks, for pooling.
    """
    curves = tested_curves(fits, forecasts, tags)
    benchmark = str(fits["benchmark"].iloc[0])
    rng = np.random.default_rng(seed)
    rows = []
    for scheme in SCHEMES:
        classed = curves.assign(label=classify(curves, scheme)).dropna(subset="label")
        rows += [
            _population_row(classed, e, rng, n_permutations) | {"scheme": scheme}
            for e in POPULATION
        ]
        pairs = make_pairs(classed)
        for stratum in (SAME_OUTPUTS, SAME_MODEL):
            chosen = pairs[pairs["stratum"] == stratum]
            rows += [
                _paired_row(chosen, e, rng, n_permutations) | {"scheme": scheme, "stratum": stratum}
                for e in PAIRED
            ]
    table = pd.DataFrame(rows).assign(benchmark=benchmark, seed=seed)
    return table[[*CONCENTRATION.columns, "stderr"]]


def tested_curves(fits: pd.DataFrame, forecasts: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """Join fits, averaged forecasts and tags of the curves that enter the tests."""
    largest = forecasts.query("predictor == 'averaged' and n_left_out == 1 and target == 1")
    averaged = largest[["curve_id", "log_score"]]
    axes = tags[["task", "metric", "discontinuous", "nonlinear", "query"]]
    enough = fits["n_sizes"] >= MIN_SIZES_VERDICT
    chosen = fits[enough & (fits["excluded"] == "")]
    return (
        chosen.merge(averaged, on="curve_id", how="left")
        .merge(axes, on=["task", "metric"], how="left", validate="many_to_one")
        .assign(sharp_share=lambda t: (t["verdict"] == "SHARP").astype(float))
        .sort_values("curve_id", ignore_index=True)
    )


def classify(curves: pd.DataFrame, scheme: str) -> pd.Series[float]:
    """Class of each curve's metric under a scheme: 1, 0, or missing where a tag is unknown.

    ``either`` is 1 if the metric is discontinuous or nonlinear, 0 if it is known to be neither.
    """
    axes = SCHEMES[:2] if scheme == "either" else (scheme,)
    coded = curves[list(axes)].replace({"yes": 1.0, "no": 0.0, "unknown": np.nan}).astype(float)
    # Unknown beside "yes" is "yes"; unknown beside "no" stays unknown.
    return coded.max(axis=1).where((coded == 1).any(axis=1) | coded.notna().all(axis=1))


def _population_row(
    curves: pd.DataFrame, estimand: str, rng: np.random.Generator, n_draws: int
) -> dict[str, object]:
    units = make_units(curves, estimand)
    estimate, p_value, interval = label_test(units, rng=rng, n_draws=n_draws)
    return {
        "hypothesis": "H1",
        "estimand": estimand,
        "stratum": "all",
        "estimate": estimate,
        **_ends(estimate, interval),
        "p_value": p_value,
        "n_tasks": curves["task"].nunique(),
        "n_curves": len(curves),
        "method": "label permutation between tasks within query; interval by the same",
        "note": _population_note(curves, estimand, estimate),
        "stderr": np.nan,
    }


def make_units(curves: pd.DataFrame, estimand: str) -> Units:
    """Average curves to one value a task, class and query; partners share task and query."""
    means = (
        curves.groupby(["query", "task", "label"])[estimand].mean().dropna().reset_index()
        if len(curves)
        else curves[["query", "task", "label", estimand]]
    )
    place = {
        (q, t, c): i
        for i, (q, t, c) in enumerate(means[["query", "task", "label"]].itertuples(index=False))
    }
    partner = [place.get((q, t, 1 - c), -1) for q, t, c in place]
    return Units(
        value=means[estimand].to_numpy(float),
        label=means["label"].to_numpy(float) == 1,
        stratum=np.unique(means["query"].to_numpy(str), return_inverse=True)[1].astype(np.int64),
        partner=np.array(partner, dtype=np.int64),
    )


def _population_note(curves: pd.DataFrame, estimand: str, estimate: float) -> str:
    if np.isnan(estimate):
        return "no query holds metrics of both classes"
    rates = curves.groupby("label")[estimand].agg(["mean", "size"])
    return "; ".join(
        f"class {label:.0f}: {row['mean']:.3f} of {row['size']:.0f} curves"
        for label, row in rates.iterrows()
    )


def make_pairs(curves: pd.DataFrame) -> pd.DataFrame:
    """Pair each class-1 curve with each class-0 curve of its task, subtask, family and shots.

    Returns
    -------
    pandas.DataFrame
        One row a pair: the block, ``stratum`` (``same outputs`` if both metrics come from one
        query, else ``same model``), ``curve_id_1``, ``curve_id_0`` and one column an estimand of
        ``PAIRED`` with its signed difference.
    """
    columns = [*BLOCK, "curve_id", "query", *(e.column for e in PAIRED.values())]
    one = curves.loc[curves["label"] == 1, columns]
    zero = curves.loc[curves["label"] == 0, columns]
    pairs = join_blocks(one, zero)
    differences = {
        name: e.sign * (pairs[f"{e.column}_1"] - pairs[f"{e.column}_0"])
        for name, e in PAIRED.items()
    }
    return pairs[[*BLOCK, "curve_id_1", "curve_id_0", "stratum"]].assign(**differences)


def _paired_row(
    pairs: pd.DataFrame, estimand: str, rng: np.random.Generator, n_draws: int
) -> dict[str, object]:
    by_task = _task_means(pairs, estimand)
    n_pairs = int(pairs[estimand].notna().sum())
    row = {
        "hypothesis": "H2",
        "estimand": estimand,
        "n_tasks": len(by_task),
        "n_curves": n_pairs,
        "method": "sign flips by task; interval of the shifts not rejected",
    }
    if not len(by_task):
        empty = dict.fromkeys(["estimate", "lower", "upper", "p_value", "stderr"], np.nan)
        return row | empty | {"note": "no task has metrics of both classes here"}
    test = flip_test(by_task, rng=rng, n_draws=n_draws)
    return row | {
        "estimate": test.estimate,
        **_ends(test.estimate, test.interval),
        "p_value": test.p_value,
        "stderr": float(by_task.std(ddof=1) / np.sqrt(len(by_task)))
        if len(by_task) > 1
        else np.nan,
        "note": ""
        if len(by_task) >= MIN_TASKS
        else f"{MIN_TASKS} tasks are needed to reject at 0.05",
    }


def _task_means(pairs: pd.DataFrame, estimand: str) -> FloatArray:
    # Blocks first: a task with more metrics a block should not outweigh its other blocks.
    blocks = pairs.groupby(list(BLOCK), dropna=False)[estimand].mean().dropna()
    return blocks.groupby(level="task").mean().to_numpy(float)


def _ends(estimate: float, interval: Interval) -> dict[str, float]:
    if np.isnan(estimate):
        return {"lower": np.nan, "upper": np.nan}
    return {"lower": interval.lower, "upper": interval.upper}
