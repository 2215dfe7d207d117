"""Statements about one curve in closed form, under posteriors of few draws and under priors."""

from __future__ import annotations

import numpy as np
import pytest

from builders import GPT_3, counted, logistic, make_curve
from metamirage.base.vocabulary import CANDIDATES
from metamirage.fitting.engines import integrate_all
from metamirage.fitting.posterior import Posterior
from metamirage.fitting.settings import FitSettings
from metamirage.hypotheses.h3_breaks import MAX_EXPONENT, Shares, agreeing, prior_draws, read_curve

# Sums of a few weights: rounding only.
EXACT = 1e-12
SIZE = np.array([7.0, 8.0, 9.0, 10.0, 11.0])
WINDOW = make_curve(SIZE, np.full(5, 0.5))


def draws(candidate: str, *rows: tuple[float, ...]) -> Posterior:
    """Equally weighted draws (left, right, shape1, shape2)."""
    left, right, shape1, shape2 = np.array(rows, dtype=float).T
    theta = np.column_stack([left, np.zeros_like(left), right, shape1, shape2])
    n = len(theta)
    return Posterior(candidate, theta, np.full(n, 1 / n), 0.0, 0.0, float(n), np.empty(0))


NOTHING = {c: draws(c, (0.5, 0.5, 0.0, 0.0)) for c in CANDIDATES}


def read(**changed: Posterior) -> Shares:
    return read_curve(WINDOW, NOTHING | changed, width_prior="default").posterior


def test_a_narrow_sigmoid_inside_breaks_and_a_wide_one_is_smooth() -> None:
    narrow, wide, between = (0.0, 1.0, 9.0, np.log(0.4)), (0.0, 1.0, 9.0, np.log(3.0)), np.log(1.5)
    shares = read(sigmoid=draws("sigmoid", narrow, wide, (0.0, 1.0, 9.0, between), wide))
    # Five candidates of equal evidence; one draw in four breaks, two are smooth.
    assert shares.broken == pytest.approx(1 / 20, abs=EXACT)
    assert shares.smooth == pytest.approx(2 / 20, abs=EXACT)


@pytest.mark.parametrize(
    "row", [(0.0, 1.0, 12.0, -1.0), (0.0, 0.04, 9.0, -1.0), (1.0, 0.0, 9.0, -1.0)]
)
def test_no_break_without_a_rise_inside(row: tuple[float, ...]) -> None:
    assert read(sigmoid=draws("sigmoid", row)).broken == 0.0


def test_a_line_that_rises_is_smooth_and_one_that_falls_is_not() -> None:
    up, down = (0.2, 0.6, 0.0, 0.0), (0.6, 0.2, 0.0, 0.0)
    assert read(linear=draws("linear", up, down)).smooth == pytest.approx(1 / 10, abs=EXACT)


def test_a_power_that_rises_within_a_decade_is_not_smooth() -> None:
    slow, fast = (0.0, 1.0, 0.9 * MAX_EXPONENT, 0.0), (0.0, 1.0, 1.1 * MAX_EXPONENT, 0.0)
    assert read(power=draws("power", slow)).smooth == pytest.approx(1 / 5, abs=EXACT)
    assert read(power=draws("power", fast)).smooth == 0.0


def test_the_fastest_smooth_power_takes_a_decade_for_most_of_a_long_rise() -> None:
    x = np.array([-np.log10(9.0), 0.0]) / MAX_EXPONENT
    low, high = 10.0 ** (MAX_EXPONENT * x)
    assert high / low == pytest.approx(9.0, rel=1e-9)
    assert x[1] - x[0] == pytest.approx(1.0, abs=EXACT)


def test_a_quadratic_is_smooth_unless_it_turns_inside() -> None:
    # Turning point half a span left of the window, and at a quarter of it.
    outside, inside = (0.0, 1.0, -1.0, 0.0), (0.0, 1.0, -0.25, 0.0)
    assert read(quadratic=draws("quadratic", outside)).smooth == pytest.approx(1 / 5, abs=EXACT)
    assert read(quadratic=draws("quadratic", inside)).smooth == 0.0
    mirrored = (1.0, 0.0, 1.0, 0.0)
    assert read(quadratic=draws("quadratic", mirrored)).smooth == pytest.approx(1 / 5, abs=EXACT)


def test_agreement_counts_breaks_within_reach_of_each_place() -> None:
    one = Shares(0.0, np.array([8.0, 9.0, 10.0]), np.array([0.1, 0.2, 0.3]))
    place, weight = np.array([8.4, 9.9]), np.array([0.5, 0.5])
    # The first place reaches 8, the second 10; with a decade both reach 9 as well.
    assert agreeing(one, place, weight, within=0.5) == pytest.approx(0.5 * 0.1 + 0.5 * 0.3)
    assert agreeing(one, place, weight, within=1.0) == pytest.approx(0.5 * 0.3 + 0.5 * 0.5)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_prior_draws_have_the_moments_of_the_prior(candidate: str) -> None:
    found = prior_draws(WINDOW, candidate, width_prior="default").theta
    # Mean and sd of 4,096 quasi-random Normal draws; unused parameters are zero.
    used = found.std(axis=0) > 0
    assert (
        used.sum() == {"flat": 2, "linear": 3, "power": 4, "sigmoid": 5, "quadratic": 4}[candidate]
    )
    assert (found[:, ~used] == 0).all()
    if candidate == "sigmoid":
        assert found[:, 3].mean() == pytest.approx(9.0, abs=0.01)
        assert found[:, 4].mean() == pytest.approx(np.log(1.5), abs=0.01)
        assert found[:, 4].std() == pytest.approx(0.7, abs=0.01)


def test_the_prior_share_of_a_break_is_that_of_brute_force() -> None:
    rng, n = np.random.default_rng(5), 200_000
    location, width = rng.normal(9.0, 2.0, n), np.exp(rng.normal(np.log(1.5), 0.7, n))
    left, right = rng.normal(0.1, 0.2, n), rng.normal(0.4, 0.4, n)
    h = [logistic(x, location=location, width=width) for x in (SIZE[0], SIZE[-1])]
    hit = (width < 1) & (location >= 7) & (location <= 11) & ((right - left) * (h[1] - h[0]) > 0.05)
    prior = read_curve(WINDOW, NOTHING, width_prior="default").prior
    # Monte Carlo errors of either side are below 0.002 of the sigmoid's fifth.
    assert prior.broken == pytest.approx(hit.mean() / 5, abs=0.001)


@pytest.mark.parametrize(("width", "smooth"), [(0.3, False), (4.0, True)])
def test_scores_tell_a_break_from_a_smooth_rise(width: float, smooth: bool) -> None:
    mean = 0.02 + 0.9 * logistic(GPT_3, location=9.5, width=width)
    curve = counted(GPT_3, mean, items=1000)
    found = integrate_all(curve, curve, FitSettings(1))
    reading = read_curve(curve, found, width_prior="default")
    assert (reading.posterior.smooth > reading.prior.smooth) == smooth
    assert (reading.posterior.broken > reading.prior.broken) != smooth
    assert reading.p_jump > 0.99
