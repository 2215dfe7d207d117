"""Stage superlinear: whether scores rise faster than linearly in log size, apart from breaks.

A curve that bends upwards over all its sizes is no sharp transition, yet small models foretell less
of it than a line would. The measure is the exponent c of the candidate *power*, in which the score
is linear in N^c: c > 0 bends upwards, c = 0 is the straight line in log N. A curve is *faster* than
linear if P(c > 0) clears 0.95, *slower* if P(c < 0) does; only curves that rise are asked.

Not for curves that turn, nor for a rise that is over within the sizes: a sigmoid bends both ways,
and c then tells which bend weighs more. The exponent is one on the scale of the published score;
metrics bend by their own nonlinearity, which is what the comparison of classes is for.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_SIZES_VERDICT, MIN_UNITS, P_JUMP
from metamirage.base.vocabulary import BLOCK, SAME_MODEL, SAME_OUTPUTS
from metamirage.contracts.superlinear import SUPERLINEAR, SUPERLINEAR_LABELS, SUPERLINEAR_TESTS
from metamirage.curves.classes import SCHEMES, classify
from metamirage.curves.pairs import join_blocks
from metamirage.hypotheses.h1_population import make_units
from metamirage.hypotheses.permutation import flip_test, label_test
from metamirage.hypotheses.strata import describe_curves

FASTER, SLOWER, UNDECIDED, NO_RISE = SUPERLINEAR_LABELS
# ASSUME: the direction of the bend is known where one has 19 times the probability of the other.
P_BEND = 0.95
Row = dict[str, object]


def find_superlinear(fits: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Say of each curve whether it rises faster than linearly in log size.

    Parameters
    ----------
    fits, models
        Tables of one benchmark; the latter with the means and sds of the parameters.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.SUPERLINEAR``: a row for each curve that enters the tests.
    """
    chosen = fits[(fits["excluded"] == "") & (fits["n_sizes"] >= MIN_SIZES_VERDICT)]
    power = models.loc[models["model"] == "power", ["curve_id", "shape1_mean", "shape1_sd"]]
    named = power.rename(columns={"shape1_mean": "exponent_mean", "shape1_sd": "exponent_sd"})
    joined = chosen.merge(named, on="curve_id", how="left", validate="one_to_one")
    # ASSUME: the posterior of the exponent is Normal; it is one parameter, its prior Normal.
    p_faster = ndtr(joined["exponent_mean"] / joined["exponent_sd"])
    label = np.select([p_faster >= P_BEND, p_faster <= 1 - P_BEND], [FASTER, SLOWER], UNDECIDED)
    rises = joined["p_jump"] > P_JUMP
    found = joined.assign(p_faster=p_faster.where(rises), label=np.where(rises, label, NO_RISE))
    return found[list(SUPERLINEAR.columns)].sort_values("curve_id", ignore_index=True)


def compare_classes(
    superlinear: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    tidy: pd.DataFrame,
    seed: int,
    n_permutations: int,
) -> pd.DataFrame:
    """Test whether the bend goes with the class of the metric.

    Two ways, as H1 and H2 do for sharpness: between tasks within strata, and within pairs of
    metrics on the same task and models by sign flips of tasks.

    Parameters
    ----------
    superlinear
        From ``find_superlinear``.
    tags, tidy
        Tables of the same benchmark.
    seed, n_permutations
        Of the permutations.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.SUPERLINEAR_TESTS``, one row a scheme and stratum.
    """
    axes = tags[["task", "metric", "discontinuous", "nonlinear", "query"]]
    rising = superlinear[superlinear["label"] != NO_RISE]
    tagged = rising.merge(axes, on=["task", "metric"], how="left", validate="many_to_one")
    curves = describe_curves(tagged, tidy=tidy, tags=tags)
    rng = stage_stream(seed, "superlinear")
    rows = []
    for scheme in SCHEMES:
        classed = curves.assign(label=classify(curves, scheme)).dropna(subset="label")
        found = [
            _between_row(classed, rng=rng, n_draws=n_permutations),
            *(_within_row(classed, s, rng, n_permutations) for s in (SAME_OUTPUTS, SAME_MODEL)),
        ]
        rows += [{"scheme": scheme, **row} for row in found]
    names = superlinear["benchmark"]
    table = pd.DataFrame(rows).assign(benchmark=str(names.iloc[0]) if len(names) else "", seed=seed)
    return table[list(SUPERLINEAR_TESTS.columns)]


def _between_row(classed: pd.DataFrame, *, rng: np.random.Generator, n_draws: int) -> Row:
    row = _row("all", classed["task"].nunique(), len(classed))
    if classed["label"].nunique() < 2:
        return row | {"note": "the rising curves are of one class or none"}
    units, strata = make_units(classed, "p_faster")
    estimate, p_value, interval = label_test(units, rng=rng, n_draws=n_draws)
    if np.isnan(estimate):
        return row | {"note": "no query holds rising curves of both classes"}
    return row | {
        "estimate": estimate,
        "lower": interval.lower,
        "upper": interval.upper,
        "p_value": p_value,
        "method": f"label permutation between tasks within strata ({strata.described()})",
        "note": strata.note(),
    }


def _within_row(classed: pd.DataFrame, stratum: str, rng: np.random.Generator, n_draws: int) -> Row:
    columns = [*BLOCK, "query", "p_faster"]
    one, zero = (classed.loc[classed["label"] == label, columns] for label in (1, 0))
    pairs = join_blocks(one, zero).query("stratum == @stratum")
    difference = pairs["p_faster_1"] - pairs["p_faster_0"]
    blocks = difference.groupby([pairs[c] for c in BLOCK], dropna=False).mean()
    by_task = blocks.groupby(level="task").mean().to_numpy(float)
    row = _row(stratum, len(by_task), len(pairs))
    if not len(by_task):
        return row | {"note": "no task has rising curves of both classes here"}
    test = flip_test(by_task, rng=rng, n_draws=n_draws)
    enough = len(by_task) >= MIN_UNITS
    return row | {
        "estimate": test.estimate,
        "lower": test.interval.lower,
        "upper": test.interval.upper,
        "p_value": test.p_value,
        "method": "sign flips by task; interval of the shifts not rejected",
        "note": "" if enough else f"{MIN_UNITS} tasks are needed to reject at 0.05",
    }


def _row(stratum: str, n_tasks: int, n_curves: int) -> Row:
    empty: Row = dict.fromkeys(["estimate", "lower", "upper", "p_value"], np.nan)
    return {
        "stratum": stratum, **empty, "n_tasks": n_tasks, "n_curves": n_curves, "method": "",
        "note": "",
    }  # fmt: skip
