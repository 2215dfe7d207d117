"""Predictive distributions: densities and draws that agree, proper scores, ranks of counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import betabinom, norm

from builders import GPT_3, make_curve
from metamirage.curves.curve import Curve
from metamirage.forecasting.predictives import (
    EDGE,
    LeftOut,
    Predictive,
    assess,
    average,
    crps,
    left_out,
    mean_density,
    observe,
    pit_ends,
    quantiles,
    rank_histogram,
)

EXACT = 1e-12
N = 40_000
EVEN = np.full(N, 1 / N)


def a_count(k: float, items: int) -> LeftOut:
    return LeftOut(size=11.0, observed=k / items, n_items=items, stderr=0.0, bounded=True)


def a_score(observed: float, stderr: float = 0.0, *, bounded: bool = True) -> LeftOut:
    return LeftOut(size=11.0, observed=observed, n_items=0, stderr=stderr, bounded=bounded)


def seen(left: LeftOut, mean: float, dispersion: float) -> Predictive:
    rng = np.random.default_rng(1)
    return observe(left, np.full(N, mean), np.full(N, dispersion), weights=EVEN, rng=rng)


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


def test_predictive_of_counts_sums_to_one() -> None:
    found = [seen(a_count(k, 20), 0.27, 7.4).log_density[0] for k in range(21)]
    # A density per unit of the score: 20 counts to the unit.
    assert np.sum(np.exp(found)) / 20 == pytest.approx(1.0, abs=1e-9)


def test_predictive_of_counts_is_beta_binomial() -> None:
    found = seen(a_count(5, 20), 0.3, 12.0)
    expected = betabinom.logpmf(5, 20, 3.6, 8.4) + np.log(20)
    assert found.log_density[0] == pytest.approx(expected, abs=1e-9)
    # Five standard errors of a mean and of a variance of 40,000 draws.
    assert found.sample.mean() == pytest.approx(0.3, abs=5 * 0.16 / 200)
    assert found.sample.var() == pytest.approx(betabinom.var(20, 3.6, 8.4) / 400, rel=0.05)


def test_predictive_of_scores_is_normal_with_both_errors() -> None:
    found = seen(a_score(0.45, 0.04), 0.4, 0.03)
    assert found.log_density[0] == pytest.approx(norm.logpdf(0.45, 0.4, 0.05), abs=1e-9)
    assert found.sample.std() == pytest.approx(0.05, rel=0.02)


@pytest.mark.parametrize("mean", [-0.4, 0.3, 1.7])
def test_density_and_draws_agree_where_a_line_leaves_the_range(mean: float) -> None:
    grid = np.linspace(-0.5, 1.5, 401)
    density = [np.exp(seen(a_score(y), mean, 0.05).log_density[0]) for y in grid]
    below = np.cumsum(density) * (grid[1] - grid[0])
    sample = seen(a_score(0.5), mean, 0.05).sample
    drawn = np.searchsorted(np.sort(sample), grid) / N
    # The sum is off by half a step of density up to 8; 40,000 draws by 1/80 at five se.
    assert np.abs(below - drawn).max() < 8 * 0.0025 + 0.0125
    assert sample.mean() == pytest.approx(np.clip(mean, EDGE, 1 - EDGE), abs=0.002)


@pytest.mark.parametrize("mean", [-0.4, 1.7])
def test_counts_agree_with_their_density_at_the_edge(mean: float) -> None:
    zero = seen(a_count(0, 50), mean, 100.0)
    share = (zero.sample == 0).mean()
    # Five standard errors of a share of 40,000 draws.
    assert share == pytest.approx(np.exp(zero.log_density[0]) / 50, abs=0.0125)


def test_means_of_unbounded_metrics_are_not_stopped() -> None:
    assert seen(a_score(0.5, bounded=False), 1.7, 0.05).sample.mean() == pytest.approx(
        1.7, abs=0.002
    )


def test_draws_of_no_weight_do_not_enter_the_log_score() -> None:
    p = Predictive(np.array([-3.0, 900.0, -2.0]), np.zeros(3), np.array([0.5, 0.0, 0.5]))
    log_score, error = mean_density(p)
    assert log_score == pytest.approx(np.log((np.exp(-3) + np.exp(-2)) / 2), abs=EXACT)
    shares = np.exp([-3.0, -2.0]) / (np.exp(-3) + np.exp(-2))
    assert error == pytest.approx(np.sqrt(np.sum((shares - 0.5) ** 2)), abs=EXACT)


def test_a_single_likely_draw_of_hardly_any_weight_gives_a_finite_score() -> None:
    p = Predictive(np.array([-1e5, 40.0]), np.zeros(2), np.array([1.0, 1e-320]))
    log_score, error = mean_density(p)
    # The weight is a subnormal number with four digits.
    assert log_score == pytest.approx(40 + np.log(1e-320), abs=1e-3)
    assert error > 0.9


def test_mixing_predictives_mixes_their_weights() -> None:
    parts = [Predictive(np.zeros(2), np.array([v, v]), np.array([0.5, 0.5])) for v in (0.0, 1.0)]
    mixed = average(parts, np.array([0.2, 0.8]))
    assert mixed.weights.sum() == pytest.approx(1.0)
    assert mixed.weights @ mixed.sample == pytest.approx(0.8)


def test_a_tie_lies_between_the_two_ends_of_its_rank() -> None:
    p = Predictive(np.zeros(4), np.array([0.1, 0.3, 0.3, 0.7]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert pit_ends(p, 0.3) == pytest.approx((0.1, 0.6), abs=EXACT)
    assert pit_ends(p, 0.5) == pytest.approx((0.6, 0.6), abs=EXACT)


def test_a_published_count_ties_however_it_was_rounded() -> None:
    # A third of 30 items, published as 33.3 %.
    left = LeftOut(size=11.0, observed=0.333, n_items=30, stderr=0.0, bounded=True)
    sample = np.full(4, 10 / 30)
    row = assess(Predictive(np.zeros(4), sample, np.full(4, 0.25)), left, ratio=1.0, shift=0.0)
    assert (row["pit_low"], row["pit"], row["pit_high"]) == (0.0, 0.5, 1.0)
    assert row["inside_80"]
    assert row["observed"] == 0.333


def test_ranks_of_calibrated_counts_fill_the_histogram_evenly() -> None:
    # Few items and a floor: mid-points would pile up.
    n, a, b = 5, 0.5, 3.0
    ends = np.array([(betabinom.cdf(k - 1, n, a, b), betabinom.cdf(k, n, a, b)) for k in range(6)])
    chance = betabinom.pmf(np.arange(6), n, a, b)
    bars = sum(p * rank_histogram(end[None], 10) for p, end in zip(chance, ends, strict=True))
    np.testing.assert_allclose(bars, 0.1, atol=1e-9)
    middles = rank_histogram(np.repeat(ends.mean(axis=1)[:, None], 2, axis=1), 10)
    assert (middles == 0).sum() >= 5


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    st.integers(1, 12),
)
@settings(max_examples=100, deadline=None)
def test_every_rank_is_counted_once(pairs: list[tuple[float, float]], n_bins: int) -> None:
    bars = rank_histogram(np.sort(np.array(pairs), axis=1), n_bins)
    assert (bars >= 0).all()
    # Rounding of the shares of at most twenty ranks.
    assert bars.sum() == pytest.approx(len(pairs), abs=1e-9)


def test_points_fall_into_the_bin_they_open() -> None:
    ends = np.array([[0.0, 0.0], [0.5, 0.5], [0.55, 0.55], [1.0, 1.0]])
    assert rank_histogram(ends, 2).tolist() == [1.0, 3.0]


def test_quantiles_of_a_weighted_sample() -> None:
    p = Predictive(np.zeros(3), np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.4, 0.4]))
    # Half of each weight stands below its draw: 1 at 0.2, 2 at 0.6, 3 at 0.9.
    np.testing.assert_allclose(quantiles(p, (0.2, 0.4, 0.9)), [1.0, 1.5, 3.0], atol=EXACT)


def test_scores_of_a_normal_forecast() -> None:
    row = assess(seen(a_score(0.55), 0.5, 0.1), a_score(0.55), ratio=1.0, shift=0.0)
    z = norm.ppf([0.025, 0.1, 0.9, 0.975])
    # Quantiles of 40,000 draws: five standard errors at the outer ones are 0.013.
    found = [row[name] for name in ("q025", "q10", "q90", "q975")]
    np.testing.assert_allclose(np.array(found, float), 0.5 + 0.1 * z, atol=0.007)
    assert row["log_score"] == pytest.approx(norm.logpdf(0.55, 0.5, 0.1), abs=1e-9)
    assert row["pit"] == pytest.approx(norm.cdf(0.5), abs=0.0125)
    assert (row["inside_80"], row["inside_95"]) == (True, True)


@pytest.mark.parametrize(
    ("sds", "inside_80", "inside_95"), [(1.2, True, True), (1.6, False, True), (2.1, False, False)]
)
def test_intervals_hold_what_lies_between_their_quantiles(
    sds: float, *, inside_80: bool, inside_95: bool
) -> None:
    for side in (-1, 1):
        left = a_score(0.5 + side * sds * 0.1)
        row = assess(seen(left, 0.5, 0.1), left, ratio=1.0, shift=0.0)
        assert (row["inside_80"], row["inside_95"]) == (inside_80, inside_95)


def test_scores_are_carried_to_the_scale_of_the_curve() -> None:
    left = a_score(0.55, bounded=False)
    here, there = (
        assess(seen(left, 0.5, 0.1), left, ratio=ratio, shift=shift)
        for ratio, shift in ((1.0, 0.0), (2.0, 3.0))
    )
    for name in ("observed", "mean", "q025", "q10", "q90", "q975"):
        assert there[name] == pytest.approx(2 * float(str(here[name])) + 3, abs=1e-9)
    for name in ("sd", "crps", "discontinuity"):
        assert there[name] == pytest.approx(2 * float(str(here[name])), abs=1e-9)
    assert there["log_score"] == pytest.approx(float(str(here["log_score"])) - np.log(2), abs=1e-9)


def replicated() -> Curve:
    sizes = [7, 8, 9, 9, 10]
    return make_curve(sizes, [0.1, 0.2, 0.3, 0.5, 0.9], items=[10, 20, 30, 40, 50], stderr=0.1)


def test_a_left_out_score_is_the_mean_of_its_replicates() -> None:
    left = left_out(replicated(), 9.0)
    assert left.observed == pytest.approx(0.4, abs=EXACT)
    assert left.n_items == 35


def test_a_missing_size_borrows_items_from_the_size_below() -> None:
    left = left_out(replicated(), 9.5)
    assert np.isnan(left.observed)
    assert left.n_items == 35
    assert np.isnan(seen(left, 0.3, 12.0).log_density).all()


def test_scores_with_a_published_error_need_no_items() -> None:
    left = left_out(make_curve(GPT_3, np.full(8, 0.5), stderr=0.04), float(GPT_3[-1]))
    assert (left.n_items, left.stderr, left.landing) == (0, pytest.approx(0.04), 0.5)
