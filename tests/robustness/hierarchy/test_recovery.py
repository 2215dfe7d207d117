"""The class effect of invented benchmarks is found again: all that were run, and two run anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from reference.make_hierarchy_recovery import N_BENCHMARKS, TARGET, recover, truth_of

TABLE = pd.read_csv(TARGET)
HELD = (TABLE["lower"] <= TABLE["truth"]) & (TABLE["truth"] <= TABLE["upper"])


def test_intervals_of_90_percent_hold_the_truth_of_at_least_85_in_100() -> None:
    assert TABLE["seed"].tolist() == list(range(N_BENCHMARKS))
    assert TABLE["truth"].tolist() == [truth_of(seed) for seed in range(N_BENCHMARKS)]
    assert HELD.sum() >= 85
    # Nor are they too wide: so many would hold by chance once in a thousand times.
    assert HELD.sum() <= binom.ppf(0.999, N_BENCHMARKS, 0.9)


def test_no_effect_is_seldom_taken_for_one() -> None:
    none = TABLE[TABLE["truth"] == 0.0]
    sure = np.maximum(none["p_negative"], 1 - none["p_negative"]) > 0.95
    # One in ten is promised; 0.999 of as many draws stay below this.
    assert sure.sum() <= binom.ppf(0.999, len(none), 0.1)


def test_estimates_are_not_biased() -> None:
    error = TABLE["estimate"] - TABLE["truth"]
    # Three standard errors of a mean, and a little for the prior, which draws towards zero.
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(len(error)) + 0.05


@pytest.mark.parametrize("seed", [0, 1])
def test_a_benchmark_run_anew_gives_the_row_of_the_table(seed: int) -> None:
    row, again = TABLE.loc[seed], recover(seed)
    # Chains part after the first differing bit: five standard errors of a mean of draws.
    sd = (row["upper"] - row["lower"]) / (2 * 1.645)
    assert again["estimate"] == pytest.approx(row["estimate"], abs=5 * sd / np.sqrt(400))
    assert again["truth"] == row["truth"]
