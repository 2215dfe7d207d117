"""Priors: what they say in words, and what they may and may not see of a curve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from builders import GPT_3, make_curve
from metamirage.base.vocabulary import CANDIDATES
from metamirage.curves.curve import Curve
from metamirage.fitting import priors
from metamirage.fitting.priors import Priors, priors_for

# The sentences about the priors round to about two figures.
WORDS = 0.03


def counts(chance: float) -> Curve:
    return make_curve(GPT_3, np.linspace(0.2, 0.8, 8), items=100, chance=chance)


def scores(chance: float = np.nan, *, bounded: bool = True) -> Curve:
    return make_curve(GPT_3, np.linspace(0.2, 0.8, 8), chance=chance, bounded=bounded)


def spread(prior: tuple[float, float], *levels: float) -> list[float]:
    return [float(norm.ppf(level, *prior)) for level in levels]


def test_default_width_has_its_median_at_one_and_a_half_decades() -> None:
    low, median, high = np.exp(spread(priors.WIDTH_PRIORS["default"], 0.16, 0.5, 0.84))
    assert (low, median, high) == pytest.approx((0.75, 1.5, 3.0), rel=WORDS)


def test_other_widths_lean_either_way() -> None:
    assert np.exp(priors.WIDTH_PRIORS["sharp"][0]) == pytest.approx(0.5)
    assert np.exp(priors.WIDTH_PRIORS["smooth"][0]) == pytest.approx(3.0)


@pytest.mark.parametrize("width_prior", ["default", "smooth", "sharp"])
def test_the_chosen_width_prior_is_used(width_prior: str) -> None:
    chosen = priors_for(counts(0.0), "sigmoid", width_prior=width_prior)
    assert chosen.shape2 == priors.WIDTH_PRIORS[width_prior]


def test_the_grid_of_widths_keeps_the_contract() -> None:
    nodes = priors.LOG10_WIDTH_NODES
    assert len(nodes) >= 32
    assert 10 ** nodes[[0, -1]] == pytest.approx([0.05, 30.0])
    assert np.ptp(np.diff(nodes)) < 1e-12


@pytest.mark.parametrize(("width_prior", "outside"), [("default", 1e-4), ("sharp", 1e-3)])
def test_the_grid_of_widths_holds_the_prior(width_prior: str, outside: float) -> None:
    low, high = np.log(10) * priors.LOG10_WIDTH_NODES[[0, -1]]
    mean, sd = priors.WIDTH_PRIORS[width_prior]
    assert norm.cdf(low, mean, sd) + norm.sf(high, mean, sd) < outside


def test_over_dispersion_in_words() -> None:
    low, median, high = np.exp(spread(priors.LOG_DISPERSION, 0.025, 0.5, 0.975))
    assert (low, median, high) == pytest.approx((14, 100, 700), rel=WORDS)


def test_noise_in_words() -> None:
    low, median, high = np.exp(spread(priors.LOG_NOISE, 0.025, 0.5, 0.975))
    assert (low, median, high) == pytest.approx((0.003, 0.03, 0.3), rel=0.06)


def test_levels_in_words() -> None:
    low, high = expit(spread(priors.LEVEL_LOGIT, 0.025, 0.975))
    assert (low, high) == pytest.approx((0.03, 0.91), abs=0.005)


def test_the_floor_is_a_narrow_prior_about_chance() -> None:
    floor = priors_for(counts(0.25), "sigmoid").left
    low, middle, high = expit(spread(floor, 0.16, 0.5, 0.84))
    assert (low, middle, high) == pytest.approx((0.18, 0.25, 0.33), rel=WORDS)


@pytest.mark.parametrize("chance", [0.0, 0.01, np.nan])
def test_without_a_chance_level_the_floor_is_low(chance: float) -> None:
    floor = priors_for(counts(chance), "sigmoid").left
    assert expit(floor[0]) == pytest.approx(0.03, abs=0.001)


@pytest.mark.parametrize("candidate", ["flat", "linear", "power"])
def test_other_candidates_may_start_above_the_floor(candidate: str) -> None:
    start, floor = (priors_for(counts(0.25), c).left for c in (candidate, "sigmoid"))
    assert start[0] == floor[0]
    assert start[1] == priors.START_LOGIT_SD > floor[1]


def test_gaussian_scores_have_the_same_statements_on_their_own_scale() -> None:
    prior = priors_for(scores(0.25), "sigmoid")
    assert prior.left == (0.25, priors.FLOOR_LINEAR_SD)
    assert priors_for(scores(0.25), "flat").left == (0.25, priors.START_LINEAR_SD)
    assert priors_for(scores(), "sigmoid").left == priors.LOW_FLOOR_LINEAR
    assert prior.right == priors.LEVEL_LINEAR


def test_an_unbounded_score_has_no_floor() -> None:
    prior = priors_for(scores(bounded=False), "sigmoid")
    assert prior.left == prior.right == priors.UNBOUNDED_LEVEL


@pytest.mark.parametrize(
    ("curve", "expected"), [(counts(0.0), priors.LOG_DISPERSION), (scores(), priors.LOG_NOISE)]
)
def test_counts_have_dispersion_and_scores_have_noise(
    curve: Curve, expected: tuple[float, float]
) -> None:
    assert priors_for(curve, "flat").dispersion == expected


def test_location_is_centred_on_the_window() -> None:
    middle = (GPT_3[0] + GPT_3[-1]) / 2
    assert priors_for(counts(0.0), "sigmoid").shape1 == pytest.approx((middle, 2.0))


def test_exponent_is_centred_on_a_line() -> None:
    assert priors_for(counts(0.0), "power").shape1 == pytest.approx((0.0, 0.4))


def test_a_turn_is_as_likely_inside_the_window_as_outside() -> None:
    mean, sd = priors_for(counts(0.0), "quadratic").shape1
    assert norm.cdf(0.5, mean, sd) - norm.cdf(-0.5, mean, sd) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_priors_do_not_see_the_scores(candidate: str) -> None:
    other = make_curve(GPT_3, np.linspace(0.9, 0.1, 8), items=100, chance=0.25)
    assert priors_for(counts(0.25), candidate) == priors_for(other, candidate)


def test_the_array_follows_the_fields() -> None:
    prior = Priors((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))
    assert prior.as_array().tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]


def test_an_unknown_width_prior_is_refused() -> None:
    with pytest.raises(KeyError, match="wide"):
        priors_for(counts(0.0), "sigmoid", width_prior="wide")
