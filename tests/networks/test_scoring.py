"""Scores of answers, item by item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamirage.networks.scoring import (
    METRICS,
    Answers,
    edit_distance,
    group_right,
    score_items,
    standard_error,
    summarise,
)

ROWS = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.integers(0, 2), min_size=1, max_size=4),
    )
)


def answers(**changes: object) -> Answers:
    """Two items of two tokens: one all right, one with its last token wrong."""
    fields = {
        "target": np.array([[1, 2], [3, 4]], np.int32),
        "said": np.array([[1, 2], [3, 9]], np.int32),
        "log_p": np.array([[0.0, -1.0], [-2.0, -4.0]]),
        "squares": np.array([[0.0, 0.5], [1.0, 2.0]]),
    }
    return Answers(**(fields | changes))  # type: ignore[arg-type]


def test_every_metric_comes_from_the_items() -> None:
    scores = score_items(answers())
    assert tuple(scores) == METRICS
    assert {metric: list(values) for metric, values in scores.items()} == {
        "exact_match": [1.0, 0.0],
        "token_edit_distance": [0.0, 1.0],
        "token_accuracy": [1.0, 0.5],
        "log_likelihood": [-0.5, -3.0],
        "brier": [0.25, 1.5],
    }


def distance(target: list[int], said: list[int]) -> int:
    """The definition: change, add or delete the first token."""
    if not target or not said:
        return len(target) + len(said)
    swapped = distance(target[1:], said[1:]) + (target[0] != said[0])
    return min(swapped, distance(target[1:], said) + 1, distance(target, said[1:]) + 1)


@given(ROWS)
def test_edit_distance_is_that_of_its_recursive_definition(
    rows: tuple[list[int], list[int]],
) -> None:
    target, said = rows
    found = edit_distance(np.array([target], np.int32), np.array([said], np.int32))
    assert found[0] == distance(target, said)


def test_a_shifted_answer_costs_two_edits_and_not_every_token() -> None:
    target, said = np.array([[1, 2, 3, 4]], np.int32), np.array([[2, 3, 4, 5]], np.int32)
    assert edit_distance(target, said)[0] == 2


def test_the_standard_error_is_that_of_a_mean() -> None:
    # Two of four: sd with n - 1 is the root of 1/3.
    assert standard_error(np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx((1 / 12) ** 0.5)


def test_items_that_all_score_alike_leave_an_error_of_one_item_more() -> None:
    assert standard_error(np.zeros(100)) == 0.01
    assert standard_error(np.full(100, 7.0)) == 0.07


def test_a_group_is_right_if_all_of_its_items_are_and_the_rest_is_left_out() -> None:
    right = np.array([1, 1, 1, 0, 1, 1, 1], bool)
    assert list(group_right(right, 2)) == [1.0, 0.0, 1.0]
    assert list(group_right(right, 1)) == list(right.astype(float))


def test_a_summary_counts_its_items() -> None:
    table = summarise({"a": np.array([0.0, 1.0]), "b": np.array([2.0, 4.0])})
    assert list(table["score"]) == [0.5, 3.0]
    assert list(table["n_samples"]) == [2, 2]
