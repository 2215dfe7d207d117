"""Stage forecasts: what is left out, honest scales, no leak, and the way through a partner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import kstest

import metamirage.forecasting.holdouts
from builders import BIG_G, GPT_3, PALM, counted, keyed_curve, logistic, reference_curves, tags_row
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES, PREDICTORS
from metamirage.contracts.check import check
from metamirage.contracts.forecasts import FORECASTS
from metamirage.curves.blocks import Pair
from metamirage.curves.curve import ROUNDING, Curve, rescaled
from metamirage.fitting.priors import PARAMETERS, priors_for
from metamirage.fitting.quadrature.densities import CODES, shape_at
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.forecasts import forecast_curves, make_link, two_point, two_step_rows
from metamirage.forecasting.holdouts import HeldOutFits, hold_outs
from metamirage.forecasting.predictives import EDGE

REFERENCE = reference_curves()
EXACT = 1e-12
DIRECT = PREDICTORS[:7]
NO_TAGS = tags_row()[:0]
LINE = np.linspace(0.1, 0.8, 8)
RISING = keyed_curve(GPT_3, LINE, items=200, chance=0.1, task="rising")
SCORED = keyed_curve(GPT_3, LINE, stderr=0.02, task="scored")
UNBOUNDED = keyed_curve(
    GPT_3,
    np.linspace(0, 1, 8) ** 2,
    stderr=ROUNDING,
    bounded=False,
    origin=-5.0,
    unit=4.0,
    task="unbounded",
)
EXACT_MATCH = keyed_curve(GPT_3, LINE**2, items=200, chance=0.0, metric="exact")
OVERLAP = keyed_curve(GPT_3, LINE, stderr=0.01, metric="overlap")
LOSS = keyed_curve(
    GPT_3,
    LINE,
    stderr=ROUNDING,
    bounded=False,
    metric="loss",
    sign=-1,
    origin=-9.0,
    unit=5.0,
)
TAGS = pd.concat(
    [
        tags_row(metric="exact"),
        tags_row(metric="overlap", discontinuous="no", nonlinear="no"),
        tags_row(
            metric="loss",
            discontinuous="no",
            nonlinear="no",
            query="cond_log_prob",
            direction="down",
            upper=np.nan,
            chance=np.nan,
        ),
    ]
)


def forecast(curve: Curve, *, n_left_out: int = 1, target: int = 1) -> pd.DataFrame:
    table = forecast_curves([curve], NO_TAGS, FitSettings(1))
    here = (table["n_left_out"] == n_left_out) & (table["target"] == target)
    return table[here].set_index("predictor")


def through_partner(one: Curve, *partners: Curve, tags: pd.DataFrame = TAGS) -> pd.DataFrame:
    table = forecast_curves([one, *partners], tags, FitSettings(1))
    return table[table["partner"] != ""].reset_index(drop=True)


def moved(curve: Curve, *points: int) -> Curve:
    """The same curve with other scores at some points, in the unit of the source."""
    score = curve.score.copy()
    # Far beyond the range of the rest, so that an unbounded metric's own scale moves with it.
    score[list(points)] += curve.sign * curve.unit * (0.15 if curve.bounded else 80.0)
    origin, unit = curve.origin, curve.unit
    if not curve.bounded:
        # As a table with these scores would be scaled, sd of rounding included.
        oriented = curve.sign * score
        origin, unit = float(oriented.min()), float(np.ptp(oriented))
    return replace(
        curve, score=score, z=(curve.sign * score - origin) / unit, origin=origin, unit=unit
    )


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
    curve = keyed_curve([7, 8, 9, 10], [0.1, 0.2, 0.3, 0.9], items=100, chance=0.0)
    row = forecast(curve).loc["two_point"]
    assert row["mean"] == pytest.approx(0.4, abs=1e-9)
    assert row["discontinuity"] == pytest.approx(0.5, abs=1e-9)
    assert row[["log_score", "pit", "pit_low", "q025", "inside_80", "inside_95"]].isna().all()


def test_two_point_averages_replicates_of_a_size() -> None:
    curve = keyed_curve([7, 8, 9, 9, 10], [0.1, 0.2, 0.3, 0.5, 0.9], items=100, chance=0.0)
    assert forecast(curve).loc["two_point", "mean"] == pytest.approx(0.6, abs=1e-9)


def test_two_left_out_sizes_are_forecast_from_the_same_rest() -> None:
    curve = keyed_curve([7, 8, 9, 10, 11], [0.1, 0.2, 0.3, 0.7, 0.9], items=100, chance=0.0)
    far, near = (forecast(curve, n_left_out=2, target=t) for t in (1, 2))
    # The line goes on from 0.2 and 0.3, past the left-out 0.7.
    assert (far.loc["two_point", "mean"], near.loc["two_point", "mean"]) == pytest.approx(
        (0.5, 0.4)
    )
    assert (far["observed"].iloc[0], near["observed"].iloc[0]) == pytest.approx((0.9, 0.7))
    assert (far["n_train"] == 3).all()
    # All but flat know less of two steps than of one.
    doubt = (far["sd"] > near["sd"])[list(CANDIDATES[1:])]
    assert doubt.all()


@pytest.mark.parametrize("curve", [RISING, SCORED, UNBOUNDED], ids=lambda c: c.key["task"])
@pytest.mark.parametrize("n_left_out", [1, 2])
def test_left_out_scores_do_not_leak_into_their_forecasts(curve: Curve, n_left_out: int) -> None:
    other = moved(curve, *range(8 - n_left_out, 8))
    tables_of = (forecast_curves([c], NO_TAGS, FitSettings(1)) for c in (curve, other))
    before, after = (table[table["n_left_out"] == n_left_out] for table in tables_of)
    for name in ("mean", "q025", "q10", "q90", "q975"):
        published = (
            before[name] * curve.unit + curve.origin,
            after[name] * other.unit + other.origin,
        )
        np.testing.assert_allclose(*published, rtol=1e-12)
    assert (before["log_score"] != after["log_score"]).all()


def test_the_unit_of_an_unbounded_metric_changes_nothing() -> None:
    percent = replace(UNBOUNDED, score=100 * UNBOUNDED.score + 7)
    text = ["curve_id", "partner", "stratum"]
    rows = forecast(rescaled(percent)).drop(columns=text).astype(float)
    expected = forecast(UNBOUNDED).drop(columns=text).astype(float)
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
    assert not rows.loc["flat", "inside_95"]


def test_pit_gives_half_of_a_tie() -> None:
    # Zero of many, and certainly so: every simulated score ties with the observed one.
    row = forecast(keyed_curve(GPT_3, np.zeros(8), items=10, chance=0.0)).loc["flat"]
    assert row["pit"] == pytest.approx(0.5, abs=0.1)
    assert row["pit_low"] == 0
    assert row["pit_high"] > 0.8


def test_discontinuity_is_observed_minus_foreseen() -> None:
    rows = forecast(RISING)
    gap = rows["observed"] - rows["mean"]
    np.testing.assert_allclose(rows["discontinuity"], gap, atol=1e-9)
    assert rows["observed"].tolist() == pytest.approx([0.8] * len(rows))


def test_forecasts_keep_their_contract() -> None:
    table = forecast_curves([RISING, SCORED, UNBOUNDED], NO_TAGS, FitSettings(1))
    check(table, FORECASTS, source="forecasts")
    assert table["predictor"].tolist() == 9 * list(DIRECT)
    assert (table["n_train"] == 8 - table["n_left_out"]).all()
    assert set(zip(table["n_left_out"], table["target"], strict=True)) == {(1, 1), (2, 1), (2, 2)}


def test_three_sizes_are_too_few_to_leave_one_out() -> None:
    table = forecast_curves(
        [keyed_curve(PALM, [0.1, 0.2, 0.3], items=100)], NO_TAGS, FitSettings(1)
    )
    assert len(check(table, FORECASTS, source="forecasts")) == 0


def test_threads_and_other_curves_change_nothing() -> None:
    many = [RISING, EXACT_MATCH, SCORED, OVERLAP, UNBOUNDED]
    together, again = (forecast_curves(many, TAGS, FitSettings(1, threads=n)) for n in (1, 3))
    pd.testing.assert_frame_equal(together, again, check_exact=True)
    alone = forecast_curves([EXACT_MATCH, OVERLAP], TAGS, FitSettings(1))
    kept = together[together["curve_id"].isin([EXACT_MATCH.curve_id, OVERLAP.curve_id])]
    pd.testing.assert_frame_equal(alone, kept.reset_index(drop=True), check_exact=True)


@pytest.mark.parametrize("lower", [0.0, 1.0], ids=["plain", "ratio"])
def test_pairs_leave_the_direct_forecasts_as_they_are(lower: float) -> None:
    partner = replace(LOSS, score=LOSS.score + 1)
    scale = {"discontinuous": "no", "lower": lower, "upper": np.nan, "chance": np.nan}
    tags = pd.concat([tags_row(metric="exact"), tags_row(metric="loss", **scale)])
    paired = forecast_curves([EXACT_MATCH, partner], tags, FitSettings(1))
    direct = paired[paired["partner"] == ""].reset_index(drop=True)
    alone = forecast_curves([EXACT_MATCH, partner], NO_TAGS, FitSettings(1))
    assert len(direct) < len(paired)
    pd.testing.assert_frame_equal(direct, alone, check_exact=True)


def test_each_curve_draws_from_a_stream_of_its_own() -> None:
    twins = [RISING, replace(RISING, curve_id="another")]
    table = forecast_curves(twins, NO_TAGS, FitSettings(1))
    largest = table[table["n_left_out"] == 1]
    first, second = (rows["mean"] for _, rows in largest.groupby("curve_id"))
    # All but the line through two points, which draws nothing.
    assert (first.to_numpy() != second.to_numpy()).sum() == len(CANDIDATES) + 1


def test_every_left_out_size_is_forecast_through_every_partner() -> None:
    found = through_partner(EXACT_MATCH, OVERLAP, LOSS)
    check(found, FORECASTS, source="forecasts")
    rows = found.groupby(["partner", "stratum", "n_left_out", "target"])["predictor"].agg(tuple)
    assert set(rows) == {("two_step", "link_given_partner")}
    assert set(rows.index) == {
        (partner, stratum, n, target)
        for partner, stratum in (
            (OVERLAP.curve_id, "same outputs"),
            (LOSS.curve_id, "same model"),
        )
        for n, target in ((1, 1), (2, 1), (2, 2))
    }
    assert set(found["curve_id"]) == {EXACT_MATCH.curve_id}


def test_the_partners_forecast_adds_its_own_doubt() -> None:
    found = through_partner(EXACT_MATCH, OVERLAP).set_index(["n_left_out", "target", "predictor"])
    for design in ((1, 1), (2, 1), (2, 2)):
        two_step, known = (found.loc[(*design, p)] for p in ("two_step", "link_given_partner"))
        assert known["sd"] < two_step["sd"]
        assert known["inside_95"]
        assert two_step["inside_95"]


def test_the_direct_forecast_has_the_observed_score_of_the_two_step_one() -> None:
    table = forecast_curves([EXACT_MATCH, OVERLAP], TAGS, FitSettings(1))
    own = table[table["curve_id"] == EXACT_MATCH.curve_id]
    spread = own.groupby(["n_left_out", "target"])["observed"].agg(np.ptp)
    assert (spread < EXACT).all()


@pytest.mark.parametrize("n_left_out", [1, 2])
@pytest.mark.parametrize("partner", [OVERLAP, LOSS], ids=["overlap", "loss"])
def test_no_left_out_score_leaks_through_a_partner(partner: Curve, n_left_out: int) -> None:
    points = range(8 - n_left_out, 8)
    changed = (moved(EXACT_MATCH, *points), moved(partner, *points))
    before, after = (through_partner(*pair) for pair in ((EXACT_MATCH, partner), changed))
    here = (before["predictor"] == "two_step") & (before["n_left_out"] == n_left_out)
    for name in ("mean", "sd", "q025", "q10", "q90", "q975"):
        assert before.loc[here, name].tolist() == after.loc[here, name].tolist()
    assert (before.loc[here, "log_score"] != after.loc[here, "log_score"]).all()


def test_the_known_link_sees_the_partners_score_and_not_its_own() -> None:
    before = through_partner(EXACT_MATCH, OVERLAP)
    known = before["predictor"] == "link_given_partner"
    own, partners = (
        through_partner(*pair)
        for pair in ((moved(EXACT_MATCH, 7), OVERLAP), (EXACT_MATCH, moved(OVERLAP, 7)))
    )
    last = known & (before["n_left_out"] == 1)
    assert own.loc[last, "mean"].tolist() == before.loc[last, "mean"].tolist()
    assert (partners.loc[last, "mean"] > before.loc[last, "mean"] + 0.05).all()


def test_a_partner_without_the_left_out_size_still_forecasts_it() -> None:
    found = through_partner(EXACT_MATCH, OVERLAP.take(np.arange(7)))
    rows = set(zip(found["n_left_out"], found["target"], found["predictor"], strict=True))
    assert rows == {
        (1, 1, "two_step"),
        (2, 1, "two_step"),
        (2, 2, "two_step"),
        (2, 2, "link_given_partner"),
    }


def test_a_link_counts_the_sizes_with_a_score_of_both() -> None:
    partner = OVERLAP.take(np.array([0, 2, 3, 4, 5, 7]))
    found = through_partner(EXACT_MATCH, partner)
    assert found.groupby("n_left_out")["n_train"].agg(set).tolist() == [{5}, {5}]


def test_fewer_than_three_shared_sizes_make_no_link() -> None:
    partner = OVERLAP.take(np.array([0, 1, 6, 7]))
    found = through_partner(EXACT_MATCH, partner)
    # Without the largest, sizes 0, 1 and 6 are shared; without the two largest only two are.
    assert set(found["n_left_out"]) == {1}


def test_a_partner_on_a_ratio_scale_is_linked_in_its_logarithm() -> None:
    # Accuracy is linear in the loss, and perplexity its exponential.
    loss = np.array([6.0, 5.4, 4.9, 4.5, 4.1, 3.4, 3.0, 1.4])
    accuracy = (6.5 - loss) / 6
    ppl = np.exp(loss)
    partner = keyed_curve(
        GPT_3, ppl[0] - ppl, bounded=False, metric="ppl", sign=-1, origin=-float(ppl[0])
    )
    one = keyed_curve(GPT_3, np.round(accuracy, 3), items=1000, chance=0.0, metric="exact")
    means = []
    for lower in (0.0, 1.0):
        own = tags_row(metric="ppl", discontinuous="no", lower=lower, upper=np.nan, chance=np.nan)
        found = through_partner(one, partner, tags=pd.concat([tags_row(metric="exact"), own]))
        known = found["predictor"] == "link_given_partner"
        means.append(float(found.loc[known & (found["n_left_out"] == 1), "mean"].iloc[0]))
    assert means[1] == pytest.approx(accuracy[-1], abs=0.06)
    assert abs(means[0] - accuracy[-1]) > 2 * abs(means[1] - accuracy[-1])


def test_no_fit_is_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int]] = []

    def counting(curve: Curve, window: Curve, settings: FitSettings, **effort: Any) -> object:
        made.append((curve.curve_id, len(curve.z)))
        return integrate(curve, window, settings, **effort)

    integrate = metamirage.forecasting.holdouts.integrate_all
    monkeypatch.setattr(metamirage.forecasting.holdouts, "integrate_all", counting)
    forecast_curves([EXACT_MATCH, OVERLAP, LOSS], TAGS, FitSettings(1))
    # Three curves and two links, each without the largest and without the two largest.
    assert len(made) == len(set(made)) == 10


def drawn_counts(candidate: str, window: Curve, places: FloatArray, seed: list[int]) -> FloatArray:
    """Scores at some places of a curve whose parameters come from a candidate's priors."""
    rng = np.random.default_rng(seed)
    priors = priors_for(window, candidate).as_array()
    theta = np.zeros((1, 5))
    n = len(PARAMETERS[candidate])
    theta[0, :n] = rng.normal(priors[:n, 0], priors[:n, 1])
    left, right = expit(theta[0, 0]), expit(theta[0, 2])
    ends = window.size[0], window.size[-1]
    h = np.array([shape_at(CODES[candidate], x, *ends, theta)[0] for x in places])
    mean = np.clip(left + (right - left) * h, EDGE, 1 - EDGE)
    phi, items = np.exp(theta[0, 1]), window.n_items.astype(int)
    return np.asarray(rng.binomial(items, rng.beta(mean * phi, (1 - mean) * phi)) / items)


def scored(blank: Curve, z: FloatArray) -> Curve:
    return replace(blank, z=z, score=z)


def test_two_step_forecasts_are_calibrated_where_partner_and_link_come_from_the_priors() -> None:
    sizes = np.array([8.0, 8.6, 9.2, 9.8, 10.6, 11.2])
    blanks = [
        keyed_curve(sizes, np.full(6, 0.5), items=200, chance=0.0, metric=m)
        for m in ("exact", "overlap")
    ]
    pair = Pair(blanks[0].curve_id, blanks[1].curve_id, "same outputs", ratio=False)
    design = hold_outs(blanks[0])[0]
    ranks: dict[str, list[float]] = {"two_step": [], "link_given_partner": []}
    for i in range(25):
        rng = np.random.default_rng([11, i])
        one, partner = blanks
        kinds = rng.choice(CANDIDATES, 2)
        partner = scored(partner, drawn_counts(kinds[0], partner, sizes, [12, i]))
        # The axis follows from the partner alone.
        both = {c.curve_id: c for c in (one, partner)}
        link = make_link(HeldOutFits(both, FitSettings(i)), pair, design)
        assert link is not None
        places = link.axis.place(partner.z)
        one = scored(one, drawn_counts(kinds[1], one, places, [13, i]))
        fits = HeldOutFits({c.curve_id: c for c in (one, partner)}, FitSettings(i))
        for row in two_step_rows(fits, pair, design):
            low, high = (float(str(row[end])) for end in ("pit_low", "pit_high"))
            ranks[str(row["predictor"])].append(low + rng.random() * (high - low))
    for found in ranks.values():
        # One in a thousand calibrated runs fails; one seed is run.
        assert kstest(found, "uniform").pvalue > 1e-3
