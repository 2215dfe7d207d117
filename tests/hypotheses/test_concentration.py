from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from builders import LIKELIHOOD_SD, profiles_of
from metamirage.base.vocabulary import CURVE_KEY
from metamirage.contracts.check import check
from metamirage.contracts.concentration import CONCENTRATION
from metamirage.curves.classes import classify
from metamirage.hypotheses.concentration import PAIRED, assess_concentration, make_pairs
from metamirage.hypotheses.concentration import tested_curves as join_tested

SEED = 7
# Means of a handful of terms.
EXACT = 1e-12
# The own prior's iteration stops at steps of 1e-4.
ITERATED = 1e-3


def fits_of(n_tasks: int, gap: float, *, noise: float = 0.0) -> pd.DataFrame:
    """Curves of n tasks, two shots, an exact match (class 1) and a log likelihood (class 0)."""
    rng = np.random.default_rng(SEED)
    rows = [
        {
            "curve_id": f"b|t{t}||{metric}|f|{shots}",
            "benchmark": "b",
            "task": f"t{t}",
            "subtask": "",
            "metric": metric,
            "family": "f",
            "n_shots": shots,
            "n_sizes": 8,
            "verdict": "SHARP" if metric == "exact" else "SMOOTH",
            "excluded": "",
            **{e.column: 0.0 for name, e in PAIRED.items() if name != "log_score"},
            "log10_width_sd": 0.1,
            "log10_width_mean": -gap * (metric == "exact") + noise * rng.normal(),
            "p_jump": 1.0,
            "p_sharp": 0.5 + gap / 4 * (metric == "exact"),
        }
        for t in range(n_tasks)
        for metric in ("exact", "graded")
        for shots in (0, 1)
    ]
    return pd.DataFrame(rows).astype({"n_shots": "Int64"})


def tags_of(fits: pd.DataFrame, query: str = "generate") -> pd.DataFrame:
    rows = fits[["benchmark", "task", "metric"]].drop_duplicates()
    step = np.where(rows["metric"] == "exact", "yes", "no")
    return rows.assign(discontinuous=step, nonlinear=step, query=query)


def forecasts_of(fits: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame({"curve_id": fits["curve_id"], "predictor": "averaged", "log_score": 0.0})
    largest = table.assign(n_left_out=1, target=1, partner="", stratum="", crps=0.1)
    # Other forecasts of the same curves, which no test of these is about.
    others = [
        largest.assign(n_left_out=2, log_score=-50.0),
        largest.assign(n_left_out=2, target=2, log_score=50.0),
        largest.assign(predictor="two_step", partner="p", log_score=99.0),
    ]
    return pd.concat([largest, *others], ignore_index=True)


def tidy_of(fits: pd.DataFrame) -> pd.DataFrame:
    """Two sizes a curve are enough: only span, items and preference are read."""
    sizes = [fits[list(CURVE_KEY)].assign(n_params=n) for n in (1e8, 1e11)]
    return pd.concat(sizes).assign(n_samples=100, is_preferred=None)


def assess(
    fits: pd.DataFrame, tags: pd.DataFrame, forecasts: pd.DataFrame | None = None
) -> pd.DataFrame:
    return assess_concentration(
        fits,
        forecasts_of(fits) if forecasts is None else forecasts,
        tags,
        tidy=tidy_of(fits),
        profiles=profiles_of(fits),
        seed=SEED,
        n_permutations=200,
    )


def row_of(table: pd.DataFrame, **wanted: str) -> pd.Series[object]:
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


WIDTH = {"estimand": "log10_width", "scheme": "discontinuous", "stratum": "same outputs"}


def test_narrower_discontinuous_curves_give_a_positive_width_estimate() -> None:
    fits = fits_of(8, 0.5)
    table = assess(fits, tags_of(fits))
    row = row_of(table, **WIDTH)
    default = row_of(table, **WIDTH | {"estimand": "log10_width_default"})
    assert default["estimate"] == pytest.approx(0.5, abs=EXACT)
    # Two widths half a decade apart: their own prior leaves all but noise over spread, squared.
    kept = 1 - (LIKELIHOOD_SD / 0.25) ** 2
    assert row["estimate"] == pytest.approx(0.5 * kept, abs=ITERATED)
    assert row["p_value"] == 2 / 2**8
    assert (row["n_tasks"], row["n_curves"]) == (8, 16)


def test_population_difference_is_class_one_minus_class_zero() -> None:
    fits = fits_of(8, 0.4)
    row = row_of(
        assess(fits, tags_of(fits)), estimand="p_sharp", scheme="discontinuous", stratum="all"
    )
    assert row["estimate"] == pytest.approx(0.1, abs=EXACT)
    assert row["note"] == (
        "class 0: 0.500 of 16 curves; class 1: 0.600 of 16 curves; 1 of 1 strata hold both classes"
    )


def test_excluded_curves_and_short_curves_stay_out() -> None:
    fits = fits_of(8, 0.5)
    fits.loc[fits["task"] == "t0", "excluded"] = "bias score"
    fits.loc[fits["task"] == "t1", "n_sizes"] = 4
    assert row_of(assess(fits, tags_of(fits)), **WIDTH)["n_tasks"] == 6


def test_pairs_of_different_queries_form_a_stratum_of_their_own() -> None:
    fits = fits_of(6, 0.5)
    tags = tags_of(fits)
    tags.loc[tags["metric"] == "graded", "query"] = "cond_log_prob"
    table = assess(fits, tags)
    assert row_of(table, **WIDTH)["n_tasks"] == 0
    assert row_of(table, **WIDTH | {"stratum": "same model"})["n_tasks"] == 6


def test_pairs_never_cross_shots() -> None:
    fits = fits_of(1, 0.5)
    labelled = fits.assign(
        label=(fits["metric"] == "exact").astype(float), query="generate", log_score=0.0
    )
    pairs = make_pairs(labelled)
    shots = pairs[["curve_id_1", "curve_id_0"]].map(lambda name: name.rsplit("|", 1)[1])
    assert len(pairs) == 2
    assert (shots["curve_id_1"] == shots["curve_id_0"]).all()


def test_too_few_tasks_are_said_to_be_too_few() -> None:
    fits = fits_of(3, 0.5)
    row = row_of(assess(fits, tags_of(fits)), **WIDTH)
    assert row["note"] == "6 tasks are needed to reject at 0.05"
    assert (row["lower"], row["upper"]) == (-np.inf, np.inf)


def test_no_pairs_is_a_row_without_numbers() -> None:
    fits = fits_of(4, 0.5).query("metric == 'exact'")
    row = row_of(assess(fits, tags_of(fits)), **WIDTH)
    assert np.isnan(row["estimate"])
    assert row["note"] == "no task has metrics of both classes here"


@pytest.mark.parametrize(
    ("step", "bent", "expected"),
    [
        ("yes", "no", 1.0),
        ("no", "no", 0.0),
        ("unknown", "yes", 1.0),
        ("unknown", "no", np.nan),
    ],
)
def test_either_is_known_only_when_it_must_be(step: str, bent: str, expected: float) -> None:
    curves = pd.DataFrame({"discontinuous": [step], "nonlinear": [bent]})
    assert classify(curves, "either").tolist() == pytest.approx([expected], nan_ok=True)


def test_table_keeps_its_contract_and_its_seed() -> None:
    fits = fits_of(6, 0.5, noise=0.1)
    table = assess(fits, tags_of(fits))
    check(table, CONCENTRATION, source="test")
    pd.testing.assert_frame_equal(table, assess(fits, tags_of(fits)))
    assert set(table["seed"]) == {SEED}


def test_one_shared_task_effect_is_no_evidence_however_many_shots() -> None:
    # Two tasks with opposite effects, many curves: pairs are many, tasks are two.
    fits = fits_of(2, 0.0)
    exact = fits["metric"] == "exact"
    fits.loc[exact, "log10_width_mean"] = np.where(fits.loc[exact, "task"] == "t0", 1.0, -1.0)
    row = row_of(assess(fits, tags_of(fits)), **WIDTH)
    assert row["estimate"] == pytest.approx(0.0, abs=ITERATED)
    assert row["p_value"] == 1.0


def test_the_largest_size_alone_is_compared_by_its_log_score() -> None:
    fits = fits_of(8, 0.5)
    forecasts = forecasts_of(fits)
    direct = (forecasts["n_left_out"] == 1) & (forecasts["partner"] == "")
    exact = direct & forecasts["curve_id"].str.contains("exact")
    forecasts.loc[exact, "log_score"] = -2.0
    tags = tags_of(fits)
    tested = join_tested(fits, forecasts, tags)
    assert len(tested) == len(fits)
    table = assess(fits, tags, forecasts)
    assert row_of(table, **WIDTH | {"estimand": "log_score"})["estimate"] == 2.0
