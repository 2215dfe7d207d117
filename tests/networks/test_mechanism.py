"""Predictions held against networks: exact cases by hand, and the shipped tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from builders import tags_row, tidy_rows
from metamirage.networks.mechanism import (
    Tables,
    half_rise,
    judge,
    length_rows,
    measure_compositional,
    resolution_rows,
    subset_rows,
)

DRAWS = {"rng": np.random.default_rng(0), "n_draws": 99}
SIZES = [1e2, 1e3, 1e4]
TASKS = [f"task {i}" for i in range(6)]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.9, 1.1), "holds"),
        ((0.7, 1.1), "open"),
        ((0.1, 0.2), "fails"),
        ((1.3, 2.0), "fails"),
        ((-np.inf, np.inf), "open"),
    ],
)
def test_a_prediction_is_judged_by_its_whole_interval(
    interval: tuple[float, float], expected: str
) -> None:
    row = {"low": 0.8, "high": 1.25, "lower": interval[0], "upper": interval[1]}
    assert judge(row) == expected


def test_no_difference_at_all_is_no_difference_above_nothing() -> None:
    assert judge({"low": 0.0, "high": np.inf, "lower": 0.0, "upper": 0.0}) == "fails"


def test_a_row_without_a_range_only_tells() -> None:
    assert judge({"low": np.nan, "high": np.nan, "lower": np.nan, "upper": np.nan}) == "told"


def test_the_half_rise_lies_straight_between_two_sizes() -> None:
    scores = pd.DataFrame({"n_params": [1e4, 1e2, 1e3], "score": [0.9, 0.1, 0.3]})
    # From 0.3 to 0.9 over one decade, 0.5 is a third of the way.
    assert half_rise(scores, 0.5) == pytest.approx(3 + 1 / 3)
    assert np.isnan(half_rise(scores, 0.05))
    assert np.isnan(half_rise(scores, 0.95))


def exact_matches() -> pd.DataFrame:
    """Six tasks: one of three networks has an item right of 100, all of 10,000."""
    rows = [
        tidy_rows(SIZES, scores, task=task, subtask=f"{n} items", metric="exact_match", n_samples=n)
        for task in TASKS
        for n, scores in {100: [0.0, 0.0, 0.5], 10000: [0.001, 0.002, 0.5]}.items()
    ]
    return pd.concat(rows, ignore_index=True)


def test_resolution_counts_the_networks_that_show_any_success() -> None:
    few, many, gain = resolution_rows(exact_matches(), **DRAWS)
    assert few["estimate"] == pytest.approx(1 / 3)
    assert many["estimate"] == 1.0
    assert (gain["estimate"], gain["n_tasks"], gain["n"]) == (pytest.approx(2 / 3), 6, 18)
    assert judge(gain) == "holds"


def independent(length: int) -> pd.DataFrame:
    """Networks whose errors fall on tokens by chance alone."""
    p = np.array([0.5, 0.8, 0.95])
    metrics = {
        "exact_match": p**length,
        "token_accuracy": p,
        "token_edit_distance": length * (1 - p),
    }
    parts = [
        tidy_rows(SIZES, list(scores), task=task, metric=metric)
        for task in TASKS
        for metric, scores in metrics.items()
    ]
    return pd.concat(parts, ignore_index=True)


def tags_of(length: int) -> pd.DataFrame:
    return pd.concat(
        [tags_row(task=t, metric="token_edit_distance", upper=float(length)) for t in TASKS]
    )


def test_independent_errors_compound_with_the_length_and_add_up_with_it() -> None:
    empty = pd.DataFrame()
    tables = Tables(independent(4), tags_of(4), empty, empty, empty, empty)
    power, linear = length_rows(tables, **DRAWS)
    # Rounding only.
    assert power["estimate"] == pytest.approx(1.0, rel=1e-12)
    assert linear["estimate"] == pytest.approx(1.0, rel=1e-12)
    assert judge(power) == judge(linear) == "holds"


def test_errors_that_come_together_compound_less_than_their_length() -> None:
    tidy = independent(4)
    together = tidy["metric"] == "exact_match"
    # As if an answer had two tokens only.
    tidy.loc[together, "score"] = tidy.loc[together, "score"] ** 0.5
    empty = pd.DataFrame()
    power, _ = length_rows(Tables(tidy, tags_of(4), empty, empty, empty, empty), **DRAWS)
    assert power["estimate"] == pytest.approx(0.5, rel=1e-12)
    assert judge(power) == "fails"


def test_more_in_a_row_come_later_seed_by_seed() -> None:
    names = ["accuracy", *(f"subset_accuracy_{k}" for k in range(2, 6))]
    base = np.array([0.0, 0.4, 0.8, 1.0])
    # Each metric is the first one, moved by a tenth of a decade; seeds differ in size by 2 %.
    parts = [
        tidy_rows(
            [10 ** (x + 0.1 * i + 0.01 * seed) for x in range(2, 6)],
            list(base),
            task="classify",
            metric=metric,
            model=[f"h{j}-s{seed}" for j in range(4)],
        )
        for i, metric in enumerate(names)
        for seed in range(3)
    ]
    rows = subset_rows(pd.concat(parts, ignore_index=True))
    assert [row["estimate"] for row in rows] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [judge(row) for row in rows] == ["holds"] * 4


def test_a_control_is_counted_by_task_under_all_of_its_continuous_metrics() -> None:
    fits = pd.DataFrame(
        {
            "task": ["a", "a", "b", "b", "a"],
            "metric": ["loss", "brier", "loss", "brier", "exact"],
            "verdict": ["SHARP", "SHARP", "SHARP", "UNRESOLVED", "FLAT"],
        }
    )
    tags = pd.DataFrame(
        {"metric": ["loss", "brier", "exact"], "discontinuous": ["no", "no", "yes"]}
    )
    latent = pd.DataFrame({"verdict": ["real", "unresolved"]})
    empty = pd.DataFrame()
    sharp, real = measure_compositional(Tables(empty, tags, fits, empty, empty, latent), **DRAWS)
    assert (sharp["estimate"], sharp["n"]) == (0.5, 2)
    assert (real["estimate"], judge(real)) == (0.5, "open")
