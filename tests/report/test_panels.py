from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from metamirage.curves.curve import build_curves
from metamirage.hypotheses.concentration import tested_curves as join_tested
from metamirage.report.panels import (
    interleaved,
    make_panels,
    point_intervals,
    published,
    sharpest,
    shown_pairs,
)
from report_builders import SETTINGS, report_inputs

CURVES = {c.curve_id: c for c in build_curves(report_inputs().tidy, report_inputs().tags)}
EXACT = "invented|step||exact|F|2"
LOSS = "invented|floor||loss|F|2"
# Rounding of one multiplication and one addition.
EXACT_TOLERANCE = 1e-12
# A count stands for its score within half an item of 200.
HALF_ITEM = 0.5 / 200


def test_the_sharpest_curves_are_one_a_task_and_metric() -> None:
    fits = report_inputs().fits
    more = pd.concat([fits, fits.assign(curve_id=fits["curve_id"] + "0", n_shots=20)])
    chosen = sharpest(more, 4)
    assert chosen[0] == EXACT
    assert len({name.rsplit("|", 1)[0] for name in chosen}) == 4


def test_curves_left_out_of_the_tests_are_not_among_the_sharpest() -> None:
    fits = report_inputs().fits
    out = fits.assign(excluded=fits["curve_id"].map({EXACT: "a bias score"}).fillna(""))
    assert EXACT not in sharpest(out, 9)
    assert len(sharpest(out, 9)) == 5


def test_curves_too_short_for_a_verdict_are_not_among_the_sharpest() -> None:
    assert sharpest(report_inputs().fits.assign(n_sizes=4), 9) == []


def test_published_scores_come_back_from_the_scale_of_the_fit() -> None:
    for curve in CURVES.values():
        assert np.abs(published(curve, curve.z) - curve.score).max() < EXACT_TOLERANCE


def test_binomial_intervals_close_at_none_and_all_right() -> None:
    curve = replace(CURVES[EXACT], z=np.array([0.0, 0.5, 1.0]), n_items=np.full(3, 50.0))
    lower, upper = point_intervals(curve)
    assert lower[0] == 0.0
    assert upper[2] == 1.0
    # Jeffreys' interval of 25 of 50, from tables of the beta distribution.
    assert abs(lower[1] - 0.3645) < 1e-3
    assert abs(upper[1] - 0.6355) < 1e-3


def test_other_intervals_are_two_standard_errors() -> None:
    curve = CURVES[LOSS]
    lower, upper = point_intervals(replace(curve, stderr=np.full(len(curve.z), 0.1)))
    assert np.abs(upper - lower - 2 * 0.196).max() < EXACT_TOLERANCE


def test_a_panel_shows_points_inside_their_intervals_and_ordered_bands() -> None:
    inputs = report_inputs()
    for panel in make_panels(CURVES, inputs.fits, [EXACT, LOSS], settings=SETTINGS):
        assert (panel.lower <= panel.score + HALF_ITEM).all()
        assert (panel.score <= panel.upper + HALF_ITEM).all()
        for band in panel.bands.values():
            assert (band.lower <= band.median).all()
            assert (band.median <= band.upper).all()


def test_a_metric_where_less_is_better_is_drawn_downwards() -> None:
    (panel,) = make_panels(CURVES, report_inputs().fits, [LOSS], settings=SETTINGS)
    assert panel.descending
    assert panel.metric == "loss\n(lower is better)"
    # The fitted loss falls with size, in the unit of the source.
    assert panel.bands["sigmoid"].median[0] > 6 > panel.bands["sigmoid"].median[-1]


def test_the_sigmoid_band_follows_the_step() -> None:
    (panel,) = make_panels(CURVES, report_inputs().fits, [EXACT], settings=SETTINGS)
    band = panel.bands["sigmoid"]
    assert band.upper[0] < 0.1
    assert band.lower[-1] > 0.85


def test_pairs_on_the_same_outputs_come_first() -> None:
    inputs = report_inputs()
    tested = join_tested(inputs.fits, inputs.forecasts, inputs.tags)
    pairs = shown_pairs(tested, 4)
    assert list(pairs["stratum"]) == ["same outputs", "same outputs", "same model"]
    assert list(interleaved(pairs))[:2] == [EXACT, "invented|step||overlap|F|2"]


def test_no_pair_is_shown_where_one_class_is_missing() -> None:
    inputs = report_inputs()
    tested = join_tested(inputs.fits, inputs.forecasts, inputs.tags)
    assert shown_pairs(tested[tested["metric"] == "exact"], 4).empty
