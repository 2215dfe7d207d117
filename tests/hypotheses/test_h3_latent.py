"""The rule of the shared latent, case by case, and in worlds whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from builders import BIG_G, keyed_curve, logistic, tags_row
from latent_worlds import draw_world
from metamirage.base.arrays import FloatArray
from metamirage.contracts.check import check
from metamirage.contracts.forecasts import FORECASTS
from metamirage.contracts.latent import LATENT
from metamirage.curves.curve import ROUNDING, Curve
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import forecast_curves
from metamirage.hypotheses.h3_breaks import Reading, Shares
from metamirage.hypotheses.h3_latent import AVERAGED, EVIDENCE, MOST, judge, judge_tasks, weigh
from standin.design import WORLDS

SHARP = 0.02 + 0.9 * logistic(BIG_G, location=9.2, width=0.3)
ELSEWHERE = 0.02 + 0.9 * logistic(BIG_G, location=8.0, width=0.3)
SMOOTH = 0.1 + 0.6 * (BIG_G - BIG_G[0]) / (BIG_G[-1] - BIG_G[0])
AT_FLOOR = np.full(12, 0.02)
NO_FORECASTS = pd.DataFrame({name: [] for name in FORECASTS.columns})
TAGS = pd.concat(
    [
        tags_row(metric="exact", chance=0.0),
        tags_row(metric="overlap", discontinuous="no", nonlinear="no"),
        tags_row(
            metric="ppl",
            discontinuous="no",
            query="cond_log_prob",
            direction="down",
            lower=1.0,
            upper=np.nan,
            chance=np.nan,
        ),
    ],
    ignore_index=True,
)


def exact(mean: FloatArray, **key: Any) -> Curve:
    return keyed_curve(
        BIG_G, np.rint(mean * 500) / 500, items=500, chance=0.0, metric="exact", **key
    )


def overlap(mean: FloatArray, **key: Any) -> Curve:
    return keyed_curve(BIG_G, mean, stderr=0.01, chance=0.0, metric="overlap", **key)


def judged(curves: Sequence[Curve], forecasts: pd.DataFrame = NO_FORECASTS) -> pd.DataFrame:
    return check(judge_tasks(curves, TAGS, forecasts, FitSettings(1)), LATENT, source="invented")


def only(curves: Sequence[Curve], forecasts: pd.DataFrame = NO_FORECASTS) -> pd.Series:
    table = judged(curves, forecasts)
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize(
    ("discontinuous", "continuous", "verdict", "reason"),
    [
        (SHARP, SMOOTH, "metric-explained", ""),
        (SMOOTH, SMOOTH, "metric-explained", ""),
        (SHARP, SHARP, "real", ""),
        (SHARP, ELSEWHERE, "unresolved", "no statement is probable enough"),
        (SMOOTH, SHARP, "unresolved", ""),
        (AT_FLOOR, SMOOTH, "unresolved", "no discontinuous curve rises"),
        (SHARP, AT_FLOOR, "unresolved", "no statement is probable enough"),
    ],
)
def test_the_partner_tells_a_break_from_a_link(
    discontinuous: FloatArray, continuous: FloatArray, verdict: str, reason: str
) -> None:
    row = only([exact(discontinuous), overlap(continuous)])
    assert row["verdict"] == verdict
    assert row["reason"] == reason or not reason
    assert (row["reason"] == "") == (verdict != "unresolved")


def test_the_sharpness_of_the_other_curve_is_no_evidence() -> None:
    # Either statement expects it: only the place of its break counts, and there is none to share.
    rows = [only([exact(mean), overlap(SMOOTH)]) for mean in (SHARP, ELSEWHERE)]
    assert [row["p_explained"] > 0.95 for row in rows] == [True, True]
    assert rows[0]["n_sharp"] == rows[1]["n_sharp"] == 1
    assert only([exact(SMOOTH), overlap(SMOOTH)])["n_sharp"] == 0


def test_a_perplexity_is_judged_in_logarithms() -> None:
    # Straight in the logarithm, a cliff at the smallest sizes in itself.
    loss = np.linspace(25.0, 1.0, 12)
    score = np.exp(loss)
    unit = float(score.max() - score.min())
    curve = keyed_curve(
        BIG_G,
        (score.max() - score) / unit,
        stderr=ROUNDING,
        bounded=False,
        metric="ppl",
        sign=-1,
        origin=float(-score.max()),
        unit=unit,
    )
    row = only([exact(SHARP), curve])
    assert (row["verdict"], row["stratum"]) == ("metric-explained", "same model")


def test_metrics_of_the_same_outputs_go_before_others() -> None:
    row = only([exact(SHARP), overlap(SHARP), keyed_loss()])
    assert (row["verdict"], row["stratum"]) == ("real", "same outputs")
    assert row["n_pairs_all"] == 1


def keyed_loss() -> Curve:
    return keyed_curve(
        BIG_G, SMOOTH, stderr=0.01, bounded=False, metric="ppl", unit=3.0, origin=2.0
    )


def test_curves_too_short_for_a_verdict_are_not_judged() -> None:
    short = np.arange(12) < 4
    assert judged([exact(SHARP).take(short), overlap(SMOOTH)]).empty
    assert judged([exact(SHARP)]).empty
    assert judged([]).empty


def test_a_metric_without_a_step_is_not_judged() -> None:
    assert judged([overlap(SHARP), keyed_loss()]).empty


def test_blocks_that_disagree_leave_a_task_unresolved() -> None:
    curves = [exact(SHARP, n_shots=n) for n in range(4)]
    partners = [overlap(SHARP if n < 2 else SMOOTH, n_shots=n) for n in range(4)]
    row = only([*curves, *partners])
    assert row["verdict"] == "unresolved"
    assert row["n_blocks"] == 4
    assert abs(row["elpd_difference"]) < 2 * row["elpd_se"]


def test_the_standard_error_counts_blocks_and_not_pairs() -> None:
    shots = [0, 0, 1]
    curves = [exact(SHARP, n_shots=n, subtask=str(i)) for i, n in enumerate(shots)]
    partners = [
        overlap(SMOOTH + 0.01 * i * (-1) ** np.arange(12), n_shots=n, subtask=str(i))
        for i, n in enumerate(shots)
    ]
    row, alone = only([*curves, *partners]), only([curves[0], partners[0]])
    assert row["n_blocks"] == row["n_pairs"] == 3
    assert np.isfinite(row["elpd_se"])
    assert np.isnan(alone["elpd_se"])


def test_a_link_that_misses_the_largest_size_takes_the_explanation_away() -> None:
    curves = [exact(SHARP), overlap(SMOOTH)]
    forecasts = forecast_curves(curves, TAGS, FitSettings(1))
    kept = only(curves, forecasts)
    linked = forecasts["predictor"] == "link_given_partner"
    worse = forecasts.assign(log_score=forecasts["log_score"].mask(linked, -99.0))
    lost = only(curves, worse)
    assert kept["verdict"] == "metric-explained"
    assert (lost["verdict"], lost["reason"]) == ("unresolved", "the link misses the largest size")
    assert lost["link_gain"] == -MOST


def test_a_largest_size_off_the_line_speaks_against_it() -> None:
    # Scores uncertain enough that no probability is below what draws resolve.
    on, off = (
        keyed_curve(BIG_G, mean, stderr=0.05, chance=0.0, metric="overlap")
        for mean in (SMOOTH, np.append(SMOOTH[:-1], 0.45))
    )
    rows = [only([exact(SHARP), partner]) for partner in (on, off)]
    assert rows[0]["elpd_last"] > 1.0
    assert rows[1]["elpd_last"] < 0.0


def reading(smooth: float, broken: float, *, prior: tuple[float, float]) -> Reading:
    def shares(s: float, b: float) -> Shares:
        return Shares(s, np.array([9.0]), np.array([b]))

    return Reading(shares(smooth, broken), shares(*prior), p_jump=1.0, p_sharp=1.0)


AT_NINE = Shares(0.0, np.array([9.0]), np.array([0.7]))


def test_evidence_is_posterior_over_prior_odds() -> None:
    found = weigh(reading(0.6, 0.1, prior=(0.4, 0.02)), AT_NINE)
    expected = np.log([0.6 / 0.4, 0.1 / 0.02, 0.3 / 0.58])
    # Sums of two weights: rounding.
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.difference == pytest.approx(expected[0] - expected[1], abs=1e-12)


def test_a_break_elsewhere_is_no_break_in_common() -> None:
    far = Shares(0.0, np.array([9.6]), np.array([0.7]))
    found = weigh(reading(0.1, 0.8, prior=(0.4, 0.02)), far)
    assert found.real < found.neither
    none = Shares(0.0, np.empty(0), np.empty(0))
    assert weigh(reading(0.1, 0.8, prior=(0.4, 0.02)), none).real < found.neither


def test_no_pair_is_believed_without_bound() -> None:
    found = weigh(reading(1.0, 0.0, prior=(0.4, 0.02)), AT_NINE).bounded()
    assert found.difference == MOST


CLEAR = {
    "p_explained": 0.99,
    "p_real": 0.0,
    "p_neither": 0.01,
    "elpd_difference": 5.0,
    "elpd_se": 1.0,
    "elpd_last": 0.5,
    "elpd_last_se": 0.2,
    "link_gain": 0.1,
    "link_gain_se": 0.2,
    "p_sharp_discontinuous": 0.95,
    "p_sharp_continuous": 0.0,
}
BROKEN = CLEAR | {"p_explained": 0.0, "p_real": 0.99, "elpd_difference": -5.0, "elpd_last": -0.5}


@pytest.mark.parametrize(
    ("row", "changes", "found"),
    [
        (CLEAR, {}, ("metric-explained", "")),
        (BROKEN, {}, ("real", "")),
        (CLEAR, {"p_explained": 0.94}, ("unresolved", "no statement is probable enough")),
        (CLEAR, {"elpd_se": 2.6}, ("unresolved", "blocks disagree")),
        (BROKEN, {"elpd_se": 2.6}, ("unresolved", "blocks disagree")),
        (CLEAR, {"elpd_se": np.nan}, ("metric-explained", "")),
        (CLEAR, {"elpd_last": -0.5}, ("unresolved", "the largest size speaks against it")),
        (BROKEN, {"elpd_last": 0.5}, ("unresolved", "the largest size speaks against it")),
        (CLEAR, {"elpd_last": -2.9, "elpd_last_se": np.nan}, ("metric-explained", "")),
        (CLEAR, {"link_gain": -0.5}, ("unresolved", "the link misses the largest size")),
        (CLEAR, {"link_gain": np.nan, "link_gain_se": np.nan}, ("metric-explained", "")),
        (BROKEN, {"link_gain": -0.5}, ("real", "")),
        (
            BROKEN,
            {"p_sharp_discontinuous": 0.89},
            ("unresolved", "the discontinuous curves are not sharp"),
        ),
        (CLEAR, {"p_sharp_discontinuous": 0.0}, ("metric-explained", "")),
    ],
)
def test_each_condition_of_the_rule_bites(
    row: dict[str, float], changes: dict[str, float], found: tuple[str, str]
) -> None:
    assert judge(row | changes) == found


def test_probabilities_follow_from_the_mean_evidence() -> None:
    row = only([exact(SHARP), overlap(SMOOTH)])
    total = row["p_explained"] + row["p_real"] + row["p_neither"]
    assert total == pytest.approx(1.0, abs=1e-12)
    assert set(EVIDENCE) <= set(AVERAGED)
    # A difference of ten nats at most: the odds of the two are within e^10.
    odds = np.log(row["p_explained"] / row["p_real"])
    assert odds == pytest.approx(row["elpd_difference"], abs=1e-9)
    assert softmax([odds, 0.0])[0] > 0.95


def test_the_order_of_curves_and_threads_change_nothing() -> None:
    curves = [exact(SHARP, task="t"), overlap(SMOOTH, task="t")]
    one = judge_tasks(curves, TAGS, NO_FORECASTS, FitSettings(1))
    two = judge_tasks(curves[::-1], TAGS, NO_FORECASTS, FitSettings(1, threads=2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("world", "wrong", "right"),
    [("W2", "real", "metric-explained"), ("breaks", "metric-explained", "real")],
)
def test_worlds_of_known_truth(
    world: str, wrong: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WORLDS, "breaks", ({"break": 1.0}, "metric"))
    curves, tags = draw_world(world, 16, np.random.default_rng(31))
    few = [c for c in curves if not pd.isna(c.key["n_shots"]) and c.key["n_shots"] == 0]
    found = judge_tasks(few, tags, NO_FORECASTS, FitSettings(1, threads=2))[
        "verdict"
    ].value_counts()
    # One task in twelve is 8 %: none may be wrong, and most should be right.
    assert found.get(wrong, 0) == 0
    assert found.get(right, 0) >= 0.4 * found.sum()
