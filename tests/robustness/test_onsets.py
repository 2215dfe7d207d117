"""Clustering of transitions: pairs counted by hand, and chance that knows the sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from builders import BIG_G, GPT_3, PALM, counted, logistic, make_curve
from metamirage.base.arrays import FloatArray
from metamirage.curves.curve import Curve
from metamirage.fitting.fits import fit_curve
from metamirage.fitting.settings import FitSettings
from metamirage.robustness.onsets import (
    Onsets,
    Places,
    closeness,
    clustering_test,
    draw_chance,
    redrawn,
    simulate_places,
)

EVEN = Places(np.linspace(BIG_G[0], BIG_G[-1], 400), np.full(400, 0.2))


def onsets(mean: FloatArray, *, sd: float = 0.2, chance: Places = EVEN) -> Onsets:
    n = len(mean)
    return Onsets(Places(mean, np.full(n, sd)), np.arange(n), np.zeros(n, dtype=int), [chance])


def all_pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.triu_indices(n, k=1)
    return one, two


def test_known_places_are_counted() -> None:
    places = Places(np.array([8.0, 8.3, 9.0]), np.zeros(3))
    assert closeness(places, all_pairs(3)) == pytest.approx(1 / 3, abs=1e-12)


def test_uncertain_places_count_by_their_overlap() -> None:
    found = closeness(Places(np.array([8.0, 8.2]), np.array([0.3, 0.4])), all_pairs(2))
    expected = norm.cdf(0.5, 0.2, 0.5) - norm.cdf(-0.5, 0.2, 0.5)
    assert found == pytest.approx(expected, abs=1e-12)


def test_tasks_at_one_size_cluster() -> None:
    estimate, expected, p_value = clustering_test(
        onsets(np.full(12, 9.0)), rng=np.random.default_rng(1), n_draws=199
    )
    assert estimate > expected + 0.3
    assert p_value == pytest.approx(1 / 200, abs=1e-12)


def test_even_places_do_not_cluster() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(100):
        places = onsets(rng.uniform(BIG_G[0], BIG_G[-1], 15))
        hits += clustering_test(places, rng=rng, n_draws=99)[2] <= 0.05
    # The 99.5 % quantile of 100 trials at 0.05.
    assert hits <= binom.ppf(0.995, 100, 0.05)


def test_two_families_are_not_compared_with_each_other() -> None:
    twice = Onsets(
        Places(np.array([8.0, 9.0, 8.0, 9.0]), np.zeros(4)),
        np.array([0, 1, 0, 1]),
        np.array([0, 0, 1, 1]),
        [EVEN, EVEN],
    )
    estimate, _, _ = clustering_test(twice, rng=np.random.default_rng(1), n_draws=19)
    assert estimate == 0.0


def test_a_task_has_one_quantile_in_all_families() -> None:
    n = 500
    other = Places(np.linspace(PALM[0], PALM[-1], 400), np.full(400, 0.1))
    found = Places(np.zeros(2 * n), np.zeros(2 * n))
    both = Onsets(found, np.tile(np.arange(n), 2), np.repeat([0, 1], n), [EVEN, other])
    drawn = draw_chance(both, np.random.default_rng(2))
    assert np.corrcoef(drawn.mean[:n], drawn.mean[n:])[0, 1] > 0.999
    assert set(drawn.sd[n:]) == {0.1}
    # A uniform quantile: its mean within four standard errors.
    assert drawn.mean[n:].mean() == pytest.approx(
        (PALM[0] + PALM[-1]) / 2,
        abs=4 * (PALM[-1] - PALM[0]) / np.sqrt(12 * n),
    )


def sharp(place: float, name: str = "sharp") -> Curve:
    mean = 0.02 + 0.8 * logistic(GPT_3, location=place, width=0.3)
    return counted(GPT_3, mean, items=200, name=name)


def test_a_curve_is_observed_anew_about_its_mean() -> None:
    # Levels 0.1 and 0.9 in logits, hardly any over-dispersion, a step at 9.5.
    theta = np.array([-np.log(9.0), 12.0, np.log(9.0), 0.0, np.log(0.1)])
    rng = np.random.default_rng(4)
    drawn = np.array([redrawn(sharp(9.0), theta, 9.5, rng).z for _ in range(400)])
    expected = 0.1 + 0.8 * logistic(GPT_3, location=9.5, width=0.1)
    # Four standard errors of a mean of 400 binomial shares of 200.
    error = np.sqrt(expected * (1 - expected) / (200 * 400))
    assert (np.abs(drawn.mean(axis=0) - expected) < 4 * error + 1e-3).all()


def test_graded_scores_are_observed_with_their_errors() -> None:
    curve = make_curve(GPT_3, np.zeros(8), stderr=0.03)
    theta = np.array([0.2, np.log(0.04), 0.7, 0.0, np.log(0.1)])
    rng = np.random.default_rng(4)
    drawn = np.array([redrawn(curve, theta, 20.0, rng).z for _ in range(2000)])
    # A sd of 2,000 Normal draws is known to 1.6 %; four standard errors.
    assert drawn.std(axis=0) == pytest.approx(np.full(8, 0.05), rel=0.065)
    assert drawn.mean() == pytest.approx(0.2, abs=4 * 0.05 / np.sqrt(16_000))


def test_simulated_places_are_those_that_are_found_sharp_again() -> None:
    curve = sharp(9.3)
    assert fit_curve(curve, FitSettings(1))[0]["verdict"] == "SHARP"
    one, two = (simulate_places([curve], FitSettings(1, threads=t)) for t in (1, 2))
    assert (one.mean == two.mean).all()
    assert 50 < len(one.mean) < 400
    # SHARP lies inside; in the order of the true places, which the found ones follow.
    assert one.mean.min() > GPT_3[0]
    assert one.mean.max() < GPT_3[-1]
    assert np.corrcoef(np.arange(len(one.mean)), one.mean)[0, 1] > 0.9
