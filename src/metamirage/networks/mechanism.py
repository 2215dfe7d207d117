"""Stage mechanism: whether networks trained here do what the 2023 explanation predicts of them.

Schaeffer et al. (2023, arXiv:2304.15004) predict of arithmetic (their section 3) that another
metric of the same outputs takes the sharpness away, that more test items show success where few
show none, and that a longer target acts geometrically on exact match and almost linearly on token
edit distance; and of vision (section 5, App. B) that a threshold on a smooth error, or asking for K
right in a row, makes a sharp transition. Each is an estimate here, held against a range fixed
beforehand: it *holds* if the whole interval lies in the range, *fails* if none of it does, and is
*open* otherwise.

The positive control is a benchmark where a sharp transition was expected under continuous metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from metamirage.base.arrays import FloatArray
from metamirage.base.intervals import exact_interval
from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_UNITS
from metamirage.base.vocabulary import SAME_OUTPUTS
from metamirage.contracts.mechanism import MECHANISM
from metamirage.curves.classes import classify
from metamirage.hypotheses.concentration import make_pairs, tested_curves
from metamirage.hypotheses.h2_pairs import task_means
from metamirage.hypotheses.permutation import flip_test
from metamirage.hypotheses.shared_width_prior import add_own_widths
from metamirage.hypotheses.strata import describe_curves

# ASSUME: a ratio within a quarter of one is "as predicted": twice as far from one, 1.5 or 0.67,
# would be another law, and errors that come together bend it by less.
NEAR_ONE = (0.8, 1.25)
ABOVE_NOTHING = (0.0, np.inf)
# ASSUME: a control does its work if it is found in half of its tasks at least.
MOSTLY = (0.5, 1.0)
HALF = 0.5


class Tables(NamedTuple):
    """Tables of one benchmark, under the contracts of the same names."""

    tidy: pd.DataFrame
    tags: pd.DataFrame
    fits: pd.DataFrame
    profiles: pd.DataFrame
    forecasts: pd.DataFrame
    latent: pd.DataFrame


def assess_mechanism(tables: Tables, *, seed: int, n_permutations: int) -> pd.DataFrame:
    """Measure what was predicted of one benchmark.

    Parameters
    ----------
    tables
        Of ``digits``, ``arithmetic`` or ``compositional``.
    seed, n_permutations
        Of the sign flips over tasks.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.MECHANISM``.
    """
    name = str(tables.fits["benchmark"].iloc[0])
    rng = stage_stream(seed, "mechanism")
    rows = [
        _finished(row, benchmark=name, seed=seed)
        for row in MEASURES[name](tables, rng=rng, n_draws=n_permutations)
    ]
    types = {column: str(c.dtype) for column, c in MECHANISM.columns.items()}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _finished(row: dict[str, Any], *, benchmark: str, seed: int) -> dict[str, Any]:
    return row | {"benchmark": benchmark, "seed": seed, "outcome": judge(row)}


def judge(row: dict[str, Any]) -> str:
    """Hold an interval against the range of a prediction; see ``findings.OUTCOMES``."""
    if np.isnan(row["low"]):
        return "told"
    if row["low"] < row["lower"] and row["upper"] <= row["high"]:
        return "holds"
    apart = row["upper"] <= row["low"] or row["lower"] > row["high"]
    return "fails" if apart else "open"


def measure_arithmetic(
    tables: Tables, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, Any]]:
    """Measure the three predictions of arithmetic: metric swap, resolution, target length."""
    draws: dict[str, Any] = {"rng": rng, "n_draws": n_draws}
    return [
        *_paired_rows(tables, "metric_swap", tasks="", metrics=("exact_match",), **draws),
        *resolution_rows(tables.tidy, **draws),
        *length_rows(tables, **draws),
    ]


def measure_digits(
    tables: Tables, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, Any]]:
    """Measure the two predictions of vision: threshold, and K right in a row."""
    draws: dict[str, Any] = {"rng": rng, "n_draws": n_draws}
    return [
        *_paired_rows(
            tables, "threshold", tasks="reconstruct", metrics=("reconstructed",), **draws
        ),
        *subset_rows(tables.tidy),
    ]


def measure_compositional(
    tables: Tables, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, Any]]:
    """Count where the positive control was seen."""
    graded = tables.tags.loc[tables.tags["discontinuous"] == "no", "metric"]
    curves = tables.fits[tables.fits["metric"].isin(set(graded))]
    sharp = (curves["verdict"] == "SHARP").groupby(curves["task"]).all()
    real = tables.latent["verdict"] == "real"
    return [
        _share_row("real", "tasks whose continuous metrics are all SHARP", sharp.to_numpy(bool)),
        _share_row("real", "tasks that the latent stage calls real", real.to_numpy(bool)),
    ]


MEASURES = {
    "arithmetic": measure_arithmetic,
    "digits": measure_digits,
    "compositional": measure_compositional,
}


def _row(
    prediction: str,
    measure: str,
    *,
    unit: str,
    values: tuple[float, float, float],
    agrees: tuple[float, float] = (np.nan, np.nan),
    counts: tuple[int, int],
    method: str,
) -> dict[str, Any]:
    """One row; ``values`` are estimate, lower and upper, ``counts`` tasks and units."""
    return {
        "prediction": prediction,
        "measure": measure,
        "unit": unit,
        **dict(zip(("estimate", "lower", "upper"), values, strict=True)),
        **dict(zip(("low", "high"), agrees, strict=True)),
        **dict(zip(("n_tasks", "n"), counts, strict=True)),
        "method": method,
    }


def _over_tasks(
    by_task: FloatArray, centre: float, *, rng: np.random.Generator, n_draws: int
) -> tuple[float, float, float]:
    """Mean over tasks and the shifts from ``centre`` that sign flips by task do not reject."""
    if len(by_task) < MIN_UNITS:
        mean = float(by_task.mean()) if len(by_task) else np.nan
        return mean, -np.inf, np.inf
    test = flip_test(by_task - centre, rng=rng, n_draws=n_draws)
    return tuple(float(v) + centre for v in (test.estimate, *test.interval))  # type: ignore[return-value]


FLIPS = "sign flips by task; interval of the shifts not rejected"


def _paired_rows(
    tables: Tables,
    prediction: str,
    *,
    tasks: str,
    metrics: Sequence[str],
    rng: np.random.Generator,
    n_draws: int,
) -> list[dict[str, Any]]:
    """Compare the metric with a step with its partners on the same outputs, as H2 does."""
    tested = tested_curves(tables.fits, tables.forecasts, tables.tags)
    described = describe_curves(tested, tidy=tables.tidy, tags=tables.tags)
    curves = add_own_widths(described, tables.profiles)
    classed = curves.assign(label=classify(curves, "discontinuous")).dropna(subset="label")
    chosen = classed[
        classed["task"].str.startswith(tasks)
        & ((classed["label"] == 0) | classed["metric"].isin(metrics))
    ]
    pairs = make_pairs(chosen)
    pairs = pairs[pairs["stratum"] == SAME_OUTPUTS]
    named = f"{' and '.join(metrics)} against its continuous partners"
    found = []
    for column, words, unit in PAIRED_MEASURES:
        by_task = task_means(pairs, column)
        found.append(
            _row(
                prediction,
                f"{named}: {words}",
                unit=unit,
                values=_over_tasks(by_task, 0.0, rng=rng, n_draws=n_draws),
                agrees=ABOVE_NOTHING,
                counts=(len(by_task), len(pairs)),
                method=FLIPS,
            )
        )
    return found


PAIRED_MEASURES = (
    ("log10_width", "narrower rise", "log10 decades"),
    ("p_sharp", "more probably sharp", "probability"),
)


def resolution_rows(
    tidy: pd.DataFrame, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, Any]]:
    """Count the networks that get a single item right, by the number of items."""
    exact = tidy[tidy["metric"] == "exact_match"]
    seen = (exact["score"] > 0).groupby([exact["task"], exact["n_samples"]]).mean().unstack()
    few, many = int(seen.columns.min()), int(seen.columns.max())
    shown = [
        _row(
            "resolution",
            f"networks with an item right, of {n:,} items",
            unit="share",
            values=(float(seen[n].mean()), np.nan, np.nan),
            counts=(len(seen), len(exact[exact["n_samples"] == n])),
            method="mean over tasks",
        )
        for n in sorted(map(int, seen.columns))
    ]
    gained = (seen[many] - seen[few]).to_numpy(float)
    gain = _row(
        "resolution",
        f"networks with an item right: {many:,} items instead of {few:,}",
        unit="share",
        values=_over_tasks(gained, 0.0, rng=rng, n_draws=n_draws),
        agrees=ABOVE_NOTHING,
        counts=(len(gained), len(exact) // seen.shape[1]),
        method=FLIPS,
    )
    return [*shown, gain]


def length_rows(tables: Tables, *, rng: np.random.Generator, n_draws: int) -> list[dict[str, Any]]:
    """Compare what a target of L tokens does with what it would do to errors by chance alone."""
    largest = tables.tidy[tables.tidy["n_samples"] == tables.tidy["n_samples"].max()]
    wide = largest.pivot(index=["task", "model"], columns="metric", values="score").reset_index()
    tokens = tables.tags[tables.tags["metric"] == "token_edit_distance"].set_index("task")["upper"]
    length = wide["task"].map(tokens)
    right, exact = wide["token_accuracy"], wide["exact_match"]
    rows = []
    for measure, ratio in {
        "exact match as a power of token accuracy: exponent over target length": (
            np.log(exact.where((exact > 0) & (exact < 1))) / np.log(right) / length
        ),
        "token edit distance over target length times token error": (
            wide["token_edit_distance"] / (length * (1 - right)).where(right < 1)
        ),
    }.items():
        by_task = ratio.groupby(wide["task"]).mean().dropna().to_numpy(float)
        rows.append(
            _row(
                "target_length",
                measure,
                unit="ratio",
                values=_over_tasks(by_task, 1.0, rng=rng, n_draws=n_draws),
                agrees=NEAR_ONE,
                counts=(len(by_task), int(ratio.notna().sum())),
                method=FLIPS,
            )
        )
    return rows


def subset_rows(tidy: pd.DataFrame) -> list[dict[str, Any]]:
    """Find how much later K right in a row comes, seed by seed."""
    whole = tidy[tidy["task"] == "classify"]
    seeds = whole["model"].str.rsplit("-", n=1).str[-1]
    ks = [1, *range(2, 6)]
    names = {k: "accuracy" if k == 1 else f"subset_accuracy_{k}" for k in ks}
    ends = {
        k: np.array(
            [half_rise(one, HALF) for _, one in whole[whole["metric"] == names[k]].groupby(seeds)]
        )
        for k in ks
    }
    return [
        _row(
            "subset",
            f"{k} right in a row instead of one: half of the items at a larger size",
            unit="decades",
            values=_mean_interval(ends[k] - ends[1]),
            agrees=ABOVE_NOTHING,
            counts=(1, len(ends[k])),
            method="mean over seeds, t interval",
        )
        for k in ks[1:]
    ]


def half_rise(scores: pd.DataFrame, level: float) -> float:
    """Find the log10 size at which a score first reaches a level, straight between sizes.

    Parameters
    ----------
    scores
        ``n_params`` and ``score`` of one seed.
    level
        Score.

    Returns
    -------
    float
        Missing if it starts above the level or never reaches it.
    """
    ordered = scores.sort_values("n_params")
    size, score = np.log10(ordered["n_params"].to_numpy(float)), ordered["score"].to_numpy(float)
    above = np.nonzero(score >= level)[0]
    if not len(above) or above[0] == 0:
        return np.nan
    i = int(above[0])
    part = (level - score[i - 1]) / (score[i] - score[i - 1])
    return float(size[i - 1] + part * (size[i] - size[i - 1]))


def _mean_interval(values: FloatArray) -> tuple[float, float, float]:
    kept = values[np.isfinite(values)]
    if len(kept) < 2:
        return (float(kept.mean()) if len(kept) else np.nan), -np.inf, np.inf
    reach = float(student.ppf(0.975, len(kept) - 1) * kept.std(ddof=1) / np.sqrt(len(kept)))
    return float(kept.mean()), float(kept.mean()) - reach, float(kept.mean()) + reach


def _share_row(prediction: str, measure: str, found: np.ndarray[Any, Any]) -> dict[str, Any]:
    hits, cases = np.array([float(found.sum())]), np.array([float(len(found))])
    lower, upper = exact_interval(hits, cases)
    share = float(found.mean()) if len(found) else np.nan
    return _row(
        prediction,
        measure,
        unit="share",
        values=(share, float(lower[0]), float(upper[0])),
        agrees=MOSTLY,
        counts=(len(found), len(found)),
        method="exact binomial interval over tasks",
    )
