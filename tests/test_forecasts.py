"""Stage forecasts: proper scores, honest scales, and no leak of the left-out score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from scipy.stats import betabinom, norm

from builders import BIG_G, GPT_3, PALM, counted, logistic, make_curve, reference_curves
from metamirage import tables
from metamirage.curves import Curve, rescaled
from metamirage.engine import Posterior
from metamirage.forecasts import (
    Predictive,
    average,
    crps,
    forecast_curves,
    predict_last,
    two_point,
)

REFERENCE = reference_curves()
EXACT = 1e-12
RISING = make_curve(GPT_3, np.linspace(0.1, 0.8, 8), items=200, chance=0.1, name="rising")
SCORED = make_curve(GPT_3, np.linspace(0.1, 0.8, 8), stderr=0.02, name="scored")
UNBOUNDED = make_curve(
    GPT_3, np.linspace(0.0, 1.0, 8) ** 2, bounded=False, origin=-5.0, unit=4.0, name="unbounded"
)


def forecast(curve: Curve, *, seed: int = 1) -> pd.DataFrame:
    return forecast_curves([curve], seed=seed).set_index("predictor")


@pytest.mark.parametrize(("sizes", "factor"), [((8, 64, 535), 1.0211), ((8, 62, 540), 1.0570)])
def test_projection_of_palm(sizes: tuple[float, ...], factor: float) -> None:
    x = np.log10(np.array(sizes))
    found = two_point(x[:2], np.array([0.2, 0.5]), float(x[2]))
    # The factor is printed with four decimals.
    assert found == pytest.approx(0.5 + factor * 0.3, abs=0.3 * 5e-5)


def test_projection_uses_the_two_sizes_before() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 5.0]), np.array([9.0, -4.0, 1.0, 2.0])
    assert two_point(x, y, 7.0) == pytest.approx(3.0, abs=EXACT)


def test_two_point_row_carries_the_discontinuity() -> None:
    curve = make_curve([7, 8, 9, 10], [0.1, 0.2, 0.3, 0.9], items=100, chance=0.0)
    row = forecast(curve).loc["two_point"]
    assert row["mean"] == pytest.approx(0.4, abs=1e-9)
    assert row["discontinuity"] == pytest.approx(0.5, abs=1e-9)


def test_two_point_averages_replicates_of_a_size() -> None:
    curve = make_curve([7, 8, 9, 9, 10], [0.1, 0.2, 0.3, 0.5, 0.9], items=100, chance=0.0)
    assert forecast(curve).loc["two_point", "mean"] == pytest.approx(0.6, abs=1e-9)


@pytest.mark.parametrize("observed", [-2.0, 0.0, 0.7])
def test_crps_of_a_normal_sample(observed: float) -> None:
    n = 20_000
    sample = ndtri((np.arange(n) + 0.5) / n)
    t = observed
    closed_form = t * (2 * norm.cdf(t) - 1) + 2 * norm.pdf(t) - 1 / np.sqrt(np.pi)
    # Quantiles in place of draws: the tails beyond 1/40,000 are missing.
    assert crps(sample, np.full(n, 1 / n), observed) == pytest.approx(closed_form, abs=2e-4)


def test_crps_of_a_point_is_the_distance() -> None:
    assert crps(np.array([0.3]), np.array([1.0]), 0.8) == pytest.approx(0.5, abs=EXACT)


def test_crps_weighs_the_sample() -> None:
    # E|X - y| = 0.25 + 0.75 * 0 and E|X - X'| = 2 * 0.25 * 0.75.
    found = crps(np.array([1.0, 0.0]), np.array([0.25, 0.75]), 0.0)
    assert found == pytest.approx(0.25 - 0.1875, abs=EXACT)


def test_crps_does_not_depend_on_the_order_of_the_sample() -> None:
    rng = np.random.default_rng(3)
    sample, weights = rng.normal(size=50), rng.dirichlet(np.ones(50))
    pairs = np.abs(sample[:, None] - sample)
    expected = weights @ np.abs(sample - 0.4) - weights @ pairs @ weights / 2
    assert crps(sample, weights, 0.4) == pytest.approx(expected, abs=EXACT)


def flat_posterior(level: float, log_dispersion: float, m: int) -> Posterior:
    theta = np.tile([level, log_dispersion, 0.0, 0.0, 0.0], (m, 1))
    return Posterior("flat", theta, np.full(m, 1 / m), 0.0, 0.0, float(m), np.empty(0))


def last_count(k: int, items: int) -> Curve:
    return make_curve(GPT_3, [*np.full(7, 0.5), k / items], items=items, chance=0.0)


def test_predictive_of_counts_sums_to_one() -> None:
    rng = np.random.default_rng(1)
    theta = flat_posterior(-1.0, 2.0, 1)
    found = [predict_last(last_count(k, 20), theta, rng).log_density[0] for k in range(21)]
    # A density per unit of the score: 20 counts to the unit.
    assert np.sum(np.exp(found)) / 20 == pytest.approx(1.0, abs=1e-9)


def test_predictive_of_counts_is_beta_binomial() -> None:
    posterior = flat_posterior(np.log(0.3 / 0.7), np.log(12.0), 40_000)
    found = predict_last(last_count(5, 20), posterior, np.random.default_rng(1))
    expected = betabinom.logpmf(5, 20, 3.6, 8.4) + np.log(20)
    assert found.log_density[0] == pytest.approx(expected, abs=1e-9)
    # Five standard errors of a mean and of a variance of 40,000 draws.
    assert found.sample.mean() == pytest.approx(0.3, abs=5 * 0.16 / 200)
    spread = betabinom.var(20, 3.6, 8.4) / 400
    assert found.sample.var() == pytest.approx(spread, rel=0.05)


def test_predictive_of_scores_is_normal_with_both_errors() -> None:
    posterior = flat_posterior(0.4, np.log(0.03), 40_000)
    curve = make_curve(GPT_3, np.full(8, 0.45), stderr=0.04)
    found = predict_last(curve, posterior, np.random.default_rng(1))
    assert found.log_density[0] == pytest.approx(norm.logpdf(0.45, 0.4, 0.05), abs=1e-9)
    assert found.sample.std() == pytest.approx(0.05, rel=0.02)


def test_mixing_predictives_mixes_their_weights() -> None:
    parts = [Predictive(np.zeros(2), np.array([v, v]), np.array([0.5, 0.5])) for v in (0.0, 1.0)]
    mixed = average(parts, np.array([0.2, 0.8]))
    assert mixed.weights.sum() == pytest.approx(1.0)
    assert mixed.weights @ mixed.sample == pytest.approx(0.8)


@pytest.mark.parametrize("curve", [RISING, SCORED, UNBOUNDED], ids=lambda c: c.key["task"])
def test_the_left_out_score_does_not_leak_into_its_forecast(curve: Curve) -> None:
    other = replace(curve, score=curve.score.copy())
    # Beyond the range of the rest, so that an unbounded metric's own scale moves with it.
    other.score[-1] = curve.score[-1] + 0.15 * curve.unit
    if curve.bounded:
        other = rescaled(replace(other, bounded=False), origin=curve.origin, unit=curve.unit)
        other = replace(other, bounded=True)
    else:
        other = rescaled(other)
    for name in ("mean", "q10", "q90"):
        published = [forecast(c)[name] * c.unit + c.origin for c in (curve, other)]
        np.testing.assert_allclose(published[0], published[1], rtol=1e-12)


def test_the_unit_of_an_unbounded_metric_changes_nothing() -> None:
    percent = replace(UNBOUNDED, score=100 * UNBOUNDED.score + 7)
    other = rescaled(percent)
    rows = forecast(other).drop(columns=["curve_id"]).astype(float)
    expected = forecast(UNBOUNDED).drop(columns=["curve_id"]).astype(float)
    # The same numbers but for the rounding of the change of unit.
    np.testing.assert_allclose(rows, expected, rtol=1e-6, atol=1e-9)


def test_the_log_score_is_a_density_per_unit_of_the_curves_scale() -> None:
    doubled = rescaled(UNBOUNDED, origin=UNBOUNDED.origin - 1.0, unit=2 * UNBOUNDED.unit)
    here, there = forecast(UNBOUNDED).drop(index="two_point"), forecast(doubled)
    there = there.drop(index="two_point")
    np.testing.assert_allclose(there["log_score"], here["log_score"] + np.log(2), atol=1e-6)
    shift = 1.0 / (2 * UNBOUNDED.unit)
    np.testing.assert_allclose(there["mean"], here["mean"] / 2 + shift, atol=1e-9)
    np.testing.assert_allclose(there["crps"], here["crps"] / 2, atol=1e-9)


def test_a_clean_smooth_curve_is_foreseen() -> None:
    mean = 0.02 + 0.9 * logistic(BIG_G, location=9.0, width=4.0)
    rows = forecast(counted(BIG_G, mean, items=1000))
    assert rows.loc["sigmoid", "mean"] == pytest.approx(mean[-1], abs=0.05)
    assert bool(rows.loc["sigmoid", "inside_80"])
    assert rows.loc["sigmoid", "log_score"] > rows.loc["flat", "log_score"] + 2


def test_a_step_at_the_last_size_is_not() -> None:
    rows = forecast(REFERENCE["last"]).drop(index="two_point")
    assert (rows["pit"] > 0.9).all()
    assert (rows["discontinuity"] > 0.3).all()
    assert not rows.loc["flat", "inside_80"]


def test_pit_gives_half_of_a_tie() -> None:
    # Zero of many, and certainly so: every simulated score ties with the observed one.
    curve = make_curve(GPT_3, np.zeros(8), items=10, chance=0.0)
    row = forecast(curve).loc["flat"]
    assert row["pit"] == pytest.approx(0.5, abs=0.1)


def test_discontinuity_is_observed_minus_foreseen() -> None:
    rows = forecast(RISING)
    gap = rows["observed"] - rows["mean"]
    np.testing.assert_allclose(rows["discontinuity"], gap, atol=1e-9)
    assert rows["observed"].tolist() == pytest.approx([0.8] * len(rows))


def test_forecasts_keep_their_contract() -> None:
    table = forecast_curves([RISING, SCORED, UNBOUNDED], seed=1)
    tables.check(table, tables.FORECASTS, source="forecasts")
    assert table["predictor"].tolist() == 3 * list(tables.PREDICTORS)
    assert (table["n_train"] == 7).all()


def test_threads_and_other_curves_change_nothing() -> None:
    together = forecast_curves([RISING, SCORED, UNBOUNDED], seed=1, threads=3)
    alone = forecast_curves([SCORED], seed=1)
    kept = together[together["curve_id"] == SCORED.curve_id].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, kept, check_exact=True)


def test_each_curve_draws_from_a_stream_of_its_own() -> None:
    twins = [RISING, replace(RISING, curve_id="another")]
    first, second = (rows["mean"] for _, rows in forecast_curves(twins, seed=1).groupby("curve_id"))
    # All but the line through two points, which draws nothing.
    assert (first.to_numpy() != second.to_numpy()).sum() == len(tables.CANDIDATES) + 1


def test_three_sizes_are_too_few_to_leave_one_out() -> None:
    table = forecast_curves([make_curve(PALM, [0.1, 0.2, 0.3], items=100)], seed=1)
    assert len(tables.check(table, tables.FORECASTS, source="forecasts")) == 0
