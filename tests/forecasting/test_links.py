"""Links between metrics: the axis, known links recovered, and draws kept in proportion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import GPT_3, make_curve
from metamirage.base.arrays import FloatArray
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import ROUNDING, Curve
from metamirage.fitting.engines import integrate_all, model_weights
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.quadrature.densities import CODES, shape_at, shapes_at
from metamirage.fitting.settings import FitSettings
from metamirage.forecasting.links import (
    BEYOND,
    LEAST_STRETCH,
    Axis,
    link_curve,
    logged,
    make_axis,
    resampled,
    systematic,
    through,
)
from metamirage.forecasting.predictives import Predictive, left_out

EXACT = 1e-12
WINDOW = np.array([8.0, 9.0, 10.0, 11.0])


def forecast_at(*values: float) -> Predictive:
    m = len(values)
    return Predictive(np.zeros(m), np.array(values), np.full(m, 1 / m))


def axis_of(partner: list[float], *forecasts: float) -> Axis:
    sizes = WINDOW[: len(partner)]
    return make_axis(sizes, np.array(partner), [forecast_at(f) for f in forecasts], WINDOW)


def test_a_partner_that_moves_evenly_lies_on_the_size_axis() -> None:
    axis = axis_of([0.1, 0.2, 0.3], 0.4)
    np.testing.assert_allclose(axis.place(np.array([0.1, 0.2, 0.3, 0.4])), WINDOW, atol=EXACT)


def test_the_axis_reaches_to_the_farther_of_scores_and_forecasts() -> None:
    assert axis_of([0.1, 0.2, 0.3], 0.5, 0.9).place(np.array([0.1, 0.9])).tolist() == [8.0, 11.0]
    # A forecast of a fall below all scores opens the axis downwards.
    assert axis_of([0.3, 0.2, 0.4], 0.0).place(np.array([0.0, 0.4])).tolist() == [8.0, 11.0]


def test_the_axis_uses_the_median_of_a_forecast() -> None:
    axis = make_axis(WINDOW[:3], np.array([0.1, 0.2, 0.3]), [forecast_at(0.3, 0.5, 40.0)], WINDOW)
    assert axis.place(np.array([0.5])) == pytest.approx(11.0, abs=EXACT)


def test_a_partner_that_falls_is_turned() -> None:
    axis = axis_of([0.9, 0.8, 0.7], 0.6)
    np.testing.assert_allclose(axis.place(np.array([0.9, 0.8, 0.7, 0.6])), WINDOW, atol=EXACT)


def test_a_partner_that_does_not_move_is_not_stretched_over_all_sizes() -> None:
    axis = axis_of([0.5, 0.5, 0.5], 0.5)
    assert axis.place(np.array([0.5])) == pytest.approx(8.0)
    assert axis.place(np.array([0.5 + LEAST_STRETCH])) == pytest.approx(11.0)


def test_far_scores_stop_a_window_beyond_the_window() -> None:
    places = axis_of([0.1, 0.2, 0.3], 0.4).place(np.array([-99.0, 0.5, 99.0]))
    np.testing.assert_allclose(places, [8 - 3 * BEYOND, 12, 11 + 3 * BEYOND], atol=EXACT)


def test_a_link_keeps_the_points_whose_partner_has_a_score() -> None:
    train = make_curve([8, 9, 9, 10], [0.1, 0.2, 0.3, 0.4], items=[10, 20, 30, 40])
    link = link_curve(train, {8.0: 0.4, 9.0: 0.1, 7.0: 0.9}, Axis(0.0, 10.0, 8.0, 11.0), name="x")
    assert link.size.tolist() == [9.0, 9.0, 12.0]
    assert link.z.tolist() == [0.2, 0.3, 0.1]
    assert link.n_items.tolist() == [20, 30, 10]
    assert link.curve_id == "x"


def test_perplexity_becomes_the_loss() -> None:
    ppl = make_curve(WINDOW, [0.9, 0.8, 0.4, 0.2], bounded=False, sign=-1, unit=10.0, origin=-21.0)
    loss = logged(ppl, "log")
    np.testing.assert_allclose(loss.z, -np.log(ppl.score), atol=EXACT)
    assert (loss.origin, loss.unit, loss.sign) == (0.0, 1.0, -1)


def test_an_error_of_a_perplexity_becomes_a_relative_one() -> None:
    error = float(np.hypot(0.01, ROUNDING))
    ppl = make_curve(
        WINDOW, [0.9, 0.8, 0.4, 0.2], stderr=error, bounded=False, sign=-1, unit=10.0, origin=-21.0
    )
    np.testing.assert_allclose(logged(ppl, "log").published_stderr, 0.1 / ppl.score, atol=EXACT)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_shapes_at_many_places_are_those_at_one(candidate: str) -> None:
    rng = np.random.default_rng(3)
    theta = rng.normal(size=(6, 5))
    x = rng.uniform(5, 14, 6)
    found = shapes_at(CODES[candidate], x, 8.0, 11.0, theta)
    alone = [
        shape_at(CODES[candidate], x[i], 8.0, 11.0, theta[i : i + 1])[0] for i in range(len(x))
    ]
    assert found.tolist() == alone


def test_systematic_draws_keep_each_weight_up_to_one_draw() -> None:
    weights = np.random.default_rng(1).dirichlet(np.full(40, 0.3))
    counts = np.bincount(systematic(weights, 500, np.random.default_rng(2)), minlength=40)
    assert counts.sum() == 500
    assert np.abs(counts - 500 * weights).max() < 1


def test_draws_without_weight_are_never_taken() -> None:
    weights = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    assert set(systematic(weights, 101, np.random.default_rng(2))) == {1, 3}


def linked(partner: FloatArray, score: FloatArray, at: float) -> tuple[float, float]:
    """Mean and sd of the last score, given a partner's score of ``at`` in its place."""
    curve = make_curve(GPT_3, score, items=1000, chance=0.0)
    train = curve.take(np.arange(7))
    seen = dict(zip(GPT_3[:7].tolist(), partner[:7].tolist(), strict=True))
    axis = make_axis(GPT_3[:7], partner[:7], [forecast_at(partner[7])], GPT_3)
    posteriors = integrate_all(link_curve(train, seen, axis, name="link"), curve, FitSettings(1))
    found = through(
        posteriors,
        model_weights(posteriors),
        axis.place(np.full(2000, at)),
        whole=curve,
        left=left_out(curve, float(GPT_3[-1])),
        rng=np.random.default_rng(1),
    )
    mean = float(found.weights @ found.sample)
    return mean, float(np.sqrt(found.weights @ (found.sample - mean) ** 2))


LINE = np.linspace(0.1, 0.8, 8)


def test_a_metric_linked_to_itself_is_found_again() -> None:
    mean, sd = linked(LINE, LINE, 0.8)
    # Three sd of what remains unknown: over-dispersion and a slope from seven points.
    assert mean == pytest.approx(0.8, abs=0.05)
    assert sd < 0.08


def test_a_link_follows_the_partner_and_not_the_size() -> None:
    # The partner stays where it was at the fifth size, and so must the score.
    assert linked(LINE, LINE, float(LINE[4]))[0] == pytest.approx(LINE[4], abs=0.03)


def test_a_sharp_link_jumps_where_the_partner_crosses() -> None:
    partner = np.array([0.1, 0.5, 0.2, 0.6, 0.3, 0.7, 0.25, 0.65])
    score = np.where(partner > 0.4, 0.9, 0.05)
    assert linked(partner, score, 0.65)[0] == pytest.approx(0.9, abs=0.06)
    assert linked(partner, score, 0.2)[0] == pytest.approx(0.05, abs=0.04)


def test_a_falling_partner_tells_what_its_mirror_tells() -> None:
    rising, falling = linked(LINE, LINE**2, 0.8), linked(1 - LINE, LINE**2, 0.2)
    # The axes are the same up to rounding.
    assert falling == pytest.approx(rising, abs=1e-6)


def test_each_draw_of_the_partner_may_meet_each_draw_of_the_link() -> None:
    # The link goes from 0 to levels of 0 to 1 in order, and so do the partner's draws.
    theta = np.zeros((1000, 5))
    theta[:, 1], theta[:, 2] = np.log(1e-6), np.linspace(0, 1, 1000)
    posterior = Posterior("linear", theta, np.full(1000, 1e-3), 0.0, 0.0, 1000.0, np.empty(0))
    curve = make_curve(WINDOW, np.full(4, 0.5), bounded=False)
    found = through(
        {c: replace(posterior, candidate=c) for c in CANDIDATES},
        np.array([c == "linear" for c in CANDIDATES], dtype=float),
        np.linspace(8, 11, 4000),
        whole=curve,
        left=left_out(curve, 11.0),
        rng=np.random.default_rng(1),
    )
    # The mean of a product of two uniforms is 1/4, of a square 1/3; five se of 4,000 draws.
    assert found.weights @ found.sample == pytest.approx(0.25, abs=5 * 0.22 / np.sqrt(4000))


def test_resampled_posteriors_keep_their_mean() -> None:
    curve: Curve = make_curve(GPT_3, LINE, items=100, chance=0.0)
    posterior = integrate_all(curve, curve, FitSettings(1))["linear"]
    even = resampled(posterior, 4000, np.random.default_rng(1))
    assert even.weights.tolist() == [1 / 4000] * 4000
    # Systematic draws miss a mean by far less than independent ones, whose se is sd / 63.
    assert even.mean(even.theta[:, 2]) == pytest.approx(
        posterior.mean(posterior.theta[:, 2]), abs=posterior.sd(posterior.theta[:, 2]) / 63
    )
