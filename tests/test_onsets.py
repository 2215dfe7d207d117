"""Clustering of transitions: pairs counted by hand, and chance that knows the sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from builders import BIG_G, PALM
from metamirage.curves import FloatArray
from metamirage.onsets import Onsets, closeness, clustering_test, draw_chance

FAR = np.array([7.0, 8.0, 9.0, 10.0, 11.0])


def onsets(mean: FloatArray, *, sd: float = 0.2, sizes: FloatArray = BIG_G) -> Onsets:
    n = len(mean)
    return Onsets(mean, np.full(n, sd), np.arange(n), np.zeros(n, dtype=int), [sizes])


def all_pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.triu_indices(n, k=1)
    return one, two


def test_known_places_are_counted() -> None:
    mean = np.array([8.0, 8.3, 9.0])
    assert closeness(mean, np.zeros(3), all_pairs(3)) == pytest.approx(1 / 3, abs=1e-12)


def test_uncertain_places_count_by_their_overlap() -> None:
    found = closeness(np.array([8.0, 8.2]), np.array([0.3, 0.4]), all_pairs(2))
    expected = norm.cdf(0.5, 0.2, 0.5) - norm.cdf(-0.5, 0.2, 0.5)
    assert found == pytest.approx(expected, abs=1e-12)


def test_tasks_at_one_size_cluster() -> None:
    estimate, expected, p_value = clustering_test(
        onsets(np.full(12, 9.0)), rng=np.random.default_rng(1), n_draws=199
    )
    assert estimate > expected + 0.3
    assert p_value == pytest.approx(1 / 200, abs=1e-12)


def test_two_families_are_not_compared_with_each_other() -> None:
    twice = Onsets(
        np.array([8.0, 9.0, 8.0, 9.0]), np.zeros(4), np.array([0, 1, 0, 1]),
        np.array([0, 0, 1, 1]), [BIG_G, BIG_G],
    )  # fmt: skip
    estimate, _, _ = clustering_test(twice, rng=np.random.default_rng(1), n_draws=19)
    assert estimate == 0.0


def test_places_that_fall_into_gaps_are_no_clusters() -> None:
    # True places are even; each estimate is the middle of its gap, as for a step between two sizes.
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(100):
        true = rng.uniform(FAR[0], FAR[-1], 15)
        middle = np.floor(true) + 0.5
        found = onsets(middle, sd=1 / np.sqrt(12), sizes=FAR)
        hits += clustering_test(found, rng=rng, n_draws=99)[2] <= 0.05
    # At most the 0.5 % quantile from above of 100 trials at 0.05.
    assert hits <= binom.ppf(0.995, 100, 0.05)


def test_chance_lies_within_the_sizes_of_each_family() -> None:
    n = 2000
    drawn = draw_chance(
        Onsets(
            np.zeros(2 * n), np.full(2 * n, 1e-6), np.tile(np.arange(n), 2),
            np.repeat([0, 1], n), [BIG_G, PALM],
        ),
        np.random.default_rng(2),
    )  # fmt: skip
    for part, sizes in ((drawn[:n], BIG_G), (drawn[n:], PALM)):
        span = sizes[-1] - sizes[0]
        # A certain place is the true one: uniform, its mean within four standard errors.
        assert part.mean() == pytest.approx(sizes[0] + span / 2, abs=4 * span / np.sqrt(12 * n))
        assert part.min() > sizes[0] - 1e-4
        assert part.max() < sizes[-1] + 1e-4
    # One quantile a task: both families rise together.
    assert np.corrcoef(drawn[:n], drawn[n:])[0, 1] > 0.999
