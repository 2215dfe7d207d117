from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.hypotheses.h4_forecasts import GAINS, foresight_rows, step_gains

SEED = 3
# Differences of two numbers of order one.
EXACT = 1e-12


def classed(n_tasks: int) -> pd.DataFrame:
    """An exact match (class 1) and a likelihood (class 0) of each task."""
    rows = [
        {
            "curve_id": f"t{t}|{metric}",
            "task": f"t{t}",
            "subtask": "",
            "family": "f",
            "n_shots": 0,
            "p_jump": 1.0,
            "label": float(metric == "exact"),
        }
        for t in range(n_tasks)
        for metric in ("exact", "likelihood")
    ]
    return pd.DataFrame(rows)


def forecasts(direct: list[float], steps: list[float], *, n_left_out: int = 1) -> pd.DataFrame:
    """Log scores of both ways for the exact match of each task; CRPS is their negative."""
    ways = (("averaged", "", "", direct), ("two_step", "likelihood", "same outputs", steps))
    rows = [
        {
            "curve_id": f"t{t}|exact",
            "n_left_out": n_left_out,
            "target": 1,
            "predictor": predictor,
            "partner": f"t{t}|{partner}" if partner else "",
            "stratum": stratum,
            "log_score": score,
            "crps": -score,
        }
        for predictor, partner, stratum, scores in ways
        for t, score in enumerate(scores)
    ]
    return pd.DataFrame(rows)


def row_of(gains: pd.DataFrame, estimand: str, *, n_draws: int = 99) -> dict[str, object]:
    rows = foresight_rows(gains, rng=np.random.default_rng(SEED), n_draws=n_draws)
    return {str(row["estimand"]): row for row in rows}[estimand]


@pytest.mark.parametrize("estimand", ["log_score_gain", "crps_gain"])
def test_a_better_two_step_forecast_is_a_positive_gain(estimand: str) -> None:
    found = forecasts([1.0] * 8, [1.5] * 8)
    row = row_of(step_gains(found, classed(8)), estimand)
    assert row["estimate"] == pytest.approx(0.5, abs=EXACT)
    assert row["p_value"] == 2 / 2**8
    assert (row["hypothesis"], row["n_tasks"]) == ("H4", 8)


def test_a_direct_forecast_that_is_better_is_a_negative_gain() -> None:
    gains = step_gains(forecasts([1.5] * 8, [1.0] * 8), classed(8))
    assert row_of(gains, "log_score_gain")["estimate"] == pytest.approx(-0.5, abs=EXACT)


def test_tasks_count_once_however_many_shots_they_have() -> None:
    # One task has three gains of 1, the other two one gain of -1 each.
    curves = pd.concat(
        [classed(3), *(classed(1).assign(n_shots=k, curve_id=lambda t, k=k: t["curve_id"] + f"|{k}")
                       for k in (1, 2))]
    )  # fmt: skip
    found = forecasts([0.0] * 3, [1.0, -1.0, -1.0])
    more = [
        forecasts([0.0], [1.0]).assign(
            curve_id=f"t0|exact|{k}", partner=lambda t, k=k: t["partner"].replace(
                "t0|likelihood", f"t0|likelihood|{k}"
            )
        )
        for k in (1, 2)
    ]  # fmt: skip
    row = row_of(step_gains(pd.concat([found, *more]), curves), "log_score_gain")
    assert (row["n_tasks"], row["n_curves"]) == (3, 5)
    assert row["estimate"] == pytest.approx(-1 / 3, abs=EXACT)


def test_a_partner_of_the_same_class_is_no_partner() -> None:
    curves = classed(8).assign(label=1.0)
    gains = step_gains(forecasts([1.0] * 8, [1.5] * 8), curves)
    assert gains.empty
    row = row_of(gains, "log_score_gain")
    assert np.isnan(float(str(row["estimate"])))
    assert row["note"] == "no two-step forecast here"


def test_leaving_two_out_has_rows_of_its_own() -> None:
    near = forecasts([1.0] * 7, [1.5] * 7)
    far = forecasts([1.0] * 6, [3.0] * 6, n_left_out=2)
    gains = step_gains(pd.concat([near, far]), classed(7))
    assert row_of(gains, "log_score_gain")["estimate"] == pytest.approx(0.5, abs=EXACT)
    two_out = row_of(gains, "log_score_gain_two_out")
    assert two_out["estimate"] == pytest.approx(2.0, abs=EXACT)
    assert two_out["n_tasks"] == 6


def test_short_curves_leave_two_out_without_a_number_and_with_a_reason() -> None:
    gains = step_gains(forecasts([1.0] * 7, [1.5] * 7), classed(7))
    row = row_of(gains, "crps_gain_two_out")
    assert np.isnan(float(str(row["estimate"])))
    assert row["note"] == "no curve with a partner is long enough"


def test_the_nearer_size_left_out_does_not_enter() -> None:
    largest = forecasts([1.0] * 6, [1.5] * 6, n_left_out=2)
    nearer = forecasts([1.0] * 6, [99.0] * 6, n_left_out=2).assign(target=2)
    gains = step_gains(pd.concat([largest, nearer]), classed(6))
    assert gains["log_score_gain_two_out"].tolist() == pytest.approx([0.5] * 6, abs=EXACT)
    assert set(GAINS) <= set(gains)


def test_curves_that_stay_flat_have_nothing_to_foretell() -> None:
    curves = classed(8)
    flat = curves["task"].isin(["t6", "t7"])
    curves = curves.assign(p_jump=np.where(flat, 0.5, 1.0))
    gains = step_gains(forecasts([1.0] * 8, [0.5] * 6 + [9.0] * 2), curves)
    row = row_of(gains, "log_score_gain_rising")
    assert (row["n_tasks"], row["estimate"]) == (6, pytest.approx(-0.5, abs=EXACT))
    none = row_of(gains.iloc[6:], "log_score_gain_rising")
    assert none["note"] == "no curve with a partner rises"
