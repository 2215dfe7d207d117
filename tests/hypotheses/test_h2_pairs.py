"""One value a task from pairs, weighted or not, and the row that a test of them makes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.hypotheses.h2_pairs import flip_row, task_means, weighted_means

# Sums of a few terms of order one.
EXACT = 1e-12


def pairs_of(rows: list[tuple[str, str, float, float]]) -> pd.DataFrame:
    """Pairs from task, subtask, difference and weight."""
    table = pd.DataFrame(rows, columns=["task", "subtask", "gap", "known"])
    return table.assign(family="BIG-G", n_shots=0)


def test_a_pair_without_information_counts_for_nothing() -> None:
    pairs = pairs_of([("a", "x", 1.0, 0.5), ("a", "x", 9.0, 0.0), ("b", "x", 2.0, 1.0)])
    values, weights = weighted_means(pairs, "gap", "known")
    assert values == pytest.approx([1.0, 2.0], abs=EXACT)
    assert weights == pytest.approx([0.25, 1.0], abs=EXACT)


def test_equal_weights_are_no_weights() -> None:
    rng = np.random.default_rng(3)
    pairs = pairs_of([(t, s, rng.normal(), 0.3) for t in "abcdefg" for s in "xy"])
    values, _ = weighted_means(pairs, "gap", "known")
    assert values == pytest.approx(task_means(pairs, "gap"), abs=EXACT)
    plain, weighted = (
        flip_row(pairs, "gap", rng=np.random.default_rng(1), n_draws=10, weight=w)
        for w in ("", "known")
    )
    for name in ("estimate", "lower", "upper", "p_value", "stderr"):
        assert weighted[name] == pytest.approx(plain[name], abs=EXACT)


def test_the_estimate_is_the_mean_over_tasks_by_weight() -> None:
    pairs = pairs_of([("a", "x", 1.0, 0.1), ("b", "x", 3.0, 0.3), ("c", "x", -1.0, 0.0)])
    row = flip_row(pairs, "gap", rng=np.random.default_rng(1), n_draws=10, weight="known")
    assert row["estimate"] == pytest.approx(2.5, abs=EXACT)
    assert row["n_tasks"] == 3
    nothing = flip_row(
        pairs.assign(known=0.0), "gap", rng=np.random.default_rng(1), n_draws=10, weight="known"
    )
    assert nothing["estimate"] == pytest.approx(1.0, abs=EXACT)
