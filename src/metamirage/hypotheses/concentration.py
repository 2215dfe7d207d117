"""Stage concentration: whether sharp transitions sit in discontinuous metrics.

H1 (population): curves under metrics of class 1 are sharp more often than under class 0. See
``population`` and, for the regression beside it, ``marginal``.

H2 (paired, primary): where both classes score the same outputs of the same models, the measures of
the two curves are exchangeable. Every estimand is signed so that the mirage thesis predicts a
positive number.

H4 (forecastability, co-primary), on the pairs that have two-step forecasts: see ``foresight``. H5
(translation or narrowing), on the pairs of H2: see ``translation``. ``multiplicity`` adjusts the
rows that stand for a hypothesis.

Elsewhere: the shared latent (H3) in ``latent``, and in ``hierarchy`` a model that carries each
curve's uncertainty instead of its posterior mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from metamirage.base.seeds import stage_stream
from metamirage.base.thresholds import MIN_SIZES_VERDICT
from metamirage.base.vocabulary import BLOCK, SAME_MODEL, SAME_OUTPUTS
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.curves.classes import SCHEMES, classify
from metamirage.curves.pairs import join_blocks
from metamirage.hypotheses.h1_population import enrichment_row, naive_row, population_rows
from metamirage.hypotheses.h1_regression import marginal_rows
from metamirage.hypotheses.h2_pairs import flip_row, task_means
from metamirage.hypotheses.h4_forecasts import foresight_rows, step_gains
from metamirage.hypotheses.h5_translation import translation_rows
from metamirage.hypotheses.multiplicity import adjust, label_row
from metamirage.hypotheses.shared_width_prior import KNOWN, add_own_widths, known_of_both
from metamirage.hypotheses.strata import describe_curves


class Estimand(NamedTuple):
    """A measure of a curve and the sign that turns class 1 minus class 0 into "as predicted"."""

    column: str
    sign: int
    meaning: str
    weight: str = ""  # column of the pairs that says what each counts


PAIRED = {
    # By the prior that all curves share: ``own_prior`` says why, and what the other one does.
    "log10_width": Estimand(
        "log10_width_own",
        -1,
        "narrower, in log10 decades, under the prior that all curves share, by what they tell",
        KNOWN,
    ),
    "log10_width_equal": Estimand(
        "log10_width_own", -1, "narrower, in log10 decades, every pair alike: misleads a little"
    ),
    "log10_width_default": Estimand(
        "log10_width_mean", -1, "narrower, in log10 decades, under the prior of the fits: misleads"
    ),
    "location": Estimand("location_mean", 1, "later, in decades"),
    "floor_length": Estimand("floor_length", 1, "longer floor, in decades"),
    "concentration_index": Estimand("concentration_index", 1, "more of the jump in one decade"),
    "jump_decade": Estimand("jump_decade", 1, "larger rise within one decade"),
    "p_sharp": Estimand("p_sharp", 1, "more probably sharp"),
    "log_score": Estimand("log_score", -1, "harder to forecast, in nats"),
}


def assess_concentration(
    fits: pd.DataFrame,
    forecasts: pd.DataFrame,
    tags: pd.DataFrame,
    *,
    tidy: pd.DataFrame,
    profiles: pd.DataFrame,
    seed: int,
    n_permutations: int,
) -> pd.DataFrame:
    """Test H1, H2, H4 and H5 on one benchmark under every class scheme.

    Parameters
    ----------
    fits, forecasts, tags, tidy, profiles
        Tables of one benchmark; tidy gives sizes, items and preferred metrics, profiles give the
        widths under the benchmark's own prior.
    seed
        Of the permutations.
    n_permutations
        Random ones, where not all can be visited.

    Returns
    -------
    pandas.DataFrame
        Table ``findings.CONCENTRATION`` with the column ``stderr`` besides: the standard error
        of an estimate of H2 or H4 over tasks, for pooling.
    """
    tested = tested_curves(fits, forecasts, tags)
    curves = add_own_widths(describe_curves(tested, tidy=tidy, tags=tags), profiles)
    # Streams apart: a row more of one hypothesis does not move the draws of another.
    rng, beside, ahead = (
        stage_stream(seed, f"concentration{part}") for part in ("", ", beside", ", forecasts")
    )
    rows = [label_row(curves), enrichment_row(curves, rng=beside, n_draws=n_permutations)]
    for scheme in SCHEMES:
        rows += assess_scheme(curves, scheme, rng=rng, beside=beside, n_draws=n_permutations)
        classed = curves.assign(label=classify(curves, scheme)).dropna(subset="label")
        gains = step_gains(forecasts, classed)
        ahead_rows = _step_rows(gains, rng=ahead, n_draws=n_permutations)
        rows += [row | {"scheme": scheme} for row in ahead_rows]
    table = pd.DataFrame(rows).assign(benchmark=str(fits["benchmark"].iloc[0]), seed=seed)
    return adjust(table)[[*CONCENTRATION.columns, "stderr"]]


def assess_scheme(
    curves: pd.DataFrame,
    scheme: str,
    *,
    rng: np.random.Generator,
    beside: np.random.Generator,
    n_draws: int,
) -> list[dict[str, object]]:
    """Test H1, H2 and H5 under one class scheme.

    Parameters
    ----------
    curves
        Tested curves of one benchmark with what ``describe_curves`` and ``add_own_widths`` add.
    scheme
        One of ``SCHEMES``.
    rng, beside
        Of H1 and H2, and of the rows beside them.
    n_draws
        Random permutations or sign flips.
    """
    classed = curves.assign(label=classify(curves, scheme)).dropna(subset="label")
    found = [
        *population_rows(classed, rng=rng, n_draws=n_draws),
        *_pair_rows(classed, rng=rng, beside=beside, n_draws=n_draws),
        naive_row(classed),
        *marginal_rows(classed, rng=beside),
    ]
    return [row | {"scheme": scheme} for row in found]


def _pair_rows(
    classed: pd.DataFrame,
    *,
    rng: np.random.Generator,
    beside: np.random.Generator,
    n_draws: int,
) -> list[dict[str, object]]:
    """H2 with the draws of ``rng`` and H5 with those of ``beside``, by stratum."""
    pairs = make_pairs(classed)
    rows = []
    for stratum in (SAME_OUTPUTS, SAME_MODEL):
        chosen = pairs[pairs["stratum"] == stratum]
        found = [
            {"hypothesis": "H2"}
            | flip_row(chosen, e, rng=rng, n_draws=n_draws, weight=paired.weight)
            for e, paired in PAIRED.items()
        ]
        found += _translation_rows(chosen, classed, rng=beside, n_draws=n_draws)
        rows += [row | {"stratum": stratum} for row in found]
    return rows


def _step_rows(
    gains: pd.DataFrame, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, object]]:
    """H4 by stratum."""
    return [
        row | {"stratum": stratum}
        for stratum in (SAME_OUTPUTS, SAME_MODEL)
        for row in foresight_rows(gains[gains["stratum"] == stratum], rng=rng, n_draws=n_draws)
    ]


def _translation_rows(
    pairs: pd.DataFrame, curves: pd.DataFrame, *, rng: np.random.Generator, n_draws: int
) -> list[dict[str, object]]:
    # Both measures on the same pairs, or the two would be of different tasks.
    both = pairs.dropna(subset=["location", "log10_width"])
    named = pd.concat([both["curve_id_1"], both["curve_id_0"]])
    return translation_rows(
        task_means(both, "location"),
        task_means(both, "log10_width"),
        width_sd=named.map(curves.set_index("curve_id")["log10_width_own_sd"]).to_numpy(float),
        prior_sd=float(curves["own_prior_sd"].max()),
        n_pairs=len(both),
        rng=rng,
        n_draws=n_draws,
    )


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


def make_pairs(curves: pd.DataFrame) -> pd.DataFrame:
    """Pair each class-1 curve with each class-0 curve of its task, subtask, family and shots.

    Returns
    -------
    pandas.DataFrame
        One row a pair: the block, ``stratum`` (``same outputs`` if both metrics come from one
        query, else ``same model``), ``curve_id_1``, ``curve_id_0`` and one column an estimand of
        ``PAIRED`` that the curves have, with its signed difference; and ``width_known``, what the
        pair counts.
    """
    known = {name: e for name, e in PAIRED.items() if e.column in curves}
    curves = curves if KNOWN in curves else curves.assign(**{KNOWN: 1.0})
    columns = [*BLOCK, "curve_id", "query", KNOWN, *{e.column: None for e in known.values()}]
    one = curves.loc[curves["label"] == 1, columns]
    zero = curves.loc[curves["label"] == 0, columns]
    pairs = join_blocks(one, zero)
    differences = {
        name: e.sign * (pairs[f"{e.column}_1"] - pairs[f"{e.column}_0"])
        for name, e in known.items()
    }
    kept = pairs[[*BLOCK, "curve_id_1", "curve_id_0", "stratum"]]
    return kept.assign(**differences, **{KNOWN: known_of_both(pairs)})
