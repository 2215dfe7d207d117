"""Simulated sets go through the functions that real tables go through."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from metamirage.curves import build_curves
from metamirage.findings import TRIALS
from metamirage.fits import Effort, fit_curve
from metamirage.rates import read_rates
from metamirage.selfcheck import Fitted, check_sets, fit_sigmoids, judge_set, make_set
from metamirage.selfcheck import _fit_sigmoid as fit_sigmoid
from metamirage.tables import check
from metamirage.worlds import NULL_WORLDS, WORLDS

# Not the seed of the sets that are reported.
SEED = 77
SHIPPED = Path(__file__).parents[1] / "data/raw/selfcheck/rates.csv"


@cache
def fitted(world: str, number: int) -> Fitted:
    synthetic, seed = make_set(world, number, seed=SEED)
    return fit_sigmoids(build_curves(synthetic.tidy, synthetic.tags), seed=seed)


def judged(world: str, number: int = 0) -> pd.DataFrame:
    synthetic, seed = make_set(world, number, seed=SEED)
    rows = judge_set(synthetic, fitted(world, number), number=number, seed=seed, n_draws=99)
    return pd.DataFrame(rows)


def test_at_full_effort_the_row_is_that_of_the_fits_stage() -> None:
    synthetic, seed = make_set("W3", 0, seed=SEED)
    curve = build_curves(synthetic.tidy, synthetic.tags)[0]
    row, profile = fit_sigmoid(curve, seed=seed, effort=Effort())
    whole, _, same = fit_curve(curve, seed=seed)
    assert row == {name: whole[name] for name in row}
    assert np.array_equal(profile, same)


def test_a_set_is_the_same_every_time_and_unlike_the_next() -> None:
    first = check_sets("W0", [0], seed=SEED, n_draws=99)
    check(first, TRIALS, source="test")
    pd.testing.assert_frame_equal(first, check_sets("W0", [0], seed=SEED, n_draws=99))
    scores = [make_set("W0", number, seed=SEED)[0].tidy["score"].sum() for number in (0, 1)]
    assert scores[0] != scores[1]


def test_a_mirage_is_seen_and_a_flat_world_is_called_flat_or_nothing() -> None:
    tests = judged("W2").query("kind == 'test'").set_index(["hypothesis", "estimand"])
    assert tests.loc[("H2", "log10_width"), "p_value"] <= 0.05
    verdicts = judged("W0").query("kind == 'verdict'").set_index("estimand")["hits"]
    assert verdicts["SHARP of flat"] == verdicts["SMOOTH of flat"] == 0


def test_intervals_are_held_against_curves_that_surely_rise() -> None:
    rows = judged("W3").query("kind == 'coverage'").set_index("estimand")
    assert (rows["cases"] > 10).all()
    # Nominal 90 %; of the rising curves of one set nearly all.
    assert (rows["hits"] / rows["cases"] > 0.7).all()


def test_the_primary_test_keeps_its_level_where_class_has_no_effect() -> None:
    rates = read_rates(SHIPPED)
    primary = rates[(rates["hypothesis"] == "H2") & (rates["estimand"] == "log10_width")]
    null = primary[primary["world"].isin(NULL_WORLDS)]
    assert len(null) == len(NULL_WORLDS)
    # Nominal 5 %; the promise is 3 to 7.
    assert null["rate"].between(0.03, 0.07).all()


def test_the_shipped_table_says_where_it_is_from() -> None:
    rates = read_rates(SHIPPED)
    assert set(rates["world"]) == set(WORLDS)
    assert rates["seed"].nunique() == rates["versions"].nunique() == 1
    assert "metamirage" in rates["versions"].iloc[0]
    primary = rates[(rates["hypothesis"] == "H2") & (rates["estimand"] == "log10_width")]
    assert set(primary["world"]) == set(WORLDS)
    assert not set(NULL_WORLDS) & set(primary.loc[primary["class_effect"], "world"])
