from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from metamirage.hypotheses.permutation import (
    Units,
    flip_test,
    label_test,
    shuffle_labels,
    sign_patterns,
    stratified_difference,
)

RNG = 20240601
# Sums of at most 14 terms of order one.
EXACT = 1e-12
# Three standard errors of a rejection rate of 0.05 over 1,000 data sets: 0.021.
RATE = 0.021


def units_of(value: list[float], label: list[int], stratum: list[int], partner: list[int]) -> Units:
    return Units(np.array(value), np.array(label) == 1, np.array(stratum), np.array(partner))


def test_three_equal_differences_give_the_smallest_p_of_eight_patterns() -> None:
    test = flip_test(np.array([1.0, 1.0, 1.0]), rng=np.random.default_rng(RNG), n_draws=10)
    assert test.exact
    assert test.p_value == 2 / 8
    assert test.estimate == 1.0


def test_flip_p_value_equals_scipys_exact_permutation_test() -> None:
    d = np.random.default_rng(RNG).normal(0.4, 1.0, 9)
    foreign = permutation_test(
        (d, np.zeros(9)),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    ours = flip_test(d, rng=np.random.default_rng(RNG), n_draws=10)
    assert ours.p_value == pytest.approx(foreign.pvalue, abs=EXACT)


def test_weighted_flips_equal_scipys_and_their_interval_is_of_weighted_shifts() -> None:
    rng = np.random.default_rng(RNG)
    d, weights = rng.normal(0.4, 1.0, 9), rng.uniform(0.0, 2.0, 9)
    foreign = permutation_test(
        (d, np.zeros(9)),
        lambda a, b: np.average(a - b, weights=weights),
        permutation_type="samples",
        vectorized=False,
        n_resamples=np.inf,
    )
    ours = flip_test(d, rng=rng, n_draws=10, weights=weights)
    assert ours.p_value == pytest.approx(foreign.pvalue, abs=EXACT)
    assert ours.estimate == pytest.approx(np.average(d, weights=weights), abs=EXACT)
    for end, sign in zip(ours.interval, (1, -1), strict=True):
        p_in, p_out = (
            flip_test(d - end - sign * by, rng=rng, n_draws=10, weights=weights).p_value
            for by in (1e-6, -1e-6)
        )
        assert p_out <= 0.05 < p_in


def test_weights_of_zero_leave_every_task_alike() -> None:
    d = np.array([0.1, 0.2, 0.6])
    kind = {"rng": np.random.default_rng(RNG), "n_draws": 10}
    assert flip_test(d, weights=np.zeros(3), **kind).estimate == pytest.approx(0.3, abs=EXACT)


def test_five_tasks_have_no_finite_interval_and_six_have() -> None:
    d = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    five = flip_test(d[:5], rng=np.random.default_rng(RNG), n_draws=10)
    six = flip_test(d, rng=np.random.default_rng(RNG), n_draws=10)
    assert five.interval == (-np.inf, np.inf)
    assert five.p_value > 0.05
    assert six.interval == pytest.approx((0.1, 0.6), abs=EXACT)
    assert six.p_value == 2 / 64


@pytest.mark.parametrize("seed", range(5))
def test_interval_holds_exactly_the_shifts_that_are_not_rejected(seed: int) -> None:
    d = np.random.default_rng(seed).normal(0.3, 1.0, 8)
    rng = np.random.default_rng(RNG)
    low, high = flip_test(d, rng=rng, n_draws=10).interval
    inside = [flip_test(d - t, rng=rng, n_draws=10).p_value for t in (low + 1e-6, high - 1e-6)]
    outside = [flip_test(d - t, rng=rng, n_draws=10).p_value for t in (low - 1e-6, high + 1e-6)]
    assert min(inside) > 0.05
    assert max(outside) <= 0.05


def test_drawn_patterns_agree_with_all_patterns() -> None:
    d = np.random.default_rng(RNG).normal(0.35, 1.0, 14)
    exact = flip_test(d, rng=np.random.default_rng(RNG), n_draws=10)
    patterns, is_exact = sign_patterns(15, 4000, np.random.default_rng(RNG))
    drawn = np.abs(patterns[:, :14] @ d / 14) >= abs(d.mean()) - EXACT
    assert not is_exact
    # Three binomial standard errors of 4,000 draws.
    assert drawn.mean() == pytest.approx(exact.p_value, abs=0.024)


def test_flip_test_keeps_its_level_under_heavy_symmetric_differences() -> None:
    rng = np.random.default_rng(RNG)
    hits = [
        flip_test(rng.standard_t(2, 12), rng=rng, n_draws=10).p_value <= 0.05 for _ in range(1000)
    ]
    assert np.mean(hits) == pytest.approx(0.05, abs=RATE)


def test_stratified_difference_compares_within_strata_only() -> None:
    # Within each stratum class 1 is 1 above class 0; between strata the levels differ by 100.
    units = units_of([1, 0, 101, 101, 100], [1, 0, 1, 1, 0], [0, 0, 1, 1, 1], [-1] * 5)
    assert stratified_difference(units, units.label) == pytest.approx(1.0, abs=EXACT)


def test_nothing_is_compared_where_no_stratum_holds_both_classes() -> None:
    units = units_of([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1], [-1] * 4)
    estimate, p_value, _ = label_test(units, rng=np.random.default_rng(RNG), n_draws=10)
    assert np.isnan(estimate)
    assert np.isnan(p_value)


def test_shuffled_labels_stay_in_stratum_and_partners_stay_complementary() -> None:
    units = units_of([0] * 6, [1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 1, 1], [1, 0, -1, -1, -1, -1])
    seen = set()
    for seed in range(60):
        label = shuffle_labels(units, np.random.default_rng(seed))
        assert label[0] != label[1]
        assert label[2] != label[3]
        assert label[4] != label[5]
        seen.add(tuple(label))
    # Two independent swaps a pair of units: all eight labellings occur.
    assert len(seen) == 8


def test_label_p_value_equals_scipys_on_one_stratum() -> None:
    rng = np.random.default_rng(RNG)
    one, zero = rng.normal(0.8, 1, 6), rng.normal(0, 1, 5)
    foreign = permutation_test(
        (one, zero),
        lambda a, b: a.mean() - b.mean(),
        permutation_type="independent",
        n_resamples=np.inf,
    )
    value = [*one, *zero]
    units = units_of(value, [1] * 6 + [0] * 5, [0] * 11, [-1] * 11)
    estimate, p_value, _ = label_test(units, rng=rng, n_draws=4000)
    assert estimate == pytest.approx(one.mean() - zero.mean(), abs=EXACT)
    assert p_value == pytest.approx(foreign.pvalue, abs=0.024)


def test_label_p_value_in_strata_equals_scipys_within_samples() -> None:
    # A stratum of one task a class is a sample of two, within which scipy permutes.
    rng = np.random.default_rng(RNG)
    level = np.repeat([0.0, 50.0, -50.0, 9.0, 4.0, 7.0, 1.0], 2)
    value = level + np.tile([0.5, 0.0], 7) + rng.normal(0, 1, 14)
    foreign = permutation_test(
        (value[::2], value[1::2]),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    units = units_of(list(value), [1, 0] * 7, list(np.repeat(range(7), 2)), [-1] * 14)
    estimate, p_value, _ = label_test(units, rng=rng, n_draws=4000)
    assert estimate == pytest.approx(foreign.statistic, abs=EXACT)
    # Three binomial standard errors of 4,000 draws.
    assert p_value == pytest.approx(foreign.pvalue, abs=0.024)


def test_label_interval_covers_a_known_shift_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(RNG)
    covered = 0
    for _ in range(300):
        value = np.concatenate([rng.normal(0.5, 1, 15), rng.normal(0, 1, 15)])
        units = units_of(list(value), [1] * 15 + [0] * 15, [0] * 30, [-1] * 30)
        low, high = label_test(units, rng=rng, n_draws=199)[2]
        covered += low <= 0.5 <= high
    # The permuted differences carry the shift too, so the interval is a little too wide; three
    # standard errors of 300 runs.
    assert covered / 300 == pytest.approx(0.955, abs=0.037)


@pytest.mark.parametrize("seed", range(6))
def test_label_interval_leaves_out_zero_where_the_test_rejects(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = np.concatenate([rng.normal(0.6, 1, 10), rng.normal(0, 1, 10)])
    units = units_of(list(value), [1] * 10 + [0] * 10, [0] * 20, [-1] * 20)
    _, p_value, (low, high) = label_test(units, rng=rng, n_draws=999)
    assert (low > 0 or high < 0) == (p_value < 0.05)


def test_no_event_in_a_small_class_is_no_certainty() -> None:
    # 5 of 40 against 0 of 12: a resampled zero would stay zero, permuted labels do not.
    units = units_of([1.0] * 5 + [0.0] * 47, [1] * 40 + [0] * 12, [0] * 52, [-1] * 52)
    _, p_value, (low, high) = label_test(units, rng=np.random.default_rng(RNG), n_draws=999)
    assert p_value > 0.05
    assert low < 0 < high


def test_label_interval_is_infinite_with_five_tasks_in_a_class() -> None:
    units = units_of([0.0] * 15, [1] * 5 + [0] * 10, [0] * 15, [-1] * 15)
    assert label_test(units, rng=np.random.default_rng(1), n_draws=50)[2] == (-np.inf, np.inf)
