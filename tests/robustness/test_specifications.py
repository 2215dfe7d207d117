from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metamirage.hypotheses.shared_width_prior import add_own_widths
from metamirage.hypotheses.strata import describe_curves
from metamirage.robustness.specifications import (
    AXES,
    MEASURES,
    Pairs,
    admitted,
    axis_masks,
    filters,
    measure_curves,
    pair_curves,
    task_differences,
)
from multiverse_builders import Tables, tables_of

# Means of a handful of terms.
EXACT = 1e-12


def pairs_of(tables: Tables, *, preferred: tuple[tuple[str, str], ...] = ()) -> Pairs:
    curves = measure_curves(tables.fits, tables.scores, tables.forecasts, tables.tags)
    described = describe_curves(curves, tidy=tables.tidy, tags=tables.tags)
    judged = pd.DataFrame(list(preferred), columns=["task", "metric"])
    return pair_curves(add_own_widths(described, tables.profiles), preferred=judged)


def filters_of(tables: Tables) -> list[tuple[str, ...]]:
    pairs = pairs_of(tables)
    return list(filters(axis_masks(pairs), pairs.task))


def test_the_first_filter_is_that_of_the_tests() -> None:
    first = dict(zip(AXES, filters_of(tables_of(7))[0], strict=True))
    assert first == {
        "scheme": "discontinuous",
        "stratum": "same outputs",
        "metrics": "all",
        "family": "all",
        "shots": "all",
        "subtasks": "all",
        "min_sizes": "5",
        "min_items": "0",
        "floor": "kept",
    }


def test_filters_that_admit_the_same_pairs_count_once() -> None:
    # All schemes split the two metrics alike, but each has pairs of its own; shots 0, most and all.
    found = filters_of(tables_of(7))
    by_scheme = {choices[0]: [] for choices in found}
    for choices in found:
        by_scheme[choices[0]].append(choices[AXES.index("shots")])
    assert set(by_scheme) == {"discontinuous", "nonlinear", "either", "headline"}
    assert by_scheme["discontinuous"] == ["all", "most", "0"]


def test_five_tasks_make_no_filter() -> None:
    assert filters_of(tables_of(5)) == []


def test_no_pair_makes_no_filter() -> None:
    tables = tables_of(7)
    alone = tables.fits[tables.fits["metric"] == "likelihood"]
    assert filters_of(tables._replace(fits=alone)) == []


def test_each_axis_admits_what_its_choice_says() -> None:
    tables = tables_of(6, n_sizes=4)
    tables.scores.loc[tables.scores["curve_id"].str.contains("t0"), "range"] = 0.0
    pairs = pairs_of(tables, preferred=(("t1", "exact_str_match"),))
    masks = axis_masks(pairs)
    task = pairs.table["task"]
    assert set(task[masks["metrics"]["preferred"]]) == {"t1"}
    assert set(task[~masks["floor"]["dropped"]]) == {"t0"}
    assert masks["min_sizes"]["3"].all()
    assert not masks["min_sizes"]["5"].any()
    assert masks["min_items"]["100"].all()
    assert not masks["min_items"]["250"].any()
    assert set(pairs.table["n_shots"][masks["shots"]["most"]]) == {2}


def test_differences_average_blocks_before_tasks() -> None:
    # Task 0: a block with pairs 1 and 3, another with 8; task 1: one pair of 5; task 2: none.
    pairs = Pairs(
        pd.DataFrame(index=range(4)),
        np.array([[1.0], [3.0], [8.0], [5.0]]),
        np.ones((4, 1)),
        np.array([0, 0, 1, 2]),
        np.array([0, 0, 0, 1]),
    )
    found = task_differences(pairs, np.arange(4), 3)
    np.testing.assert_allclose(found, [[5.0], [5.0], [np.nan]], atol=EXACT)
    np.testing.assert_allclose(
        task_differences(pairs, np.array([1, 2]), 3)[:, 0], [5.5, np.nan, np.nan], atol=EXACT
    )


def test_a_missing_measure_leaves_its_pair_out() -> None:
    pairs = Pairs(
        pd.DataFrame(index=range(2)),
        np.array([[np.nan, 1.0], [4.0, 3.0]]),
        np.ones((2, 2)),
        np.array([0, 0]),
        np.array([0, 0]),
    )
    np.testing.assert_allclose(task_differences(pairs, np.arange(2), 1), [[4.0, 2.0]], atol=EXACT)


def test_the_mean_over_tasks_is_weighted_where_pairs_have_weights() -> None:
    pairs = Pairs(
        pd.DataFrame(index=range(3)),
        np.array([[1.0, 1.0], [5.0, 5.0], [np.nan, 7.0]]),
        np.array([[0.3, 1.0], [0.1, 1.0], [0.9, 1.0]]),
        np.array([0, 1, 2]),
        np.array([0, 1, 2]),
    )
    found = task_differences(pairs, np.arange(3), 3)
    assert np.nanmean(found, axis=0) == pytest.approx([(0.3 + 0.5) / 0.4, 13 / 3], abs=EXACT)


def test_larger_is_sharper_for_every_measure() -> None:
    dull = {
        "log10_width_mean": 0.5,
        "log10_width_own": 0.5,
        "p_sharp": 0.0,
        "verdict": "SMOOTH",
        "concentration_index": 0.3,
        "log10_bf_sigmoid_linear": -1.0,
        "discontinuity": -0.1,
        "breakthroughness": 1.0,
        "null_q95": 60.0,
    }
    sharp = dull | {
        "log10_width_mean": -1.0,
        "log10_width_own": -1.0,
        "p_sharp": 1.0,
        "verdict": "SHARP",
        "concentration_index": 0.95,
        "log10_bf_sigmoid_linear": 2.0,
        "discontinuity": 0.5,
        "breakthroughness": np.inf,
    }
    table = pd.DataFrame([dull, sharp])
    for name, measure in MEASURES.items():
        low, high = measure(table).astype(float)
        assert high > low, name


def test_the_reference_filter_admits_every_pair_of_its_scheme() -> None:
    pairs = pairs_of(tables_of(7))
    masks = axis_masks(pairs)
    first = next(filters(masks, pairs.task))
    assert len(admitted(masks, first)) == 14
    assert len(pairs.table) == pytest.approx(4 * 14)
