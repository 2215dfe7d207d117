"""Negative controls on real curves: classes that mean nothing must give no effect.

From fits that are there already, with the measure, pairs and weights of H2's primary test. Random
classes: a coin is tossed for each metric, so that the curves of a benchmark stay as they are and
the class loses its meaning. What the class of a metric does beyond what any split of the metrics
does shows in how many random splits differ as much. Fake class: two families of the same models
that differ in nothing a metric sees, their sampling temperature.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metamirage.base.arrays import FloatArray
from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_TASKS
from metamirage.base.vocabulary import BLOCK, SAME_OUTPUTS
from metamirage.contracts.controls import CONTROLS
from metamirage.contracts.forecasts import FORECASTS
from metamirage.curves.classes import classify
from metamirage.curves.pairs import join_blocks
from metamirage.hypotheses.concentration import PAIRED, tested_curves
from metamirage.hypotheses.h2_pairs import weighted_means
from metamirage.hypotheses.permutation import TIE, FlipTest, flip_test, shares_of
from metamirage.hypotheses.shared_width_prior import KNOWN, add_own_widths, known_of_both

ESTIMAND, SCHEME = "log10_width", "discontinuous"
MEASURE = PAIRED[ESTIMAND]
RANDOM, FAKE = "random classes", "fake class"
# ASSUME: so many labellings show the shape of their distribution; many benchmarks have fewer.
N_LABELS = 199
# Sign flips behind the p-value of each.
N_FLIPS = 199
LEVEL = 0.05
# ASSUME: families of one name but for a sampling temperature are the same models.
TEMPERATURE = re.compile(r"^(.*\S)\s+T=([0-9.]+)$")

Row = dict[str, object]


def assess_controls(
    fits: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    profiles: pd.DataFrame,
    seed: int,
    n_permutations: int,
) -> pd.DataFrame:
    """Run the negative controls of one benchmark.

    Parameters
    ----------
    fits, tags, profiles
        Its tables.
    seed
        Of classes and sign flips.
    n_permutations
        Sign flips behind the p-value of a fake class, where not all can be visited.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.CONTROLS``.
    """
    none = pd.DataFrame({name: [] for name in FORECASTS.columns})
    none = none.astype({"curve_id": "str", "predictor": "str"})
    curves = add_own_widths(tested_curves(fits, none, tags), profiles)
    rng = stage_stream(seed, "controls")
    rows = [random_row(curves, rng=rng), *fake_rows(curves, rng=rng, n_draws=n_permutations)]
    table = pd.DataFrame(rows).assign(benchmark=str(fits["benchmark"].iloc[0]), seed=seed)
    return table[list(CONTROLS.columns)]


def random_row(curves: pd.DataFrame, *, rng: np.random.Generator) -> Row:
    """Set the estimate of the true classes among those of classes drawn by coins.

    Parameters
    ----------
    curves
        Tested curves of one benchmark with what ``own_prior.add_own_widths`` adds.
    rng
        Tosses the coins, and draws the sign flips.
    """
    pairs = metric_pairs(curves)
    true = true_estimate(pairs, curves)
    metrics = np.unique(pairs[["metric_1", "metric_0"]].to_numpy(str))
    drawn = [relabelled(pairs, metrics, rng=rng) for _ in range(N_LABELS)]
    known = [test for test in drawn if test is not None]
    estimates = np.array([test.estimate for test in known])
    row = _row(RANDOM, n_metrics=len(metrics), n_tests=len(known))
    if not known or np.isnan(true):
        why = "no pair of the two classes" if known else f"fewer than {MIN_TASKS} tasks with pairs"
        return row | {"estimate": true, "note": why}
    as_far = np.abs(np.append(estimates, true)) >= abs(true) - TIE
    low, high = np.quantile(estimates, [0.025, 0.975])
    return row | {
        "estimate": true,
        "lower": float(low),
        "upper": float(high),
        "p_value": float(as_far.mean()),
        "n_rejected": sum(test.p_value <= LEVEL for test in known),
        "n_tasks": pairs["task"].nunique(),
    }


def metric_pairs(curves: pd.DataFrame) -> pd.DataFrame:
    """Pair each two metrics of the same outputs once, whatever their class.

    Returns
    -------
    pandas.DataFrame
        ``pairs.BLOCK``, ``metric_1``, ``metric_0``, ``log10_width``, signed as if ``metric_1`` were
        the one of class 1, and ``width_known``, what the pair counts.
    """
    kept = curves[[*BLOCK, "curve_id", "metric", "query", MEASURE.column, KNOWN]]
    pairs = join_blocks(kept, kept)
    once = (pairs["metric_1"] < pairs["metric_0"]) & (pairs["stratum"] == SAME_OUTPUTS)
    difference = pairs[f"{MEASURE.column}_1"] - pairs[f"{MEASURE.column}_0"]
    columns = [*BLOCK, "metric_1", "metric_0"]
    return pairs.loc[once, columns].assign(
        **{ESTIMAND: MEASURE.sign * difference[once], KNOWN: known_of_both(pairs)[once]}
    )


def true_estimate(pairs: pd.DataFrame, curves: pd.DataFrame) -> float:
    """Estimate of H2's primary test from the pairs of all metrics."""
    label = classify(curves, SCHEME)
    class_of = curves.assign(label=label).set_index(["task", "metric"])["label"]
    classes = class_of[~class_of.index.duplicated()]
    one, zero = (
        classes.reindex(pd.MultiIndex.from_frame(pairs[["task", name]])).to_numpy(float)
        for name in ("metric_1", "metric_0")
    )
    values, weights = _by_task(pairs, one - zero)
    return float(shares_of(weights, len(values)) @ values) if len(values) else np.nan


def relabelled(
    pairs: pd.DataFrame,
    metrics: NDArray[np.str_],
    *,
    rng: np.random.Generator,
) -> FlipTest | None:
    """Test the primary measure under classes drawn for metrics by the toss of a coin.

    Parameters
    ----------
    pairs
        From ``metric_pairs``.
    metrics
        Their names.
    rng
        Draws the classes and the flips.

    Returns
    -------
    FlipTest or None
        None if fewer than six tasks have metrics of both classes.
    """
    classes = pd.Series(rng.integers(0, 2, len(metrics)).astype(float), index=metrics)
    # Without any pair the mapped names would still be text.
    one, zero = (pairs[name].map(classes).to_numpy(float) for name in ("metric_1", "metric_0"))
    return _test(_by_task(pairs, one - zero), rng=rng, n_draws=N_FLIPS)


def _by_task(pairs: pd.DataFrame, sign: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Means by task of the pairs that a labelling puts into two classes, and their weights."""
    apart = np.isfinite(sign) & (sign != 0)
    chosen = pairs[apart]
    signed = chosen.assign(**{ESTIMAND: sign[apart] * chosen[ESTIMAND]})
    return weighted_means(signed, ESTIMAND, KNOWN)


def _test(
    by_task: tuple[FloatArray, FloatArray], *, rng: np.random.Generator, n_draws: int
) -> FlipTest | None:
    values, weights = by_task
    if len(values) < MIN_TASKS:
        return None
    return flip_test(values, rng=rng, n_draws=n_draws, weights=weights)


def fake_rows(curves: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> list[Row]:
    """Compare the coldest and the hottest sampling of each family that has both.

    Parameters
    ----------
    curves
        As for ``random_row``.
    rng, n_draws
        Of the sign flips.

    Returns
    -------
    list of dict
        Rows of ``findings.CONTROLS``; one without numbers if no family has two temperatures.
    """
    by_stem: dict[str, list[tuple[float, str]]] = {}
    for name in sorted(curves["family"].unique()):
        if found := TEMPERATURE.match(name):
            by_stem.setdefault(found[1], []).append((float(found[2]), name))
    sides = [(max(ways)[1], min(ways)[1]) for ways in by_stem.values() if len(ways) > 1]
    if not sides:
        note = "no family of models was sampled at two temperatures"
        return [_row(FAKE, n_metrics=0, n_tests=0) | {"note": note}]
    return [fake_row(curves, one, zero, rng=rng, n_draws=n_draws) for one, zero in sides]


def fake_row(
    curves: pd.DataFrame, one: str, zero: str, *, rng: np.random.Generator, n_draws: int
) -> Row:
    """Test the primary measure between two families as if they were classes of metrics.

    Parameters
    ----------
    curves
        As for ``random_row``.
    one, zero
        Families of the same models.
    rng, n_draws
        Of the sign flips.
    """
    keys = ["task", "subtask", "metric", "n_shots"]
    kept = curves[[*keys, "family", MEASURE.column, KNOWN]]
    first, second = (kept[kept["family"] == name] for name in (one, zero))
    pairs = first.merge(second.drop(columns="family"), on=keys, suffixes=("_1", "_0"))
    difference = pairs[f"{MEASURE.column}_1"] - pairs[f"{MEASURE.column}_0"]
    signed = pairs.assign(**{ESTIMAND: MEASURE.sign * difference, KNOWN: known_of_both(pairs)})
    by_task = weighted_means(signed, ESTIMAND, KNOWN)
    test = _test(by_task, rng=rng, n_draws=n_draws)
    row = _row(FAKE, n_metrics=pairs["metric"].nunique(), n_tests=int(test is not None))
    row |= {"one": one, "zero": zero, "n_tasks": len(by_task[0])}
    if test is None:
        return row | {"note": f"fewer than {MIN_TASKS} tasks with curves of both"}
    return row | {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
        "p_value": test.p_value,
        "n_rejected": int(test.p_value <= LEVEL),
    }


def _row(control: str, *, n_metrics: int, n_tests: int) -> Row:
    texts: Row = {"control": control, "one": "", "zero": "", "note": ""}
    counts: Row = {"n_tests": n_tests, "n_rejected": 0, "n_tasks": 0, "n_metrics": n_metrics}
    return texts | counts | dict.fromkeys(["estimate", "lower", "upper", "p_value"], np.nan)
