from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from metamirage.report import forecasting
from metamirage.report.text import NBSP
from report_builders import report_inputs

FORECASTS = report_inputs().forecasts
TASKS = dict(zip(report_inputs().fits["curve_id"], report_inputs().fits["task"], strict=True))
SUMMARY = forecasting.summarise_forecasts(FORECASTS, TASKS)
STEPS = forecasting.compare_steps(FORECASTS, TASKS)
STEP = "invented|step||exact|F|2"


def direct(n_left_out: int, target: int, predictor: str) -> pd.DataFrame:
    return FORECASTS.query(
        f"n_left_out == {n_left_out} and target == {target} and predictor == '{predictor}'"
    )


@pytest.mark.parametrize("design", list(forecasting.DESIGNS))
def test_forecasts_are_averaged_by_design_and_predictor(design: tuple[int, int]) -> None:
    rows = SUMMARY.set_index(["n_left_out", "target", "predictor"])
    chosen = direct(*design, "linear")
    row = rows.loc[(*design, "linear")]
    assert row["crps"] == chosen["crps"].mean()
    assert row["inside_95_n"] == chosen["inside_95"].sum()
    assert np.isnan(rows.loc[(*design, "two_point"), "inside_80"])


def test_no_two_step_forecast_enters_the_direct_ones() -> None:
    assert set(SUMMARY["predictor"]).isdisjoint({"two_step", "link_given_partner"})
    assert (SUMMARY["n"] == 6).all()


def test_a_predictor_without_a_distribution_shows_dashes() -> None:
    rows = forecasting.forecast_table(SUMMARY).rows
    lines = [row for row in rows if row[1] == "two_point"]
    assert len(lines) == 3
    assert all(row[3:5] == ("–", "–") and row[6:] == ("–", "–") for row in lines)


def test_shares_stand_beside_their_interval() -> None:
    cell = forecasting.forecast_table(SUMMARY).rows[0][6]
    assert re.fullmatch(rf"[\d.]+{NBSP}% \([\d.]+{NBSP}% to [\d.]+{NBSP}%\)", cell)


def shares(inside: list[bool], tasks: list[str]) -> tuple[float, float]:
    return forecasting.share_interval(pd.Series(inside, dtype=float), pd.Series(tasks))


def test_the_interval_of_independent_curves_is_that_of_jeffreys() -> None:
    # Every curve a task of its own: the spread of tasks is binomial, but for n / (n - 1).
    inside = [True] * 30 + [False] * 10
    expected = beta.ppf([0.025, 0.975], 30 * 39 / 40 + 0.5, 10 * 39 / 40 + 0.5)
    found = shares(inside, [str(i) for i in range(40)])
    assert found == pytest.approx(tuple(expected), abs=1e-9)


def test_curves_that_agree_within_tasks_count_as_tasks() -> None:
    alone = shares([True] * 9 + [False] * 3, [str(i) for i in range(12)])
    repeated = shares(([True] * 9 + [False] * 3) * 10, [str(i) for i in range(12)] * 10)
    assert repeated == pytest.approx(alone, abs=1e-9)


def test_curves_that_all_agree_count_as_tasks() -> None:
    low, high = shares([True] * 100, ["a", "b"] * 50)
    # Jeffreys' interval of two of two.
    assert low == pytest.approx(beta.ppf(0.025, 2.5, 0.5), abs=1e-9)
    assert high == 1.0


def test_one_task_tells_next_to_nothing() -> None:
    low, high = shares([True, False, True, True], ["a"] * 4)
    assert low < 0.1
    assert high > 0.95


def test_no_curve_has_no_interval() -> None:
    assert np.isnan(shares([], [])).all()


def test_two_step_forecasts_stand_beside_the_direct_ones_of_their_curves() -> None:
    rows = STEPS.query("stratum == 'same outputs' and n_left_out == 1").set_index("predictor")
    assert list(rows.index) == ["averaged", "two_step", "link_given_partner"]
    assert (rows["n_pairs"] == 2).all()
    assert (rows["n_tasks"] == 2).all()
    own = direct(1, 1, "averaged")
    paired = own[own["curve_id"].isin([STEP, STEP.replace("step", "line")])]
    assert rows.loc["averaged", "log_score"] == paired["log_score"].mean()


def test_a_curve_counts_once_a_partner() -> None:
    extra = FORECASTS[FORECASTS["partner"] != ""].assign(partner="another")
    steps = forecasting.compare_steps(pd.concat([FORECASTS, extra]), TASKS)
    assert (steps["n_pairs"] == 2 * STEPS["n_pairs"]).all()
    assert (steps["n_tasks"] == STEPS["n_tasks"]).all()


def test_pairs_that_gain_by_the_partner_are_counted() -> None:
    two_step = FORECASTS["predictor"] == "two_step"
    here = two_step & (FORECASTS["curve_id"] == STEP)
    changed = FORECASTS.assign(
        log_score=FORECASTS["log_score"].mask(two_step, -99.0).mask(here, 99.0)
    )
    said = forecasting.step_quality(forecasting.compare_steps(changed, TASKS))
    assert "Same outputs, largest, from all others: 2 pairs of 2 tasks. Mean log score" in said
    assert f"through the partner is better for 1 of 2 (50{NBSP}%)" in said
    assert f"through the partner is better for 0 of 1 (0{NBSP}%)" in said


def test_a_partner_without_a_true_score_is_no_reason_to_be_silent() -> None:
    known = FORECASTS["predictor"] == "link_given_partner"
    said = forecasting.step_quality(forecasting.compare_steps(FORECASTS[~known], TASKS))
    assert "2 pairs of 2 tasks" in said
    assert "true score" not in said


def test_no_pair_is_said_to_be_none() -> None:
    alone = FORECASTS[FORECASTS["partner"] == ""]
    steps = forecasting.compare_steps(alone, TASKS)
    assert forecasting.step_quality(steps).startswith("No two-step forecast")
    assert forecasting.step_table(steps).rows == ()


def test_every_design_is_put_into_words() -> None:
    said = forecasting.forecast_quality(SUMMARY)
    for design in ("Largest, from all others", "Largest, without", "Second largest, without"):
        assert f"{design}" in said
    inside = direct(1, 1, "averaged")["inside_80"].sum()
    assert f"80 % intervals hold {inside} of 6" in said


def test_the_best_candidate_is_named_from_the_forecasts() -> None:
    here = SUMMARY[(SUMMARY["n_left_out"] == 1) & SUMMARY["predictor"].isin(["linear", "power"])]
    best = str(here.set_index("predictor")["log_score"].idxmax())
    assert f"{best} by log score" in forecasting.forecast_quality(SUMMARY)
    worse = FORECASTS.assign(
        log_score=FORECASTS["log_score"].where(FORECASTS["predictor"] != best, -99.0)
    )
    said = forecasting.forecast_quality(forecasting.summarise_forecasts(worse, TASKS))
    assert f"{best} by log score" not in said


def test_no_forecast_is_said_to_be_none() -> None:
    none = forecasting.summarise_forecasts(FORECASTS[:0], TASKS)
    assert forecasting.forecast_quality(none).startswith("No curve is long enough")
    assert forecasting.forecast_table(none).rows == ()
    assert forecasting.ranks(FORECASTS[:0]) == ""


def test_ranks_in_the_outer_tenths_are_said() -> None:
    low = FORECASTS.assign(pit_low=0.0, pit_high=0.05)
    assert f"100{NBSP}% and 0{NBSP}% (largest, from all others)" in forecasting.ranks(low)
    even = FORECASTS.assign(pit_low=0.0, pit_high=1.0)
    assert f"10{NBSP}% and 10{NBSP}% (second largest" in forecasting.ranks(even)
